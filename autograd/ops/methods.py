"""Hangs the operations onto Tensor: methods, operators, in-place forms."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ...backends import dtypes
from .. import hooks, printing, record
from ..backward import tensor_backward
from ..batching.randomness import draw
from ..grad_mode import is_inference
from ..layouts import strided as strided_layout
from ..names import named, step
from ..node import shown
from ..promote import fitting
from ..rule import RULES, P
from ..tensor import Tensor
from ..views import overwrite, write
from . import (
    arith,
    bessel,
    calculus,
    compare,
    complex,
    copies,
    counts,
    create,
    draws,
    einsum,
    factories,
    histograms,
    index,
    interop,
    joins,
    layers,
    linalg,
    linear_algebra,
    memory,
    move,
    pinned,
    products,
    random,
    rearrange,
    reduce,
    rejections,
    scatter,
    shape,
    sorting,
    special,
    statistics,
    stft,
    strided,
    windows,
)
from .args import spelled
from .memory_order import CHANNELS_LAST, in_memory_order, is_in_order, row_by_row, strides_of
from .out import accepting_out, call_with_out
from .sources import source_of

__all__ = ["PUBLIC"]

# Primitives that are PyTorch operations as they stand, under their own names.
DIRECT = tuple(made.name for made in RULES.values() if made.public)
FAMILIES = (calculus, compare, counts, draws, einsum, memory, products, special, statistics, stft)

SYNONYMS = {
    "arctan2": "atan2", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "absolute": "abs", "negative": "neg", "multiply": "mul", "subtract": "sub", "divide": "div",
    "true_divide": "div", "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "not_equal": "ne",
    "clip": "clamp", "concat": "cat", "concatenate": "cat", "swapaxes": "transpose", "fix": "trunc", "ger": "outer",
}  # fmt: skip

# What a function of the package may be, but a method may not.
NOT_METHODS = frozenset({*create.__all__, *factories.__all__, *random.__all__, "cat", "stack", "getitem",
                         "setitem", "real", "imag",
                         *draws.__all__, *memory.__all__, *rejections.__all__, "chain_matmul", "einsum", "tensordot",
                         "vander",
                         "complex", "polar", "view_as_real", "view_as_complex", "bucketize", "searchsorted",
                         "unravel_index", "cdist", "constant_pad_nd", "cumulative_trapezoid", "empty_permuted",
                         "gradient", "histogramdd",
                         "isin", "trapezoid", "trapz", *linear_algebra.FUNCTIONS_ONLY, *windows.OLDER,
                         *joins.__all__, *copies.COPIES})  # fmt: skip


# Reductions that are not in `reduce`
REDUCTIONS = ("median", "nanmean", "nanmedian", "nanquantile", "nansum", "quantile", "std_mean", "var_mean")
_REDUCED = frozenset({*reduce.__all__, *REDUCTIONS})


def _axis(function: Callable[..., Any]) -> Callable[..., Any]:
    """Accept NumPy's ``axis`` and ``keepdims`` for ``dim`` and ``keepdim``, as PyTorch does, and ``out``."""
    typed = (
        "dtype" in function.__code__.co_varnames[: function.__code__.co_argcount + function.__code__.co_kwonlyargcount]
    )

    def wrapped(*args: Any, axis: Any = None, keepdims: bool | None = None, out: Any = None, **kwargs: Any) -> Any:
        if axis is not None:
            kwargs["dim"] = axis
        if keepdims is not None:
            kwargs["keepdim"] = keepdims
        if out is not None:
            return call_with_out(function.__name__, function, typed, out, args, kwargs)
        return function(*args, **kwargs)

    wrapped.__name__, wrapped.__doc__, wrapped.__wrapped__ = function.__name__, function.__doc__, function  # type: ignore[attr-defined]
    wrapped.__module__, wrapped.__qualname__ = function.__module__, function.__qualname__
    return wrapped


def _with_tensor(word: str, place: int, argument: str) -> Callable[..., str]:
    """The name of an operation that ends in 1 where one argument is a tensor, else in 0."""

    def name(*args: Any, **kwargs: Any) -> str:
        given = args[place] if len(args) > place else kwargs.get(argument)
        return f"{word}Backward{int(isinstance(given, Tensor))}"

    return name


