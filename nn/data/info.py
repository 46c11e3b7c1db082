"""What a worker process of a loader may know of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["WorkerInfo", "get_worker_info", "tell"]


@dataclass(frozen=True)
class WorkerInfo:
    """One worker among those of a loader.

    Attributes:
        id: which worker, from 0 on.
        num_workers: how many there are.
        seed: of its random numbers.
        dataset: its copy of the dataset.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process of a loader: which one it is; elsewhere None."""
    return _info


def tell(info: WorkerInfo) -> None:
    """Say which worker this process is."""
    global _info
    _info = info
