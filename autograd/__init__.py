"""Reverse-mode differentiation: Tensor, the tape, its engine and the table of rules."""

from . import rules
from .backward import backward, grad
from .grad_mode import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
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

__all__ = [
    "PUBLIC", "RULES", "TYPES", "P", "Rule", "Size", "Tensor", "Variable", "backward", "can_cast", "channels_last",
    "channels_last_3d", "contiguous_format", "enable_grad", "finfo", "from_dlpack", "get_default_dtype", "grad",
    "iinfo", "inference_mode", "is_complex", "is_floating_point", "is_grad_enabled", "is_nonzero", "is_tensor",
    "layout", "memory_format", "no_grad", "numel", "nondiff", "preserve_format", "promote_types", "result_type", "rule",
    "rules", "set_default_dtype", "set_default_tensor_type", "set_grad_enabled", "set_printoptions", "source",
    "strided", "to_dlpack",
]  # fmt: skip
