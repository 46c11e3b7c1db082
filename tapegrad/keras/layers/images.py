"""Convolution and pooling of images laid out (batch, height, width, channels)."""

from __future__ import annotations

import math
from typing import Any

from ...autograd import Tensor
from ...nn import Conv2d
from ...nn import functional as F
from .base import Layer, Shape, Weight, Weighted

__all__ = [
    "AveragePooling2D", "Conv2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "MaxPooling2D",
]  # fmt: skip


def _pair(layer: str, name: str, value: Any) -> tuple[int, int]:
    pair = (value, value) if hasattr(value, "__index__") else tuple(value)
    if len(pair) != 2 or any(n < 1 for n in pair):
        raise ValueError(f"{layer}: {name} must be a positive integer or two of them, got {value!r}")
    return int(pair[0]), int(pair[1])


def _check(layer: str, padding: str, data_format: str | None) -> str:
    if data_format not in (None, "channels_last"):
        raise ValueError(f"{layer}: data_format must be 'channels_last' (the only one here), got {data_format!r}")
    if str(padding).lower() not in ("valid", "same"):
        raise ValueError(f"{layer}: padding must be 'valid' or 'same', got {padding!r}")
    return str(padding).lower()


def _to_channels_first(layer: Layer, x: Tensor) -> Tensor:
    if x.ndim != 4:
        raise ValueError(
            f"{type(layer).__name__} '{layer.name}': the input must be (batch, height, width, channels), got shape "
            f"{tuple(x.shape)}; for images without channels add one: x[..., None]"
        )
    return x.permute(0, 3, 1, 2)


def _to_channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def _out(size: int | None, window: int, stride: int, padding: str) -> int | None:
    if size is None:
        return None
    if padding == "valid" and size < window:
        raise ValueError(f"an image side of {size} is less than the window of {window}; padding='same' widens it")
    return math.ceil(size / stride) if padding == "same" else (size - window) // stride + 1


