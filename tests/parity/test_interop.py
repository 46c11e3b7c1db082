"""Tensors among Python's and NumPy's own, and every way to make them: each expression gives what PyTorch gives.

``t`` is a float tensor, ``ti`` one of integers, ``tb`` of bools, ``tm`` a matrix, ``tg`` one that requires grad;
``arr``, ``arr32`` and ``arri`` are NumPy arrays; ``lib`` is the library. Values, types and errors are compared.
"""

import collections
import copy
import math
import operator
import pickle
import warnings

import numpy as np
import pytest

import tapegrad

from .interop_expressions import EXPRESSIONS

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

MODULES = {"collections": collections, "copy": copy, "math": math, "np": np, "operator": operator, "pickle": pickle}


def plain(value):
    """A result without the library that made it."""
    if hasattr(value, "detach"):
        return "tensor", str(value.dtype).rpartition(".")[2], value.detach().tolist(), value.requires_grad
    if isinstance(value, (np.ndarray, np.generic)):
        return type(value).__name__, value.dtype.name, value.tolist()
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(v) for v in value]
    if isinstance(value, (bool, int, float, complex, type(None))):
        return value
    if isinstance(value, str) or type(value).__name__ in ("dtype", "device"):
        return str(value).replace("tapegrad.", "torch.")
    return type(value).__name__


def outcome(expression, lib):
    names = {
        "lib": lib, "t": lib.tensor([1.0, 2.0, 3.0]), "ti": lib.tensor([1, 2, 3]),
        "tb": lib.tensor([True, False, True]), "tm": lib.tensor([[1.0, 2, 0], [0, 1, 1], [1, 0, 1]]),
        "tg": lib.tensor([1.0, 2.0, 3.0], requires_grad=True), "arr": np.array([1.0, 2.0, 3.0]),
        "arr32": np.array([1.0, 2.0, 3.0], np.float32), "arri": np.array([1, 2, 3]), **MODULES,
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(eval(expression, names))
        except (RuntimeError, TypeError, ValueError, IndexError, BufferError, OverflowError) as error:
            return "RuntimeError" if isinstance(error, RuntimeError) else type(error).__name__


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression(expression):
    ours, theirs = outcome(expression, tapegrad), outcome(expression, torch)
    assert repr(ours) == repr(theirs)


def test_tensors_travel_both_ways():
    theirs = torch.arange(6.0).reshape(2, 3)
    ours = tapegrad.from_dlpack(theirs)
    ours[0, 0] = 9
    assert theirs[0, 0] == 9
    back = torch.from_dlpack(tapegrad.from_dlpack(theirs.t()))
    back[1, 1] = 7
    assert ours[1, 1] == 7
    for dtype in ("bool", "uint8", "int64", "float16", "float32", "complex64"):
        values = torch.tensor([1, 0, 1]).to(getattr(torch, dtype))
        assert str(tapegrad.from_dlpack(values).dtype) == f"tapegrad.{dtype}"
        assert torch.from_dlpack(tapegrad.from_dlpack(values)).tolist() == values.tolist()
    capsule = torch.utils.dlpack.to_dlpack(theirs)
    taken = tapegrad.utils.dlpack.from_dlpack(capsule)
    taken[0, 1] = 5
    assert theirs[0, 1] == 5
    assert torch.utils.dlpack.from_dlpack(tapegrad.to_dlpack(ours)).tolist() == ours.tolist()


def test_asarray_keeps_the_history_of_a_tensor():
    for lib in (torch, tapegrad):
        x = lib.ones(2, requires_grad=True)
        assert lib.asarray(x) is x
        assert lib.asarray(x * 2).grad_fn is not None
        made = lib.asarray(x, dtype=lib.float64)
        assert (made.requires_grad, made.is_leaf) == (True, False)
        assert lib.asarray(x, copy=True).requires_grad
        plain = lib.ones(2)
        assert lib.asarray(plain, requires_grad=True) is plain
        assert plain.requires_grad


def test_a_tensor_that_requires_grad_does_not_travel():
    for lib in (torch, tapegrad):
        for x in (lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True) * 2):
            with pytest.raises(BufferError, match=r"requires? grad|require grad"):
                lib.from_dlpack(x)


def test_a_capsule_is_taken_once():
    for lib in (torch, tapegrad):
        capsule = lib.ones(2).__dlpack__()
        assert lib.from_dlpack(capsule).tolist() == [1.0, 1.0]
        with pytest.raises(RuntimeError, match="capsule"):
            lib.from_dlpack(capsule)
