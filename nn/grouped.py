"""Matrix products of groups of different sizes, as experts of one layer need them."""

from __future__ import annotations

from typing import Any

from ..autograd import Tensor
from ..autograd.ops.pieces import cat, stack
from ..autograd.promote import describe

__all__ = ["grouped_mm"]


def grouped_mm(
    mat_a: Tensor, mat_b: Tensor, *, offs: Tensor | None = None, bias: Tensor | None = None, out_dtype: Any = None
) -> Tensor:
    """The product of each group of ``mat_a`` with its group of ``mat_b``.

    Args:
        mat_a: (G, M, K); or, with ``offs``, (M, K) whose rows are in groups, or (M, K) whose columns are.
        mat_b: (G, K, N); or (K, N) whose columns are in groups, or (where ``mat_a`` has two dimensions too) its rows.
        offs: (G,) of int32, where each group of a matrix without the dimension G ends.
        bias: must be None, as in PyTorch.
        out_dtype: the type of the result; None for that of ``mat_a``.

    Returns:
        (M, N) where one of both has its rows or columns in groups, else (G, M, N).

    Raises:
        RuntimeError: other numbers of dimensions, ``offs`` where it is not to be or the other way round, or a bias.
    """
    flat = (mat_a.ndim == 2, mat_b.ndim == 2)
    if mat_a.ndim not in (2, 3) or mat_b.ndim not in (2, 3) or any(flat) != (offs is not None) or bias is not None:
        raise RuntimeError(
            "grouped_mm: needs matrices of 2 or 3 dimensions, offs exactly where one of them has 2, and no bias; got "
            f"{describe(mat_a)}, {describe(mat_b)} and offs {None if offs is None else describe(offs)}"
        )
    if offs is None:
        made = mat_a @ mat_b
    else:
        ends = offs.tolist()
        spans = [slice(begin, end) for begin, end in zip([0, *ends[:-1]], ends, strict=True)]
        if all(flat):
            made = stack([mat_a[:, s] @ mat_b[s] for s in spans])
        elif flat[0]:
            made = cat([mat_a[s] @ mat_b[g] for g, s in enumerate(spans)])
        else:
            made = cat([mat_a[g] @ mat_b[:, s] for g, s in enumerate(spans)], 1)
    return made if out_dtype is None else made.to(out_dtype)
