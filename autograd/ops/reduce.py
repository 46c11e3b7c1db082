"""Reductions, cumulative sums, sorting and the softmax family."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ...backends import dtypes
from ..names import named
from ..promote import get_default_dtype
from ..rule import P
from ..tensor import Tensor
from ..views import own
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


def sum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over all elements, or along ``dim``.

    Args:
        input: any shape; integers and bools sum to int64.
        dim: a dimension or several; None for all.
        keepdim: keep the summed dimensions with size 1.
        dtype: convert to this type first.
    """
    check_tensor("sum", "input", input)
    if dtype is not None:
        input = input.to(dtype)
    elif input._array.dtype.kind in "biu":
        input = input.to(dtypes.int64)
    return P.sum(input, None if dim is None else dims_of("sum", dim, input._array.ndim), keepdim)


def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over all elements, or along ``dim``; nan over no elements.

    Raises:
        RuntimeError: integer or bool input without ``dtype``.
    """
    check_tensor("mean", "input", input)
    if dtype is not None and dtypes.to_numpy(dtype).kind in "biu":
        raise RuntimeError(f"mean: dtype must be floating or complex, got {dtypes.of(dtype).name}")
    return P.mean(
        _to_float("mean", input, dtype), None if dim is None else dims_of("mean", dim, input._array.ndim), keepdim
    )


def var(
    input: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None
) -> Tensor:
    """The variance; ``correction`` (1, or 0 where ``unbiased`` is False) is taken from the number of elements."""
    check_tensor("var", "input", input)
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    degrees = correction if correction is not None else int(unbiased)
    return P.var(_to_float("var", input), dims_of("var", dim, input._array.ndim), degrees, keepdim)


def std(
    input: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None
) -> Tensor:
    """The standard deviation: the square root of ``var``."""
    return named(_safe_root(var(input, dim, unbiased, keepdim, correction=correction)), "StdBackward0")


def prod(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product of all elements, or along ``dim``."""
    check_tensor("prod", "input", input)
    if dtype is not None:
        input = input.to(dtype)
    elif input._array.dtype.kind in "biu":
        input = input.to(dtypes.int64)
    if input._array.dtype.kind == "b":
        return all(input, dim, keepdim)
    if dim is None or not input._array.ndim:
        return P.prod(P.reshape(input, (-1,)), 0, False)
    return named(P.prod(input, dim_of("prod", dim, input._array.ndim), keepdim), "ProdBackward1")


def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The largest element, over all or along ``dim``; ties share the gradient."""
    _refuse_complex("amax", input)
    return P.amax(input, _all_or("amax", input, dim), keepdim)


def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The smallest element, over all or along ``dim``; ties share the gradient."""
    _refuse_complex("amin", input)
    return P.amin(input, _all_or("amin", input, dim), keepdim)


def _all_or(name: str, x: Tensor, dim: Any) -> tuple[int, ...]:
    """The dimensions to choose along, all where none is named; refused where there is nothing to choose from."""
    shape = x._array.shape
    dims = dims_of(name, dim, len(shape))
    if 0 in shape:
        if dims is None:
            raise RuntimeError(f"{name}: no elements to choose from in shape {list(shape)}; name a dim that has some")
        if 0 in [shape[d] for d in dims]:
            raise IndexError(f"{name}: no elements to choose from in shape {list(shape)}, dim={dim}")
    return tuple(range(len(shape))) if dims is None else dims


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
    return own(P.reshape(values, shape)), own(P.reshape(index, shape))


def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """The largest element; with ``dim`` the largest along it and its index; with a tensor the larger of each pair.

    Raises:
        RuntimeError, IndexError: no elements to choose from, at all or along ``dim``.
    """
    _refuse_complex("max", input)
    dim = dim if other is None else other
    if isinstance(dim, Tensor):
        return P.maximum(input, dim)
    _refuse_empty("max", input, dim)
    if dim is None:
        return named(P.amax(input, None, False), "MaxBackward1")
    dim = dim_of("max", dim, input._array.ndim)
    values, index = _pick(input, P.argmax(input, dim if input._array.ndim else None, True), dim, keepdim)
    return max_result(named(values, "MaxBackward0"), index)


