"""tapegrad: a reverse-mode autograd engine with PyTorch's interface and NumPy, Numba and CuPy backends."""

import os as _os

# In a bare checkout the subpackages lie beside this folder, not in it.
if not _os.path.isdir(_os.path.join(__path__[0], "autograd")):
    __path__.append(_os.path.dirname(__path__[0]))

from . import autograd, backends  # noqa: E402
from .autograd import (  # noqa: E402
    PUBLIC as _PUBLIC,
    Size,
    Tensor,
    enable_grad,
    get_default_dtype,
    inference_mode,
    is_grad_enabled,
    no_grad,
    result_type,
    set_default_dtype,
    set_grad_enabled,
)
from .backends import device, dtypes as _dtypes  # noqa: E402
from .backends.random import Generator  # noqa: E402

__version__ = "0.1.0"

backends.registry.choose_from_environment()
globals().update({d.name: d for d in _dtypes.DTYPES})
float, double, half, long, int, short = (getattr(_dtypes, n) for n in ("float32", "float64", "float16", "int64", "int32", "int16"))
globals().update(_PUBLIC)
