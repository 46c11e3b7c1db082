"""Scaled dot-product attention, and the multi-head attention made of it."""

from __future__ import annotations

import math

from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor
from .dropout import scaled_dropout
from .factories import ones, zeros

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """``softmax(query @ key.T * scale + mask) @ value`` (Vaswani et al., 2017).

    Args:
        query: (..., L, E). key: (..., S, E). value: (..., S, Ev); floating, of one type.
        attn_mask: broadcasts to (..., L, S); bool (True: look there) or a number that is added.
        dropout_p: the share of the weights that is dropped.
        is_causal: whether position i looks at positions up to i only; not together with ``attn_mask``.
        scale: None for 1 / sqrt(E).
        enable_gqa: whether several heads (dimension -3) of the query share one of key and value.

    Returns:
        (..., L, Ev); a row that may look nowhere is 0.

    Raises:
        RuntimeError: shapes, types or arguments that do not fit.
    """
    name = "scaled_dot_product_attention"
    for argument, x in (("query", query), ("key", key), ("value", value)):
        check_tensor(name, argument, x)
        if x.ndim < 2 or not x.dtype.is_floating_point or x._array.dtype != query._array.dtype:
            raise RuntimeError(
                f"{name}: query, key and value must be floating, of one type and of at least 2 dimensions; got "
                f"{describe(query)}, {describe(key)}, {describe(value)}"
            )
    if is_causal and attn_mask is not None:
        raise RuntimeError(f"{name}: is_causal goes without attn_mask")
    if enable_gqa:
        key, value = _shared(name, query, key), _shared(name, query, value)
    if query._array.shape[-1] != key._array.shape[-1] or key._array.shape[-2] != value._array.shape[-2]:
        raise RuntimeError(
            f"{name}: needs query (..., L, E), key (..., S, E) and value (..., S, Ev); got {describe(query)}, "
            f"{describe(key)}, {describe(value)}"
        )
    size = query._array.shape[-1]
    factor = math.sqrt(1 / math.sqrt(max(size, 1)) if scale is None else abs(scale))
    side = -factor if scale is not None and scale < 0 else factor
    order = (*range(key.ndim - 2), key.ndim - 1, key.ndim - 2)
    scores = P.matmul(P.mul(query, side), P.permute(P.mul(key, factor), order))
    if is_causal:
        attn_mask = P.tril(ones(*scores._array.shape[-2:], device=query.device), 0).bool()
    weights = softmax_where(name, scores, attn_mask)
    if dropout_p > 0:
        weights = scaled_dropout(name, weights, float(dropout_p))
    return P.matmul(weights, value)


def _shared(name: str, query: Tensor, x: Tensor) -> Tensor:
    """Each head repeated for the heads of the query that share it."""
    if query.ndim < 3 or x.ndim < 3 or query._array.shape[-3] % x._array.shape[-3]:
        raise RuntimeError(
            f"{name}: enable_gqa needs heads in dimension -3, those of the query a multiple; got {describe(query)} and "
            f"{describe(x)}"
        )
    *lead, heads, length, width = x._array.shape
    times = query._array.shape[-3] // heads
    if times == 1:
        return x
    spread = P.expand(P.reshape(x, (*lead, heads, 1, length, width)), (*lead, heads, times, length, width))
    return P.reshape(spread, (*lead, heads * times, length, width))


def softmax_where(name: str, scores: Tensor, mask: Tensor | None) -> Tensor:
    """The softmax along the last dimension of ``scores`` under a mask; rows that are masked throughout are 0."""
    last = scores.ndim - 1
    if mask is None:
        return P.softmax(scores, last)
    check_tensor(name, "attn_mask", mask)
    if mask._array.dtype.kind == "b":
        allowed = mask
        scores = P.where(mask, scores, -math.inf)
    elif mask._array.dtype != scores._array.dtype:
        raise RuntimeError(f"{name}: attn_mask must be bool or {scores.dtype.name}, got {describe(mask)}")
    else:
        scores = P.add(scores, mask)
        allowed = P.ne(scores.detach(), -math.inf)
    some = P.any(allowed, (allowed.ndim - 1,), True)
    if bool(P.all(some.detach(), None, False)) if not scores._device.depth else False:
        return P.softmax(scores, scores.ndim - 1)
    weights = P.softmax(P.where(some, scores, P.zeros_like(scores)), scores.ndim - 1)
    return P.where(some, weights, P.zeros_like(weights))


def zero_row(x: Tensor) -> Tensor:
    """Zeros of the shape of one place along dimension 1 of (N, S, E)."""
    shape = x._array.shape
    return zeros(shape[0], 1, shape[2], dtype=x.dtype, device=x.device)
