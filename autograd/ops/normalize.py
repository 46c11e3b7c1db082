"""Normalisation over batches, layers, groups and instances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..grad_mode import no_grad
from ..names import named
from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from ..types import finfo
from ..views import own
from ..writes import write
from .args import check_tensor, not_for, refuse_kinds
from .create import tensor
from .memory_order import channels_kept, row_by_row
from .out import write_out
from .reduce import norm
from .shape import pad

__all__ = [
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "native_batch_norm",
    "native_group_norm", "native_layer_norm", "normalize", "rms_norm",
]  # fmt: skip


# One step for all of them


def _standard(x: Tensor, dims: tuple[int, ...], eps: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """``x`` less its mean over ``dims``, that mean, the variance, and 1 over the root of variance plus ``eps``."""
    mean = P.mean(x, dims, True)
    centred = P.sub(x, mean)
    variance = P.mean(P.square(centred), dims, True)
    return centred, mean, variance, P.rsqrt(P.add(variance, float(eps)))


def _affine(x: Tensor, weight: Tensor | None, bias: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    if weight is not None:
        x = P.mul(x, P.reshape(weight, shape))
    return x if bias is None else P.add(x, P.reshape(bias, shape))


def _without_gradients(out: Tensor, mean: Tensor, inverse: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Only the first result takes part in gradients, as in PyTorch."""
    return out, mean.detach(), inverse.detach()


def _check_floating(name: str, x: Any) -> None:
    check_tensor(name, "input", x)
    if x._array.dtype.kind in "biu":
        raise RuntimeError(f"{name}: needs a floating tensor, got {describe(x)}; convert it with .float()")


def _check_shape(name: str, shape: tuple[int, ...], **given: Any) -> None:
    """Refuse parameters and statistics of another shape.

    Raises:
        RuntimeError: another shape. TypeError: not a tensor.
    """
    for argument, x in given.items():
        if x is None:
            continue
        check_tensor(name, argument, x)
        if x._array.shape != shape:
            raise RuntimeError(f"{name}: {argument} must have shape {list(shape)}, got {describe(x)}")


# Layers


