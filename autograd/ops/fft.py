"""Fourier transforms: what ``tapegrad.fft`` offers."""

from __future__ import annotations

import math
from typing import Any

from ...backends import dtypes
from ..names import named
from ..promote import describe, get_default_dtype
from ..rule import P
from ..tensor import Tensor
from ..views import own
from . import factories
from .args import check_tensor, dim_of
from .out import takes_out
from .shape import pad, roll

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift",
    "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip


def _floating(name: str, x: Any) -> Tensor:
    """Integers and bools in the default type.

    Raises:
        RuntimeError: float16 or bfloat16.
    """
    check_tensor(name, "input", x)
    if x._array.dtype.kind in "biu":
        return P.cast(x, get_default_dtype().numpy)
    if x._array.dtype.char not in "fdFD":
        raise RuntimeError(f"{name}: not defined for {x.dtype.name} tensors; convert with .float()")
    return x


def _complex(x: Tensor) -> Tensor:
    return x if x._array.dtype.kind == "c" else P.cast(x, x.dtype.to_complex().numpy)


def _plan(name: str, x: Tensor, s: Any, dims: Any) -> tuple[list[int], list[int]]:
    """The dimensions to transform and the sizes to give them.

    Raises:
        RuntimeError: a dimension named twice, more sizes than dimensions, or a size below 1.
    """
    sizes = None if s is None else ([s] if isinstance(s, int) else [int(n) for n in s])
    if dims is None:
        count = x.ndim if sizes is None else len(sizes)
        if count > x.ndim:
            raise RuntimeError(f"{name}: {count} sizes for {x.ndim} dimensions")
        places = list(range(x.ndim - count, x.ndim))
    else:
        given = [dims] if isinstance(dims, int) else list(dims)
        if not x.ndim and given:
            raise IndexError(f"{name}: dim {given} is out of range for 0 dimensions")
        places = [dim_of(name, d, x.ndim) for d in given]
    if len(set(places)) < len(places):
        raise RuntimeError(f"{name}: dim {dims} names a dimension twice")
    if sizes is None:
        sizes = [-1] * len(places)
    if len(sizes) != len(places):
        raise RuntimeError(f"{name}: s has {len(sizes)} sizes, dim {len(places)} dimensions")
    sizes = [x._array.shape[d] if n == -1 else n for n, d in zip(sizes, places, strict=True)]
    return places, sizes


def _sized(name: str, x: Tensor, places: list[int], sizes: list[int]) -> Tensor:
    """``x`` cropped, or padded with zeros, to the sizes."""
    if any(n < 1 for n in sizes):
        raise RuntimeError(f"{name}: sizes must be at least 1, got {sizes} for {describe(x)}")
    for d, n in zip(places, sizes, strict=True):
        have = x._array.shape[d]
        if have != n:
            x = pad(x, (*(0, 0) * (x.ndim - 1 - d), 0, n - have))
    return x


def _scaled(name: str, x: Tensor, count: int, norm: str | None, forward: bool) -> Tensor:
    """``x`` times the factor that ``norm`` asks for."""
    if norm not in (None, "backward", "forward", "ortho"):
        raise RuntimeError(f"{name}: norm must be 'backward', 'forward' or 'ortho', got {norm!r}")
    if norm == "ortho":
        return P.mul(x, 1 / math.sqrt(count))
    whole = (norm == "forward") == forward
    return P.mul(x, 1 / count) if whole else x


def _c2c(name: str, x: Any, s: Any, dims: Any, norm: str | None, forward: bool) -> Tensor:
    x = _floating(name, x)
    places, sizes = _plan(name, x, s, dims)
    x = _sized(name, _complex(x), places, sizes)
    out = P.fft_c2c(x, tuple(places), forward) if places else P.copy(x)
    return named(_scaled(name, out, math.prod(sizes), norm, forward), "FftC2CBackward0")


def _r2c(name: str, x: Any, s: Any, dims: Any, norm: str | None, forward: bool) -> Tensor:
    """Half of a real tensor's transform along the last of the dimensions, all of it along the others."""
    x = _floating(name, x)
    if x._array.dtype.kind == "c":
        raise RuntimeError(f"{name}: needs a real tensor, got {x.dtype.name}; take its .real or use the complex one")
    places, sizes = _plan(name, x, s, dims)
    if not places:
        raise RuntimeError(f"{name}: needs at least one dimension to transform")
    x = _sized(name, x, places, sizes)
    out = own(P.view_as_complex(P.fft_r2c(x, places[-1])))
    if not forward:
        out = P.conj(out)
    if places[1:]:
        out = P.fft_c2c(out, tuple(places[:-1]), forward)
    return named(_scaled(name, out, math.prod(sizes), norm, forward), "FftR2CBackward0")


