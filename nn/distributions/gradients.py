"""How a gamma or Dirichlet number moves with its concentration: implicit reparametrisation.

A number x drawn from a distribution with density f and distribution function F moves with a parameter a by
``-(dF/da) / f(x)`` (Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients", NeurIPS 2018). Here
``dF/da`` is the integral of ``f * d(log f)/da`` up to x, or minus the one from x on, whichever is the thinner tail. On
a logarithmic (gamma) or logit (beta) axis the integrand is the exponential of a concave function times a smooth one,
which Gauss's formula takes in at 40 points to ten digits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ...autograd import Function, Tensor, finfo, no_grad
from ...autograd.ops.create import tensor
from ...autograd.ops.index import where
from ...autograd.ops.rejections import drawn_gamma
from ...backends import dtypes
from ..functional import softplus

__all__ = ["standard_dirichlet", "standard_gamma"]

DEPTH = 36.0  # the tail is left off where the density has fallen by exp(-36)
STEPS = 8  # of Newton's method for the place of that; it need not be exact
POINTS = 40
AT_ONCE = 4096  # elements; each takes POINTS numbers of memory


@cache
def _points() -> tuple[Any, Any]:
    """Places and weights on [0, 1], close together near 0, where the density is greatest."""
    place, weight = np.polynomial.legendre.leggauss(POINTS)
    place = (place + 1.0) / 2.0
    return place**3, weight / 2.0 * 3.0 * place**2


def _integral(
    length: Tensor, sign: Tensor, fall: Callable[[Tensor], Tensor], score: Callable[[Tensor], Tensor]
) -> Tensor:
    """The integral of ``exp(fall(v)) * score(v)`` for v from 0 to ``sign * length``, all of shape (n, 1)."""
    place, weight = (tensor(p, dtype=dtypes.float64, device=length.device) for p in _points())
    v = sign * length * place
    return ((fall(v).exp() * score(v)) @ weight) * length[:, 0]


def _length(start: Tensor, fall: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor]) -> Tensor:
    """Where the concave ``fall`` reaches -DEPTH, from a start beyond that."""
    for _ in range(STEPS):
        start = start - (fall(start) + DEPTH) / slope(start)
    return start


def _gamma_slope(a: Tensor, x: Tensor) -> Tensor:
    """The derivative of a gamma number x by its concentration a; float64 of shape (n, 1), returns (n,)."""
    below = x < a
    sign = where(below, -1.0, 1.0).double()

    def fall(v: Tensor) -> Tensor:
        return a * v - x * v.expm1()

    far = where(x < 40.0, (4.0 * DEPTH / x).log1p(), (2.0 * DEPTH / x).sqrt())
    start = where(below, (DEPTH + x) / a, far)
    length = _length(start, lambda y: fall(sign * y), lambda y: sign * (a - x * (sign * y).exp()))
    shift = x.log() - a.digamma()
    return (sign * x)[:, 0] * _integral(length, sign, fall, lambda v: shift + v)


def _beta_slope(a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    """The derivative of a Beta(a, b) number x by a, over ``1 - x``; float64 of shape (n, 1), returns (n,)."""
    middle = x.log() - (-x).log1p()
    below = x * b < (1.0 - x) * a
    sign = where(below, -1.0, 1.0).double()
    left, right = softplus(-middle), softplus(middle)  # -log x and -log(1 - x)

    def fall(v: Tensor) -> Tensor:
        return a * (left - softplus(-middle - v)) + b * (right - softplus(middle + v))

    start = where(below, right + (DEPTH + b * right) / a, left + (DEPTH + a * left) / b)
    length = _length(
        start, lambda y: fall(sign * y), lambda y: sign * (a - (a + b) * (middle + sign * y).sigmoid())
    )  # fmt: skip
    shift = a.digamma() - (a + b).digamma()
    return (sign * x)[:, 0] * _integral(length, sign, fall, lambda v: -softplus(-middle - v) - shift)


def _in_parts(slope: Callable[..., Tensor], like: Tensor, *given: Tensor) -> Tensor:
    """``slope`` of the elements, so many at a time that memory is no concern, in the shape and type of ``like``."""
    columns = [g.detach().double().reshape(-1, 1) for g in given]
    made = like.new_empty((like.numel(),))
    with no_grad():
        for first in range(0, like.numel(), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            made[some] = slope(*(c[some] for c in columns)).to(like.dtype)
    return made.reshape(like.shape)


class _StandardGamma(Function):
    """Gamma numbers of rate 1."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        made = drawn_gamma(concentration)
        ctx.save_for_backward(concentration, made)
        return made

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        concentration, made = ctx.saved_tensors
        return grads[0] * _in_parts(_gamma_slope, concentration, concentration, made)


class _StandardDirichlet(Function):
    """Gamma numbers over their sum."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        drawn = drawn_gamma(concentration.double())
        info = finfo(concentration.dtype)
        made = (drawn / drawn.sum(-1, keepdim=True)).to(concentration.dtype).clamp(info.tiny, 1.0 - info.eps / 2)
        ctx.save_for_backward(concentration, made)
        return made

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        concentration, made = ctx.saved_tensors
        rest = concentration.double().sum(-1, keepdim=True) - concentration.double()
        slope = _in_parts(_beta_slope, concentration, concentration, rest, made)
        return slope * (grads[0] - (made * grads[0]).sum(-1, keepdim=True))


def standard_gamma(concentration: Tensor) -> Tensor:
    """One gamma number of rate 1 for each concentration, with a gradient to it."""
    return _StandardGamma.apply(concentration)


def standard_dirichlet(concentration: Tensor) -> Tensor:
    """One Dirichlet vector along the last dimension, with a gradient to the concentrations."""
    return _StandardDirichlet.apply(concentration)
