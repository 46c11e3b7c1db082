"""One step, and one pass over all steps, of the recurrent layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autograd import P, Tensor

__all__ = ["GATES", "STEPS", "run"]

State = tuple[Tensor, ...]  # (h,), and for an LSTM (h, c)

# How many blocks of hidden_size rows the weights have.
GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}


def _tanh(x: Tensor, state: State, w: Any, b: Any, r: Any) -> State:
    return (P.tanh(P.add(x, P.linear(state[0], w, b, None))),)


def _relu(x: Tensor, state: State, w: Any, b: Any, r: Any) -> State:
    return (P.relu(P.add(x, P.linear(state[0], w, b, None))),)


def _gru(x: Tensor, state: State, w: Any, b: Any, r: Any) -> State:
    (h,) = state
    return (P.gru_step(x, P.linear(h, w, b, None), h),)


def _lstm(x: Tensor, state: State, w: Any, b: Any, r: Any) -> State:
    h, c = state
    both = P.lstm_step(P.add(x, P.linear(h, w, b, None)), c)
    h, c = P.slice(both, (0,)), P.slice(both, (1,))
    return (h if r is None else P.linear(h, r, None, None)), c


STEPS: dict[str, Callable[..., State]] = {"RNN_TANH": _tanh, "RNN_RELU": _relu, "GRU": _gru, "LSTM": _lstm}


def _rows(state: State, start: int, stop: int) -> State:
    return tuple([P.slice(s, (slice(start, stop),)) for s in state])


def _steps(x: Tensor, sizes: Sequence[int]) -> list[Tensor]:
    """The rows of each step.

    Halved again and again: the gradient of a slice has the size of what it is cut from, so to cut all steps from the
    whole would cost the square of their number.
    """
    if len(sizes) == 1:
        return [x]
    half = len(sizes) // 2
    at = sum(sizes[:half])
    left, right = P.slice(x, (slice(0, at),)), P.slice(x, (slice(at, x._array.shape[0]),))
    return _steps(left, sizes[:half]) + _steps(right, sizes[half:])


def run(
    mode: str, data: Tensor, sizes: Sequence[int], state: State, weights: Sequence[Any], reverse: bool
) -> tuple[Tensor, State]:
    """One layer in one direction.

    Args:
        mode: a key of ``STEPS``.
        data: (sum of the sizes, features), the steps one after another.
        sizes: how many sequences have each step; never increasing.
        state: what to start from, each (N, width).
        weights: w_ih, w_hh, b_ih, b_hh, w_hr; the last three may be None.
        reverse: from the last step to the first.

    Returns:
        What each step gave, in the order of ``data``; and the state of each sequence after its last step.
    """
    w_ih, w_hh, b_ih, b_hh, w_hr = weights
    step = STEPS[mode]
    inputs = _steps(P.linear(data, w_ih, b_ih, None), sizes)
    outputs: list[Any] = [None] * len(sizes)
    now, ended = state, []
    for t in reversed(range(len(sizes))) if reverse else range(len(sizes)):
        have, wanted = now[0]._array.shape[0], sizes[t]
        if reverse and t == len(sizes) - 1 and wanted < have:
            now = _rows(now, 0, wanted)  # the shorter ones begin later
        elif have < wanted:
            now = tuple([P.cat([a, b], 0) for a, b in zip(now, _rows(state, have, wanted), strict=True)])
        elif have > wanted:
            ended.append(_rows(now, wanted, have))
            now = _rows(now, 0, wanted)
        now = step(inputs[t], now, w_hh, b_hh, w_hr)
        outputs[t] = now[0]
    if ended:
        now = tuple([P.cat(list(parts), 0) for parts in zip(now, *reversed(ended), strict=True)])
    return P.cat(outputs, 0), now
