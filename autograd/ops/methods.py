"""Hangs the operations onto Tensor: methods, operators, in-place forms."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import wraps
from typing import Any

from ...backends import dtypes
from ...backends.random import default_generator
from .. import printing, record
from ..backward import tensor_backward
from ..layouts import strided
from ..names import named
from ..rule import RULES, P
from ..tensor import Tensor
from ..views import overwrite, write
from . import arith, create, factories, index, interop, linalg, move, random, reduce, shape

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
NOT_METHODS = frozenset({*create.__all__, *factories.__all__, *random.__all__, "cat", "stack", "getitem", "setitem"})


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


# Compositions that PyTorch records as one step.
STEPS = {
    "addcdiv": "AddcdivBackward0", "addcmul": "AddcmulBackward0", "clamp_max": "ClampMaxBackward0",
    "clamp_min": "ClampMinBackward0", "index_select": "IndexSelectBackward0", "lerp": "LerpBackward0",
    "masked_fill": "MaskedFillBackward0", "masked_select": "MaskedSelectBackward0",
    "norm": "LinalgVectorNormBackward0",
}  # fmt: skip


def _step(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return named(function(*args, **kwargs), name)

    return wrapped


def _collect() -> dict[str, Callable[..., Any]]:
    """Every public operation by name."""
    public: dict[str, Callable[..., Any]] = {name: getattr(P, name) for name in DIRECT}
    for module in (arith, create, factories, index, linalg, random, reduce, shape):
        for name in module.__all__:
            public[name] = getattr(module, name)
    for name, step in STEPS.items():
        public[name] = _step(public[name], step)
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
    for name, function in (_EXTRA | interop.METHODS).items():
        setattr(Tensor, name, function)


def _cast(dtype: dtypes.dtype) -> Callable[[Tensor], Tensor]:
    return lambda self: move.to(self, dtype=dtype)


def _zero_(self: Tensor) -> Tensor:
    """Set every element to 0."""
    return _filled(write("zero_", self, overwrite, 0), "ZeroBackward0")


def _fill_(self: Tensor, value: Any) -> Tensor:
    """Set every element to ``value``."""
    return _filled(write("fill_", self, overwrite, value), f"FillBackward{3 if isinstance(value, Tensor) else 2}")


def _filled(target: Tensor, name: str) -> Tensor:
    return target if target._view is not None else named(target, name)


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


def _new(self: Tensor, *args: Any, device: Any = None) -> Tensor:
    """A tensor of this type and device from sizes or data, as PyTorch's constructors of old."""
    made: Tensor = record.GLOBALS["legacy"]("new", args, self.dtype, self._device if device is None else device)
    return made


def _swapped(function: Callable[..., Any]) -> Callable[[Tensor, Any], Any]:
    return lambda self, other: function(other, self)


_EXTRA: dict[str, Any] = {
    "__add__": P.add, "__radd__": _swapped(P.add), "__sub__": P.sub, "__rsub__": arith.rsub,
    "__mul__": P.mul, "__rmul__": _swapped(P.mul), "__truediv__": P.div, "__rtruediv__": arith.rdiv,
    "__floordiv__": P.floor_divide, "__rfloordiv__": _swapped(P.floor_divide), "__mod__": P.remainder,
    "__rmod__": _swapped(P.remainder), "__pow__": arith.pow, "__rpow__": _swapped(arith.pow),
    "__matmul__": interop.or_not_implemented(linalg.matmul),
    "__rmatmul__": interop.or_not_implemented(_swapped(linalg.matmul)), "__neg__": P.neg, "__abs__": P.abs,
    "__rand__": _swapped(P.bitwise_and), "__ror__": _swapped(P.bitwise_or), "__rxor__": _swapped(P.bitwise_xor),
    "__and__": P.bitwise_and, "__or__": P.bitwise_or, "__xor__": P.bitwise_xor,
    "__getitem__": index.getitem, "__setitem__": index.setitem, "__repr__": printing.text,
    "__iadd__": lambda self, other: self.add_(other),
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
    "new_zeros": factories.new_zeros, "new_ones": factories.new_ones, "new_empty": factories.new_empty,
    "new_full": factories.new_full, "new_tensor": factories.new_tensor, "new": _new,
    "is_nonzero": interop.METHODS["__bool__"], "is_signed": lambda self: self.dtype.is_signed,
    "ndimension": lambda self: self._array.ndim, "get_device": lambda self: self._device.index or (
        0 if self._device.type == "cuda" else -1),
    "is_inference": lambda self: False, "is_pinned": lambda self, device=None: False,
    "pin_memory": lambda self, device=None: self, "is_shared": lambda self: False,
    "share_memory_": lambda self: self, "is_same_size": lambda self, other: self.shape == other.shape,
    "is_set_to": lambda self, tensor: self._array is tensor._array or (
        self.data_ptr() == tensor.data_ptr() and _strides(self) == _strides(tensor) and self.shape == tensor.shape),
    "storage_offset": lambda self: move.storage_offset(self),
    "char": _cast(dtypes.int8), "cfloat": _cast(dtypes.complex64), "cdouble": _cast(dtypes.complex128),
    "itemsize": property(lambda self: self._array.itemsize), "nbytes": property(lambda self: self._array.nbytes),
    "layout": property(lambda self: strided), "is_sparse": property(lambda self: False),
    "is_cpu": property(lambda self: self._device.type == "cpu"), "is_quantized": property(lambda self: False),
    "is_meta": property(lambda self: False), "is_mps": property(lambda self: False),
    "retains_grad": property(lambda self: any(map(_keeps, getattr(self._current(), "hooks", None) or ()))),
    "T": property(lambda self: named(shape.permute(self, *reversed(range(self.ndim))), "PermuteBackward0")),
    "mT": property(lambda self: shape.transpose(self, -1, -2)),
    "is_cuda": property(lambda self: self._device.type == "cuda"),
    "output_nr": property(lambda self: 0),
    "names": property(lambda self: (None,) * self.ndim),
}  # fmt: skip


def _strides(self: Tensor) -> tuple[int, ...]:
    return tuple(s // self._array.itemsize for s in self._array.strides)


_attach()
