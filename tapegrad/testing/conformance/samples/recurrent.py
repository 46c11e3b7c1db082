"""Samples of recurrent layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..sample import Sample
from .inputs import frozen, real, strided

__all__ = ["SAMPLES"]

sigmoid = np.vectorize(lambda x: 1 / (1 + math.exp(-x)), otypes=[float])


def _step(mode, gates, old, h, c):  # type: ignore[no-untyped-def]
    """The next h and memory of one sequence."""
    if mode == "GRU":
        (a, b, n), (d, e, m) = np.split(gates, 3), np.split(old, 3)
        z, new = sigmoid(b + e), np.tanh(n + sigmoid(a + d) * m)
        return (1 - z) * new + z * h, c
    if mode != "LSTM":
        return (np.tanh if mode == "RNN_TANH" else lambda v: np.maximum(v, 0))(gates + old), c
    i, f, g, o = np.split(gates + old, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def _layer(x, h, memory, w_ih, w_hh, b_ih, b_hh, w_hr, mode, sizes, reverse):  # type: ignore[no-untyped-def]
    """One sequence after another, in float64."""
    x, h, w_ih, w_hh = (np.asarray(a, float) for a in (x, h, w_ih, w_hh))
    starts, size = np.cumsum((0, *sizes)), len(w_hh) // {"GRU": 3, "LSTM": 4}.get(mode, 1)
    out = np.zeros((len(x) + len(h) * (1 if memory is None else 2), size))
    for k in range(len(h)):
        state, c = h[k], None if memory is None else np.asarray(memory[k], float)
        steps = [t for t, n in enumerate(sizes) if n > k]
        for t in steps[::-1] if reverse else steps:
            gates, old = w_ih @ x[starts[t] + k], w_hh @ state
            state, c = _step(
                mode, gates if b_ih is None else gates + b_ih, old if b_hh is None else old + b_hh, state, c
            )
            state = state if w_hr is None else np.asarray(w_hr, float) @ state
            out[starts[t] + k, : len(state)] = state
        out[len(x) + k, : len(state)] = state
        if c is not None:
            out[len(x) + len(h) + k] = c
    return out


def _sample(
    mode: str, sizes: tuple[int, ...], reverse: bool = False, bias: bool = True, projected: bool = False,
    size: int = 3, features: int = 2, scale: float = 1.0, change: Any = lambda a: a, **options: Any,
) -> Sample:  # fmt: skip
    blocks, width = {"GRU": 3, "LSTM": 4}.get(mode, 1), 2 if projected else size
    inputs = (
        real(sum(sizes), features), real(sizes[0], width, salt=1), real(sizes[0], size, salt=2) if mode == "LSTM" else None,
        scale * real(blocks * size, features, low=-0.7, high=0.7, salt=3), real(blocks * size, width, low=-0.7, high=0.7, salt=4),
        *[real(blocks * size, low=-0.5, high=0.5, salt=k) if bias else None for k in (5, 6)],
        real(width, size, low=-0.8, high=0.8, salt=7) if projected else None,
    )  # fmt: skip
    inputs = tuple(None if a is None else change(a) for a in inputs)
    return Sample(inputs, (mode, sizes, reverse), _layer, atol=32, **options)


SAMPLES: dict[str, list[Sample]] = {
    "recurrent": [
        _sample("RNN_TANH", (2, 2, 1)), _sample("RNN_RELU", (2, 1), True),
        *[_sample(mode, (2, 2, 1), reverse) for mode in ("GRU", "LSTM") for reverse in (False, True)],
        *[_sample(mode, (2,) * 4, bias=False, smooth=False) for mode in ("GRU", "LSTM")],
        _sample("LSTM", (2, 1), projected=True), _sample("LSTM", (2, 2), True, bias=False, projected=True, smooth=False),
        *[_sample(mode, (2, 1), change=strided, smooth=False) for mode in ("GRU", "LSTM")],
        _sample("LSTM", (1, 1), size=1, features=1, change=frozen),
        *[_sample(mode, (2, 2), scale=40.0, smooth=False) for mode in ("GRU", "LSTM")],
        *[_sample(mode, (0, 0), smooth=False) for mode in ("GRU", "LSTM")],
    ],
}  # fmt: skip
