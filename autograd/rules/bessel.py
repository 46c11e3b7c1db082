"""Rules of Bessel functions, of the normal distribution and of the incomplete gamma functions."""

from __future__ import annotations

import math

from ..rule import rule

__all__: list[str] = []

rule("i0e", "x", kind="float", public=False, x=lambda F, g, x, out: F.mul(g, F.sub(F.i1e(x), F.mul(F.sign(x), out))))
rule("i1e", "x", kind="float", public=False, x=lambda F, g, x, out: F.mul(g, _i1e_slope(F, x, out)))
rule(
    "erfcx", "x", kind="float", public=False,
    x=lambda F, g, x, out: F.mul(g, F.sub(F.mul(F.mul(x, out), 2), 2 / math.sqrt(math.pi))),
)  # fmt: skip
rule(
    "ndtri", "x", kind="float", public=False,
    x=lambda F, g, out: F.mul(g, F.mul(F.exp(F.mul(F.square(out), 0.5)), math.sqrt(2 * math.pi))),
)  # fmt: skip
rule("entr", "x", kind="float", public=False, x=lambda F, g, x: F.neg(F.mul(g, F.add(F.log(x), 1))))
# Of these PyTorch knows the slope in x alone, and so do we.
rule("igamma", "a x", kind="floating", x=lambda F, g, a, x: F.mul(g, _density(F, a, x)))
rule("igammac", "a x", kind="floating", x=lambda F, g, a, x: F.neg(F.mul(g, _density(F, a, x))))


def _i1e_slope(F, x, out):
    none = F.eq(x, 0)
    one = F.add(F.zeros_like(x), 1)
    over = F.div(out, F.where(none, one, x))
    slope = F.sub(F.sub(F.i0e(x), F.mul(F.sign(x), out)), over)
    return F.where(none, F.mul(one, 0.5), slope)


def _density(F, a, x):
    """The density of the gamma distribution of shape a."""
    return F.exp(F.sub(F.sub(F.mul(F.sub(a, 1), F.log(x)), x), F.lgamma(a)))
