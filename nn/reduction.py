"""How a loss of each element becomes one number."""

from __future__ import annotations

import warnings

from ..autograd import P, Tensor

__all__ = ["legacy_reduction", "reduced"]


def legacy_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """PyTorch's two old switches for the reduction."""
    if size_average is None and reduce is None:
        return reduction
    made = "none" if reduce is False else "mean" if size_average is None or size_average else "sum"
    warnings.warn(f"size_average and reduce are old arguments; use reduction={made!r}", stacklevel=3)
    return made


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The mean, the sum, or the loss as it is.

    Raises:
        ValueError: another reduction.
    """
    if reduction == "mean":
        return P.mean(loss, None, False)
    if reduction == "sum":
        return P.sum(loss, None, False)
    if reduction == "none":
        return loss
    raise ValueError(f"{reduction} is not a valid value for reduction; use 'mean', 'sum' or 'none'")
