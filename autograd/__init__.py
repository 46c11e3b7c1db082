"""Reverse-mode differentiation: Tensor, the tape, its engine and the table of rules."""

from . import rules
from .backward import backward, grad
from .grad_mode import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from .ops import PUBLIC
from .promote import get_default_dtype, result_type, set_default_dtype
from .record import source
from .rule import RULES, P, Rule, nondiff, rule
from .tensor import Size, Tensor

__all__ = [
    "PUBLIC", "RULES", "P", "Rule", "Size", "Tensor", "backward", "enable_grad", "get_default_dtype", "grad",
    "inference_mode", "is_grad_enabled", "no_grad", "nondiff", "result_type", "rule", "rules", "set_default_dtype",
    "set_grad_enabled", "source",
]  # fmt: skip
