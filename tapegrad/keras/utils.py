"""What Keras scripts need besides."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from ..backends.random import default_generator
from .layers.base import clear_names
from .metric_base import as_array

__all__ = ["clear_session", "set_random_seed", "to_categorical"]


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """One-hot rows of class numbers.

    Args:
        x: integers of any shape; a last dimension of 1 is dropped.
        num_classes: one more than the largest number without.

    Returns:
        Zeros and ones, with a last dimension of ``num_classes``.

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    classes = as_array(x).astype(np.int64)
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    return np.eye(int(classes.max()) + 1 if num_classes is None else num_classes)[classes]


def set_random_seed(seed: int) -> None:
    """Seed Python's, NumPy's and tapegrad's generators."""
    random.seed(seed)
    np.random.seed(seed)
    default_generator.manual_seed(seed)


def clear_session() -> None:
    """Name layers and models from the beginning again: dense, dense_1 …."""
    clear_names()
