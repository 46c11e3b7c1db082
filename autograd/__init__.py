"""Reverse-mode differentiation: Tensor, the tape, its engine and the table of rules."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import func, function, functional, graph, rules
from .anomaly_mode import (
    detect_anomaly,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_anomaly_enabled,
    set_detect_anomaly,
)
from .backward import backward, grad
from .batching import vmap
from .function import Function
from .grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .gradcheck import gradcheck, gradgradcheck
from .layouts import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    layout,
    memory_format,
    preserve_format,
    strided,
)
from .legacy import TYPES, Variable
from .ops import PUBLIC
from .ops.interop import from_dlpack, to_dlpack
from .printing import set_printoptions
from .promote import get_default_dtype, result_type, set_default_dtype
from .record import source
from .rule import RULES, P, Rule, nondiff, rule
from .tensor import Size, Tensor
from .types import (
    can_cast,
    finfo,
    iinfo,
    is_complex,
    is_floating_point,
    is_nonzero,
    is_tensor,
    numel,
    promote_types,
    set_default_tensor_type,
)

if TYPE_CHECKING:
    from .bisect.compare import compare
    from .export import export_numpy
    from .graph_text import to_dot, to_mermaid

# What a plain script does not need: name -> the module that has it, which is imported when the name is first read.
_LATER = {"compare": "bisect", "export_numpy": "export", "to_dot": "graph_text", "to_mermaid": "graph_text"}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        globals()[name] = found = getattr(import_module("." + _LATER[name], __name__), name)
        return found
    if name in _LATER.values():
        return import_module("." + name, __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, *_LATER.values()})


__all__ = [
    "P", "PUBLIC", "RULES", "TYPES", "Function", "Rule", "Size", "Tensor", "Variable", "backward", "can_cast",
    "channels_last", "channels_last_3d", "compare", "contiguous_format", "detect_anomaly", "enable_grad",
    "export_numpy", "finfo", "from_dlpack", "func", "function", "functional", "get_default_dtype", "grad", "gradcheck",
    "gradgradcheck", "graph", "iinfo", "inference_mode", "is_anomaly_check_nan_enabled", "is_anomaly_enabled",
    "is_complex", "is_floating_point", "is_grad_enabled", "is_inference_mode_enabled", "is_nonzero", "is_tensor",
    "layout", "memory_format", "no_grad", "nondiff", "numel", "preserve_format", "promote_types", "result_type", "rule",
    "rules", "set_anomaly_enabled", "set_default_dtype", "set_default_tensor_type", "set_detect_anomaly",
    "set_grad_enabled", "set_printoptions", "source", "strided", "to_dlpack", "to_dot", "to_mermaid", "vmap",
]  # fmt: skip
