"""Samples of convolutions and of resampling."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ..sample import Sample
from .inputs import ODD, large, real, strided

__all__ = ["SAMPLES"]


def _terms(x: Any, w: Any, y: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """Of every product of an element of the images with a weight: the places of the two, and of the sum it is in."""
    filters, channels, *kernel = w
    for n, o, *q in np.ndindex(*y):
        for c, *k in np.ndindex(channels, *kernel):
            at = [i * s + j * d - p[0] for i, j, s, d, p in zip(q, k, stride, dilation, padding)]
            if all(0 <= i < m for i, m in zip(at, x[2:])):
                yield (n, o // (filters // groups) * channels + c, *at), (o, c, *k), (n, o, *q)


def _count(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    spans = [(k - 1) * d + 1 for k, d in zip(w[2:], dilation)]
    counts = [(m + sum(p) - k) // s + 1 for m, k, s, p in zip(x[2:], spans, stride, padding)]
    return (x[0], w[0], *counts)


def _conv(x: np.ndarray, w: np.ndarray, b: Any, *attrs: Any) -> np.ndarray:
    out = np.zeros(_count(x.shape, w.shape, *attrs))
    for i, j, k in _terms(x.shape, w.shape, out.shape, *attrs):
        out[k] += x[i] * w[j]
    return out if b is None else out + b.reshape(-1, *(1,) * (x.ndim - 2))


def _conv_back(g: np.ndarray, w: np.ndarray, size: Any, *attrs: Any) -> np.ndarray:
    out = np.zeros((g.shape[0], w.shape[1] * attrs[-1], *size))
    for i, j, k in _terms(out.shape, w.shape, g.shape, *attrs):
        out[i] += g[k] * w[j]
    return out


def _conv_weight(x: np.ndarray, g: np.ndarray, kernel: Any, *attrs: Any) -> np.ndarray:
    out = np.zeros((g.shape[1], x.shape[1] // attrs[-1], *kernel))
    for i, j, k in _terms(x.shape, out.shape, g.shape, *attrs):
        out[j] += x[i] * g[k]
    return out


# images, filters, whether there is a bias; stride, padding, dilation, groups
CASES: tuple[Any, ...] = (
    ((2, 2, 5), (3, 2, 3), True, ((1,), ((1, 1),), (1,), 1)),
    ((1, 2, 6), (2, 1, 2), False, ((2,), ((0, 1),), (2,), 2)),
    ((2, 1, 4, 4), (2, 1, 3, 3), True, ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)),
    ((1, 2, 5, 4), (2, 2, 2, 3), False, ((2, 1), ((0, 1), (2, 0)), (1, 1), 1)),
    ((1, 4, 3, 3), (2, 2, 2, 1), True, ((2, 3), ((1, 0), (0, 0)), (1, 2), 2)),
    ((1, 2, 3, 2, 2), (1, 2, 2, 1, 2), True, ((1, 1, 2), ((0, 0), (0, 0), (1, 1)), (1, 1, 1), 1)),
    ((0, 2, 3), (1, 2, 2), True, ((1,), ((0, 0),), (1,), 1)),
)  # fmt: skip
LARGE = (
    ((5, 6, 19, 23), (5, 6, 3, 3), True, ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)),
    ((2, 40, 13, 9), (5, 40, 2, 3), True, ((1, 1), ((0, 1), (1, 1)), (1, 1), 1)),
    ((3, 8, 18, 21), (6, 4, 4, 3), True, ((2, 2), ((1, 1), (1, 2)), (1, 1), 2)),
)


def _samples(form: str, cases: Any, checked: bool) -> list[Sample]:
    made = []
    for x, w, bias, attrs in cases:
        images, filters, result = real(*x), real(*w), real(*_count(x, w, *attrs), salt=1)
        inputs, attrs, expect = {
            "conv": ((images, filters, real(w[0]) if bias else None), attrs, _conv),
            "conv_back": ((result, filters), (x[2:], *attrs), _conv_back),
            "conv_weight": ((images, result), (w[2:], *attrs), _conv_weight),
        }[form]
        made.append(Sample(inputs, attrs, expect if checked else None, atol=16 if checked else 256, smooth=checked))
    return made


def _resampled(x: np.ndarray, dim: int, starts: Any, places: Any, weights: Any) -> np.ndarray:
    rows = np.moveaxis(x, dim, 0)
    out = np.zeros((len(starts) - 1, *rows.shape[1:]), x.dtype)
    for j, (begin, end) in enumerate(itertools.pairwise(starts)):
        for k in range(begin, end):
            out[j] += rows[places[k]] * (weights[k] if weights else 1)
    return np.moveaxis(out, 0, dim)


# Sums of two, none, one and four terms; copies
TAPS: tuple[Any, ...] = ((0, 2, 2, 3, 7), (0, 2, 1, 2, 0, 0, 1), (0.5, 0.25, -1.5, 2.0, 0.5, 0.25, -1.0))
COPIES: tuple[Any, ...] = ((0, 1, 2, 3, 4, 5), (0, 0, 1, 2, 2), ())

SAMPLES: dict[str, list[Sample]] = {
    form: _samples(form, CASES, True) + _samples(form, LARGE, False) for form in ("conv", "conv_back", "conv_weight")
}
# Images with room for one window more than the transpose reads
_ROOM = ((8,), (1,), ((0, 0),), (2,), 1)
SAMPLES["conv_back"].append(Sample((real(1, 2, 3), real(2, 1, 3)), _ROOM, _conv_back, atol=16))
SAMPLES["conv_weight"].append(Sample((real(1, 1, 8), real(1, 2, 3)), ((3,), *_ROOM[1:]), _conv_weight, atol=16))
SAMPLES["resample"] = [
    Sample((real(*shape),), (dim, *plan), _resampled, atol=8)
    for shape, dim in (((3,), 0), ((2, 3), 1), ((3, 2, 2), 0), ((2, 3, 4), 1)) for plan in (TAPS, COPIES)
] + [
    Sample((strided(real(2, 3)),), (1, *TAPS), _resampled, atol=8), Sample((real(0, 3),), (1, *TAPS), _resampled),
    Sample((ODD,), (1, *COPIES), _resampled, smooth=False, gradient=False),
    Sample((large(-2, 2)[:140_000].reshape(-1, 7),), (1, *TAPS), atol=8, smooth=False),
]  # fmt: skip
# Modes of looking at images, and at volumes
LOOKS = (
    ("bilinear", "zeros", False), ("bilinear", "border", True), ("bilinear", "reflection", False),
    ("bilinear", "reflection", True), ("nearest", "zeros", True), ("nearest", "reflection", False),
    ("bicubic", "zeros", False), ("bicubic", "border", True),
)  # fmt: skip


def _grid(batch: int, count: tuple[int, ...]) -> np.ndarray:
    return real(batch, *count, len(count), low=-1.4, high=1.4, salt=2)


SAMPLES["grid_sample"] = [
    Sample((real(*x), _grid(x[0], count)), how, atol=32, smooth=how[0] != "nearest")
    for x, count, several in (((2, 1, 3, 2), (1, 2), LOOKS), ((1, 1, 2, 3, 2), (1, 2, 1), LOOKS[:5:3]))
    for how in several
] + [
    Sample((strided(real(1, 2, 3, 4)), strided(_grid(1, (3, 2)))), ("bilinear", "zeros", False), atol=32),
    Sample((real(2, 3, 1, 1), _grid(2, (3, 2))), ("bilinear", "reflection", True), atol=32, smooth=False),
    Sample((real(3, 4, 40, 31), _grid(3, (50, 60))), ("bilinear", "zeros", False), atol=256, smooth=False),
]  # fmt: skip
SAMPLES["conv"] += [
    Sample((strided(real(2, 2, 4, 3)), strided(real(2, 2, 2, 2)), None), CASES[2][3], _conv, atol=16),
    Sample((ODD.reshape(1, 1, *ODD.shape), real(2, 1, 2, 2), None), ((1, 1), ((0, 0), (0, 0)), (1, 1), 1), smooth=False, gradient=False),
]  # fmt: skip
