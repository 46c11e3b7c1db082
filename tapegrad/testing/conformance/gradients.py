"""Gradients of first and second order: against NumPy's in float64 and against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import backends
from ...autograd import P, Tensor, grad
from ...autograd.tensor import wrap
from .running import (
    attributes,
    close,
    cotangent_of,
    device_under_test,
    exact_inputs,
    flatten,
    host,
    inner,
    map_arrays,
    precision,
    quiet,
    reference,
    run,
    wanting,
    weights,
)
from .sample import Sample

__all__ = ["check_first_order", "check_second_order"]


def _first(name: str, backend: str, dtype: str, sample: Sample) -> list[np.ndarray]:
    """The gradients of the inputs that want one, for the cotangent ``_noise``."""
    with quiet(backend) as running:
        out, tensors, wanted = run(name, sample, dtype, running, require=True)
        before = [host(x).copy() for x in tensors if isinstance(x, Tensor)]
        g = cotangent_of(out)
        sent = host(g).copy()
        found = [host(v) for v in grad(out, wanted, g, retain_graph=True)]
        again = [host(v) for v in grad(out, wanted, g)]
        what = f"{name} on {backend} in {dtype}, {sample!r}"
        for a, b, x in zip(found, again, wanted, strict=True):
            assert a.dtype == host(x).dtype, f"{what}: gradient of type {a.dtype}"
            np.testing.assert_array_equal(a, b, err_msg=what + ": a second backward gives another gradient")
        np.testing.assert_array_equal(host(g), sent, err_msg=what + ": backward wrote into the cotangent")
        left = [host(x) for x in tensors if isinstance(x, Tensor)]
        for a, b in zip(before, left, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=what + ": backward wrote into an input")
    return found


def _loss(name: str, inputs: list[Any], attrs: list[Any]) -> float:
    out = reference(name, inputs, attrs)
    return inner(weights(out, 1), out)


def _differences(function: Callable[[list[Any]], float], arrays: list[Any], wanted: list[bool]) -> list[np.ndarray]:
    """Central differences of ``function`` by every element of the wanted arrays, in float64."""
    slopes = []
    for x, w in zip(flatten(arrays), wanted, strict=True):
        if not w:
            continue
        slope = np.zeros(x.shape, x.dtype)
        for place in np.ndindex(x.shape):
            kept = x[place]
            for way in (1, 1j) if x.dtype.kind == "c" else (1,):
                step = way * 6e-6 * max(1.0, abs(kept))
                x[place] = kept + step
                above, up = function(arrays), x[place]
                x[place] = kept - step
                slope[place] += way * (above - function(arrays)) / ((up - x[place]) / way).real
                x[place] = kept
        slopes.append(slope)
    return slopes


_cache: dict[Any, tuple[Sample, Any]] = {}


def _once(sample: Sample, key: Any, compute: Callable[[], Any]) -> Any:
    """References are the same for all backends: computed once. A sample is kept: its address is its key."""
    key = (id(sample), key)
    if key not in _cache:
        _cache[key] = sample, compute()
    return _cache[key][1]


def _compare(found: list[Any], want: list[Any], dtype: str, rtol: float, what: str) -> None:
    assert len(found) == len(want), what
    for i, (a, b) in enumerate(zip(found, want, strict=True)):
        close(a, np.asarray(b), dtype, rtol, rtol, f"{what}: gradient {i}")


def check_first_order(name: str, backend: str, dtype: str, sample: Sample) -> None:
    """Gradients against finite differences (float64), and against NumPy's in float64 for every type."""
    what = f"gradient of {name} on {backend} in {dtype}, {sample!r}"
    exact = exact_inputs(sample, dtype)
    wanted = wanting(name, exact)
    found = _first(name, backend, dtype, sample)
    rounded = Sample(tuple(exact), sample.attrs)
    want = _once(sample, (dtype, "first"), lambda: _first(name, "numpy", "float64", rounded))
    worst, tolerance = precision(dtype, sample)
    _compare(found, want, worst, tolerance, what + ", against NumPy in float64")
    if sample.smooth and dtype == "float64":
        attrs = attributes(sample, backends.device_of("cpu"))
        want = _once(sample, "differences", lambda: _differences(lambda a: _loss(name, a, attrs), exact, wanted))
        _compare(found, want, "float64", 1e-7 / np.finfo("float64").eps, what + ", against finite differences")
    if sample.slopes is not None:
        _check_slopes(name, backend, dtype, sample)


