"""Rules of special functions, of pairs of numbers and of running extremes."""

from __future__ import annotations

import math

from ..rule import nondiff, rule

__all__: list[str] = []

ROOT_PI = math.sqrt(math.pi)

# Pairs
rule(
    "hypot", "a b", kind="floating",
    a=lambda F, g, a, out: F.mul(g, F.div(a, out)), b=lambda F, g, b, out: F.mul(g, F.div(b, out)),
)  # fmt: skip
rule(
    "logaddexp", "a b", kind="floating",
    a=lambda F, g, a, b: F.mul(g, F.sigmoid(F.sub(a, b))), b=lambda F, g, a, b: F.mul(g, F.sigmoid(F.sub(b, a))),
)  # fmt: skip
rule(
    "copysign", "a b", kind="float",
    a=lambda F, g, a, out: F.mul(g, F.mul(F.sign(a), F.sign(out))), b=lambda F, g: F.zeros_like(g),
)  # fmt: skip
# 0 log(b) is 0, also where b is not positive; there its slope in a is 0 too
rule(
    "xlogy", "a b", kind="float",
    a=lambda F, g, a, b: F.mul(g, F.log(F.where(F.logical_and(F.eq(a, 0), F.le(b, 0)), F.add(F.zeros_like(b), 1), b))),
    b=lambda F, g, a, b: F.mul(g, F.div(a, b)),
)  # fmt: skip
rule(
    "nextafter", "a b", kind="floating",
    a=lambda F, g, a, b: F.where(F.eq(a, b), F.zeros_like(g), g), b=lambda F, g: F.zeros_like(g),
)  # fmt: skip

# Integers
for name in ("bitwise_left_shift", "bitwise_right_shift", "gcd", "lcm"):
    nondiff(name, "a b", kind="bits")

# Parts of a float
nondiff("signbit", "x", kind="real")
nondiff("exponent", "x")

# Error functions
rule(
    "erfc", "x", kind="float", x=lambda F, g, x: F.mul(g, F.mul(F.exp(F.neg(F.square(x))), -2 / ROOT_PI))
)  # fmt: skip
rule("erfinv", "x", kind="float", x=lambda F, g, x: F.mul(g, F.mul(F.exp(F.square(F.erfinv(x))), ROOT_PI / 2)))

# Gamma functions
rule("lgamma", "x", kind="float", x=lambda F, g, x: F.mul(g, F.polygamma(x, 0)))
rule("polygamma", "x", "n", kind="float", x=lambda F, g, x, n: F.mul(g, F.polygamma(x, n + 1)))

# Running extremes and sums
nondiff("cummax", "x", "dim")
nondiff("cummin", "x", "dim")
rule("logcumsumexp", "x", "dim", x=lambda F, g, x, out, dim: _through_sums(F, g, x, out, dim))


def _through_sums(F, g, x, out, dim):
    """``exp(x_i)`` times the sum over k >= i of ``g_k exp(-out_k)``, its positive and its negative terms apart."""
    return F.sub(_positive_part(F, g, x, out, dim), _positive_part(F, F.neg(g), x, out, dim))


def _positive_part(F, g, x, out, dim):
    some = F.gt(g, 0)
    one = F.add(F.zeros_like(g), 1)
    logs = F.where(some, F.sub(F.log(F.where(some, g, one)), out), F.mul(one, -math.inf))
    return F.exp(F.add(F.flip(F.logcumsumexp(F.flip(logs, (dim,)), dim), (dim,)), x))
