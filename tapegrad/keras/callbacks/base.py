"""Callbacks: what is told of the training's progress."""

from __future__ import annotations

from typing import Any

__all__ = ["Callback", "CallbackList", "History", "LambdaCallback"]

Logs = dict[str, float] | None


class Callback:
    """Base: override what is to be told.

    Attributes:
        model: the model that is trained.
        params: ``epochs``, ``steps`` and ``verbose`` of the call of ``fit``.
    """

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def set_model(self, model: Any) -> None:
        """Told before everything else."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Told before everything else."""
        self.params = params

    def on_train_begin(self, logs: Logs = None) -> None:
        """``fit`` begins."""

    def on_train_end(self, logs: Logs = None) -> None:
        """``fit`` ends; ``logs`` are the last pass's."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """A pass begins; the first has number 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """A pass ends; ``logs`` has the loss, the metrics, and both of the validation with ``val_`` before."""

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """The short name of ``on_train_batch_begin``."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """The short name of ``on_train_batch_end``."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """A batch of training begins."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """A batch of training ends; ``logs`` are the means of the pass so far."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        """Validation or ``evaluate`` begins."""

    def on_test_end(self, logs: Logs = None) -> None:
        """Validation or ``evaluate`` ends."""

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """One of its batches begins."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """One of its batches ends."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """``predict`` begins."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """``predict`` ends."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """One of its batches begins."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """One of its batches ends; ``logs["outputs"]`` is what the model said."""


class History(Callback):
    """Keeps the logs of all passes.

    Attributes:
        history: a list for each name in the logs.
        epoch: the numbers of the passes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class LambdaCallback(Callback):
    """Calls functions given by name, such as ``on_epoch_end=lambda epoch, logs: ...``.

    Raises:
        TypeError: a name that is no method of ``Callback``.
    """

    def __init__(self, **functions: Any) -> None:
        super().__init__()
        for name, function in functions.items():
            if not name.startswith("on_") or not hasattr(Callback, name):
                raise TypeError(f"LambdaCallback: {name!r} is no method of Callback")
            if function is not None:
                setattr(self, name, function)


class CallbackList:
    """All callbacks of one call, told in their order; the history comes after the user's."""

    def __init__(self, callbacks: Any, model: Any, params: dict[str, Any]) -> None:
        given = [] if callbacks is None else list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        for callback in given:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks: needs objects of tapegrad.keras.callbacks, got {callback!r}")
        kept = [c for c in given if isinstance(c, History)]
        self.history = kept[0] if kept else History()
        self.all = given if kept else [*given, self.history]
        for callback in self.all:
            callback.set_model(model)
            callback.set_params(params)

    def _tell(self, name: str, *args: Any) -> None:
        for callback in self.all:
            getattr(callback, name)(*args)

    def train_begin(self) -> None:
        """``fit`` begins."""
        self._tell("on_train_begin", {})

    def train_end(self, logs: Logs) -> None:
        """``fit`` ends."""
        self._tell("on_train_end", logs)

    def epoch_begin(self, epoch: int) -> None:
        """A pass begins."""
        self._tell("on_epoch_begin", epoch, {})

    def epoch_end(self, epoch: int, logs: Logs) -> None:
        """A pass ends."""
        self._tell("on_epoch_end", epoch, logs)

    def test_begin(self) -> None:
        """Validation begins."""
        self._tell("on_test_begin", {})

    def test_end(self, logs: Logs) -> None:
        """Validation ends."""
        self._tell("on_test_end", logs)

    def predict_begin(self) -> None:
        """``predict`` begins."""
        self._tell("on_predict_begin", {})

    def predict_end(self) -> None:
        """``predict`` ends."""
        self._tell("on_predict_end", {})

    def batch_begin(self, kind: str, batch: int) -> None:
        """A batch of "train", "test" or "predict" begins."""
        self._tell(f"on_{kind}_batch_begin", batch, {})

    def batch_end(self, kind: str, batch: int, logs: Any) -> None:
        """A batch of "train", "test" or "predict" ends."""
        self._tell(f"on_{kind}_batch_end", batch, logs)
