"""The view operations once more, as copies: ``permute_copy`` and its kin."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ..names import named
from ..rule import P
from ..tensor import Tensor
from . import pieces, shape
from .rearrange import split_with_sizes
from .strided import as_strided, unfold

__all__ = ["COPIES"]


def _copied(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def operation(*args: Any, **kwargs: Any) -> Any:
        made = function(*args, **kwargs)
        return _copy(made) if isinstance(made, Tensor) else tuple(_copy(t) for t in made)

    operation.__name__ = operation.__qualname__ = f"{function.__name__}_copy"
    operation.__doc__ = f"``{function.__name__}``, as a copy."
    return operation


def _copy(view: Tensor) -> Tensor:
    out = P.copy(view)
    node = view._node
    return out if node is None else named(out, f"{node.name()}_copy")


def alias(input: Tensor) -> Tensor:
    """A view of all of it."""
    return P.slice(input, ())


_VIEWS = (
    alias, as_strided, shape.diagonal, shape.expand, shape.permute, pieces.select, pieces.split, split_with_sizes,
    shape.squeeze, shape.t, shape.transpose, pieces.unbind, unfold, shape.unsqueeze, shape.view,
)  # fmt: skip
COPIES = {f"{view.__name__}_copy": _copied(view) for view in _VIEWS}
