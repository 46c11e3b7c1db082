"""Every kernel compiles for the cards that are in use, and no float32 kernel computes in float64."""

from concurrent.futures import ThreadPoolExecutor

import ml_dtypes
import numpy as np
import pytest

from . import nvrtc

pytestmark = pytest.mark.skipif(nvrtc.why_not() is not None, reason=str(nvrtc.why_not()))
NARROW = (np.float16, ml_dtypes.bfloat16)


def compile_all(dtype, target, strided=False):
    """All kernels of one type for one card, several at once (NVRTC lets go of Python's lock)."""
    texts = nvrtc.texts(dtype, strided)
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(texts, pool.map(lambda text: nvrtc.compile_text(text, target), texts.values())))


WANTED = [(dtype, target) for target in ("sm_80", "sm_90") for dtype in (np.float32, np.float64, *NARROW)]


@pytest.mark.parametrize(("dtype", "target"), WANTED, ids=lambda v: getattr(v, "__name__", v))
def test_every_kernel_compiles(dtype, target):
    made = compile_all(dtype, target)
    assert len(made) > 25
    assert all(code[:4] == b"\x7fELF" for code in made.values())


def test_kernels_of_strided_arrays_compile():
    assert all(code[:4] == b"\x7fELF" for code in compile_all(np.float32, "sm_90", strided=True).values())


@pytest.mark.parametrize("dtype", [np.float32, *NARROW], ids=lambda d: d.__name__)
def test_no_kernel_computes_in_float64_unasked(dtype):
    found = {name: nvrtc.float64_instructions(ptx) for name, ptx in compile_all(dtype, "compute_90").items()}
    assert {name: lines[:3] for name, lines in found.items() if lines} == {}


def test_float64_instructions_are_counted():
    found = {name: len(nvrtc.float64_instructions(ptx)) for name, ptx in compile_all(np.float64, "compute_90").items()}
    # what only compares, selects or moves bits may do without
    assert [name for name, count in found.items() if not count] == ["faults"]


def test_a_text_that_is_no_cuda_is_rejected():
    from cupy.cuda.compiler import CompileException

    with pytest.raises(CompileException, match="identifier"):
        nvrtc.compile_text('extern "C" __global__ void f(float* x) { *x = errf(*x); }', "sm_90")
