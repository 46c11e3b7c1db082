"""Samples made from others: the same call with inputs laid out otherwise in memory, or with other contents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..sample import Sample
from .inputs import SPECIAL, backwards, frozen, strided

__all__ = ["MOVES", "contents", "layouts"]

# Primitives that compute nothing: what they move must arrive bit by bit, whatever it is.
MOVES = tuple(
    "cat copy diagonal expand flip gather index index_put overwrite permute reshape roll scatter slice stack take "
    "transfer tril triu undiagonal unslice view_scatter where zero_view".split()
)
SMALL = 200


def _is_complex(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "c"


def _with(sample: Sample, function: Callable[[np.ndarray], np.ndarray]) -> Sample:
    """The sample with ``function`` applied to every input array."""

    def one(x: Any) -> Any:
        if isinstance(x, list):
            return [one(v) for v in x]
        return function(x) if isinstance(x, np.ndarray) else x

    return replace(sample, inputs=tuple(one(x) for x in sample.inputs))


def layouts(samples: list[Sample]) -> Iterator[Sample]:
    """The small samples with all inputs strided, stored backwards, and read-only."""
    for sample in samples:
        if all(x.size <= SMALL for x in sample.inputs if isinstance(x, np.ndarray)):
            for layout in (strided, backwards, frozen):
                yield _with(sample, layout)


def contents(samples: list[Sample]) -> Iterator[Sample]:
    """Of a primitive that moves values: its samples with nan, inf and zeros of either sign, with integers, with bools."""
    for sample in samples:
        if True in sample.attrs or any(isinstance(x, float) or _is_complex(x) for x in sample.inputs):
            continue  # index_put that adds; a float beside integers; a number in two parts
        for values in (SPECIAL, np.arange(-3, 1 << 40, 1 << 35), np.array([True, False, False, True, True])):
            yield _with(sample, lambda x, v=values: np.resize(v, x.shape) if x.dtype == np.float64 else x)  # type: ignore[misc]
