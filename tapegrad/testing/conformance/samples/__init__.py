"""The samples of every primitive: one line of a table, or a few, for each.

A primitive without samples fails the suite. To add some: pick inputs that reach every branch of its rule, 0-d, empty,
broadcast and strided ones among them; give another way to compute the answer (``expect``) where that is cheap; say
``smooth=False`` where finite differences make no sense, and give the ``slopes`` at kinks by hand.
"""

from __future__ import annotations

from ..sample import Sample
from . import elementwise, linear, reduce, shape
from .derived import MOVES, contents, layouts

__all__ = ["MOVES", "SAMPLES", "contents", "layouts"]

SAMPLES: dict[str, list[Sample]] = {
    **elementwise.SAMPLES, **reduce.SAMPLES, **shape.SAMPLES, **linear.SAMPLES,
}  # fmt: skip
