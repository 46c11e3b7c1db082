"""Who is compared: the usable backends of tapegrad, and PyTorch on CPU and GPU where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from shutil import which
from typing import Any

__all__ = ["TORCH_GPU", "contenders", "engine", "event_seconds", "making", "on_gpu", "ready", "versions", "wait"]

TORCH_GPU = "torch-cuda"


def contenders() -> list[str]:
    """Their names, in the order of the table's columns."""
    import tapegrad

    names = [*tapegrad.backends.available(), *(["torch"] if find_spec("torch") else [])]
    # Importing PyTorch takes seconds: only where there may be a GPU for it.
    if "torch" in names and (which("nvidia-smi") or tapegrad.backends.cuda.is_available()):
        import torch

        names += [TORCH_GPU] if torch.cuda.is_available() else []
    return names


def on_gpu(name: str) -> bool:
    """Whether a contender computes on a GPU of CUDA; of a plug-in's device nothing is known but its name."""
    return name == TORCH_GPU or _device_type(name) == "cuda"


def _device_type(name: str) -> str:
    """The device type of a backend; PyTorch's default one is the cpu."""
    if name == "torch":
        return "cpu"
    import tapegrad

    return str(tapegrad.backends.get(name).device_type)


@contextmanager
def engine(name: str) -> Iterator[Any]:
    """The library to call, with the backend ``name`` chosen for as long as the block lasts."""
    if name in ("torch", TORCH_GPU):
        import torch

        yield torch
    else:
        import tapegrad

        with tapegrad.backends.use(name):
            yield tapegrad


@contextmanager
def making(name: str) -> Iterator[Any]:
    """The same, with new tensors on the contender's device.

    PyTorch's default device slows every call down while it is set, so timing takes place outside.
    """
    with engine(name) as tg:
        if name == TORCH_GPU:
            with tg.device("cuda"):
                yield tg
        else:
            yield tg


def wait(name: str) -> None:
    """Wait for the end of what the contender's device has been given to do."""
    synchronize = _synchronizer(name)
    if synchronize is not None:
        synchronize()


def ready(name: str, run: Callable[[], Any]) -> Callable[[], Any]:
    """``run``, and where the device works asynchronously also the wait for its end."""
    synchronize = _synchronizer(name)
    if synchronize is None:
        return run

    def run_and_wait() -> None:
        run()
        synchronize()

    return run_and_wait


def _synchronizer(name: str) -> Callable[[], Any] | None:
    """What waits for a contender's device; None where it works in step with the host."""
    if name == TORCH_GPU:
        import torch

        return torch.cuda.synchronize
    if _device_type(name) == "cpu":
        return None
    import tapegrad

    return tapegrad.backends.get(name).synchronize


def event_seconds(name: str, run: Callable[[], Any], count: int) -> float | None:
    """The seconds of a call between two events around ``count`` calls; None off CUDA.

    The calls follow one another without a wait, so this is the time of the device's work, or of its launch where
    that takes longer.
    """
    if name == TORCH_GPU:
        from torch import cuda
    elif name == "cupy":
        from tapegrad.backends import cuda
    else:
        return None
    start, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
    start.record()
    for _ in range(count):
        run()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) * 1e-3 / count


def versions(name: str) -> dict[str, str]:
    """What a contender stands on, by name."""
    if name in ("torch", TORCH_GPU):
        import torch

        found = {"torch": torch.__version__}
        return found | ({"torch's CUDA": str(torch.version.cuda)} if name == TORCH_GPU else {})
    import tapegrad

    return {"tapegrad": tapegrad.__version__} | tapegrad.backends.get(name).versions()
