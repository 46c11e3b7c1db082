"""The samples of every primitive: one line of a table, or a few, for each.

An element-wise primitive without samples is run on ordinary numbers (``plain``); any other fails the suite. To add some: pick inputs that reach every branch of its rule, 0-d, empty,
broadcast and strided ones among them; give another way to compute the answer (``expect``) where that is cheap; say
``smooth=False`` where finite differences make no sense, and give the ``slopes`` at kinks by hand.
"""

from __future__ import annotations

from ....autograd.record import BOTH_TENSORS, TENSOR_FIRST
from ..sample import Sample
from . import complex, elementwise, linear, matrices, recurrent, reduce, shape, special, strided, windows
from .derived import MOVES, contents, layouts
from .elementwise import plain

__all__ = ["MOVES", "SAMPLES", "contents", "layouts", "plain"]

SAMPLES: dict[str, list[Sample]] = {
    **elementwise.SAMPLES, **reduce.SAMPLES, **shape.SAMPLES, **linear.SAMPLES, **complex.SAMPLES, **strided.SAMPLES,
    **special.SAMPLES, **matrices.SAMPLES, **recurrent.SAMPLES, **windows.SAMPLES,
}  # fmt: skip
for _name, _more in complex.MORE.items():
    SAMPLES[_name] = SAMPLES[_name] + _more
for _name, _of in SAMPLES.items():  # numbers where the operation takes tensors only
    _at = (0, 1) if _name in BOTH_TENSORS else (0,) if _name in TENSOR_FIRST else ()
    SAMPLES[_name] = [s for s in _of if not any(isinstance(s.inputs[k], (int, float)) for k in _at)]
