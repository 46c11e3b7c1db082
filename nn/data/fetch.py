"""Making a batch from indices, or from what comes next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .dataset import Subset, TensorDataset

__all__ = ["Ended", "fetcher"]


class Ended(Exception):
    """The dataset that is gone through has no more examples."""


def fetcher(
    dataset: Any, collate_fn: Callable[[Any], Any], *, batched: bool, iterable: bool, drop_last: bool, default: bool
) -> Callable[[Any], Any]:
    """The function that makes a batch of a list of indices (an example of an index, where not ``batched``).

    Args:
        dataset: where the examples are.
        collate_fn: makes a batch of a list of examples, or converts an example.
        batched: whether there are batches.
        iterable: whether the dataset is gone through; of the indices only the number counts then.
        drop_last: of such a dataset: leave out an incomplete last batch.
        default: whether ``collate_fn`` is the default one.
    """
    if iterable:
        return _following(dataset, collate_fn, batched, drop_last)
    if not batched:
        return lambda index: collate_fn(dataset[index])
    if default and _of_tensors(dataset):
        # Indexing tensors with the whole list gives the batch that collating single rows would give.
        return lambda indices: list(dataset[indices])

    def batch(indices: Any) -> Any:
        together = getattr(dataset, "__getitems__", None)
        return collate_fn(together(indices) if together else [dataset[i] for i in indices])

    return batch


def _of_tensors(dataset: Any) -> bool:
    while type(dataset) is Subset:
        dataset = dataset.dataset
    return type(dataset) is TensorDataset


def _following(dataset: Any, collate_fn: Callable[[Any], Any], batched: bool, drop_last: bool) -> Callable[[Any], Any]:
    examples = iter(dataset)
    ended = False

    def batch(indices: Any) -> Any:
        nonlocal ended
        found: list[Any] = []
        for _ in indices if batched else (None,):
            if ended:
                break
            try:
                found.append(next(examples))
            except StopIteration:
                ended = True
        if not found or (batched and drop_last and len(found) < len(indices)):
            raise Ended
        return collate_fn(found if batched else found[0])

    return batch
