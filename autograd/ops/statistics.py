"""Statistics: running extremes and products, covariance, and reductions that leave NaN aside."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

from ...backends import dtypes
from ..names import named
from ..promote import get_default_dtype
from ..rule import P
from ..tensor import Tensor
from . import reduce
from .args import check_tensor, dim_of, dims_of, not_for, refuse_kinds
from .results import fields
from .special import logaddexp

__all__ = [
    "aminmax", "corrcoef", "cov", "cummax", "cummin", "cumprod", "dist", "logcumsumexp", "nanmean", "nansum", "renorm",
    "std_mean", "var_mean",
]  # fmt: skip

IN_PLACE = ("cumprod", "renorm")


class cummax_result(NamedTuple):  # noqa: N801 - named as PyTorch names its results
    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return fields(self)


class cummin_result(NamedTuple):  # noqa: N801
    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return fields(self)


class aminmax_result(NamedTuple):  # noqa: N801
    min: Tensor
    max: Tensor

    def __repr__(self) -> str:
        return fields(self)


# Without NaN


def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """``sum`` with NaN counted as 0."""
    check_tensor("nansum", "input", input)
    refuse_kinds("nansum", input, "c")
    if input._array.dtype.kind not in "fcV":
        return reduce.sum(input, dim, keepdim, dtype=dtype)
    kept = P.where(P.isnan(input), P.zeros_like(input), input)
    return named(reduce.sum(kept, dim, keepdim, dtype=dtype), "NansumBackward0")


def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of what is not NaN.

    Raises:
        RuntimeError: integers or bools.
    """
    check_tensor("nanmean", "input", input)
    if input._array.dtype.kind not in "fcV":
        raise RuntimeError(f"nanmean: needs a floating tensor, got {input.dtype}; convert it with .float()")
    count = reduce.sum(P.logical_not(P.isnan(input)), dim, keepdim)
    return P.div(nansum(input, dim, keepdim, dtype=dtype), count)


# Running


def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running products along ``dim``."""
    check_tensor("cumprod", "input", input)
    x = input.to(dtype) if dtype is not None else input.to(dtypes.int64) if input._array.dtype.kind in "biu" else input
    return P.cumprod(x, dim_of("cumprod", dim, x.ndim)) if x.ndim else P.copy(x)


def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """``log(cumsum(exp(x)))`` along ``dim``, without overflow."""
    check_tensor("logcumsumexp", "input", input)
    if input._array.dtype.kind not in "fcV":
        raise RuntimeError(f"logcumsumexp: needs a floating tensor, got {input.dtype.name}; convert with .float()")
    at = dim_of("logcumsumexp", dim, input.ndim)
    if input._array.dtype.kind == "c" and input._array.size:
        return named(_complex_logcumsumexp(input, at), "LogcumsumexpBackward0")
    return P.logcumsumexp(input, at) if input.ndim and input._array.size else P.copy(input)


def _complex_logcumsumexp(x: Tensor, dim: int) -> Tensor:
    """One after the other: of the logarithms of a complex number the order of the sums chooses one."""
    if not x.ndim:
        return P.copy(x)
    before = (slice(None),) * dim
    lines = [P.slice(x, (*before, slice(k, k + 1))) for k in range(x._array.shape[dim])]
    return P.cat(list(itertools.accumulate(lines, logaddexp)), dim)


def cummax(input: Tensor, dim: int) -> cummax_result:
    """The largest element so far along ``dim``, and its index (of several the last); NaN stays."""
    return cummax_result(*_running("cummax", input, dim, P.cummax))


def cummin(input: Tensor, dim: int) -> cummin_result:
    """The smallest element so far along ``dim``, and its index (of several the last); NaN stays."""
    return cummin_result(*_running("cummin", input, dim, P.cummin))


def _running(name: str, x: Tensor, dim: int, choose: Any) -> tuple[Tensor, Tensor]:
    check_tensor(name, "input", x)
    reduce._refuse_kinds(name, x, "c")
    at = dim_of(name, dim, x.ndim)
    if not x.ndim:
        return P.copy(x), P.cast(P.zeros_like(x), dtypes.int64.numpy)
    index = choose(x.detach(), at)
    return named(P.gather(x, index, at), f"{name.capitalize()}Backward0"), index


# Moments


def std_mean(
    input: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean."""
    dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
    return reduce.std(input, dim, unbiased, keepdim, correction=correction), _mean(input, dim, keepdim)


