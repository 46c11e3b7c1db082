"""What every backend must do, as plain functions: each checks one primitive on one sample and raises AssertionError.

The truth is the NumPy backend in float64, itself held against other ways to compute (``Sample.expect``) and against
finite differences. Nothing here knows pytest or the table of samples, so another project can run the same checks on
its backend.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tapegrad import backends
from tapegrad.autograd import RULES, P, Tensor, grad
from tapegrad.autograd.tensor import wrap

__all__ = [
    "CPU", "HERE", "Opaque", "Sample", "Spy", "called_names", "check_closed", "check_constant", "check_first_order",
    "check_fused", "check_second_order", "check_values", "differentiates", "fused_kernels",
]  # fmt: skip

HERE = "the device of the backend under test"
CPU = "the host"


@dataclass(frozen=True)
class Sample:
    """One call of a primitive.

    Attributes:
        inputs: the tensor inputs in order: arrays (floating ones are cast to the dtype under test; strides and the
            writeable flag are kept), Python numbers, None where an input is optional, a list for a variadic one.
        attrs: the plain attributes; HERE and CPU stand for devices.
        expect: another way to compute the result, from the inputs and attributes as they stand here.
        smooth: whether derivatives of first and second order may be compared with finite differences.
        slopes: where they are known by hand (at kinks), the gradients of the sum of the result for each input.
        gradient: whether the first derivative is compared at all; not at nan and inf, where types overflow apart.
        rtol: tolerance relative to each element, in units of the dtype's epsilon.
        atol: tolerance relative to the largest element, in units of the dtype's epsilon; for sums that cancel.
    """

    inputs: tuple[Any, ...]
    attrs: tuple[Any, ...] = ()
    expect: Callable[..., Any] | None = None
    smooth: bool = True
    slopes: tuple[Any, ...] | None = None
    gradient: bool = True
    rtol: float = 16
    atol: float = 0

    def __repr__(self) -> str:
        parts = [_describe(x) for x in self.inputs] + [repr(a) for a in self.attrs]
        return f"Sample({', '.join(parts)})"


def _describe(x: Any) -> str:
    if isinstance(x, np.ndarray):
        layout = "" if x.flags.c_contiguous else " strided"
        values = f" {x.tolist()}" if x.size <= 8 else ""
        return f"{x.dtype}{list(x.shape)}{layout}{'' if x.flags.writeable else ' read-only'}{values}"
    if isinstance(x, list):
        return "[" + ", ".join(_describe(v) for v in x) + "]"
    return repr(x)


# From samples to arrays and tensors


def _is_float(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype == np.float64


def _map(function: Callable[[Any], Any], inputs: tuple[Any, ...]) -> list[Any]:
    """The inputs with ``function`` applied to every array."""
    def one(x: Any) -> Any:
        if isinstance(x, list):
            return [one(v) for v in x]
        return function(x) if isinstance(x, np.ndarray) else x

    return [one(x) for x in inputs]


def _flat(inputs: Any) -> list[Any]:
    """The inputs with the lists of variadic ones opened."""
    return [v for x in inputs for v in (x if isinstance(x, list) else [x])]


def _exact(sample: Sample, dtype: str) -> list[Any]:
    """The inputs as plain float64 arrays (and numbers) that ``dtype`` represents exactly."""
    kind = np.dtype(dtype).type
    with np.errstate(all="ignore"):
        arrays = _map(lambda x: np.array(x.astype(dtype), np.float64) if _is_float(x) else x.copy(), sample.inputs)
        return [float(kind(x)) if isinstance(x, float) else x for x in arrays]


def _on_device(array: np.ndarray, dtype: str, backend: Any) -> Any:
    """The array in ``dtype`` on the backend's device, with the strides and the writeable flag it has here."""
    kind = np.dtype(dtype) if _is_float(array) else array.dtype
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


