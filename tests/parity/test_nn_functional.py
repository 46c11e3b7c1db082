"""nn.functional against PyTorch: values, gradients to all inputs, second order, random numbers, refusals."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tapegrad as tg

from .functional_cases import CASES, EMPTY, RANDOM, REFUSED
from .functional_source import Source

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

# At a kink the second derivative is anything; far away and at a length of zero PyTorch's is nan.
FIRST_ORDER = ("at kinks", "far away", "of zeros", "prelu of a vector")
TOLERANCE = {"float32": 2e-4, "float64": 1e-9}


@pytest.fixture(params=["numpy", "numba"], autouse=True)
def backend(request):
    with tg.backends.use(request.param):
        yield request.param


def flat(made: Any) -> list[Any]:
    if isinstance(made, (tuple, list)):
        return [x for part in made for x in flat(part)]
    return [] if made is None else [made]


def array(x: Any) -> np.ndarray:
    return np.asarray(x.detach().clone().numpy())  # a clone: PyTorch has zeros without memory


def weighted(lib: Any, tensors: list[Any], seed: int) -> Any:
    """A fixed random combination of all elements."""
    numbers = np.random.RandomState(seed)
    total = 0.0
    for x in tensors:
        shape = tuple(x.shape)
        total = total + (x * lib.tensor(numbers.uniform(-1, 1, shape).tolist(), dtype=x.dtype).reshape(shape)).sum()
    return total


def slopes(lib: Any, of: list[Any], leaves: list[Any], seed: int, again: bool) -> list[Any]:
    """The gradient of a combination of ``of`` by each leaf, zeros where there is none."""
    kept = [x for x in of if x.requires_grad]
    if not kept or not leaves:
        return [lib.zeros_like(x) for x in leaves]
    grad = lib.autograd.grad(weighted(lib, kept, seed), leaves, create_graph=again, allow_unused=True)
    return [lib.zeros_like(x) if g is None else g for x, g in zip(leaves, grad, strict=True)]


def run(lib: Any, case: Any, dtype: str, orders: int) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """The outputs and the gradients of each order; an order that PyTorch does not know ends them."""
    lib.manual_seed(3)
    source = Source(lib, dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = flat(case(lib.nn.functional, source))
    values, gradients = [array(x) for x in outputs], []
    current = [x for x in outputs if "float" in str(x.dtype)]
    for order in range(orders):
        try:
            current = slopes(lib, current, source.leaves, order, order + 1 < orders)
        except RuntimeError as error:
            if lib is not torch or not any(words in str(error) for words in ("not implemented", "not differentiable")):
                raise
            break
        gradients.append([array(g) for g in current])
    return values, gradients


def close(name: str, ours: list[np.ndarray], theirs: list[np.ndarray], tolerance: float) -> None:
    assert len(ours) == len(theirs), name
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape, name
        assert a.dtype == b.dtype, name
        scale = max(1.0, float(np.abs(b[np.isfinite(b)]).max(initial=0))) if b.dtype.kind == "f" else 0
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * scale, err_msg=name)


def compare(case: Any, dtype: str, orders: int) -> None:
    values, gradients = run(torch, case, dtype, orders)
    got, slopes_got = run(tg, case, dtype, max(len(gradients), 1))
    close("values", got, values, TOLERANCE[dtype])
    for order, (a, b) in enumerate(zip(slopes_got, gradients, strict=False), 1):
        close(f"gradients of order {order}", a, b, TOLERANCE[dtype] * 10)


@pytest.mark.parametrize("name", CASES)
def test_to_second_order(name):
    compare(CASES[name], "float64", 1 if name.endswith(FIRST_ORDER) else 2)


@pytest.mark.parametrize("name", CASES)
def test_single_precision(name, backend):
    compare(CASES[name], "float32", 1)


@pytest.mark.parametrize("name", EMPTY)
def test_empty_batch(name):
    compare(EMPTY[name], "float64", 1)


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_numbers(name, dtype):
    compare(RANDOM[name], dtype, 1)


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    with pytest.raises(Exception) as theirs:
        REFUSED[name](torch.nn.functional, Source(torch, "float64"))
    with pytest.raises(type(theirs.value), match=name.split(":")[0]):
        REFUSED[name](tg.nn.functional, Source(tg, "float64"))
