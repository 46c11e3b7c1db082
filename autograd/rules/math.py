"""Rules of the element-wise primitives. Where the derivative can be told from the output, it is."""

from __future__ import annotations

import math

from ..rule import nondiff, rule

__all__: list[str] = []

LN2, LN10 = math.log(2), math.log(10)
TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)
INV_SQRT_2PI = 1 / math.sqrt(2 * math.pi)
SQRT_HALF = math.sqrt(0.5)
SQRT_2_OVER_PI = math.sqrt(2 / math.pi)

# Arithmetic
rule("add", "a b", kind="any", a=lambda F, g: g, b=lambda F, g: g)
rule("sub", "a b", kind="any", a=lambda F, g: g, b=lambda F, g: F.neg(g))
rule("mul", "a b", kind="any", a=lambda F, g, b: F.mul(g, b), b=lambda F, g, a: F.mul(g, a))
rule(
    "div", "a b", kind="div",
    a=lambda F, g, b: F.div(g, b),
    b=lambda F, g, a, b: F.neg(F.mul(g, F.div(F.div(a, b), b))),  # not by the result, which may be written in place
)  # fmt: skip
rule(
    "pow", "a b", kind="number",
    # x**0 has slope 0 also at x = 0, and 0**y has slope 0 in y
    a=lambda F, g, a, b: F.mul(g, F.where(F.eq(b, 0), F.zeros_like(a), F.mul(b, F.pow(a, F.sub(b, 1))))),
    b=lambda F, g, a, out: F.mul(g, F.where(F.eq(a, 0), F.zeros_like(out), F.mul(out, F.log(a)))),
)  # fmt: skip
rule("neg", "x", kind="any", x=lambda F, g: F.neg(g))
rule("reciprocal", "x", kind="float", x=lambda F, g, out: F.neg(F.mul(g, F.square(out))))
rule("square", "x", kind="any", x=lambda F, g, x: F.mul(g, F.mul(x, 2)))
rule("sqrt", "x", kind="float", x=lambda F, g, out: F.div(g, F.mul(out, 2)))
rule("rsqrt", "x", kind="float", x=lambda F, g, out: F.mul(F.mul(g, -0.5), F.mul(out, F.square(out))))
rule("abs", "x", kind="number", holomorphic=False, x=lambda F, g, x: F.mul(g, F.sgn(x)))
rule("sign", "x", kind="real", x=lambda F, g: F.zeros_like(g))
rule("sgn", "x", kind="any", holomorphic=False, x=lambda F, g, x, x_dtype, out: _turn(F, g, x, x_dtype, out))
rule("conj", "x", kind="any", public=False, holomorphic=False, x=lambda F, g: F.conj(g))
rule("fmod", "a b", kind="number", a=lambda F, g: g, b=lambda F, g, a, b: F.neg(F.mul(g, F.trunc(F.div(a, b)))))
rule("remainder", "a b", kind="number", a=lambda F, g: g, b=lambda F, g, a, b: F.neg(F.mul(g, F.floor(F.div(a, b)))))
rule(
    "atan2", "a b", kind="float",
    a=lambda F, g, a, b: F.div(F.mul(g, b), _squares(F, a, b)),
    b=lambda F, g, a, b: F.neg(F.div(F.mul(g, a), _squares(F, a, b))),
)  # fmt: skip


def _squares(F, a, b):
    """``a**2 + b**2``, and 1 where that is 0: there the slopes are 0."""
    total = F.add(F.square(a), F.square(b))
    return F.where(F.eq(total, 0), F.add(F.zeros_like(total), 1), total)


# Exponentials and logarithms
rule("exp", "x", kind="float", x=lambda F, g, out: F.mul(g, out))
rule("expm1", "x", kind="float", x=lambda F, g, out: F.mul(g, F.add(out, 1)))
rule("log", "x", kind="float", x=lambda F, g, x: F.div(g, x))
rule("log1p", "x", kind="float", x=lambda F, g, x: F.div(g, F.add(x, 1)))
rule("log2", "x", kind="float", x=lambda F, g, x: F.div(g, F.mul(x, LN2)))
rule("log10", "x", kind="float", x=lambda F, g, x: F.div(g, F.mul(x, LN10)))
rule("erf", "x", kind="float", x=lambda F, g, x: F.mul(g, F.mul(F.exp(F.neg(F.square(x))), TWO_OVER_SQRT_PI)))

