"""From samples to arrays and tensors of the backend under test, and back."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ... import backends
from ...autograd import RULES, P, Tensor
from ...autograd.tensor import wrap
from .sample import CPU, HERE, Sample

__all__ = [
    "attributes", "close", "cotangent_of", "device_under_test", "differentiates", "exact_inputs", "flatten", "host",
    "inner", "is_floating", "map_arrays", "noise", "place", "precision", "quiet", "reference", "run", "tested",
    "wanting", "weights",
]  # fmt: skip


def tested(kind: np.dtype[Any], dtype: str) -> np.dtype[Any]:
    """The type under test in place of a sample's ``kind``: of float64 and complex128; others stay."""
    if kind == np.complex128:
        return np.result_type(dtype, np.complex64)
    return np.dtype(dtype) if kind == np.float64 else kind


def map_arrays(function: Callable[[Any], Any], inputs: tuple[Any, ...]) -> list[Any]:
    """The inputs with ``function`` applied to every array."""

    def one(x: Any) -> Any:
        if isinstance(x, list):
            return [one(v) for v in x]
        return function(x) if isinstance(x, np.ndarray) else x

    return [one(x) for x in inputs]


def flatten(inputs: Any) -> list[Any]:
    """The inputs with the lists of variadic ones opened."""
    return [v for x in inputs for v in (x if isinstance(x, list) else [x])]


def exact_inputs(sample: Sample, dtype: str) -> list[Any]:
    """The inputs as plain float64 arrays (and numbers) that ``dtype`` represents exactly."""
    kind = np.dtype(dtype).type
    with np.errstate(all="ignore"):
        arrays = map_arrays(lambda x: np.array(x.astype(tested(x.dtype, dtype)), x.dtype), sample.inputs)
        return [float(kind(x)) if isinstance(x, float) else x for x in arrays]


def place(array: np.ndarray, dtype: str, backend: Any) -> Any:
    """The array in ``dtype`` on the backend's device, with the strides and the writeable flag it has here."""
    kind = tested(array.dtype, dtype)
    if array.size == 0 or (array.flags.c_contiguous and array.flags.writeable):
        return backend.from_host(np.array(array, kind))
    steps = [s // array.itemsize for s in array.strides]
    low = sum(min(0, s * (n - 1)) for s, n in zip(steps, array.shape, strict=True))
    high = sum(max(0, s * (n - 1)) for s, n in zip(steps, array.shape, strict=True))
    memory = np.zeros(high - low + 1, kind)
    strides = [s * kind.itemsize for s in steps]
    np.lib.stride_tricks.as_strided(memory[-low:], array.shape, strides)[...] = array
    placed = backend.xp.lib.stride_tricks.as_strided(backend.from_host(memory)[-low:], array.shape, strides)
    if not array.flags.writeable and isinstance(placed, np.ndarray):
        placed.flags.writeable = False
    return placed


def device_under_test(backend: Any) -> Any:
    return backends.device_of("cpu" if backend.device_type == "cpu" else f"{backend.device_type}:0")


def attributes(sample: Sample, device: Any) -> list[Any]:
    places = {HERE: device, CPU: backends.device_of("cpu")}
    return [places.get(a, a) if isinstance(a, str) else a for a in sample.attrs]


def host(x: Any) -> np.ndarray:
    """A tensor's content as a NumPy array."""
    return x._device.backend.to_host(x._array)


def wanting(name: str, inputs: list[Any]) -> list[Any]:
    """Which of the (flat) inputs may receive a gradient: one bool each."""
    rule = RULES[name]
    flags = []
    for k, x in enumerate(inputs):
        several = x if isinstance(x, list) else [x]
        flags += [rule.wants(k) and isinstance(v, (np.ndarray, Tensor)) and is_floating(v) for v in several]
    return flags


def differentiates(name: str, sample: Sample) -> bool:
    """Whether some input of the sample may receive a gradient."""
    return any(wanting(name, list(sample.inputs)))


def is_floating(x: Any) -> bool:
    return (x._array if isinstance(x, Tensor) else x).dtype.kind in "fc"


@contextlib.contextmanager
def quiet(backend: str) -> Iterator[Any]:
    """The backend under test in use, with inf and nan no cause for warnings."""
    with backends.use(backend), np.errstate(all="ignore"):
        yield backends.get(backend)


def close(
    got: np.ndarray, want: np.ndarray, dtype: str, rtol: float, atol: float, what: str, least: float = 0.0
) -> None:
    """Equal up to ``rtol`` epsilons of each element plus ``atol`` epsilons of the largest; nan equals nan.

    ``least`` stands in for the largest element where all are smaller: where terms of that size cancel.
    """
    assert got.shape == want.shape, f"{what}: shape {got.shape}, expected {want.shape}"
    if got.dtype.kind == "c" == want.dtype.kind:
        for part in ("real", "imag"):
            close(getattr(got, part), getattr(want, part), dtype, rtol, max(atol, rtol), f"{what}, {part} part", least)
        return
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got, want, err_msg=what)
        return
    info = np.finfo(dtype)
    with np.errstate(all="ignore"):
        want = want.astype(dtype)
    finite = np.abs(want[np.isfinite(want)])
    largest = max(float(finite.max()) if finite.size else 0.0, least)
    np.testing.assert_allclose(
        got.astype(np.float64), want.astype(np.float64), rtol=rtol * float(info.eps),
        atol=atol * float(info.eps) * largest + float(info.tiny), err_msg=what,
    )  # fmt: skip


