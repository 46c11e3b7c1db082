"""DataLoader: batches of a dataset."""

from __future__ import annotations

import itertools
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from ...backends import cuda
from ...backends.random import Generator, default_generator
from .collate import default_collate, default_convert, pinned
from .dataset import IterableDataset
from .fetch import Ended, fetcher
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

__all__ = ["DataLoader"]

FIXED = {"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"}


class _Endless(Sampler):
    """None for ever: the indices of a dataset that is gone through."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class DataLoader:
    """Batches of a dataset, shuffled as PyTorch shuffles for the same seed.

    Args:
        dataset: anything with ``__getitem__`` and ``__len__``, or an ``IterableDataset``.
        batch_size: examples a batch; None for single examples.
        shuffle: take the examples in random order.
        sampler: the order of the examples, in place of ``shuffle``.
        batch_sampler: lists of indices, in place of ``batch_size``, ``shuffle``, ``sampler`` and ``drop_last``.
        num_workers: how many processes make the batches; 0 for this one. Linux forks them, so that a script needs no
            main guard; the batches come in order.
        collate_fn: makes a batch of a list of examples.
        pin_memory: put the tensors of each batch into pinned memory, from which ``.to(device, non_blocking=True)``
            copies while the program goes on; without an accelerator a warning.
        drop_last: leave out an incomplete last batch.
        timeout: seconds to wait for a batch of a worker; 0 for ever.
        worker_init_fn: called in each worker, with its number, before the first batch.
        multiprocessing_context: "fork", "spawn", "forkserver" or such a context.
        generator: where random numbers come from.
        prefetch_factor: how many batches each worker makes ahead; 2 where None.
        persistent_workers: keep the workers after a pass for the next one.
        pin_memory_device: for which device to pin; "" for the current accelerator.
        in_order: False gives the batches of workers as they come.

    Raises:
        ValueError: options that exclude each other.
    """

    def __init__(
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None, batch_sampler: Iterable[list[Any]] | None = None, num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None, pin_memory: bool = False, drop_last: bool = False,
        timeout: float = 0, worker_init_fn: Callable[[int], Any] | None = None, multiprocessing_context: Any = None,
        generator: Generator | None = None, *, prefetch_factor: int | None = None, persistent_workers: bool = False,
        pin_memory_device: str = "", in_order: bool = True,
    ) -> None:  # fmt: skip
        self._check(num_workers, timeout, prefetch_factor, persistent_workers)
        iterable = isinstance(dataset, IterableDataset)
        if iterable:
            for name, value in (("shuffle", shuffle), ("sampler", sampler), ("batch_sampler", batch_sampler)):
                if value not in (None, False) if name == "shuffle" else value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError(
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
            )
        if batch_sampler is None and batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        self.dataset, self.num_workers, self.timeout = dataset, num_workers, timeout
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.worker_init_fn, self.generator = worker_init_fn, generator
        self.persistent_workers, self.in_order = persistent_workers, in_order
        self.drop_last = drop_last
        self.multiprocessing_context = multiprocessing_context
        if sampler is None:
            sampler = (
                _Endless() if iterable
                else RandomSampler(dataset, generator=generator) if shuffle
                else SequentialSampler(dataset)
            )  # fmt: skip
        self.sampler = sampler
        if batch_sampler is None and batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
            self.batch_size: int | None = batch_size
        else:
            self.batch_size = None
        self.batch_sampler = batch_sampler
        self._default = collate_fn is None
        plain = default_collate if batch_sampler is not None else default_convert
        self.collate_fn = plain if collate_fn is None else collate_fn
        self._kept: _WithWorkers | None = None
        self._told: list[int] = []  # the length that an iterable dataset has told, shared with the iterators
        self._ready = True

    def _check(self, num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool) -> None:
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError(
                "prefetch_factor option could only be specified in multiprocessing."
                "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
            )
        if prefetch_factor is not None and prefetch_factor <= 0:
            raise ValueError(f"prefetch_factor option should be positive, but got {prefetch_factor}")
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")

    def __class_getitem__(cls, item: Any) -> type[DataLoader]:
        return cls

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIXED and self.__dict__.get("_ready"):
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        if name == "multiprocessing_context" and value is not None:
            if not self.num_workers:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
                    f"num_workers={self.num_workers}"
                )
            from .pool import context_of  # imports multiprocessing, which most programs do not need

            value = context_of(value)
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_kept": None}

    @property
    def _index_sampler(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def _options(self) -> dict[str, Any]:
        """The options of ``fetcher``."""
        iterable = isinstance(self.dataset, IterableDataset)
        return {
            "batched": self.batch_sampler is not None, "iterable": iterable, "drop_last": self.drop_last,
            "default": self._default,
        }  # fmt: skip

    def __iter__(self) -> Iterator[Any]:
        if not self.num_workers:
            return _WithoutWorkers(self)
        if not self.persistent_workers:
            return _WithWorkers(self)
        if self._kept is None or not self._kept.usable:
            self._kept = _WithWorkers(self)
        else:
            self._kept.begin(again=True)
        return self._kept

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)
        length = len(self.dataset)  # type: ignore[arg-type]
        self._told[:] = [length]
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)


class _Batches(ABC):
    """What the iterators have in common: pinning, and a look at the length that an iterable dataset told."""

    def __init__(self, loader: DataLoader) -> None:
        # Not the loader itself, which may hold this iterator: workers must go when it goes.
        self._sampler, self._told, self._persistent = loader._index_sampler, loader._told, loader.persistent_workers
        # A sampler that draws when its iterator is made does so before this number, which PyTorch draws in any case.
        self._indices = iter(self._sampler)
        self._base_seed = (loader.generator or default_generator).seed64()
        self._count = 0
        self._device = ""
        if loader.pin_memory:
            if loader.pin_memory_device or cuda.is_available():
                self._device = loader.pin_memory_device or "cuda"
            else:
                warnings.warn(
                    "DataLoader: pin_memory=True, but there is no accelerator; nothing is pinned", stacklevel=4
                )

    def __iter__(self) -> Self:
        return self

    @abstractmethod
    def __next__(self) -> Any: ...

    def __len__(self) -> int:
        return len(self._sampler)

    def _given(self, batch: Any) -> Any:
        self._count += 1
        if self._told and self._count > self._told[0]:
            warnings.warn(
                f"DataLoader: the dataset says that it has {self._told[0]} examples, but this is batch {self._count}; "
                "where each worker goes through all of it, let get_worker_info() choose a part",
                stacklevel=3,
            )
        return pinned(batch, self._device) if self._device else batch


class _WithoutWorkers(_Batches):
    """Batches made in this process."""

    def __init__(self, loader: DataLoader) -> None:
        super().__init__(loader)
        self._fetch = fetcher(loader.dataset, loader.collate_fn, **loader._options())

    def __next__(self) -> Any:
        try:
            batch = self._fetch(next(self._indices))
        except Ended:
            raise StopIteration from None
        return self._given(batch)


class _WithWorkers(_Batches):
    """Batches made by worker processes."""

    def __init__(self, loader: DataLoader) -> None:
        from .pool import Pool, context_of
        from .worker import Job

        super().__init__(loader)
        jobs = [
            Job(
                loader.dataset, loader.collate_fn, loader._options(), loader.worker_init_fn, number,
                loader.num_workers, self._base_seed,
            )
            for number in range(loader.num_workers)
        ]  # fmt: skip
        context = loader.multiprocessing_context or context_of(None)
        self._pool = Pool(jobs, context, loader.prefetch_factor or 2, loader.timeout, loader.in_order)
        self.usable = True
        self.begin()

    def begin(self, again: bool = False) -> None:
        """Start a pass over the data."""
        self._count = 0
        self._indices = iter(self._sampler)
        with _Closing(self):
            self._pool.begin(self._indices, again=again)

    def __next__(self) -> Any:
        if not self.usable:
            raise StopIteration
        with _Closing(self):
            batch = self._pool.next()
        return self._given(batch)

    def close(self, at_once: bool = False) -> None:
        """End the workers."""
        self.usable = False
        self._pool.close(at_once)

    def __del__(self) -> None:
        if "_pool" in self.__dict__ and not sys.is_finalizing():
            self.close()


class _Closing:
    """End the workers where the block ends with the data, or because one was lost; at once after Ctrl-C."""

    def __init__(self, owner: _WithWorkers) -> None:
        self._owner = owner

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        owner = self._owner
        if kind is None:
            return
        if not issubclass(kind, Exception):
            owner.close(at_once=True)
        elif owner._pool.failed or (kind is StopIteration and not owner._persistent):
            owner.close()
