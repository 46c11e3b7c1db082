"""The tensors of calls of nn.functional that are made on both libraries."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Source"]


class Source:
    """Tensors of one library, from the same numbers under both; the floating ones are kept, to differentiate by."""

    def __init__(self, lib: Any, dtype: str) -> None:
        self.lib, self.dtype, self.numbers, self.leaves = lib, dtype, np.random.RandomState(5), []

    def __call__(self, *shape: int, low: float = -2.0, high: float = 2.0) -> Any:
        return self.of(self.numbers.uniform(low, high, shape))

    def of(self, values: Any) -> Any:
        made = self.plain(values).requires_grad_()
        self.leaves.append(made)
        return made

    def plain(self, values: Any) -> Any:
        values = np.asarray(values)
        return self.lib.tensor(values.tolist(), dtype=getattr(self.lib, self.dtype)).reshape(values.shape)

    def ints(self, values: Any) -> Any:
        return self.lib.tensor(np.asarray(values).tolist(), dtype=self.lib.int64)

    def flags(self, values: Any) -> Any:
        return self.lib.tensor(np.asarray(values, bool).tolist(), dtype=self.lib.bool)