def _order_name(word: str) -> Callable[..., str]:
    def name(input: Tensor, dim: Any = None, *args: Any, **kwargs: Any) -> str:
        return f"{word}Backward{int(dim is not None)}"

    return name


# Compositions that PyTorch records as one step, or whose last step it calls otherwise.
STEPS: dict[str, str | Callable[..., str]] = {
    "addcdiv": "Addcdiv", "addcmul": "Addcmul", "aminmax": "Aminmax", "angle": "Angle", "block_diag": "BlockDiag",
    "clamp_max": _with_tensor("ClampMax", 1, "max"), "clamp_min": _with_tensor("ClampMin", 1, "min"),
    "combinations": "Stack", "complex": "Complex", "cov": "Squeeze", "index_reduce": "IndexReduce",
    "index_fill": _with_tensor("IndexFill", 3, "value"), "index_select": "IndexSelect", "ldexp": "Mul",
    "lerp": _with_tensor("Lerp", 2, "weight"), "logcumsumexp": "Logcumsumexp",
    "masked_fill": _with_tensor("MaskedFill", 2, "value"), "masked_select": "MaskedSelect",
    "median": _order_name("Median"), "mode": "Mode", "nanmedian": _order_name("Nanmedian"),
    "nanquantile": "SqueezeBackward4", "narrow_copy": "NarrowCopy", "norm": "LinalgVectorNorm", "polar": "Polar",
    "quantile": "SqueezeBackward4", "rot90": "Rot90", "sgn": "Sgn", "std_mean": "StdMean",
    "unsafe_chunk": "UnsafeSplit", "unsafe_split": "UnsafeSplit", "var_mean": "VarMean", "vdot": "Vdot",
}  # fmt: skip


# Whose results lie row by row in memory, whatever the input's order; besides primitives, which `record` names
ROW_BY_ROW = ("index_add", "index_copy", "index_select", "masked_fill", "renorm", "scatter", "scatter_add")


