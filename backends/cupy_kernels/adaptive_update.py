"""Updates of the adaptive optimizers: one launch moves every parameter of a group, as in ``update``."""

from __future__ import annotations

from typing import Any

from ..array.adaptive_update import rectification
from .declare import Kernels, blocks
from .update import EACH, OPEN, array

__all__ = ["AdaptiveUpdateKernels"]


def _kernel(name: str, numbers: str, states: tuple[str, ...], body: str) -> str:
    """One kernel: its plain numbers, the arrays beside parameter and gradient, and what it does to element ``i``."""
    arguments = "".join(f", A {n}" for n in numbers.split())
    arrays = "".join(array(state, i) for i, state in enumerate(states, 2))
    head = OPEN.replace("ARRAYS", str(2 + len(states)))
    return (
        f'extern "C" __global__ void {name}(const long long* table, long long count{arguments}) {{{head}{arrays}{EACH}'
        f"{body}  }}\n}}\n"
    )


SLOPE = """
    A g = A(gradient[i]) * sign;
    if (decay != A(0)) g += A(p[i]) * decay;
"""
MOMENTS = """
    const A x = A(p[i]) * keep;
    A g = A(gradient[i]) * sign;
    if (decay != A(0)) g += x * decay;
    const A m = A(first[i]) + (g - A(first[i])) * rest1;
    const A v = A(second[i]) * beta2 + g * g * rest2;
    first[i] = T(m);
    second[i] = T(v);
"""

SOURCE = "".join([
    _kernel("adadelta", "lr rho rest eps decay sign", ("square", "delta"), SLOPE + """
    const A s = A(square[i]) * rho + g * g * rest;
    const A d = delta[i];
    const A step = sqrt(d + eps) / sqrt(s + eps) * g;
    square[i] = T(s);
    delta[i] = T(d * rho + step * step * rest);
    p[i] = T(A(p[i]) - step * lr);
"""),
    _kernel("adagrad", "lr eps decay sign", ("sum",), SLOPE + """
    const A s = A(sum[i]) + g * g;
    sum[i] = T(s);
    p[i] = T(A(p[i]) - g / (sqrt(s) + eps) * lr);
"""),
    _kernel("adamax", "lr rest1 beta2 eps decay sign", ("first", "norm"), SLOPE + """
    const A m = A(first[i]) + (g - A(first[i])) * rest1;
    const A kept = A(norm[i]) * beta2, now = (g < A(0) ? -g : g) + eps;
    const A u = kept > now || kept != kept ? kept : now;
    first[i] = T(m);
    norm[i] = T(u);
    p[i] = T(A(p[i]) - m / u * lr);
"""),
    _kernel("asgd", "keep lr weight decay sign", ("mean",), SLOPE + """
    const A x = A(p[i]) * keep - g * lr;
    p[i] = T(x);
    mean[i] = T(weight == A(1) ? x : A(mean[i]) + (x - A(mean[i])) * weight);
"""),
    _kernel("nadam", "keep decay lr lr_of_mean root rest1 beta2 rest2 eps sign", ("first", "second"), MOMENTS + """
    p[i] = T(x - (g * lr + m * lr_of_mean) / (sqrt(v * root) + eps));
"""),
    _kernel("radam", "keep decay lr sharpness rest1 beta2 rest2 eps sign", ("first", "second"), MOMENTS + """
    p[i] = T(x - m * lr * (sharpness == A(0) ? A(1) : sharpness / (sqrt(v) + eps)));
"""),
    _kernel("rprop", "shrink grow smallest largest sign", ("last", "size_of_step"), """
    A g = A(gradient[i]) * sign;
    const A turn = g * A(last[i]);
    A step = A(size_of_step[i]) * (turn > A(0) ? grow : turn < A(0) ? shrink : turn == A(0) ? A(1) : turn);
    step = step < smallest ? smallest : step > largest ? largest : step;
    if (turn < A(0)) g = A(0);
    size_of_step[i] = T(step);
    last[i] = T(g);
    p[i] = T(A(p[i]) - (g > A(0) ? step : g < A(0) ? -step : g));
"""),
])  # fmt: skip
blocks("adaptive_update", SOURCE, "adadelta", "adagrad", "adamax", "asgd", "nadam", "radam", "rprop")


def _alike(keys: list[Any], *lists: list[Any]) -> list[tuple[Any, list[list[Any]]]]:
    """The lists in parts whose entries have one key: parameters that share their numbers share a launch."""
    return [(key, [[v for v, k in zip(several, keys, strict=True) if k == key] for several in lists])
            for key in dict.fromkeys(keys)]  # fmt: skip


