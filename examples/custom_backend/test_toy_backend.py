"""The toy backend: the conformance suite, and what is its own."""

import tapegrad as tg
from tapegrad.testing import assert_close, backend_conformance

TestToy = backend_conformance("toy")


def test_it_counts_the_calls_of_its_kernels():
    toy = tg.backends.get("toy")
    with tg.backends.use("toy"):
        toy.calls.clear()
        y = (tg.ones(3) * 2).exp().exp()
    assert str(y.device) == "toy:0"
    assert (toy.calls["mul"], toy.calls["exp"]) == (1, 2)


def test_it_adds_up_in_float64():
    x = tg.ones(4096, dtype=tg.float32, device="toy")
    x[1:] = 2.0**-24  # each too small to move 1 in float32
    assert_close(x.cumsum(0)[-1].item(), 1 + 4095 * 2.0**-24, rtol=1e-7, atol=0.0)
