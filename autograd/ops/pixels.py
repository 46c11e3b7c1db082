"""Channels as places and back."""

from __future__ import annotations

from typing import Any

from ..names import named
from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from ..views import own
from .args import check_tensor
from .shape import contiguous

__all__ = ["channel_shuffle", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def _factor(name: str, input: Any, factor: int) -> int:
    check_tensor(name, "input", input)
    if input.ndim < 3:
        raise RuntimeError(f"{name}: needs at least 3 dimensions (..., C, H, W), got {describe(input)}")
    if factor <= 0:
        raise RuntimeError(f"{name}: the factor must be positive, got {factor}")
    return int(factor)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., C r r, H, W) -> (..., C, H r, W r): each block of channels as a block of places (Shi et al., 2016).

    Raises:
        RuntimeError: the channels do not make such blocks, or fewer than 3 dimensions.
    """
    r = _factor("pixel_shuffle", input, upscale_factor)
    *lead, channels, high, wide = input._array.shape
    if channels % (r * r):
        raise RuntimeError(f"pixel_shuffle: the channels of {describe(input)} are no multiple of {r} x {r}")
    n = len(lead)
    blocks = P.reshape(input, (*lead, channels // (r * r), r, r, high, wide))
    order = (*range(n + 1), n + 3, n + 1, n + 4, n + 2)
    made = P.reshape(P.permute(blocks, order), (*lead, channels // (r * r), high * r, wide * r))
    return named(own(contiguous(made), input), "PixelShuffleBackward0")


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(..., C, H r, W r) -> (..., C r r, H, W): the inverse of ``pixel_shuffle``.

    Raises:
        RuntimeError: height or width are no multiple of the factor, or fewer than 3 dimensions.
    """
    r = _factor("pixel_unshuffle", input, downscale_factor)
    *lead, channels, high, wide = input._array.shape
    if high % r or wide % r:
        raise RuntimeError(f"pixel_unshuffle: height and width of {describe(input)} must be multiples of {r}")
    n = len(lead)
    blocks = P.reshape(input, (*lead, channels, high // r, r, wide // r, r))
    order = (*range(n + 1), n + 2, n + 4, n + 1, n + 3)
    made = P.reshape(P.permute(blocks, order), (*lead, channels * r * r, high // r, wide // r))
    return named(contiguous(made), "PixelUnshuffleBackward0")


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels of (N, C, ...) dealt out: the first of every group, then the second, and so on.

    Raises:
        RuntimeError: channels that do not make such groups, or fewer than 3 dimensions.
    """
    check_tensor("channel_shuffle", "input", input)
    if input.ndim < 3:
        raise RuntimeError(f"channel_shuffle: needs at least 3 dimensions (N, C, ...), got {describe(input)}")
    batch, channels, *size = input._array.shape
    if groups <= 0 or channels % groups:
        raise RuntimeError(f"channel_shuffle: the {channels} channels do not make {groups} equal groups")
    parts = P.reshape(input, (batch, groups, channels // groups, *size))
    order = (0, 2, 1, *range(3, 3 + len(size)))
    made = P.reshape(P.permute(parts, order), input._array.shape)
    return named(P.copy(made) if made._cell is input._cell else made, "ChannelShuffleBackward0")


native_channel_shuffle = channel_shuffle
