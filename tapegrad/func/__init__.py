"""Transforms of functions (``torch.func``): derivatives, Jacobians, batches, and modules as functions."""

from ..autograd.func import *  # noqa: F403
from ..autograd.func import __all__ as _transforms
from ..nn.utils.stateless import functional_call, stack_module_state

__all__ = [*_transforms, "functional_call", "stack_module_state"]
