"""Types besides float32 and float64: what a primitive gives on the host, it gives on the stand-in for a card."""

import warnings

import ml_dtypes
import numpy as np
import pytest

from tapegrad import backends
from tapegrad.autograd import RULES, P
from tapegrad.autograd.tensor import wrap
from tapegrad.testing.conformance import SAMPLES
from tapegrad.testing.conformance.running import attributes, map_arrays

from . import host

pytestmark = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))
NARROW = (np.float16, ml_dtypes.bfloat16)
# Of numbers that PyTorch does not have these for either: which it is that NumPy gives means nothing.
UNDEFINED = {
    "bfloat16": {"cholesky_info", "geqrf", "lu", "lu_pivots", "solve_triangular"},
    "complex64": {"scatter_amax", "scatter_amin", "erf", "gelu", "gelu_tanh", "softplus"},
}


def outputs(name, sample, inputs, device):
    def placed(x):
        if isinstance(x, list):
            return [placed(v) for v in x]
        return wrap(device.backend.from_host(x.copy()), device) if isinstance(x, np.ndarray) else x

    found = getattr(P, name)(*map(placed, inputs), *attributes(sample, device))
    return [x.cpu()._array for x in (found if isinstance(found, (tuple, list)) else [found])]


@pytest.mark.parametrize("dtype", [np.int64, np.bool_, np.complex64, *NARROW], ids=lambda d: np.dtype(d).name)
def test_as_on_the_host(dtype):
    kind = np.dtype(dtype)

    def converted(x):
        if x.dtype not in (np.float64, np.complex128):
            return x
        return np.nan_to_num(x if kind.kind == "c" else x.real).astype(kind)

    wrong, ran = [], 0
    warnings.simplefilter("ignore")
    with backends.use("numpy"), np.errstate(all="ignore"):
        here, there = backends.device_of("cpu"), backends.device_of("strict:0")
        for name in RULES:
            if name in UNDEFINED.get(kind.name, ()):
                continue
            for sample in SAMPLES[name][:1]:
                inputs = map_arrays(converted, sample.inputs)
                if not any(isinstance(x, (np.ndarray, list)) for x in inputs):
                    continue
                try:
                    want = outputs(name, sample, inputs, here)
                except (TypeError, ValueError, RuntimeError):  # not of this type, or not of these numbers
                    continue
                ran += 1
                wrong += differences(name, want, (sample, inputs, there), dtype)
    assert ran > 100
    assert wrong == []


def differences(name, want, given, dtype):
    try:
        found = outputs(name, *given)
    except Exception as error:  # any refusal is one that the host does not have
        return [(name, f"{type(error).__name__}: {error}"[:200])]
    tolerance = 1e-2 if dtype in NARROW else 1e-4
    for a, b in zip(want, found, strict=True):
        if (a.dtype, a.shape) != (b.dtype, b.shape):
            return [(name, f"{a.dtype}{a.shape} on the host, {b.dtype}{b.shape} there")]
        wide = np.complex128 if a.dtype.kind == "c" else np.float64
        if not np.allclose(a.astype(wide), b.astype(wide), rtol=tolerance, atol=tolerance, equal_nan=True):
            return [(name, "other values")]
    return []