def _device(backend: Any) -> Any:
    return backends.device_of("cpu" if backend.device_type == "cpu" else f"{backend.device_type}:0")


def _attrs(sample: Sample, device: Any) -> list[Any]:
    places = {HERE: device, CPU: backends.device_of("cpu")}
    return [places.get(a, a) if isinstance(a, str) else a for a in sample.attrs]


def _host(x: Any) -> np.ndarray:
    """A tensor's content as a NumPy array."""
    return x._device.backend.to_host(x._array)


def _wanting(name: str, inputs: list[Any]) -> list[Any]:
    """Which of the (flat) inputs may receive a gradient: one bool each."""
    rule = RULES[name]
    flags = []
    for k, x in enumerate(inputs):
        several = x if isinstance(x, list) else [x]
        flags += [rule.wants(k) and isinstance(v, (np.ndarray, Tensor)) and _floating(v) for v in several]
    return flags


def differentiates(name: str, sample: Sample) -> bool:
    """Whether some input of the sample may receive a gradient."""
    return any(_wanting(name, list(sample.inputs)))


def _floating(x: Any) -> bool:
    return (x._array if isinstance(x, Tensor) else x).dtype.kind == "f"


@contextlib.contextmanager
def _quiet(backend: str) -> Iterator[Any]:
    """The backend under test in use, with inf and nan no cause for warnings."""
    with backends.use(backend), np.errstate(all="ignore"):
        yield backends.get(backend)


def _close(got: np.ndarray, want: np.ndarray, dtype: str, rtol: float, atol: float, what: str) -> None:
    """Equal up to ``rtol`` epsilons of each element plus ``atol`` epsilons of the largest; nan equals nan."""
    assert got.shape == want.shape, f"{what}: shape {got.shape}, expected {want.shape}"
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got, want, err_msg=what)
        return
    info = np.finfo(dtype)
    with np.errstate(all="ignore"):
        want = want.astype(dtype)
    finite = np.abs(want[np.isfinite(want)])
    largest = float(finite.max()) if finite.size else 0.0
    np.testing.assert_allclose(
        got.astype(np.float64), want.astype(np.float64), rtol=rtol * info.eps,
        atol=atol * info.eps * largest + info.tiny, err_msg=what,
    )  # fmt: skip


# Values


def _reference(name: str, inputs: list[Any], attrs: list[Any]) -> np.ndarray:
    """The NumPy backend's result on raw arrays."""
    with np.errstate(all="ignore"):
        out = backends.get("numpy").kernel(name)(*inputs, *attrs)
        return np.asarray(out[0] if RULES[name].residual else out)


def _run(name: str, sample: Sample, dtype: str, backend: Any, require: bool = False) -> tuple[Any, list[Any], list[Any]]:
    """The result of the recording operation, and the flat inputs: all of them, and those that require grad."""
    device = _device(backend)
    inputs = _map(lambda x: wrap(_on_device(x, dtype, backend), device), sample.inputs)
    wanted = [x for x, w in zip(_flat(inputs), _wanting(name, inputs), strict=True) if w]
    if require:
        for x in wanted:
            x.requires_grad_()
    return getattr(P, name)(*inputs, *_attrs(sample, device)), _flat(inputs), wanted


