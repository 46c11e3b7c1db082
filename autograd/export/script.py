"""A NumPy script in the making: variables, lines, and the text of both."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .helpers import HELPERS, needed

__all__ = ["Line", "Script", "Variable", "array_text", "number_text"]

TOKEN = re.compile("\x01(\\d+)\x02")  # stands for a variable in a text until it has its last name
RESERVED = {*keyword.kwlist, *HELPERS, "a", "data", "gradients", "inf", "math", "nan", "np", "sys", "value"}


class Variable:
    """A variable of the script.

    Attributes:
        name: what it is called; may change until the script is written.
        fixed: whether the name was given by the user or says what the variable is.
        array: the value that it had.
    """

    def __init__(self, number: int, name: str, array: Any, fixed: bool = False) -> None:
        self.number, self.name, self.array, self.fixed = number, name, array, fixed

    def __str__(self) -> str:
        return f"\x01{self.number}\x02"


@dataclass
class Line:
    """One assignment, or a comment where there is no target.

    Attributes:
        target: the variable that it defines; None of a comment and of a write into an array.
        text: the expression, with variables as tokens.
        writes: the variable whose array it writes to.
    """

    target: Variable | None
    text: str
    writes: Variable | None = None
    uses: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.uses = {int(n) for n in TOKEN.findall(self.text)}


class Script:
    """Variables and lines; what is not used is left out of the text."""

    def __init__(self) -> None:
        self.variables: list[Variable] = []
        self.inputs: list[Variable] = []
        self.lines: list[Line] = []
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}

    def variable(self, name: str, array: Any, fixed: bool = False) -> Variable:
        """A new variable, under the name if it is free, else with a number behind it."""
        made = Variable(len(self.variables), self.free(name), array, fixed)
        self.variables.append(made)
        return made

    def numbered(self, name: str, array: Any) -> Variable:
        """A new variable of a kind of which there may be many."""
        while True:
            self._counts[name] = self._counts.get(name, 0) + 1
            wanted = f"{name}_{self._counts[name]}" if name != "t" else f"t{self._counts[name]}"
            if wanted not in self._taken:
                return self.variable(wanted, array)

    def free(self, name: str) -> str:
        """A valid name like ``name`` that no variable has; it is taken from now on."""
        clean = re.sub(r"\W", "_", name, flags=re.ASCII) or "x"
        clean = f"p_{clean}" if clean[0].isdigit() else clean
        wanted, k = clean, 2
        while wanted in self._taken or wanted in RESERVED:
            wanted, k = f"{clean}_{k}", k + 1
        self._taken.add(wanted)
        return wanted

    def rename(self, variable: Variable, name: str) -> None:
        """Call a variable otherwise, for good."""
        self._taken.discard(variable.name)
        variable.name, variable.fixed = name, True

    def used(self, wanted: Iterable[Variable]) -> tuple[list[Line], set[int]]:
        """The lines without which ``wanted`` could not be computed, and the numbers of their variables."""
        live = {v.number for v in wanted}
        kept: list[Line] = []
        pending: list[Line] = []  # comments, kept if a line of their block is
        for line in reversed(self.lines):
            if line.target is None and line.writes is None:
                kept += [line] if pending else []
                pending = []
            elif (line.target is not None and line.target.number in live) or line.writes is not None:
                live |= line.uses
                kept.append(line)
                pending.append(line)
        return kept[::-1], live

    def body(self, lines: list[Line]) -> list[str]:
        """Lines as text, with the shape of what each makes."""
        out = []
        for line in lines:
            if line.target is None:
                out.append(self.named(line.text))
                continue
            comment = f"  # {list(line.target.array.shape)}" if getattr(line.target.array, "shape", None) else ""
            out.append(f"{line.target.name} = {self.named(line.text)}{comment}")
        return out

    def named(self, text: str) -> str:
        """A text with the variables' names in it."""
        return TOKEN.sub(lambda m: self.variables[int(m[1])].name, text)

    @staticmethod
    def helpers(lines: list[Line]) -> list[str]:
        """The texts of the helpers that the lines call."""
        called = {name for line in lines for name in re.findall(r"(?<![\w.])([a-z_]\w*)\(", line.text)}
        return needed({name for name in called if name in HELPERS})


def number_text(array: Any, typed: bool) -> str:
    """A 0-d array as a number, of its own NumPy type if ``typed``."""
    value = array[()]
    if array.dtype.kind == "f":
        text = str(value) if np.isfinite(value) else {"inf": "np.inf", "-inf": "-np.inf"}.get(str(value), "np.nan")
    else:
        text = repr(value.item())
    return f"np.{array.dtype.name}({text})" if typed and array.dtype.kind != "b" else text


def array_text(array: np.ndarray) -> str:
    """An array as the expression that makes it."""
    kind = "bool" if array.dtype.kind == "b" else f"np.{array.dtype.name}"
    if not array.size:
        return f"np.zeros({tuple(array.shape)}, {kind})"
    with np.printoptions(threshold=2**62, linewidth=110, floatmode="unique", suppress=False, nanstr="np.nan",
                         infstr="np.inf"):  # fmt: skip
        text = np.array2string(array, separator=", ", prefix=" " * 13)
    return f"np.array({text}, {kind})"
