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


for _table in (biject_to, transform_to):
    _table.register(c.real, lambda constraint: identity_transform)
    _table.register(c.greater_than, lambda k: ExpTransform() if _is_zero(k.lower_bound) else _above(k))
    _table.register(c.greater_than_eq, lambda k: ExpTransform() if _is_zero(k.lower_bound) else _above(k))
    _table.register(c.less_than, lambda k: ComposeTransform([ExpTransform(), AffineTransform(k.upper_bound, -1)]))
    _table.register(c.interval, _bounded)
    _table.register(c.half_open_interval, _bounded)
    _table.register(c.corr_cholesky, lambda constraint: CorrCholeskyTransform())
    _table.register(
        c.independent,
        lambda k, table=_table: IndependentTransform(table(k.base_constraint), k.reinterpreted_batch_ndims),
    )
    _table.register(c.cat, lambda k, table=_table: CatTransform([table(part) for part in k.cseq], k.dim, k.lengths))
    _table.register(c.stack, lambda k, table=_table: StackTransform([table(part) for part in k.cseq], k.dim))

biject_to.register(c.simplex, lambda constraint: StickBreakingTransform())
transform_to.register(c.simplex, lambda constraint: SoftmaxTransform())
for _kind in (c.lower_cholesky, c.positive_definite, c.positive_semidefinite):
    _made = LowerCholeskyTransform if _kind is c.lower_cholesky else PositiveDefiniteTransform
    transform_to.register(_kind, lambda constraint, made=_made: made())


def _is_zero(bound: Any) -> bool:
    return isinstance(bound, (int, float)) and bound == 0
