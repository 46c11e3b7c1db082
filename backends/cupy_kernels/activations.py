"""Element-wise kernels: activations, their derivatives, and arithmetic in which CuPy differs from NumPy.

``A`` is the type to compute in. A literal must be written ``A(0.5)``: a bare ``0.5`` would pull float64 into a float32
kernel.
"""

from __future__ import annotations

from typing import Any

from .declare import Kernels, elementwise

__all__ = ["ElementwiseKernels"]

# Steps: T itself, so that they serve integers too; a nan goes through.
elementwise("relu", "T x", "T y", "y = x > T(0) || x != x ? x : T(0)")
elementwise("relu_vjp", "T g, T out", "T y", "y = out <= T(0) ? T(0) : g")
elementwise("leaky_relu", "T x, T slope", "T y", "const A v = x; y = v > A(0) ? v : v * A(slope)")
elementwise("leaky_relu_vjp", "T g, T x, T slope", "T y", "const A c = g; y = A(x) > A(0) ? c : c * A(slope)")

# exp only ever sees what is not positive, so that it cannot overflow
SIGMOID = "const A tail = exp(-fabs(u)); const A s = (u >= A(0) ? A(1) : tail) / (A(1) + tail); "
elementwise("sigmoid", "T x", "T y", "const A u = x; " + SIGMOID + "y = s")
elementwise("sigmoid_vjp", "T g, T out", "T y", "const A o = out; y = A(g) * (o * (A(1) - o))")
elementwise("tanh_vjp", "T g, T out", "T y", "const A o = out; y = A(g) * (A(1) - o * o)")
elementwise("silu", "T x", "T y", "const A u = x; " + SIGMOID + "y = u * s")
elementwise(
    "silu_vjp", "T g, T x", "T y",
    "const A u = x; " + SIGMOID + "y = A(g) * (s * (A(1) + u * (A(1) - s)))",
)  # fmt: skip
elementwise(
    "softplus", "T x, T beta, T threshold", "T y",
    "const A v = x; const A u = v * A(beta);"
    "y = u > A(threshold) ? v : ((u > A(0) ? u : A(0)) + log1p(exp(-fabs(u)))) / A(beta)",
)  # fmt: skip
elementwise(
    "softplus_vjp", "T g, T x, T beta, T threshold", "T y",
    "const A u = A(x) * A(beta); " + SIGMOID + "y = u > A(threshold) ? A(g) : A(g) * s",
)  # fmt: skip

# x Phi(x) by erfc, which keeps its digits where 1 + erf(x) cancels
elementwise("gelu", "T x", "T y", "const A v = x; y = v * (A(0.5) * erfc(v * A(-0.70710678118654752)))")
elementwise(
    "gelu_vjp", "T g, T x", "T y",
    "const A v = x;"
    "const A cdf = A(0.5) * erfc(v * A(-0.70710678118654752));"
    "y = A(g) * (cdf + v * (exp(v * v * A(-0.5)) * A(0.39894228040143268)))",
)  # fmt: skip

# 0.5 (1 + tanh(w)) is sigmoid(2 w)
GELU_TANH = "const A v = x; const A u = A(1.5957691216057308) * (v + A(0.044715) * v * v * v); " + SIGMOID
elementwise("gelu_tanh", "T x", "T y", GELU_TANH + "y = v * s")
elementwise(
    "gelu_tanh_vjp", "T g, T x", "T y",
    GELU_TANH + "y = A(g) * (s + v * (s * (A(1) - s)) * (A(1.5957691216057308) * (A(1) + A(0.134145) * v * v)))",
)  # fmt: skip

