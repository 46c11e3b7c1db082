"""The samples of every primitive: one line of a table, or a few, for each.

An element-wise primitive without samples is run on ordinary numbers (``plain``); any other fails the suite. To add some: pick inputs that reach every branch of its rule, 0-d, empty,
broadcast and strided ones among them; give another way to compute the answer (``expect``) where that is cheap; say
``smooth=False`` where finite differences make no sense, and give the ``slopes`` at kinks by hand.
"""

from __future__ import annotations

from ..sample import Sample
from . import complex, elementwise, linear, matrices, reduce, shape, special, strided
from .derived import MOVES, contents, layouts
from .elementwise import plain

__all__ = ["MOVES", "SAMPLES", "contents", "layouts", "plain"]

SAMPLES: dict[str, list[Sample]] = {
    **elementwise.SAMPLES, **reduce.SAMPLES, **shape.SAMPLES, **linear.SAMPLES, **complex.SAMPLES, **strided.SAMPLES,
    **special.SAMPLES, **matrices.SAMPLES,
}  # fmt: skip
for _name, _more in complex.MORE.items():
    SAMPLES[_name] = SAMPLES[_name] + _more
