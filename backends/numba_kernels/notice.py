"""A line on stderr when kernels are compiled, which makes a program wait."""

from __future__ import annotations

import sys
from typing import Any

from numba.core import event

__all__ = ["announce"]

_KIND = "numba:run_pass"  # Numba's compiler at work; loading from the cache runs no pass


class _Notice(event.Listener):  # type: ignore[misc]
    """Tells once, and only of our own kernels: the host program may use Numba too."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def on_start(self, event: Any) -> None:
        if event.data["module"].startswith(__package__ or ""):
            _stop(self)
            print(
                "tapegrad: compiling kernels, some seconds at their first use; kept in " + self.folder,
                file=sys.stderr, flush=True,
            )  # fmt: skip

    def on_end(self, event: Any) -> None:
        """Nothing to do."""


def _stop(notice: _Notice) -> None:
    event.unregister(_KIND, notice)


def announce(folder: str) -> None:
    """Tell the user as soon as a kernel of this package is compiled rather than loaded."""
    event.register(_KIND, _Notice(folder))
