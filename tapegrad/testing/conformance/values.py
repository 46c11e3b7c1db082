"""The result of a primitive: against NumPy in float64, and against another way to compute it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import backends
from ...autograd import RULES, P, Tensor
from ...autograd.operation_text import SOMETIMES_VIEWS
from ...autograd.tensor import wrap
from .running import (
    attributes,
    close,
    device_under_test,
    exact_inputs,
    flatten,
    host,
    is_floating,
    map_arrays,
    place,
    quiet,
    reference,
    run,
    tested,
)
from .sample import Sample

__all__ = ["check_constant", "check_contents", "check_values"]

# Arithmetic that is exact about zeros: theirs has the sign that IEEE 754 says.
SIGNED = ("abs", "add", "div", "mul", "neg", "sub")


def check_values(name: str, backend: str, dtype: str, sample: Sample) -> None:
    """The result against NumPy in float64 and against ``sample.expect``; inputs stay as they are, and unshared."""
    what = f"{name} on {backend} in {dtype}, {sample!r}"
    with quiet(backend) as running:
        out, tensors, _ = run(name, sample, dtype, running)
        exact = exact_inputs(sample, dtype)
        want = reference(name, exact, attributes(sample, backends.device_of("cpu")))
        got = host(out)
        wanted = out._device.backend.ndarray
        assert type(out._array) is wanted, f"{what}: the result is a {type(out._array).__name__}"
        kind = tested(want.dtype, dtype) if name != "cast" else want.dtype
        assert got.dtype == kind, f"{what}: dtype {got.dtype}, expected {kind}"
        worst = min(dtype, kind.name, key=lambda d: np.finfo(d).precision) if kind.kind == "f" else dtype
        close(got, want, worst, sample.rtol, sample.atol, what)
        if sample.expect is not None:
            other = np.asarray(sample.expect(*exact, *sample.attrs))
            close(got, other, worst, sample.rtol, sample.atol, what + ", against the independent answer")
        if name in SIGNED and got.dtype.kind != "c":
            zeros = (got == 0) & (want == 0)
            assert (np.signbit(got) == np.signbit(want))[zeros].all(), f"{what}: a zero of the wrong sign"
        for before, x in zip(flatten(exact), tensors, strict=True):
            if isinstance(x, Tensor):
                close(host(x), before, dtype, 0, 0, what + ": an input was written to")
                _check_sharing(name, out, x, running, what)


def check_contents(name: str, backend: str, dtype: str, sample: Sample) -> None:
    """A primitive that moves values leaves every bit as it is: nan, infinities, the signs of zeros, integers, bools."""
    what = f"{name} on {backend} in {dtype}, {sample!r}"
    with quiet(backend) as running:
        got = host(run(name, sample, dtype, running)[0])
        want = reference(name, exact_inputs(sample, dtype), attributes(sample, backends.device_of("cpu")))
        assert got.dtype == tested(want.dtype, dtype), f"{what}: dtype {got.dtype}"
        np.testing.assert_array_equal(got, want, err_msg=what)
        same = (np.signbit(got) == np.signbit(want)) | np.isnan(want) if got.dtype.kind == "f" else np.True_
        assert same.all(), f"{what}: a zero of the wrong sign"


def _check_sharing(name: str, out: Tensor, x: Tensor, backend: Any, what: str) -> None:
    """A view shares its input's memory and version cell; another result must not, or a write would spoil the input."""
    if not out._array.size or name == "transfer":
        return
    shared = backend.shares(out._array, x._array)
    if not RULES[name].view:
        assert not shared, f"{what}: the result shares memory with an input, but the rule does not say view=True"
    elif name not in SOMETIMES_VIEWS or x.is_contiguous():
        assert shared, f"{what}: the rule says view=True, but the result has memory of its own"
    assert (out._cell is x._cell) == shared, f"{what}: memory and version cell must be shared together"


def check_constant(name: str, backend: str, dtype: str, sample: Sample) -> None:
    """A primitive declared without a derivative gives results that require none, whatever its inputs do."""
    with quiet(backend) as running:
        device = device_under_test(running)
        inputs = map_arrays(lambda x: wrap(place(x, dtype, running), device), sample.inputs)
        for x in flatten(inputs):
            if isinstance(x, Tensor) and is_floating(x):
                x.requires_grad_()
        out = getattr(P, name)(*inputs, *attributes(sample, device))
    assert not out.requires_grad
    assert out.is_leaf
