"""Faults planted on purpose: each must be caught by the gate that is there for it."""

import re
from dataclasses import replace

import numpy as np
import pytest

from tapegrad import backends
from tapegrad.backends.cupy_kernels.declare import DECLARED
from tapegrad.testing.conformance import SAMPLES
from tapegrad.testing.conformance.values import check_values

from . import host, nvrtc, sanitize, strict
from .strict_backend import BUILDER, StrictBackend, registered
from .test_blocks import launches, run_linear, run_softmax, run_xent
from .test_elementwise import check
from .test_strict import train_a_step

needs_host = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))
needs_nvrtc = pytest.mark.skipif(nvrtc.why_not() is not None, reason=str(nvrtc.why_not()))


def changed(text, old, new, count=1):
    assert old in text
    return text.replace(old, new, count)


# A wrong constant: the host run against NumPy


@needs_host
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("gelu", "0.70710678", "0.70810678"),
        ("gelu_tanh", "0.044715", "0.044515"),
        ("gelu_vjp", "0.39894228", "0.39994228"),
    ],
)
def test_a_wrong_constant_is_caught(name, old, new):
    kernel = DECLARED[name]
    bad = replace(kernel, body=changed(kernel.body, old, new))
    check(host.elementwise_library([kernel], f"good-{name}.so"), kernel, "float32")
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check(host.elementwise_library([bad], f"bad-{name}.so"), bad, "float32")


# A missing barrier: ThreadSanitizer, whether or not the result is right


def without_barrier(family, function, number):
    """A family whose function ``function`` lacks its barrier ``number``."""
    start = family.source.index(function + "(")
    places = [m.start() for m in re.finditer(r"__syncthreads\(\);", family.source[start:])]
    at = start + places[number]
    return replace(family, source=family.source[:at] + family.source[at + len("__syncthreads();") :])


@pytest.mark.skipif(sanitize.why_not("thread") is not None, reason=str(sanitize.why_not("thread")))
@pytest.mark.parametrize(
    ("kernel", "function", "number", "run", "size"),
    [
        ("xent_mean", "block_sum", 0, run_xent, (70, 3)), ("softmax_rows", "block_sum", 1, run_softmax, (2, 70)),
        ("softmax_rows", "block_largest", 1, run_softmax, (2, 70)),
        ("linear_back", "linear_back", 0, run_linear, (20, 2, 5)),
    ],
)  # fmt: skip
def test_a_missing_barrier_is_caught(kernel, function, number, run, size):
    backend = backends.device_of("strict:0").backend
    family = DECLARED[kernel]
    bad = without_barrier(family, function, number)
    program = sanitize.program((bad,), "thread", f"no-barrier-{kernel}-{function}-{number}")
    chosen = [launch for launch in launches(backend, run, size) if launch[1] == kernel]
    # several times: which threads run at once is not for us to say
    said = (sanitize.run(program, (bad, *launch[1:]))[1] for launch in 5 * chosen)
    assert any("data race" in text for text in said)


@needs_host
def test_a_barrier_that_some_threads_never_reach_is_caught():
    family = DECLARED["softmax_rows"]
    bad = replace(
        family,
        source=changed(
            family.source, "  top = block_largest(top);", "  if (threadIdx.x < 7) top = block_largest(top);"
        ),
    )
    library = host.block_library([bad], "divergent.so")
    x = np.ones((1, 5), np.float32)
    with pytest.raises(AssertionError, match="not every thread reaches each barrier"):
        host.run_block(
            library, bad, "softmax_rows", np.float32, (1,), (64,), (x, x.copy(), np.int32(5), np.bool_(False))
        )


# A double literal: float64 instructions in the PTX


@needs_nvrtc
@pytest.mark.parametrize(("name", "old", "new"), [("gelu", "A(0.5)", "0.5"), ("sigmoid", "A(1)", "1.0")])
def test_a_double_literal_is_caught(name, old, new):
    kernel = DECLARED[name]
    bad = replace(kernel, body=changed(kernel.body, old, new))
    for declared, expected in ((kernel, False), (bad, True)):
        found = nvrtc.float64_instructions(
            nvrtc.compile_text(nvrtc.elementwise_text(declared, np.float32), "compute_90")
        )
        assert bool(found) == expected, found[:3]


@needs_nvrtc
def test_a_double_literal_in_a_block_kernel_is_caught():
    family = DECLARED["mse_parts"]
    bad = replace(family, source=changed(family.source, "total += d * d;", "total += 1.5 * d * d;"))
    text = nvrtc.source_for(bad, np.float32)
    assert nvrtc.float64_instructions(nvrtc.compile_text(text, "compute_90"))


# Access to the host


class Reaching(StrictBackend):
    """A backend whose sigmoid fetches its input to the host unasked."""

    name = device_type = "reaching"

    def sigmoid(self, x):
        return self.xp.asarray(1 / (1 + np.exp(-np.asarray(x))))


class Waiting(StrictBackend):
    """A backend whose loss waits for the card, with CuPy's leave."""

    name = device_type = "waiting"

    def softmax_xent(self, x, target, ignore):
        if int((target < 0).sum()):
            raise IndexError("negative")
        return super().softmax_xent(x, target, ignore)


@needs_host
def test_access_to_the_host_is_caught():
    with registered(Reaching):
        for sample in SAMPLES["sigmoid"][:3]:
            check_values("sigmoid", "strict", "float32", sample)
            with pytest.raises(TypeError, match=r"sigmoid\(.*Implicit conversion") as caught:
                check_values("sigmoid", "reaching", "float32", sample)
            assert "Implicit conversion to a NumPy array is not allowed" in str(caught.value.__cause__)


@needs_host
def test_a_wait_for_the_card_is_caught():
    assert train_a_step("strict")[0] == 0
    with registered(Waiting):
        assert train_a_step("waiting")[0] > 0


@needs_host
def test_a_wrong_type_in_a_launch_is_caught():
    x = strict.made(np.ones((2, 3), np.float32))
    with pytest.raises(AssertionError, match=r"softmax_rows: .* for int"):
        BUILDER.block(DECLARED["softmax_rows"], "softmax_rows", np.dtype(np.float32))(
            (2,), (32,), (x, x, np.int64(3), np.bool_(False))
        )