def check_values(name: str, backend: str, dtype: str, sample: Sample) -> None:
    """The result against NumPy in float64 and against ``sample.expect``; inputs stay as they are, and unshared."""
    what = f"{name} on {backend} in {dtype}, {sample!r}"
    with _quiet(backend) as running:
        out, tensors, _ = _run(name, sample, dtype, running)
        exact = _exact(sample, dtype)
        want = _reference(name, exact, _attrs(sample, backends.device_of("cpu")))
        got = _host(out)
        assert type(out._array) is running.ndarray, f"{what}: the result is a {type(out._array).__name__}"
        kind = np.dtype(dtype) if want.dtype == np.float64 and name != "cast" else want.dtype
        assert got.dtype == kind, f"{what}: dtype {got.dtype}, expected {kind}"
        worst = min(dtype, kind.name, key=lambda d: np.finfo(d).precision) if kind.kind == "f" else dtype
        _close(got, want, worst, sample.rtol, sample.atol, what)
        if sample.expect is not None:
            other = np.asarray(sample.expect(*exact, *sample.attrs))
            _close(got, other, worst, sample.rtol, sample.atol, what + ", against the independent answer")
        for before, x in zip(_flat(exact), tensors, strict=True):
            if isinstance(x, Tensor):
                _close(_host(x), before, dtype, 0, 0, what + ": an input was written to")
                _check_sharing(name, out, x, running, what)


def _check_sharing(name: str, out: Tensor, x: Tensor, backend: Any, what: str) -> None:
    """A view shares its input's memory and version cell; another result must not, or a write would spoil the input."""
    if not out._array.size or name == "transfer":
        return
    shared = backend.shares(out._array, x._array)
    if not RULES[name].view:
        assert not shared, f"{what}: the result shares memory with an input, but the rule does not say view=True"
    elif name != "reshape" or x.is_contiguous():
        assert shared, f"{what}: the rule says view=True, but the result has memory of its own"
    assert (out._cell is x._cell) == shared, f"{what}: memory and version cell must be shared together"


# Gradients


@functools.cache
def _noise(shape: tuple[int, ...], salt: int) -> np.ndarray:
    """Fixed numbers between 0.5 and 1.5 of either sign, exact in float32: a cotangent that no symmetry hides from."""
    rng = np.random.default_rng([salt, *shape])
    values = rng.integers(128, 384, shape) / 256 * rng.choice([-1, 1], shape)
    made = np.asarray(values, np.float64)
    made.flags.writeable = False
    return made


def _first(name: str, backend: str, dtype: str, sample: Sample) -> list[np.ndarray]:
    """The gradients of the inputs that want one, for the cotangent ``_noise``."""
    with _quiet(backend) as running:
        out, tensors, wanted = _run(name, sample, dtype, running, require=True)
        before = [_host(x).copy() for x in tensors if isinstance(x, Tensor)]
        g = _cotangent(out)
        sent = _host(g).copy()
        found = [_host(v) for v in grad(out, wanted, g, retain_graph=True)]
        again = [_host(v) for v in grad(out, wanted, g)]
        what = f"{name} on {backend} in {dtype}, {sample!r}"
        for a, b, x in zip(found, again, wanted, strict=True):
            assert a.dtype == _host(x).dtype, f"{what}: gradient of type {a.dtype}"
            np.testing.assert_array_equal(a, b, err_msg=what + ": a second backward gives another gradient")
        np.testing.assert_array_equal(_host(g), sent, err_msg=what + ": backward wrote into the cotangent")
        left = [_host(x) for x in tensors if isinstance(x, Tensor)]
        for a, b in zip(before, left, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=what + ": backward wrote into an input")
    return found


def check_constant(name: str, backend: str, sample: Sample) -> None:
    """A primitive declared without a derivative gives results that require none, whatever its inputs do."""
    with _quiet(backend) as running:
        device = _device(running)
        inputs = _map(lambda x: wrap(_on_device(x, "float64", running), device), sample.inputs)
        for x in _flat(inputs):
            if isinstance(x, Tensor) and _floating(x):
                x.requires_grad_()
        out = getattr(P, name)(*inputs, *_attrs(sample, device))
    assert not out.requires_grad
    assert out.is_leaf


def _cotangent(out: Tensor, require: bool = False) -> Tensor:
    noise = _noise(tuple(out.shape), 1).astype(out._array.dtype)
    made = wrap(out._device.backend.from_host(noise), out._device)
    return made.requires_grad_() if require else made


