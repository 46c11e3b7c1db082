"""``GradScaler``."""

from ..nn.amp.grad_scaler import GradScaler

__all__ = ["GradScaler"]
