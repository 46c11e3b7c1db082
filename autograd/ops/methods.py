"""Hangs the operations onto Tensor: methods, operators, in-place forms."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...backends import dtypes
from ...backends.random import default_generator
from .. import printing
from ..backward import tensor_backward
from ..rule import RULES, P
from ..tensor import Tensor
from ..views import overwrite, write
from . import arith, create, index, linalg, move, reduce, shape

__all__ = ["PUBLIC"]

# Primitives that are PyTorch operations as they stand, under their own names.
DIRECT = tuple(made.name for made in RULES.values() if made.public)

SYNONYMS = {
    "arctan2": "atan2", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "absolute": "abs", "negative": "neg", "multiply": "mul", "subtract": "sub", "divide": "div",
    "true_divide": "div", "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "not_equal": "ne",
    "clip": "clamp", "concat": "cat", "concatenate": "cat", "swapaxes": "transpose", "fix": "trunc", "ger": "outer",
}  # fmt: skip

# What a function of the package may be, but a method may not.
NOT_METHODS = frozenset({*create.__all__, "cat", "stack", "getitem", "setitem"})


def _axis(function: Callable[..., Any]) -> Callable[..., Any]:
    """Accept NumPy's ``axis`` and ``keepdims`` for ``dim`` and ``keepdim``, as PyTorch does."""

    def wrapped(*args: Any, axis: Any = None, keepdims: bool | None = None, **kwargs: Any) -> Any:
        if axis is not None:
            kwargs["dim"] = axis
        if keepdims is not None:
            kwargs["keepdim"] = keepdims
        return function(*args, **kwargs)

    wrapped.__name__, wrapped.__doc__, wrapped.__wrapped__ = function.__name__, function.__doc__, function  # type: ignore[attr-defined]
    wrapped.__module__, wrapped.__qualname__ = function.__module__, function.__qualname__
    return wrapped


def _collect() -> dict[str, Callable[..., Any]]:
    """Every public operation by name."""
    public: dict[str, Callable[..., Any]] = {name: getattr(P, name) for name in DIRECT}
    for module in (arith, create, index, linalg, reduce, shape):
        for name in module.__all__:
            public[name] = getattr(module, name)
    for name in reduce.__all__:
        public[name] = _axis(public[name])
    public |= {"clone": move.clone, "detach": move.detach}
    public |= {new: public[old] for new, old in SYNONYMS.items()}
    return public


PUBLIC = _collect()


