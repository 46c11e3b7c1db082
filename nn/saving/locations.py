"""On which device the memories of a file go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...autograd.ops.memory import TypedStorage, UntypedStorage
from ...backends import cuda
from ...backends import device as Device

__all__ = ["restorer"]


def restorer(map_location: Any) -> Callable[[UntypedStorage, str], UntypedStorage]:
    """The function that takes memory on the host to where it belongs, by the name of the place where it was saved.

    Args:
        map_location: as in ``load``.

    Raises:
        TypeError: none of the kinds that ``load`` takes.
    """
    if map_location is None:
        return _where_it_was
    if isinstance(map_location, dict):
        return lambda storage, location: _where_it_was(storage, str(map_location.get(location, location)))
    if isinstance(map_location, (str, Device)):
        return lambda storage, location: _where_it_was(storage, str(map_location))
    if not callable(map_location):
        raise TypeError(
            f"load: map_location must be a device, its name, a dict or a function, not {type(map_location).__name__}"
        )

    def chosen(storage: UntypedStorage, location: str) -> UntypedStorage:
        found = map_location(storage, location)
        if found is None:
            return _where_it_was(storage, location)
        found = found.untyped() if isinstance(found, TypedStorage) else found
        if not isinstance(found, UntypedStorage):
            raise TypeError(f"load: map_location must return a storage or None, not {type(found).__name__}")
        return found

    return chosen


def _where_it_was(storage: UntypedStorage, location: str) -> UntypedStorage:
    kind = location.partition(":")[0]
    if kind == "cpu":
        return storage
    if kind == "cuda" and not cuda.is_available():
        raise RuntimeError(
            f"load: the file holds tensors of {location}, but there is no CUDA device here; use map_location='cpu'"
        )
    try:
        device = Device(location)
    except RuntimeError as error:
        raise RuntimeError(f"load: the file holds tensors of '{location}'; use map_location='cpu'. {error}") from error
    if kind == "cuda" and (device.index or 0) >= cuda.device_count():
        raise RuntimeError(
            f"load: the file holds tensors of {location}, but there are {cuda.device_count()} CUDA devices here; "
            "use map_location, e.g. 'cuda:0'"
        )
    return storage.to(device)
