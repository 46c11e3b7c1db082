"""Where compiled kernels are kept between processes.

Numba recompiles a cached function when the date of the file that defines it changes, but not when a file changes
whose functions it inlines. The folder's name therefore holds a digest of all kernel sources: another version of the
kernels gets another folder. Folders can be deleted at any time.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

__all__ = ["compiling", "folder", "instance", "on_first_use", "typed"]

_lock = threading.RLock()
_held: list[Any] = []  # Numba's module with its compiler's lock, while a fork is under way


@contextlib.contextmanager
def compiling() -> Iterator[None]:
    """Within it, functions decorated with Numba's ``cache=True`` are kept in :func:`folder`.

    Numba reads the folder's name when it decorates, so kernel modules are imported in this context. The setting of
    the host program is put back afterwards.
    """
    from numba import config

    with _lock:
        _first_use()
        before = config.CACHE_DIR
        config.CACHE_DIR = str(folder())
        try:
            yield
        finally:
            config.CACHE_DIR = before


@functools.cache
def _first_use() -> None:
    """Once in a process that uses kernels: tell the user when some are compiled, list those used if asked to."""
    from .notice import announce

    announce(str(folder()))
    listed = os.environ.get("TAPEGRAD_MANIFEST", "").strip()
    if listed:
        from .manifest import write_at_exit

        write_at_exit(listed)


def on_first_use(namespace: dict[str, Any], make: Callable[[str], Any]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module whose kernels are compiled, or loaded from the cache, one by one.

    Args:
        namespace: the module's ``globals()``; a kernel is kept there once it is made.
        make: makes the kernel of a name; a ``KeyError`` says that there is none.
    """

    def getattr_(name: str) -> Any:
        try:
            with compiling():
                kernel = make(name)
        except KeyError:
            raise AttributeError(f"module {namespace['__name__']} has no kernel '{name}'") from None
        namespace[name] = kernel
        return kernel

    return getattr_


def instance(template: Any, name: str, **constants: Any) -> Any:
    """``template`` with other global constants, to be compiled under a name of its own.

    Not a closure: Numba's cache would key it by the identity of what it closes over, which no other process shares.
    """
    made = FunctionType(template.__code__, template.__globals__ | constants, name)
    made.__qualname__ = name  # the key in the cache
    return made


def typed(function: Any, signatures: Iterable[Any], **options: Any) -> Any:
    """``function`` compiled for arrays of a few types, for each when such arrays are first given.

    Args:
        signatures: Numba's, which differ in the types of their arrays; where they are several, ``declared`` has them.
        options: Numba's.

    Returns:
        The kernel; it raises TypeError for all other types and layouts of arrays.
    """
    from .compiled import kernel as decorator

    declared = tuple(dict.fromkeys(signatures))
    kernel = decorator(**options)(function)
    if len(declared) == 1:
        kernel.compile(declared[0])
        kernel.disable_compile()
    else:
        kernel.declared = declared
        kernel._compile_for_args = functools.partial(_compile, kernel)  # called where there is no code for these types
    return kernel


def _compile(kernel: Any, *arguments: Any) -> Any:
    """The machine code of ``kernel`` for these arguments; numbers are converted."""
    from numba import typeof, types

    given = [typeof(a) if isinstance(a, np.ndarray) else None for a in arguments]
    for signature in kernel.declared:
        wanted = [t if isinstance(t, types.Array) else None for t in signature.args]
        if wanted == given:
            return kernel.compile(signature)
    raise TypeError(f"kernel {kernel.__name__[1:]}: no code for {', '.join(str(g) for g in given if g is not None)}")


@functools.cache
def folder() -> Path:
    """The folder of the compiled kernels, created if need be.

    It lies in ``TAPEGRAD_CACHE`` or else in the user's cache folder; where that cannot be written to, in the folder
    for temporary files.
    """
    chosen = os.environ.get("TAPEGRAD_CACHE", "").strip()
    place = _usable((Path(chosen).expanduser() if chosen else _user_cache()) / _digest())
    if place is not None:
        return place
    if chosen:
        warnings.warn(f"TAPEGRAD_CACHE={chosen} cannot be written to; using a temporary folder", stacklevel=2)
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    place = _usable(Path(tempfile.gettempdir()) / f"tapegrad-{owner}" / _digest())
    return Path(tempfile.mkdtemp(prefix="tapegrad-")) if place is None else place


def _user_cache() -> Path:
    """The platform's folder for files that a user's programs may lose."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tapegrad"


def _usable(place: Path) -> Path | None:
    """``place``, created, if this user can write to it and owns it: what lies there will be executed."""
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            pass
        if hasattr(os, "getuid") and place.stat().st_uid != os.getuid():
            return None
    except (OSError, RuntimeError):
        return None
    return place


def _digest() -> str:
    """Names and contents of the kernel sources, in 16 characters."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _wait_for_others() -> None:
    """Before a fork: no other thread may be compiling, or the child would wait for a lock that nobody gives back."""
    _lock.acquire()
    compiler = sys.modules.get("numba.core.compiler_lock")
    if compiler is not None:
        compiler.global_compiler_lock.acquire()
    _held.append(compiler)


def _go_on() -> None:
    """After a fork, in parent and child."""
    compiler = _held.pop()
    if compiler is not None:
        compiler.global_compiler_lock.release()
    _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_wait_for_others, after_in_parent=_go_on, after_in_child=_go_on)
