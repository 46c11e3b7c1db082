"""A callback that writes the logs as a table."""

from __future__ import annotations

import csv
import os
from typing import IO, Any

from .base import Callback, Logs

__all__ = ["CSVLogger"]


class CSVLogger(Callback):
    """Writes each pass's logs as a row of a table.

    Args:
        filename: of the table.
        separator: between columns.
        append: go on with an existing table, without another head.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename, self.separator, self.append = os.fspath(filename), separator, append
        self._file: IO[str] | None = None
        self._writer: Any = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._headed = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")
        self._writer = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        assert self._file is not None
        if self._writer is None:
            self.names = ["epoch", *sorted(logs)]
            self._writer = csv.DictWriter(self._file, self.names, restval="NA", delimiter=self.separator,
                                          extrasaction="ignore")  # fmt: skip
            if not self._headed:
                self._writer.writeheader()
        self._writer.writerow({"epoch": epoch, **logs})
        self._file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
