"""Callbacks that watch a number: stop, save, lower the learning rate."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable
from inspect import signature
from typing import Any

from .base import Callback, Logs

__all__ = ["EarlyStopping", "LearningRateScheduler", "ModelCheckpoint", "ReduceLROnPlateau", "TerminateOnNaN"]

_RISING = ("acc", "auc", "precision", "recall", "f1", "similarity")


class _Monitor(Callback):
    """Watches one entry of the logs.

    Raises:
        ValueError: another mode.
    """

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{type(self).__name__}: mode must be 'auto', 'min' or 'max', got {mode!r}")
        rising = mode == "max" or (mode == "auto" and any(word in monitor for word in _RISING))
        self.monitor, self.sign, self.min_delta = monitor, -1.0 if rising else 1.0, abs(min_delta)
        self.worst = math.inf * self.sign

    def better(self, value: float, than: float) -> bool:
        """Whether a value is better by more than ``min_delta``."""
        return self.sign * value < self.sign * than - self.min_delta

    def watched(self, logs: Logs) -> float | None:
        """The entry; None with a warning where there is none."""
        if logs is None or self.monitor not in logs:
            warnings.warn(
                f"{type(self).__name__}: there is no {self.monitor!r}, only {', '.join(logs or ())}; "
                "it does nothing (a val_ name needs validation data)",
                stacklevel=2,
            )
            return None
        return logs[self.monitor]


class EarlyStopping(_Monitor):
    """Ends the training when a number has not become better for a while.

    Args:
        monitor: the entry of the logs.
        min_delta: what counts as better.
        patience: after this many passes without.
        verbose: 1 prints when it stops.
        mode: "min", "max", or "auto" by the name.
        baseline: better than this at least.
        restore_best_weights: at the end, take the weights of the best pass.
        start_from_epoch: look on from this pass.

    Attributes:
        stopped_epoch: the pass that ended the training; 0 where none did.
        best, best_epoch: the best value and its pass.
    """

    def __init__(
        self, monitor: str = "val_loss", min_delta: float = 0, patience: int = 0, verbose: int = 0, mode: str = "auto",
        baseline: float | None = None, restore_best_weights: bool = False, start_from_epoch: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self._begin()

    def _begin(self) -> None:
        self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
        self.best, self.best_weights = self.worst, None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        value = self.watched(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch, self.model.stop_training = epoch, True

    def on_train_end(self, logs: Logs = None) -> None:
        if self.stopped_epoch > 0 and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class ModelCheckpoint(_Monitor):
    """Saves the model as it is trained.

    Args:
        filepath: may name ``{epoch}`` (from 1) and entries of the logs: "model-{epoch:02d}-{val_loss:.2f}.keras".
        monitor: the entry of the logs that ``save_best_only`` watches.
        verbose: 1 prints when it saves.
        save_best_only: only when the entry is better than ever.
        save_weights_only: the weights as safetensors, not the whole model.
        mode: "min", "max", or "auto" by the name.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: the best so far, of earlier training.

    Raises:
        ValueError: another ``save_freq``.
    """

    def __init__(
        self, filepath: Any, monitor: str = "val_loss", verbose: int = 0, save_best_only: bool = False,
        save_weights_only: bool = False, mode: str = "auto", save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(monitor, mode)
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise ValueError(f"ModelCheckpoint: save_freq must be 'epoch' or a number of batches, got {save_freq!r}")
        self.filepath, self.verbose, self.save_freq = os.fspath(filepath), verbose, save_freq
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.best = self.worst if initial_value_threshold is None else initial_value_threshold
        self._epoch, self._batches = 0, 0

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._batches += 1
        if self.save_freq != "epoch" and self._batches % self.save_freq == 0:
            self._save(self._epoch, {**(logs or {}), "batch": batch + 1})

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, logs or {})

    def _save(self, epoch: int, logs: dict[str, float]) -> None:
        if self.save_best_only:
            value = self.watched(logs)
            if value is None or not self.better(value, self.best):
                return
            self.best = value
        try:
            path = self.filepath.format(**{**logs, "epoch": epoch + 1})
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: filepath names {error}, there is only epoch, {', '.join(logs)}"
            ) from error
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.verbose:
            print(f"Epoch {epoch + 1}: saving model to {path}")
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)


class ReduceLROnPlateau(_Monitor):
    """Lowers the learning rate when a number has not become better for a while.

    Args:
        monitor: the entry of the logs.
        factor: the new rate is this times the old one; below 1.
        patience: after this many passes without.
        verbose: 1 prints when it does.
        mode: "min", "max", or "auto" by the name.
        min_delta: what counts as better.
        cooldown: passes to wait after each time.
        min_lr: never below this.

    Raises:
        ValueError: ``factor`` is 1 or more.
    """

    def __init__(
        self, monitor: str = "val_loss", factor: float = 0.1, patience: int = 10, verbose: int = 0, mode: str = "auto",
        min_delta: float = 1e-4, cooldown: int = 0, min_lr: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1, got {factor}")
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self._begin()

    def _begin(self) -> None:
        self.best, self.wait, self.resting = self.worst, 0, 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        if logs is not None:
            logs["learning_rate"] = optimizer.learning_rate
        value = self.watched(logs)
        if value is None:
            return
        if self.resting > 0:
            self.resting -= 1
            self.wait = 0
        if self.better(value, self.best):
            self.best, self.wait = value, 0
            return
        if self.resting > 0:
            return
        self.wait += 1
        if self.wait >= self.patience and optimizer.learning_rate > self.min_lr:
            optimizer.learning_rate = max(optimizer.learning_rate * self.factor, self.min_lr)
            if self.verbose:
                print(f"Epoch {epoch + 1}: reducing learning rate to {optimizer.learning_rate}.")
            self.resting, self.wait = self.cooldown, 0


class LearningRateScheduler(Callback):
    """Sets the learning rate of each pass.

    Args:
        schedule: takes the number of the pass (from 0) and, if it likes, the present rate; gives the new one.
        verbose: 1 prints it.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule, self.verbose = schedule, verbose
        try:
            signature(schedule).bind(0, 0.1)
            self._takes_rate = True
        except TypeError:
            self._takes_rate = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        rate = (optimizer.learning_rate,) if self._takes_rate else ()
        optimizer.learning_rate = float(self.schedule(epoch, *rate))
        if self.verbose:
            print(f"Epoch {epoch + 1}: learning rate {optimizer.learning_rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate


class TerminateOnNaN(Callback):
    """Ends the training when the loss is no number any more."""

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if logs is not None and not math.isfinite(logs.get("loss", 0.0)):
            print(f"Batch {batch}: the loss is {logs['loss']}, training ends")
            self.model.stop_training = True
