"""Devices: where an array lives, and which kernels run there."""

from __future__ import annotations

from typing import Any

__all__ = ["device"]


class device:  # noqa: N801 - PyTorch's name
    """A place for tensors: ``device("cpu")``, ``device("cuda:1")``, ``device("cuda", 1)``.

    Devices are interned: the same name gives the same object, so they compare by identity.

    Args:
        type: ``"cpu"``, ``"cuda"`` (``"cuda:N"``), another registered device type, or a device.
        index: which one of several, where ``type`` does not say.

    Raises:
        RuntimeError: the text names no device type that a backend serves.
    """

    __slots__ = ("backend", "index", "kernels", "scalars", "type", "vjps")
    _known: dict[tuple[str, int | None], device] = {}
    depth = 0  # how many batches deep: devices of `vmap` count from 1

    type: str
    index: int | None
    backend: Any
    kernels: list[Any]
    vjps: list[Any]
    scalars: dict[Any, dict[Any, Any]]

    def __new__(cls, type: str | device, index: int | None = None) -> device:
        if isinstance(type, device):
            return type
        kind, _, number = str(type).partition(":")
        if number:
            if not number.isdigit():
                raise RuntimeError(f"device: invalid device string '{type}'; write 'cpu', 'cuda' or 'cuda:1'")
            index = int(number)
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
            return cls(kind, registry.current_index(kind))
        made = object.__new__(cls)
        made.type, made.index = kind, index
        made.backend, made.kernels, made.vjps, made.scalars = None, [], [], {}
        cls._known[kind, index] = made
        return made

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
