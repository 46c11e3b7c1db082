"""inf and nan are results: no operation warns of them, not even where Python makes errors of warnings."""

import warnings

import pytest

import tapegrad as tg

LINES = """
x / 0 | x.log() | x.sqrt() | x.rsqrt() | x.reciprocal() | x.exp() | x.acos() | x.atanh() | x.log1p() | x * x | x - x
x**-1 | x % 0 | x // 0 | x.cumprod(0) | x.cumsum(0) | x.logsumexp(0) | x.softmax(0) | x.var() | x.std() | x.norm()
x @ x | x.prod() | x.tan() | x.lgamma() | tg.fmod(x, 0) | tg.hypot(x, x) | tg.logaddexp(x, x) | tg.xlogy(x, x)
tg.clamp(x, -1, 1) | x.double() | x.half() | tg.fft.fft(x).abs()
"""


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("line", [e.strip() for row in LINES.strip().splitlines() for e in row.split(" | ")])
def test_no_warning(line, backend):
    with tg.backends.use(backend), warnings.catch_warnings():
        warnings.simplefilter("error")
        x = tg.tensor([0.0, -1.0, float("inf"), -float("inf"), float("nan"), 1e30, 1e-40], requires_grad=True)
        out = eval(line, {"tg": tg, "x": x})
        out.sum().backward()
        assert x.grad.shape == x.shape
        y = tg.tensor([0.0, -1.0], requires_grad=True)
        tg.autograd.grad(eval(line, {"tg": tg, "x": y}).sum(), y, create_graph=True)