def _c2r(name: str, x: Any, s: Any, dims: Any, norm: str | None, forward: bool) -> Tensor:
    """The real transform of half of what is symmetric along the last of the dimensions."""
    x = _floating(name, x)
    places, sizes = _plan(name, x, s, dims)
    if not places:
        raise RuntimeError(f"{name}: needs at least one dimension to transform")
    given = None if s is None else [s] if isinstance(s, int) else list(s)
    if given is None or given[-1] == -1:
        sizes[-1] = 2 * (x._array.shape[places[-1]] - 1)
    n = sizes[-1]
    if n < 1:
        raise RuntimeError(f"{name}: the size of the result must be at least 1, got {n} for {describe(x)}")
    x = _sized(name, _complex(x), places, [*sizes[:-1], n // 2 + 1])
    if forward:
        x = P.conj(x)
    if places[1:]:
        x = P.fft_c2c(x, tuple(places[:-1]), False)
    out = P.fft_c2r(P.view_as_real(x), n, places[-1])
    return named(_scaled(name, out, math.prod(sizes), norm, forward), "FftC2RBackward0")


# One dimension


@takes_out
def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The discrete Fourier transform along ``dim``, complex.

    Args:
        n: crop the input, or pad it with zeros, to this size.
        norm: "backward" (None; no factor), "forward" (1/n) or "ortho" (1/sqrt(n)).
    """
    return _c2c("fft.fft", input, n, dim, norm, True)


@takes_out
def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``fft``: by default with the factor 1/n."""
    return _c2c("fft.ifft", input, n, dim, norm, False)


@takes_out
def rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The first n // 2 + 1 elements of the ``fft`` of a real tensor; the others are their conjugates."""
    return _r2c("fft.rfft", input, n, dim, norm, True)


@takes_out
def irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``rfft``, real, of size n (by default even: twice the input's size less 2)."""
    return _c2r("fft.irfft", input, n, dim, norm, False)


@takes_out
def hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The ``fft``, real, of a tensor of which half is given, the rest being conjugates."""
    return _c2r("fft.hfft", input, n, dim, norm, True)


@takes_out
def ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``hfft``: half of the ``ifft`` of a real tensor."""
    return _r2c("fft.ihfft", input, n, dim, norm, False)


# Several dimensions


@takes_out
def fft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """``fftn`` over two dimensions."""
    return _c2c("fft.fft2", input, s, dim, norm, True)


@takes_out
def ifft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """``ifftn`` over two dimensions."""
    return _c2c("fft.ifft2", input, s, dim, norm, False)


@takes_out
def rfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """``rfftn`` over two dimensions."""
    return _r2c("fft.rfft2", input, s, dim, norm, True)


@takes_out
def irfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """``irfftn`` over two dimensions."""
    return _c2r("fft.irfft2", input, s, dim, norm, False)


@takes_out
def hfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """``hfftn`` over two dimensions."""
    return _c2r("fft.hfft2", input, s, dim, norm, True)


@takes_out
def ihfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """``ihfftn`` over two dimensions."""
    return _r2c("fft.ihfft2", input, s, dim, norm, False)


@takes_out
def fftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The discrete Fourier transform over several dimensions.

    Args:
        s: the sizes to crop or pad the dimensions to; -1 leaves one.
        dim: the dimensions; None for all, or with ``s`` for as many of the last.
        norm: as in ``fft``, n being the number of elements transformed.
    """
    return _c2c("fft.fftn", input, s, dim, norm, True)


@takes_out
def ifftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of ``fftn``."""
    return _c2c("fft.ifftn", input, s, dim, norm, False)


@takes_out
def rfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The ``fftn`` of a real tensor, with half of the last dimension."""
    return _r2c("fft.rfftn", input, s, dim, norm, True)


@takes_out
def irfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of ``rfftn``."""
    return _c2r("fft.irfftn", input, s, dim, norm, False)


@takes_out
def hfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The ``fftn``, real, of what is given by half of its last dimension, the rest being conjugates."""
    return _c2r("fft.hfftn", input, s, dim, norm, True)


@takes_out
def ihfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of ``hfftn``."""
    return _r2c("fft.ihfftn", input, s, dim, norm, False)


# Frequencies


def fftfreq(n: int, d: float = 1.0, *, out: Tensor | None = None, **options: Any) -> Tensor:
    """The frequencies of ``fft`` of n samples ``d`` apart: from 0 up, then the negative ones.

    Args:
        options: ``dtype``, ``device``, ``requires_grad`` and the like, as of ``arange``.
    """
    options["dtype"] = options.get("dtype") or (get_default_dtype() if out is None else out.dtype)
    up = factories.arange(n, dtype=dtypes.int64, device=options.get("device"))
    places = P.sub(up, P.mul(P.cast(P.ge(up, (n + 1) // 2), dtypes.int64.numpy), n))
    return _filled(places, n * d, out, options)


def rfftfreq(n: int, d: float = 1.0, *, out: Tensor | None = None, **options: Any) -> Tensor:
    """The frequencies of ``rfft`` of n samples ``d`` apart."""
    options["dtype"] = options.get("dtype") or (get_default_dtype() if out is None else out.dtype)
    places = factories.arange(n // 2 + 1, dtype=dtypes.int64, device=options.get("device"))
    return _filled(places, n * d, out, options)


def _filled(places: Tensor, over: float, out: Tensor | None, options: dict[str, Any]) -> Tensor:
    made = P.mul(places.to(options["dtype"]), 1 / over)
    if options.get("requires_grad"):
        made.requires_grad_()
    return factories.into(out, made)


def _places(name: str, x: Any, dims: Any) -> tuple[int, ...]:
    check_tensor(name, "input", x)
    if dims is None:
        return tuple(range(x.ndim))
    return tuple(dim_of(name, d, x.ndim) for d in ([dims] if isinstance(dims, int) else dims))


def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """What ``fft`` gives with the frequency 0 in the middle of the dimensions (None: of all)."""
    places = _places("fft.fftshift", input, dim)
    return roll(input, tuple(input._array.shape[d] // 2 for d in places), places)


def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The inverse of ``fftshift``."""
    places = _places("fft.ifftshift", input, dim)
    return roll(input, tuple((input._array.shape[d] + 1) // 2 for d in places), places)
