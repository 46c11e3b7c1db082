"""Backends: the registry, and the primitives that NumPy, Numba and CuPy each implement over raw arrays."""

import warnings

from . import cuda, cudnn, mkl, mkldnn, mps, openmp
from .device import device
from .errors import LinAlgError, OutOfMemoryError
from .registry import (
    BackendError,
    available,
    current,
    default_device,
    device_of,
    get,
    get_default_device,
    names,
    register,
    set_default_device,
    status,
    use,
)

__all__ = [
    "BackendError",
    "LinAlgError",
    "OutOfMemoryError",
    "available",
    "cuda",
    "cudnn",
    "current",
    "default_device",
    "device",
    "device_of",
    "get",
    "get_default_device",
    "mkl",
    "mkldnn",
    "mps",
    "names",
    "openmp",
    "register",
    "set_default_device",
    "status",
    "use",
]

# inf and nan are results here, as in PyTorch, and not worth NumPy's warning. The filter names our own modules alone:
# numpy.seterr would change the host program, and numpy.errstate costs a microsecond an operation.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tapegrad\.")
