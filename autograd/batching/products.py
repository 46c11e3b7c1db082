"""Batching rules of matrix products and of the fused layers and losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..rule import P
from ..tensor import Tensor
from .elementwise import aligned, batch_of, expanded, rank_of
from .level import Batched

__all__ = ["PRODUCTS"]


def _matmul(a: Batched, b: Batched) -> Tensor:
    if a.ndim == 2 == b.ndim and not b.batched:  # one product of all rows
        size, rows, inner = a.value._array.shape
        out = P.matmul(P.reshape(a.value, (size * rows, inner)), b.value)
        return P.reshape(out, (size, rows, out._array.shape[-1]))
    rank = rank_of(a, b)
    left, right = aligned(a, rank), aligned(b, rank)
    if left._array.shape[-1] == 1 == right._array.shape[-2]:  # a product of each row and column: nothing to sum
        return P.mul(left, right)
    return P.matmul(left, right)


def _linear(x: Batched, w: Batched, b: Batched | None, act: str | None) -> Tensor:
    if not w.batched and (b is None or not b.batched):
        return P.linear(x.value, w.value, None if b is None else b.value, act)
    lead, features = x.shape[:-1], x.shape[-1]
    size = batch_of(x, w, b)
    value = expanded(x, size)
    rows = P.reshape(value, (size, value._array.size // max(size * features, 1), features))
    turned = P.permute(w.value, (0, 2, 1) if w.batched else (1, 0))
    out = P.matmul(rows, turned)
    if b is not None:
        out = P.add(out, aligned(b, 2))
    out = P.reshape(out, (size, *lead, w.shape[0]))
    return out if act is None else getattr(P, act)(out)


def _layer_norm(x: Batched, weight: Batched | None, bias: Batched | None, rank: int, eps: float) -> Tensor:
    shared = [None if p is None else p.value for p in (weight, bias)]
    if x.batched and not any([p is not None and p.batched for p in (weight, bias)]):
        return P.layer_norm(x.value, *shared, rank, eps)
    value = expanded(x, batch_of(x, weight, bias))
    out = P.layer_norm(value, None, None, rank, eps)
    if weight is not None:
        out = P.mul(out, aligned(weight, x.ndim))
    return out if bias is None else P.add(out, aligned(bias, x.ndim))


def _mse(x: Batched, target: Batched) -> Tensor:
    rank = rank_of(x, target)
    squares = P.square(P.sub(aligned(x, rank), aligned(target, rank)))
    size = squares._array.shape[0]
    return P.mean(P.reshape(squares, (size, squares._array.size // max(size, 1))), (1,), False)


def _softmax_xent(x: Batched, target: Batched, ignore: int) -> Tensor:
    logits = Batched(P.log_softmax(expanded(x, batch_of(x, target)), 2), True)
    return _nll(logits, target, None, ignore, "mean")


def _nll(x: Batched, target: Batched, weight: Batched | None, ignore: int, reduction: str) -> Tensor:
    size, (rows, classes) = batch_of(x, target, weight), x.shape
    values, numbers = expanded(x, size), expanded(target, size)
    if target.size and target.value._device.backend.refused(target.value._array, classes, ignore):
        raise IndexError(f"a target is out of bounds for {classes} classes")
    kept = P.ne(numbers, ignore)
    wanted = P.where(kept, numbers, P.zeros_like(numbers))
    picked = P.reshape(P.gather(values, P.reshape(wanted, (size, rows, 1)), 2), (size, rows))
    shares = P.cast(kept, values._array.dtype)
    if weight is not None:
        shares = P.where(kept, P.gather(expanded(weight, size), wanted, 1), P.zeros_like(shares))
    each = P.neg(P.where(kept, P.mul(picked, shares), P.zeros_like(picked)))
    if reduction == "none":
        return each
    total = P.sum(each, (1,), False)
    return P.div(total, P.sum(shares, (1,), False)) if reduction == "mean" else total


def _out_of_range(target: Batched, classes: int, ignore: int) -> Tensor:
    value = target.value
    stray = P.logical_and(P.logical_or(P.lt(value, 0), P.ge(value, classes)), P.ne(value, ignore))
    return P.any(P.reshape(stray, (batch_of(target), target.size)), (1,), False)


def _searchsorted(line: Batched, values: Batched, right: bool) -> Tensor:
    if not line.batched and line.ndim == 1:
        return P.searchsorted(line.value, values.value, right)
    size = batch_of(line, values)
    rows, wanted = expanded(line, size), expanded(values, size)
    if not line.size:
        return P.cast(P.zeros_like(wanted), np.dtype(np.int64))
    if line.ndim > 1:
        return P.searchsorted(rows, wanted, right)
    found = P.searchsorted(rows, P.reshape(wanted, (size, values.size)), right)
    return P.reshape(found, (size, *values.shape))


PRODUCTS: dict[str, Callable[..., Any]] = {
    "matmul": _matmul, "linear": _linear, "mse": _mse, "nll": _nll, "softmax_xent": _softmax_xent,
    "layer_norm": _layer_norm,
    "out_of_range": _out_of_range, "searchsorted": _searchsorted,
}  # fmt: skip