def _loss(name: str, inputs: list[Any], attrs: list[Any]) -> float:
    out = _reference(name, inputs, attrs)
    return float((out * _noise(out.shape, 1)).sum())


def _differences(function: Callable[[list[Any]], float], arrays: list[Any], wanted: list[bool]) -> list[np.ndarray]:
    """Central differences of ``function`` by every element of the wanted arrays, in float64."""
    slopes = []
    flat = _flat(arrays)
    for x, w in zip(flat, wanted, strict=True):
        if not w:
            continue
        slope = np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            kept = x[place]
            step = 6e-6 * max(1.0, abs(kept))
            x[place] = kept + step
            above, up = function(arrays), x[place]
            x[place] = kept - step
            slope[place] = (above - function(arrays)) / (up - x[place])
            x[place] = kept
        slopes.append(slope)
    return slopes


_cache: dict[Any, Any] = {}


def _once(key: Any, compute: Callable[[], Any]) -> Any:
    """References are the same for all backends: computed once. The sample's own address is a part of the key."""
    if key not in _cache:
        _cache[key] = compute()
    return _cache[key]


def _compare(found: list[Any], want: list[Any], dtype: str, rtol: float, what: str) -> None:
    assert len(found) == len(want), what
    for i, (a, b) in enumerate(zip(found, want, strict=True)):
        _close(a, np.asarray(b), dtype, rtol, rtol, f"{what}: gradient {i}")


def _precision(dtype: str, sample: Sample) -> tuple[str, float]:
    """The type in which gradients are compared, and the tolerance in its epsilons."""
    lowest = [d.name for a in sample.attrs if isinstance(a, np.dtype) and (d := a).kind == "f"]
    dtype = min([dtype, *lowest], key=lambda d: np.finfo(d).precision)
    return dtype, 64 + 4 * max(sample.rtol, sample.atol)


def check_first_order(name: str, backend: str, dtype: str, sample: Sample) -> None:
    """Gradients against finite differences (float64), and against NumPy's in float64 for every type."""
    what = f"gradient of {name} on {backend} in {dtype}, {sample!r}"
    exact = _exact(sample, dtype)
    wanted = _wanting(name, exact)
    found = _first(name, backend, dtype, sample)
    rounded = Sample(tuple(exact), sample.attrs)
    want = _once((id(sample), dtype, "first"), lambda: _first(name, "numpy", "float64", rounded))
    worst, tolerance = _precision(dtype, sample)
    _compare(found, want, worst, tolerance, what + ", against NumPy in float64")
    if sample.smooth and dtype == "float64":
        attrs = _attrs(sample, backends.device_of("cpu"))
        want = _once((id(sample), "differences"), lambda: _differences(lambda a: _loss(name, a, attrs), exact, wanted))
        _compare(found, want, "float64", 1e-7 / np.finfo("float64").eps, what + ", against finite differences")
    if sample.slopes is not None:
        _check_slopes(name, backend, dtype, sample)


def _check_slopes(name: str, backend: str, dtype: str, sample: Sample) -> None:
    with _quiet(backend) as running:
        out, _, wanted = _run(name, sample, dtype, running, require=True)
        ones = wrap(out._device.backend.from_host(np.ones(out.shape, out._array.dtype)), out._device)
        found = [_host(v) for v in grad(out, wanted, ones)]
    want = [np.broadcast_to(np.asarray(s, float), v.shape) for s, v in zip(sample.slopes or (), found, strict=True)]
    _compare(found, want, dtype, 16, f"gradient of {name} on {backend} in {dtype}, {sample!r}, against the sample")


