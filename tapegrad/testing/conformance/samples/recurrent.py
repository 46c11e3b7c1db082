"""Samples of the steps of recurrent layers."""

from __future__ import annotations

import math

import numpy as np

from ..sample import Sample
from .inputs import real, strided

__all__ = ["SAMPLES"]

sigmoid = np.vectorize(lambda x: 1 / (1 + math.exp(-x)), otypes=[float])


def _lstm(gates, c):  # type: ignore[no-untyped-def]
    i, f, g, o = np.split(np.asarray(gates, float), 4, axis=1)
    new = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return np.stack([sigmoid(o) * np.tanh(new), new])


def _gru(x, old, h):  # type: ignore[no-untyped-def]
    (a, b, c), (d, e, f) = (np.split(np.asarray(y, float), 3, axis=1) for y in (x, old))
    z, n = sigmoid(b + e), np.tanh(c + sigmoid(a + d) * f)
    return (1 - z) * n + z * h


SAMPLES: dict[str, list[Sample]] = {
    "lstm_step": [Sample((real(n, 4 * h), real(n, h, salt=1)), (), _lstm, atol=8) for n, h in ((2, 3), (1, 1))]
        + [Sample((strided(real(2, 8)), strided(real(2, 2, salt=1))), (), _lstm, atol=8), Sample((40 * real(2, 8), real(2, 2, salt=1)), (), _lstm, atol=8, smooth=False),
           Sample((real(0, 8), real(0, 2)), (), smooth=False)],
    "gru_step": [Sample((real(n, 3 * h), real(n, 3 * h, salt=1), real(n, h, salt=2)), (), _gru, atol=8) for n, h in ((2, 3), (1, 1))]
        + [Sample((strided(real(2, 6)), strided(real(2, 6, salt=1)), strided(real(2, 2, salt=2))), (), _gru, atol=8), Sample((40 * real(2, 6), 40 * real(2, 6, salt=1), real(2, 2, salt=2)), (), _gru, atol=8, smooth=False),
           Sample((real(0, 6), real(0, 6), real(0, 2)), (), smooth=False)],
}  # fmt: skip
