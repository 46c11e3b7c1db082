"""Images looked at through a grid of places."""

from __future__ import annotations

import math
from typing import Any

from ..names import named
from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor
from .spatial import numbers

__all__ = ["affine_grid", "affine_grid_generator", "grid_sample", "grid_sampler"]

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:  # fmt: skip
    """``input`` at the places that ``grid`` says.

    Args:
        input: (N, C, H, W), or (N, C, D, H, W).
        grid: (N, H', W', 2), or (N, D', H', W', 3): the last dimension holds x, y (and z) from -1 to 1.
        mode: "bilinear" (of volumes: trilinear), "nearest", or of images "bicubic".
        padding_mode: what lies outside: "zeros", the nearest element ("border"), or the image mirrored ("reflection").
        align_corners: whether -1 and 1 are the middles of the outer elements, instead of their outer ends.

    Returns:
        (N, C, H', W'), or (N, C, D', H', W').

    Raises:
        ValueError: another mode. RuntimeError: shapes or types that do not fit.
    """
    check_tensor("grid_sample", "input", input)
    check_tensor("grid_sample", "grid", grid)
    if mode not in MODES or padding_mode not in PADDINGS:
        raise ValueError(
            f"grid_sample: mode must be one of {MODES} and padding_mode one of {PADDINGS}, got {mode!r} and "
            f"{padding_mode!r}"
        )
    n = input.ndim - 2
    if (
        n not in (2, 3) or grid.ndim != input.ndim or grid._array.shape[-1] != n
        or grid._array.shape[0] != input._array.shape[0] or 0 in input._array.shape[2:]
        or grid._array.dtype != input._array.dtype
    ):  # fmt: skip
        raise RuntimeError(
            "grid_sample: needs input (N, C, H, W) with grid (N, H', W', 2), or (N, C, D, H, W) with (N, D', H', W', "
            f"3), of one type; got {describe(input)} and {describe(grid)}"
        )
    if mode == "bicubic" and n != 2:
        raise RuntimeError(f"grid_sample: mode 'bicubic' needs 4 dimensions, got {describe(input)}")
    made = P.grid_sample(input, grid, mode, padding_mode, bool(align_corners))
    return named(made, f"GridSampler{n}DBackward0")


def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """``grid_sample`` with the modes by number."""
    return grid_sample(input, grid, MODES[interpolation_mode], PADDINGS[padding_mode], align_corners)


# Grids


def _line(size: int, corners: bool, like: Tensor) -> Tensor:
    if size == 1:
        return numbers([0.0], like)
    spread = [2 * i / (size - 1) - 1 for i in range(size)]
    return numbers(spread if corners else [s * (size - 1) / size for s in spread], like)


def affine_grid(theta: Tensor, size: Any, align_corners: bool | None = None) -> Tensor:
    """The grid for ``grid_sample`` of an affine map (Jaderberg et al., 2015).

    Args:
        theta: (N, 2, 3), or (N, 3, 4): where the places of the result come from.
        size: of the result, (N, C, H, W) or (N, C, D, H, W).
        align_corners: see ``grid_sample``.

    Returns:
        (N, H, W, 2), or (N, D, H, W, 3).

    Raises:
        ValueError: shapes that do not fit. RuntimeError: integers, or sizes that are not positive.
    """
    check_tensor("affine_grid", "theta", theta)
    if not theta.dtype.is_floating_point:
        raise ValueError(f"affine_grid: theta must be floating, got {describe(theta)}; convert it with .float()")
    size = [int(k) for k in size]
    n = len(size) - 2
    if n not in (2, 3) or theta._array.shape != (size[0], n, n + 1):
        raise ValueError(
            f"affine_grid: needs theta (N, 2, 3) with 4 sizes, or (N, 3, 4) with 5; got {describe(theta)} and {size}"
        )
    if min(size) <= 0:
        raise ValueError(f"affine_grid: sizes must be positive, got {size}")
    shape = tuple(size[2:])
    rows = []
    for i in reversed(range(n)):
        line = _line(shape[i], bool(align_corners), theta)
        rows.append(P.expand(P.reshape(line, (shape[i], *(1,) * (n - 1 - i))), shape))
    rows.append(P.expand(numbers([1.0], theta), shape))
    base = P.reshape(P.stack(rows, n), (1, math.prod(shape), n + 1))
    made = P.matmul(P.expand(base, (size[0], *base._array.shape[1:])), P.permute(theta, (0, 2, 1)))
    return named(P.reshape(made, (size[0], *shape, n)), "AffineGridGeneratorBackward0")


def affine_grid_generator(theta: Tensor, size: Any, align_corners: bool) -> Tensor:
    """``affine_grid``."""
    return affine_grid(theta, size, align_corners)
