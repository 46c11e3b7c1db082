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
from ..backends.array import ArrayBackend
from ..backends.array import math as _array_math
from ..backends.array.update import UpdateMixin
from ..testing.conformance import SAMPLES as TABLE
from ..testing.conformance.samples import elementwise
from .mentions import mentions

__all__ = ["add_where"]

CHECKOUT = Path(__file__).resolve().parents[2]
SAMPLES = Path(__file__).resolve().parents[1] / "testing" / "conformance" / "samples"
MODULES: dict[str, Any] = {
    "nn.functional": nn.functional, "nn": nn, "optim": nn.optim, "nn.init": nn.init, "nn.utils": nn.utils,
    "utils.data": nn.data, "autograd": autograd,
}  # fmt: skip
# What stands before a name -> how the public names begin that are meant
SCOPES = {"tg": "tapegrad.", "torch": "tapegrad.", "F": "nn.functional.", "nn.optim": "optim.", "tapegrad.nn": "nn."}


def add_where(commands: Any) -> None:
    """Add the command to argparse's ``commands``."""
    parser = commands.add_parser("where", help="file and line of an operation's kernels, rule, tests and public names")
    parser.add_argument(
        "op",
        help="a primitive such as tanh, a public name such as gelu, Tensor.add or Adam, a kernel such as adam_update",
    )
    parser.add_argument("--source", action="store_true", help="print the function that runs and records the operation")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    scope, _, name = options.op.rpartition(".")
    public = dict(_public(name, SCOPES.get(scope, f"{scope}." if scope else "")))
    target = _primitive(name, public) if public or not scope else None
    kernels = [name] if not scope and name in _kernels() else [k for o in public.values() for k in _called_kernels(o)]
    if target is None and not public and not kernels:
        close = difflib.get_close_matches(name, _known(), n=5, cutoff=0.6)
        hint = f"; close to it: {', '.join(close)}" if close else ""
        print(f"where: no operation is called '{options.op}'{hint}", file=sys.stderr)
        return 1
    if options.source:
        found = next(iter(public.values()), None) or getattr(ArrayBackend, kernels[0] if kernels else name, None)
        print(autograd.source(target) if target else inspect.getsource(inspect.unwrap(found)), end="")  # type: ignore[arg-type]
        return 0
    what = "made of other operations" if public else "a step that is not recorded"
    title = options.op if target == name else f"{name}: the primitive '{target}'" if target else f"{name}: {what}"
    if any(isinstance(o, type) for o in public.values()):
        title = f"{name}: a class"
    rows = [
        *(_primitive_rows(target) if target else ()),
        *(row for kernel in kernels for row in _kernel_rows(kernel)),
        *_test_rows(name, target, kernels),
        *_public_rows(public, bool(kernels)),
    ]
    print(title)
    width = max(len(label) for label, _ in rows)
    for label, place in rows:
        print(f"  {label:{width}}  {place}")
    return 0


def _known() -> list[str]:
    names = {n for module in MODULES.values() for n in module.__all__}
    return sorted({*autograd.RULES, *autograd.PUBLIC, *names, *_kernels()})


def _kernels() -> list[str]:
    """The steps of the table that are no primitives, such as an optimizer's."""
    return [n for n, f in inspect.getmembers(UpdateMixin, inspect.isfunction) if not n.startswith("_")]


def _functions(found: Any) -> Iterator[Any]:
    """A function, or the methods of a class and of those that it is made from."""
    for part in found.__mro__ if isinstance(found, type) else ():
        if part.__module__.startswith("tapegrad.") and part is not nn.Module:
            yield from (f for f in vars(part).values() if hasattr(f, "__code__"))
    if hasattr(found, "__code__"):
        yield found


def _called_kernels(found: Any) -> list[str]:
    called = {name for function in _functions(found) for name in function.__code__.co_names}
    return [name for name in _kernels() if name in called]


def _primitive(name: str, public: dict[str, Any]) -> str | None:
    """The primitive of this name, or the one that a public name stands for as it is (arctan2 for atan2)."""
    if name in autograd.RULES:
        return name
    functions = [f for f in public.values() if not isinstance(f, type)]
    return next((n for n in autograd.RULES if getattr(autograd.P, n) in functions), None)


