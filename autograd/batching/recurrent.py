"""Batching rules of the steps of recurrent layers: the batch joins the sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..rule import P
from ..tensor import Tensor
from .elementwise import batch_of, expanded
from .level import Batched

__all__ = ["STEPS"]


def _rows(x: Batched, size: int) -> Tensor:
    value = expanded(x, size)
    return P.reshape(value, (size * value._array.shape[1], value._array.shape[2]))


def _lstm_step(gates: Batched, c: Batched) -> Tensor:
    size, (n, width) = batch_of(gates, c), c.shape
    out = P.lstm_step(_rows(gates, size), _rows(c, size))
    return P.permute(P.reshape(out, (2, size, n, width)), (1, 0, 2, 3))


def _gru_step(x: Batched, old: Batched, h: Batched) -> Tensor:
    size, (n, width) = batch_of(x, old, h), h.shape
    return P.reshape(P.gru_step(_rows(x, size), _rows(old, size), _rows(h, size)), (size, n, width))


STEPS: dict[str, Callable[..., Any]] = {"gru_step": _gru_step, "lstm_step": _lstm_step}
