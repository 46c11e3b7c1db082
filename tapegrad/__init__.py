"""tapegrad: a reverse-mode autograd engine with PyTorch's interface and NumPy, Numba and CuPy backends."""

import os as _os

# In a bare checkout the subpackages lie beside this folder, not in it.
if not _os.path.isdir(_os.path.join(__path__[0], "autograd")):
    __path__.append(_os.path.dirname(__path__[0]))

from . import autograd, backends, nn, optim, utils
from .autograd import (
    PUBLIC,
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
from .backends import device, dtypes, registry, set_default_device
from .backends.dtypes import dtype
from .backends.random import Generator

__version__ = "0.1.0"

registry.choose_from_environment()

globals().update({d.name: d for d in dtypes.DTYPES})
globals().update({name: dtypes.of(name) for name in ("float", "double", "half", "long", "int", "short")})
globals().update(PUBLIC)

__all__ = [
    "Generator", "Size", "Tensor", "autograd", "backends", "device", "dtype", "enable_grad", "get_default_dtype",
    "inference_mode", "is_grad_enabled", "nn", "no_grad", "optim", "result_type", "set_default_device",
    "set_default_dtype", "set_grad_enabled", "utils", *(d.name for d in dtypes.DTYPES), *PUBLIC,
]  # fmt: skip
