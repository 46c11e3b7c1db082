"""Samples of matrix products, the fused linear layer and the fused losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..sample import Sample
from .elementwise import each, sigmoid
from .inputs import BIG, FAR, ODD, array, backwards, inf, ints, large, nan, real, strided
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


def _normalised(x: np.ndarray, w: Any, b: Any, rank: int, eps: float) -> np.ndarray:
    out = np.empty(x.shape)
    for place in np.ndindex(x.shape[: x.ndim - rank]):
        row = x[place].ravel().tolist()
        mean = math.fsum(row) / len(row)
        deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in row) / len(row) + eps)
        out[place] = (x[place] - mean) / deviation
    return out * (1.0 if w is None else w) + (0.0 if b is None else b)


def _moments(x: np.ndarray) -> np.ndarray:
    rows = np.moveaxis(x, 1, 0).reshape(x.shape[1], -1).tolist()
    means = [math.fsum(row) / len(row) for row in rows]
    return np.array([means, [math.fsum((v - m) ** 2 for v in row) / len(row) for row, m in zip(rows, means)]])


def _batch_normalised(x: np.ndarray, moments: np.ndarray, w: Any, b: Any, of_batch: bool, eps: float) -> np.ndarray:
    mean, variance, w, b = [
        np.reshape(v, (-1, *(1,) * (x.ndim - 2)))
        for v in (*((0.0, 1.0 - eps) if moments is None else moments), 1.0 if w is None else w, 0.0 if b is None else b)
    ]
    return (x - mean) / np.sqrt(variance + eps) * w + b


def _huber(x: float, target: float, delta: float) -> float:
    error = abs(x - target)
    return 0.5 * error * error if error <= delta else delta * (error - 0.5 * delta)


def _picked(x: np.ndarray, target: np.ndarray, weight: Any, ignore: int, reduction: str) -> Any:
    counts = [(0.0 if t == ignore else 1.0 if weight is None else float(weight[t])) for t in target]
    terms = [-c * row[t] if c else 0.0 for row, t, c in zip(x, target, counts)]
    if reduction == "none":
        return np.array(terms)
    return math.fsum(terms) / (math.fsum(counts) if reduction == "mean" else 1.0)


MATRICES = (
    (real(3, 4), real(4, 2)), (real(1, 1), real(1, 1)), (real(3, 4).T, real(3, 2)), (strided(real(2, 3)), strided(real(3, 2))), (real(2, 3, 4), real(4, 2)),
    (real(2, 3, 4), real(2, 4, 2)), (real(2, 1, 2, 3), real(3, 3, 2)), (real(0, 3), real(3, 2)), (real(2, 0), real(0, 3)), (real(2, 3), real(1, 3, 2)), (backwards(real(2, 3)), real(3, 1)),
)  # fmt: skip
LAYERS = (
    (real(3, 4), real(2, 4), real(2)), (real(3, 4), real(2, 4), None), (real(2, 2, 3), real(4, 3), real(4)), (real(0, 3), real(2, 3), real(2)),
    (strided(real(3, 2)), strided(real(4, 2)), real(4)), (real(1, 3), real(1, 3), real(1)), (real(3), real(2, 3), real(2)),
)  # fmt: skip
ROWS = (
    (real(3, 4), real(4), real(4, salt=1), 1), (real(3, 4), None, None, 1), (real(3, 4), real(4), None, 1), (real(2, 3, 4), None, real(3, 4), 2),
    (real(5), real(5), real(5, salt=1), 1), (strided(real(2, 5)), real(5), strided(real(5, salt=1)), 1), (real(5, 2, 3).T, real(5), real(5, salt=1), 1),
)  # fmt: skip
IMAGES = (
    (real(5, 3), real(3), real(3, salt=1)), (real(3, 2, 4), None, None), (real(2, 3, 2, 2), real(3), None), (strided(real(4, 3)), None, strided(real(3))),
)  # fmt: skip
RUNNING = np.stack([real(3), real(3, low=0.5)])
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
SHARES = (
    (real(3, 4, low=0.1, high=0.9), real(3, 4, low=0.1, high=0.9, salt=1)),
    (real(low=0.1, high=0.9), real(low=0.1, high=0.9, salt=1)),
    (strided(real(2, 3, low=0.1, high=0.9)), real(3, low=0.1, high=0.9, salt=1)),
)
WIDE = np.random.default_rng(6).standard_normal((257, 131))


SAMPLES: dict[str, list[Sample]] = {
    "matmul": [Sample(p, (), _product, atol=8) for p in MATRICES] + [Sample((WIDE, WIDE.T), atol=256, smooth=False), Sample((ODD, real(3, 2)), smooth=False, gradient=False)],
    "linear": [Sample(layer, (act,), _dense, atol=8) for layer in LAYERS for act in (None, "relu", "tanh", "sigmoid")]
        + [Sample((WIDE, WIDE[:130], b), (act,), atol=256, smooth=False) for act, b in ((None, None), ("relu", WIDE[0, :130]), ("tanh", WIDE[0, :130]), ("sigmoid", None))]
        + [Sample((ODD, real(2, 3), b), (act,), smooth=False, gradient=False) for b in (None, real(2)) for act in (None, "relu", "tanh", "sigmoid")]
        + [Sample((BIG, BIG[:3], None), (act,), atol=256, smooth=False) for act in (None, "relu")],
    "layer_norm": [Sample((x, w, b), (rank, 1e-5), _normalised, atol=16) for x, w, b, rank in ROWS]
        + [Sample((WIDE, WIDE[0], WIDE[1]), (1, 1e-5), atol=256, smooth=False), Sample((BIG, None, None), (1, 1e-5), atol=256, smooth=False),
           Sample((ODD, None, None), (1, 1e-5), smooth=False, gradient=False)],
    "batch_moments": [Sample((x,), (), _moments, atol=16) for x, _, _ in IMAGES]
        + [Sample((x,), (), _moments, atol=64) for x in (WIDE, WIDE.reshape(257, 1, 131), np.stack([WIDE, WIDE], 1))],
    "batch_norm": [Sample((x, None, w, b), (False, 1e-5), _batch_normalised, atol=16) for x, w, b in IMAGES]
        + [Sample((x, _moments(x), w, b), (True, 1e-5), _batch_normalised, atol=16, smooth=False) for x, w, b in IMAGES]
        + [Sample((x, RUNNING, w, b), (False, 1e-5), _batch_normalised, atol=16) for x, w, b in IMAGES if x.shape[1] == 3]
        + [Sample((x, _moments(x), None, None), (True, 1e-5), atol=256, smooth=False) for x in (WIDE, np.stack([WIDE, WIDE], 1))],
    "mse": [Sample(p, (), lambda x, y: math.fsum(((x - y) ** 2).ravel()) / x.size, atol=8) for p in PAIRS]
        + [Sample((real(0, 2), real(0, 2)), (), lambda x, y: np.array(nan), smooth=False), Sample((ODD, real(5, 3)), smooth=False, gradient=False), Sample((large(-1, 1), large(-2, 2, 1)), atol=64, smooth=False)],
    "softmax_xent": [Sample(p, (-100,), _cross_entropy, atol=8) for p in LOGITS]
        + [Sample((real(4, 3), ints(0, 2, 1, 1)), (1,), _cross_entropy, atol=8), Sample((FAR, ints(0, 2)), (-100,), _cross_entropy, smooth=False),
           Sample((real(2, 3), ints(7, 7)), (7,), lambda *_: np.array(nan), smooth=False), Sample((ODD, ints(0, 1, 2, 0, 1)), (-100,), smooth=False, gradient=False), Sample((real(0, 3), ints()), (-100,), lambda *_: np.array(nan), smooth=False),
           Sample((BIG, np.arange(300) % 467), (-100,), atol=64, smooth=False)],
    "huber": [Sample(p, (d,), each(_huber), atol=8, smooth=d == 8.0) for p in PAIRS for d in (0.5, 8.0)]
        + [Sample((real(3, 1), real(4, salt=1)), (8.0,), each(_huber), atol=8), Sample((array(0.0, 1.0, -1.0, 2.0), array(0, 0, 0, 0) * 1.0), (1.0,), each(_huber), smooth=False, slopes=(array(0, 1, -1, 1), array(0, -1, 1, -1))),
           Sample((large(-2, 2), large(-2, 2, 1)), (0.75,), atol=64, smooth=False), Sample((real(0, 2), real(0, 2)), (1.0,)), Sample((ODD, ODD[::-1].copy()), (1.0,), smooth=False, gradient=False)],
    "bce": [Sample(p, (), each(lambda x, t: -t * math.log(x) - (1 - t) * math.log1p(-x)), atol=8) for p in SHARES]
        + [Sample((array(0.0, 1.0, 0.0, 1.0), array(0.0, 1.0, 1.0, 0.0)), (), lambda *_: array(0, 0, 100, 100), smooth=False, slopes=(array(0, 0, -1e12, 1e12), array(inf, -inf, inf, -inf))),
           Sample((large(0.01, 0.99), large(0, 1, 1)), atol=64, smooth=False), Sample((real(0, 2), real(0, 2)))],
    "bce_logits": [Sample((np.asarray(x * 6 - 3), t), (), each(lambda x, t: max(x, 0) - x * t + math.log1p(math.exp(-abs(x)))), atol=8) for x, t in SHARES]
        + [Sample((array(-800.0, 800.0, 800.0), array(0.0, 1.0, 0.0)), (), lambda *_: array(0, 0, 800), smooth=False, slopes=(array(0, 0, 1), array(800, -800, -800))),
           Sample((large(-30, 30), large(0, 1, 1)), atol=64, smooth=False), Sample((real(0, 2), real(0, 2)))],
    "nll": [Sample((x, t, w), (-100, r), _picked, atol=8) for x, t in LOGITS for w in (None, real(x.shape[1], low=0.5, high=2.0)) for r in ("mean", "sum", "none")]
        + [Sample((real(4, 3), ints(0, 2, 1, 1), None), (1, "mean"), _picked, atol=8), Sample((real(2, 3), ints(7, 7), None), (7, "mean"), lambda *_: np.array(nan), smooth=False),
           Sample((real(0, 3), ints(), None), (-100, "mean"), lambda *_: np.array(nan), smooth=False), Sample((BIG, np.arange(300) % 467, None), (-100, "mean"), atol=64, smooth=False)],
    "out_of_range": [Sample((t,), (3, -100), lambda t, n, i: np.array(any(v != i and not 0 <= v < n for v in t.ravel().tolist())))
                     for t in (ints(0, 2, 1), ints(0, 3), ints(-1), ints(-100, 0), ints(), np.array(2), ints([0, 5], [1, 1]))],
}  # fmt: skip
