"""Convolutions and transposed convolutions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..autograd import Tensor
from ..autograd.ops.factories import empty
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter
from .sizes import reversed_twice, several

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What all convolutions have: sizes, weight, bias.

    Attributes:
        weight: (out_channels, in_channels / groups, *kernel_size), transposed (in_channels, out_channels / groups,
            *kernel_size); uniform within ±1/sqrt(fan in).
        bias: (out_channels,), likewise; None without.
    """

    n: int
    function: Callable[..., Tensor]
    weight: Any

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
        transposed: bool, output_padding: Any, groups: int, bias: bool, padding_mode: str, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(
                    f"Invalid padding string {padding!r}, should be one of {{'valid', 'same'}}"  # PyTorch's text
                )
            if padding == "same" and any(s != 1 for s in stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {set(PADDING_MODES)}, but got padding_mode='{padding_mode}'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        self._around = self._places_around()
        self._make_parameters(bias, device, dtype)

    def _make_parameters(self, bias: bool, device: Any, dtype: Any) -> None:
        self.weight = Parameter(empty(*self._weight_shape(), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(self.out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _weight_shape(self) -> tuple[int, ...]:
        first, second = self.out_channels, self.in_channels
        if self.transposed:
            first, second = second, first
        return (first, second // self.groups, *self.kernel_size)

    def _places_around(self) -> list[int]:
        """What a padding mode other than zeros adds, as ``functional.pad`` wants it."""
        if not isinstance(self.padding, str):
            return reversed_twice(self.padding)
        around: list[int] = []
        for size, step in zip(reversed(self.kernel_size), reversed(self.dilation), strict=True):
            total = step * (size - 1) if self.padding == "same" else 0
            around += [total // 2, total - total // 2]
        return around

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in:
                init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._around, mode=self.padding_mode), 0
        return type(self).function(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        n = len(self.kernel_size)
        if self.padding != (0,) * n:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * n:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * n:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_ConvNd):
    """A convolution (in truth a cross-correlation).

    Args:
        in_channels, out_channels: channels of the input and of the result.
        kernel_size: of the window, one number or one for each dimension (so are the next three).
        stride: how far apart the windows begin.
        padding: places added at both ends; "same" keeps the sizes, "valid" adds none.
        dilation: how far apart the places of one window lie.
        groups: into how many independent parts the channels are split.
        bias: whether to add a learned bias.
        padding_mode: what is added: "zeros", "reflect", "replicate" or "circular".
        device, dtype: of the parameters.

    Raises:
        ValueError: channels that ``groups`` does not divide, or an unknown padding.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        n = self.n
        super().__init__(
            in_channels, out_channels, several(kernel_size, n), several(stride, n),
            padding if isinstance(padding, str) else several(padding, n), several(dilation, n), False, (0,) * n, groups,
            bias, padding_mode, device, dtype,
        )  # fmt: skip


class Conv1d(_Conv):
    """A convolution of sequences (N, C, L); see ``functional.conv1d``."""

    n, function = 1, staticmethod(F.conv1d)


class Conv2d(_Conv):
    """A convolution of images (N, C, H, W); see ``functional.conv2d``."""

    n, function = 2, staticmethod(F.conv2d)


class Conv3d(_Conv):
    """A convolution of volumes (N, C, D, H, W); see ``functional.conv3d``."""

    n, function = 3, staticmethod(F.conv3d)


class _ConvTransposeNd(_ConvNd):
    """The transpose of a convolution, which a ``stride`` makes larger.

    Args:
        in_channels, out_channels: channels of the input and of the result.
        kernel_size, stride, padding, dilation, groups: of the convolution that is transposed.
        output_padding: places added at the end of each dimension of the result.
        bias: whether to add a learned bias.
        padding_mode: only "zeros".
        device, dtype: of the parameters.

    Raises:
        ValueError: channels that ``groups`` does not divide, or another padding mode.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros",
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        n = self.n
        super().__init__(
            in_channels, out_channels, several(kernel_size, n), several(stride, n), several(padding, n),
            several(dilation, n), True, several(output_padding, n), groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def _output_padding(self, input: Tensor, output_size: Any) -> tuple[int, ...]:
        """What must be added at the end so that the result has the sizes ``output_size``."""
        if output_size is None:
            return several(self.output_padding, self.n)
        have = input.shape[-self.n :]
        wanted = tuple(output_size)
        if len(wanted) == input.ndim:
            wanted = wanted[-self.n :]
        if len(wanted) != self.n:
            raise ValueError(
                f"{type(self).__name__}: output_size must have {self.n} or {input.ndim} elements, got {len(wanted)}"
            )
        least = [
            (have[d] - 1) * self.stride[d] - 2 * self.padding[d] + self.dilation[d] * (self.kernel_size[d] - 1) + 1
            for d in range(self.n)
        ]
        most = [low + step - 1 for low, step in zip(least, self.stride, strict=True)]
        if any(not low <= w <= high for w, low, high in zip(wanted, least, most, strict=True)):
            raise ValueError(
                f"{type(self).__name__}: requested output size {list(wanted)}, but valid sizes range from {least} to "
                f"{most} for an input of {list(have)}"
            )
        return tuple(w - low for w, low in zip(wanted, least, strict=True))

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """The transposed convolution; ``output_size`` picks one of the sizes that ``stride`` leaves open."""
        return type(self).function(
            input, self.weight, self.bias, self.stride, self.padding, self._output_padding(input, output_size),
            self.groups, self.dilation,
        )  # fmt: skip


class ConvTranspose1d(_ConvTransposeNd):
    """A transposed convolution of sequences (N, C, L); see ``functional.conv_transpose1d``."""

    n, function = 1, staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTransposeNd):
    """A transposed convolution of images (N, C, H, W); see ``functional.conv_transpose2d``."""

    n, function = 2, staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTransposeNd):
    """A transposed convolution of volumes (N, C, D, H, W); see ``functional.conv_transpose3d``."""

    n, function = 3, staticmethod(F.conv_transpose3d)
