"""``python -m tapegrad where tanh``: the places in the sources that make up an operation."""

from __future__ import annotations

import argparse
import difflib
import inspect
import linecache
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .. import Tensor, autograd, backends, nn
from ..backends.array import math as _array_math

__all__ = ["add_where"]

CHECKOUT = Path(__file__).resolve().parents[2]
SAMPLES = Path(__file__).resolve().parents[1] / "testing" / "conformance" / "samples"


def add_where(commands: Any) -> None:
    """Add the command to argparse's ``commands``."""
    parser = commands.add_parser("where", help="file and line of an operation's kernels, rule, tests and public names")
    parser.add_argument("op", help="a primitive such as tanh, or a public function such as gelu")
    parser.add_argument("--source", action="store_true", help="print the function that runs and records the operation")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    name, public = options.op, dict(_public(options.op))
    target = _primitive(name, public)
    if target is None and not public:
        close = difflib.get_close_matches(name, _known(), n=5, cutoff=0.6)
        hint = f"; close to it: {', '.join(close)}" if close else ""
        print(f"where: no operation is called '{name}'{hint}", file=sys.stderr)
        return 1
    if options.source:
        print(
            autograd.source(target) if target else inspect.getsource(inspect.unwrap(next(iter(public.values())))),
            end="",
        )
        return 0
    print(
        name
        if target == name
        else f"{name}: the primitive '{target}'"
        if target
        else f"{name}: made of other operations"
    )
    rows = [
        *(_primitive_rows(target) if target else ()),
        *_test_rows(target or name, bool(target)),
        *_public_rows(public),
    ]
    width = max(len(label) for label, _ in rows)
    for label, place in rows:
        print(f"  {label:{width}}  {place}")
    return 0


def _known() -> list[str]:
    return sorted({*autograd.RULES, *autograd.PUBLIC, *nn.functional.__all__})


def _primitive(name: str, public: dict[str, Any]) -> str | None:
    """The primitive of this name, or the one that a public name stands for as it is (arctan2 for atan2)."""
    if name in autograd.RULES:
        return name
    functions = set(public.values())
    return next((n for n in autograd.RULES if getattr(autograd.P, n) in functions), None)


def _public(name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public names under which an operation is found, and what they call."""
    if name in autograd.PUBLIC:
        yield f"tapegrad.{name}", autograd.PUBLIC[name]
    if callable(method := getattr(Tensor, name, None)):
        yield f"Tensor.{name}", method
    if callable(method := getattr(Tensor, name + "_", None)):
        yield f"Tensor.{name}_", method
    if name in nn.functional.__all__:
        yield f"nn.functional.{name}", getattr(nn.functional, name)


def _public_rows(public: dict[str, Any]) -> Iterator[tuple[str, str]]:
    recorded = {getattr(autograd.P, n): n for n in autograd.RULES}
    for label, function in public.items():
        yield label, f"the primitive '{recorded[function]}'" if function in recorded else _place(function)
    functions = set(public.values())
    synonyms = [n for n, f in autograd.PUBLIC.items() if f in functions and f"tapegrad.{n}" not in public]
    if synonyms:
        yield "synonyms", ", ".join(f"tapegrad.{n}" for n in synonyms)
    if not public:
        yield "public name", "none: other operations call it"


def _primitive_rows(name: str) -> Iterator[tuple[str, str]]:
    file, line = autograd.RULES[name].line
    yield "rule", _link(Path(file), line) + ("" if autograd.RULES[name].differentiable else " (no derivative)")
    for known in backends.names():
        reason = backends.status(known)
        if reason is not None:
            yield f"{known} kernel", f"not usable here: {reason}"
            continue
        backend = backends.get(known)
        yield f"{known} kernel", _place(backend.kernel(name), name)
        fused = getattr(type(backend), name + "_vjp", None)
        if fused is not None:
            yield f"{known} vjp", _place(fused)
        elif autograd.RULES[name].differentiable:
            yield f"{known} vjp", "the rule's formula"


def _place(function: Any, name: str = "") -> str:
    """File and line of a kernel or a function; of a bare ufunc, where it is bound to the primitive ``name``."""
    if isinstance(function, np.ufunc):
        table = Path(_array_math.__file__)
        line = _lines(table, rf'"{re.escape(name)}": "')
        return f"{_link(table, line[0])} (the ufunc {function.__name__})" if line else f"the ufunc {function.__name__}"
    plain = inspect.unwrap(getattr(function, "py_func", function))  # a compiled kernel keeps what it was compiled from
    code = getattr(plain, "__code__", None)
    if code is None:
        return f"{type(plain).__module__}.{type(plain).__qualname__}"
    line = code.co_firstlineno
    while linecache.getline(code.co_filename, line).lstrip().startswith("@"):  # the definition, below its decorators
        line += 1
    return _link(Path(code.co_filename), line)


def _test_rows(name: str, primitive: bool) -> Iterator[tuple[str, str]]:
    """A primitive's row in the conformance table, and what other tests name it; an install has no tests."""
    if primitive:
        tables = sorted(SAMPLES.glob("*.py"))
        patterns = (rf'^\s*"{re.escape(name)}"', rf'"{re.escape(name)}"')
        rows = [_link(table, n) for pattern in patterns for table in tables for n in _lines(table, pattern)]
        yield "samples", rows[0] if rows else "none"
    if not (CHECKOUT / "tests").is_dir():
        yield "tests", "not installed; they are in the repository"
        return
    for path in sorted((CHECKOUT / "tests").rglob("test_*.py")):
        if found := _lines(path, rf'"{re.escape(name)}"|\b(?:P|F|tg|torch)\.{re.escape(name)}\('):
            yield "test", _link(path, found[0]) + (f" and {len(found) - 1} more" if len(found) > 1 else "")


def _lines(path: Path, pattern: str) -> list[int]:
    """The numbers of the lines in which a pattern occurs."""
    text = path.read_text(encoding="utf-8")
    return [number for number, line in enumerate(text.splitlines(), 1) if re.search(pattern, line)]


def _link(path: Path, line: int) -> str:
    """``file:line``, short where the file lies below the current folder, so that a terminal can follow it."""
    path = path.resolve()
    here = Path.cwd()
    return f"{path.relative_to(here) if path.is_relative_to(here) else path}:{line}"
