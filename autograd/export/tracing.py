"""A backend that computes with NumPy and writes down every primitive that it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backends.registry import PRIMITIVES
from ..rule import RULES
from .script import Line, Script, Variable, number_text
from .templates import Given, literal, write

__all__ = ["TracingBackend"]


class TracingBackend:
    """NumPy's table of primitives, each call a line of a script.

    The class has no fused derivatives, so that the backward is made of the formulas of the rules.
    """

    def __init__(self, numpy: Any, script: Script) -> None:
        self._numpy, self.script = numpy, script
        self._variables: dict[int, Variable] = {}  # id of an array -> its variable, which keeps the array alive
        self._alive: list[Any] = []
        self.constants: list[Variable] = []
        self.backward = False  # whether intermediate results are called t1, t2 ...

    def in_place(self, name: str, target: Any, values: tuple[Any, ...]) -> bool:
        """Never: what is written then passes through ``assign``, which is traced."""
        return False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._numpy, name)
        if name in PRIMITIVES:
            found = self._traced(name)
        elif name in ("assign", "accumulate"):
            found = self._written(name)
        else:
            return found
        setattr(self, name, found)
        return found

    def kernel(self, name: str) -> Callable[..., Any]:
        """The function that runs and writes down the primitive ``name``."""
        return getattr(self, name)

    def known(self, array: Any) -> Variable | None:
        """The variable that holds an array."""
        return self._variables.get(id(array))

    def hold(self, variable: Variable) -> Variable:
        """Remember whose array is whose."""
        self._variables[id(variable.array)] = variable
        return variable

    def define(self, name: str, array: Any, text: str, fixed: bool = False) -> Variable:
        """A new variable, and the line that makes it."""
        variable = self.script.variable(name, array, True) if fixed else self.script.numbered(name, array)
        self.script.lines.append(Line(variable, text))
        return self.hold(variable)

    def _traced(self, name: str) -> Callable[..., Any]:
        kernel = self._numpy.kernel(name)
        residual = name in RULES and RULES[name].residual

        def traced(*args: Any) -> Any:
            result = kernel(*args)
            out = np.asarray(result[0] if residual else result)
            same = self.known(args[0]) if self.backward and name == "reshape" and out.shape == args[0].shape else None
            if same is not None:  # nothing is written to in the backward, so it may go by the old name
                self._alive.append(out)
                self._variables[id(out)] = same
            elif self.known(out) is None:
                text = write(name, Given(self._texts(args), args))
                text = f"np.asarray({text})" if not out.ndim and not self.backward and RULES[name].view else text
                self.define("t" if self.backward else name, out, text)
            return (out, result[1]) if residual else out

        return traced

    def _written(self, name: str) -> Callable[..., Any]:
        method, sign = getattr(self._numpy, name), "=" if name == "assign" else "+="

        def written(target: Any, value: Any) -> None:
            into, of = self._texts((target, value))
            variable = self.known(target)
            method(target, value)
            if variable is not None and not target.ndim:  # a result that NumPy gives as a number, not as an array
                for line in self.script.lines:
                    if line.target is variable and not line.text.startswith("np.asarray("):
                        line.text = f"np.asarray({line.text})"
            self.script.lines.append(Line(None, f"{into}[...] {sign} {of}", variable))

        return written

    def _texts(self, args: tuple[Any, ...]) -> list[str]:
        """The arguments of a call as texts: numbers stand as they are if an array gives the type."""
        flat = [a for x in args for a in (x if isinstance(x, list) else [x])]
        typed = not any(
            isinstance(a, np.ndarray) and (a.ndim or self.known(a) is not None) and a.dtype.kind in "fc" for a in flat
        )
        return [self._text(x, typed) for x in args]

    def _text(self, value: Any, typed: bool) -> str:
        if isinstance(value, list):
            return "[" + ", ".join(self._text(v, typed) for v in value) + "]"
        if not isinstance(value, np.ndarray):
            return literal(value)
        variable = self.known(value)
        if variable is not None:
            return str(variable)
        if not value.ndim:
            return number_text(value, typed)
        # Made by something that is no primitive: random numbers, what the user wrote down, the masks of dropout.
        variable = self.hold(self.script.numbered("constant", value))
        self.constants.append(variable)
        return str(variable)