def var_mean(
    input: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None
) -> tuple[Tensor, Tensor]:
    """The variance and the mean."""
    dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
    return reduce.var(input, dim, unbiased, keepdim, correction=correction), _mean(input, dim, keepdim)


def _mean(x: Tensor, dim: Any, keepdim: bool) -> Tensor:
    return P.mean(x, dims_of("mean", dim, x.ndim), keepdim)


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> aminmax_result:
    """The smallest and the largest element, of all or along ``dim``; ties share the gradient."""
    dims = () if dim is None else dim
    return aminmax_result(reduce.amin(input, dims, keepdim), reduce.amax(input, dims, keepdim))


@not_for("b")
def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariances of variables (rows) over observations (columns).

    Args:
        input: (variables, observations), or (observations,).
        correction: taken from the number of observations.
        fweights: how often each observation was made. aweights: how much each counts.
    """
    check_tensor("cov", "input", input)
    if input.ndim > 2:
        raise RuntimeError(f"cov: needs at most 2 dimensions, got shape {list(input.shape)}")
    x = P.reshape(input, (1, -1)) if input.ndim < 2 else input
    x = x if x._array.dtype.kind in "fcV" else x.to(get_default_dtype())
    count: Any = x._array.shape[1]
    for name, given, kinds in (("fweights", fweights, "iu"), ("aweights", aweights, "fV")):
        _check_weights(name, given, kinds, count)
    weights = fweights if aweights is None else aweights if fweights is None else P.mul(fweights, aweights)
    if weights is None:
        rest = P.sub(x, _mean(x, 1, True))
        scaled, norm = rest, max(count - correction, 0)
    else:  # the steps in PyTorch's order: where gradients cancel, what is left is the same
        total = reduce.sum(weights)
        rest = P.sub(x, P.div(reduce.sum(P.mul(x, weights), 1, True), total))
        scaled = P.mul(rest, weights)
        lost: Any = correction
        if aweights is not None and correction:
            lost = P.div(P.mul(reduce.sum(P.mul(weights, aweights)), correction), total)
        norm = P.clamp(P.sub(total, lost), 0, None)
    other = P.permute(scaled, (1, 0))
    out = P.div(P.matmul(rest, P.conj(other) if other._array.dtype.kind == "c" else other), norm)
    return P.reshape(out, ()) if out._array.size == 1 else out


def _check_weights(name: str, given: Any, kinds: str, count: int) -> None:
    """Refuse weights of observations that are of another kind or number, or negative."""
    if given is None:
        return
    check_tensor("cov", name, given)
    if given._array.dtype.kind not in kinds:
        wanted = "integers" if kinds == "iu" else "floating"
        raise RuntimeError(f"cov: {name} must be {wanted}, got {given.dtype.name}")
    if given.ndim > 1 or given._array.size != count:
        raise RuntimeError(f"cov: {name} must be {count} numbers, one per observation, got {list(given.shape)}")
    if count and bool(P.any(P.lt(given.detach(), 0), None, False)):
        raise RuntimeError(f"cov: {name} may not be negative")


@not_for("b")
def corrcoef(input: Tensor) -> Tensor:
    """Pearson's correlation coefficients of variables (rows) over observations (columns)."""
    c = cov(input)
    if not c.ndim:
        return P.div(c, c)
    deviation = P.sqrt(P.diagonal(c, 0, 0, 1))
    if deviation._array.dtype.kind == "c":
        return P.div(P.div(c, P.slice(deviation, (slice(None), None))), deviation)
    return P.clamp(P.div(P.div(c, P.slice(deviation, (slice(None), None))), deviation), -1.0, 1.0)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The norm of order ``p`` of the difference."""
    return named(reduce.norm(P.sub(input, other), p), "DistBackward0")


def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """``input`` with each slice along ``dim`` whose norm of order ``p`` exceeds ``maxnorm`` scaled down to it."""
    check_tensor("renorm", "input", input)
    if input.ndim < 2:
        raise RuntimeError(f"renorm: needs at least 2 dimensions, got shape {list(input.shape)}")
    at = dim_of("renorm", dim, input.ndim)
    norms = reduce.norm(input, p, [i for i in range(input.ndim) if i != at], True)
    factor = P.where(P.gt(norms, maxnorm), P.div(float(maxnorm), P.add(norms, 1e-7)), 1.0)
    return named(P.mul(input, factor), "RenormBackward0")
