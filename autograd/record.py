"""Makes the function that runs one primitive and records it on the tape, of the text that ``operation_text`` writes.

An operation on small arrays costs a few hundred nanoseconds of arithmetic, so everything around it is written out
for the primitive at hand: no loop over inputs, no dictionary, no test that this primitive does not need. The text of
each function can be read: ``source("mul")``, or ``python -m tapegrad where mul --source``.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from copy import copy
from types import CodeType
from typing import TYPE_CHECKING, Any

from .operation_text import BOTH_TENSORS, TENSOR_FIRST, entry, function, parameters, signature, takes_out, write

if TYPE_CHECKING:
    from .rule import Rule

__all__ = ["BOTH_TENSORS", "GLOBALS", "TENSOR_FIRST", "argument_names", "compile_operation", "source"]

_functions: dict[str, tuple[Rule, Any]] = {}  # primitive -> its rule and its operation
_stubs: dict[str, Callable[..., Any]] = {}  # parameters -> what makes an operation that has not been called yet
_codes: dict[str, CodeType] = {}  # text -> its code

# What the written functions refer to; `tensor` and `views` fill in what they define.
# (The module's name is what warnings filters look at.)
GLOBALS: dict[str, Any] = {"__name__": "tapegrad.autograd.ops"}


def source(name: str) -> str:
    """The Python text of the operation that records the primitive ``name``."""
    return write(_in_public_words(_functions[name][0]))


def compile_operation(rule: Rule) -> Callable[..., Any]:
    """The operation of a rule: tensors in, tensor out, one node on the tape.

    Its text is written and compiled at its first call, since most programs use few operations; until then the function
    only knows its parameters. The function stays the same object: what it runs is exchanged.

    Raises:
        ValueError: a formula asks for something that the operation does not have.
    """
    for names in rule.saves:
        for name in names:
            entry(rule, name)
    words = _in_public_words(rule)
    taken = signature(words)
    make = _stubs.get(taken)
    if make is None:
        given = ", ".join([*parameters(words), *(["out"] if takes_out(words) else [])])
        text = f"return first_call(RULE, INDEX)({given})"
        make = _stubs[taken] = _make(function(taken, text), "<tapegrad first call>")
    made: Callable[..., Any] = make(rule, rule.index)
    made.__name__ = made.__qualname__ = rule.name
    made.__module__ = "tapegrad.autograd.ops"
    _functions[rule.name] = (rule, made)
    return made


def _first_call(rule: Rule, index: int) -> Callable[..., Any]:
    """Give an operation its code; rules of one form share it, since rule and index are bound to the function."""
    text = source(rule.name)
    code = _codes.get(text)
    if code is None:
        filename = f"<tapegrad operation {len(_codes)}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
        code = _codes[text] = _make(text, filename)(rule, index).__code__
    made = _functions[rule.name][1]
    made.__code__ = code
    return made


def _make(text: str, filename: str) -> Callable[..., Any]:
    space: dict[str, Any] = {}
    exec(compile(text, filename, "exec"), GLOBALS, space)
    return space["make"]


def argument_names(rule: Rule) -> tuple[str, ...]:
    """The inputs as the user knows them: as PyTorch names them; formulas may call them what suits the formula."""
    count = len(rule.inputs)
    if rule.kind is None:
        return rule.inputs
    return ("condition", "input", "other")[-count:] if count > 1 else ("input",)


def _in_public_words(rule: Rule) -> Rule:
    """The rule with its inputs named as the arguments of its operation."""
    count = len(rule.inputs)
    words = tuple(f"t{k}" for k in range(count)) if rule.kind is None else argument_names(rule)
    new_name = dict(zip(rule.inputs, words))

    def translate(name: str) -> str:
        of, _, what = name.rpartition("_")
        return f"{new_name[of]}_{what}" if of in new_name and name not in new_name else new_name.get(name, name)

    made = copy(rule)
    made.inputs = words
    made.optional = frozenset(new_name[n] for n in rule.optional)
    made.variadic = None if rule.variadic is None else new_name[rule.variadic]
    made.typed = tuple(new_name[n] for n in rule.typed)
    made.only_for = {translate(n): new_name.get(other, other) for n, other in rule.only_for.items()}
    made.saves = tuple(tuple(translate(n) for n in names) for names in rule.saves)
    return made


GLOBALS["first_call"] = _first_call
