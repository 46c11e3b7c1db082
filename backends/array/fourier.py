"""Fourier transforms without factors; complex numbers that come from real ones, or become real, go as pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["FourierMixin"]


class FourierMixin:
    """Transforms over ``self.xp.fft``."""

    xp: Any
    view_as_real: Any  # of ShapeMixin
    view_as_complex: Any

    def fft_c2c(self, x: Any, dims: tuple[int, ...], forward: bool) -> Any:
        """The sums of ``x exp(-2 pi i j k / n)`` along ``dims``, backward with the other sign."""
        if not x.size:
            return x.copy()
        way = self.xp.fft.fftn if forward else self.xp.fft.ifftn
        with np.errstate(all="ignore"):  # the warnings would come from NumPy's own module
            return way(x, None, dims, "backward" if forward else "forward").astype(x.dtype)

    def fft_r2c(self, x: Any, dim: int) -> Any:
        """The first half of a real array's transform along ``dim``, as pairs: (..., n // 2 + 1, ..., 2)."""
        if not x.size:
            half = [n if i != dim else n // 2 + 1 for i, n in enumerate(x.shape)]
            return self.xp.zeros((*half, 2), x.dtype)
        with np.errstate(all="ignore"):
            return self.view_as_real(self.xp.fft.rfft(x, None, dim)).astype(x.dtype)

    def fft_c2r(self, x: Any, n: int, dim: int) -> Any:
        """The backward transform of pairs (..., n // 2 + 1, ..., 2), half of what is symmetric, to n real numbers."""
        if not x.size:
            return self.xp.zeros([s if i != dim else n for i, s in enumerate(x.shape[:-1])], x.dtype)
        with np.errstate(all="ignore"):
            return self.xp.fft.irfft(self.view_as_complex(x), n, dim, "forward").astype(x.dtype)
