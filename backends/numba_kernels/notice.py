"""What happens around the compiling of kernels, which makes a program wait: a line on stderr, and no collections."""

from __future__ import annotations

import gc
import sys
from typing import Any

from numba.core import event

__all__ = ["announce"]

_KIND = "numba:run_pass"  # Numba's compiler at work; loading from the cache runs no pass


class _Listener(event.Listener):  # type: ignore[misc]
    """Hears of our own kernels only: the host program may use Numba too."""

    def on_start(self, event: Any) -> None:
        if event.data["module"].startswith(__package__ or ""):
            self.start()

    def on_end(self, event: Any) -> None:
        if event.data["module"].startswith(__package__ or ""):
            self.end()

    def start(self) -> None:
        """Before a pass."""

    def end(self) -> None:
        """After it."""


class _Notice(_Listener):
    """Tells once."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def start(self) -> None:
        event.unregister(_KIND, self)
        print(
            "tapegrad: compiling kernels, some seconds at their first use; kept in " + self.folder,
            file=sys.stderr, flush=True,
        )  # fmt: skip


class _Pause(_Listener):
    """Keeps Python's garbage collector from walking, again and again, over what the compiler builds to keep.

    That took a fifth of the time. Passes nest, where one function calls another, in one thread at a time.
    """

    depth = 0
    before = False

    def start(self) -> None:
        if self.depth == 0:
            self.before = gc.isenabled()
            gc.disable()
        self.depth += 1

    def end(self) -> None:
        self.depth -= 1
        if self.depth == 0 and self.before:
            gc.enable()


def announce(folder: str) -> None:
    """Tell the user as soon as a kernel of this package is compiled rather than loaded."""
    event.register(_KIND, _Pause())
    event.register(_KIND, _Notice(folder))  # after the other: when one leaves, Numba misses out the next
