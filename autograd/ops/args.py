"""What the signature functions share: dimensions counted from the end, sizes, names of arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from ..tensor import Tensor

__all__ = ["check_tensor", "common_shape", "dim_of", "dims_of", "not_for", "refuse_kinds", "sizes_of", "spelled"]

F = TypeVar("F", bound=Callable[..., Any])


def dim_of(name: str, dim: Any, ndim: int) -> int:
    """A dimension as a non-negative number.

    Raises:
        IndexError: out of range.
    """
    if type(dim) is int and -ndim <= dim < ndim:
        return dim + ndim if dim < 0 else dim
    dim = int(dim)
    low = -max(ndim, 1)
    if not low <= dim < max(ndim, 1):
        raise IndexError(f"{name}: dim {dim} is out of range for {ndim} dimensions (from {low} to {-low - 1})")
    return dim + max(ndim, 1) if dim < 0 else dim


def dims_of(name: str, dim: Any, ndim: int) -> tuple[int, ...] | None:
    """One or several dimensions as a tuple of non-negative numbers; None and () mean all of them.

    Raises:
        IndexError: out of range. RuntimeError: named twice.
    """
    if dim is None:
        return None
    if type(dim) is int and ndim:
        return (dim_of(name, dim, ndim),)
    if isinstance(dim, (tuple, list)) and not dim:
        return None
    several = tuple(dim_of(name, d, ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))
    if len(set(several)) < len(several):
        raise RuntimeError(f"{name}: dim {dim} names a dimension twice")
    return several if ndim else None


def sizes_of(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one or as one sequence."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    for n in sizes:
        if type(n) is not int:
            return tuple([int(n) for n in sizes])
    return sizes


def check_tensor(name: str, argument: str, x: Any) -> None:
    """Refuse what is not a tensor.

    Raises:
        TypeError: not a tensor.
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: argument '{argument}' must be a Tensor, not {type(x).__name__}")


def refuse_kinds(name: str, x: Any, kinds: str) -> None:
    """Refuse tensors of element types for which PyTorch knows no such operation.

    Args:
        kinds: NumPy's kinds of dtypes: "b" bool, "i" and "u" integers, "c" complex.

    Raises:
        RuntimeError: the tensor is of one of them.
    """
    if isinstance(x, Tensor) and x._array.dtype.kind in kinds:
        mend = "take .real, .imag or .abs()" if x._array.dtype.kind == "c" else "convert it with .float()"
        raise RuntimeError(f"{name}: not defined for {x.dtype.name} tensors; {mend}")


def not_for(kinds: str) -> Callable[[F], F]:
    """Let a function refuse a first argument of these kinds; see ``refuse_kinds``."""

    def decorate(function: F) -> F:
        name = function.__name__.strip("_")

        @wraps(function)
        def refusing(*args: Any, **kwargs: Any) -> Any:
            refuse_kinds(name, args[0] if args else kwargs.get("input"), kinds)
            return function(*args, **kwargs)

        return refusing  # type: ignore[return-value]

    return decorate


def spelled(**others: str) -> Callable[[F], F]:
    """Let a function know arguments by other names too, as PyTorch's do: ``spelled(axis="dim")``."""

    def decorate(function: F) -> F:
        @wraps(function)
        def operation(*args: Any, **kwargs: Any) -> Any:
            if not others.keys().isdisjoint(kwargs):
                kwargs = {others.get(name, name): value for name, value in kwargs.items()}
            return function(*args, **kwargs)

        return operation  # type: ignore[return-value]

    return decorate


def common_shape(name: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that all shapes broadcast to.

    Raises:
        RuntimeError: they do not broadcast.
    """
    ndim = max((len(s) for s in shapes), default=0)
    out = [1] * ndim
    for shape in shapes:
        for i, n in enumerate(shape, ndim - len(shape)):
            if n != 1 and out[i] not in (1, n):
                raise RuntimeError(
                    f"{name}: the shapes {[list(s) for s in shapes]} do not broadcast: from the last dimension on, "
                    "sizes must be equal or one of them 1"
                )
            out[i] = n if out[i] == 1 else out[i]
    return tuple(out)
