"""PyTorch's names for the steps of the tape, such as ``MulBackward0``: what ``grad_fn`` prints.

A primitive's own name makes most of them. The table holds the others: primitives that PyTorch calls differently, and
those that serve several of its operations, told apart by what the step saved. Where that does not tell, the operation
says its name with ``named``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from .node import Node

__all__ = ["name_of", "named", "step"]

F = TypeVar("F", bound=Callable[..., Any])


def named(out: Any, name: str) -> Any:
    """Let the step that made the tensor ``out`` go by ``name``; returns ``out``."""
    if out._node is not None and out._node.edges is not None:  # a leaf is no step
        out._node.extra = name
    return out


def step(name: str | Callable[..., str]) -> Callable[[F], F]:
    """Let what a composition of several steps returns go by one name, as in PyTorch, where it is one step.

    Args:
        name: without the end "Backward0", or a function that tells it from the arguments.
    """

    fixed = _finished(name) if isinstance(name, str) else None

    def decorate(function: F) -> F:
        @wraps(function)
        def operation(*args: Any, **kwargs: Any) -> Any:
            made = function(*args, **kwargs)
            for out in made if isinstance(made, tuple) else (made,):
                node = getattr(out, "_node", None)
                if node is None or node.edges is None:
                    continue
                for x in args:
                    if getattr(x, "_node", None) is node:  # an argument keeps its own
                        break
                else:
                    node.extra = _finished(name(*args, **kwargs)) if fixed is None else fixed  # type: ignore[operator]
            return made

        return operation  # type: ignore[return-value]

    return decorate


_DONE = re.compile(r"Backward\d(_copy)?$")


def _finished(word: str) -> str:
    return word if _DONE.search(word) or word in WHOLE else word + "Backward0"


WHOLE = ("CopySlices", "CopyBackwards")  # names that stand as they are


def name_of(node: Node) -> str:
    """The name of a step."""
    if node.edges is None:
        return "AccumulateGrad"
    if type(node.extra) is str:
        return node.extra
    name = node.rule.name
    known = NAMES.get(name)
    if known is None:
        known = "".join(word.capitalize() for word in name.split("_"))
    elif not isinstance(known, str):
        known = known(node, _saved(node))
    return _finished(known)


def _saved(node: Node) -> dict[str, Any]:
    """What a step saved, by name; nothing after its memory was freed."""
    kept = node.peek()
    rows = () if kept is None else (kept,) if node.rule.joint else kept
    found: dict[str, Any] = {}
    for names, values in zip(node.rule.saves, rows, strict=False):
        found.update(zip(names, values or (), strict=False))
    return found


def _slice(node: Node, saved: dict[str, Any]) -> str:
    index = saved.get("index", (slice(0, 1),))
    for part in reversed(index):
        if part is None:
            return "Unsqueeze"
        if not isinstance(part, slice):
            return "Select"
        if part != slice(None):
            return "Slice"
    return "Slice" if len(index) == 1 else "Alias"


def _matmul(node: Node, saved: dict[str, Any]) -> str:
    shape = saved.get("input_shape") or saved.get("other_shape") or (0, 0)
    return {2: "Mm", 3: "Bmm"}.get(len(shape), "UnsafeView")


def _ndim(saved: dict[str, Any], name: str) -> int:
    return saved[name].ndim if name in saved else 0


def _linear(node: Node, saved: dict[str, Any]) -> str:
    if _ndim(saved, "out") > 2:
        return "View" if node.edges[2] is not None else "UnsafeView"
    return "Addmm" if node.edges[2] is not None else "Mm"


def _pow(node: Node, saved: dict[str, Any]) -> str:
    if node.edges[0] is None:
        return "PowBackward1" if _ndim(saved, "a") else "PowBackward2"
    return "PowBackward1" if node.edges[1] is not None or _ndim(saved, "b") else "PowBackward0"


def _over_dims(word: str) -> Callable[[Node, dict[str, Any]], str]:
    """The operation over all elements ends in 0, the one along dimensions in 1."""
    return lambda node, saved: f"{word}Backward{int(saved.get('dims') is not None)}"


def _by_tensor(word: str) -> Callable[[Node, dict[str, Any]], str]:
    """The operation with a number ends in 0, the one with a tensor in 1."""
    return lambda node, saved: f"{word}Backward{int(node.edges[1] is not None)}"


NAMES: dict[str, str | Callable[[Node, dict[str, Any]], str]] = {
    "cast": "ToCopy", "clamp": "ClampBackward1", "copy": "Clone", "log1p": "Log1P",
    "fmod": _by_tensor("Fmod"), "gelu_tanh": "Gelu", "index": "Index", "layer_norm": "NativeLayerNorm",
    "linear": _linear, "matmul": _matmul,
    "mean": _over_dims("Mean"), "mse": "MseLoss", "overwrite": "CopyBackwards", "pad": "ConstantPadNd",
    "pow": _pow, "prod": "Prod", "remainder": _by_tensor("Remainder"), "reshape": "View",
    "slice": _slice, "softmax_xent": "NllLoss", "square": "Pow", "sum": _over_dims("Sum"), "take": "Embedding",
    "nll": "NllLoss", "transfer": "ToCopy", "view_scatter": "CopySlices", "windows": "Unfold",
}  # fmt: skip
