"""Distances, similarities and products of pairs of rows."""

from __future__ import annotations

import math
from typing import Any

from ..batching.level import place_of
from ..names import named
from ..promote import describe, result_type
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor, common_shape, dim_of, not_for
from .calculus import distance
from .factories import triu_indices
from .reduce import norm

__all__ = ["bilinear", "cosine_similarity", "pairwise_distance", "pdist"]


def _length(x: Tensor, dim: int, eps: float) -> Tensor:
    """The length along ``dim``, at least ``eps``; its slope is that of the length as it is."""
    plain = norm(x, 2, dim, True)
    value = plain.detach()
    return P.add(plain, P.sub(P.clamp(value, eps, None), value))


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along ``dim``.

    Args:
        x1, x2: floating tensors that broadcast.
        eps: lengths count as at least this.

    Raises:
        RuntimeError: shapes that do not broadcast, or integers on both sides.
    """
    check_tensor("cosine_similarity", "x1", x1)
    check_tensor("cosine_similarity", "x2", x2)
    kind = result_type(x1, x2)
    if not kind.is_floating_point:
        raise RuntimeError(f"cosine_similarity: not defined for {describe(x1)} and {describe(x2)}; use .float()")
    x1, x2 = x1.to(kind), x2.to(kind)
    shape = common_shape("cosine_similarity", x1._array.shape, x2._array.shape)
    at = dim_of("cosine_similarity", dim, len(shape))
    x1, x2 = (x if x._array.shape == shape else P.expand(x, shape) for x in (x1, x2))
    product = P.mul(P.div(x1, _length(x1, at, float(eps))), P.div(x2, _length(x2, at, float(eps))))
    return named(P.sum(product, (at,) if shape else None, False), "SumBackward1")


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The norm of order ``p`` of ``x1 - x2 + eps`` along the last dimension.

    Args:
        x1, x2: (..., D), which broadcast.
        eps: added to each difference.
        keepdim: keep the last dimension, with size 1.
    """
    check_tensor("pairwise_distance", "x1", x1)
    check_tensor("pairwise_distance", "x2", x2)
    return named(norm(P.add(P.sub(x1, x2), float(eps)), p, -1, keepdim), "NormBackward1")


@not_for("c")
def pdist(input: Tensor, p: float = 2) -> Tensor:
    """The norms of order ``p`` of the differences of all pairs of rows.

    Args:
        input: (N, D), floating.

    Returns:
        (N (N - 1) / 2,): of the first row with the others, then of the second with those behind it, and so on.

    Raises:
        RuntimeError: another number of dimensions, a negative ``p``, or integers.
    """
    check_tensor("pdist", "input", input)
    if input.ndim != 2 or p < 0 or input._array.dtype.kind in "biu":
        raise RuntimeError(f"pdist: needs a floating matrix and p of at least 0, got {describe(input)}, p={p}")
    count = input._array.shape[0]
    pairs = triu_indices(count, count, 1, device=place_of(input._device))
    rows, others = (P.take(input, P.slice(pairs, (i,))) for i in (0, 1))
    return named(distance(P.sub(rows, others), p, 1), "PdistBackward0")


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input1 @ weight[k] @ input2 + bias[k]`` for each k.

    Args:
        input1: (..., I). input2: (..., J), the same sizes in front.
        weight: (K, I, J). bias: (K,), or None.

    Returns:
        (..., K).

    Raises:
        RuntimeError: sizes or types that do not fit.
    """
    for argument, x in (("input1", input1), ("input2", input2), ("weight", weight)):
        check_tensor("bilinear", argument, x)
    lead = input1._array.shape[:-1]
    if (
        weight.ndim != 3 or not input1.ndim or input2._array.shape[:-1] != lead or input2.ndim != input1.ndim
        or weight._array.shape[1:] != (input1._array.shape[-1], input2._array.shape[-1])
    ):  # fmt: skip
        raise RuntimeError(
            f"bilinear: needs (..., I), (..., J) and weight (K, I, J), got {describe(input1)}, {describe(input2)} and "
            f"{describe(weight)}"
        )
    out, left, right = weight._array.shape
    if bias is not None and bias._array.shape != (out,):
        raise RuntimeError(f"bilinear: bias must have shape [{out}], got {describe(bias)}")
    rows = math.prod(lead)
    table = P.reshape(P.permute(weight, (1, 0, 2)), (left, out * right))
    partial: Any = P.reshape(P.matmul(P.reshape(input1, (rows, left)), table), (rows, out, right))
    made = P.reshape(P.matmul(partial, P.reshape(input2, (rows, right, 1))), (*lead, out))
    return made if bias is None else P.add(made, bias)
