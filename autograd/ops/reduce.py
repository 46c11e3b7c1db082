"""Reductions, cumulative sums, sorting and the softmax family."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ...backends import dtypes
from ..names import named
from ..promote import get_default_dtype
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor, dim_of, dims_of
from .results import fields

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "argsort", "count_nonzero", "cumsum", "log_softmax",
    "logsumexp", "max", "mean", "min", "norm", "prod", "softmax", "sort", "std", "sum", "topk", "var",
]  # fmt: skip

builtin_sum = sum


class max_result(NamedTuple):  # noqa: N801 - named as PyTorch names its results
    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return fields(self)


class min_result(NamedTuple):  # noqa: N801
    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return fields(self)


class sort_result(NamedTuple):  # noqa: N801
    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return fields(self)


class topk_result(NamedTuple):  # noqa: N801
    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return fields(self)


def _to_float(name: str, x: Tensor, dtype: Any = None) -> Tensor:
    if dtype is not None:
        return x.to(dtype)
    if x._array.dtype.kind not in "fcV":
        raise RuntimeError(f"{name}: needs a floating or complex tensor, got {x.dtype}; convert it with .float()")
    return x


def sum(x: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over all elements, or along ``dim``.

    Args:
        x: any shape; integers and bools sum to int64.
        dim: a dimension or several; None for all.
        keepdim: keep the summed dimensions with size 1.
        dtype: convert to this type first.
    """
    check_tensor("sum", "input", x)
    if dtype is not None:
        x = x.to(dtype)
    elif x._array.dtype.kind in "biu":
        x = x.to(dtypes.int64)
    return P.sum(x, None if dim is None else dims_of("sum", dim, x.ndim), keepdim)


