"""Initialisation of parameters, in place, with PyTorch's numbers for the same seed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from ..autograd import Tensor, no_grad
from ..autograd.ops.create import from_numpy
from ..backends.random import default_generator
from .warn import users_line

__all__ = [
    "calculate_gain", "constant", "constant_", "dirac", "dirac_", "eye", "eye_", "kaiming_normal", "kaiming_normal_",
    "kaiming_uniform", "kaiming_uniform_", "normal", "normal_", "ones_", "orthogonal", "orthogonal_", "sparse",
    "sparse_", "trunc_normal_", "uniform", "uniform_", "xavier_normal", "xavier_normal_", "xavier_uniform",
    "xavier_uniform_", "zeros_",
]  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which a non-linearity asks weights to be larger.

    Raises:
        ValueError: an unknown non-linearity.
    """
    if nonlinearity == "tanh":
        return 5 / 3
    if nonlinearity == "relu":
        return math.sqrt(2)
    if nonlinearity == "leaky_relu":
        if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
            raise ValueError(f"calculate_gain: the slope of leaky_relu must be a number, not {param!r}")
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity == "selu":
        return 3 / 4
    if nonlinearity == "sigmoid" or nonlinearity.startswith(("linear", "conv")):
        return 1
    raise ValueError(f"calculate_gain: unknown nonlinearity {nonlinearity!r}")


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim < 2:
        raise ValueError(f"fan in and fan out need at least 2 dimensions, got shape {list(tensor.shape)}")
    field = 1
    for n in tensor.shape[2:]:
        field *= n
    return tensor.shape[1] * field, tensor.shape[0] * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}")
    return _calculate_fan_in_and_fan_out(tensor)[mode == "fan_out"]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform between ``a`` and ``b``."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator or default_generator)  # the host's, also for a card


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with this mean and standard deviation."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator or default_generator)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One number everywhere."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros."""
    return constant_(tensor, 0.0)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform, keeping the variance through a layer in both directions (Glorot and Bengio, 2010)."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    bound = math.sqrt(3.0) * (gain * math.sqrt(2.0 / float(fan_in + fan_out)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal, keeping the variance through a layer in both directions (Glorot and Bengio, 2010)."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)), generator)


def _untouched(tensor: Tensor) -> Tensor:
    warnings.warn("initialising a tensor without elements does nothing", stacklevel=3)
    return tensor


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Uniform, keeping the variance through rectified layers (He et al., 2015)."""
    if 0 in tensor.shape:
        return _untouched(tensor)
    std = calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Normal, keeping the variance through rectified layers (He et al., 2015)."""
    if 0 in tensor.shape:
        return _untouched(tensor)
    return normal_(
        tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode)), generator
    )


def _put(tensor: Tensor, array: Any) -> Tensor:
    """Write a host array into a tensor of any type and device."""
    with no_grad():
        return tensor.copy_(from_numpy(array))


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Normal, drawn anew outside of ``a .. b``."""
    draw = (generator or default_generator).truncated_normal
    return _put(tensor, draw(tuple(tensor.shape), mean, std, a, b, tensor.dtype.numpy))


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """A (semi-)orthogonal matrix times ``gain``; all dimensions but the first count as one (Saxe et al., 2014).

    Raises:
        ValueError: fewer than 2 dimensions.
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: needs at least 2 dimensions, got shape {list(tensor.shape)}")
    if 0 in tensor.shape:
        return tensor
    if tensor.dtype.name not in ("float32", "float64"):
        raise NotImplementedError(
            f"orthogonal_: needs float32 or float64, got {tensor.dtype}; fill a float32 tensor and convert it"
        )
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    flat = (generator or default_generator).normal((rows, columns), dtype=tensor.dtype.numpy)
    q, r = np.linalg.qr(flat.T if rows < columns else flat)
    q *= np.sign(np.diag(r))
    q = q.T if rows < columns else q
    return _put(tensor, np.ascontiguousarray(q).reshape(tuple(tensor.shape)) * q.dtype.type(gain))


def eye_(tensor: Tensor) -> Tensor:
    """Ones on the diagonal of a matrix, else zeros.

    Raises:
        ValueError: not 2 dimensions.
    """
    if tensor.ndim != 2:
        raise ValueError(f"eye_: needs 2 dimensions, got shape {list(tensor.shape)}")
    return _put(tensor, np.eye(*tensor.shape, dtype=tensor.dtype.numpy))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Kernels of a convolution that hands its input channels on, as many as there are, in each group.

    Args:
        tensor: (out_channels, in_channels, ...) with 1 to 3 further dimensions.
        groups: of the convolution.

    Raises:
        ValueError: another number of dimensions, or output channels that the groups do not share evenly.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"dirac_: needs 3, 4 or 5 dimensions, got shape {list(tensor.shape)}")
    if tensor.shape[0] % groups:
        raise ValueError(f"dirac_: {tensor.shape[0]} output channels cannot be shared by {groups} groups")
    each = tensor.shape[0] // groups
    array = np.zeros(tuple(tensor.shape), tensor.dtype.numpy)
    middle = tuple(n // 2 for n in tensor.shape[2:])
    for group in range(groups):
        for i in range(min(each, tensor.shape[1])):
            array[(group * each + i, i, *middle)] = 1
    return _put(tensor, array)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal, with the share ``sparsity`` of each column zero (Martens, 2010).

    As in PyTorch, which elements are zero comes from the library's generator, whatever ``generator`` is.

    Raises:
        ValueError: not 2 dimensions.
    """
    if tensor.ndim != 2:
        raise ValueError(f"sparse_: needs 2 dimensions, got shape {list(tensor.shape)}")
    rows, columns = tensor.shape
    array = (generator or default_generator).normal((rows, columns), 0.0, std, tensor.dtype.numpy)
    zeros = math.ceil(sparsity * rows)
    for column in range(columns):
        array[default_generator.randperm(rows)[:zeros], column] = 0
    return _put(tensor, array)


# The names that these had once, without the underscore of what works in place


def _old(function: Any) -> Callable[..., Tensor]:
    name = function.__name__

    @wraps(function)
    def renamed(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(f"nn.init.{name[:-1]} is an old name; use nn.init.{name}", FutureWarning, stacklevel=users_line())
        return function(*args, **kwargs)

    renamed.__name__ = renamed.__qualname__ = name[:-1]
    renamed.__doc__ = f"``{name}`` under its old name."
    return renamed


constant, dirac, eye, kaiming_normal, kaiming_uniform, normal = (
    _old(f) for f in (constant_, dirac_, eye_, kaiming_normal_, kaiming_uniform_, normal_)
)
orthogonal, sparse, uniform, xavier_normal, xavier_uniform = (
    _old(f) for f in (orthogonal_, sparse_, uniform_, xavier_normal_, xavier_uniform_)
)
