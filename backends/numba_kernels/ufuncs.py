"""The element-wise operations as ufuncs, for arrays of any layout: ``ufuncs.relu(x)``, ``ufuncs.gelu_vjp(g, x)``.

They take float32 or float64 arguments of one type, attributes such as a slope as 0-d arrays of that type, and raise
TypeError for anything else. Each is compiled or loaded when it is first asked for.
"""

import numpy as np

from .activations import MAKERS, function
from .cache import on_first_use
from .ufunc import make_ufunc

__all__ = ["NAMES"]

NAMES = tuple(MAKERS)


def _make(name):
    return make_ufunc(name, {dtype: function(name, dtype) for dtype in (np.float32, np.float64)})


__getattr__ = on_first_use(globals(), _make)