def check_second_order(name: str, backend: str, dtype: str, sample: Sample) -> None:
    """The derivative of the gradient by inputs and cotangent, against differences of NumPy's plain backward."""
    what = f"second order of {name} on {backend} in {dtype}, {sample!r}"
    with _quiet(backend) as running:
        out, _, wanted = _run(name, sample, dtype, running, require=True)
        cotangent = _cotangent(out, require=True)
        first = grad(out, wanted, cotangent, create_graph=True)
        for plain, recorded in zip(_first(name, backend, dtype, sample), first, strict=True):
            _close(_host(recorded), plain, dtype, 64, 64, what + ": recorded and plain backward differ")
        found = [_host(v) for v in _of_weighted_sum(first, [*wanted, cotangent])]
    exact = _exact(sample, dtype)
    flags = _wanting(name, exact)
    cotangents = _noise(out._array.shape, 1).copy()

    def differences() -> list[np.ndarray]:
        with _quiet("numpy") as running:
            device = _device(running)
            attrs = _attrs(sample, device)
            return _differences(lambda a: _weighted(name, a, attrs, device), [*exact, cotangents], [*flags, True])

    want = _once((id(sample), dtype, "second"), differences)
    worst, _ = _precision(dtype, sample)
    tolerance = 2e-7 if worst == "float64" else 3e-4
    _compare(found, want, worst, tolerance / np.finfo(worst).eps, what + ", against finite differences")


def _of_weighted_sum(first: Any, by: list[Tensor]) -> Any:
    total = None
    for v in first:
        weight = wrap(v._device.backend.from_host(_noise(tuple(v.shape), 2).astype(v._array.dtype)), v._device)
        term = P.sum(P.mul(v, weight), None, False)
        total = term if total is None else P.add(total, term)
    if total is None or not total.requires_grad:
        return [P.zeros_like(x) for x in by]
    return grad(total, by, allow_unused=True, materialize_grads=True)


def _weighted(name: str, arrays: list[Any], attrs: list[Any], device: Any) -> float:
    """The sum of the gradients, weighted as in ``_of_weighted_sum``; the last of the arrays is the cotangent."""
    inputs = _map(lambda x: wrap(x, device), tuple(arrays[:-1]))
    wanted = [x for x, w in zip(_flat(inputs), _wanting(name, inputs), strict=True) if w]
    for x in wanted:
        x.requires_grad_()
    out = getattr(P, name)(*inputs, *attrs)
    first = grad(out, wanted, wrap(arrays[-1].astype(out._array.dtype), device))
    return float(sum((_host(v) * _noise(tuple(v.shape), 2)).sum() for v in first))


# Formulas


class Opaque:
    """What a formula may know of an array: its shape and its dtype."""

    def __init__(self, value: Any) -> None:
        self._value = value

    @property
    def shape(self) -> tuple[int, ...]:
        return self._value.shape

    @property
    def dtype(self) -> Any:
        return self._value.dtype

    def __bool__(self) -> bool:
        raise AssertionError("a formula branches on an array's values")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("a formula compares an array: it must call F.eq")

    __hash__ = None  # type: ignore[assignment]


