"""At the edges values, gradients, types and refusals are PyTorch's, on NumPy and Numba."""

import warnings

import numpy as np
import pytest

import tapegrad

from .edges import THEMES, expressions, scope

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


def leaves(x):
    if isinstance(x, (list, tuple)):
        return [leaf for part in x for leaf in leaves(part)]
    return [x.detach().numpy() if hasattr(x, "detach") else x]


def outcome(text, lib):
    """The arrays that an expression gives, or the error that it raises."""
    lib.manual_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return leaves(eval(text, scope(lib)))
        except Exception as error:
            return error


def difference(text):
    """How the outcome differs from PyTorch's; None where it does not."""
    theirs, ours = outcome(text, torch), outcome(text, tapegrad)
    if isinstance(theirs, Exception):
        if not isinstance(ours, (RuntimeError, ValueError, TypeError, IndexError)):
            return f"PyTorch refuses it: {theirs!r:.100}; here {ours!r:.200}"
        return None if len(str(ours)) > 15 else f"an error without words: {ours!r}"
    if isinstance(ours, Exception):
        return f"refused: {ours!r:.200}"
    if len(ours) != len(theirs):
        return f"{len(ours)} results, not {len(theirs)}"
    for a, b in zip(ours, theirs, strict=True):
        if not isinstance(b, np.ndarray):
            if type(a).__name__ != type(b).__name__:
                return f"{a!r}, not {b!r}"
        elif a.dtype != b.dtype or a.shape != b.shape:
            return f"{a.dtype}{a.shape}, not {b.dtype}{b.shape}"
        elif not np.allclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=a.dtype.kind == "f"):
            return f"{a}, not {b}"
    return None


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("theme", vars(THEMES))
def test_edges(theme, backend):
    with tapegrad.backends.use(backend):
        wrong = {text: found for text in expressions(theme) if (found := difference(text)) is not None}
    assert not wrong, "\n".join(f"{text}: {found}" for text, found in wrong.items())


def test_relu_keeps_a_negative_zero():
    assert (1 / tapegrad.relu(tapegrad.tensor([-0.0, 0.0]))).tolist() == [-np.inf, np.inf]


ERRORS = {
    "F.cross_entropy(lib.ones(2, 3), lib.tensor([0, 3]))": r"cross_entropy: target\[1\] is 3, .* 3 classes",
    "F.nll_loss(lib.ones(2, 3, 2), lib.tensor([[0, 1], [7, 3]]))": r"nll_loss: target\[1, 0\] is 7",
    "F.cross_entropy(lib.ones(2, 3), lib.tensor([0, 2]), lib.ones(2))": r"cross_entropy: weight must have shape \[3\]",
    "F.cross_entropy(lib.ones(2, 3), [0, 1])": "cross_entropy: argument 'target' must be a Tensor, not list",
    "F.dropout(lib.ones(3).long())": r"dropout: needs a floating tensor, got int64\[3\]",
    "nn.Linear(2, 2)(lib.ones(2, 3))": r"linear\(input=float32\[2, 3\], weight=float32\[2, 2\]",
    "nn.Linear('a', 2)": "in_features must be an int, got 'a'",
    "lib.tensor(1.).chunk(2)": "chunk: needs at least one dimension",
    "nn.Perceptron(0)": "in_features must be at least 1",
    "nn.Perceptron(2).fit(zeros(0, 2), zeros(0))": "no examples",
}


@pytest.mark.parametrize("text", ERRORS)
def test_errors_name_operation_and_argument(text):
    with pytest.raises(Exception, match=ERRORS[text]):
        eval(text, scope(tapegrad))


def test_warnings_point_at_the_users_line():
    lib = tapegrad
    x, y, p = lib.ones(2, 1), lib.ones(2), lib.ones(1, requires_grad=True)
    for call in (
        lambda: lib.nn.functional.mse_loss(x, y),
        lambda: lib.nn.MSELoss()(x, y),
        lambda: lib.nn.functional.huber_loss(x, y),
        lambda: lib.optim.Adam([p, p]),
    ):
        with pytest.warns(UserWarning, match="broadcast|duplicate") as seen:
            call()
        assert [w.filename for w in seen] == [__file__]


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_the_slope_of_a_norm_at_zero_whatever_comes_from_above(p, backend):
    found = []
    for lib in (torch, tapegrad):
        with tapegrad.backends.use(backend):
            x = lib.zeros(2, requires_grad=True)
            (1 / x.norm(p)).backward()  # an infinite cotangent
            found.append(x.grad.numpy())
    np.testing.assert_array_equal(found[1], found[0])
