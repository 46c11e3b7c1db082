"""Multi-head attention with its projections."""

from __future__ import annotations

import math
from typing import Any

from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor
from .attention import scaled_dot_product_attention, zero_row
from .dropout import scaled_dropout
from .shape import pad

__all__ = ["multi_head_attention_forward"]

NAME = "multi_head_attention_forward"


def _refuse(text: str) -> AssertionError:
    return AssertionError(f"{NAME}: {text}")


def _mask(mask: Any, argument: str, dtype: Any) -> Tensor | None:
    """A mask as numbers to add: minus infinity where a bool one is True."""
    if mask is None:
        return None
    check_tensor(NAME, argument, mask)
    if mask._array.dtype.kind == "b":
        numbers = P.cast(P.zeros_like(mask), dtype)
        return P.where(mask, -math.inf, numbers)
    if not mask.dtype.is_floating_point:
        raise _refuse(f"{argument} must be bool or floating, got {describe(mask)}")
    return mask


def _third(x: Tensor | None, i: int) -> Tensor | None:
    if x is None:
        return None
    size = x._array.shape[0] // 3
    return P.slice(x, (slice(i * size, (i + 1) * size),))


def _split(x: Tensor, heads: int) -> Tensor:
    """(L, N, E) -> (N heads, L, E / heads)."""
    length, batch, width = x._array.shape
    return P.permute(P.reshape(x, (length, batch * heads, width // heads)), (1, 0, 2))


def _longer(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else pad(mask, (0, 1))


def multi_head_attention_forward(
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
    in_proj_weight: Tensor | None, in_proj_bias: Tensor | None, bias_k: Tensor | None, bias_v: Tensor | None,
    add_zero_attn: bool, dropout_p: float, out_proj_weight: Tensor, out_proj_bias: Tensor | None,
    training: bool = True, key_padding_mask: Tensor | None = None, need_weights: bool = True,
    attn_mask: Tensor | None = None, use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None, v_proj_weight: Tensor | None = None, static_k: Tensor | None = None,
    static_v: Tensor | None = None, average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """Multi-head attention (Vaswani et al., 2017): project, split into heads, attend, join and project.

    Args:
        query: (L, N, E), or (L, E). key, value: (S, N, E'), or (S, E').
        embed_dim_to_check: E. num_heads: into how many heads E is split.
        in_proj_weight: (3 E, E), the projections of query, key and value one below the other. in_proj_bias: (3 E,).
        q_proj_weight, k_proj_weight, v_proj_weight: instead, with ``use_separate_proj_weight``.
        bias_k, bias_v: (1, 1, E), a further place of key and value.
        add_zero_attn: add a place of zeros to key and value.
        dropout_p: the share of the weights that is dropped in training.
        out_proj_weight, out_proj_bias: (E, E) and (E,).
        key_padding_mask: (N, S), bool (True: do not look there) or a number that is added.
        attn_mask: (L, S) or (N num_heads, L, S), likewise.
        static_k, static_v: (N num_heads, S, E / num_heads) in place of the projected key and value.
        need_weights: also give the weights. average_attn_weights: as their mean over the heads.
        is_causal: ``attn_mask`` is the causal one, which need not be looked at.

    Returns:
        (L, N, E), or (L, E); and the weights (N, L, S) or (N, num_heads, L, S), or None.

    Raises:
        AssertionError, RuntimeError: shapes or arguments that do not fit.
    """
    for argument, x in (("query", query), ("key", key), ("value", value)):
        check_tensor(NAME, argument, x)
    batched = query.ndim == 3
    if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim:
        raise _refuse(f"query, key and value must all have 2 or 3 dimensions, got {describe((query, key, value))}")
    if is_causal and attn_mask is None:
        raise RuntimeError(f"{NAME}: is_causal needs attn_mask")
    if not batched:
        query, key, value = (P.reshape(x, (x._array.shape[0], 1, x._array.shape[1])) for x in (query, key, value))
        if key_padding_mask is not None:
            key_padding_mask = P.reshape(key_padding_mask, (1, *key_padding_mask._array.shape))
    length, batch, width = query._array.shape
    if width != embed_dim_to_check or width % num_heads:
        raise _refuse(f"expected {embed_dim_to_check} features, a multiple of {num_heads} heads; got {describe(query)}")
    weights_in = (
        (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight
        else tuple(_third(in_proj_weight, i) for i in range(3))
    )  # fmt: skip
    q, k, v = (
        P.linear(x, w, _third(in_proj_bias, i), None)
        for i, (x, w) in enumerate(zip((query, key, value), weights_in, strict=True))
    )
    causal = is_causal and key_padding_mask is None and not need_weights and bias_k is None and not add_zero_attn
    mask = None if causal else _attn_mask(attn_mask, q, k, num_heads)
    padding = _mask(key_padding_mask, "key_padding_mask", q._array.dtype)
    if bias_k is not None and bias_v is not None:
        shape = (1, batch, width)
        k, v = (P.cat([x, P.expand(b, shape)], 0) for x, b in ((k, bias_k), (v, bias_v)))
        mask, padding = _longer(mask), _longer(padding)
    q = _split(q, num_heads)
    k = _split(k, num_heads) if static_k is None else static_k
    v = _split(v, num_heads) if static_v is None else static_v
    if add_zero_attn:
        k, v = P.cat([k, zero_row(k)], 1), P.cat([v, zero_row(v)], 1)
        mask, padding = _longer(mask), _longer(padding)
    mask = _joined(mask, padding, batch, num_heads, k._array.shape[1])
    share = dropout_p if training else 0.0
    heads, weights = _attend(q, k, v, mask, share, causal, need_weights, (batch, num_heads))
    joined = P.reshape(P.permute(heads, (1, 0, 2)), (length * batch, width))
    out = P.linear(joined, out_proj_weight, out_proj_bias, None)
    out = P.reshape(out, (length, batch, out._array.shape[1]))
    if weights is not None:
        weights = P.mean(weights, (1,), False) if average_attn_weights else weights
        weights = weights if batched else P.reshape(weights, weights._array.shape[1:])
    return (out if batched else P.reshape(out, (length, out._array.shape[2]))), weights


def _attn_mask(mask: Any, q: Tensor, k: Tensor, heads: int) -> Tensor | None:
    """The mask as numbers (1 or N heads, L, S).

    Raises:
        AssertionError: neither 2 nor 3 dimensions. RuntimeError: another shape.
    """
    made = _mask(mask, "attn_mask", q._array.dtype)
    if made is None:
        return None
    length, batch, _ = q._array.shape
    sizes = (length, k._array.shape[0])
    if made._array.ndim not in (2, 3):
        raise _refuse(f"attn_mask must have 2 or 3 dimensions, got {describe(mask)}")
    if made._array.shape == sizes:
        return P.reshape(made, (1, *sizes))
    if made._array.shape != (batch * heads, *sizes):
        raise RuntimeError(
            f"{NAME}: attn_mask must have shape {list(sizes)} or {[batch * heads, *sizes]}, got {describe(mask)}"
        )
    return made


def _joined(mask: Tensor | None, padding: Tensor | None, batch: int, heads: int, size: int) -> Tensor | None:
    """Both masks as one, (1 or N heads, 1 or L, S)."""
    if padding is None:
        return mask
    if padding._array.shape != (batch, size):
        raise _refuse(f"key_padding_mask must have shape {[batch, size]}, got {describe(padding)}")
    each = P.expand(P.reshape(padding, (batch, 1, 1, size)), (batch, heads, 1, size))
    each = P.reshape(each, (batch * heads, 1, size))
    return each if mask is None else P.add(mask, each)


def _attend(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, share: float, causal: bool, wanted: bool,
    shape: tuple[int, int],
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """(N heads, L, E / heads) of all heads; and the weights (N, heads, L, S), or None."""
    rows, length, width = q._array.shape
    size = k._array.shape[1]
    if wanted:
        scores = P.matmul(P.mul(q, math.sqrt(1 / width)), P.permute(k, (0, 2, 1)))
        weights = P.softmax(scores if mask is None else P.add(scores, mask), 2)
        if share > 0:
            weights = scaled_dropout(NAME, weights, share)
        return P.matmul(weights, v), P.reshape(weights, (*shape, length, size))
    if mask is not None:
        lead = shape if mask._array.shape[0] != 1 else (1, 1)
        mask = P.reshape(mask, (*lead, *mask._array.shape[1:]))
    q, k, v = (P.reshape(x, (*shape, *x._array.shape[1:])) for x in (q, k, v))
    out = scaled_dot_product_attention(q, k, v, mask, share, causal)
    return P.reshape(out, (rows, length, v._array.shape[3])), None
