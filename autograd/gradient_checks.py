"""What `gradcheck` checks, one thing after the other, and how it tells what it found."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ..backends.random import Generator
from .backward import grad
from .batching import vmap
from .func.transforms import jvp
from .slopes import (
    Probe,
    absent_as_zeros,
    by_differences,
    by_tape,
    by_tape_forward,
    complex_of,
    element_wise,
    like,
    ways,
    widened,
)
from .tensor import Tensor, wrap

__all__ = ["Checks", "GradcheckError", "Settings"]

Array = Any
BATCH = 2


class GradcheckError(RuntimeError):
    """A gradient that `gradcheck` or `gradgradcheck` found wrong."""


class Settings(NamedTuple):
    """The arguments of `gradcheck` that say how to check."""

    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    check_undefined_grad: bool
    check_grad_dtypes: bool
    check_batched_grad: bool
    check_batched_forward_grad: bool
    check_forward_ad: bool
    check_backward_ad: bool
    fast_mode: bool


class Checks:
    """The checks of one function.

    Args:
        probe: the function at its inputs.
        settings: how to check.
        sources: what to add to the number of an input in a message.
        results: the same for outputs.
    """

    def __init__(
        self, probe: Probe, settings: Settings, sources: dict[int, str] | None = None,
        results: dict[int, str] | None = None,
    ) -> None:  # fmt: skip
        self.probe, self.settings = probe, settings
        self.sources, self.results = sources or {}, results or {}
        self.stream = Generator()  # of its own: the numbers that the user draws stay the same

    def run(self) -> None:
        """Raise the first error, or return."""
        self._expect_inputs()
        s, self.outputs = self.settings, self.probe.outputs()
        self.places = [k for k, y in enumerate(self.outputs) if y.requires_grad]
        self._draw_projections()
        self.differences = {
            i: by_differences(self.probe, self.outputs, self.probe.inputs[i], s.eps, self._directions(i))
            for i in self.probe.wanted
        }
        if not self.places:
            self._expect_no_slope()
            return
        if s.check_backward_ad:
            for k in self.places:
                for unit in (1j, 1) if complex_of(self.outputs[k]) else (1,):
                    self._check_backward(k, unit)
        if s.check_forward_ad:
            for i in self.probe.wanted:
                self._check_forward(i)
                if s.check_batched_forward_grad:
                    self._check_batched_forward(i)
        if s.check_backward_ad:
            for k in self.places if s.check_batched_grad else ():
                self._check_batched(k)
            self._check_zero_cotangents(self.places, self.outputs)
            if s.check_undefined_grad and len(self.places) > 1:
                for missing in self.places:
                    self._check_missing(missing)

    # Before the comparison

    def _expect_inputs(self) -> None:
        if not self.probe.wanted:
            raise ValueError(
                "gradcheck: at least one input tensor must require grad, but none does; use requires_grad_()"
            )
        for i in self.probe.wanted:
            x = self.probe.inputs[i]
            if x._array.dtype not in (np.float64, np.complex128):
                warnings.warn(
                    f"gradcheck: input #{i} requires gradient and is not a double precision floating point or complex, "
                    f"but {x.dtype.name}; the check will likely fail, differences need float64 or complex128",
                    stacklevel=5,
                )
            if x._array.size and 0 in [stride for stride, n in zip(x.stride(), x.shape, strict=True) if n > 1]:
                raise RuntimeError(
                    f"gradcheck: input #{i} has a dimension with stride 0, and its elements cannot move one at a time; "
                    "use .contiguous() on it first"
                )
            if _overlaps(x):
                raise RuntimeError(
                    f"gradcheck: elements of input #{i} overlap in memory, and cannot move one at a time; "
                    "use .contiguous() on it first"
                )

    def _draw_projections(self) -> None:
        """For fast mode random unit vectors without negative entries: for each way of each input, for each output."""
        self.across: dict[tuple[int, complex], Array] = {}
        self.down: dict[int, Array] = {}
        if self.settings.fast_mode:
            for i in self.probe.wanted:
                x = self.probe.inputs[i]
                for way in ways(x):
                    self.across[i, way] = self._unit(x._array.size)
            for k, y in enumerate(self.outputs):
                self.down[k] = self._unit(y._array.size)

    def _unit(self, count: int) -> Array:
        v = self.stream.uniform((count,), 0, 1, np.float64)
        return v / max(float(np.linalg.norm(v)), 1e-300)

    def _directions(self, i: int) -> Callable[[complex], Iterable[Array]]:
        if self.settings.fast_mode:
            return lambda way: [self.across[i, way]]
        return lambda way: element_wise(self.probe.inputs[i]._array.size)

    def _expect_no_slope(self) -> None:
        limit = self.settings.nondet_tol if self.settings.fast_mode else 0.0
        for i, table in self.differences.items():
            for k, matrices in enumerate(table):
                if any(np.any(np.abs(m) > limit) for m in matrices):
                    raise GradcheckError(
                        "gradcheck: no output requires grad. Numerical gradient for function expected to be zero, but "
                        f"{self._output(k)} changes with {self._input(i)}; is there a detach() or a no_grad() too many?"
                    )

    # The comparison

    def _check_backward(self, k: int, unit: complex) -> None:
        s, y = self.settings, self.outputs[k]
        along = [self.down[k]] if s.fast_mode else list(element_wise(y._array.size))
        found, came = by_tape(self.probe, y, unit, along)
        again, _ = by_tape(self.probe, y, unit, along)
        for i, x, a, b in zip(self.probe.wanted, self.probe.tensors, found, again, strict=True):
            if np.any(np.abs(a - b) > s.nondet_tol):
                raise GradcheckError(
                    f"gradcheck: Backward is not reentrant: from {self._output(k)} to {self._input(i)} it gave "
                    f"different values for the same input and cotangent, up to {np.abs(a - b).max():.3g} apart; "
                    f"nondet_tol is {s.nondet_tol}"
                )
            for row in came if s.check_grad_dtypes else ():
                g = row[self.probe.wanted.index(i)]
                if g is not None and g._array.dtype != x._array.dtype:
                    raise GradcheckError(
                        f"gradcheck: Gradient has dtype mismatch: {g.dtype.name} for {self._input(i)}, {x.dtype.name}"
                    )
        part = np.imag if unit == 1j else np.real
        name = "" if not complex_of(y) else "imaginary" if unit == 1j else "real"
        prefix = f"considering the {name} part of complex outputs only: " if name else ""
        for i, a in zip(self.probe.wanted, found, strict=True):
            n = sum(way * part(m) for way, m in zip((1, 1j), self.differences[i][k]))
            if s.fast_mode:
                self._compare_projected(prefix, k, i, a, n)
            else:
                self._compare(prefix, k, i, a, n)

    def _compare_projected(self, prefix: str, k: int, i: int, gradient: Array, difference: Array) -> None:
        """Compare ``v^T J u``; where that fails, the elements tell more."""
        s, v = self.settings, self.down[k]
        us = [self.across[i, way] for way in ways(self.probe.inputs[i])]
        a = sum(way * part(gradient[:, 0]) @ u for way, part, u in zip((1, 1j), (np.real, np.imag), us))
        n = (difference @ v)[0]
        if not np.isclose(a, n, s.rtol, s.atol * sum(u.sum() for u in us) * v.sum()):
            self._in_full(prefix, f"a projection of its gradient is {a}, by differences {n}", k, i)

    def _check_forward(self, i: int) -> None:
        s, x = self.settings, self.probe.inputs[i]
        found = by_tape_forward(self.probe, self.places, i, self._directions(i))
        for k, matrices in zip(self.places, found, strict=True):
            for way, a, n in zip(ways(x), matrices, self.differences[i][k], strict=True):
                part = "imaginary" if way == 1j else "real"
                prefix = f"considering the {part} part of complex inputs only: " if complex_of(x) else ""
                if not s.fast_mode:
                    self._compare(prefix, k, i, a, n, " computed with forward mode")
                elif not np.allclose(a, n, s.rtol, s.atol * self.across[i, way].sum()):
                    self._in_full(prefix, "a projection of its derivative in forward mode disagrees", k, i)

    def _in_full(self, prefix: str, words: str, k: int, i: int) -> None:
        """What fast mode found, said element by element."""
        kept = self.settings._replace(fast_mode=False)
        try:
            Checks(self.probe._replace(wanted=[i]), kept, self.sources, self.results).run()
        except GradcheckError as error:
            raise GradcheckError(f"{error}\n(found in fast mode)") from None
        raise GradcheckError(
            f"gradcheck: {prefix}Jacobian mismatch for {self._output(k)} with respect to {self._input(i)}: {words}. "
            "Every single element agrees within the tolerances; fast_mode=False would accept it"
        )

    def _compare(self, prefix: str, k: int, i: int, gradient: Array, difference: Array, mode: str = "") -> None:
        close = np.isclose(gradient, difference, self.settings.rtol, self.settings.atol)
        if close.all():
            return
        apart = np.where(close, -1.0, np.nan_to_num(np.abs(gradient - difference), nan=np.inf, posinf=np.inf))
        row, column = np.unravel_index(int(np.argmax(apart)), apart.shape)
        where = [
            list(map(int, np.unravel_index(n, t._array.shape))) if t._array.ndim else ""
            for n, t in ((row, self.probe.inputs[i]), (column, self.outputs[k]))
        ]
        raise GradcheckError(
            f"gradcheck: {prefix}Jacobian{mode} mismatch for {self._output(k)} with respect to {self._input(i)}: "
            f"{int((~close).sum())} of {close.size} entries. The largest is output{where[1]} by input{where[0]}: "
            f"numerical {difference[row, column]:.6g}, analytical {gradient[row, column]:.6g}"
            f"{self._unsteady()}\nnumerical:\n{difference}\nanalytical:\n{gradient}"
        )

    def _unsteady(self) -> str:
        """A word about functions that do not give the same twice, which no gradient could fit."""
        one, two = ([widened(y) for y in self.probe.outputs()] for _ in range(2))
        same = len(one) == len(two) and all(map(np.array_equal, one, two, [True] * len(one)))
        return "" if same else "\nfunc gives different outputs for the same inputs: does it draw random numbers?"

    # Cotangents of zeros, missing ones, and many at once

    def _check_zero_cotangents(self, places: list[int], outputs: tuple[Tensor, ...]) -> None:
        ys = [outputs[k] for k in places]
        found = grad(ys, self.probe.tensors, [like(y, np.zeros(y._array.shape)) for y in ys], True, allow_unused=True)
        for i, x, g in zip(self.probe.wanted, self.probe.tensors, found, strict=True):
            if g is not None and (g._array.shape != x._array.shape or g._device is not x._device):
                raise GradcheckError(
                    f"gradcheck: the gradient of {self._input(i)} has the incorrect shape {list(g.shape)} or device "
                    f"{g.device}"
                )
            if g is not None and not np.all(widened(g) == 0):
                raise GradcheckError(
                    f"gradcheck: backward not multiplied by grad_output: with cotangents of zero the gradient of "
                    f"{self._input(i)} is not zero"
                )

    def _check_missing(self, missing: int) -> None:
        """Backward with zeros for all outputs but one, which gets nothing at all."""
        rest = [k for k in self.places if k != missing]
        try:
            self._check_zero_cotangents(rest, self.probe.outputs())
        except Exception as error:
            raise GradcheckError(
                "gradcheck: Expected backward function to handle undefined output grads: it fails, or gives more than "
                f"zeros, where {self._output(missing)} has no gradient and the others have zeros: {error}"
            ) from error

    def _drawn(self, x: Tensor) -> list[Tensor]:
        kind = np.complex128 if complex_of(x) else np.float64
        return [like(x, self.stream.uniform(x._array.shape, -1, 1, kind)) for _ in range(BATCH)]

    def _check_batched(self, k: int) -> None:
        y, xs = self.outputs[k], self.probe.tensors
        drawn = self._drawn(y)
        alone = [absent_as_zeros(grad(y, xs, v, True, allow_unused=True), xs) for v in drawn]
        try:
            together = grad(y, xs, _stacked(drawn), True, allow_unused=True, is_grads_batched=True)
        except RuntimeError as error:
            raise GradcheckError(
                f"gradcheck: While computing batched gradients of {self._output(k)}, got: {error}"
            ) from error
        for n, (i, b) in enumerate(zip(self.probe.wanted, together, strict=True)):
            a = np.array([row[n] for row in alone])
            if b is not None and not np.allclose(widened(b).reshape(a.shape), a, 1e-5, 1e-8):
                raise GradcheckError(
                    f"gradcheck: the gradients of {self._output(k)} by {self._input(i)} are others under vmap than one "
                    f"by one:\nvmap:\n{widened(b).reshape(a.shape)}\none by one:\n{a}"
                )

    def _check_batched_forward(self, i: int) -> None:
        x = self.probe.inputs[i].detach()

        def push(tangent: Tensor) -> tuple[Tensor, ...]:
            moved = lambda moving: tuple(
                y for y in self.probe._replace(
                    inputs=(*self.probe.inputs[:i], moving, *self.probe.inputs[i + 1 :])
                ).outputs() if y.requires_grad
            )  # fmt: skip
            return tuple(jvp(moved, (x,), (tangent,))[1])

        drawn = self._drawn(x)
        alone = [push(t) for t in drawn]
        try:
            together = vmap(push)(_stacked(drawn))
        except RuntimeError as error:
            raise GradcheckError(
                f"gradcheck: While computing batched derivatives in forward mode by {self._input(i)}, got: {error}"
            ) from error
        for n, b in enumerate(together):
            if not np.allclose(widened(b), np.array([widened(row[n]) for row in alone]), 1e-5, 1e-8):
                raise GradcheckError(
                    f"gradcheck: the derivatives in forward mode by {self._input(i)} are others under vmap than one by "
                    "one"
                )

    # Words

    def _input(self, i: int) -> str:
        return f"input {i}{self.sources.get(i, '')}"

    def _output(self, k: int) -> str:
        return f"output {k}{self.results.get(k, '')}"


def _stacked(tensors: list[Tensor]) -> Tensor:
    first = tensors[0]
    values = np.array([first._device.backend.to_host(t._array) for t in tensors])
    return wrap(first._device.backend.from_host(values), first._device)


def _overlaps(x: Tensor) -> bool:
    """Whether two elements share one place in memory."""
    places = np.zeros(1, np.int64)
    for n, stride in zip(x.shape, x.stride(), strict=True):
        places = (places[:, None] + np.arange(n) * stride).reshape(-1)
    return len(np.unique(places)) < len(places)
