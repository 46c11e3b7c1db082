"""The rule of sampling by a grid of places."""

from __future__ import annotations

from ...backends.array.grid import grid_slopes
from ..rule import rule

__all__: list[str] = []

rule(
    "grid_sample", "input grid", "mode padding corners", typed="input grid", public=False,
    all=lambda F, g, input, grid, mode, padding, corners, need: grid_slopes(
        F, g, input, grid, mode, padding, corners, need
    ),
)  # fmt: skip