# Angles
rule("sin", "x", kind="float", x=lambda F, g, x: F.mul(g, F.cos(x)))
rule("cos", "x", kind="float", x=lambda F, g, x: F.neg(F.mul(g, F.sin(x))))
rule("tan", "x", kind="float", x=lambda F, g, out: F.mul(g, F.add(F.square(out), 1)))
rule("asin", "x", kind="float", x=lambda F, g, x: F.mul(g, F.rsqrt(F.sub(1, F.square(x)))))
rule("acos", "x", kind="float", x=lambda F, g, x: F.neg(F.mul(g, F.rsqrt(F.sub(1, F.square(x))))))
rule("atan", "x", kind="float", x=lambda F, g, x: F.div(g, F.add(F.square(x), 1)))
rule("sinh", "x", kind="float", x=lambda F, g, x: F.mul(g, F.cosh(x)))
rule("cosh", "x", kind="float", x=lambda F, g, x: F.mul(g, F.sinh(x)))
rule("tanh", "x", kind="float", x=lambda F, g, out: F.mul(g, F.sub(1, F.square(out))))
rule("asinh", "x", kind="float", x=lambda F, g, x: F.mul(g, F.rsqrt(F.add(F.square(x), 1))))
rule("acosh", "x", kind="float", x=lambda F, g, x, x_dtype: F.mul(g, _acosh_slope(F, x, x_dtype)))
rule("atanh", "x", kind="float", x=lambda F, g, x: F.div(g, F.sub(1, F.square(x))))

# Activations
rule("sigmoid", "x", kind="float", x=lambda F, g, out: F.mul(g, F.mul(out, F.sub(1, out))))
# The slopes of these change in steps; `overwrite` keeps an edge to where the steps are told from, so that a second
# derivative is zero and not missing.
rule(
    "relu", "x", kind="any", x=lambda F, g, out: F.overwrite(out, F.where(F.le(out, 0), F.zeros_like(g), g))
)  # fmt: skip
rule(
    "leaky_relu", "x", "slope", kind="floating",
    x=lambda F, g, x, slope: F.overwrite(x, F.where(F.gt(x, 0), g, F.mul(g, slope))),
)  # fmt: skip
rule("silu", "x", kind="floating", public=False, x=lambda F, g, x: F.mul(g, _silu_slope(F, x, F.sigmoid(x))))
rule(
    "softplus", "x", "beta threshold", kind="floating",
    x=lambda F, g, x, beta, threshold: F.where(
        F.gt(F.mul(x, beta), threshold), g, F.mul(g, F.sigmoid(F.mul(x, beta)))
    ),
)  # fmt: skip
rule("gelu", "x", kind="floating", public=False, x=lambda F, g, x: F.mul(g, _gelu_slope(F, x)))
rule("gelu_tanh", "x", kind="floating", public=False, x=lambda F, g, x: F.mul(g, _gelu_tanh_slope(F, x)))


# Activations in pieces. Which piece counts at a kink, and what comes of a NaN, is as in PyTorch's vector code.
rule(
    "elu", "x", "alpha inner scale", kind="floating", public=False,
    x=lambda F, g, x, alpha, inner, scale: F.where(
        F.gt(x, 0), F.mul(g, scale), F.mul(g, F.mul(F.exp(F.mul(_below(F, x), inner)), alpha * inner))
    ),
)  # fmt: skip
rule(
    "hardtanh", "x", "low high", kind="floating", public=False,
    x=lambda F, g, x, low, high: _inside(F, g, x, F.logical_and(F.gt(x, low), F.lt(x, high))),
)  # fmt: skip
rule(
    "hardsigmoid", "x", kind="floating", public=False,
    x=lambda F, g, x: _inside(F, F.mul(g, 1 / 6), x, F.logical_and(F.gt(x, -3), F.lt(x, 3))),
)  # fmt: skip
rule(
    "hardswish", "x", kind="floating", public=False,
    x=lambda F, g, x: F.where(
        F.le(x, -3), F.zeros_like(g), F.where(F.ge(x, 3), g, F.mul(g, F.add(F.mul(x, 1 / 3), 0.5)))
    ),
)  # fmt: skip
rule("mish", "x", kind="floating", public=False, x=lambda F, g, x: F.mul(g, _mish_slope(F, x)))
rule("logsigmoid", "x", kind="floating", public=False, x=lambda F, g, x: F.mul(g, F.sigmoid(F.neg(x))))
rule(
    "threshold", "x", "bound value", kind="floating", public=False,
    x=lambda F, g, x, bound: F.overwrite(x, F.where(F.le(x, bound), F.zeros_like(g), g)),
)  # fmt: skip
for name in ("hardshrink", "softshrink"):
    rule(
        name, "x", "bound", kind="floating", public=False,
        x=lambda F, g, x, bound: _inside(F, g, x, F.logical_or(F.lt(x, -bound), F.gt(x, bound))),
    )  # fmt: skip


def _below(F, x):
    """``x`` up to 0, and 0 above: no overflow where it does not count."""
    return F.where(F.ge(x, 0), F.zeros_like(x), x)


def _inside(F, g, x, steep):
    """The cotangent where ``steep`` holds, and 0 elsewhere."""
    return F.overwrite(x, F.where(steep, g, F.zeros_like(g)))


def _mish_slope(F, x):
    """``t + x sigmoid(x) (1 - t**2)`` with ``t = tanh(log(1 + exp(x)))`` (Misra, 2019)."""
    t = F.tanh(F.softplus(x, 1.0, 20.0))
    bend = F.mul(F.mul(x, F.sigmoid(x)), F.sub(1, F.square(t)))
    return F.add(t, F.where(F.gt(x, 20), F.zeros_like(x), bend))  # there t is 1, also where x is infinite


