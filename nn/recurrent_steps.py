"""One layer in one direction of the recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd import P, Tensor

__all__ = ["GATES", "run", "step"]

State = tuple[Tensor, ...]  # (h,), and for an LSTM (h, c)

# How many blocks of hidden_size rows the weights have.
GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}


def _own(part: Tensor) -> Tensor:
    """A part of the result as a tensor of its own, which may be written to: nobody has the whole, no part another's."""
    part._view, part._cell = None, [0]
    return part


def _ends(out: Tensor, rows: int, state: State, projected: bool) -> State:
    """The state that stands below the ``rows`` in a layer's result."""
    batch, width = state[0]._array.shape
    columns = (slice(0, width),) if projected else ()
    h = _own(P.slice(out, (slice(rows, rows + batch), *columns)))
    return (h,) if len(state) == 1 else (h, _own(P.slice(out, (slice(rows + batch, rows + 2 * batch),))))


def run(
    mode: str, data: Tensor, sizes: Sequence[int], state: State, weights: Sequence[Any], reverse: bool
) -> tuple[Tensor, State]:
    """One layer in one direction.

    Args:
        mode: a key of ``GATES``.
        data: (sum of the sizes, features), the steps one after another.
        sizes: how many sequences have each step; never increasing.
        state: what to start from, each (N, width).
        weights: w_ih, w_hh, b_ih, b_hh, w_hr; the last three may be None.
        reverse: from the last step to the first.

    Returns:
        What each step gave, in the order of ``data``; and the state of each sequence after its last step.
    """
    out = P.recurrent(data, state[0], state[1] if len(state) > 1 else None, *weights, mode, tuple(sizes), reverse)
    rows, projected = data._array.shape[0], weights[4] is not None
    columns = (slice(0, state[0]._array.shape[1]),) if projected else ()
    return _own(P.slice(out, (slice(0, rows), *columns))), _ends(out, rows, state, projected)


def step(mode: str, x: Tensor, state: State, weights: Sequence[Any]) -> State:
    """The state after one step, of an input x (N, features); the other arguments as of ``run``."""
    rows = x._array.shape[0]
    out = P.recurrent(x, state[0], state[1] if len(state) > 1 else None, *weights, mode, (rows,), False)
    return _ends(out, rows, state, False)
