"""Reductions and normalisations of what a mask lets through: what ``tapegrad.masked`` offers.

What the mask leaves out counts as the number that changes nothing: 0 in a sum, 1 in a product, -inf in a maximum.
"""

from __future__ import annotations

import builtins
import math
from typing import Any

from ...backends import dtypes
from ..rule import P
from ..tensor import Tensor
from ..types import iinfo
from . import order_statistics, reduce, statistics
from .args import check_tensor, dim_of, dims_of
from .linear_algebra import vector_norm

__all__ = [
    "amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp", "logsumexp", "mean", "median",
    "norm", "normalize", "prod", "softmax", "softmin", "std", "sum", "var",
]  # fmt: skip


def _mask(name: str, x: Tensor, mask: Tensor) -> Tensor:
    """The mask in the shape of ``x``.

    Raises:
        RuntimeError: it has more dimensions, or does not broadcast.
    """
    check_tensor(name, "mask", mask)
    if mask._array.shape == x._array.shape:
        return mask if mask._array.dtype.kind == "b" else P.ne(mask, 0)
    if mask.ndim > x.ndim:
        raise IndexError(f"{name}: the mask {list(mask.shape)} has more dimensions than the input {list(x.shape)}")
    wide = P.expand(mask, x._array.shape)
    return wide if mask._array.dtype.kind == "b" else P.ne(wide, 0)


def _filled(name: str, x: Any, mask: Tensor | None, neutral: float) -> Tensor:
    check_tensor(name, "input", x)
    if mask is None:
        return x
    if neutral in (math.inf, -math.inf) and x._array.dtype.kind in "iu":
        limits = iinfo(x.dtype)
        neutral = limits.max if neutral > 0 else limits.min
    if x._array.dtype.kind == "b":
        neutral = builtins.bool(neutral)
    return P.where(_mask(name, x, mask), x, neutral if x._array.dtype.kind != "c" else complex(neutral))


def _whole(x: Tensor, dtype: Any) -> Any:
    """The type of a sum or product: 64 bits for integers, unless said."""
    return dtype if dtype is not None else dtypes.int64 if x._array.dtype.kind in "biu" else x.dtype


def _all(name: str, dim: Any, x: Tensor) -> tuple[int, ...]:
    return tuple(sorted(dims_of(name, dim, x.ndim) or range(x.ndim)))


