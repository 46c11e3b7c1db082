"""From real numbers to the values of a constraint: ``biject_to`` and ``transform_to``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import constraints as c
from .transforms import (
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    SigmoidTransform,
    SoftmaxTransform,
    StackTransform,
    StickBreakingTransform,
    Transform,
    identity_transform,
)

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """A table from constraints to transforms whose images satisfy them; call it with a constraint."""

    def __init__(self) -> None:
        self._makers: dict[type, Callable[[Any], Transform]] = {}

    def register(self, constraint: Any, factory: Callable[[Any], Transform] | None = None) -> Any:
        """Say how a transform is made for a constraint (or a class of them); without ``factory`` a decorator."""
        if factory is None:
            return lambda made: self.register(constraint, made)
        kind = constraint if isinstance(constraint, type) else type(constraint)
        if not issubclass(kind, c.Constraint):
            raise TypeError(f"register: needs a constraint, got {constraint!r}")
        self._makers[kind] = factory
        return factory

    def __call__(self, constraint: Any) -> Transform:
        """The transform of a constraint.

        Raises:
            NotImplementedError: none is registered.
        """
        maker = self._makers.get(type(constraint))
        if maker is None:
            raise NotImplementedError(f"no transform is registered for the constraint {constraint!r}")
        return maker(constraint)


biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def _bounded(constraint: Any) -> Transform:
    low, high = constraint.lower_bound, constraint.upper_bound
    if all(isinstance(b, (int, float)) for b in (low, high)) and (low, high) == (0, 1):
        return SigmoidTransform()
    return ComposeTransform([SigmoidTransform(), AffineTransform(low, high - low)])


def _above(constraint: Any) -> Transform:
    return ComposeTransform([ExpTransform(), AffineTransform(constraint.lower_bound, 1)])


def _is_zero(bound: Any) -> bool:
    return isinstance(bound, (int, float)) and bound == 0


def _from_below(constraint: Any) -> Transform:
    return ExpTransform() if _is_zero(constraint.lower_bound) else _above(constraint)


def _fill(table: ConstraintRegistry) -> None:
    """What both tables have alike."""

    def of_vectors(constraint: Any) -> Transform:
        return IndependentTransform(table(constraint.base_constraint), constraint.reinterpreted_batch_ndims)

    def in_pieces(constraint: Any) -> Transform:
        return CatTransform([table(part) for part in constraint.cseq], constraint.dim, constraint.lengths)

    def in_places(constraint: Any) -> Transform:
        return StackTransform([table(part) for part in constraint.cseq], constraint.dim)

    table.register(c.real, lambda constraint: identity_transform)
    table.register(c.greater_than, _from_below)
    table.register(c.greater_than_eq, _from_below)
    table.register(c.less_than, lambda k: ComposeTransform([ExpTransform(), AffineTransform(k.upper_bound, -1)]))
    table.register(c.interval, _bounded)
    table.register(c.half_open_interval, _bounded)
    table.register(c.corr_cholesky, lambda constraint: CorrCholeskyTransform())
    table.register(c.independent, of_vectors)
    table.register(c.cat, in_pieces)
    table.register(c.stack, in_places)


_fill(biject_to)
_fill(transform_to)
biject_to.register(c.simplex, lambda constraint: StickBreakingTransform())
transform_to.register(c.simplex, lambda constraint: SoftmaxTransform())
transform_to.register(c.lower_cholesky, lambda constraint: LowerCholeskyTransform())
transform_to.register(c.positive_definite, lambda constraint: PositiveDefiniteTransform())
transform_to.register(c.positive_semidefinite, lambda constraint: PositiveDefiniteTransform())
