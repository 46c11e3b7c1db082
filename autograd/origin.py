"""Where in the user's program a step of the tape was made, for the tools that must say so.

Off, this costs nothing: steps are numbered by a plain counter. While a tool watches, the counter is replaced by one
whose numbers remember the calls that led to them; a number is freed with its node, and so is what it remembers.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from . import node as nodes
from . import record
from .engine import propagate
from .node import Node

__all__ = ["Call", "Origin", "calls_from", "described", "node_in", "origin_of", "traceback_of", "unwatch", "user_call",
           "watch"]  # fmt: skip

# One call: its code, the line, and whether it is the library's own.
Call = tuple[CodeType, int, bool]

_count = nodes.ticket
_watchers: list[Callable[[Origin, FrameType], None]] = []


class Origin(int):
    """The number of a step, with the calls that led to it.

    Attributes:
        calls: outermost first, down to the user's own last line.
        parent: of a step recorded during a backward, the number of the step that was being differentiated.
        sums: checksums of what the step saved, or None.
    """

    calls: tuple[Call, ...]
    parent: Origin | None
    sums: list[int] | None


def watch(watcher: Callable[[Origin, FrameType], None]) -> None:
    """Call ``watcher(number, frame)`` for every step that is recorded from now on.

    ``frame`` is that of the function that makes the node; its variable ``node`` holds everything but the number.
    """
    _watchers.append(watcher)
    record.GLOBALS["ticket"] = nodes.ticket = _marked


def unwatch(watcher: Callable[[Origin, FrameType], None]) -> None:
    """Undo one ``watch``."""
    _watchers.remove(watcher)
    if not _watchers:
        record.GLOBALS["ticket"] = nodes.ticket = _count


def _marked() -> Origin:
    frame = sys._getframe(1)
    made = Origin(_count())
    made.calls, inside = calls_from(frame)
    made.parent, made.sums = origin_of(inside), None
    for watcher in tuple(_watchers):
        watcher(made, frame)
    return made


def origin_of(node: Node | None) -> Origin | None:
    """What a step knows about where it was made; None where nothing watched."""
    seq = None if node is None else node.seq
    return seq if type(seq) is Origin else None


def calls_from(frame: FrameType | None) -> tuple[tuple[Call, ...], Node | None]:
    """The calls that led to ``frame``, without the library's own innermost ones, and the step being differentiated."""
    calls: list[Call] = []
    inside: Node | None = None
    while frame is not None:
        own = _is_ours(frame)
        if inside is None and frame.f_code is propagate.__code__:
            inside = node_in(frame)
        if calls or not own:
            calls.append((frame.f_code, frame.f_lineno, own))
        frame = frame.f_back
    calls.reverse()
    return tuple(calls), inside


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__")
    return type(name) is str and (name == "tapegrad" or name.startswith("tapegrad."))


def node_in(frame: FrameType) -> Node | None:
    """The step at which a running backward stands, from its frame."""
    found: Any = frame.f_locals.get("node")
    return found if isinstance(found, Node) else None


def user_call(calls: tuple[Call, ...]) -> tuple[str, int, str]:
    """The user's own last line among ``calls``: file, line number and text."""
    if not calls:
        return "<unknown>", 0, ""
    code, line, _ = calls[-1]
    return code.co_filename, line, linecache.getline(code.co_filename, line).strip()


def described(calls: tuple[Call, ...]) -> str:
    """The user's own last line in one line of text."""
    file, line, text = user_call(calls)
    return f'File "{file}", line {line}' + (f": {text}" if text else "")


def traceback_of(calls: tuple[Call, ...]) -> str:
    """Calls as Python prints a traceback."""
    lines = []
    for code, line, _ in calls:
        lines.append(f'  File "{code.co_filename}", line {line}, in {code.co_name}\n')
        text = linecache.getline(code.co_filename, line).strip()
        lines += [f"    {text}\n"] if text else []
    return "".join(lines)