def _public(name: str, scope: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public names under which something is found, and what they stand for; those that begin with ``scope``."""
    found: dict[str, Any] = {}
    if name in autograd.PUBLIC:
        found[f"tapegrad.{name}"] = autograd.PUBLIC[name]
    for method in (name, name + "_"):
        found[f"Tensor.{method}"] = getattr(Tensor, method, None)
    for label, module in MODULES.items():
        if name in module.__all__:
            found.setdefault(f"{label}.{name}", getattr(module, name))
    for label, value in found.items():
        if label.startswith(scope) and callable(value):
            yield label, value


def _public_rows(public: dict[str, Any], kernel: bool) -> Iterator[tuple[str, str]]:
    recorded = {getattr(autograd.P, n): n for n in autograd.RULES}
    for label, function in public.items():
        yield label, f"the primitive '{recorded[function]}'" if function in recorded else _place(function)
    functions = list(public.values())
    for name in sorted({n for found in functions if isinstance(found, type) for n in _names(found)}):
        yield f"runs nn.functional.{name}", _place(getattr(nn.functional, name))
    shown = {label.rpartition(".")[2] for label in public}
    synonyms = [n for n, f in autograd.PUBLIC.items() if f in functions and n not in shown]
    if synonyms:
        yield "synonyms", ", ".join(f"tapegrad.{n}" for n in synonyms)
    if not public:
        yield "public name", "none: optimizers and nn.utils call it" if kernel else "none: other operations call it"


def _names(found: type) -> Iterator[str]:
    """The functions of nn.functional that a module calls."""
    for function in _functions(found):
        yield from (n for n in function.__code__.co_names if n in nn.functional.__all__)


def _kernel_rows(name: str) -> Iterator[tuple[str, str]]:
    for known in backends.names():
        reason = backends.status(known)
        place = f"not usable here: {reason}" if reason else _place(getattr(type(backends.get(known)), name))
        yield f"{known} {name}", place


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
    if isinstance(function, type):
        return _link(Path(inspect.getsourcefile(function) or ""), inspect.findsource(function)[1] + 1)
    plain = inspect.unwrap(getattr(function, "py_func", function))  # a compiled kernel keeps what it was compiled from
    code = getattr(plain, "__code__", None)
    if code is None:
        return f"{type(plain).__module__}.{type(plain).__qualname__}"
    line = code.co_firstlineno
    while linecache.getline(code.co_filename, line).lstrip().startswith("@"):  # the definition, below its decorators
        line += 1
    return _link(Path(code.co_filename), line)


def _test_rows(name: str, target: str | None, kernels: list[str]) -> Iterator[tuple[str, str]]:
    """A primitive's row in the conformance table, and the tests that use it in their code; an install has no tests."""
    if target is not None:
        yield "samples", _samples(target)
    folder = CHECKOUT / "tests"
    if not folder.is_dir():
        yield "tests", "not installed; they are in the repository"
        return
    if target or kernels:
        yield "conformance", f"pytest tests/conformance -k {target or 'test_update'}"
    known = mentions(folder)
    found = [
        m for n in dict.fromkeys([name, target, *kernels]) if n for m in (*known.get(n, ()), *known.get(n + "_", ()))
    ]
    if not found:
        yield "test", "none uses it under its own name"
    for path in sorted({m.path for m in found}):
        first, *others = [m for m in found if m.path == path]
        more = f" and {len(others)} more" if others else ""
        yield "test", _link(path, first.line) + (f" ({first.function})" if first.function else "") + more


def _samples(name: str) -> str:
    if name not in TABLE:
        return f"{_place(elementwise.plain)} (ordinary numbers)" if elementwise.plain(autograd.RULES[name]) else "none"
    tables = sorted(SAMPLES.glob("*.py"), key=lambda table: (table.stem == "complex", table))  # those come on top
    patterns = (rf'^\s*"{re.escape(name)}"', rf'"{re.escape(name)}"')
    return next((_link(table, n) for pattern in patterns for table in tables for n in _lines(table, pattern)), "none")


def _lines(path: Path, pattern: str) -> list[int]:
    """The numbers of the lines in which a pattern occurs."""
    text = path.read_text(encoding="utf-8")
    return [number for number, line in enumerate(text.splitlines(), 1) if re.search(pattern, line)]


def _link(path: Path, line: int) -> str:
    """``file:line``, short where the file lies below the current folder, so that a terminal can follow it."""
    path = path.resolve()
    here = Path.cwd()
    return f"{path.relative_to(here) if path.is_relative_to(here) else path}:{line}"
