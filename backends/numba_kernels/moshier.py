"""The logarithm, sine and cosine that PyTorch's normal numbers are made of, as polynomials in float32.

They are those of S. L. Moshier's Cephes library (https://www.netlib.org/cephes/) in single precision; the angle is
reduced to an octant by a quarter of pi in three parts. Which sums are rounded once together with their product decides
the last bit: here it is those that PyTorch's builds for x86-64 processors with AVX2 round once.
"""

__all__ = ["COSINE", "LN2", "LOGARITHM", "OCTANTS", "QUARTER_PI", "ROOT_HALF", "SINE", "TWO_PI"]

# The lowest power first.
LOGARITHM = (
    3.3333331174e-1, -2.4999993993e-1, 2.0000714765e-1, -1.6668057665e-1, 1.4249322787e-1, -1.2420140846e-1,
    1.1676998740e-1, -1.1514610310e-1, 7.0376836292e-2,
)  # fmt: skip
SINE = (-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4)
COSINE = (4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5)

LN2 = (0.693359375, -2.12194440e-4)  # a short part, by which products are exact, and the rest
QUARTER_PI = (0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)
OCTANTS = 1.27323954473516  # in a full turn of 2 pi there are 8
ROOT_HALF = 0.707106781186547524
TWO_PI = 6.283185307179586
