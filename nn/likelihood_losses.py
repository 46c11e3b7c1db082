"""Losses that are negative log-likelihoods or divergences, as functions."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ..autograd import P, Tensor
from ..autograd.ops.args import check_tensor, not_for
from ..autograd.ops.factories import full_like
from ..autograd.promote import describe
from .class_losses import cross_entropy
from .reduction import legacy_reduction, reduced
from .warn import users_line

__all__ = ["gaussian_nll_loss", "kl_div", "linear_cross_entropy", "poisson_nll_loss"]


@not_for("biuc")
def kl_div(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", log_target: bool = False,
) -> Tensor:  # fmt: skip
    """The Kullback-Leibler divergence of log-probabilities from a target distribution, element by element.

    Args:
        input: log-probabilities. target: probabilities, or their logarithms with ``log_target``; they broadcast.
        reduction: "mean" (over all elements), "sum", "none", or "batchmean", the sum over the size of dimension 0,
            which is the divergence itself.
    """
    check_tensor("kl_div", "input", input)
    check_tensor("kl_div", "target", target)
    how = legacy_reduction(size_average, reduce, reduction)
    if how == "mean":
        warnings.warn(
            "kl_div: reduction 'mean' is over all elements; 'batchmean' gives the divergence as it is defined",
            stacklevel=users_line(),
        )
    if log_target:
        loss = P.mul(P.exp(target), P.sub(target, input))
    else:
        loss = P.sub(P.xlogy(target, target), P.mul(target, input))
    if how != "batchmean":
        return reduced(loss, how)
    total = P.sum(loss, None, False)
    return P.div(total, float(input._array.shape[0])) if input.ndim else total


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: bool | None = None,
    eps: float = 1e-8, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean of minus the log-likelihood of counts under a Poisson distribution.

    Args:
        input: its mean, or with ``log_input`` the logarithm of that.
        target: the counts.
        full: add Stirling's approximation of the part that does not depend on ``input``, where the target is above 1.
        eps: added before the logarithm.
    """
    check_tensor("poisson_nll_loss", "input", input)
    check_tensor("poisson_nll_loss", "target", target)
    if log_input:
        loss = P.sub(P.exp(input), P.mul(target, input))
    else:
        loss = P.sub(input, P.mul(target, P.log(P.add(input, float(eps)))))
    if full:
        large = P.gt(target, 1)
        safe = P.where(large, target, 1.0)
        rest = P.add(P.sub(P.mul(safe, P.log(safe)), safe), P.mul(P.log(P.mul(safe, 2 * math.pi)), 0.5))
        loss = P.add(loss, P.where(large, rest, P.zeros_like(rest)))
    how = legacy_reduction(size_average, reduce, reduction)
    return reduced(loss, how)


def _one_for_all(shape: tuple[int, ...], given: tuple[int, ...]) -> bool:
    """Whether variances are given for all dimensions but one, where one stands for all."""
    if len(shape) != len(given):
        return False
    return [b for a, b in zip(shape, given, strict=True) if a != b] == [1]


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """The mean of minus the log-likelihood of targets under normal distributions.

    Args:
        input: their means (..., D). target: of the same shape, or one that broadcasts to it.
        var: their variances: a number, or a tensor of the shape of ``input``, of that without the last size, or with a
            last size of 1.
        full: add the constant ``log(2 pi) / 2``.
        eps: variances count as at least this; the slope is as if they were.

    Raises:
        ValueError: a negative variance, or a shape that does not fit.
    """
    check_tensor("gaussian_nll_loss", "input", input)
    check_tensor("gaussian_nll_loss", "target", target)
    if not isinstance(var, Tensor):
        if var < 0:
            raise ValueError(f"gaussian_nll_loss: var has a negative element, got {var}")
        return gaussian_nll_loss(input, target, full_like(input, var), full, eps, reduction)
    shape, spread = input._array.shape, var
    if var._array.shape != shape:
        if shape[:-1] == var._array.shape:
            spread = P.reshape(var, (*var._array.shape, 1))
        elif not _one_for_all(shape, var._array.shape):
            raise ValueError(f"gaussian_nll_loss: var {describe(var)} does not fit input {describe(input)}")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction; use 'mean', 'sum' or 'none'")
    plain = spread.detach()
    if bool(P.any(P.lt(plain, 0), None, False)):
        raise ValueError("gaussian_nll_loss: var has a negative element")
    spread = P.add(spread, P.sub(P.clamp(plain, float(eps), None), plain))
    loss = P.mul(P.add(P.log(spread), P.div(P.square(P.sub(input, target)), spread)), 0.5)
    return reduced(P.add(loss, 0.5 * math.log(2 * math.pi)) if full else loss, reduction)


def linear_cross_entropy(
    input: Tensor, linear_weight: Tensor, target: Tensor, *, linear_bias: Tensor | None = None,
    weight: Tensor | None = None, reduction: str = "mean", ignore_index: int | None = None,
    label_smoothing: float = 0.0, options: Any = None,
) -> Tensor:  # fmt: skip
    """``cross_entropy(linear(input, linear_weight, linear_bias), target, ...)``.

    Args:
        input: (N, I), or (I,).
        linear_weight: (C, I), or (C, d1, ..., I) for logits (N, C, d1, ...).
        target, weight, reduction, label_smoothing: see ``cross_entropy``.
        linear_bias: (C,), or (C, d1, ...).
        ignore_index: None for -100.
        options: how to save memory in PyTorch; counts for nothing here.

    Raises:
        RuntimeError: shapes that do not fit.
    """
    name = "linear_cross_entropy"
    for argument, x in (("input", input), ("linear_weight", linear_weight), ("target", target)):
        check_tensor(name, argument, x)
    *outer, inner = linear_weight._array.shape or (0,)
    if input.ndim not in (1, 2) or not outer or input._array.shape[-1] != inner:
        raise RuntimeError(
            f"{name}: needs input (N, I) or (I,) and linear_weight (C, ..., I), got {describe(input)} and "
            f"{describe(linear_weight)}"
        )
    if linear_weight.ndim < 2 or (linear_weight.ndim > 2 and input.ndim == 1):
        raise RuntimeError(
            f"{name}: linear_weight {describe(linear_weight)} must have at least 2 dimensions, and with more than 2 "
            f"the input a batch; got {describe(input)}"
        )
    if ignore_index is not None and target.dtype.is_floating_point:
        raise RuntimeError(f"{name}: ignore_index does not go with a target of probabilities, {describe(target)}")
    table = P.reshape(linear_weight, (math.prod(outer), inner))
    flat = None
    if linear_bias is not None:
        if linear_bias._array.shape not in ((outer[0],), tuple(outer)):
            raise RuntimeError(f"{name}: linear_bias must have shape {outer}, got {describe(linear_bias)}")
        spread = P.reshape(linear_bias, (outer[0], *(1,) * (len(outer) - 1))) if linear_bias.ndim == 1 else linear_bias
        flat = P.reshape(P.expand(spread, tuple(outer)), (math.prod(outer),))
    logits = P.linear(P.reshape(input, (-1, inner)) if input.ndim == 1 else input, table, flat, None)
    logits = P.reshape(logits, (*input._array.shape[:-1], *outer))
    return cross_entropy(
        logits, target, weight, ignore_index=-100 if ignore_index is None else ignore_index, reduction=reduction,
        label_smoothing=label_smoothing,
    )  # fmt: skip
