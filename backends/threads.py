"""How many threads one operation may use: compiled kernels and matrix products alike."""

from __future__ import annotations

import warnings

from .blas import set_blas_threads
from .numba_kernels import threads as kernels

__all__ = ["get_num_interop_threads", "get_num_threads", "set_num_interop_threads", "set_num_threads"]


def get_num_threads() -> int:
    """How many threads one operation may use.

    Returns:
        What :func:`set_num_threads` set; else ``TAPEGRAD_NUM_THREADS``, else ``OMP_NUM_THREADS``, or the number of
        usable processors; 1 in a forked child.
    """
    return kernels.get_num_threads()


def set_num_threads(count: int) -> None:
    """Let one operation use up to ``count`` threads, in compiled kernels and in NumPy's matrix products.

    The helping threads of the kernels give way to any other thread, such as those of the matrix products, and sleep a
    quarter of a millisecond after their last work. With the same seed and the same ``count``, a program's numbers are
    the same bit by bit.

    Args:
        count: at least 1.

    Raises:
        TypeError: ``count`` is no integer.
        ValueError: ``count`` is less than one.

    Example:
        >>> import tapegrad as tg
        >>> before = tg.get_num_threads()
        >>> tg.set_num_threads(1)
        >>> tg.get_num_threads()
        1
        >>> tg.set_num_threads(before)
    """
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"set_num_threads: count must be an int, not {type(count).__name__}")
    kernels.set_num_threads(count)
    if not set_blas_threads(count):
        warnings.warn(
            "set_num_threads: matrix products keep their threads, since NumPy was built with a BLAS library that has "
            "no call for it here; set OMP_NUM_THREADS before Python starts",
            stacklevel=2,
        )


def get_num_interop_threads() -> int:
    """How many operations run at once: 1, since each ends before the next begins."""
    return 1


def set_num_interop_threads(count: int) -> None:
    """Accepted as PyTorch's, and without effect: operations run one after another.

    Raises:
        ValueError: ``count`` is less than one.
    """
    if count < 1:
        raise ValueError(f"set_num_interop_threads: count must be at least 1, not {count}")
