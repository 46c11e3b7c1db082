"""The whole table over one array module: a backend is a subclass that names ``xp``."""

from __future__ import annotations

from .adaptive_update import AdaptiveUpdateMixin
from .base import ArrayBase
from .batch_norm import BatchNormMixin
from .bessel import BesselMixin
from .convolve import ConvolveMixin
from .decompositions import DecompositionMixin
from .fourier import FourierMixin
from .grid import GridMixin
from .linear import LinearMixin
from .loss import LossMixin
from .math import MathMixin
from .recurrent import RecurrentMixin
from .reduce import ReduceMixin
from .resample import ResampleMixin
from .shape import ShapeMixin
from .special import SpecialMixin
from .strided import StridedMixin
from .symmetric import SymmetricMixin
from .update import UpdateMixin

__all__ = ["ArrayBackend"]


class ArrayBackend(
    MathMixin,
    SpecialMixin,
    ReduceMixin,
    ResampleMixin,
    GridMixin,
    ShapeMixin,
    StridedMixin,
    LinearMixin,
    BatchNormMixin,
    ConvolveMixin,
    LossMixin,
    RecurrentMixin,
    UpdateMixin,
    AdaptiveUpdateMixin,
    BesselMixin,
    DecompositionMixin,
    SymmetricMixin,
    FourierMixin,
    ArrayBase,
):
    """All primitives over ``self.xp``; see ``ArrayBase`` for what a primitive is."""

    def __init__(self) -> None:
        super().__init__()
        self.bind_ufuncs()
