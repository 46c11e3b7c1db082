"""The line that fit shows: a tqdm bar where tqdm is installed, else a line at the end of each pass."""

from __future__ import annotations

import time
from typing import Any, Self

__all__ = ["Progress"]


def _text(logs: dict[str, float]) -> str:
    return " - ".join(f"{name}: {value:.4f}" if abs(value) >= 1e-3 or value == 0 else f"{name}: {value:.4e}"
                      for name, value in logs.items())  # fmt: skip


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
        if self.bar is not None:
            self.bar.set_postfix_str(_text(logs), refresh=False)
            self.bar.update()

    def done(self, logs: dict[str, float]) -> None:
        """The pass is done."""
        if self.bar is not None:
            self.bar.set_postfix_str(_text(logs))
        elif self.level == 2:
            print(f"{self.title} - {time.perf_counter() - self.start:.1f}s - {_text(logs)}")

    def __exit__(self, *_: Any) -> None:
        if self.bar is not None:
            self.bar.close()
