"""Rules and fused kernels: a rule calls primitives only, and a fused kernel computes what its rule says."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ... import backends
from ...autograd import RULES, P
from .running import close, cotangent_of, flatten, place, precision, quiet, run
from .sample import Sample
from .samples.inputs import strided

__all__ = ["Opaque", "Spy", "called_names", "check_closed", "check_fused", "fused_kernels"]


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
    """The backend, the node that the operation left on the tape (None for a constant), and a raw cotangent."""
    with quiet(backend) as running:
        out, _, _ = run(name, sample, dtype, running, require=True)
        return running, out._node, None if out._node is None else cotangent_of(out)._array


def called_names(name: str, backend: str, dtype: str, sample: Sample) -> set[str]:
    """The names that the rule of ``name`` calls on F for this sample. Formulas that touch arrays raise."""
    running, node, g = _saved(name, backend, dtype, sample)
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


def check_closed(name: str, backend: str, dtype: str, sample: Sample) -> None:
    """Whatever the rule calls on F is a primitive with a rule, which the backend and the recording ops both have."""
    running = backends.get(backend)
    for called in called_names(name, backend, dtype, sample):
        assert called in RULES, f"the rule of {name} calls F.{called}, which has no rule"
        assert callable(getattr(P, called, None)), f"the rule of {name} calls F.{called}, which cannot be recorded"
        assert hasattr(running, called), f"the rule of {name} calls F.{called}, which backend '{backend}' lacks"


def fused_kernels(backend: str) -> list[str]:
    """The primitives for which the backend's class has a fused kernel ``NAME_vjp``."""
    methods = dir(type(backends.get(backend)))
    return sorted(m.removesuffix("_vjp") for m in methods if m.endswith("_vjp") and not m.startswith("_"))


def check_fused(name: str, backend: str, dtype: str, sample: Sample) -> None:
    """The fused kernel against the formula whose place it takes, on the same saved values."""
    running, node, cotangent = _saved(name, backend, dtype, sample)
    if node is None:
        return
    rule = RULES[name]
    saved = node.saved if rule.joint else node.saved[0]
    tolerance = precision(dtype, sample)[1]
    for g, given in itertools.product(_laid_out(cotangent, running), _with_every_need(rule, saved)):
        what = f"{name}_vjp of {backend} in {dtype}, for a cotangent with strides {g.strides}, {sample!r}"
        # one number for all elements: a softmax's cotangent comes to nothing but the rounding of its terms
        least = 0.0 if any(g.strides) else float(np.abs(running.to_host(g)).max(initial=0))
        with quiet(backend):
            kept = [np.array(running.to_host(v)) for v in _arrays_in(given)]
            fused = getattr(type(running), name + "_vjp")(running, g, *given)
            formula = rule.vjps[0](running, g, *given)
            pairs = zip(fused, formula, strict=True) if rule.joint else [(fused, formula)]
            for a, b in pairs:
                assert (a is None) == (b is None), f"{what}: fused gives {a!r} where the formula gives {b!r}"
                if a is not None:
                    a, b = (running.to_host(running.normal(v)) for v in (a, b))
                    assert a.dtype == b.dtype, f"{what}: fused gives {a.dtype}, the formula {b.dtype}"
                    close(a, b, dtype, tolerance, tolerance, what, least)
            for before, after in zip(kept, _arrays_in(given), strict=True):
                after = running.to_host(after)
                np.testing.assert_array_equal(before, after, err_msg=f"{what} wrote into a saved value")


def _laid_out(g: Any, backend: Any) -> list[Any]:
    """A cotangent as backward passes make them: row by row, with gaps, and one number expanded."""
    ways = [g]
    if g.ndim and 0 < g.size <= 1000:
        wide = np.array(backend.to_host(g), np.result_type(g.dtype, np.float64))
        ways.append(place(strided(wide), g.real.dtype.name, backend))
        ways.append(backend.expand(backend.slice(g, (0,) * g.ndim), g.shape))
    return ways


def _arrays_in(values: Any) -> list[Any]:
    return [v for v in flatten(values) if hasattr(v, "shape") and hasattr(v, "ndim") and not isinstance(v, np.dtype)]


def _with_every_need(rule: Any, saved: Any) -> Iterator[list[Any]]:
    """The saved values; of a joint rule once for every choice of the inputs that are to get a gradient.

    Of many inputs all, none, and each by itself.
    """
    names = rule.saves[0]
    if "need" not in names:
        yield list(saved)
        return
    at = names.index("need")
    wanted = saved[at]
    choices: Iterable[tuple[bool, ...]] = itertools.product(*[(False, True) if n else (False,) for n in wanted])
    if sum(wanted) > 5:
        alone = [tuple(k == i for k in range(len(wanted))) for i, n in enumerate(wanted) if n]
        choices = [wanted, (False,) * len(wanted), *alone]
    for choice in choices:
        yield [choice if i == at else v for i, v in enumerate(saved)]
