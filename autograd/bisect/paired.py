"""A backend that runs every primitive on two backends and compares: the first one's results go on."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from ...backends import BackendError
from ...backends.registry import PRIMITIVES
from ..engine import propagate
from ..node import Node
from ..origin import calls_from, node_in, origin_of, user_call
from ..rule import RULES, Rule
from .closeness import Difference, differ, noise_of, to_arrays
from .report import Disagreement, Report

__all__ = ["PairedBackend", "pair"]

WRITES = ("accumulate", "assign")  # methods besides NAME_update that write to their arguments
UNCOMPARED = ("transfer",)  # where data goes, and no arithmetic


class PairedBackend:
    """The table of primitives of ``first``, every call compared with ``second``; see ``pair``."""

    def __init__(self, first: Any, second: Any, report: Report, rtol: float | None, atol: float) -> None:
        self._first, self._second, self._report = first, second, report
        self._rtol, self._atol = rtol, atol
        self._residuals: dict[int, tuple[Any, Any]] = {}  # what the first one's kernel kept -> with the second one's

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._first, name)
        if name in PRIMITIVES and name not in UNCOMPARED:
            found = self._comparing(name)
        elif name.endswith("_update") or name in WRITES:
            found = self._comparing_write(name)
        else:
            return found
        setattr(self, name, found)
        return found

    def kernel(self, name: str) -> Callable[..., Any]:
        """The function that runs the primitive ``name`` on both."""
        try:
            return getattr(self, name)
        except AttributeError:
            return self._first.kernel(name)

    # Running

    def _comparing(self, name: str) -> Callable[..., Any]:
        ours, theirs = self._first.kernel(name), self._second.kernel(name)
        residual = name in RULES and RULES[name].residual

        def compared(*args: Any) -> Any:
            out = ours(*args)
            if self._report.disagreement is None:
                result = out[0] if residual else out
                also = self._elsewhere(theirs, args)
                if residual and not isinstance(also, Exception):
                    self._residuals[id(out[1])] = (out[1], also[1])
                    also = also[0]
                runs = [ours, theirs]
                self._judge(
                    name, to_arrays(result), also, args,
                    lambda given: to_arrays(runs[given[0]](*given[1:])[0] if residual else runs[given[0]](*given[1:])),
                )  # fmt: skip
            return out

        return compared

    def _comparing_write(self, name: str) -> Callable[..., Any]:
        ours, theirs = getattr(self._first, name), getattr(self._second, name)
        names = list(inspect.signature(ours).parameters)

        def compared(*args: Any) -> Any:
            if self._report.disagreement is not None:
                return ours(*args)
            before, copies = _copied(args), _copied(args)
            out = ours(*args)
            also = self._elsewhere(theirs, copies)
            labels, after, moved = _written(names, args, before)
            if not isinstance(also, Exception):
                also = _written(names, copies, before)[1]

            def again(given: list[Any]) -> list[Any]:
                start = _copied(given[1:])
                (ours, theirs)[given[0]](*given[1:])
                return _written(names, given[1:], start)[2]

            self._judge(name, after, also, before, again, labels=labels, moved=moved)
            return out

        return compared

    def _elsewhere(self, theirs: Callable[..., Any], args: Any) -> Any:
        """What the second backend answers, or the error that it raises."""
        with np.errstate(all="ignore"):
            try:
                return theirs(*args)
            except Exception as error:  # whatever it raises where the first answers is a disagreement
                return error

    def _derivative(self, rule: Rule, g: Any, saved: tuple[Any, ...]) -> Any:
        """The derivative of a step where at least one of the two backends has a fused one."""
        fused = [getattr(type(b), rule.name + "_vjp", None) for b in (self._first, self._second)]
        formulas = [f or rule.vjps[0] for f in fused]
        out = formulas[0](self._first, g, *saved)
        if self._report.disagreement is not None:
            return out
        theirs = tuple(self._residuals.get(id(s), (s, s))[1] for s in saved)
        also = self._elsewhere(lambda *args: formulas[1](self._second, *args), (g, *theirs))
        both = (self._first, self._second)

        def again(given: list[Any]) -> list[Any]:
            return to_arrays(rule.vjps[0](both[given[0]], *given[1:]))

        inputs = rule.inputs if rule.joint else rule.inputs[:1]
        labels = list(inputs) if len(to_arrays(out)) == len(inputs) else None
        calls = dict(self._report.calls)
        wrong = self._judge(rule.name, to_arrays(out), also, (g, *saved), again, labels=labels, fused=True)
        if wrong is not None and None in fused:  # then the fault may lie in a primitive that the formula calls
            self._report.disagreement, counted = None, dict(self._report.calls)
            self._elsewhere(lambda: rule.vjps[0](self, g, *saved), ())
            self._report.calls.update(counted if self._report.disagreement is None else calls)
            self._report.disagreement = self._report.disagreement or wrong
        return out

    # Judging

    def _judge(
        self, name: str, results: list[Any], others: Any, args: Any, again: Callable[[list[Any]], list[Any]], *,
        labels: list[str] | None = None, moved: list[Any] | None = None, fused: bool = False,
    ) -> Disagreement | None:  # fmt: skip
        """Compare the results of one call; keeps and returns the disagreement, if there is one."""
        frame = sys._getframe(2)
        _, running = _backward_step(frame)
        direction = "update" if name.endswith("_update") else "backward" if running is not None else "forward"
        self._report.calls[direction] += 1
        if isinstance(others, Exception):
            text = f"{self._second.name} raises {type(others).__name__}: {others}"
            return self._keep(frame, name, direction, fused, None, args, Difference(text))
        several = others if moved is not None else to_arrays(others)
        noise = noise_of(again, list(args), 2, wide=moved is not None)
        for k, (a, b) in enumerate(zip(results, several, strict=False)):
            wrong = differ(
                a, b, self._rtol, self._atol, lambda k=k: noise(k), None if moved is None else moved[k]  # type: ignore[misc]
            )  # fmt: skip
            if wrong is not None:
                label = labels[k] if labels else k if len(results) > 1 else None
                return self._keep(frame, name, direction, fused, label, args, wrong)
        return None

    def _keep(
        self, frame: FrameType, name: str, direction: str, fused: bool, label: Any, args: Any, wrong: Difference
    ) -> Disagreement:
        node, running = _backward_step(frame)
        origin = origin_of(node)
        calls = origin.calls if origin is not None else () if running is not None else calls_from(frame)[0]
        file, line, text = user_call(calls)
        made = Disagreement(
            name, direction, fused, None if node is None else node.rule.name,
            label if fused else None if node is None or running is None else _input_of(node, frame, running),
            None if fused else label, tuple(_described(a) for a in args), wrong.text, wrong.absolute, wrong.relative,
            wrong.index, file, line, text,
        )  # fmt: skip
        self._report.disagreement = made
        return made


def pair(first: Any, second: Any, report: Report, rtol: float | None, atol: float) -> PairedBackend:
    """A backend that runs everything on ``first`` and on ``second``, and notes in ``report`` where they disagree.

    The engine finds fused derivatives on a backend's class, so every pair is of a class of its own.

    Raises:
        BackendError: the two serve different device types, and so compute on different arrays.
    """
    if first.device_type != second.device_type:
        raise BackendError(
            f"compare: backend '{first.name}' computes on {first.device_type}, '{second.name}' on "
            f"{second.device_type}; only backends of one device type run on the same arrays"
        )
    fused: dict[str, Any] = {}
    for rule in RULES.values():
        method = rule.name + "_vjp"
        if rule.differentiable and (hasattr(type(first), method) or hasattr(type(second), method)):
            fused[method] = _fused(rule)
    return type("PairedBackend", (PairedBackend,), fused)(first, second, report, rtol, atol)


def _fused(rule: Rule) -> Callable[..., Any]:
    def derivative(self: PairedBackend, g: Any, *saved: Any) -> Any:
        return self._derivative(rule, g, saved)

    return derivative


def _backward_step(frame: FrameType | None) -> tuple[Node | None, FrameType | None]:
    """The step that a running backward differentiates and the frame of that backward; None in a forward."""
    while frame is not None:
        if frame.f_code is propagate.__code__:
            return node_in(frame), frame
        frame = frame.f_back
    return None, None


def _input_of(node: Node, frame: FrameType, running: FrameType) -> str | None:
    """Of which input the gradient is being computed: the one whose formula is among the calls."""
    codes = [getattr(formula, "__code__", None) for formula in node.rule.vjps]
    walk: FrameType | None = frame
    while walk is not None and walk is not running:
        if walk.f_code in codes and not node.rule.joint:
            return str(node.rule.inputs[codes.index(walk.f_code)])
        walk = walk.f_back
    return None


def _copied(args: Any) -> Any:
    return tuple(
        [a.copy() for a in x] if isinstance(x, list) and x and hasattr(x[0], "copy")
        else x.copy() if hasattr(x, "dtype") else x
        for x in args
    )  # fmt: skip


def _written(names: list[str], args: Any, before: Any) -> tuple[list[str], list[Any], list[Any]]:
    """The arrays among the arguments of a write: their names, what they are now, and by how much that is another."""
    labels, arrays, moved = [], [], []
    for name, now, then in zip(names, args, before, strict=False):
        several = isinstance(now, list)
        for i, (a, b) in enumerate(zip(now, then, strict=True) if several else ((now, then),)):
            if hasattr(a, "dtype"):
                labels.append(f"{name}[{i}]" if several else name)
                arrays.append(np.asarray(a))
                wide = np.complex128 if a.dtype.kind == "c" else np.float64
                with np.errstate(all="ignore"):
                    moved.append(np.asarray(a).astype(wide) - np.asarray(b).astype(wide))
    return labels, arrays, moved


def _described(value: Any) -> str:
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, (list, tuple)) and any(hasattr(v, "dtype") for v in value):
        more = f", ... {len(value)} in all" if len(value) > 3 else ""
        return "[" + ", ".join(_described(v) for v in value[:3]) + more + "]"
    return repr(value)
