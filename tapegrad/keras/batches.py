"""The batches of an epoch: from arrays, shuffled or not, or from an iterable of batches."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from ..autograd import Tensor, get_default_dtype
from ..backends.random import default_generator
from .metric_base import as_array

__all__ = ["Arrays", "Feed", "Iterable", "make", "split", "weights_of_classes"]

Batch = tuple[Any, Any, Any]


def _host(value: Any) -> Any:
    """A host array; floats take the default element type."""
    array = as_array(value)
    if array.dtype == object:
        raise ValueError("the data is an array of objects: rows of different lengths, or no numbers")
    return array.astype(get_default_dtype().numpy, copy=False) if array.dtype.kind in "fb" else array


class Arrays:
    """Batches out of whole arrays.

    Args:
        x, y, weight: examples, targets and sample weights (the last two or None), as many of each.
        batch_size: examples in a batch; the last batch has what is left.
        shuffle: a new order in each pass.

    Raises:
        ValueError: no examples, different numbers of them, or a batch size below 1.
    """

    def __init__(self, x: Any, y: Any = None, weight: Any = None, batch_size: int = 32, shuffle: bool = False) -> None:
        self.x: Any
        self.x, self.y, self.weight = (None if a is None else _host(a) for a in (x, y, weight))
        if not np.ndim(self.x) or not len(self.x):
            raise ValueError("there are no examples: x must be an array whose first dimension counts them")
        for name, other in (("y", self.y), ("sample_weight", self.weight)):
            if other is not None and (not np.ndim(other) or len(other) != len(self.x)):
                raise ValueError(f"x has {len(self.x)} examples, but {name} has shape {np.shape(other)}")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.batch_size, self.shuffle = int(batch_size), shuffle

    def __len__(self) -> int:
        return math.ceil(len(self.x) / self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        n = len(self.x)
        order = default_generator.randperm(n) if self.shuffle else None
        for start in range(0, n, self.batch_size):
            part: Any = slice(start, start + self.batch_size)
            if order is not None:
                part = order[part]
            yield tuple(None if a is None else a[part] for a in (self.x, self.y, self.weight))  # type: ignore[misc]


class Iterable:
    """Batches as an iterable gives them: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``, such as a DataLoader."""

    def __init__(self, source: Any) -> None:
        self.source = source

    def __len__(self) -> int:
        return len(self.source) if hasattr(self.source, "__len__") else 0

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.source:
            parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
            x, y, weight = (*parts, None, None)[:3]
            yield tuple(None if a is None else _host(a) for a in (x, y, weight))  # type: ignore[misc]


class Feed:
    """The batches of one pass after another.

    Args:
        source: an ``Arrays`` or ``Iterable``.
        steps_per_epoch: end a pass after this many batches, and go on from there in the next one. None for all.

    Attributes:
        steps: the batches of a pass; 0 where it is unknown.
    """

    def __init__(self, source: Any, steps_per_epoch: int | None) -> None:
        self.source, self.limit = source, steps_per_epoch
        self._left: Iterator[Batch] | None = None
        self._seen = 0
        self.steps = min(len(source), steps_per_epoch or len(source)) or steps_per_epoch or 0

    def __iter__(self) -> Iterator[Batch]:
        if not self.limit:
            yield from self.source
            return
        if self._left is None:
            self._left, self._seen = iter(self.source), 0
        before = self._seen
        for batch in islice(self._left, self.limit):
            self._seen += 1
            yield batch
        if self._seen < before + self.limit:
            warnings.warn(
                f"the data ended after {self._seen - before} of steps_per_epoch={self.limit} batches", stacklevel=3
            )
            self._left = None
        elif self._seen == len(self.source):
            self._left = None


def make(x: Any, y: Any = None, weight: Any = None, batch_size: int | None = None, shuffle: bool = False) -> Any:
    """Batches of whatever ``fit`` and its like were given.

    Raises:
        ValueError: arguments that an iterable of batches excludes; arrays that do not fit.
    """
    if isinstance(x, (Tensor, np.ndarray, list, tuple)) or hasattr(x, "__array__") or y is not None:
        return Arrays(x, y, weight, 32 if batch_size is None else batch_size, shuffle)
    if not hasattr(x, "__iter__"):
        raise ValueError(f"x must be an array, a tensor or an iterable of batches, got {type(x).__name__}")
    if weight is not None or batch_size is not None:
        raise ValueError("an iterable of batches has batch sizes and weights of its own: leave both arguments out")
    return Iterable(x)


def split(share: float, *arrays: Any) -> tuple[list[Any], list[Any]]:
    """The arrays without their last ``share``, and that share: taken before any shuffling.

    Raises:
        ValueError: a share outside of (0, 1), or one that leaves a part empty.
    """
    if not 0 < share < 1:
        raise ValueError(f"validation_split must be in (0, 1), got {share}")
    hosts = [None if a is None else as_array(a) for a in arrays]
    n = len(hosts[0])  # type: ignore[arg-type]
    at = math.floor(n * (1 - share))
    if at in (0, n):
        raise ValueError(f"validation_split={share} of {n} examples leaves none to train on or none to validate with")
    return [a if a is None else a[:at] for a in hosts], [a if a is None else a[at:] for a in hosts]


def weights_of_classes(y: Any, class_weight: dict[int, float]) -> np.ndarray:
    """The weight of each example's class; 1 for classes without an entry."""
    classes = as_array(y)
    if classes.ndim > 1:
        classes = classes.argmax(-1) if classes.shape[-1] > 1 else classes[..., 0]
    weights = np.ones(classes.shape, get_default_dtype().numpy)
    for cls, weight in class_weight.items():
        weights[np.rint(classes) == int(cls)] = weight
    return weights
