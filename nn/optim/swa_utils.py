"""Averages of a model's weights: equal ones (Izmailov et al., 2018) and exponential ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any, Literal

from ...autograd import Tensor, no_grad
from ...autograd.ops.create import tensor
from ...backends import dtypes
from ..batch_norm import _BatchNorm
from ..module import Module
from .lr_scheduler import LRScheduler
from .lr_scheduler.base import per_group
from .optimizer import Optimizer

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
    "update_bn",
]  # fmt: skip


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def _continuous(x: Tensor) -> bool:
    return x.is_floating_point() or x.is_complex()


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[..., None]:
    """The function that moves lists of averages towards lists of parameters, keeping ``decay`` of the former.

    Raises:
        ValueError: a decay outside [0, 1].
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param_list: list[Tensor], current_param_list: list[Tensor], num_averaged: Any) -> None:
        for mean, p in zip(ema_param_list, current_param_list, strict=True):
            if _continuous(mean):
                mean.lerp_(p, 1 - decay)
            else:
                mean.copy_(mean * decay + p * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn() -> Callable[..., None]:
    """The function that takes lists of parameters into lists of equal averages of ``num_averaged`` models."""

    @no_grad()
    def swa_update(averaged_param_list: list[Tensor], current_param_list: list[Tensor], num_averaged: Any) -> None:
        share = 1 / (float(num_averaged) + 1)
        for mean, p in zip(averaged_param_list, current_param_list, strict=True):
            if _continuous(mean):
                mean.lerp_(p, share)
            else:
                mean.copy_(mean + (p - mean) * share)

    return swa_update


def get_ema_avg_fn(decay: float = 0.999) -> Callable[..., Tensor]:
    """The function from an average and a parameter to the new average, keeping ``decay`` of the former.

    Raises:
        ValueError: a decay outside [0, 1].
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Callable[..., Tensor]:
    """The function from an equal average of ``num_averaged`` parameters and one more to the new average."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


class AveragedModel(Module):
    """A copy of a model whose parameters are averages over the calls of ``update_parameters``.

    Args:
        model: is copied.
        device: where to keep the averages.
        avg_fn: from an average, a parameter and the number of models so far to the new average.
        multi_avg_fn: changes lists of averages in place; only one of the two. Equal averages where neither is given.
        use_buffers: average buffers too; else they are copied.
    """

    n_averaged: Tensor

    def __init__(
        self, model: Module, device: Any = None, avg_fn: Callable[..., Tensor] | None = None,
        multi_avg_fn: Callable[..., None] | None = None, use_buffers: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=dtypes.of("int64"), device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The averaged model's result."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take the parameters of ``model`` into the averages; the first call copies them."""
        both = [
            chain(m.parameters(), m.buffers()) if self.use_buffers else m.parameters() for m in (self.module, model)
        ]
        pairs = [(mean.detach(), p.detach().to(mean.device)) for mean, p in zip(*both, strict=False)]
        if int(self.n_averaged) == 0:
            for mean, p in pairs:
                mean.copy_(p)
        elif self.avg_fn is not None:
            for mean, p in pairs:
                mean.copy_(self.avg_fn(mean, p, self.n_averaged.to(mean.device)))
        else:
            kinds: dict[Any, list[Any]] = {}
            for mean, p in pairs:
                kinds.setdefault((mean.device, mean.dtype), []).append((mean, p))
            update = self.multi_avg_fn or get_swa_multi_avg_fn()
            for (device, _), several in kinds.items():
                update([mean for mean, _ in several], [p for _, p in several], self.n_averaged.to(device))
        if not self.use_buffers:
            for own, b in zip(self.module.buffers(), model.buffers(), strict=True):
                own.detach().copy_(b.detach().to(own.device))
        self.n_averaged += 1


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of all batch normalisations anew, from one pass over data.

    Args:
        loader: batches, or lists of which the first entry is one.
        model: is run in training mode.
        device: where to move each batch.
    """
    momenta = {m: m.momentum for m in model.modules() if isinstance(m, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for norm in momenta:
        norm.reset_running_stats()
        norm.momentum = None
    for batch in loader:
        x = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(x if device is None else x.to(device))
    for norm, momentum in momenta.items():
        norm.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the present learning rate to a constant one, for averaging (Izmailov et al., 2018).

    Args:
        optimizer: whose learning rates are set.
        swa_lr: the constant one, or one for each group.
        anneal_epochs: how long to go there.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        last_epoch: -1 to begin.

    Raises:
        ValueError: an unknown strategy, or a number of epochs that is none.
    """

    def __init__(
        self, optimizer: Optimizer, swa_lr: float, anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos", last_epoch: int = -1,
    ) -> None:  # fmt: skip
        for lr, group in zip(per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t: float) -> float:
        """How much of the way is gone at the share ``t`` of the epochs."""
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[Any]:
        """The learning rates of the present epoch."""
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = (self.anneal_func(max(0.0, min(1.0, n / max(1, self.anneal_epochs)))) for n in (step - 1, step))
        made = []
        for group in self.optimizer.param_groups:
            target = group["swa_lr"]
            start = target if before == 1 else (group["lr"] - before * target) / (1 - before)
            made.append(target * now + start * (1 - now))
        return made