def mean(x: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over all elements, or along ``dim``; nan over no elements.

    Raises:
        RuntimeError: integer or bool input without ``dtype``.
    """
    check_tensor("mean", "input", x)
    return P.mean(_to_float("mean", x, dtype), None if dim is None else dims_of("mean", dim, x.ndim), keepdim)


def var(
    x: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None
) -> Tensor:
    """The variance; ``correction`` (1, or 0 where ``unbiased`` is False) is taken from the number of elements."""
    check_tensor("var", "input", x)
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    degrees = correction if correction is not None else int(unbiased)
    return P.var(_to_float("var", x), dims_of("var", dim, x.ndim), degrees, keepdim)


def std(
    x: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None
) -> Tensor:
    """The standard deviation: the square root of ``var``."""
    return named(_safe_root(var(x, dim, unbiased, keepdim, correction=correction)), "StdBackward0")


def prod(x: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product of all elements, or along ``dim``."""
    check_tensor("prod", "input", x)
    if dtype is not None:
        x = x.to(dtype)
    elif x._array.dtype.kind in "biu":
        x = x.to(dtypes.int64)
    if dim is None or not x.ndim:
        return P.prod(P.reshape(x, (-1,)), 0, False)
    return named(P.prod(x, dim_of("prod", dim, x.ndim), keepdim), "ProdBackward1")


def amax(x: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The largest element, over all or along ``dim``; ties share the gradient."""
    _refuse_complex("amax", x)
    return P.amax(x, dims_of("amax", dim, x.ndim) or tuple(range(x.ndim)), keepdim)


def amin(x: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The smallest element, over all or along ``dim``; ties share the gradient."""
    _refuse_complex("amin", x)
    return P.amin(x, dims_of("amin", dim, x.ndim) or tuple(range(x.ndim)), keepdim)


def _refuse_complex(name: str, x: Tensor) -> None:
    check_tensor(name, "input", x)
    if x._array.dtype.kind == "c":
        raise RuntimeError(f"{name}: complex numbers have no order, got {x.dtype.name}; take .abs() first")


def _pick(x: Tensor, index: Tensor, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """The elements of ``x`` at ``index`` along ``dim`` (one each); all their gradient goes there."""
    if x.ndim == 0:
        return P.reshape(x, ()), P.reshape(index, ())
    values = P.gather(x, index, dim)
    if keepdim:
        return values, index
    shape = (*x._array.shape[:dim], *x._array.shape[dim + 1 :])
    return P.reshape(values, shape), P.reshape(index, shape)


def max(x: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element; with ``dim`` the largest along it and its index; with a tensor the larger of each pair.

    Raises:
        RuntimeError, IndexError: no elements to choose from, at all or along ``dim``.
    """
    _refuse_complex("max", x)
    if isinstance(dim, Tensor):
        return P.maximum(x, dim)
    _refuse_empty("max", x, dim)
    if dim is None:
        return named(P.amax(x, None, False), "MaxBackward1")
    dim = dim_of("max", dim, x.ndim)
    values, index = _pick(x, P.argmax(x, dim if x.ndim else None, True), dim, keepdim)
    return max_result(named(values, "MaxBackward0"), index)


def min(x: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; with ``dim`` the smallest along it and its index; with a tensor the smaller of each pair.

    Raises:
        RuntimeError, IndexError: no elements to choose from, at all or along ``dim``.
    """
    _refuse_complex("min", x)
    if isinstance(dim, Tensor):
        return P.minimum(x, dim)
    _refuse_empty("min", x, dim)
    if dim is None:
        return named(P.amin(x, None, False), "MinBackward1")
    dim = dim_of("min", dim, x.ndim)
    values, index = _pick(x, P.argmin(x, dim if x.ndim else None, True), dim, keepdim)
    return min_result(named(values, "MinBackward0"), index)


def _refuse_empty(name: str, x: Tensor, dim: Any) -> None:
    shape = x._array.shape
    if 0 in shape and (dim is None or shape[dim_of(name, dim, len(shape))] == 0):
        kind = RuntimeError if dim is None and name in ("max", "min") else IndexError
        raise kind(f"{name}: no elements to choose from in shape {list(shape)}, dim={dim}")


def _refuse_kinds(name: str, x: Tensor, kinds: str) -> None:
    if x._array.dtype.kind in kinds:
        mend = "take .abs() first" if x._array.dtype.kind == "c" else "convert with .int()"
        raise RuntimeError(f"{name}: not defined for {x.dtype.name} tensors; {mend}")


def argmax(x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The index of the largest element, of the flattened tensor or along ``dim``; the first where several tie."""
    check_tensor("argmax", "input", x)
    _refuse_kinds("argmax", x, "bc")
    _refuse_empty("argmax", x, dim)
    return P.argmax(x, None if dim is None or not x.ndim else dim_of("argmax", dim, x.ndim), keepdim)


def argmin(x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The index of the smallest element, of the flattened tensor or along ``dim``; the first where several tie."""
    check_tensor("argmin", "input", x)
    _refuse_kinds("argmin", x, "bc")
    _refuse_empty("argmin", x, dim)
    return P.argmin(x, None if dim is None or not x.ndim else dim_of("argmin", dim, x.ndim), keepdim)


def any(x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether any element is not zero."""
    check_tensor("any", "input", x)
    return _truth(x, P.any(x, dims_of("any", dim, x.ndim), keepdim))


def all(x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are not zero."""
    check_tensor("all", "input", x)
    return _truth(x, P.all(x, dims_of("all", dim, x.ndim), keepdim))


def _truth(x: Tensor, out: Tensor) -> Tensor:
    """Of uint8, PyTorch's bools of old, the answer is uint8."""
    return P.cast(out, x._array.dtype) if x.dtype is dtypes.uint8 else out


def count_nonzero(x: Tensor, dim: Any = None) -> Tensor:
    """How many elements are not zero."""
    check_tensor("count_nonzero", "input", x)
    return P.count_nonzero(x, dims_of("count_nonzero", dim, x.ndim))


def cumsum(x: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running sums along ``dim``."""
    check_tensor("cumsum", "input", x)
    if dtype is not None:
        x = x.to(dtype)
    elif x._array.dtype.kind in "biu":
        x = x.to(dtypes.int64)
    return P.cumsum(x, dim_of("cumsum", dim, x.ndim)) if x.ndim else P.copy(x)


def argsort(x: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that sort ``x`` along ``dim``."""
    check_tensor("argsort", "input", x)
    _refuse_kinds("sort", x, "c")
    if not x.ndim:
        return P.cast(P.zeros_like(x), dtypes.int64.numpy)
    return P.argsort(x, dim_of("argsort", dim, x.ndim), bool(descending), bool(stable))


def sort(x: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> sort_result:
    """``x`` sorted along ``dim``, and the indices that sort it."""
    order = argsort(x, dim, descending, stable)
    values = P.gather(x, order, dim_of("sort", dim, x.ndim)) if x.ndim else P.copy(x)
    return sort_result(named(values, "SortBackward0"), order)


def topk(x: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> topk_result:
    """The ``k`` largest (or smallest) elements along ``dim``, in order, and their indices.

    Raises:
        RuntimeError: fewer than ``k`` elements.
    """
    check_tensor("topk", "input", x)
    _refuse_kinds("topk", x, "bc")
    at = dim_of("topk", dim, x.ndim)
    size = x._array.shape[at] if x.ndim else 1
    if not 0 <= k <= size:
        raise RuntimeError(f"topk: k={k} of {size} elements along dim {dim}")
    values, order = sort(x, dim, largest)
    cut = (slice(None),) * at + (slice(0, k),)
    if x.ndim:
        values, order = P.slice(values, cut), P.slice(order, cut)
    return topk_result(named(values, "TopkBackward0"), order)


def logsumexp(x: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """``log(sum(exp(x)))`` along ``dim``, without overflow."""
    check_tensor("logsumexp", "input", x)
    if x._array.dtype.kind in "biu":
        x = x.to(get_default_dtype())
    dims = dims_of("logsumexp", dim, x.ndim)
    return _complex_logsumexp(x, dims, keepdim) if x._array.dtype.kind == "c" else P.logsumexp(x, dims, keepdim)


def _complex_logsumexp(x: Tensor, dims: tuple[int, ...] | None, keepdim: bool) -> Tensor:
    largest = P.amax(x.detach().real, dims, True)
    largest = P.where(P.isfinite(largest), largest, 0.0)
    out = P.add(P.log(P.sum(P.exp(P.sub(x, largest)), dims, True)), largest)
    return out if keepdim else P.reshape(out, P.sum(x.detach(), dims, False)._array.shape)


def softmax(x: Tensor, dim: int | None = None, dtype: Any = None, _stacklevel: int = 3) -> Tensor:
    """``exp(x) / sum(exp(x))`` along ``dim``, without overflow."""
    x, at = _softmax_input("softmax", x, dim, dtype)
    return P.softmax(x, at) if x.ndim else P.exp(P.mul(x, 0))


def log_softmax(x: Tensor, dim: int | None = None, dtype: Any = None, _stacklevel: int = 3) -> Tensor:
    """The logarithm of ``softmax``, computed without taking the logarithm of a small number."""
    x, at = _softmax_input("log_softmax", x, dim, dtype)
    return P.log_softmax(x, at) if x.ndim else P.mul(x, 0)


def _softmax_input(name: str, x: Tensor, dim: int | None, dtype: Any) -> tuple[Tensor, int]:
    check_tensor(name, "input", x)
    if dtype is not None:
        x = x.to(dtype)
    elif x._array.dtype.kind in "biu":
        raise RuntimeError(f"{name}: needs a floating tensor, got {x.dtype}; convert it with .float() or pass dtype=")
    if dim is None:  # PyTorch's old default: the batch comes first, in all but 2-d and 4-d tensors
        dim = 0 if x.ndim in (0, 1, 3) else 1
    return x, dim_of(name, dim, x.ndim)


def norm(x: Tensor, p: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The vector norm of order ``p`` ("fro" is 2), over all elements or along ``dim``; its slope at 0 is 0."""
    check_tensor("norm", "input", x)
    x = _to_float("norm", x, dtype)
    dims = dims_of("norm", dim, x.ndim)
    if x._array.dtype.kind == "c" and p != "nuc":
        x = P.abs(x)
    if p in (None, "fro"):
        p = 2
    if p == "nuc":
        return _nuclear(x, dims, keepdim)
    if isinstance(p, str):
        raise RuntimeError(f"norm: p must be a number, 'fro' or 'nuc', got {p!r}")
    if p == math.inf:
        return P.amax(P.abs(x), dims, keepdim)
    if p == -math.inf:
        return P.amin(P.abs(x), dims, keepdim)
    if p == 0:
        return P.sum(P.overwrite(x, P.cast(P.ne(x, 0), x._array.dtype)), dims, keepdim)  # slope 0
    if p == 1:
        return P.sum(P.abs(x), dims, keepdim)
    if p == 2:
        return _safe_root(P.sum(P.square(x), dims, keepdim))
    size = P.abs(x)
    none = P.eq(size, 0) if p < 1 else None  # there the power or its slope is infinite; the slope counts as 0
    power = P.pow(size if none is None else P.where(none, 1.0, size), float(p))
    power = power if none is None else P.where(none, math.inf if p < 0 else P.zeros_like(power), power)
    return _safe_root(P.sum(power, dims, keepdim), float(p))


def _nuclear(x: Tensor, dims: tuple[int, ...] | None, keepdim: bool) -> Tensor:
    from .linear_algebra.norms import nuclear  # which computes with the reductions

    dims = tuple(range(x.ndim)) if dims is None else dims
    if len(dims) != 2:
        raise RuntimeError(f"norm: p='nuc' is a norm of matrices, over 2 dimensions, not {len(dims)}")
    return nuclear(x, (dims[0], dims[1]), keepdim)


def _safe_root(total: Tensor, order: float = 2) -> Tensor:
    """The square root, or another, whose slope at 0 is 0 rather than infinite."""
    zero = P.eq(total, 0)
    kept = P.where(zero, 1.0, total)
    return P.where(zero, P.zeros_like(total), P.sqrt(kept) if order == 2 else P.pow(kept, 1 / order))
