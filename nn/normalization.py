"""Normalisation that looks at one example at a time: layer, group, RMS, and local response."""

from __future__ import annotations

from typing import Any

from ..autograd import P, Tensor
from ..autograd.ops.create import tensor
from ..autograd.ops.factories import empty
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


def _shape(normalized_shape: Any) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


class _Affine(Module):
    """A normalisation with a weight and a bias, or without either."""

    def _learn(self, shape: tuple[int, ...], weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        for name, wanted in (("weight", weight), ("bias", bias)):
            self.register_parameter(name, Parameter(empty(shape, device=device, dtype=dtype)) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set weight and bias to ones and zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class LayerNorm(_Affine):
    """The last dimensions minus their mean, divided by their standard deviation (Ba et al., 2016).

    Args:
        normalized_shape: sizes of the dimensions that are normalised together, the last ones.
        eps: added to the variance.
        elementwise_affine: whether to learn a weight (and a bias) of that shape.
        bias: whether to learn the bias too.
        device, dtype: of the parameters.
    """

    def __init__(
        self, normalized_shape: Any, eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._learn(self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """The last dimensions divided by the root of their mean square (Zhang and Sennrich, 2019).

    Args:
        normalized_shape: sizes of the dimensions that are normalised together, the last ones.
        eps: added to the mean square; None for the smallest step of the element type at 1.
        elementwise_affine: whether to learn a weight of that shape.
        device, dtype: of the parameter.
    """

    def __init__(
        self, normalized_shape: Any, eps: float | None = None, elementwise_affine: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        made = Parameter(empty(self.normalized_shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to ones."""
        if self.elementwise_affine:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(_Affine):
    """Groups of channels minus their mean, divided by their standard deviation (Wu and He, 2018).

    Args:
        num_groups: into how many groups the channels are split.
        num_channels: C, in (N, C, ...).
        eps: added to the variance.
        affine: whether to learn a weight and a bias for each channel.
        device, dtype: of the parameters.
        bias: False for a weight alone.

    Raises:
        ValueError: channels that the groups do not share evenly.
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, device: Any = None,
        dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._learn((num_channels,), affine, affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """Each channel divided by a power of the squares around it (Krizhevsky et al., 2012).

    Args:
        size: how many neighbouring channels count.
        alpha, beta, k: ``x / (k + alpha * mean of squares) ** beta``.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(Module):
    """The older local response normalisation of images (N, C, H, W).

    As in PyTorch it is not quite ``LocalResponseNorm``: of an even ``size`` one channel less counts, and the first
    channel counts for all.

    Args:
        size, alpha, beta, k: see ``LocalResponseNorm``.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        n, channels, high, wide = input.shape
        reach = (self.size + 1) // 2
        near = [[float(j == 0 or abs(j - c) < reach) for j in range(channels)] for c in range(channels)]
        counted = tensor(near, dtype=input.dtype, device=input.device)
        squares = P.reshape(P.square(input), (n, channels, high * wide))
        sums = P.reshape(P.matmul(counted, squares), (n, channels, high, wide))
        scale = P.add(P.mul(sums, self.alpha / self.size), float(self.k))
        return P.mul(input, P.pow(scale, -self.beta))

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
