"""Second derivatives of every differentiable public operation: against finite differences and against PyTorch."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.autograd import PUBLIC

from .second_order import EXPRESSIONS, FLAT, INPUTS, called, inputs_of, value_of

NAMES = {name for name in {*PUBLIC, *tg.nn.functional.__all__} if not name.endswith("_")}


def leaves(lib, text, gaps=False):
    made = []
    for name in inputs_of(text):
        x = lib.tensor(INPUTS[name], dtype=lib.complex128 if name in "zw" else lib.float64)
        made.append((lib.stack([x, x], -1)[..., 0] if gaps else x).requires_grad_())
    return made


# Their orders are compared in tests/parity/test_linalg.py, test_fft.py and test_nn_functional.py.
ELSEWHERE = frozenset(
    "adaptive_max_pool1d_with_indices adaptive_max_pool2d_with_indices adaptive_max_pool3d_with_indices geqrf istft lu "
    "lu_solve lu_unpack fractional_max_pool2d_with_indices fractional_max_pool3d_with_indices max_pool2d_with_indices "
    "max_pool3d_with_indices ormqr pca_lowrank qr stft sum_to_size svd_lowrank "
    "triangular_solve".split()
)


def test_the_table_is_whole():
    assert len(set(EXPRESSIONS)) == len(EXPRESSIONS)
    have = set().union(*map(called, EXPRESSIONS))
    missing = NAMES - have - FLAT - ELSEWHERE
    assert not missing, f"tests/second_order.py has no line for {sorted(missing)}"
    assert FLAT & have == {"tensor"}
    assert not FLAT - NAMES


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("text", EXPRESSIONS)
def test_gradgradcheck(text, backend):
    with tg.backends.use(backend):
        given = leaves(tg, text, gaps=backend == "numpy")
        assert tg.autograd.gradcheck(lambda *xs: value_of(text, tg, xs), given)
        assert tg.autograd.gradgradcheck(lambda *xs: value_of(text, tg, xs), given)


def orders(lib, text):
    """The results, and the first and second derivatives of a number made of them."""
    given = leaves(lib, text)
    out = value_of(text, lib, given)
    parts = [part for y in out for part in ((y.real, y.imag) if y.is_complex() else (y,))]
    total = sum((part * part * lib.arange(1.0, part.numel() + 1).reshape(part.shape)).sum() for part in parts)
    first = lib.autograd.grad(total, given, create_graph=True, allow_unused=True, materialize_grads=True)
    bent = [g for g in first if g.requires_grad]
    length = sum((g.abs() ** 2).sum() for g in bent)
    second = lib.autograd.grad(length, given, allow_unused=True, materialize_grads=True) if bent else ()
    return [y.detach().resolve_conj().numpy() for y in (*out, *first, *second)]


# Of these PyTorch 2.13 has no second derivative, or a first one that its own gradcheck refuses.
WRONG_THERE = {
    "as_strided_scatter", "cdist", "ctc_loss", "embedding_bag", "floor_divide", "grouped_mm", "hardsigmoid",
    "multi_margin_loss",
    "multi_head_attention_forward", "multilabel_margin_loss", "native_channel_shuffle", "pdist", "vander",
}  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("text", EXPRESSIONS)
def test_against_pytorch(text):
    torch = pytest.importorskip("torch")
    if called(text) & WRONG_THERE:
        function, given = (lambda *xs: value_of(text, torch, xs)), leaves(torch, text)
        checks = torch.autograd.gradcheck, torch.autograd.gradgradcheck
        with pytest.raises(RuntimeError):
            all(check(function, given) for check in checks)
        return
    ours, theirs = orders(tg, text), orders(torch, text)
    assert len(ours) == len(theirs)
    for i, (a, b) in enumerate(zip(ours, theirs)):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, 1e-7, 1e-9, err_msg=f"{text}: answer {i}")
