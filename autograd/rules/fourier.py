"""Rules of Fourier transforms. Each is linear; the transpose of half a transform counts its inner part twice."""

from __future__ import annotations

from ..rule import rule

__all__: list[str] = []

rule("fft_c2c", "x", "dims forward", x=lambda F, g, dims, forward: F.fft_c2c(g, dims, forward))
rule(
    "fft_r2c", "x", "dim",
    x=lambda F, g, x_shape, dim: F.fft_c2r(_inside(F, g, x_shape[dim], dim, -0.5), x_shape[dim], dim),
)  # fmt: skip
rule("fft_c2r", "x", "n dim", x=lambda F, g, n, dim: _inside(F, F.fft_r2c(g, dim), n, dim, 1))


def _inside(F, x, n, dim, more):
    """Pairs with ``more`` times themselves added where half a transform stands for the other half too."""
    inner = (*(slice(None),) * dim, slice(1, (n + 1) // 2))
    return F.add(x, F.unslice(F.mul(F.slice(x, inner), more), x.shape, inner))
