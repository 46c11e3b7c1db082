"""Updates of the adaptive optimizers: one call moves every parameter of a group, in place.

Each takes lists of arrays, one entry a parameter. The arithmetic follows PyTorch's order of operations.
"""

from __future__ import annotations

from typing import Any

__all__ = ["AdaptiveUpdateMixin"]


def _slope(g: Any, p: Any, decay: float, maximize: bool) -> Any:
    """The gradient to go down along, with the L2 penalty's."""
    if maximize:
        g = -g
    return g + p * decay if decay else g


class AdaptiveUpdateMixin:
    """Multi-tensor updates over ``self.xp``."""

    xp: Any
    _parts: Any  # of UpdateMixin

    def adadelta_update(
        self, params: list[Any], grads: list[Any], squares: list[Any], deltas: list[Any], lr: float, rho: float,
        eps: float, decay: float, maximize: bool,
    ) -> None:  # fmt: skip
        """Adadelta (Zeiler, 2012); ``deltas`` holds the running mean square of the steps."""
        sqrt = self.xp.sqrt
        for p, g, s, d in zip(*self._parts(params, grads, squares, deltas), strict=True):
            g = _slope(g, p, decay, maximize)
            s *= rho
            s += g * g * (1 - rho)
            step = sqrt(d + eps) / sqrt(s + eps) * g
            d *= rho
            d += step * step * (1 - rho)
            p -= step * lr

    def adagrad_update(
        self, params: list[Any], grads: list[Any], sums: list[Any], steps: list[int], lr: float, lr_decay: float,
        eps: float, decay: float, maximize: bool,
    ) -> None:  # fmt: skip
        """Adagrad (Duchi, Hazan and Singer, 2011); ``sums`` holds the sum of the squares of all gradients."""
        for p, g, s, n in zip(*self._parts(params, grads, sums), steps, strict=True):
            g = _slope(g, p, decay, maximize)
            s += g * g
            p -= g / (self.xp.sqrt(s) + eps) * (lr / (1 + (n - 1) * lr_decay))

    def adamax_update(
        self, params: list[Any], grads: list[Any], firsts: list[Any], norms: list[Any], steps: list[int], lr: float,
        beta1: float, beta2: float, eps: float, decay: float, maximize: bool,
    ) -> None:  # fmt: skip
        """Adamax (Kingma and Ba, 2015); ``norms`` holds the decaying largest absolute value of the gradients."""
        xp = self.xp
        for p, g, m, u, n in zip(*self._parts(params, grads, firsts, norms), steps, strict=True):
            g = _slope(g, p, decay, maximize)
            m += (g - m) * (1 - beta1)
            u *= beta2
            xp.maximum(u, xp.abs(g) + eps, out=u)
            p -= m / u * (lr / (1 - beta1**n))

    def asgd_update(
        self, params: list[Any], grads: list[Any], means: list[Any], rates: list[float], weights: list[float],
        shrink: float, decay: float, maximize: bool,
    ) -> None:  # fmt: skip
        """Averaged descent (Polyak and Juditsky, 1992); ``rates`` are learning rates, ``weights`` of the average."""
        for p, g, mean, rate, weight in zip(*self._parts(params, grads, means), rates, weights, strict=True):
            g = _slope(g, p, decay, maximize)
            p *= 1 - shrink * rate
            p -= g * rate
            if weight == 1:
                mean[...] = p
            else:
                mean += (p - mean) * weight

    def nadam_update(
        self, params: list[Any], grads: list[Any], firsts: list[Any], seconds: list[Any], steps: list[int],
        rates: list[tuple[float, float]], lr: float, beta1: float, beta2: float, eps: float, decay: float,
        decoupled: bool, maximize: bool,
    ) -> None:  # fmt: skip
        """NAdam (Dozat, 2016); ``rates`` holds the learning rates of the gradient and of its running mean."""
        parts = self._parts(params, grads, firsts, seconds)
        for p, g, m, v, n, (rate, rate_of_mean) in zip(*parts, steps, rates, strict=True):
            if decoupled:
                p *= 1 - lr * decay
            g = _slope(g, p, 0 if decoupled else decay, maximize)
            m += (g - m) * (1 - beta1)
            v *= beta2
            v += g * g * (1 - beta2)
            scale = self.xp.sqrt(v / (1 - beta2**n)) + eps
            p -= g / scale * rate
            p -= m / scale * rate_of_mean

    def radam_update(
        self, params: list[Any], grads: list[Any], firsts: list[Any], seconds: list[Any], steps: list[int], lr: float,
        beta1: float, beta2: float, eps: float, decay: float, decoupled: bool, maximize: bool,
    ) -> None:  # fmt: skip
        """RAdam (Liu et al., 2020): Adam whose scale waits until its variance is known well enough."""
        for p, g, m, v, n in zip(*self._parts(params, grads, firsts, seconds), steps, strict=True):
            if decoupled:
                p *= 1 - lr * decay
            g = _slope(g, p, 0 if decoupled else decay, maximize)
            m += (g - m) * (1 - beta1)
            v *= beta2
            v += g * g * (1 - beta2)
            rate = lr / (1 - beta1**n)
            sharpness = rectification(beta2, n)
            if sharpness:
                p -= m / (self.xp.sqrt(v) + eps) * (rate * sharpness)
            else:
                p -= m * rate

    def rprop_update(
        self, params: list[Any], grads: list[Any], lasts: list[Any], sizes: list[Any], shrink: float, grow: float,
        smallest: float, largest: float, maximize: bool,
    ) -> None:  # fmt: skip
        """Resilient backpropagation (Riedmiller and Braun, 1993); ``lasts`` holds gradients, ``sizes`` of steps."""
        xp = self.xp
        for p, g, last, size in zip(*self._parts(params, grads, lasts, sizes), strict=True):
            if maximize:
                g = -g
            number = p.dtype.type
            turn = xp.sign(g * last)
            factor = xp.where(turn > 0, number(grow), xp.where(turn < 0, number(shrink), number(1)))
            size *= factor
            xp.maximum(size, number(smallest), out=size)
            xp.minimum(size, number(largest), out=size)
            last[...] = xp.where(turn < 0, number(0), g)
            p -= xp.sign(last) * size

    def sparse_adam_update(
        self, params: list[Any], grads: list[Any], firsts: list[Any], seconds: list[Any], steps: list[int], lr: float,
        beta1: float, beta2: float, eps: float, maximize: bool,
    ) -> None:  # fmt: skip
        """Adam that leaves alone, moments and all, the rows whose gradient is zero throughout."""
        xp = self.xp
        for p, g, m, v, n in zip(params, grads, firsts, seconds, steps, strict=True):
            touched = g != 0
            if g.ndim > 1:
                touched = touched.any(axis=tuple(range(1, g.ndim)), keepdims=True)
            if maximize:
                g = -g
            none = p.dtype.type(0)
            m += xp.where(touched, (g - m) * (1 - beta1), none)
            v += xp.where(touched, (g * g - v) * (1 - beta2), none)
            rate = lr * (1 - beta2**n) ** 0.5 / (1 - beta1**n)
            p -= xp.where(touched, m / (xp.sqrt(v) + eps) * rate, none)


def rectification(beta2: float, n: int) -> float:
    """RAdam's factor of step ``n`` with the correction of the second moment; 0 where the variance is not tractable."""
    longest = 2 / (1 - beta2) - 1
    correction = 1 - beta2**n
    length = longest - 2 * n * beta2**n / correction
    if length <= 5:
        return 0.0
    ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    return float((ratio * correction) ** 0.5)