# In pieces; a nan fails every comparison
elementwise(
    "elu", "T x, T alpha, T inner, T scale", "T y",
    "const A v = x; y = v > A(0) ? v * A(scale) : expm1(v * A(inner)) * A(alpha)",
)  # fmt: skip
elementwise(
    "elu_vjp", "T g, T x, T alpha, T inner, T scale", "T y",
    "const A v = x, c = g; y = v > A(0) ? c * A(scale) : c * (exp(v * A(inner)) * (A(alpha) * A(inner)))",
)  # fmt: skip
elementwise(
    "hardtanh", "T x, T low, T high", "T y",
    "const A v = x; y = v < A(low) ? A(low) : v > A(high) ? A(high) : v",
)  # fmt: skip
elementwise(
    "hardtanh_vjp", "T g, T x, T low, T high", "T y",
    "const A v = x; y = v > A(low) && v < A(high) ? A(g) : A(0)",
)  # fmt: skip
elementwise(
    "hardsigmoid", "T x", "T y",
    "const A u = A(x) + A(3); y = (u < A(0) ? A(0) : u > A(6) ? A(6) : u) * A(0.16666666666666667)",
)  # fmt: skip
elementwise(
    "hardsigmoid_vjp", "T g, T x", "T y",
    "const A v = x; y = v > A(-3) && v < A(3) ? A(g) * A(0.16666666666666667) : A(0)",
)  # fmt: skip
elementwise(
    "hardswish", "T x", "T y",
    "const A v = x; y = v <= A(-3) ? A(0) : v < A(3) ? v * ((v + A(3)) * A(0.16666666666666667)) : v",
)  # fmt: skip
elementwise(
    "hardswish_vjp", "T g, T x", "T y",
    "const A v = x, c = g;"
    "y = v <= A(-3) ? A(0) : v >= A(3) ? c : c * (v * A(0.33333333333333333) + A(0.5))",
)  # fmt: skip
# tanh(log(1 + exp(x))) is n / (n + 2), and 1 beyond 20
elementwise(
    "mish", "T x", "T y",
    "const A v = x; const A e = exp(v > A(20) ? A(20) : v); const A n = e * (e + A(2)); y = v * (n / (n + A(2)))",
)  # fmt: skip
elementwise(
    "mish_vjp", "T g, T x", "T y",
    "const A v = x; const A e = exp(v > A(20) ? A(20) : v); const A n = e * (e + A(2)), d = n + A(2);"
    "const A bend = A(4) * e * (A(1) + e) / (d * d);"
    "y = A(g) * (n / d + (v < A(20) ? v * bend : bend))",
)  # fmt: skip
elementwise(
    "logsigmoid", "T x", "T y",
    "const A v = x; y = (v > A(0) ? A(0) : v) - log1p(exp(-fabs(v)))",
)  # fmt: skip
elementwise("logsigmoid_vjp", "T g, T x", "T y", "const A u = -A(x); " + SIGMOID + "y = A(g) * s")
elementwise(
    "threshold", "T x, T bound, T value", "T y", "const A v = x; y = v <= A(bound) ? A(value) : v"
)  # fmt: skip
elementwise("threshold_vjp", "T g, T x, T bound", "T y", "y = A(x) <= A(bound) ? A(0) : A(g)")
elementwise(
    "hardshrink", "T x, T bound", "T y",
    "const A v = x; y = v >= -A(bound) && v <= A(bound) ? A(0) : v",
)  # fmt: skip
elementwise(
    "hardshrink_vjp", "T g, T x, T bound", "T y",
    "const A v = x; y = v < -A(bound) || v > A(bound) ? A(g) : A(0)",
)  # fmt: skip
elementwise(
    "softshrink", "T x, T bound", "T y",
    "const A v = x; y = v > A(bound) ? v - A(bound) : v < -A(bound) ? v + A(bound) : v * A(0)",
)  # fmt: skip

elementwise("erf", "T x", "T y", "y = erf(A(x))")

# Division that rounds down. CuPy's own is floor(a / b): off by one where a / b rounds up to an integer, nan at inf.
elementwise(
    "remainder", "T a, T b", "T y",
    "const A d = b; A m = fmod(A(a), d);"
    "if (m == A(0)) m = copysign(A(0), d); else if ((d < A(0)) != (m < A(0))) m += d;"
    "y = m",
)  # fmt: skip
elementwise(
    "floor_divide", "T a, T b", "T y",
    "const A n = a, d = b; const A m = fmod(n, d); A q = (n - m) / d;"
    "if (m != A(0) && (d < A(0)) != (m < A(0))) q -= A(1);"
    "A f = floor(q); if (q - f > A(0.5)) f += A(1);"
    "y = d == A(0) ? n / d : q == A(0) ? copysign(A(0), n / d) : f",
)  # fmt: skip

# CuPy's `where` knows every type but bfloat16.
elementwise("select", "bool c, T a, T b", "T y", "y = c ? a : b")


def _floating(x: Any) -> bool:
    """Whether an array has a real floating type; bfloat16 counts as kind V."""
    return x.dtype.kind in "fV"