def _check_slopes(name: str, backend: str, dtype: str, sample: Sample) -> None:
    with quiet(backend) as running:
        out, _, wanted = run(name, sample, dtype, running, require=True)
        ones = wrap(out._device.backend.from_host(np.ones(out.shape, out._array.dtype)), out._device)
        found = [host(v) for v in grad(out, wanted, ones)]
    want = [np.broadcast_to(np.asarray(s, float), v.shape) for s, v in zip(sample.slopes or (), found, strict=True)]
    _compare(found, want, dtype, 16, f"gradient of {name} on {backend} in {dtype}, {sample!r}, against the sample")


def check_second_order(name: str, backend: str, dtype: str, sample: Sample) -> None:
    """The derivative of the gradient by inputs and cotangent, against differences of NumPy's plain backward."""
    what = f"second order of {name} on {backend} in {dtype}, {sample!r}"
    with quiet(backend) as running:
        out, _, wanted = run(name, sample, dtype, running, require=True)
        cotangent = cotangent_of(out, require=True)
        first = grad(out, wanted, cotangent, create_graph=True)
        for plain, recorded in zip(_first(name, backend, dtype, sample), first, strict=True):
            close(host(recorded), plain, dtype, 64, 64, what + ": recorded and plain backward differ")
        found = [host(v) for v in _of_weighted_sum(first, [*wanted, cotangent])]
    exact = exact_inputs(sample, dtype)
    flags = wanting(name, exact)
    cotangents = np.array(weights(out._array, 1))

    def differences() -> list[np.ndarray]:
        with quiet("numpy") as running:
            device = device_under_test(running)
            attrs = attributes(sample, device)
            return _differences(lambda a: _weighted(name, a, attrs, device), [*exact, cotangents], [*flags, True])

    want = _once(sample, (dtype, "second"), differences)
    worst, _ = precision(dtype, sample)
    tolerance = 2e-7 if worst == "float64" else 3e-4
    _compare(found, want, worst, tolerance / float(np.finfo(worst).eps), what + ", against finite differences")


def _of_weighted_sum(first: Any, by: list[Tensor]) -> Any:
    total = None
    for v in first:
        weight = weights(v._array, 2).conj().astype(v._array.dtype)
        term = P.sum(P.mul(v, wrap(v._device.backend.from_host(weight), v._device)), None, False)
        term = P.slice(P.view_as_real(term), (0,)) if v._array.dtype.kind == "c" else term
        total = term if total is None else P.add(total, term)
    if total is None or not total.requires_grad:
        return [P.zeros_like(x) for x in by]
    return grad(total, by, allow_unused=True, materialize_grads=True)


def _weighted(name: str, arrays: list[Any], attrs: list[Any], device: Any) -> float:
    """The sum of the gradients, weighted as in ``_of_weighted_sum``; the last of the arrays is the cotangent."""
    inputs = map_arrays(lambda x: wrap(x, device), tuple(arrays[:-1]))
    wanted = [x for x, w in zip(flatten(inputs), wanting(name, inputs), strict=True) if w]
    for x in wanted:
        x.requires_grad_()
    out = getattr(P, name)(*inputs, *attrs)
    first = grad(out, wanted, wrap(arrays[-1].astype(out._array.dtype), device))
    slopes = [host(v) for v in first]
    return float(sum([inner(weights(v, 2), v) for v in slopes]))
