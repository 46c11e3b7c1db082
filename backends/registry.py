"""The registry: which backends there are, whether each can run, and which one serves a device.

NumPy and Numba are two kernel sets for the same CPU arrays, so ``use`` swaps the kernels of the ``cpu``
device in place; tensors made before stay valid. The choice is one for the whole process.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

from .device import device

__all__ = [
    "PRIMITIVES", "BackendError", "available", "bind", "current", "current_index", "declare", "default_device",
    "device_of", "device_types", "get", "get_default_device", "names", "register", "serves", "set_default_device",
    "status", "use",
]  # fmt: skip


class BackendError(RuntimeError):
    """A backend is unknown, or cannot run on this machine."""


class Entry:
    """How to load one backend: ``load`` makes it; ``why_not`` says why it cannot run, or None."""

    def __init__(self, name: str, load: Callable[[], Any], why_not: Callable[[], str | None], device_type: str) -> None:
        self.name, self.load, self.why_not, self.device_type = name, load, why_not, device_type
        self.backend: Any = None


_entries: dict[str, Entry] = {}
_entry_points_read = False
# device type -> the backend chosen to run it; the cpu always has one
_choices = {"cpu": "numba"}
_default_device: device | None = None

# The table of primitives: name -> its place in every device's list of kernels. The rules in `autograd` declare them.
PRIMITIVES: dict[str, int] = {}


def register(
    name: str, load: Callable[[], Any], *, device_type: str = "cpu", why_not: Callable[[], str | None] = lambda: None
) -> None:
    """Make a backend known under ``name``.

    Args:
        name: what ``TAPEGRAD_BACKEND`` and ``use`` will call it.
        load: makes the backend; called once, at first use.
        device_type: the device type whose arrays it computes on.
        why_not: a cheap test: None when the backend can run here, else the reason in words.
    """
    _entries[name] = Entry(name, load, why_not, device_type)


def _lazy(module: str, attribute: str) -> Callable[[], Any]:
    return lambda: getattr(importlib.import_module(module, __package__), attribute)()


def _read_entry_points() -> None:
    """Add the third-party backends of the entry-point group ``tapegrad.backends``, once."""
    global _entry_points_read
    if _entry_points_read:
        return
    _entry_points_read = True
    from importlib.metadata import entry_points

    for point in entry_points(group="tapegrad.backends"):
        if point.name in _entries:
            continue
        try:
            made = point.load()
            device_type = made.device_type
        except Exception as error:  # a broken plug-in must not break the others: it is listed with its error
            reason = f"its entry point {point.value} fails: {type(error).__name__}: {error}"
            register(point.name, dict, why_not=lambda reason=reason: reason)  # type: ignore[misc]
        else:
            register(point.name, made, device_type=device_type, why_not=getattr(made, "why_not", lambda: None))


def names() -> list[str]:
    """The names of all known backends."""
    _read_entry_points()
    return list(_entries)


def _entry(name: str) -> Entry:
    if name not in _entries:
        _read_entry_points()
    entry = _entries.get(name)
    if entry is None:
        raise BackendError(f"unknown backend '{name}'; known are:\n{_overview()}")
    return entry


def status(name: str) -> str | None:
    """None when the backend can run here, else the reason why it cannot."""
    return _entry(name).why_not()


def _overview() -> str:
    lines = []
    for name in names():
        reason = status(name)
        lines.append(f"  {name}: usable" if reason is None else f"  {name}: not usable: {reason}")
    return "\n".join(lines)


def available() -> list[str]:
    """The names of the backends that can run here."""
    return [name for name in names() if status(name) is None]


def get(name: str) -> Any:
    """The backend called ``name``, loaded on first use.

    Raises:
        BackendError: unknown, or not usable here; the text lists every backend and why it is usable or not.
    """
    entry = _entry(name)
    if entry.backend is None:
        reason = entry.why_not()
        if reason is not None:
            raise BackendError(f"backend '{name}' is not usable: {reason}; known are:\n{_overview()}")
        entry.backend = entry.load()
    return entry.backend


def device_types() -> set[str]:
    """The device types that the registered backends serve."""
    return {entry.device_type for entry in _entries.values()}


def serves(device_type: str) -> bool:
    """Whether some backend serves a device type; plug-ins are loaded only where none of the known ones does."""
    if device_type not in device_types():
        _read_entry_points()
    return device_type in device_types()


def current_index(device_type: str) -> int:
    """The number of the current device of a type that has several."""
    return int(get(_serving(device_type)).current_index())


def declare(name: str) -> int:
    """Give the primitive ``name`` its place in the table of every device; returns the place."""
    place = PRIMITIVES.setdefault(name, len(PRIMITIVES))
    for known in device._known.values():
        if known.backend is not None:
            bind(known, known.backend)
    return place


def bind(where: device, backend: Any) -> None:
    """Let ``backend`` run the primitives on the device ``where``."""
    where.backend = backend
    where.scalars = backend.scalars
    where.kernels[:] = [backend.kernel(name) for name in PRIMITIVES]
    where.vjps[:] = []


def device_of(value: device | str | None) -> device:
    """The device that ``value`` names (None: the default one), with its backend loaded."""
    if value is None:
        return default_device()
    found = value if type(value) is device else device(value)
    if found.backend is None:
        bind(found, get(_serving(found.type)).on(found))
    return found


def _serving(device_type: str) -> str:
    """The backend that runs a device type: the chosen one, else the first that can run here."""
    if device_type in _choices:
        return _choices[device_type]
    serving = [entry for entry in _entries.values() if entry.device_type == device_type]
    return next((entry for entry in serving if entry.why_not() is None), serving[0]).name


def _rebind(device_type: str) -> None:
    """Hand the devices of a type that are in use to the backend that now runs it."""
    for known in list(device._known.values()):
        if known.type == device_type and known.backend is not None:
            bind(known, get(_serving(device_type)).on(known))


class use:  # noqa: N801 - reads as a verb
    """Choose the backend, for the rest of the program or within a ``with`` block.

    ``use("numpy")`` and ``use("numba")`` choose the kernels of the ``cpu`` device. ``use("cupy")`` makes
    ``cuda:0`` the default device and leaves the CPU to Numba; another device type's backend likewise. Where several
    backends serve one device type, the chosen one runs its devices. The choice holds for all threads.

    Args:
        name: a backend's name.

    Raises:
        BackendError: unknown, or not usable here.
    """

    def __init__(self, name: str) -> None:
        global _default_device
        get(name)
        kind = _entry(name).device_type
        self._before = (dict(_choices), _default_device)
        _choices[kind] = name
        _default_device = None if kind == "cpu" else device(kind, 0)
        _rebind(kind)

    def __enter__(self) -> use:
        return self

    def __exit__(self, *exc: object) -> None:
        global _default_device
        chosen, (before, _default_device) = dict(_choices), self._before
        _choices.clear()
        _choices.update(before)
        for kind in chosen:
            if chosen[kind] != before.get(kind):
                _rebind(kind)


def current() -> Any:
    """The backend that runs operations on the default device."""
    return default_device().backend


def default_device() -> device:
    """The device on which tensors are made when none is named."""
    cpu = device._known.get(("cpu", None)) if _default_device is None else None
    if cpu is not None and cpu.backend is not None:
        return cpu
    return device_of(_default_device or "cpu")


get_default_device = default_device  # PyTorch's name


def set_default_device(value: device | str | None) -> None:
    """Make tensors on ``value`` from now on; None gives the choice back to the backend."""
    global _default_device
    _default_device = None if value is None else device_of(value)


def choose_from_environment() -> None:
    """Follow ``TAPEGRAD_BACKEND``; an unknown name fails here, an unusable backend at its first use."""
    global _default_device
    name = os.environ.get("TAPEGRAD_BACKEND", "").strip() or "numba"
    entry = _entry(name)
    _choices[entry.device_type] = name
    if entry.device_type != "cpu":
        _default_device = device(entry.device_type, 0)


def _numba_why_not() -> str | None:
    from importlib.util import find_spec

    return None if find_spec("numba") else "the package numba is not installed"


def _cupy_why_not() -> str | None:
    from .cupy_backend import why_not

    return why_not()


register("numpy", _lazy(".numpy_backend", "NumpyBackend"))
register("numba", _lazy(".numba_backend", "NumbaBackend"), why_not=_numba_why_not)
register("cupy", _lazy(".cupy_backend", "CupyBackend"), device_type="cuda", why_not=_cupy_why_not)
