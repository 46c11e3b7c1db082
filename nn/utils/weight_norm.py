"""Weight normalisation as a hook, the older way; ``parametrizations.weight_norm`` is the newer."""

from __future__ import annotations

from typing import Any

from ..module import Module
from ..parameter import Parameter
from .parametrizations import norm_except_dim

__all__ = ["remove_weight_norm", "weight_norm"]


class WeightNorm:
    """The hook that computes a weight from its lengths and its direction before each forward.

    Args:
        name: of the weight.
        dim: the dimension whose slices have a length each; -1 for one length of the whole.
    """

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Any:
        """The weight."""
        g, v = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return v * (g / norm_except_dim(v, self.dim))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def _hook(module: Module, name: str, kind: type) -> tuple[int, Any] | None:
    """The hook of this kind on this weight, with its number."""
    table = module._hooks.forward_pre if module._hooks is not None else {}
    found = [(key, hook) for key, hook in table.items() if isinstance(hook, kind) and hook.name == name]  # type: ignore[attr-defined]
    return found[0] if found else None


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Split a weight into its lengths (``weight_g``) and its direction (``weight_v``) (Salimans and Kingma, 2016).

    Args:
        module: whose weight it is.
        name: of the weight.
        dim: the dimension whose slices have a length each; None for one length of the whole.

    Returns:
        The module.

    Raises:
        RuntimeError: it is done already.
    """
    if _hook(module, name, WeightNorm) is not None:
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    made = WeightNorm(name, dim)
    weight = getattr(module, name)
    del module._parameters[name]
    lengths = norm_except_dim(weight.detach(), made.dim)
    module.register_parameter(name + "_g", Parameter(lengths.data))
    module.register_parameter(name + "_v", Parameter(weight.data))
    setattr(module, name, made.compute_weight(module))
    module.register_forward_pre_hook(made)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make the weight a plain parameter again.

    Raises:
        ValueError: it is none that ``weight_norm`` has split.
    """
    found = _hook(module, name, WeightNorm)
    if found is None:
        raise ValueError(f"weight_norm of '{name}' not found in {module}")
    key, hook = found
    weight = hook.compute_weight(module).detach()
    delattr(module, name)
    for end in ("_g", "_v"):
        delattr(module, name + end)
    setattr(module, name, Parameter(weight))
    hooks: Any = module._hooks
    del hooks.forward_pre[key]
    return module
