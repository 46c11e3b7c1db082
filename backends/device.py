"""Devices: where an array lives, and which kernels run there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Self

__all__ = ["device"]


class device:  # noqa: N801 - PyTorch's name
    """A place for tensors: ``device("cpu")``, ``device("cuda:1")``, ``device("cuda", 1)``.

    Devices are interned: the same name gives the same object, so they compare by identity. ``with device("cuda"):``
    makes new tensors there, and ``@device("cuda")`` lets a function do so.

    Args:
        type: ``"cpu"``, ``"cuda"`` (``"cuda:N"``), another registered device type, the number of a CUDA device, or a
            device.
        index: which one of several, where ``type`` does not say; the current one for None.

    Raises:
        RuntimeError: the text names no device type that a backend serves, or the index is none.
    """

    __slots__ = ("backend", "index", "kernels", "scalars", "taking", "type", "vjps")
    _known: dict[tuple[str, int | None], device] = {}
    depth = 0  # how many batches deep: devices of `vmap` count from 1
    _outside: list[device | None] = []  # the default devices outside of the contexts that are open

    type: str
    index: int | None
    backend: Any
    kernels: list[Any]
    vjps: list[Any]
    taking: list[Any]
    scalars: dict[Any, dict[Any, Any]]

    def __new__(cls, type: str | int | device, index: int | None = None) -> device:
        if isinstance(type, device):
            return type
        known = cls._known.get((type, index)) if isinstance(type, str) else None
        if known is not None:
            return known
        if isinstance(type, int):
            return cls("cuda", type)
        kind, colon, number = str(type).partition(":")
        if colon:
            if not number.isdecimal():
                raise RuntimeError(f"device: invalid device string '{type}'; write 'cpu', 'cuda' or 'cuda:1'")
            if index is not None:
                raise RuntimeError(f"device: '{type}' names an index already; leave out index={index}")
            index = int(number)
        elif index is not None and index < 0:
            raise RuntimeError(f"device: the index of a {kind} device must not be negative, got {index}")
        found = cls._known.get((kind, index))
        if found is None:
            found = cls._make(kind, index)
        return found

    @classmethod
    def _make(cls, kind: str, index: int | None) -> device:
        from . import registry

        if not registry.serves(kind):
            known = ", ".join(sorted(registry.device_types()))
            raise RuntimeError(f"device: unknown device type '{kind}'; the registered backends serve {known}")
        if kind == "cpu":
            if index not in (None, 0):
                raise RuntimeError(f"device: there is one cpu device, got index {index}")
            if index == 0:
                return cls("cpu")
        elif index is None:
            try:
                return cls(kind, registry.current_index(kind))
            except registry.BackendError:  # it may be named; what is to run there will say why it cannot
                return cls(kind, 0)
        made = object.__new__(cls)
        made.type, made.index = kind, index
        made.backend, made.kernels, made.vjps, made.taking, made.scalars = None, [], [], [], {}
        cls._known[kind, index] = made
        return made

    def __enter__(self) -> Self:
        from . import registry

        before = registry._default_device
        registry.set_default_device(self)
        self._outside.append(before)
        return self

    def __exit__(self, *error: object) -> None:
        from . import registry

        registry._default_device = self._outside.pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def here(*args: Any, **options: Any) -> Any:
            with self:
                return function(*args, **options)

        return here

    def __repr__(self) -> str:
        return (
            f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"
        )

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[Any, ...]:
        return (device, (str(self),))
