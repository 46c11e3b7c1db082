"""The whole table over one array module: a backend is a subclass that names ``xp``."""

from __future__ import annotations

from .base import ArrayBase
from .linear import LinearMixin
from .loss import LossMixin
from .math import MathMixin
from .reduce import ReduceMixin
from .shape import ShapeMixin
from .update import UpdateMixin

__all__ = ["ArrayBackend"]


class ArrayBackend(MathMixin, ReduceMixin, ShapeMixin, LinearMixin, LossMixin, UpdateMixin, ArrayBase):
    """All primitives over ``self.xp``; see ``ArrayBase`` for what a primitive is."""

    def __init__(self) -> None:
        super().__init__()
        self.bind_ufuncs()
