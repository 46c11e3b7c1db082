"""PyTorch's place of kl_divergence and register_kl."""

from ..nn.distributions.kl import kl_divergence, register_kl

__all__ = ["kl_divergence", "register_kl"]
