"""Hangs the operations onto Tensor: methods, operators, in-place forms."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ..grad_mode import is_inference
from ..names import step
from ..rule import RULES, P
from ..tensor import Tensor
from ..writes import write
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
    order_statistics,
    pieces,
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
    tensor_methods,
    windows,
)
from .args import spelled
from .memory_order import row_by_row
from .out import accepting_out, call_with_out

__all__ = ["PUBLIC"]

# Primitives that are PyTorch operations as they stand, under their own names.
DIRECT = tuple(made.name for made in RULES.values() if made.public)
FAMILIES = (calculus, compare, counts, draws, einsum, memory, order_statistics, products, special, statistics, stft)

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
        pieces,
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
    *arith.__all__, *linalg.__all__, *products.__all__, *special.__all__, *statistics.__all__,
    *order_statistics.__all__, *counts.__all__,
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
        if "alpha" in kwargs and len(args) == len(kwargs) == 1:
            return write(name, input, scaled, args[0], kwargs["alpha"])
        count = len(args)
        return write(name, input, lambda x, *a: function(x, *a[:count], **dict(zip(kwargs, a[count:]))),
                     *args, *kwargs.values())  # fmt: skip

    def scaled(input: Tensor, other: Any, alpha: Any) -> Any:
        return function(input, other, alpha=alpha)

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
        tensor_methods.METHODS
        | complex.PROPERTIES
        | interop.METHODS
        | draws.METHODS
        | memory.METHODS
        | strided.METHODS
        | layers.METHODS
    ).items():
        setattr(Tensor, name, function)


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