def _turn(F, g, x, dtype, out):
    """The part of g across the direction x / abs(x), over abs(x): what turns it. A real number cannot turn."""
    if dtype.kind != "c":
        return F.zeros_like(g)
    size, along = F.abs(x), F.mul(F.add(F.mul(g, F.conj(out)), F.mul(F.conj(g), out)), F.mul(out, 0.5))
    zero = F.eq(size, 0)
    return F.where(zero, F.zeros_like(g), F.div(F.sub(g, along), F.where(zero, F.add(F.zeros_like(size), 1), size)))


def _acosh_slope(F, x, dtype):
    if dtype.kind == "c":  # two roots: that of the product lies on another branch
        return F.mul(F.rsqrt(F.add(x, 1)), F.rsqrt(F.sub(x, 1)))
    return F.rsqrt(F.sub(F.square(x), 1))


def _silu_slope(F, x, s):
    return F.mul(s, F.add(F.mul(x, F.sub(1, s)), 1))


def _gelu_slope(F, x):
    """Phi(x) + x phi(x), of the normal distribution (Hendrycks and Gimpel, 2016)."""
    cdf = F.mul(F.add(F.erf(F.mul(x, SQRT_HALF)), 1), 0.5)
    return F.add(cdf, F.mul(x, F.mul(F.exp(F.mul(F.square(x), -0.5)), INV_SQRT_2PI)))


def _gelu_tanh_slope(F, x):
    square = F.square(x)
    t = F.tanh(F.mul(F.mul(x, SQRT_2_OVER_PI), F.add(F.mul(square, 0.044715), 1)))
    inner = F.mul(F.add(F.mul(square, 3 * 0.044715), 1), SQRT_2_OVER_PI)
    return F.add(F.mul(F.add(t, 1), 0.5), F.mul(F.mul(F.mul(x, 0.5), F.sub(1, F.square(t))), inner))


# Choices. At a tie of maximum and minimum each side gets half; beside a NaN each gets all.
rule(
    "maximum", "a b", kind="real",
    a=lambda F, g, a, b: F.where(F.lt(a, b), F.zeros_like(g), F.where(F.eq(a, b), F.mul(g, 0.5), g)),
    b=lambda F, g, a, b: F.where(F.lt(b, a), F.zeros_like(g), F.where(F.eq(a, b), F.mul(g, 0.5), g)),
)  # fmt: skip
rule(
    "minimum", "a b", kind="real",
    a=lambda F, g, a, b: F.where(F.gt(a, b), F.zeros_like(g), F.where(F.eq(a, b), F.mul(g, 0.5), g)),
    b=lambda F, g, a, b: F.where(F.gt(b, a), F.zeros_like(g), F.where(F.eq(a, b), F.mul(g, 0.5), g)),
)  # fmt: skip
rule(
    "clamp", "x", "low high", kind="any",
    x=lambda F, g, x, low, high: _within(F, g, x, low, high),
)  # fmt: skip
rule(
    "where", "condition a b", kind="where", public=False,
    a=lambda F, g, condition: F.where(condition, g, F.zeros_like(g)),
    b=lambda F, g, condition: F.where(condition, F.zeros_like(g), g),
)  # fmt: skip


def _within(F, g, x, low, high):
    """The cotangent where x lies within the bounds, edges included, as PyTorch has it."""
    if low is not None:
        g = F.where(F.ge(x, low), g, F.zeros_like(g))
    if high is not None:
        g = F.where(F.le(x, high), g, F.zeros_like(g))
    return g


# Steps: the slope is zero, which is a gradient, not the lack of one.
for name in ("floor", "ceil", "trunc", "round"):
    rule(name, "x", kind="rounded", x=lambda F, g: F.zeros_like(g))

rule("floor_divide", "a b", kind="number", a=lambda F, g: F.zeros_like(g), b=lambda F, g: F.zeros_like(g))

# No derivative
for name in ("eq", "ne", "logical_and", "logical_or", "logical_xor"):
    nondiff(name, "a b", kind="any")
for name in ("lt", "le", "gt", "ge"):
    nondiff(name, "a b", kind="real")
for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    nondiff(name, "a b", kind="bits")
for name in ("logical_not", "bitwise_not", "isnan", "isinf", "isfinite"):
    nondiff(name, "x", kind="any")
nondiff("zeros_like", "x")

# The same values in another type, place or memory
rule("cast", "x", "dtype", holomorphic=False, x=lambda F, g, x_dtype: F.cast(g, x_dtype))
rule("copy", "x", x=lambda F, g: g)
rule(
    "transfer", "x", "source target non_blocking",
    x=lambda F, g, source, target: F.transfer(g, target, source, False),
)  # fmt: skip
# The new content in place of the old: nothing flows to the old, but the edge stays, as in PyTorch.
rule("overwrite", "x value", kind="any", public=False, x=lambda F, g: F.zeros_like(g), value=lambda F, g: g)
