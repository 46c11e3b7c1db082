"""DataLoader: batches of a dataset."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ...autograd import Tensor
from ...autograd.ops.create import as_tensor, tensor
from ...autograd.ops.shape import stack
from ...backends import cuda
from ...backends.random import Generator, default_generator
from .dataset import TensorDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader", "default_collate"]


def default_collate(batch: list[Any]) -> Any:
    """Examples as one batch: tensors, arrays and numbers are stacked, containers entry by entry, strings listed.

    Raises:
        TypeError: an element of another type. RuntimeError: sequences of different lengths.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch, 0)
    if isinstance(first, np.ndarray):
        return stack([as_tensor(b) for b in batch], 0)
    if isinstance(first, np.generic):
        return as_tensor(np.array(batch))
    if isinstance(first, float):
        return tensor(batch, dtype="float64")
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([d[key] for d in batch]) for key in first}
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(list(v)) for v in zip(*batch, strict=True)))
    if isinstance(first, (tuple, list)):
        if any(len(b) != len(first) for b in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return [default_collate(list(v)) for v in zip(*batch, strict=True)]
    raise TypeError(f"default_collate: cannot make a batch of {type(first).__name__}; pass a collate_fn")


def pinned(batch: Any, device: str) -> Any:
    """A batch with its tensors, and what else has a method ``pin_memory``, in pinned memory."""
    if isinstance(batch, Tensor):
        return batch.pin_memory(device)
    if hasattr(batch, "pin_memory"):
        return batch.pin_memory()
    if isinstance(batch, Mapping):
        return {key: pinned(value, device) for key, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(pinned(value, device) for value in batch))
    if isinstance(batch, (tuple, list)):
        return type(batch)(pinned(value, device) for value in batch)
    return batch


class DataLoader:
    """Batches of a dataset, shuffled as PyTorch shuffles for the same seed.

    Args:
        dataset: anything with ``__getitem__`` and ``__len__``.
        batch_size: examples a batch; None for single examples.
        shuffle: take the examples in random order.
        sampler: the order of the examples, in place of ``shuffle``.
        batch_sampler: lists of indices, in place of ``batch_size``, ``shuffle``, ``sampler`` and ``drop_last``.
        num_workers: 0; the batches are made in this process.
        collate_fn: makes a batch of a list of examples.
        pin_memory: put the tensors of each batch into pinned memory, from which ``.to(device, non_blocking=True)``
            copies while the program goes on; without an accelerator a warning.
        drop_last: leave out an incomplete last batch.
        pin_memory_device: for which device to pin; "" for the current accelerator.
        generator: where random numbers come from.

    Raises:
        ValueError: options that exclude each other, or worker processes.
    """

    def __init__(
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[list[Any]] | None = None, num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None, pin_memory: bool = False, drop_last: bool = False,
        *, pin_memory_device: str = "", generator: Generator | None = None,
    ) -> None:  # fmt: skip
        if num_workers:
            raise ValueError(f"DataLoader: batches are made in this process; use num_workers=0, got {num_workers}")
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError(
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
            )
        self.dataset = dataset
        self.num_workers = 0
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.generator = generator
        self.drop_last = drop_last
        if sampler is None:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        self.sampler = sampler
        if batch_sampler is None and batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
            self.batch_size: int | None = batch_size
        else:
            self.batch_size = None
        self.batch_sampler = batch_sampler
        self._default = collate_fn is None
        self.collate_fn = collate_fn if collate_fn is not None else default_collate

    def __iter__(self) -> Iterator[Any]:
        # PyTorch draws a base seed for its workers here, workers or not: the stream must move on alike.
        (self.generator or default_generator).seed64()
        if not self.pin_memory:
            return self._batches()
        if not self.pin_memory_device and not cuda.is_available():
            warnings.warn("DataLoader: pin_memory=True, but there is no accelerator; nothing is pinned", stacklevel=2)
            return self._batches()
        return (pinned(batch, self.pin_memory_device or "cuda") for batch in self._batches())

    def _batches(self) -> Iterator[Any]:
        if self.batch_sampler is None:
            for index in self.sampler:
                yield self.dataset[index]
            return
        # Indexing tensors with the whole list gives the batch that collating single rows would give.
        whole = self._default and type(self.dataset) is TensorDataset
        for indices in self.batch_sampler:
            yield list(self.dataset[indices]) if whole else self.collate_fn([self.dataset[i] for i in indices])

    def __len__(self) -> int:
        return len(self.batch_sampler) if self.batch_sampler is not None else len(self.sampler)  # type: ignore[arg-type]
