"""Fourier transforms against PyTorch: values, first and second order, sizes, norms, dimensions."""

import numpy as np
import pytest

import tapegrad as tg

from .matrix_cases import check, find, torch

pytestmark = pytest.mark.parity


def numbers(*shape, kind="f"):
    rng = np.random.default_rng([4, *shape])
    out = rng.standard_normal(shape)
    return out + 1j * rng.standard_normal(shape) if kind == "c" else out


NORMS = pytest.mark.parametrize("norm", [None, "backward", "forward", "ortho"])
REAL_ONLY = ("rfft", "ihfft", "rfft2", "ihfft2", "rfftn", "ihfftn")


def kinds(name):
    return ("f",) if name in REAL_ONLY else ("f", "c")


@NORMS
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_one_dimension(name, norm):
    for kind in kinds(name):
        for shape in ((5,), (6,), (2, 4), (1, 2)):
            check(f"fft.{name}", [numbers(*shape, kind=kind)], {"norm": norm})
        for n in (1, 3, 4, 9):
            check(f"fft.{name}", [numbers(2, 5, kind=kind)], {"n": n, "dim": -1, "norm": norm})
            check(f"fft.{name}", [numbers(5, 3, kind=kind)], {"n": n, "dim": 0, "norm": norm})


@NORMS
@pytest.mark.parametrize("name", [way + d for way in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft") for d in "2n"])
def test_several_dimensions(name, norm):
    for kind in kinds(name):
        x = numbers(3, 4, 5, kind=kind)
        check(f"fft.{name}", [x], {"norm": norm})
        check(f"fft.{name}", [x], {"s": (2, 6), "norm": norm})
        check(f"fft.{name}", [x], {"dim": (0, 2), "norm": norm})
        check(f"fft.{name}", [x], {"s": (-1, 4), "dim": (2, 0), "norm": norm})
        if name[-1] == "n":
            check(f"fft.{name}", [x], {"dim": (2, 0, 1), "norm": norm})


def test_integers_and_float32():
    for kind in (np.int64, np.int32, bool, np.float32, np.complex64):
        x = np.arange(6).reshape(2, 3).astype(kind)
        for name in ("fft.fft", "fft.irfft", "fft.fftn"):
            got, want = find(tg, name)(tg.tensor(x)).numpy(), find(torch, name)(torch.tensor(x)).numpy()
            assert got.dtype == want.dtype
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_empty_stacks():
    assert tg.fft.fft(tg.ones(0, 3)).shape == (0, 3)
    assert tg.fft.rfft(tg.ones(0, 4)).shape == (0, 3)
    assert tg.fft.irfft(tg.ones(0, 3)).shape == (0, 4)


def test_shifts_and_frequencies():
    for shape in ((5,), (4, 3), (2, 3, 4)):
        for dim in (None, 0, (0, -1)):
            if dim == (0, -1) and len(shape) == 1:
                continue
            check("fft.fftshift", [numbers(*shape)], {"dim": dim})
            check("fft.ifftshift", [numbers(*shape)], {"dim": dim})
    for n in (1, 2, 5, 8):
        for name in ("fftfreq", "rfftfreq"):
            want = getattr(torch.fft, name)(n, d=0.5).numpy()
            np.testing.assert_allclose(getattr(tg.fft, name)(n, d=0.5).numpy(), want, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [(lambda: tg.fft.fft(tg.ones(3), norm="twice"), "norm must be"),
     (lambda: tg.fft.fft(tg.ones(3), n=0), "at least 1"),
     (lambda: tg.fft.fftn(tg.ones(3, 3), dim=(0, 0)), "twice"),
     (lambda: tg.fft.rfft(tg.ones(3) * 1j), "needs a real"),
     (lambda: tg.fft.fft(tg.ones(3, dtype=tg.float16)), "float16"),
     (lambda: tg.fft.fftn(tg.ones(3), s=(2, 2)), "2 sizes")],
)  # fmt: skip
def test_refusals(call, message):
    with pytest.raises(RuntimeError, match=message):
        call()


@pytest.mark.parametrize("options", [
    {}, {"center": False}, {"normalized": True}, {"onesided": False}, {"hop_length": 3}, {"pad_mode": "constant"},
    {"win_length": 6},
])  # fmt: skip
@pytest.mark.parametrize("shape", [(40,), (2, 40)])
def test_short_pieces(options, shape):
    window = np.hanning(options.get("win_length", 8) + 2)[1:-1]

    def call(package, x, w):
        return package.stft(x, 8, window=w, return_complex=True, **options)

    def back(package, x, w):
        there = call(package, x, w)
        keep = {k: v for k, v in options.items() if k != "pad_mode"}
        return package.istft(there, 8, window=w.detach(), **keep)

    for way in (call, back):
        arrays = [numbers(*shape), window]
        _compare(way, arrays)


def _compare(way, arrays):
    found = []
    for package in (tg, torch):
        leaves = [package.tensor(a).requires_grad_() for a in arrays]
        out = way(package, *leaves)
        w = package.tensor(numbers(*out.shape))
        total = ((out.real if out.is_complex() else out) * w).sum()
        (slope,) = (tg if package is tg else torch).autograd.grad(total, leaves[:1])
        found.append((out.detach().numpy(), slope.numpy()))
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


def test_vmap_over_transforms():
    x = tg.tensor(numbers(3, 4, 5))
    np.testing.assert_allclose(
        tg.vmap(lambda v: tg.fft.rfft(v, dim=0))(x).numpy(), np.fft.rfft(x.numpy(), axis=1), rtol=1e-10, atol=1e-12
    )
