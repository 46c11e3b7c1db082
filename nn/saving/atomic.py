"""Writing a file so that its name stands for the old content or for the new, never for half of it."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

__all__ = ["written"]

BINARY = getattr(os, "O_BINARY", 0)


@contextmanager
def written(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write to; when the block ends well it takes the place of ``path`` at once.

    Until then it is a hidden file in the same folder, which an error in the block removes. A link is followed; an
    existing file leaves its permissions to its successor. What is no file, such as a pipe, is written directly.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    target = os.path.realpath(os.fspath(path))
    mode = os.stat(target).st_mode if os.path.exists(target) else None
    if mode is not None and not stat.S_ISREG(mode):
        with open(target, "wb") as file:
            yield file
        return
    folder, name = os.path.split(target)
    hidden = os.path.join(folder, f".{name[:200]}.{secrets.token_hex(6)}.tmp")
    # Not tempfile's: its files are for their owner only, and would stay so under the new name.
    number = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, 0o666)
    try:
        with os.fdopen(number, "w+b") as file:
            if mode is not None:
                os.chmod(hidden, stat.S_IMODE(mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(hidden, target)
    except BaseException:
        os.unlink(hidden)
        raise
    _keep_the_name(folder)


def _keep_the_name(folder: str) -> None:
    """Have the folder's entry written too, where folders can be opened (not on Windows)."""
    if os.name == "nt":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
