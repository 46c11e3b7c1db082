"""Samples of matrix products, the fused linear layer and the fused losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..sample import Sample
from .elementwise import each, sigmoid
from .inputs import BIG, FAR, ODD, backwards, ints, large, nan, real, strided
from .reduce import log_softmax

__all__ = ["SAMPLES"]


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("...ij,...jk->...ik", a, b)


def _dense(x: np.ndarray, w: np.ndarray, b: Any, act: str | None) -> np.ndarray:
    ways: dict[Any, Any] = {None: lambda v: v, "relu": lambda v: max(v, 0.0), "tanh": math.tanh, "sigmoid": sigmoid}
    return each(ways[act])(np.einsum("...i,oi->...o", x, w) + (0.0 if b is None else b))


def _cross_entropy(x: np.ndarray, target: np.ndarray, ignore: int) -> float:
    terms = [-log_softmax(row.tolist())[t] for row, t in zip(x, target) if t != ignore]
    return math.fsum(terms) / len(terms) if terms else nan


MATRICES = (
    (real(3, 4), real(4, 2)), (real(1, 1), real(1, 1)), (real(3, 4).T, real(3, 2)), (strided(real(2, 3)), strided(real(3, 2))), (real(2, 3, 4), real(4, 2)),
    (real(2, 3, 4), real(2, 4, 2)), (real(2, 1, 2, 3), real(3, 3, 2)), (real(0, 3), real(3, 2)), (real(2, 0), real(0, 3)), (real(2, 3), real(1, 3, 2)), (backwards(real(2, 3)), real(3, 1)),
)  # fmt: skip
LAYERS = (
    (real(3, 4), real(2, 4), real(2)), (real(3, 4), real(2, 4), None), (real(2, 2, 3), real(4, 3), real(4)), (real(0, 3), real(2, 3), real(2)),
    (strided(real(3, 2)), strided(real(4, 2)), real(4)), (real(1, 3), real(1, 3), real(1)), (real(3), real(2, 3), real(2)),
)  # fmt: skip
PAIRS = (
    (real(3, 4), real(3, 4, salt=1)),
    (real(), real(salt=1)),
    (strided(real(2, 3)), real(2, 3, salt=1)),
    (real(5), real(5, salt=1)),
)
LOGITS = (
    (real(4, 3), ints(0, 2, 1, 1)),
    (real(4, 3), ints(0, -100, 1, -100)),
    (real(1, 5), ints(4)),
    (strided(real(3, 4)), ints(3, 0, 0)),
    (real(2, 1), ints(0, 0)),
)
WIDE = np.random.default_rng(6).standard_normal((257, 131))


SAMPLES: dict[str, list[Sample]] = {
    "matmul": [Sample(p, (), _product, atol=8) for p in MATRICES] + [Sample((WIDE, WIDE.T), atol=256, smooth=False), Sample((ODD, real(3, 2)), smooth=False, gradient=False)],
    "linear": [Sample(layer, (act,), _dense, atol=8) for layer in LAYERS for act in (None, "relu", "tanh", "sigmoid")]
        + [Sample((WIDE, WIDE[:130], b), (act,), atol=256, smooth=False) for act, b in ((None, None), ("relu", WIDE[0, :130]), ("tanh", WIDE[0, :130]), ("sigmoid", None))]
        + [Sample((ODD, real(2, 3), b), (act,), smooth=False, gradient=False) for b in (None, real(2)) for act in (None, "relu", "tanh", "sigmoid")]
        + [Sample((BIG, BIG[:3], None), (act,), atol=256, smooth=False) for act in (None, "relu")],
    "mse": [Sample(p, (), lambda x, y: math.fsum(((x - y) ** 2).ravel()) / x.size, atol=8) for p in PAIRS]
        + [Sample((real(0, 2), real(0, 2)), (), lambda x, y: np.array(nan), smooth=False), Sample((ODD, real(5, 3)), smooth=False, gradient=False), Sample((large(-1, 1), large(-2, 2, 1)), atol=64, smooth=False)],
    "softmax_xent": [Sample(p, (-100,), _cross_entropy, atol=8) for p in LOGITS]
        + [Sample((real(4, 3), ints(0, 2, 1, 1)), (1,), _cross_entropy, atol=8), Sample((FAR, ints(0, 2)), (-100,), _cross_entropy, smooth=False),
           Sample((real(2, 3), ints(7, 7)), (7,), lambda *_: np.array(nan), smooth=False), Sample((ODD, ints(0, 1, 2, 0, 1)), (-100,), smooth=False, gradient=False), Sample((real(0, 3), ints()), (-100,), lambda *_: np.array(nan), smooth=False),
           Sample((BIG, np.arange(300) % 467), (-100,), atol=64, smooth=False)],
    "out_of_range": [Sample((t,), (3, -100), lambda t, n, i: np.array(any(v != i and not 0 <= v < n for v in t.ravel().tolist())))
                     for t in (ints(0, 2, 1), ints(0, 3), ints(-1), ints(-100, 0), ints(), np.array(2), ints([0, 5], [1, 1]))],
}  # fmt: skip