def _in_place(name: str, function: Callable[..., Any]) -> Callable[..., Tensor]:
    def operation(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return write(name, self, lambda x, *a: function(x, *a, **kwargs), *args)

    operation.__name__ = name
    operation.__doc__ = f"``{name[:-1]}`` in place."
    return operation


IN_PLACE = (*DIRECT, "pow", "clamp", "clamp_min", "clamp_max", "addcmul", "addcdiv", "lerp", "masked_fill", "scatter",
            "scatter_add", "cumsum", "tril", "triu")  # fmt: skip


def _attach() -> None:
    for name, function in PUBLIC.items():
        if name not in NOT_METHODS:
            setattr(Tensor, name, function)
    for name in IN_PLACE:
        setattr(Tensor, name + "_", _in_place(name + "_", PUBLIC[name]))
    for name in ("cpu", "cuda", "item", "numpy", "to", "tolist"):
        setattr(Tensor, name, getattr(move, name))
    for name, function in _EXTRA.items():
        setattr(Tensor, name, function)


def _cast(dtype: dtypes.dtype) -> Callable[[Tensor], Tensor]:
    return lambda self: move.to(self, dtype=dtype)


def _zero_(self: Tensor) -> Tensor:
    """Set every element to 0."""
    return write("zero_", self, overwrite, 0)


def _fill_(self: Tensor, value: Any) -> Tensor:
    """Set every element to ``value``."""
    return write("fill_", self, overwrite, value)


def _copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Take over the elements of ``src``, converted and broadcast."""
    return write("copy_", self, overwrite, src)


def _uniform_(self: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with uniform random numbers between ``a`` and ``b``."""
    array = (generator or default_generator).uniform(self._array.shape, a, b, dtype=self._array.dtype)
    return write("uniform_", self, overwrite, create.from_numpy(array))


def _normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with normal random numbers."""
    array = (generator or default_generator).normal(self._array.shape, mean, std, dtype=self._array.dtype)
    return write("normal_", self, overwrite, create.from_numpy(array))


def _bernoulli_(self: Tensor, p: float = 0.5, *, generator: Any = None) -> Tensor:
    """Fill with ones of probability ``p`` and zeros."""
    array = (generator or default_generator).bernoulli(p, self._array.shape, self._array.dtype)
    return write("bernoulli_", self, overwrite, create.from_numpy(array))


def _bool(self: Tensor) -> bool:
    if self._array.size != 1:
        raise RuntimeError(f"bool of a tensor of shape {list(self.shape)} is ambiguous; use .any() or .all()")
    return bool(move.item(self))


def _len(self: Tensor) -> int:
    if not self.ndim:
        raise TypeError("len() of a 0-d tensor")
    return int(self._array.shape[0])


def _iter(self: Tensor) -> Iterator[Tensor]:
    if not self.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(shape.unbind(self, 0))


def _format(self: Tensor, spec: str) -> str:
    return format(move.item(self), spec) if self._array.size == 1 and not self.ndim else object.__format__(self, spec)


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    array = move.numpy(self)
    return array.astype(dtype, copy=False) if dtype is not None else array


def _index(self: Tensor) -> int:
    if self._array.size != 1 or self._array.dtype.kind not in "iub":
        raise TypeError(f"an index must be an integer tensor of one element, not {self.dtype} of {list(self.shape)}")
    return int(move.item(self))


def _retain_grad(self: Tensor) -> None:
    """Keep the gradient of this result of an operation in ``.grad``."""
    node = self._current()
    if node is None:
        raise RuntimeError("retain_grad: this tensor does not require grad")
    if node.edges is None or (node.hooks and any(map(_keeps, node.hooks))):
        return
    found = weakref.ref(node)  # a hook that held its node would keep both alive

    def keep(g: Tensor) -> None:
        node = found()
        if node is not None:
            node.grad = move.clone(g) if node.grad is None else node.grad + g

    keep.keeps = True  # type: ignore[attr-defined]
    node.hooks = [*(node.hooks or []), keep]


def _keeps(hook: Callable[..., Any]) -> bool:
    """Whether this is the hook of ``retain_grad``, which sees what the others have made of the gradient."""
    return getattr(hook, "keeps", False)


class Handle:
    """Takes a hook away again."""

    def __init__(self, node: Any, hook: Callable[..., Any]) -> None:
        self._node, self._hook = node, hook

    def remove(self) -> None:
        """Remove the hook; a second call does nothing."""
        left = [h for h in self._node.hooks or [] if h is not self._hook]
        self._node.hooks = left or None


def _register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> Handle:
    """Call ``hook`` with every gradient of this tensor; what it returns (if anything) takes the gradient's place."""
    node = self._current()
    if node is None:
        raise RuntimeError("register_hook: this tensor does not require grad")

    def own(g: Tensor) -> Tensor | None:
        return hook(g)

    node.hooks = sorted([*(node.hooks or []), own], key=_keeps)
    return Handle(node, own)


def _deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    node = self._current()
    if node is not None and node.edges is not None:
        raise RuntimeError("deepcopy: only leaves can be deep-copied; this tensor was computed; use clone()")
    made = object.__new__(type(self))
    made._array, made._device = self._device.backend.copy(self._array), self._device
    made._cell, made._view, made._node = [0], None, None
    memo[id(self)] = made
    made.__dict__.update(self.__dict__)
    if node is not None:
        made.requires_grad_()
        made.grad = None if node.grad is None else move.clone(node.grad).detach()
    return made


def _swapped(function: Callable[..., Any]) -> Callable[[Tensor, Any], Any]:
    return lambda self, other: function(other, self)


_EXTRA: dict[str, Any] = {
    "__add__": P.add, "__radd__": _swapped(P.add), "__sub__": P.sub, "__rsub__": _swapped(P.sub),
    "__mul__": P.mul, "__rmul__": _swapped(P.mul), "__truediv__": P.div, "__rtruediv__": _swapped(P.div),
    "__floordiv__": P.floor_divide, "__rfloordiv__": _swapped(P.floor_divide), "__mod__": P.remainder,
    "__rmod__": _swapped(P.remainder), "__pow__": arith.pow, "__rpow__": _swapped(arith.pow),
    "__matmul__": linalg.matmul, "__rmatmul__": _swapped(linalg.matmul), "__neg__": P.neg, "__abs__": P.abs,
    "__eq__": P.eq, "__ne__": P.ne, "__lt__": P.lt, "__le__": P.le, "__gt__": P.gt, "__ge__": P.ge,
    "__and__": P.bitwise_and, "__or__": P.bitwise_or, "__xor__": P.bitwise_xor, "__invert__": P.bitwise_not,
    "__getitem__": index.getitem, "__setitem__": index.setitem, "__bool__": _bool, "__len__": _len, "__iter__": _iter,
    "__float__": lambda self: float(move.item(self)), "__int__": lambda self: int(move.item(self)),
    "__index__": _index, "__format__": _format, "__array__": _array, "__repr__": printing.text,
    "__deepcopy__": _deepcopy, "__iadd__": lambda self, other: self.add_(other),
    "__isub__": lambda self, other: self.sub_(other), "__imul__": lambda self, other: self.mul_(other),
    "__itruediv__": lambda self, other: self.div_(other), "__ipow__": lambda self, other: self.pow_(other),
    "backward": tensor_backward, "retain_grad": _retain_grad, "register_hook": _register_hook,
    "zero_": _zero_, "fill_": _fill_, "copy_": _copy_, "uniform_": _uniform_, "normal_": _normal_,
    "bernoulli_": _bernoulli_, "type": move.type_,
    "float": _cast(dtypes.float32), "double": _cast(dtypes.float64), "half": _cast(dtypes.float16),
    "bfloat16": _cast(dtypes.bfloat16), "long": _cast(dtypes.int64), "int": _cast(dtypes.int32),
    "short": _cast(dtypes.int16), "byte": _cast(dtypes.uint8), "bool": _cast(dtypes.bool_),
    "type_as": lambda self, other: move.to(self, other.dtype),
    "size": lambda self, dim=None: self.shape if dim is None else self._array.shape[dim],
    "dim": lambda self: self._array.ndim, "numel": lambda self: int(self._array.size),
    "nelement": lambda self: int(self._array.size), "element_size": lambda self: self._array.itemsize,
    "stride": lambda self, dim=None: _strides(self) if dim is None else _strides(self)[dim],
    "is_contiguous": lambda self, memory_format=None: self._array.flags.c_contiguous,
    "is_floating_point": lambda self: self.dtype.is_floating_point, "is_complex": lambda self: self.dtype.is_complex,
    "data_ptr": lambda self: self._array.ctypes.data,
    "view_as": lambda self, other: shape.view(self, *other._array.shape),
    "reshape_as": lambda self, other: shape.reshape(self, *other._array.shape),
    "expand_as": lambda self, other: shape.expand(self, *other._array.shape),
    "new_zeros": lambda self, *size, dtype=None, device=None, requires_grad=False: create.zeros(
        *size, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad),
    "new_ones": lambda self, *size, dtype=None, device=None, requires_grad=False: create.ones(
        *size, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad),
    "T": property(lambda self: shape.permute(self, *reversed(range(self.ndim)))),
    "mT": property(lambda self: shape.transpose(self, -1, -2)),
    "is_cuda": property(lambda self: self._device.type == "cuda"),
    "output_nr": property(lambda self: 0),
    "names": property(lambda self: (None,) * self.ndim),
}  # fmt: skip


def _strides(self: Tensor) -> tuple[int, ...]:
    return tuple(s // self._array.itemsize for s in self._array.strides)


_attach()