def _layer(
    name: str, input: Tensor, normalized_shape: Any, weight: Any, bias: Any, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    shape = _normalized(name, input, normalized_shape)
    _check_shape(name, shape, weight=weight, bias=bias)
    dims = tuple(range(input.ndim - len(shape), input.ndim))
    centred, mean, _, inverse = _standard(input, dims, eps)
    return _affine(P.mul(centred, inverse), weight, bias, shape), mean, inverse


def _normalized(name: str, input: Any, normalized_shape: Any) -> tuple[int, ...]:
    _check_floating(name, input)
    whole = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    shape = tuple(map(int, whole))
    if not shape or input._array.shape[-len(shape) :] != shape:
        raise RuntimeError(
            f"{name}: normalized_shape {list(shape)} must be the last sizes of the input, at least one; "
            f"got {describe(input)}"
        )
    return shape


@not_for("c")
def layer_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """``(x - mean) / sqrt(variance + eps) * weight + bias`` over the last dimensions (Ba et al., 2016).

    Args:
        input: (..., *normalized_shape), floating.
        normalized_shape: the sizes over which mean and variance (divided by the count) are taken.
        weight, bias: of that shape, or None.
        eps: added to the variance.

    Raises:
        RuntimeError: sizes that differ, or integers.
    """
    shape = _normalized("layer_norm", input, normalized_shape)
    if weight is not None or bias is not None:
        _check_shape("layer_norm", shape, weight=weight, bias=bias)
    if input._array.size and _of_one_type(input, weight, bias):
        out = P.layer_norm(input, weight, bias, len(shape), float(eps))
    else:
        out = _layer("layer_norm", input, normalized_shape, weight, bias, eps)[0]
    return named(out, "NativeLayerNormBackward0")


def _of_one_type(input: Tensor, *others: Tensor | None) -> bool:
    """Whether the fused step may run: real numbers, all of one type."""
    dtype = input._array.dtype
    for x in others:
        if x is not None and x._array.dtype != dtype:
            return False
    return dtype.kind != "c"


def native_layer_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """``layer_norm``, and the mean and the factor ``1 / sqrt(variance + eps)`` of every row."""
    return _without_gradients(*_layer("native_layer_norm", input, normalized_shape, weight, bias, eps))


def rms_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """``x / sqrt(mean(x**2) + eps) * weight`` over the last dimensions (Zhang and Sennrich, 2019).

    Args:
        input: (..., *normalized_shape), floating.
        weight: of that shape, or None.
        eps: None for the smallest step of the type at 1.

    Raises:
        RuntimeError: sizes that differ, or integers.
    """
    shape = _normalized("rms_norm", input, normalized_shape)
    _check_shape("rms_norm", shape, weight=weight)
    dims = tuple(range(input.ndim - len(shape), input.ndim))
    small = finfo(input.dtype).eps if eps is None else float(eps)
    out = P.mul(input, P.rsqrt(P.add(P.mean(P.square(input), dims, True), small)))
    return row_by_row(out if weight is None else P.mul(out, weight))


# Groups of channels


def _group(
    name: str, input: Tensor, groups: int, weight: Any, bias: Any, eps: float, statistics: bool = True
) -> tuple[Tensor, Any, Any]:
    """The result, and where ``statistics`` asks for them the mean and the factor of every group."""
    _check_floating(name, input)
    if input.ndim < 2:
        raise RuntimeError(f"{name}: needs at least 2 dimensions (N, C, ...), got {describe(input)}")
    batch, channels, *size = input._array.shape
    if groups <= 0 or channels % groups:
        raise RuntimeError(f"{name}: the {channels} channels of {describe(input)} do not make {groups} equal groups")
    _check_shape(name, (channels,), weight=weight, bias=bias)
    rows = P.reshape(input, (batch, groups, channels // groups * math.prod(size)))
    shape = (channels, *(1,) * len(size))
    if not statistics and rows._array.size and _of_one_type(input, weight, bias):
        out = P.reshape(P.layer_norm(rows, None, None, 1, float(eps)), input._array.shape)
        if weight is not None or bias is not None:
            out = P.batch_norm(out, None, weight, bias, False, 0.0)
        return out, None, None
    centred, mean, _, inverse = _standard(rows, (2,), eps)
    out = P.reshape(P.mul(centred, inverse), input._array.shape)
    return _affine(out, weight, bias, shape), P.reshape(mean, (batch, groups)), P.reshape(inverse, (batch, groups))


@not_for("c")
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Each group of channels of each example, less its mean and over its deviation (Wu and He, 2018).

    Args:
        input: (N, C, ...), floating.
        num_groups: how many groups the channels make.
        weight, bias: (C,), or None.
        eps: added to the variance.

    Raises:
        RuntimeError: channels that do not make such groups, parameters of another shape, or integers.
    """
    out = _group("group_norm", input, int(num_groups), weight, bias, eps, False)[0]
    return named(own(out, input), "NativeGroupNormBackward0")


def native_group_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, N: int, C: int, HxW: int, group: int, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """``group_norm``, and the mean and the factor ``1 / sqrt(variance + eps)`` of every group."""
    if input._array.size != N * C * HxW:
        raise RuntimeError(f"native_group_norm: {describe(input)} does not hold {N} x {C} x {HxW} elements")
    return _group("native_group_norm", input, int(group), weight, bias, eps)


# Channels of a batch


@not_for("c")
def batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
    bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Each channel less its mean and over its deviation (Ioffe and Szegedy, 2015).

    Args:
        input: (N, C, ...), floating.
        running_mean, running_var: (C,), or None. In training they move towards the mean and the unbiased variance of
            the batch; else they are what is normalised with.
        weight, bias: (C,), or None.
        training: whether mean and variance (divided by the count) are those of the batch.
        momentum: the share of the batch in the running statistics.
        eps: added to the variance.

    Raises:
        ValueError: one element per channel in training. RuntimeError: shapes that do not fit, no statistics, integers.
    """
    if training:
        _refuse_single("batch_norm", input)
    made = _fused(input, running_mean, running_var, weight, bias, training, momentum, eps)
    if made is None:
        made = _batch("batch_norm", input, running_mean, running_var, weight, bias, training, momentum, eps)[0]
    return named(made, "NativeBatchNormBackward0")


def _fused(
    x: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any, training: bool, momentum: float, eps: float
) -> Tensor | None:
    """``batch_norm`` in one step, where all tensors are of one type and fit; else None."""
    check_tensor("batch_norm", "input", x)
    array, given = x._array, (running_mean, running_var, weight, bias)
    shape = array.shape
    if len(shape) < 2 or not array.size or array.dtype.kind in "biuc":
        return None
    for t in given:
        if t is not None and not (isinstance(t, Tensor) and t._array.shape == shape[1:2]):
            return None
    if not _of_one_type(x, *given) or not (training or (running_mean is not None and running_var is not None)):
        return None
    if training:
        moments = P.batch_moments(x)
        _follow(running_mean, running_var, moments, array.size // shape[1], momentum)
    else:
        moments = P.stack([running_mean, running_var], 0)
    return channels_kept(P.batch_norm(x, moments, weight, bias, training, float(eps)))


def _refuse_single(name: str, input: Any) -> None:
    check_tensor(name, "input", input)
    shape = input._array.shape
    if len(shape) >= 2 and shape[0] * math.prod(shape[2:]) == 1:
        raise ValueError(f"{name}: training needs more than 1 value per channel, got input of shape {list(shape)}")


def native_batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """``batch_norm``, and in training the mean and the factor ``1 / sqrt(variance + eps)`` of every channel."""
    out, mean, inverse = _batch(
        "native_batch_norm", input, running_mean, running_var, weight, bias, training, momentum, eps
    )
    if mean is None:
        mean, inverse = (tensor([], dtype=input.dtype, device=input.device) for _ in range(2))
        return out, mean, inverse
    channels = (input._array.shape[1],)
    return _without_gradients(out, P.reshape(mean, channels), P.reshape(inverse, channels))


def _batch(
    name: str, x: Tensor, running_mean: Any, running_var: Any, weight: Any, bias: Any, training: bool,
    momentum: float, eps: float,
) -> tuple[Tensor, Any, Any]:  # fmt: skip
    _check_floating(name, x)
    if x.ndim < 2:
        if not x._array.size:
            return P.copy(x), None, None
        raise RuntimeError(f"{name}: needs at least 2 dimensions (N, C, ...), got {describe(x)}")
    channels = x._array.shape[1]
    _check_shape(
        name, (channels,), running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )  # fmt: skip
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError(f"{name}: without training it needs running_mean and running_var")
    shape = (channels, *(1,) * (x.ndim - 2))
    if training:
        dims = (0, *range(2, x.ndim))
        centred, mean, variance, inverse = _standard(x, dims, eps)
        moments = P.stack([P.reshape(s.detach(), (channels,)) for s in (mean, variance)], 0)
        _follow(running_mean, running_var, moments, x._array.size // max(channels, 1), momentum)
    else:
        centred, mean = P.sub(x, P.reshape(running_mean, shape)), None
        inverse = P.reshape(P.rsqrt(P.add(running_var, float(eps))), shape)
    scale = inverse if weight is None else P.mul(inverse, P.reshape(weight, shape))
    out = P.mul(centred, scale)
    out = out if bias is None else P.add(out, P.reshape(bias, shape))
    if out._array.dtype != x._array.dtype:
        out = P.cast(out, x._array.dtype)
    return channels_kept(out), mean, None if mean is None else inverse


def _follow(running_mean: Any, running_var: Any, moments: Tensor, count: int, momentum: float) -> None:
    """Move the running statistics towards the mean and the variance (2, C) of a batch of ``count`` per channel."""
    if not count:
        return
    unbiased = count / (count - 1) if count > 1 else math.nan
    with no_grad():
        for k, (running, share) in enumerate(((running_mean, momentum), (running_var, momentum * unbiased))):
            if running is not None:
                write("follow_", running, _moved, P.slice(moments, (k,)), 1.0 - momentum, float(share))


def _moved(running: Tensor, value: Tensor, keep: float, share: float) -> Tensor:
    return P.add(P.mul(running, keep), P.mul(value, share))


@not_for("c")
def instance_norm(
    input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None,
    weight: Tensor | None = None, bias: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Each channel of each example, less its mean and over its deviation (Ulyanov et al., 2016).

    Args:
        input: (N, C, ...), floating.
        running_mean, running_var: (C,), or None; they follow the means over the batch, and are what is normalised with
            where ``use_input_stats`` is False.
        weight, bias: (C,), or None.

    Raises:
        ValueError: one element per channel. RuntimeError: shapes that do not fit, no statistics, integers.
    """
    _check_floating("instance_norm", input)
    if input.ndim < 2:
        raise RuntimeError(f"instance_norm: needs at least 2 dimensions (N, C, ...), got {describe(input)}")
    batch, channels, *size = input._array.shape
    if use_input_stats and math.prod(size) == 1:
        raise ValueError(
            f"instance_norm: needs more than 1 element per channel, got input of shape {list(input.shape)}"
        )
    statistics = {"running_mean": running_mean, "running_var": running_var}
    _check_shape("instance_norm", (channels,), **statistics, weight=weight, bias=bias)
    if not use_input_stats:
        return _batch("instance_norm", input, running_mean, running_var, weight, bias, False, momentum, eps)[0]
    dims = tuple(range(2, input.ndim))
    centred, mean, variance, inverse = _standard(input, dims, eps)
    if batch:
        moments = P.stack([P.reshape(P.mean(s.detach(), (0,), False), (channels,)) for s in (mean, variance)], 0)
        _follow(running_mean, running_var, moments, math.prod(size), momentum)
    out = channels_kept(_affine(P.mul(centred, inverse), weight, bias, (channels, *(1,) * len(size))))
    return named(out, "ViewBackward0")


# Others


@not_for("buc")
def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """``x / (k + alpha * mean of squares of size neighbouring channels)**beta`` (Krizhevsky et al., 2012).

    Args:
        input: (N, C, ...).

    Raises:
        ValueError: fewer than 3 dimensions.
    """
    check_tensor("local_response_norm", "input", input)
    if input._array.itemsize < 8:  # of integers PyTorch takes int64 only
        refuse_kinds("local_response_norm", input, "i")
    if input.ndim < 3:
        raise ValueError(f"local_response_norm: needs at least 3 dimensions (N, C, L), got {describe(input)}")
    if not input._array.size:
        return input
    channels, size = input._array.shape[1], int(size)
    widths = [0, 0] * (input.ndim - 2) + [size // 2, (size - 1) // 2]
    squares, total = pad(P.square(input), widths), None
    for i in range(size):
        part = P.slice(squares, (slice(None), slice(i, i + channels)))
        total = part if total is None else P.add(total, part)
    return P.div(input, P.pow(P.add(P.mul(total, float(alpha) / size), float(k)), float(beta)))


def normalize(
    input: Tensor, p: float = 2.0, dim: int | Sequence[int] = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """``input`` over its norm of order ``p`` along ``dim``, which counts as at least ``eps``."""
    check_tensor("normalize", "input", input)
    size = norm(input, p, dim, True)
    length = P.clamp(P.abs(size) if size._array.dtype.kind == "c" else size, float(eps), None)
    made = P.div(input, length)
    return made if out is None else write_out("normalize", out, made, (input,))
