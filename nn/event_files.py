"""SummaryWriter: what a training run measures, in files that TensorBoard shows; written by tensorboardX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd import Tensor

__all__ = ["SummaryWriter"]

# PyTorch's arguments that tensorboardX does not know
UNKNOWN = {"add_scalar": ("new_style", "double_precision"), "add_hparams": ("hparam_domain_discrete",)}
RENAMED = {"add_hparams": {"run_name": "name"}}


class SummaryWriter:
    """PyTorch's writer of TensorBoard files over tensorboardX's, which has the same methods; tensors may be ours.

    Every ``add_...`` of tensorboardX is there but ``add_graph``, which needs PyTorch's tracer;
    ``tapegrad.autograd.to_dot`` draws the tape.

    Args:
        log_dir: the folder; None: ``runs/`` and the time and host. comment: added to that name.
        purge_step, max_queue, flush_secs, filename_suffix: as in PyTorch.

    Raises:
        ImportError: tensorboardX is not installed.
    """

    def __init__(
        self, log_dir: Any = None, comment: str = "", purge_step: int | None = None, max_queue: int = 10,
        flush_secs: int = 120, filename_suffix: str = "",
    ) -> None:  # fmt: skip
        try:
            from tensorboardX import SummaryWriter as Writer
        except ImportError as error:
            raise ImportError(
                "SummaryWriter: the package tensorboardX is not installed; install tapegrad[tensorboard]"
            ) from error
        self._writer: Any = Writer(
            None if log_dir is None else str(log_dir), comment, purge_step, max_queue, flush_secs, filename_suffix
        )

    @property
    def log_dir(self) -> str:
        """The folder that is written to."""
        return self._writer.logdir

    def get_logdir(self) -> str:
        """The folder that is written to."""
        return self._writer.logdir

    def add_graph(self, model: Any, input_to_model: Any = None, *more: Any, **kwargs: Any) -> None:
        """Refused: the graph that TensorBoard shows is made by PyTorch's tracer.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("SummaryWriter: add_graph needs PyTorch's tracer; tapegrad.autograd.to_dot draws the tape")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        method = getattr(self._writer, name)
        if not callable(method):
            return method
        dropped, renamed = UNKNOWN.get(name, ()), RENAMED.get(name, {})

        def write(*args: Any, **kwargs: Any) -> Any:
            kept = {renamed.get(key, key): _plain(value) for key, value in kwargs.items() if key not in dropped}
            return method(*(_plain(a) for a in args), **kept)

        return write

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self._writer.close()


def _plain(value: Any) -> Any:
    """Tensors as NumPy arrays, one of a single number as that number; also within containers."""
    if isinstance(value, Tensor):
        found = value.detach().cpu()
        return found.item() if found.ndim == 0 else found.numpy()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_plain(item) for item in value)
    return value
