"""tapegrad: a reverse-mode autograd engine with PyTorch's interface and NumPy, Numba and CuPy backends."""

import math as _math
import os as _os
from importlib import import_module as _import_module
from typing import Any as _Any

# In a bare checkout the subpackages lie beside this folder, not in it.
if not _os.path.isdir(_os.path.join(__path__[0], "autograd")):
    __path__.append(_os.path.dirname(__path__[0]))

from . import (
    accelerator,
    amp,
    autograd,
    backends,
    compiler,
    cuda,
    fft,
    func,
    functional,
    linalg,
    masked,
    memory,
    mps,
    nn,
    optim,
    random,
    safetensors,
    serialization,
    signal,
    special,
    testing,
    utils,
    version,
    xpu,
)
from .autograd import (
    PUBLIC,
    TYPES,
    Size,
    Tensor,
    can_cast,
    channels_last,
    channels_last_3d,
    contiguous_format,
    enable_grad,
    finfo,
    from_dlpack,
    get_default_dtype,
    iinfo,
    inference_mode,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    is_complex,
    is_floating_point,
    is_grad_enabled,
    is_inference_mode_enabled,
    is_nonzero,
    is_tensor,
    layout,
    memory_format,
    no_grad,
    numel,
    preserve_format,
    promote_types,
    result_type,
    set_anomaly_enabled,
    set_default_dtype,
    set_default_tensor_type,
    set_grad_enabled,
    set_printoptions,
    strided,
    to_dlpack,
    vmap,
)
from .autograd.generator import Generator, default_generator, get_rng_state, initial_seed, seed, set_rng_state
from .backends import OutOfMemoryError, device, dtypes, get_default_device, registry, set_default_device
from .backends.determinism import (
    are_deterministic_algorithms_enabled,
    get_deterministic_debug_mode,
    is_deterministic_algorithms_warn_only_enabled,
    is_warn_always_enabled,
    set_deterministic_debug_mode,
    set_flush_denormal,
    set_warn_always,
    use_deterministic_algorithms,
)
from .backends.dtypes import dtype
from .backends.settings import get_float32_matmul_precision, set_float32_matmul_precision
from .backends.threads import get_num_interop_threads, get_num_threads, set_num_interop_threads, set_num_threads
from .nn.amp.autocast_mode import (
    autocast,
    autocast_decrement_nesting,
    autocast_increment_nesting,
    clear_autocast_cache,
    get_autocast_cpu_dtype,
    get_autocast_dtype,
    get_autocast_gpu_dtype,
    is_autocast_cache_enabled,
    is_autocast_cpu_enabled,
    is_autocast_enabled,
    set_autocast_cache_enabled,
    set_autocast_dtype,
    set_autocast_enabled,
)
from .nn.compiling import compile
from .nn.saving import load, save
from .nn.summary import summary

__version__ = "0.1.0"


def __getattr__(name: str) -> _Any:
    if name not in (
        "distributed",
        "distributions",
        "hub",
        "jit",
        "keras",
        "multiprocessing",
        "sklearn",
    ):  # loaded when they are first asked for
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _import_module(f".{name}", __name__)


registry.choose_from_environment()

globals().update({d.name: d for d in dtypes.DTYPES})
globals().update({name: dtypes.of(name) for name in (
    "float", "double", "half", "long", "int", "short", "cfloat", "cdouble")})  # fmt: skip
globals().update(PUBLIC)
globals().update(TYPES)
e, inf, nan, pi, newaxis = _math.e, _math.inf, _math.nan, _math.pi, None

__all__ = [
    "accelerator", "amp", "are_deterministic_algorithms_enabled", "autocast", "autocast_decrement_nesting",
    "autocast_increment_nesting", "autograd", "backends", "can_cast", "channels_last", "channels_last_3d",
    "clear_autocast_cache", "compile", "compiler", "contiguous_format", "cuda", "default_generator", "device",
    "distributed", "distributions", "dtype", "e", "enable_grad", "fft", "finfo", "from_dlpack", "func",
    "functional", "Generator", "get_autocast_cpu_dtype", "get_autocast_dtype", "get_autocast_gpu_dtype",
    "get_default_device", "get_default_dtype", "get_deterministic_debug_mode", "get_float32_matmul_precision",
    "get_num_interop_threads", "get_num_threads", "get_rng_state", "hub", "iinfo", "inf", "inference_mode",
    "initial_seed", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "is_autocast_cache_enabled",
    "is_autocast_cpu_enabled", "is_autocast_enabled", "is_complex", "is_deterministic_algorithms_warn_only_enabled",
    "is_floating_point", "is_grad_enabled", "is_inference_mode_enabled", "is_nonzero", "is_tensor",
    "is_warn_always_enabled", "jit", "layout", "linalg", "load", "masked", "memory", "memory_format", "mps",
    "multiprocessing", "nan", "newaxis", "nn", "no_grad", "numel", "optim", "OutOfMemoryError", "pi",
    "preserve_format", "promote_types", "random", "result_type", "safetensors", "save", "seed", "serialization",
    "set_anomaly_enabled", "set_autocast_cache_enabled", "set_autocast_dtype", "set_autocast_enabled",
    "set_default_device", "set_default_dtype", "set_default_tensor_type", "set_deterministic_debug_mode",
    "set_float32_matmul_precision", "set_flush_denormal", "set_grad_enabled", "set_num_interop_threads",
    "set_num_threads", "set_printoptions", "set_rng_state", "set_warn_always", "signal", "Size", "special",
    "strided", "summary", "Tensor", "testing", "to_dlpack", "use_deterministic_algorithms", "utils", "version",
    "vmap", "xpu",
    *(d.name for d in dtypes.DTYPES), *PUBLIC, *TYPES,
]  # fmt: skip