class AdaptiveUpdateKernels:
    """Multi-tensor updates of contiguous parameters of real floating types; the shared table for the others."""

    k: Kernels
    _launch: Any  # of UpdateKernels

    def adadelta_update(
        self, params: list[Any], grads: list[Any], squares: list[Any], deltas: list[Any], lr: float, rho: float,
        eps: float, decay: float, maximize: bool,
    ) -> None:  # fmt: skip
        """Adadelta (Zeiler, 2012)."""
        numbers = (lr, rho, 1 - rho, eps, decay, -1 if maximize else 1)
        rest = self._launch("adadelta", (params, grads, squares, deltas), numbers)
        if rest[0]:
            super().adadelta_update(*rest, lr, rho, eps, decay, maximize)  # type: ignore[misc]

    def adagrad_update(
        self, params: list[Any], grads: list[Any], sums: list[Any], steps: list[int], lr: float, lr_decay: float,
        eps: float, decay: float, maximize: bool,
    ) -> None:  # fmt: skip
        """Adagrad (Duchi, Hazan and Singer, 2011)."""
        for n, groups in _alike(steps, params, grads, sums):
            numbers = (lr / (1 + (n - 1) * lr_decay), eps, decay, -1 if maximize else 1)
            rest = self._launch("adagrad", groups, numbers)
            if rest[0]:
                super().adagrad_update(  # type: ignore[misc]
                    *rest, [n] * len(rest[0]), lr, lr_decay, eps, decay, maximize
                )

    def adamax_update(
        self, params: list[Any], grads: list[Any], firsts: list[Any], norms: list[Any], steps: list[int], lr: float,
        beta1: float, beta2: float, eps: float, decay: float, maximize: bool,
    ) -> None:  # fmt: skip
        """Adamax (Kingma and Ba, 2015)."""
        for n, groups in _alike(steps, params, grads, firsts, norms):
            rate = lr / (1 - beta1**n)
            rest = self._launch("adamax", groups, (rate, 1 - beta1, beta2, eps, decay, -1 if maximize else 1))
            if rest[0]:
                super().adamax_update(  # type: ignore[misc]
                    *rest, [n] * len(rest[0]), lr, beta1, beta2, eps, decay, maximize
                )

    def asgd_update(
        self, params: list[Any], grads: list[Any], means: list[Any], rates: list[float], weights: list[float],
        shrink: float, decay: float, maximize: bool,
    ) -> None:  # fmt: skip
        """Averaged descent (Polyak and Juditsky, 1992)."""
        for key, groups in _alike(list(zip(rates, weights, strict=True)), params, grads, means):
            rate, weight = key
            numbers = (1 - shrink * rate, rate, weight, decay, -1 if maximize else 1)
            rest = self._launch("asgd", groups, numbers)
            if rest[0]:
                count = len(rest[0])
                super().asgd_update(  # type: ignore[misc]
                    *rest, [rate] * count, [weight] * count, shrink, decay, maximize
                )

    def nadam_update(
        self, params: list[Any], grads: list[Any], firsts: list[Any], seconds: list[Any], steps: list[int],
        rates: list[tuple[float, float]], lr: float, beta1: float, beta2: float, eps: float, decay: float,
        decoupled: bool, maximize: bool,
    ) -> None:  # fmt: skip
        """NAdam (Dozat, 2016)."""
        for key, groups in _alike(list(zip(steps, rates, strict=True)), params, grads, firsts, seconds):
            n, both = key
            numbers = (1 - lr * decay if decoupled else 1, 0 if decoupled else decay, *both, 1 / (1 - beta2**n),
                       1 - beta1, beta2, 1 - beta2, eps, -1 if maximize else 1)  # fmt: skip
            rest = self._launch("nadam", groups, numbers)
            if rest[0]:
                count = len(rest[0])
                super().nadam_update(  # type: ignore[misc]
                    *rest, [n] * count, [both] * count, lr, beta1, beta2, eps, decay, decoupled, maximize
                )

    def radam_update(
        self, params: list[Any], grads: list[Any], firsts: list[Any], seconds: list[Any], steps: list[int], lr: float,
        beta1: float, beta2: float, eps: float, decay: float, decoupled: bool, maximize: bool,
    ) -> None:  # fmt: skip
        """RAdam (Liu et al., 2020)."""
        for n, groups in _alike(steps, params, grads, firsts, seconds):
            numbers = (1 - lr * decay if decoupled else 1, 0 if decoupled else decay,
                       lr / (1 - beta1**n), rectification(beta2, n),
                       1 - beta1, beta2, 1 - beta2, eps, -1 if maximize else 1)  # fmt: skip
            rest = self._launch("radam", groups, numbers)
            if rest[0]:
                super().radam_update(  # type: ignore[misc]
                    *rest, [n] * len(rest[0]), lr, beta1, beta2, eps, decay, decoupled, maximize
                )

    def rprop_update(
        self, params: list[Any], grads: list[Any], lasts: list[Any], sizes: list[Any], shrink: float, grow: float,
        smallest: float, largest: float, maximize: bool,
    ) -> None:  # fmt: skip
        """Resilient backpropagation (Riedmiller and Braun, 1993)."""
        numbers = (shrink, grow, smallest, largest, -1 if maximize else 1)
        rest = self._launch("rprop", (params, grads, lasts, sizes), numbers)
        if rest[0]:
            super().rprop_update(*rest, shrink, grow, smallest, largest, maximize)  # type: ignore[misc]
