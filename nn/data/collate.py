"""How examples become a batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from ...autograd import Tensor
from ...autograd.ops.create import as_tensor, tensor
from ...autograd.ops.pieces import stack

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert", "pinned"]

Functions = dict[Any, Callable[..., Any]]
TEXT = "SaUO"  # NumPy's kinds of strings and objects


def collate(batch: Any, *, collate_fn_map: Functions | None = None) -> Any:
    """A batch of examples: containers entry by entry, all else by the function for its type.

    Args:
        batch: the examples, all alike.
        collate_fn_map: for a type, or a tuple of types, a function of the list of examples, which is also given
            ``collate_fn_map``.

    Raises:
        TypeError: an element of a type that has no function.
        RuntimeError: sequences of different lengths.
    """
    first = batch[0]
    functions = collate_fn_map or {}
    for kind in (type(first), *functions):
        if kind in functions and isinstance(first, kind):
            return functions[kind](batch, collate_fn_map=collate_fn_map)
    again = lambda items: collate(items, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        return _filled(first, {key: again([d[key] for d in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(again(values) for values in zip(*batch)))
    if isinstance(first, Sequence):
        if any(len(b) != len(first) for b in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [again(values) for values in zip(*batch)]
        return columns if isinstance(first, tuple) else _listed(first, columns)
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{type(first)}; pass a collate_fn"
    )


def _filled(like: Any, content: dict[Any, Any]) -> Any:
    """A mapping of the type of ``like``, or a dict where that type cannot be made so."""
    try:
        if isinstance(like, MutableMapping):
            made = copy.copy(like)
            made.update(content)
            return made
        return type(like)(content)
    except TypeError:
        return content


def _listed(like: Any, content: list[Any]) -> Any:
    """A sequence of the type of ``like``, or a list where that type cannot be made so."""
    try:
        if isinstance(like, MutableSequence):
            made = copy.copy(like)
            for i, value in enumerate(content):
                made[i] = value
            return made
        return type(like)(content)
    except TypeError:
        return content


def _of_tensors(batch: list[Tensor], *, collate_fn_map: Functions | None = None) -> Tensor:
    return stack(batch, 0)


def _of_arrays(batch: list[Any], *, collate_fn_map: Functions | None = None) -> Tensor:
    if batch[0].dtype.kind in TEXT:
        raise TypeError(
            f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found an array of "
            f"{batch[0].dtype}"
        )
    return stack([as_tensor(b) for b in batch], 0)


def _of_scalars(batch: list[Any], *, collate_fn_map: Functions | None = None) -> Tensor:
    return as_tensor(np.array(batch))


def _of_floats(batch: list[float], *, collate_fn_map: Functions | None = None) -> Tensor:
    return tensor(batch, dtype="float64")


def _of_ints(batch: list[int], *, collate_fn_map: Functions | None = None) -> Tensor:
    return tensor(batch)


def _of_strings(batch: list[Any], *, collate_fn_map: Functions | None = None) -> list[Any]:
    return batch


default_collate_fn_map: Functions = {
    Tensor: _of_tensors, np.ndarray: _of_arrays, (np.bool_, np.number, np.object_): _of_scalars, float: _of_floats,
    int: _of_ints, str: _of_strings, bytes: _of_strings,
}  # fmt: skip


def default_collate(batch: list[Any]) -> Any:
    """Examples as one batch: tensors, arrays and numbers are stacked, containers entry by entry, strings listed.

    Floats become float64, as in PyTorch, and tuples lists, unless they are named.

    Raises:
        TypeError: an element of another type. RuntimeError: sequences of different lengths.
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def default_convert(data: Any) -> Any:
    """A single example with its arrays as tensors; what a loader without batches gives."""
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in TEXT else as_tensor(data)
    if isinstance(data, Mapping):
        return _filled(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _listed(data, [default_convert(value) for value in data])
    return data


def pinned(batch: Any, device: str) -> Any:
    """A batch with its tensors, and what else has a method ``pin_memory``, in pinned memory."""
    if isinstance(batch, Tensor):
        return batch.pin_memory(device)
    if hasattr(batch, "pin_memory"):
        return batch.pin_memory()
    if isinstance(batch, Mapping):
        return _filled(batch, {key: pinned(value, device) for key, value in batch.items()})
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(pinned(value, device) for value in batch))
    if isinstance(batch, (tuple, list)):
        return type(batch)(pinned(value, device) for value in batch)
    return batch
