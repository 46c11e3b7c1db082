"""Steps of the tape that are no primitive: what a program of the user's computes, and differentiates itself.

One rule serves them all. What such a step saves is a single object, which is handed the cotangent. Where the step has
several results, each hangs on an ``OutputNode`` that passes its cotangent on as a ``Bundle``; the bundles add up like
any other cotangents, so the engine knows nothing of several results.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from .node import Node, OutputNode, make
from .rule import P, Rule
from .tensor import Tensor, wrap

__all__ = ["STEP", "Bundle", "FunctionNode", "bundles", "output_node", "unmoved"]


def _rule() -> Rule:
    made = object.__new__(Rule)
    made.name, made.inputs, made.attrs, made.typed = "function", (), ("call",), ()
    made.optional, made.variadic, made.kind, made.unfit = frozenset(), None, None, ""
    made.view = made.residual = made.public = made.fresh = made.holomorphic = False
    made.joint = True
    made.vjps, made.saves = (lambda F, g, call: call._differentiate(F is P, g),), (("call",),)
    made.index, made.line = -1, (__file__, 0)  # a device's table of formulas has it at its end
    return made


STEP = _rule()


class FunctionNode(Node):
    """A step that a function of the user's differentiates; it has the attributes of the function's ``ctx`` too."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        saved = None if name.startswith("__") else self.saved
        if saved is None:
            raise AttributeError(f"{self.name()} has no attribute '{name}'")
        return getattr(saved[0], name)


class Bundle:
    """The cotangents of several outputs of one step.

    Attributes:
        parts: by the number of the output, the cotangent (a raw array, or a tensor) and its device.
    """

    __slots__ = ("parts",)

    dtype = np.dtype(bool)  # to whoever looks for NaN, there is none in it

    def __init__(self, parts: dict[int, tuple[Any, Any]]) -> None:
        self.parts = parts

    @property
    def _array(self) -> Bundle:
        return self

    @property
    def _device(self) -> Any:
        return bundles

    def tensor(self, k: int) -> Tensor | None:
        """The cotangent of output ``k``; None where nothing arrived."""
        if k not in self.parts:
            return None
        value, device = self.parts[k]
        return value if isinstance(value, Tensor) else wrap(device.backend.normal(value), device)


def _joined(a: Bundle, b: Bundle) -> Bundle:
    parts = dict(a.parts)
    for k, (value, device) in b.parts.items():
        if k in parts:
            before = parts[k][0]
            value = P.add(before, value) if isinstance(value, Tensor) else device.backend.add(before, value)
        parts[k] = value, device
    return Bundle(parts)


class _Bundles:
    """Stands for a device where the engine asks a step with several outputs where it ran."""

    type, index = "cpu", None
    backend: Any = SimpleNamespace(add=_joined, name="numpy")
    vjps = (STEP.vjps,)

    def __str__(self) -> str:
        return "several"


bundles = _Bundles()


class _Output:
    """The cotangent of output ``k`` as a bundle."""

    __slots__ = ("device", "k")

    def __init__(self, k: int, device: Any) -> None:
        self.k, self.device = k, device

    def _differentiate(self, record: bool, g: Any) -> tuple[Bundle]:
        return (Bundle({self.k: (g, self.device)}),)


def output_node(step: Node, k: int, device: Any) -> Node:
    """A node for output ``k`` of a step with several."""
    node = make(STEP, (step,), (_Output(k, device),), (), None, device, OutputNode)
    node.extra = step.extra
    return node


class _Unmoved:
    """The step of a result that small changes of its inputs do not change: all gradients are zero."""

    __slots__ = ("likes",)

    def __init__(self, likes: list[Any]) -> None:
        self.likes = likes

    def _differentiate(self, record: bool, g: Any) -> tuple[Any, ...]:
        made = []
        for like in self.likes:
            zeros = None if like is None else like[2].backend.filled(like[0], 0, like[1])
            made.append(wrap(zeros, like[2]) if record and like is not None else zeros)
        return tuple(made)


def unmoved(name: str, operands: tuple[Any, ...]) -> Node | None:
    """The node of what an in-place operation without a derivative, such as ``gt_``, made; None without a history."""
    tensors = [x for x in operands if isinstance(x, Tensor)]
    edges = tuple(x._current() for x in tensors)
    if not any(edges):
        return None
    likes = [
        None if edge is None else (x._array.shape, x._array.dtype, x._device)
        for x, edge in zip(tensors, edges, strict=True)
    ]
    node = make(STEP, edges, (_Unmoved(likes),), (), None, tensors[0]._device)
    node.extra = f"{name.strip('_').capitalize()}Backward{int(len(tensors) > 1)}"
    return node