class Spy:
    """A namespace F that runs a backend, records what is called on it, and hands out opaque arrays."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        self.names.add(name)
        kernel = self._backend.kernel(name)

        def call(*args: Any) -> Any:
            out = kernel(*[_open(a) for a in args])
            assert name in RULES, f"F.{name} is not a primitive: declare it with rule(...) or nondiff(...)"
            return Opaque(self._backend.normal(out[0] if RULES[name].residual else out))

        return call


def _open(x: Any) -> Any:
    if isinstance(x, Opaque):
        return x._value
    return [_open(v) for v in x] if isinstance(x, list) else x


def _close_up(names: tuple[str, ...], values: Any, rule: Any) -> list[Any]:
    """Saved values with their arrays made opaque."""
    closed: list[Any] = []
    for name, value in zip(names, values, strict=True):
        if name == rule.variadic:
            closed.append([Opaque(v) for v in value])
        elif (name in rule.inputs or name in ("out", "res")) and value is not None:
            closed.append(Opaque(value))
        else:
            closed.append(value)
    return closed


def _saved(name: str, backend: str, dtype: str, sample: Sample) -> tuple[Any, Any, Any]:
    """The backend, the node that the operation left on the tape, and a raw cotangent for it; node None for a constant."""
    with _quiet(backend) as running:
        out, _, _ = _run(name, sample, dtype, running, require=True)
        return running, out._node, None if out._node is None else _cotangent(out)._array


def called_names(name: str, backend: str, sample: Sample) -> set[str]:
    """The names that the rule of ``name`` calls on F for this sample. Formulas that touch arrays raise."""
    running, node, g = _saved(name, backend, "float64", sample)
    spy = Spy(running)
    rule = RULES[name]
    if node is None:
        return spy.names
    with np.errstate(all="ignore"):
        for k, (formula, names) in enumerate(zip(rule.vjps, rule.saves, strict=True)):
            saved = node.saved if rule.joint else node.saved[k]
            if formula is not None and saved is not None:
                formula(spy, Opaque(g), *_close_up(names, saved, rule))
    return spy.names


def check_closed(name: str, backend: str, sample: Sample) -> None:
    """Whatever the rule calls on F is a primitive with a rule, which the backend and the recording ops both have."""
    running = backends.get(backend)
    for called in called_names(name, backend, sample):
        assert called in RULES, f"the rule of {name} calls F.{called}, which has no rule"
        assert callable(getattr(P, called, None)), f"the rule of {name} calls F.{called}, which cannot be recorded"
        assert hasattr(running, called), f"the rule of {name} calls F.{called}, which backend '{backend}' lacks"


def fused_kernels(backend: str) -> list[str]:
    """The primitives for which the backend's class has a fused kernel ``NAME_vjp``."""
    methods = dir(type(backends.get(backend)))
    return sorted(m.removesuffix("_vjp") for m in methods if m.endswith("_vjp") and not m.startswith("_"))


def check_fused(name: str, backend: str, dtype: str, sample: Sample) -> None:
    """The fused kernel against the formula whose place it takes, on the same saved values."""
    running, node, g = _saved(name, backend, dtype, sample)
    if node is None:
        return
    rule = RULES[name]
    saved = node.saved if rule.joint else node.saved[0]
    tolerance = _precision(dtype, sample)[1]
    for given in _with_every_need(rule, saved):
        what = f"{name}_vjp of {backend} in {dtype}, {sample!r}"
        with _quiet(backend):
            kept = [np.array(running.to_host(v)) for v in _arrays_in(given)]
            fused = getattr(type(running), name + "_vjp")(running, g, *given)
            formula = rule.vjps[0](running, g, *given)
            pairs = zip(fused, formula, strict=True) if rule.joint else [(fused, formula)]
            for a, b in pairs:
                assert (a is None) == (b is None), f"{what}: fused gives {a!r} where the formula gives {b!r}"
                if a is not None:
                    a, b = (running.to_host(running.normal(v)) for v in (a, b))
                    assert a.dtype == b.dtype, f"{what}: fused gives {a.dtype}, the formula {b.dtype}"
                    _close(a, b, dtype, tolerance, tolerance, what)
            for before, after in zip(kept, _arrays_in(given), strict=True):
                np.testing.assert_array_equal(before, running.to_host(after), err_msg=what + " wrote into a saved value")


def _arrays_in(values: Any) -> list[Any]:
    return [v for x in values for v in (x if isinstance(x, list) else [x]) if hasattr(v, "shape") and hasattr(v, "ndim")]


def _with_every_need(rule: Any, saved: Any) -> Iterator[list[Any]]:
    """The saved values; of a joint rule once for every choice of the inputs that are to get a gradient."""
    names = rule.saves[0]
    if "need" not in names:
        yield list(saved)
        return
    at = names.index("need")
    for choice in itertools.product(*[(False, True) if n else (False,) for n in saved[at]]):
        yield [choice if i == at else v for i, v in enumerate(saved)]
