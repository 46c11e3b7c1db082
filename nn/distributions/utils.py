"""What distributions share: parameters that broadcast, probabilities and logits."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Number
from typing import Any, Generic, TypeVar, overload

import numpy as np

from ...autograd import Tensor, enable_grad, finfo, get_default_dtype
from ...autograd.ops.create import tensor
from ...autograd.ops.joins import broadcast_tensors
from ...autograd.ops.reduce import softmax

__all__ = [
    "broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits", "sum_rightmost",
]  # fmt: skip

T = TypeVar("T")


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Tensors of one shape from tensors and numbers.

    Numbers become tensors of the type and device of the first tensor, or of the default type where there is none.

    Raises:
        ValueError: a value that is neither a tensor nor a number.
    """
    for value in values:
        if not isinstance(value, (Tensor, Number, np.generic)):
            raise ValueError(f"distributions: parameters must be tensors or numbers, got {type(value).__name__}")
    given = [v for v in values if isinstance(v, Tensor)]
    kind = {"dtype": given[0].dtype, "device": given[0].device} if given else {"dtype": get_default_dtype()}
    made = broadcast_tensors(*(v if isinstance(v, Tensor) else tensor(v, **kind) for v in values))
    return tuple(made)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities from logits: of ones with ``is_binary``, else along the last dimension."""
    return logits.sigmoid() if is_binary else softmax(logits, -1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept one rounding step away from 0 and 1, so that their logarithms are finite."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(eps, 1.0 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Logits of probabilities: of ones with ``is_binary``, else along the last dimension."""
    kept = clamp_probs(probs)
    return kept.log() - (-kept).log1p() if is_binary else kept.log()


def sum_rightmost(value: Tensor, count: int) -> Tensor:
    """The sum over the last ``count`` dimensions."""
    return value if count == 0 else value.reshape(*value.shape[: value.ndim - count], -1).sum(-1)


class lazy_property(Generic[T]):  # noqa: N801
    """A property computed once, where it is first read, and recorded even when that is under ``no_grad``."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute, self.__doc__ = compute, compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, holder: None, owner: type) -> lazy_property[T]: ...
    @overload
    def __get__(self, holder: Any, owner: type) -> T: ...
    def __get__(self, holder: Any, owner: type) -> Any:
        if holder is None:
            return self
        with enable_grad():
            value = self.compute(holder)
        holder.__dict__[self.name] = value
        return value