def sum(
    input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The sum of what the mask lets through, over all elements or along ``dim``; 0 of nothing.

    Args:
        mask: bools that broadcast to the input; None lets everything through. dtype: convert to this type first.
    """
    x = _filled("masked.sum", input, mask, 0)
    return reduce.sum(x, _all("masked.sum", dim, x), bool(keepdim), dtype=_whole(input, dtype))


def prod(
    input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The product of what the mask lets through; 1 of nothing."""
    x = _filled("masked.prod", input, mask, 1).to(_whole(input, dtype))
    for d in reversed(_all("masked.prod", dim, x)):
        x = reduce.prod(x, d, bool(keepdim))
    return x


def cumsum(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Running sums of what the mask lets through."""
    x = _filled("masked.cumsum", input, mask, 0)
    return reduce.cumsum(x, dim, dtype=dtype or input.dtype)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Running products of what the mask lets through."""
    x = _filled("masked.cumprod", input, mask, 1)
    return statistics.cumprod(x, dim, dtype=dtype or input.dtype)


def amax(
    input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The largest of what the mask lets through; of nothing -inf, or the least integer."""
    x = _filled("masked.amax", input, mask, -math.inf)
    return reduce.amax(x, _all("masked.amax", dim, x), bool(keepdim)).to(dtype or input.dtype)


def amin(
    input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The smallest of what the mask lets through; of nothing inf, or the largest integer."""
    x = _filled("masked.amin", input, mask, math.inf)
    return reduce.amin(x, _all("masked.amin", dim, x), bool(keepdim)).to(dtype or input.dtype)


def argmax(
    input: Tensor, dim: int | None = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The index of the largest of what the mask lets through, in the type of the input unless said, as in PyTorch."""
    x = _filled("masked.argmax", input, mask, -math.inf)
    return reduce.argmax(x.detach(), dim, bool(keepdim)).to(dtype or input.dtype)


def argmin(
    input: Tensor, dim: int | None = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The index of the smallest of what the mask lets through, in the type of the input unless said."""
    x = _filled("masked.argmin", input, mask, math.inf)
    return reduce.argmin(x.detach(), dim, bool(keepdim)).to(dtype or input.dtype)


def _count(name: str, x: Tensor, mask: Tensor | None, dims: tuple[int, ...], keepdim: bool) -> Any:
    if mask is not None:
        return reduce.sum(_mask(name, x, mask), dims, keepdim)
    return math.prod(x._array.shape[d] for d in dims)


def mean(
    input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The mean of what the mask lets through; nan of nothing.

    Raises:
        ValueError: integers or bools without ``dtype``.
    """
    check_tensor("masked.mean", "input", input)
    kind = input.dtype if dtype is None else dtypes.of(dtype)
    if not (kind.is_floating_point or kind.is_complex):
        raise ValueError(f"masked.mean: needs a floating or complex type, got {kind.name}; pass dtype=")
    dims = _all("masked.mean", dim, input)
    total = sum(input, dim, keepdim=keepdim, dtype=kind, mask=mask)
    count = _count("masked.mean", input, mask, dims, bool(keepdim))
    return P.div(total, count)


def median(
    input: Tensor, dim: int = -1, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The lower median of what the mask lets through along ``dim``; nan of nothing.

    Raises:
        ValueError: of integers, nothing gets through somewhere.
    """
    check_tensor("masked.median", "input", input)
    whole = not input.dtype.is_floating_point
    x = _filled("masked.median", input.to(dtypes.float32) if whole else input, mask, math.nan)
    out = order_statistics.nanmedian(x, dim_of("masked.median", dim, x.ndim), keepdim).values
    if not whole:
        return out
    if builtins.bool(P.any(P.isnan(out), None, False)):
        raise ValueError("masked.median: of integers, something must get through the mask everywhere")
    return out.to(dtype or input.dtype)


def norm(
    input: Tensor, ord: Any = 2.0, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """``linalg.vector_norm`` of what the mask lets through."""
    x = _filled("masked.norm", input, mask, math.inf if ord == -math.inf else 0)
    return vector_norm(x, ord, _all("masked.norm", dim, x), bool(keepdim), dtype=dtype or input.dtype)


def var(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, *, correction: float | None = None,
    keepdim: bool | None = False, dtype: Any = None, mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The variance of what the mask lets through; ``correction`` (1) is taken from the number of elements."""
    return _spread("masked.var", input, dim, unbiased, correction, bool(keepdim), dtype, mask, False)


def std(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, *, correction: float | None = None,
    keepdim: bool | None = False, dtype: Any = None, mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The standard deviation: the square root of ``var``."""
    return _spread("masked.std", input, dim, unbiased, correction, bool(keepdim), dtype, mask, True)


def _spread(
    name: str, x: Tensor, dim: Any, unbiased: bool | None, correction: float | None, keepdim: bool, dtype: Any,
    mask: Tensor | None, root: bool,
) -> Tensor:  # fmt: skip
    check_tensor(name, "input", x)
    if unbiased is not None and correction is not None:
        raise RuntimeError(f"{name}: give one of unbiased and correction, not both")
    degrees = 1 if unbiased is None else int(unbiased)
    degrees = degrees if correction is None else correction  # type: ignore[assignment]
    kind = dtypes.of(dtype) if dtype is not None else x.dtype
    if not (kind.is_floating_point or kind.is_complex):
        kind = dtypes.float32
    dims = _all(name, dim, x)
    count = _count(name, x, mask, dims, True)
    middle = P.div(sum(x, dim, keepdim=True, dtype=kind, mask=mask), count)
    away = P.sub(x, middle)
    squares = P.mul(away, P.conj(away)) if away._array.dtype.kind == "c" else P.square(away)
    total = sum(squares, dim, keepdim=keepdim, dtype=kind, mask=mask)
    if isinstance(count, Tensor):
        free: Any = P.clamp(P.sub(P.cast(count, dtypes.float64.numpy), degrees), 0.0, None)
        kind_of_count = total.real.dtype if kind.is_complex else kind
        free = P.reshape(P.cast(free, kind_of_count.numpy), total._array.shape)
    else:
        free = max(count - degrees, 0)
    out = P.div(total, free)
    return P.sqrt(out) if root else out


def softmax(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """``softmax`` over what the mask lets through; 0 elsewhere, nan where nothing gets through."""
    x = _filled("masked.softmax", input, mask, -math.inf)
    return reduce.softmax(x, dim, dtype or input.dtype)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """``log_softmax`` over what the mask lets through."""
    x = _filled("masked.log_softmax", input, mask, -math.inf)
    return reduce.log_softmax(x, dim, dtype or input.dtype)


def softmin(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """``softmax`` of minus the input over what the mask lets through."""
    x = _filled("masked.softmin", input, mask, math.inf)
    return reduce.softmax(P.neg(x), dim, dtype or input.dtype)


def normalize(
    input: Tensor, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """What the mask lets through over its norm along ``dim`` (over ``eps``, where that is larger); 0 elsewhere."""
    x = _filled("masked.normalize", input, mask, 0)
    size = norm(input, ord, dim, keepdim=True, dtype=dtype or input.dtype, mask=mask)
    size = size.real if size._array.dtype.kind == "c" else size
    return P.div(x, P.maximum(size, eps))


def logaddexp(
    input: Tensor, other: Tensor, *, dtype: Any = None, input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """``logaddexp`` with -inf where a mask lets nothing through."""
    a = _filled("masked.logaddexp", input, input_mask, -math.inf)
    b = _filled("masked.logaddexp", other, other_mask, -math.inf)
    return P.logaddexp(a, b).to(dtype or input.dtype)


def logsumexp(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """``logsumexp`` over what the mask lets through; -inf of nothing."""
    x = _filled("masked.logsumexp", input, mask, -math.inf)
    return reduce.logsumexp(x, _all("masked.logsumexp", dim, x), keepdim).to(dtype or input.dtype)