def _settled(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return row_by_row(function(*args, **kwargs))

    return wrapped


def _collect() -> dict[str, Callable[..., Any]]:
    """Every public operation by name."""
    public: dict[str, Callable[..., Any]] = {name: getattr(P, name) for name in DIRECT}
    for module in (
        arith,
        complex,
        create,
        factories,
        index,
        joins,
        linalg,
        random,
        rearrange,
        reduce,
        scatter,
        shape,
        sorting,
        strided,
    ):
        for name in module.__all__:
            public[name] = getattr(module, name)
    for module in FAMILIES:
        public |= {
            name: getattr(module, name) for name in module.__all__ if callable(getattr(module, name)) and name.islower()
        }
    for name, word in STEPS.items():
        public[name] = step(word)(public[name])
    for name in ROW_BY_ROW:
        public[name] = _settled(public[name])
    for name in (*reduce.__all__, *REDUCTIONS):
        public[name] = _axis(public[name])
    public |= copies.COPIES | linear_algebra.TOP | linear_algebra.FUNCTIONS_ONLY | windows.OLDER
    public |= {"empty_permuted": histograms.empty_permuted, "histogramdd": histograms.histogramdd, "i0": bessel.i0}
    public |= {"clone": move.clone, "detach": move.detach}
    public |= {"binomial": rejections.binomial, "poisson": rejections.poisson}
    public |= {new: public[old] for new, old in SYNONYMS.items()}
    return public


# Other names of arguments: NumPy's, which PyTorch takes too, and those of PyTorch's older signatures
_AXIS = {"axis": "dim"}
SPELLINGS = {
    **dict.fromkeys(
        ("chunk", "cummax", "cummin", "cumprod", "diff", "gather", "index_select", "kthvalue", "logcumsumexp", "mode",
         "narrow", "repeat_interleave", "select", "unbind"),
        _AXIS,
    ),
    "split": {"tensor": "input", "split_size": "split_size_or_sections"},
    "swapaxes": {"axis0": "dim0", "axis1": "dim1"},
}  # fmt: skip
METHODS = _collect()
METHODS |= {name: spelled(**others)(METHODS[name]) for name, others in SPELLINGS.items()}
# Functions that take `out`, besides the element-wise primitives, the reductions and the factories
WITH_OUT = {
    *arith.__all__, *linalg.__all__, *products.__all__, *special.__all__, *statistics.__all__, *counts.__all__,
    *sorting.__all__, *linear_algebra.TOP, *linear_algebra.FUNCTIONS_ONLY, "cumulative_trapezoid", "diff", "i0", "isin",
    "cat", "column_stack", "concat", "concatenate", "dstack", "gather", "hstack", "index_select", "isneginf",
    "isposinf", "masked_select", "nonzero", "row_stack", "scatter", "scatter_add", "stack", "take", "take_along_dim",
    "tril", "triu", "vstack", "where",
}  # fmt: skip
PUBLIC = {
    name: accepting_out(name, made) if SYNONYMS.get(name, name) in WITH_OUT and name not in _REDUCED else made
    for name, made in METHODS.items()
}


def _in_place(name: str, function: Callable[..., Any]) -> Callable[..., Tensor]:
    def operation(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if not kwargs:
            return write(name, input, function, *args)
        count = len(args)
        return write(name, input, lambda x, *a: function(x, *a[:count], **dict(zip(kwargs, a[count:]))),
                     *args, *kwargs.values())  # fmt: skip

    def composed(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        # The steps in between may save what is about to be overwritten: give them a copy.
        kept = input.requires_grad
        return write(name, input, lambda x, *a: function(P.copy(x) if kept else x, *a, **kwargs), *args)

    operation = composed if SYNONYMS.get(name[:-1], name[:-1]) in COMPOSED else operation
    operation.__name__ = name
    operation.__doc__ = f"``{name[:-1]}`` in place."
    return operation


COMPOSED = ("conj_physical", "i0", *special.IN_PLACE, *products.IN_PLACE, *statistics.IN_PLACE)
IN_PLACE = (*DIRECT, *COMPOSED, "pow", "clamp", "clamp_min", "clamp_max", "addcmul", "addcdiv",
            "lerp", "masked_fill", "scatter", "scatter_add", "cumsum", "tril", "triu", "index_add",
            "index_copy", "index_fill", "index_put",
            "index_reduce", "masked_scatter", "put", "scatter_reduce")  # fmt: skip


def _attach() -> None:
    for name, function in METHODS.items():
        if name not in NOT_METHODS:
            setattr(Tensor, name, function)
    for name in IN_PLACE:
        setattr(Tensor, name + "_", _in_place(name + "_", METHODS[name]))
    for new, old in SYNONYMS.items():
        if old in IN_PLACE:
            setattr(Tensor, new + "_", _in_place(new + "_", METHODS[old]))
    for name in ("cpu", "cuda", "item", "numpy", "to", "tolist"):
        setattr(Tensor, name, getattr(move, name))
    for name, function in (
        _EXTRA
        | complex.PROPERTIES
        | interop.METHODS
        | draws.METHODS
        | memory.METHODS
        | strided.METHODS
        | layers.METHODS
    ).items():
        setattr(Tensor, name, function)


def _cast(dtype: dtypes.dtype) -> Callable[[Tensor], Tensor]:
    return lambda self: move.to(self, dtype=dtype)


def _zero_(input: Tensor) -> Tensor:
    """Set every element to 0."""
    return _filled(write("zero_", input, overwrite, 0), "ZeroBackward0")


def _fill_(self: Tensor, value: Any) -> Tensor:
    """Set every element to ``value``, a number or a tensor without dimensions.

    Raises:
        RuntimeError: a tensor with dimensions, or a number that the type cannot hold.
    """
    if not isinstance(value, Tensor):
        value = fitting("fill_", value, self.dtype)
    elif value.ndim:
        raise RuntimeError(f"fill_: value must be a number or have no dimensions, got shape {list(value.shape)}")
    return _filled(write("fill_", self, overwrite, value), f"FillBackward{3 if isinstance(value, Tensor) else 2}")


def _filled(target: Tensor, name: str) -> Tensor:
    return target if target._view is not None else named(target, name)


def _uniform_(self: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with uniform random numbers between ``a`` and ``b``."""
    draws, kind = source_of(self, generator).uniform, self._array.dtype
    make = in_memory_order(self, lambda s: draws(s, a, b, dtype=kind))
    made = draw("uniform_", self._array.shape, lambda s: create.finish(make(s), None, self.device, False))
    return write("uniform_", self, overwrite, made)


def _normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with normal random numbers."""
    draws, kind = source_of(self, generator).normal, self._array.dtype
    dense = self.is_contiguous()
    make = in_memory_order(self, lambda s: draws(s, mean, std, dtype=kind, contiguous=dense))
    made = draw("normal_", self._array.shape, lambda s: create.finish(make(s), None, self.device, False))
    return write("normal_", self, overwrite, made)


def _new(self: Tensor, *args: Any, device: Any = None) -> Tensor:
    """A tensor of this type and device from sizes or data, as PyTorch's constructors of old."""
    made: Tensor = record.GLOBALS["legacy"]("new", args, self.dtype, self._device if device is None else device)
    return made


def _is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements lie in memory side by side, row by row or in a memory format."""
    if memory_format is None or memory_format not in CHANNELS_LAST:
        contiguous: bool = self._array.flags.c_contiguous
        return contiguous
    order = CHANNELS_LAST[memory_format]
    return self._array.ndim == len(order) and is_in_order(self._array, order)


def _swapped(function: Callable[..., Any]) -> Callable[[Tensor, Any], Any]:
    return lambda self, other: function(other, self)


_EXTRA: dict[str, Any] = {
    "__add__": P.add, "__radd__": interop.or_not_implemented(_swapped(P.add)), "__sub__": P.sub,
    "__rsub__": arith.rsub, "__mul__": P.mul, "__rmul__": interop.or_not_implemented(_swapped(P.mul)),
    "__truediv__": P.div, "__rtruediv__": arith.rdiv,
    "__rdiv__": arith.rdiv,
    "__floordiv__": P.floor_divide, "__rfloordiv__": _swapped(P.floor_divide), "__mod__": P.remainder,
    "__rmod__": _swapped(P.remainder), "__pow__": arith.pow, "__rpow__": _swapped(arith.pow),
    "__matmul__": interop.or_not_implemented(linalg.matmul),
    "__rmatmul__": interop.or_not_implemented(_swapped(linalg.matmul)), "__neg__": P.neg, "__abs__": P.abs,
    "__rand__": _swapped(P.bitwise_and), "__ror__": _swapped(P.bitwise_or), "__rxor__": _swapped(P.bitwise_xor),
    "__lshift__": P.bitwise_left_shift, "__rshift__": P.bitwise_right_shift,
    "__rlshift__": _swapped(P.bitwise_left_shift), "__rrshift__": _swapped(P.bitwise_right_shift),
    "__and__": P.bitwise_and, "__or__": P.bitwise_or, "__xor__": P.bitwise_xor,
    "__getitem__": index.getitem, "__setitem__": index.setitem, "__repr__": printing.text,
    "__iadd__": lambda self, other: self.add_(other),
    "__ilshift__": lambda self, other: self.bitwise_left_shift_(other),
    "__irshift__": lambda self, other: self.bitwise_right_shift_(other),
    "__iand__": lambda self, other: self.bitwise_and_(other), "__ior__": lambda self, other: self.bitwise_or_(other),
    "__ixor__": lambda self, other: self.bitwise_xor_(other), "__imod__": lambda self, other: self.remainder_(other),
    "__ifloordiv__": lambda self, other: self.floor_divide_(other),
    "__isub__": lambda self, other: self.sub_(other), "__imul__": lambda self, other: self.mul_(other),
    "__itruediv__": lambda self, other: self.div_(other), "__ipow__": lambda self, other: self.pow_(other),
    "backward": tensor_backward, "retain_grad": hooks.retain_grad, "register_hook": hooks.register_hook,
    "register_post_accumulate_grad_hook": hooks.register_post_accumulate_grad_hook,
    "zero_": _zero_, "fill_": _fill_, "copy_": pinned.copy_, "uniform_": _uniform_, "normal_": _normal_,
    "type": move.type_,
    "float": _cast(dtypes.float32), "double": _cast(dtypes.float64), "half": _cast(dtypes.float16),
    "bfloat16": _cast(dtypes.bfloat16), "long": _cast(dtypes.int64), "int": _cast(dtypes.int32),
    "short": _cast(dtypes.int16), "byte": _cast(dtypes.uint8), "bool": _cast(dtypes.bool_),
    "type_as": lambda self, other: move.to(self, other.dtype),
    "size": lambda self, dim=None: self.shape if dim is None else self._array.shape[dim],
    "dim": lambda self: self._array.ndim, "numel": lambda self: int(self._array.size),
    "nelement": lambda self: int(self._array.size), "element_size": lambda self: self._array.itemsize,
    "stride": lambda self, dim=None: strides_of(self) if dim is None else strides_of(self)[dim],
    "is_contiguous": _is_contiguous,
    "is_floating_point": lambda self: self.dtype.is_floating_point, "is_complex": lambda self: self.dtype.is_complex,
    "data_ptr": lambda self: move.address(self._array),
    "view_as": lambda self, other: shape.view(self, *other._array.shape),
    "reshape_as": lambda self, other: shape.reshape(self, *other._array.shape),
    "expand_as": lambda self, other: shape.expand(self, *other._array.shape),
    "new_zeros": factories.new_zeros, "new_ones": factories.new_ones, "new_empty": factories.new_empty,
    "new_full": factories.new_full, "new_empty_strided": histograms.new_empty_strided,
    "new_tensor": factories.new_tensor, "new": _new,
    "is_nonzero": interop.METHODS["__bool__"], "is_signed": lambda self: self.dtype.is_signed,
    "ndimension": lambda self: self._array.ndim, "get_device": lambda self: self._device.index or (
        0 if self._device.type == "cuda" else -1),
    "is_inference": is_inference, "is_pinned": pinned.is_pinned,
    "pin_memory": pinned.pin_memory, "is_shared": lambda self: False,
    "share_memory_": lambda self: self, "is_same_size": lambda self, other: self.shape == other.shape,
    "is_set_to": lambda self, tensor: self._array is tensor._array or (
        self.data_ptr() == tensor.data_ptr() and strides_of(self) == strides_of(tensor) and self.shape == tensor.shape),
    "storage_offset": lambda self: move.storage_offset(self),
    "char": _cast(dtypes.int8), "cfloat": _cast(dtypes.complex64), "cdouble": _cast(dtypes.complex128),
    "itemsize": property(lambda self: self._array.itemsize), "nbytes": property(lambda self: self._array.nbytes),
    "layout": property(lambda self: strided_layout), "is_sparse": property(lambda self: False),
    "is_cpu": property(lambda self: self._device.type == "cpu"), "is_quantized": property(lambda self: False),
    "is_meta": property(lambda self: False), "is_mps": property(lambda self: False),
    "retains_grad": property(hooks.retains_grad),
    "T": property(lambda self: named(shape.permute(self, *reversed(range(self.ndim))), "PermuteBackward0")),
    "mT": property(shape.matrix_transpose),
    "is_cuda": property(lambda self: self._device.type == "cuda"),
    "output_nr": property(lambda self: 0 if self.grad_fn is None else shown(self._node)[1]),
    "names": property(lambda self: (None,) * self.ndim), "where": index.where_method,
}  # fmt: skip


_attach()
# In-place forms that are functions of the package too
PUBLIC |= {
    name + "_": getattr(Tensor, name + "_")
    for name in (
        *(n for n in DIRECT if len(RULES[n].inputs) == 1 and RULES[n].differentiable and n not in ("sign", "silu")),
        "addmv",
        "arccos",
        "arccosh",
        "arcsin",
        "arcsinh",
        "arctan",
        "arctanh",
        "clamp",
        "clamp_max",
        "clamp_min",
        "clip",
        "deg2rad",
        "exp2",
        "fill",
        "fix",
        "frac",
        "gcd",
        "i0",
        "index_put",
        "lcm",
        "ldexp",
        "logit",
        "nan_to_num",
        "negative",
        "rad2deg",
        "sinc",
        "xlogy",
        "zero",
    )
}
PUBLIC |= {"as_strided_": strided.as_strided_, "detach_": memory.detach_, "is_inference": is_inference,
           "resize_as_": strided.resize_as_}  # fmt: skip
PUBLIC |= layers.FUNCTIONS