def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """The smallest element; with ``dim`` the smallest along it and its index; with a tensor the smaller of each pair.

    Raises:
        RuntimeError, IndexError: no elements to choose from, at all or along ``dim``.
    """
    _refuse_complex("min", input)
    dim = dim if other is None else other
    if isinstance(dim, Tensor):
        return P.minimum(input, dim)
    _refuse_empty("min", input, dim)
    if dim is None:
        return named(P.amin(input, None, False), "MinBackward1")
    dim = dim_of("min", dim, input._array.ndim)
    values, index = _pick(input, P.argmin(input, dim if input._array.ndim else None, True), dim, keepdim)
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


def argmax(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The index of the largest element, of the flattened tensor or along ``dim``; the first where several tie."""
    check_tensor("argmax", "input", input)
    _refuse_kinds("argmax", input, "bc")
    _refuse_empty("argmax", input, dim)
    return P.argmax(
        input, None if dim is None or not input._array.ndim else dim_of("argmax", dim, input._array.ndim), keepdim
    )


def argmin(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The index of the smallest element, of the flattened tensor or along ``dim``; the first where several tie."""
    check_tensor("argmin", "input", input)
    _refuse_kinds("argmin", input, "bc")
    _refuse_empty("argmin", input, dim)
    return P.argmin(
        input, None if dim is None or not input._array.ndim else dim_of("argmin", dim, input._array.ndim), keepdim
    )


def any(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether any element is not zero."""
    check_tensor("any", "input", input)
    return _truth(input, P.any(input, dims_of("any", dim, input._array.ndim), keepdim))


def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are not zero."""
    check_tensor("all", "input", input)
    return _truth(input, P.all(input, dims_of("all", dim, input._array.ndim), keepdim))


def _truth(x: Tensor, out: Tensor) -> Tensor:
    """Of uint8, PyTorch's bools of old, the answer is uint8."""
    return P.cast(out, x._array.dtype) if x._array.dtype.char == "B" else out


def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """How many elements are not zero."""
    check_tensor("count_nonzero", "input", input)
    return P.count_nonzero(input, dims_of("count_nonzero", dim, input._array.ndim))


def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running sums along ``dim``."""
    check_tensor("cumsum", "input", input)
    if dtype is not None:
        input = input.to(dtype)
    elif input._array.dtype.kind in "biu":
        input = input.to(dtypes.int64)
    return (
        P.cumsum(input, dim_of("cumsum", dim, input._array.ndim))
        if input._array.ndim
        else named(P.copy(input), "CumsumBackward0")
    )


def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that sort ``input`` along ``dim``."""
    check_tensor("argsort", "input", input)
    _refuse_kinds("sort", input, "c")
    if not input._array.ndim:
        return P.cast(P.zeros_like(input), dtypes.int64.numpy)
    return P.argsort(input, dim_of("argsort", dim, input._array.ndim), bool(descending), bool(stable))


def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> sort_result:
    """``input`` sorted along ``dim``, and the indices that sort it."""
    order = argsort(input, dim, descending, stable)
    values = P.gather(input, order, dim_of("sort", dim, input._array.ndim)) if input._array.ndim else P.copy(input)
    return sort_result(named(values, "SortBackward0"), order)


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> topk_result:
    """The ``k`` largest (or smallest) elements along ``dim``, in order, and their indices.

    Raises:
        RuntimeError: fewer than ``k`` elements.
    """
    check_tensor("topk", "input", input)
    _refuse_kinds("topk", input, "bc")
    at = dim_of("topk", dim, input._array.ndim)
    size = input._array.shape[at] if input._array.ndim else 1
    if not 0 <= k <= size:
        raise RuntimeError(f"topk: k={k} of {size} elements along dim {dim}")
    if not input._array.ndim:
        values, order = sort(input, dim, largest)
        return topk_result(named(values, "TopkBackward0"), order)
    order = P.topk_order(input, at, int(k), bool(largest))
    values = P.gather(input, order, at)
    return topk_result(named(values, "TopkBackward0"), order)


def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """``log(sum(exp(input)))`` along ``dim``, without overflow."""
    check_tensor("logsumexp", "input", input)
    if input._array.dtype.kind in "biu":
        input = input.to(get_default_dtype())
    dims = dims_of("logsumexp", dim, input._array.ndim)
    return (
        _complex_logsumexp(input, dims, keepdim)
        if input._array.dtype.kind == "c"
        else P.logsumexp(input, dims, keepdim)
    )


def _complex_logsumexp(x: Tensor, dims: tuple[int, ...] | None, keepdim: bool) -> Tensor:
    largest = P.amax(x.detach().real, dims, True)
    largest = P.where(P.isfinite(largest), largest, 0.0)
    out = P.add(P.log(P.sum(P.exp(P.sub(x, largest)), dims, True)), largest)
    return out if keepdim else P.reshape(out, P.sum(x.detach(), dims, False)._array.shape)


def softmax(input: Tensor, dim: int | None = None, dtype: Any = None, _stacklevel: int = 3) -> Tensor:
    """``exp(input) / sum(exp(input))`` along ``dim``, without overflow."""
    input, at = _softmax_input("softmax", input, dim, dtype)
    return P.softmax(input, at) if input._array.ndim else named(P.exp(P.mul(input, 0)), "SoftmaxBackward0")


def log_softmax(input: Tensor, dim: int | None = None, dtype: Any = None, _stacklevel: int = 3) -> Tensor:
    """The logarithm of ``softmax``, computed without taking the logarithm of a small number."""
    input, at = _softmax_input("log_softmax", input, dim, dtype)
    return P.log_softmax(input, at) if input._array.ndim else named(P.mul(input, 0), "LogSoftmaxBackward0")


def _softmax_input(name: str, x: Tensor, dim: int | None, dtype: Any) -> tuple[Tensor, int]:
    check_tensor(name, "input", x)
    if dtype is not None:
        x = x.to(dtype)
    kind = x._array.dtype.kind
    if kind in "biuc":
        mend = "take .abs() first" if kind == "c" else "convert it with .float() or pass dtype="
        raise RuntimeError(f"{name}: needs a floating tensor, got {x.dtype}; {mend}")
    ndim = x._array.ndim
    if dim is None:  # PyTorch's old default: the batch comes first, in all but 2-d and 4-d tensors
        dim = 0 if ndim in (0, 1, 3) else 1
    return x, dim_of(name, dim, ndim)


def norm(input: Tensor, p: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The vector norm of order ``p`` ("fro" is 2), over all elements or along ``dim``; its slope at 0 is 0."""
    check_tensor("norm", "input", input)
    input = _to_float("norm", input, dtype)
    dims = dims_of("norm", dim, input._array.ndim)
    if input._array.dtype.kind == "c" and p != "nuc":
        input = P.abs(input)
    if p in (None, "fro"):
        p = 2
    if p == "nuc":
        return _nuclear(input, dims, keepdim)
    if isinstance(p, str):
        raise RuntimeError(f"norm: p must be a number, 'fro' or 'nuc', got {p!r}")
    if p == math.inf:
        return P.amax(P.abs(input), dims, keepdim)
    if p == -math.inf:
        return P.amin(P.abs(input), dims, keepdim)
    if p == 0:
        return P.sum(P.overwrite(input, P.cast(P.ne(input, 0), input._array.dtype)), dims, keepdim)  # slope 0
    if p == 1:
        return P.sum(P.abs(input), dims, keepdim)
    if p == 2:
        return _safe_root(P.sum(P.square(input), dims, keepdim))
    size = P.abs(input)
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
    none = P.eq(total, 0)
    zero = P.cast(none, total._array.dtype)
    kept = P.add(total, zero)
    if order == 2:  # the quick way; like PyTorch's, nan for an infinite cotangent
        return P.mul(P.sqrt(kept), P.sub(1, zero))
    return P.where(none, P.zeros_like(total), P.pow(kept, 1 / order))