class ElementwiseKernels:
    """The primitives that have an element-wise kernel: for real floating types, else CuPy's own way."""

    k: Kernels
    xp: Any

    def relu(self, x: Any) -> Any:
        return self.k.relu(x) if x.dtype.kind not in "bc" else super().relu(x)  # type: ignore[misc]

    def relu_vjp(self, g: Any, out: Any) -> Any:
        return self.k.relu_vjp(g, out)

    def leaky_relu(self, x: Any, slope: float) -> Any:
        return self.k.leaky_relu(x, slope) if _floating(x) else super().leaky_relu(x, slope)  # type: ignore[misc]

    def leaky_relu_vjp(self, g: Any, x: Any, slope: float) -> Any:
        return self.k.leaky_relu_vjp(g, x, slope)

    def sigmoid(self, x: Any) -> Any:
        return self.k.sigmoid(x) if _floating(x) else super().sigmoid(x)  # type: ignore[misc]

    def sigmoid_vjp(self, g: Any, out: Any) -> Any:
        return self.k.sigmoid_vjp(g, out) if _floating(out) else super().sigmoid_vjp(g, out)  # type: ignore[misc]

    def tanh_vjp(self, g: Any, out: Any) -> Any:
        return self.k.tanh_vjp(g, out) if _floating(out) else super().tanh_vjp(g, out)  # type: ignore[misc]

    def silu(self, x: Any) -> Any:
        return self.k.silu(x) if _floating(x) else super().silu(x)  # type: ignore[misc]

    def silu_vjp(self, g: Any, x: Any) -> Any:
        if _floating(x):
            return self.k.silu_vjp(g, x)
        s = self.sigmoid(x)
        return g * (s * (1 + x * (1 - s)))

    def softplus(self, x: Any, beta: float, threshold: float) -> Any:
        return self.k.softplus(x, beta, threshold)

    def softplus_vjp(self, g: Any, x: Any, beta: float, threshold: float) -> Any:
        return self.k.softplus_vjp(g, x, beta, threshold)

    def gelu(self, x: Any) -> Any:
        return self.k.gelu(x)

    def gelu_vjp(self, g: Any, x: Any) -> Any:
        return self.k.gelu_vjp(g, x)

    def gelu_tanh(self, x: Any) -> Any:
        return self.k.gelu_tanh(x)

    def gelu_tanh_vjp(self, g: Any, x: Any) -> Any:
        return self.k.gelu_tanh_vjp(g, x)

    def elu(self, x: Any, alpha: float, inner: float, scale: float) -> Any:
        return self.k.elu(x, alpha, inner, scale)

    def elu_vjp(self, g: Any, x: Any, alpha: float, inner: float, scale: float) -> Any:
        return self.k.elu_vjp(g, x, alpha, inner, scale)

    def hardtanh(self, x: Any, low: float, high: float) -> Any:
        return self.k.hardtanh(x, low, high)

    def hardtanh_vjp(self, g: Any, x: Any, low: float, high: float) -> Any:
        return self.k.hardtanh_vjp(g, x, low, high)

    def hardsigmoid(self, x: Any) -> Any:
        return self.k.hardsigmoid(x)

    def hardsigmoid_vjp(self, g: Any, x: Any) -> Any:
        return self.k.hardsigmoid_vjp(g, x)

    def hardswish(self, x: Any) -> Any:
        return self.k.hardswish(x)

    def hardswish_vjp(self, g: Any, x: Any) -> Any:
        return self.k.hardswish_vjp(g, x)

    def mish(self, x: Any) -> Any:
        return self.k.mish(x)

    def mish_vjp(self, g: Any, x: Any) -> Any:
        return self.k.mish_vjp(g, x)

    def logsigmoid(self, x: Any) -> Any:
        return self.k.logsigmoid(x)

    def logsigmoid_vjp(self, g: Any, x: Any) -> Any:
        return self.k.logsigmoid_vjp(g, x)

    def threshold(self, x: Any, bound: float, value: float) -> Any:
        return self.k.threshold(x, bound, value)

    def threshold_vjp(self, g: Any, x: Any, bound: float) -> Any:
        return self.k.threshold_vjp(g, x, bound)

    def hardshrink(self, x: Any, bound: float) -> Any:
        return self.k.hardshrink(x, bound)

    def hardshrink_vjp(self, g: Any, x: Any, bound: float) -> Any:
        return self.k.hardshrink_vjp(g, x, bound)

    def softshrink(self, x: Any, bound: float) -> Any:
        return self.k.softshrink(x, bound)

    def softshrink_vjp(self, g: Any, x: Any, bound: float) -> Any:
        return self.k.hardshrink_vjp(g, x, bound)

    def erf(self, x: Any) -> Any:
        return self.k.erf(x)

    def remainder(self, a: Any, b: Any) -> Any:
        return self.k.remainder(a, b) if _floating(a) else self.xp.remainder(a, b)

    def floor_divide(self, a: Any, b: Any) -> Any:
        return self.k.floor_divide(a, b) if _floating(a) else self.xp.floor_divide(a, b)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        return self.k.select(condition, a, b) if a.dtype.kind == "V" else self.xp.where(condition, a, b)
