"""The optimizers whose step in Keras is another formula than in ``nn.optim``, or which are not there."""

from __future__ import annotations

from typing import Any

from ...autograd import Tensor, no_grad
from ...nn.optim import Optimizer

__all__ = ["RootMeanSquare", "Sign", "SumOfSquares", "Supremum", "Velocity"]


class Velocity(Optimizer):
    """SGD whose velocity holds the learning rate: ``v = momentum * v - lr * g``, ``w += v``."""

    def __init__(self, params: Any, lr: float, momentum: float, nesterov: bool) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "nesterov": nesterov})

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        momentum = group["momentum"]
        with no_grad():
            for p in moved:
                g: Any = p.grad
                v = _slot(self.state[p], "momentum_buffer", p).mul_(momentum).sub_(g, alpha=group["lr"])
                if group["nesterov"]:
                    p.add_(v, alpha=momentum).sub_(g, alpha=group["lr"])
                else:
                    p.add_(v)


class Sign(Optimizer):
    """Lion: ``w -= lr * sign(beta1 * m + (1 - beta1) * g)``, ``m = beta2 * m + (1 - beta2) * g``."""

    def __init__(self, params: Any, lr: float, betas: tuple[float, float]) -> None:
        super().__init__(params, {"lr": lr, "betas": betas})

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        beta1, beta2 = group["betas"]
        with no_grad():
            for p in moved:
                g: Any = p.grad
                m = _slot(self.state[p], "exp_avg", p)
                p.sub_((beta1 * m + (1 - beta1) * g).sign(), alpha=group["lr"])
                m.mul_(beta2).add_(g, alpha=1 - beta2)


class RootMeanSquare(Optimizer):
    """RMSprop with epsilon under the root: ``w -= lr * g / sqrt(mean(g**2) + epsilon)``."""

    def __init__(self, params: Any, lr: float, rho: float, momentum: float, eps: float, centered: bool) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "momentum": momentum, "eps": eps, "centered": centered})

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        self._count(moved)
        rho, momentum = group["rho"], group["momentum"]
        with no_grad():
            for p in moved:
                g, state = p.grad, self.state[p]
                square = _slot(state, "square_avg", p).mul_(rho).add_((1 - rho) * g * g)
                below = square + group["eps"]
                if group["centered"]:
                    mean = _slot(state, "grad_avg", p).mul_(rho).add_((1 - rho) * g)
                    below = below - mean * mean
                step = group["lr"] * g / below.sqrt()
                if momentum:
                    step = _slot(state, "momentum_buffer", p).mul_(momentum).add_(step)
                p.sub_(step)


class SumOfSquares(Optimizer):
    """Adagrad with epsilon under the root: ``w -= lr * g / sqrt(sum(g**2) + epsilon)``."""

    def __init__(self, params: Any, lr: float, start: float, eps: float) -> None:
        super().__init__(params, {"lr": lr, "start": start, "eps": eps})

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        self._count(moved)
        with no_grad():
            for p in moved:
                g: Any = p.grad
                total = _slot(self.state[p], "sum", p, group["start"]).add_(g * g)
                p.sub_(group["lr"] * g / (total + group["eps"]).sqrt())


class Supremum(Optimizer):
    """Adamax with epsilon added to the largest gradient: ``w -= lr / (1 - beta1**t) * m / (u + epsilon)``."""

    def __init__(self, params: Any, lr: float, betas: tuple[float, float], eps: float) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        beta1, beta2 = group["betas"]
        with no_grad():
            for p, t in zip(moved, self._count(moved), strict=True):
                g: Any = p.grad
                state = self.state[p]
                m = _slot(state, "exp_avg", p).mul_(beta1).add_((1 - beta1) * g)
                u = _slot(state, "exp_inf", p)
                u.copy_((beta2 * u).maximum(g.abs()))
                p.sub_(group["lr"] / (1 - beta1**t) * m / (u + group["eps"]))


def _slot(state: dict[str, Any], name: str, like: Tensor, start: float = 0.0) -> Tensor:
    if name not in state:
        state[name] = like.detach().new_full(like.shape, start)
    made: Tensor = state[name]
    return made
