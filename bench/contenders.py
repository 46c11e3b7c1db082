"""Who is compared: the usable backends of tapegrad, and PyTorch where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

__all__ = ["contenders", "engine", "ready", "versions"]


def contenders() -> list[str]:
    """Their names, in the order of the table's columns."""
    import tapegrad

    return [*tapegrad.backends.available(), *(["torch"] if find_spec("torch") else [])]


@contextmanager
def engine(name: str) -> Iterator[Any]:
    """The library to call, with the backend ``name`` chosen for as long as the block lasts."""
    if name == "torch":
        import torch

        yield torch
    else:
        import tapegrad

        with tapegrad.backends.use(name):
            yield tapegrad


def ready(name: str, run: Callable[[], Any]) -> Callable[[], Any]:
    """``run``, and where the device works asynchronously also the wait for its end."""
    if name == "torch":
        return run
    import tapegrad

    backend = tapegrad.backends.current()
    if backend.device_type == "cpu":
        return run

    def run_and_wait() -> None:
        run()
        backend.synchronize()

    return run_and_wait


def versions(name: str) -> dict[str, str]:
    """What a contender stands on, by name."""
    if name == "torch":
        import torch

        return {"torch": torch.__version__}
    import tapegrad

    return {"tapegrad": tapegrad.__version__} | tapegrad.backends.get(name).versions()
