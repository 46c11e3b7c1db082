"""Spectral normalisation as a hook, the older way; ``parametrizations.spectral_norm`` is the newer."""

from __future__ import annotations

from typing import Any

from ...autograd import Tensor, no_grad
from ...autograd.ops.linalg import mv
from ..conv import _ConvTransposeNd
from ..functional import normalize
from ..module import Module
from ..parameter import Parameter
from .weight_norm import _hook

__all__ = ["remove_spectral_norm", "spectral_norm"]


class SpectralNorm:
    """The hook that divides a weight by its largest singular value before each forward (Miyato et al., 2018).

    Args:
        name: of the weight.
        n_power_iterations: steps of the power iteration at each forward in training.
        dim: the dimension of the weight that gives the rows of the matrix.
        eps: lengths count as at least this.

    Raises:
        ValueError: fewer than one step.
    """

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.name = name
        self.n_power_iterations = n_power_iterations
        self.dim = dim
        self.eps = eps

    def matrix(self, weight: Tensor) -> Tensor:
        """The weight as a matrix."""
        if self.dim:
            weight = weight.permute(self.dim, *(d for d in range(weight.ndim) if d != self.dim))
        return weight.reshape(weight.shape[0], -1)

    def compute_weight(self, module: Module, iterate: bool) -> Tensor:
        """The weight, after further steps of the power iteration where ``iterate``."""
        weight = getattr(module, self.name + "_orig")
        u, v = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
        matrix = self.matrix(weight)
        if iterate:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(normalize(mv(matrix.t(), u), dim=0, eps=self.eps))
                    u.copy_(normalize(mv(matrix, v), dim=0, eps=self.eps))
            u, v = u.clone(), v.clone()  # the next forward writes over them
        sigma: Tensor = (u * mv(matrix, v)).sum()
        return weight / sigma

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight, as a matrix, by its largest singular value before each forward.

    Args:
        module: whose weight it is; its parameter becomes ``weight_orig``, its buffers ``weight_u`` and ``weight_v``.
        name: of the weight.
        n_power_iterations: steps of the power iteration at each forward in training.
        eps: lengths count as at least this.
        dim: the dimension of the weight that gives the rows; 1 for transposed convolutions, else 0, for None.

    Returns:
        The module.

    Raises:
        RuntimeError: it is done already. ValueError: fewer than one step.
    """
    if _hook(module, name, SpectralNorm) is not None:
        raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    rows = dim if dim is not None else 1 if isinstance(module, _ConvTransposeNd) else 0
    made = SpectralNorm(name, n_power_iterations, rows, eps)
    weight = module._parameters[name]
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    with no_grad():
        matrix = made.matrix(weight)
        height, width = matrix.shape
        u = normalize(weight.new_empty(height).normal_(0, 1), dim=0, eps=eps)
        v = normalize(weight.new_empty(width).normal_(0, 1), dim=0, eps=eps)
    delattr(module, name)
    module.register_parameter(name + "_orig", weight)
    # A plain attribute, so that it is no parameter: the hook sets it.
    setattr(module, name, weight.data)
    module.register_buffer(name + "_u", u)
    module.register_buffer(name + "_v", v)
    module.register_forward_pre_hook(made)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make the weight a plain parameter again.

    Raises:
        ValueError: it is none that ``spectral_norm`` divides.
    """
    found = _hook(module, name, SpectralNorm)
    if found is None:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    key, hook = found
    with no_grad():
        weight = hook.compute_weight(module, False)
    delattr(module, name)
    for end in ("_u", "_v", "_orig"):
        delattr(module, name + end)
    setattr(module, name, Parameter(weight.detach()))
    hooks: Any = module._hooks
    del hooks.forward_pre[key]
    return module
