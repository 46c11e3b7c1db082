"""The line that fit shows: a tqdm bar where tqdm is installed, else a line at the end of each pass."""

from __future__ import annotations

import time
from typing import Any, Self

import numpy as np

__all__ = ["Progress"]


def _text(logs: dict[str, float]) -> str:
    return " - ".join(f"{name}: {_number(value)}" for name, value in logs.items())


def _number(value: Any) -> str:
    if np.ndim(value):  # a metric with a number for each class
        return "[" + ", ".join(map(_number, np.ravel(value))) + "]"
    return f"{value:.4f}" if abs(value) >= 1e-3 or value == 0 else f"{value:.4e}"


class Progress:
    """Shows one pass.

    Args:
        title: "Epoch 1/5", "evaluate" ….
        total: the number of batches; 0 where it is unknown.
        verbose: 0 for nothing, 1 or "auto" for a bar, 2 for a line at the end.
    """

    def __init__(self, title: str, total: int, verbose: Any) -> None:
        self.title, self.total = title, total
        self.level = 1 if verbose == "auto" else int(verbose)
        self.bar: Any = None
        self.steps = 0

    def __enter__(self) -> Self:
        self.start = time.perf_counter()
        if self.level == 1:
            try:
                from tqdm import tqdm
            except ImportError:  # an optional extra
                self.level = 2
            else:
                self.bar = tqdm(total=self.total or None, desc=self.title, unit="batch", dynamic_ncols=True)
        return self

    def step(self, logs: dict[str, float]) -> None:
        """A batch is done."""
        self.steps += 1
        if self.bar is not None:
            self.bar.set_postfix_str(_text(logs), refresh=False)
            self.bar.update()

    def done(self, logs: dict[str, float]) -> None:
        """The pass is done."""
        if self.bar is not None:
            self.bar.set_postfix_str(_text(logs))
        elif self.level == 2:
            spent = time.perf_counter() - self.start
            each = f" - {1000 * spent / self.steps:.0f}ms/step" if self.steps else ""
            values = f" - {_text(logs)}" if logs else ""
            print(f"{self.title}\n{self.steps}/{self.total or self.steps} - {spent:.1f}s{each}{values}")

    def __exit__(self, *_: Any) -> None:
        if self.bar is not None:
            self.bar.close()