def _around(size: int, window: int, stride: int) -> tuple[int, int]:
    """How much "same" adds before and after; the odd one comes after."""
    total = max((math.ceil(size / stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def _pad(x: Tensor, windows: tuple[int, int], strides: tuple[int, int], value: float = 0.0) -> Tensor:
    top, bottom = _around(x.shape[2], windows[0], strides[0])
    left, right = _around(x.shape[3], windows[1], strides[1])
    return F.pad(x, (left, right, top, bottom), value=value) if top + bottom + left + right else x


class Conv2D(Weighted):
    """Cross-correlation of images (batch, height, width, channels) with ``filters`` kernels.

    Args:
        filters: channels of the result.
        kernel_size, strides, dilation_rate: an integer or a pair.
        padding: "valid", or "same" (for stride s the result has ceil(n / s) rows; the odd pad lies behind).
        groups: how many groups the channels are cut into.
        activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer: see ``Dense``.
        data_format: "channels_last", the only one here.

    Raises:
        ValueError: sizes, padding or layout that make no sense.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = (1, 1), groups: int = 1, activation: Any = None,
        use_bias: bool = True, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(activation, use_bias, **kwargs)
        if not hasattr(filters, "__index__") or filters < 1 or filters % groups:
            raise ValueError(f"Conv2D: filters must be a positive multiple of groups={groups}, got {filters!r}")
        self.filters, self.groups = int(filters), int(groups)
        self.kernel_size = _pair("Conv2D", "kernel_size", kernel_size)
        self.strides = _pair("Conv2D", "strides", strides)
        self.dilation_rate = _pair("Conv2D", "dilation_rate", dilation_rate)
        self.padding = _check("Conv2D", padding, data_format)
        self.windows = tuple(d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True))

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[-1]
        if len(input_shape) != 4 or channels is None or channels % self.groups:
            raise ValueError(
                f"Conv2D '{self.name}': the input must be (batch, height, width, channels) with channels a multiple of "
                f"groups={self.groups}, got {input_shape}; for images without channels add one: x[..., None]"
            )
        self.conv = conv = Conv2d(
            channels, self.filters, self.kernel_size, self.strides, 0, self.dilation_rate, self.groups, self.use_bias
        )
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        kernel = Weight(
            "kernel", (conv.weight,), shape, lambda a: a.transpose(2, 3, 1, 0), lambda a: (a.transpose(3, 2, 0, 1),)
        )
        self._own(kernel, self.kernel_initializer, self.kernel_regularizer)
        if self.use_bias:
            self._own(Weight("bias", (conv.bias,), (self.filters,)), self.bias_initializer, self.bias_regularizer)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sizes = zip(input_shape[1:3], self.windows, self.strides, strict=True)
        return (input_shape[0], *(_out(n, k, s, self.padding) for n, k, s in sizes), self.filters)

    def pre_activation(self, inputs: Tensor) -> Tensor:
        x = _to_channels_first(self, inputs)
        if self.padding == "same":
            x = _pad(x, (self.windows[0], self.windows[1]), self.strides)
        return _to_channels_last(self.conv(x))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "filters": self.filters, "kernel_size": list(self.kernel_size),
            "strides": list(self.strides), "padding": self.padding, "dilation_rate": list(self.dilation_rate),
            "groups": self.groups,
        }  # fmt: skip


class _Pooling(Layer):
    """The windows of ``MaxPooling2D`` and ``AveragePooling2D``."""

    def __init__(
        self, pool_size: Any = (2, 2), strides: Any = None, padding: str = "valid", data_format: str | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        what = type(self).__name__
        self.pool_size = _pair(what, "pool_size", pool_size)
        self.strides = _pair(what, "strides", pool_size if strides is None else strides)
        self.padding = _check(what, padding, data_format)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sizes = zip(input_shape[1:3], self.pool_size, self.strides, strict=True)
        return (input_shape[0], *(_out(n, k, s, self.padding) for n, k, s in sizes), input_shape[3])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "pool_size": list(self.pool_size), "strides": list(self.strides),
            "padding": self.padding,
        }  # fmt: skip


class MaxPooling2D(_Pooling):
    """The largest element of each window of (batch, height, width, channels).

    Args:
        pool_size: an integer or a pair.
        strides: the same; ``pool_size`` for None.
        padding: "valid" or "same"; what lies outside never counts.
        data_format: "channels_last", the only one here.
    """

    def call(self, inputs: Tensor) -> Tensor:
        x = _to_channels_first(self, inputs)
        if self.padding == "same":
            x = _pad(x, self.pool_size, self.strides, float("-inf"))
        return _to_channels_last(F.max_pool2d(x, self.pool_size, self.strides))


class AveragePooling2D(_Pooling):
    """The mean of each window of (batch, height, width, channels); arguments as of ``MaxPooling2D``."""

    def call(self, inputs: Tensor) -> Tensor:
        x = _to_channels_first(self, inputs)
        if self.padding == "valid":
            return _to_channels_last(F.avg_pool2d(x, self.pool_size, self.strides))
        inside = x.detach().new_ones((1, 1, x.shape[2], x.shape[3]))
        sums, counts = (F.avg_pool2d(_pad(t, self.pool_size, self.strides), self.pool_size, self.strides)
                        for t in (x, inside))  # fmt: skip
        return _to_channels_last(sums / counts)


class _Global(Layer):
    """One number for each channel; ``keepdims`` keeps the other dimensions with size 1."""

    dims: tuple[int, ...] = (1, 2)

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _check(type(self).__name__, "valid", data_format)
        self.keepdims = keepdims

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) != len(self.dims) + 2:
            raise ValueError(
                f"{type(self).__name__} '{self.name}': the input must have {len(self.dims) + 2} dimensions, got "
                f"{input_shape}"
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        ones = (1,) * len(self.dims) if self.keepdims else ()
        return (input_shape[0], *ones, input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "keepdims": self.keepdims}


class GlobalAveragePooling2D(_Global):
    """The mean of each channel of (batch, height, width, channels)."""

    def call(self, inputs: Tensor) -> Tensor:
        return inputs.mean(self.dims, keepdim=self.keepdims)


class GlobalMaxPooling2D(_Global):
    """The largest element of each channel of (batch, height, width, channels)."""

    def call(self, inputs: Tensor) -> Tensor:
        return inputs.amax(self.dims, keepdim=self.keepdims)


class GlobalAveragePooling1D(_Global):
    """The mean over the steps of (batch, steps, features)."""

    dims = (1,)

    def call(self, inputs: Tensor) -> Tensor:
        return inputs.mean(1, keepdim=self.keepdims)


class GlobalMaxPooling1D(_Global):
    """The largest element over the steps of (batch, steps, features)."""

    dims = (1,)

    def call(self, inputs: Tensor) -> Tensor:
        return inputs.amax(1, keepdim=self.keepdims)
