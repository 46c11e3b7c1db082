"""Compile, fit, evaluate, predict."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from ..autograd import Tensor, no_grad
from ..autograd.ops.create import tensor
from . import activations, batches, losses, metrics, optimizers
from .callbacks.base import CallbackList, History
from .layers.base import Weighted
from .layers.core import Activation
from .metric_base import as_array
from .progress import Progress

__all__ = ["Trainer"]


class Trainer:
    """What a model does with data."""

    stack: list[Any]

    def _reset_training(self) -> None:
        self.optimizer: Any = None
        self.loss: Any = None
        self.stop_training = False
        self.history: History | None = None
        self._wanted: tuple[list[Any], list[Any]] = ([], [])
        self._tracked: tuple[list[Any], list[Any]] | None = None
        self._mean_loss = metrics.Mean("loss")

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Any = None, weighted_metrics: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        """Say how the model is trained.

        Args:
            optimizer: a name or an object of ``tapegrad.keras.optimizers``.
            loss: a name, an object of ``tapegrad.keras.losses``, or a function of targets and predictions.
            metrics: a list of names, objects or functions; sample weights do not enter them.
            weighted_metrics: the same, with the weights.
            kwargs: ``run_eagerly``, ``jit_compile`` and ``steps_per_execution`` count for nothing here.

        Raises:
            ValueError: an unknown name. TypeError: another argument.
        """
        unknown = set(kwargs) - {"run_eagerly", "jit_compile", "steps_per_execution", "auto_scale_loss"}
        if unknown:
            raise TypeError(f"compile: unknown argument {sorted(unknown)[0]!r}")
        self.optimizer = optimizers.get(optimizer)
        self.loss = None if loss is None else losses.get(loss)
        self._wanted = (_listed(metrics), _listed(weighted_metrics))
        self._tracked = None

    @property
    def compiled(self) -> bool:
        """Whether ``compile`` was called."""
        return self.optimizer is not None

    def _forget_optimizer(self) -> None:
        """After the layers changed, what the optimizer knew of them is void."""
        if self.optimizer is not None and self.optimizer.inner is not None:
            self.optimizer = optimizers.get({"class_name": type(self.optimizer).__name__,
                                             "config": self.optimizer.get_config()})  # fmt: skip

    # One batch

    def _need(self, what: str, *, loss: bool = True) -> None:
        if not self.compiled or (loss and self.loss is None):
            raise RuntimeError(f"{what}: call compile(optimizer=..., loss=...) first")

    def _target(self, y: Any, like: Tensor) -> Tensor:
        if y is None:
            raise ValueError("the loss needs targets: give y")
        return y.to(like.device) if isinstance(y, Tensor) else tensor(y, device=like.device)

    def _predict_and_loss(self, x: Any, y: Any, weight: Any) -> tuple[Tensor, Tensor]:
        """Predictions and loss of a batch. A sigmoid or softmax at the end is undone for the cross-entropy."""
        last: Any = self.stack[-1] if self.stack else None
        h = self._input(x)  # type: ignore[attr-defined]
        named = isinstance(last, (Weighted, Activation)) and self.loss.undoes is not None
        if named and not self.loss.options.get("from_logits") and last.activation is getattr(
            activations, self.loss.undoes
        ):  # fmt: skip
            for layer in self.stack[:-1]:
                h = layer(h)
            logits = last.pre_activation(h)
            value = self.loss.on_logits(self._target(y, logits), logits, weight)
            with no_grad():
                predicted = last.activation(logits)
        else:
            predicted = self(h)  # type: ignore[operator]
            value = self.loss(self._target(y, predicted), predicted, weight)
        for penalty in self.penalties():  # type: ignore[attr-defined]
            value = value + penalty.to(value.dtype)
        return predicted, value

    def _train_batch(self, x: Any, y: Any, weight: Any) -> None:
        self.train()  # type: ignore[attr-defined]
        if self.optimizer.inner is not None:
            self.optimizer.inner.zero_grad()
        predicted, value = self._predict_and_loss(x, y, weight)
        if self.optimizer.inner is None:
            learned = [t for w in self.weights if w.learned for t in w.tensors]  # type: ignore[attr-defined]
            if learned:  # a model of layers without weights has nothing to move
                self.optimizer.build(learned)
        if value.requires_grad and self.optimizer.inner is not None:
            value.backward()
            self.optimizer.step()
        self._track(y, predicted, value, weight)

    def _test_batch(self, x: Any, y: Any, weight: Any) -> None:
        self.eval()  # type: ignore[attr-defined]
        with no_grad():
            predicted, value = self._predict_and_loss(x, y, weight)
        self._track(y, predicted, value, weight)

    # Metrics

    def _track(self, y: Any, predicted: Tensor, value: Tensor, weight: Any) -> None:
        self._mean_loss.update_state(value.item(), float(len(predicted)))
        if not self._wanted[0] and not self._wanted[1]:
            return
        y_true, y_pred = as_array(y), as_array(predicted)
        if self._tracked is None:
            self._tracked = _distinct([[metrics.get(m, y_true, y_pred) for m in some] for some in self._wanted])
        for metric in self._tracked[0]:
            metric.update_state(y_true, y_pred)
        for metric in self._tracked[1]:
            metric.update_state(y_true, y_pred, weight)

    @property
    def metrics(self) -> list[Any]:
        """The loss's mean and the metrics, once a batch was seen."""
        return [self._mean_loss, *(m for some in self._tracked or () for m in some)]

    @property
    def metrics_names(self) -> list[str]:
        """Their names."""
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        """Forget what they counted."""
        for metric in self.metrics:
            metric.reset_state()

    def _logs(self, prefix: str = "") -> dict[str, Any]:
        values = {prefix + m.name: np.asarray(as_array(m.result())) for m in self.metrics}
        # In the order of their names, as Keras has them.
        return {name: value.item() if value.size == 1 else value for name, value in sorted(values.items())}

    # Whole passes

    def fit(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1, verbose: Any = "auto",
        callbacks: Any = None, validation_split: float = 0.0, validation_data: Any = None, shuffle: bool = True,
        class_weight: Any = None, sample_weight: Any = None, initial_epoch: int = 0, steps_per_epoch: int | None = None,
        validation_steps: int | None = None, validation_batch_size: int | None = None, validation_freq: Any = 1,
    ) -> History:  # fmt: skip
        """Train for a number of passes over the data.

        Args:
            x: examples, or an iterable of batches ``(x, y)`` or ``(x, y, sample_weight)``.
            y: targets.
            batch_size: 32 without.
            epochs: the number of the last pass.
            verbose: 0 silent, 1 or "auto" a bar for each pass, 2 a line for each.
            callbacks: a list of ``tapegrad.keras.callbacks``.
            validation_split: this share of the examples, taken from the end before shuffling, validates.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)`` that validates.
            shuffle: a new order in each pass.
            class_weight: a weight for each class's number.
            sample_weight: a weight for each example; the loss's mean is still over the number of examples.
            initial_epoch: how many passes there were before.
            steps_per_epoch: end a pass after this many batches; the next one goes on where it ended.
            validation_steps: likewise for validation.
            validation_batch_size: ``batch_size`` without.
            validation_freq: validate in each pass whose number it divides, or in those of this list.

        Returns:
            The history: its ``history`` has a list for the loss and for each metric.

        Raises:
            RuntimeError: not compiled. ValueError: data that does not fit.
        """
        self._need("fit")
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = batches.split(validation_split, x, y, sample_weight)
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError("fit: give class_weight or sample_weight, not both")
            sample_weight = batches.weights_of_classes(y, class_weight)
        train = batches.make(x, y, sample_weight, batch_size, shuffle)
        held = None
        if validation_data is not None:
            given = validation_data if isinstance(validation_data, (tuple, list)) else (validation_data,)
            size = (validation_batch_size or batch_size) if len(given) > 1 else None
            vx, vy, vw = (*given, None, None)[:3]
            held = batches.make(vx, vy, vw, size)
        feed = batches.Feed(train, steps_per_epoch)
        steps = feed.steps
        told = CallbackList(callbacks, self, {"epochs": epochs, "steps": steps, "verbose": verbose})
        self.history, self.stop_training = told.history, False
        told.train_begin()
        logs: dict[str, float] = {}
        for epoch in range(initial_epoch, epochs):
            due = epoch + 1 in validation_freq if np.ndim(validation_freq) else (epoch + 1) % validation_freq == 0
            logs = self._epoch(epoch, epochs, feed, held if due else None, validation_steps, told, verbose)
            if self.stop_training:
                break
        told.train_end(logs)
        self.eval()  # type: ignore[attr-defined]
        return told.history

    def _epoch(
        self, epoch: int, epochs: int, feed: batches.Feed, held: Any, held_steps: int | None, told: CallbackList,
        verbose: Any,
    ) -> dict[str, float]:  # fmt: skip
        self.reset_metrics()
        told.epoch_begin(epoch)
        with Progress(f"Epoch {epoch + 1}/{epochs}", feed.steps, verbose) as bar:
            for i, batch in enumerate(feed):
                told.batch_begin("train", i)
                self._train_batch(*batch)
                logs = self._logs()
                told.batch_end("train", i, logs)
                bar.step(logs)
                if self.stop_training:
                    break
            logs = self._logs()
            if held is not None:
                self._test(held, held_steps, told)
                logs |= self._logs("val_")
            # Callbacks print after the bar's line is complete.
            bar.done(logs)
        told.epoch_end(epoch, logs)
        return logs

    def _test(self, held: Any, steps: int | None, told: CallbackList, bar: Any = None) -> None:
        self.reset_metrics()
        told.test_begin()
        for i, batch in enumerate(islice(held, steps)):
            told.batch_begin("test", i)
            self._test_batch(*batch)
            if bar is not None:
                bar.step(self._logs())
            told.batch_end("test", i, self._logs())
        told.test_end(self._logs())

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: Any = "auto",
        sample_weight: Any = None, steps: int | None = None, callbacks: Any = None, return_dict: bool = False,
    ) -> Any:  # fmt: skip
        """The loss and the metrics on data.

        Args:
            x, y, batch_size, sample_weight: see ``fit``.
            verbose: 0 silent, else a bar.
            steps: end after this many batches.
            callbacks: are told of the batches.
            return_dict: give a dictionary by names.

        Returns:
            The loss; with metrics a list that begins with it; or the dictionary.
        """
        self._need("evaluate")
        data = batches.make(x, y, sample_weight, batch_size)
        told = CallbackList(callbacks, self, {"verbose": verbose})
        with Progress("evaluate", min(len(data), steps or len(data)), verbose) as bar:
            self._test(data, steps, told, bar)
            bar.done(self._logs())
        return self._result(return_dict)

    def _result(self, return_dict: bool) -> Any:
        logs = self._logs()
        if return_dict:
            return logs
        return next(iter(logs.values())) if len(logs) == 1 else [logs[name] for name in self.metrics_names]

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: Any = "auto", steps: int | None = None,
        callbacks: Any = None,
    ) -> np.ndarray:  # fmt: skip
        """What the model says of each example, as a NumPy array.

        Args:
            x: examples, or an iterable of batches.
            batch_size: 32 without.
            verbose: 0 silent, else a bar.
            steps: end after this many batches.
            callbacks: are told of the batches.
        """
        data = batches.make(x, batch_size=batch_size)
        told = CallbackList(callbacks, self, {"verbose": verbose})
        out = []
        told.predict_begin()
        with Progress("predict", min(len(data), steps or len(data)), verbose) as bar:
            for i, (inputs, _, _) in enumerate(islice(data, steps)):
                told.batch_begin("predict", i)
                out.append(self.predict_on_batch(inputs))
                told.batch_end("predict", i, {"outputs": out[-1]})
                bar.step({})
            bar.done({})
        told.predict_end()
        return np.concatenate(out)

    def predict_on_batch(self, x: Any) -> np.ndarray:
        """What the model says of one batch."""
        self.eval()  # type: ignore[attr-defined]
        with no_grad():
            return as_array(self(batches._host(x)))  # type: ignore[operator]

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One step on one batch; returns that batch's loss and metrics as ``evaluate`` does."""
        self._need("train_on_batch")
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError("train_on_batch: give class_weight or sample_weight, not both")
            sample_weight = batches.weights_of_classes(y, class_weight)
        self.reset_metrics()
        (batch,) = batches.Arrays(x, y, sample_weight, len(x))
        self._train_batch(*batch)
        return self._result(return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and the metrics of one batch."""
        self._need("test_on_batch")
        self.reset_metrics()
        (batch,) = batches.Arrays(x, y, sample_weight, len(x))
        self._test_batch(*batch)
        return self._result(return_dict)


def _listed(value: Any) -> list[Any]:
    if isinstance(value, dict):
        raise ValueError("compile: metrics must be a list; a dictionary by outputs needs a model of several outputs")
    listed = [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]
    # A list in the list is for one output, of which a Sequential has no other.
    return _listed(listed[0]) if len(listed) == 1 and isinstance(listed[0], (list, tuple)) else listed


def _distinct(groups: list[list[Any]]) -> tuple[list[Any], list[Any]]:
    """Metrics with names that differ: the second "accuracy" becomes accuracy_1."""
    seen: dict[str, int] = {"loss": 1}
    for metric in [m for some in groups for m in some]:
        n = seen.get(metric.name, 0)
        seen[metric.name] = n + 1
        if n:
            metric.name = f"{metric.name}_{n}"
    return groups[0], groups[1]
