"""Element-wise primitives. Plain ufuncs are bound without a wrapper; the rest are composed from them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .narrow import in_float32

__all__ = ["UFUNCS", "MathMixin"]

# primitive -> the array module's ufunc that is exactly it
UFUNCS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "div": "true_divide", "maximum": "maximum",
    "minimum": "minimum", "fmod": "fmod", "remainder": "remainder", "floor_divide": "floor_divide", "atan2": "arctan2",
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "logical_and": "logical_and", "logical_or": "logical_or", "logical_xor": "logical_xor",
    "logical_not": "logical_not", "bitwise_and": "bitwise_and", "bitwise_or": "bitwise_or",
    "bitwise_xor": "bitwise_xor", "bitwise_not": "invert", "isnan": "isnan", "isinf": "isinf", "isfinite": "isfinite",
    "neg": "negative", "conj": "conjugate", "abs": "absolute", "square": "square", "sqrt": "sqrt",
    "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "log2": "log2", "log10": "log10",
    "sin": "sin", "cos": "cos", "tan": "tan", "asin": "arcsin", "acos": "arccos", "atan": "arctan",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
    "floor": "floor", "ceil": "ceil", "trunc": "trunc", "round": "rint",
    "hypot": "hypot", "logaddexp": "logaddexp", "copysign": "copysign", "nextafter": "nextafter", "signbit": "signbit",
}  # fmt: skip

SQRT_HALF = math.sqrt(0.5)
INV_SQRT_2PI = 1 / math.sqrt(2 * math.pi)
SQRT_2_OVER_PI = math.sqrt(2 / math.pi)


class MathMixin:
    """Element-wise primitives over ``self.xp``."""

    xp: Any
    erf: Any  # no array module has it under one name: each backend brings its own

    def bind_ufuncs(self) -> None:
        """Hang the array module's ufuncs into the table, except where a subclass has a kernel of its own."""
        for name, ufunc in UFUNCS.items():
            if not hasattr(type(self), name):
                setattr(self, name, getattr(self.xp, ufunc))

    def pow(self, a: Any, b: Any) -> Any:
        try:
            return self.xp.power(a, b)
        except ValueError as error:
            if "negative integer powers" not in str(error):
                raise
            return self._negative_power(a, b)

    def _negative_power(self, a: Any, b: Any) -> Any:
        """Powers of integers, some of them negative: 1/a**-b rounded toward zero, and 0 for a = 0."""
        xp = self.xp
        inverse = xp.where(a == 1, 1, xp.where(a == -1, 1 - 2 * (b & 1), 0))
        return xp.where(b < 0, inverse, xp.power(a, xp.maximum(b, 0))).astype(a.dtype)

    @in_float32
    def reciprocal(self, x: Any) -> Any:
        return 1 / x

    @in_float32
    def rsqrt(self, x: Any) -> Any:
        return 1 / self.xp.sqrt(x)

    @in_float32
    def sigmoid(self, x: Any) -> Any:
        if x.dtype.kind == "c":
            return 1 / (1 + self.xp.exp(-x))
        tail = self.xp.exp(-self.xp.abs(x))  # exp(-x) itself would overflow for very negative x
        return self.xp.where(x >= 0, 1 / (1 + tail), tail / (1 + tail))

    @in_float32
    def sigmoid_vjp(self, g: Any, out: Any) -> Any:
        return g * (out * (1 - out))

    @in_float32
    def tanh_vjp(self, g: Any, out: Any) -> Any:
        return g * (1 - out * out)

    def sign(self, x: Any) -> Any:
        """-1, 0 or 1; 0 of NaN, as in PyTorch."""
        out = self.xp.sign(x)
        return out if x.dtype.kind in "biu" else self.xp.where(x == x, out, out.dtype.type(0))

    def sgn(self, x: Any) -> Any:
        """The direction: of a real number its sign, of a complex one x / abs(x), and 0 of 0."""
        xp = self.xp
        if x.dtype.kind != "c":
            return self.sign(x)
        size = xp.abs(x)
        return x / xp.where(size == 0, size.dtype.type(1), size)

    def relu(self, x: Any) -> Any:
        _refuse(x, "bc")
        return self.xp.maximum(x, 0)

    def relu_vjp(self, g: Any, out: Any) -> Any:
        return self.xp.where(out <= 0, g.dtype.type(0), g)

    @in_float32
    def leaky_relu(self, x: Any, slope: float) -> Any:
        return self.xp.where(x > 0, x, x * slope)

    @in_float32
    def silu(self, x: Any) -> Any:
        return x * self.sigmoid(x)

    @in_float32
    def softplus(self, x: Any, beta: float, threshold: float) -> Any:
        xp, scaled = self.xp, x * beta
        smooth = (xp.maximum(scaled, 0) + xp.log1p(xp.exp(-xp.abs(scaled)))) / beta
        return xp.where(scaled > threshold, x, smooth)

    @in_float32
    def gelu(self, x: Any) -> Any:
        return x * (0.5 * (1 + self.erf(x * SQRT_HALF)))

    @in_float32
    def gelu_tanh(self, x: Any) -> Any:
        return x * (0.5 * (1 + self.xp.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x * x * x))))

    @in_float32  # whose range the cube of a float16 leaves
    def gelu_tanh_vjp(self, g: Any, x: Any) -> Any:
        square = x * x
        t = self.xp.tanh(SQRT_2_OVER_PI * x * (1 + 0.044715 * square))
        inner = SQRT_2_OVER_PI * (1 + 3 * 0.044715 * square)
        return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner)

    # Activations in pieces: beside a NaN none of the comparisons holds, and the last choice gives it on.

    @in_float32
    def elu(self, x: Any, alpha: float, inner: float, scale: float) -> Any:
        """``scale * x`` above 0, ``alpha * (exp(inner * x) - 1)`` up to it."""
        below = self.xp.minimum(x, 0)  # no overflow where it does not count
        return self.xp.where(x > 0, x * scale, self.xp.expm1(below * inner) * alpha)

    @in_float32
    def hardtanh(self, x: Any, low: float, high: float) -> Any:
        return self.xp.clip(x, low, high)

    @in_float32
    def hardsigmoid(self, x: Any) -> Any:
        return self.xp.clip(x + 3, 0, 6) * (1 / 6)

    @in_float32
    def hardswish(self, x: Any) -> Any:
        xp = self.xp
        inside = x * ((x + 3) * (1 / 6))
        return xp.where(x <= -3, x.dtype.type(0), xp.where(x < 3, inside, x))

    @in_float32
    def mish(self, x: Any) -> Any:
        e = self.xp.exp(self.xp.minimum(x, 20))  # beyond, tanh(log(1 + exp(x))) is 1
        n = e * (e + 2)
        return x * (n / (n + 2))

    @in_float32
    def logsigmoid(self, x: Any) -> Any:
        xp = self.xp
        return xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.abs(x)))

    @in_float32
    def threshold(self, x: Any, bound: float, value: float) -> Any:
        return self.xp.where(x <= bound, x.dtype.type(value), x)

    @in_float32
    def hardshrink(self, x: Any, bound: float) -> Any:
        return self.xp.where((x >= -bound) & (x <= bound), x.dtype.type(0), x)

    @in_float32
    def softshrink(self, x: Any, bound: float) -> Any:
        xp = self.xp
        return xp.where(x > bound, x - bound, xp.where(x < -bound, x + bound, x * 0))

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        return self.xp.where(condition, a, b)

    @in_float32
    def clamp(self, x: Any, low: float | None, high: float | None) -> Any:
        _refuse(x, "bc")
        return self.xp.clip(x, low, high)

    def cast(self, x: Any, dtype: np.dtype) -> Any:
        if x.dtype.kind == "c" and dtype.kind not in "cb":
            x = x.real
        return x.astype(dtype, "C") if 0 in x.strides else x.astype(dtype)

    def copy(self, x: Any) -> Any:
        return x.copy()

    def overwrite(self, x: Any, value: Any) -> Any:
        """``value`` in the shape of ``x``."""
        return self.xp.broadcast_to(value, x.shape).copy()

    def zeros_like(self, x: Any) -> Any:
        return self.xp.zeros(x.shape, x.dtype)


def _refuse(x: Any, kinds: str) -> None:
    if x.dtype.kind in kinds:
        raise TypeError(f"not defined for {x.dtype}")