def reference(name: str, inputs: list[Any], attrs: list[Any]) -> np.ndarray:
    """The NumPy backend's result on raw arrays."""
    with np.errstate(all="ignore"):
        out = backends.get("numpy").kernel(name)(*inputs, *attrs)
        return np.asarray(out[0] if RULES[name].residual else out)


def run(name: str, sample: Sample, dtype: str, backend: Any, require: bool = False) -> tuple[Any, list[Any], list[Any]]:
    """The result of the recording operation, and the flat inputs: all of them, and those that require grad."""
    device = device_under_test(backend)
    inputs = map_arrays(lambda x: wrap(place(x, dtype, backend), device), sample.inputs)
    wanted = [x for x, w in zip(flatten(inputs), wanting(name, inputs), strict=True) if w]
    if require:
        for x in wanted:
            x.requires_grad_()
    return getattr(P, name)(*inputs, *attributes(sample, device)), flatten(inputs), wanted


@functools.cache
def noise(shape: tuple[int, ...], salt: int) -> np.ndarray:
    """Fixed numbers between 0.5 and 1.5 of either sign, with more digits than float32 has, and no symmetry."""
    rng = np.random.default_rng([salt, *shape])
    values = rng.integers(2**39, 3 * 2**39, shape) / 2**40 * rng.choice([-1, 1], shape)
    made = np.asarray(values, np.float64)
    made.flags.writeable = False
    return made


def weights(x: Any, salt: int) -> np.ndarray:
    """Fixed numbers like ``noise``, complex where the array is."""
    shape = tuple(x.shape)
    return noise(shape, salt) + 1j * noise(shape, salt + 10) if x.dtype.kind == "c" else noise(shape, salt)


def inner(w: np.ndarray, x: np.ndarray) -> float:
    """The real inner product."""
    return float((w.conj() * x).real.sum())


def cotangent_of(out: Tensor, require: bool = False) -> Tensor:
    numbers = weights(out._array, 1).astype(out._array.dtype)
    made = wrap(out._device.backend.from_host(numbers), out._device)
    return made.requires_grad_() if require else made


def precision(dtype: str, sample: Sample) -> tuple[str, float]:
    """The type in which gradients are compared, and the tolerance in its epsilons."""
    lowest = [d.name for a in sample.attrs if isinstance(a, np.dtype) and (d := a).kind == "f"]
    dtype = min([dtype, *lowest], key=lambda d: np.finfo(d).precision)
    return dtype, 64 + 4 * max(sample.rtol, sample.atol)
