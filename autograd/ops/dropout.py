"""Dropout of whole channels, and the kinds that keep mean and variance."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ..batching.level import place_of
from ..batching.randomness import draw
from ..promote import describe
from ..rule import P
from ..tensor import Tensor, wrap
from ..writes import write
from .args import check_tensor
from .memory_order import in_memory_order

__all__ = [
    "alpha_dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
    "feature_dropout",
    "scaled_dropout",
]

SATURATION = 1.7580993408473766  # minus what SELU tends to: the scale times alpha (Klambauer et al., 2017)


def _checked(name: str, input: Any, p: float) -> None:
    check_tensor(name, "input", input)
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: the probability must lie between 0 and 1, got {p}")


def _factors(name: str, input: Tensor, p: float, by_channel: bool) -> Tensor:
    """0 with probability ``p``, else ``1 / (1 - p)``: for each element, or one for each channel of each example.

    Raises:
        RuntimeError: a tensor of integers, or no channels.
    """
    if input._array.dtype.kind in "biu":
        raise RuntimeError(f"{name}: needs a floating tensor, got {describe(input)}; convert it with .float()")
    place, kind = place_of(input._device), input._array.dtype

    def make(shape: tuple[int, ...]) -> Any:
        return place.backend.dropout_factors(shape, p, kind)

    if not by_channel:
        ordered = in_memory_order(input, make)
        return draw(name, input._array.shape, lambda s: wrap(ordered(s), place))
    if input.ndim < 2:
        raise RuntimeError(f"{name}: needs at least 2 dimensions (N, C, ...), got {describe(input)}")
    shape = (*input._array.shape[:2], *(1,) * (input.ndim - 2))
    return draw(name, shape, lambda s: wrap(make(s), place))


def scaled_dropout(name: str, input: Tensor, p: float) -> Tensor:
    """Zero each element with probability ``p`` and scale the rest by ``1 / (1 - p)``."""
    return _nothing(input) if p == 1 else P.mul(input, _factors(name, input, p, False))


def _nothing(input: Tensor) -> Tensor:
    return P.mul(input, 0 if input._array.dtype.kind in "biu" else 0.0)


def _dropped(name: str, input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    if not training or p == 0 or not input._array.size:
        return input
    made = _nothing(input) if p == 1 else P.mul(input, _factors(name, input, p, True))
    return write(name + "_", input, lambda _: made) if inplace else made


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Zero each channel of each example of (N, C, ...) with probability ``p`` and scale the rest."""
    _checked("feature_dropout", input, p)
    return _dropped("feature_dropout", input, p, train, False)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each channel of (N, C, L) or (C, L) with probability ``p`` and scale the rest by ``1 / (1 - p)``.

    Raises:
        ValueError: a probability outside of [0, 1]. RuntimeError: another number of dimensions.
    """
    _checked("dropout1d", input, p)
    if input.ndim not in (2, 3):
        raise RuntimeError(f"dropout1d: needs (N, C, L) or (C, L), got {describe(input)}")
    if input.ndim == 3:
        return _dropped("dropout1d", input, p, training, inplace)
    whole = P.reshape(input, (1, *input._array.shape))
    made = _dropped("dropout1d", whole, p, training, inplace)
    if made is whole or inplace:
        return input
    return P.reshape(made, input._array.shape)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each channel of (N, C, H, W) with probability ``p`` and scale the rest by ``1 / (1 - p)``.

    Raises:
        ValueError: a probability outside of [0, 1]. RuntimeError: fewer than 2 dimensions.
    """
    return _images("dropout2d", input, p, training, inplace, 4)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each channel of (N, C, D, H, W) with probability ``p`` and scale the rest; see ``dropout2d``."""
    return _images("dropout3d", input, p, training, inplace, 5)


def _images(name: str, input: Tensor, p: float, training: bool, inplace: bool, ndim: int) -> Tensor:
    _checked(name, input, p)
    if input.ndim not in (ndim - 1, ndim):
        warnings.warn(
            f"{name}: expects {ndim} dimensions (N, C, ...), got {describe(input)}; the second is taken for channels",
            stacklevel=3,
        )
    if input.ndim == 3 and ndim == 4:
        warnings.warn(f"{name}: {describe(input)} is taken for (N, C, L); use dropout1d for it", stacklevel=3)
    return _dropped(name, input, p, training, inplace)


def _alpha(name: str, input: Tensor, p: float, training: bool, inplace: bool, by_channel: bool) -> Tensor:
    _checked(name, input, p)
    if not training or p == 0 or not input._array.size:
        return input
    if p == 1:
        made = _nothing(input)
    else:
        kept = P.ne(_factors(name, input, p, by_channel), 0)
        scale = 1 / math.sqrt((SATURATION * SATURATION * p + 1) * (1 - p))
        noise = P.cast(kept, input._array.dtype)
        shift = P.add(P.mul(P.add(noise, -1.0), SATURATION * scale), SATURATION * scale * p)
        made = P.add(P.mul(input, P.mul(noise, scale)), shift)
    return write(name + "_", input, lambda _: made) if inplace else made


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps mean 0 and variance 1, for use with SELU (Klambauer et al., 2017).

    Raises:
        ValueError: a probability outside of [0, 1]. RuntimeError: a tensor of integers.
    """
    return _alpha("alpha_dropout", input, p, training, inplace, False)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """``alpha_dropout`` of whole channels of (N, C, ...)."""
    return _alpha("feature_alpha_dropout", input, p, training, inplace, True)
