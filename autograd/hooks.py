"""Hooks on tensors and on steps of the tape: how they are registered, and how the engine calls them."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from threading import get_ident
from typing import Any

from .grad_mode import set_grad_enabled
from .handles import HookTable, NodeHooks, RemovableHandle
from .node import Node, reachable
from .promote import describe
from .steps import Bundle, FunctionNode
from .tensor import Tensor, wrap

__all__ = [
    "hooked", "hooks_on_several", "register_hook", "register_post_accumulate_grad_hook", "retain_grad", "retains_grad",
    "running", "shown_before", "shown_behind", "told",
]  # fmt: skip


# On a tensor


def register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
    """Call ``hook`` with every gradient of this tensor; what it returns (if anything) takes the gradient's place."""
    node = self._current()
    if node is None:
        raise RuntimeError("register_hook: this tensor does not require grad")
    return NodeHooks.of(node).tensor.add(hook)


def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], None]) -> RemovableHandle:
    """Call ``hook`` with this leaf whenever a backward has added to its gradient.

    Raises:
        RuntimeError: not a leaf that requires grad.
    """
    node = self._current()
    if node is None:
        raise RuntimeError("register_post_accumulate_grad_hook: this tensor does not require grad")
    if node.edges is not None:
        raise RuntimeError("register_post_accumulate_grad_hook: only leaves accumulate gradients, this is a result")
    found = weakref.ref(self)  # a hook that held its tensor would keep both alive

    def call() -> None:
        tensor = found()
        if tensor is not None:
            hook(tensor)

    return NodeHooks.of(node).accumulated.add(call)


def retain_grad(self: Tensor) -> None:
    """Keep the gradient of this result of an operation in ``.grad``."""
    node = self._current()
    if node is None:
        raise RuntimeError("retain_grad: this tensor does not require grad")
    if node.edges is None or retains_grad(self):
        return
    found = weakref.ref(node)

    def keep(g: Tensor) -> None:
        node = found()
        if node is not None:
            node.grad = g.clone() if node.grad is None else node.grad + g

    NodeHooks.of(node).keep = keep


def retains_grad(self: Tensor) -> bool:
    """Whether ``retain_grad`` was called on this result of an operation."""
    node = self._current()
    return node is not None and node.hooks is not None and node.hooks.keep is not None


# As the engine calls them


def hooked(node: Node, g: Any, record: bool) -> Any:
    """Show the cotangent of a tensor to its hooks; each may return another in its place."""
    hooks = node.hooks
    if not hooks.tensor and hooks.keep is None:
        return g
    tensor = g if record else wrap(node.device.backend.normal(g), node.device)
    with set_grad_enabled(record is True):
        for hook in list(hooks.tensor.values()):
            tensor = _replaced(hook, tensor, hook(tensor))
        if hooks.keep is not None:
            hooks.keep(tensor)
    return tensor if record else tensor._array


def shown_before(node: Node, g: Any, record: bool) -> Any:
    """Show a step's cotangents to its pre-hooks, as a tuple with one for each output."""
    grads = _tuple_of(node, g, record)
    with set_grad_enabled(record is True):
        for hook in list(node.hooks.before.values()):
            grads = _replaced_tuple(hook, grads, hook(grads))
    if type(g) is Bundle:
        return Bundle({
            k: (t if record else t._array, t._device) for k, t in enumerate(grads) if t is not None
        })  # fmt: skip
    only = next((t for t in grads if t is not None), None)
    return only if record or only is None else only._array


def shown_behind(node: Node, cotangents: Sequence[Any], g: Any, record: bool) -> Any:
    """Show what a step has made of its cotangents to its hooks."""
    # A function of the user's may have computed what nobody wants; the hooks see it as well.
    places = [e if e is not None else kind for e, kind in zip(node.edges, _inputs_of(node), strict=True)]
    found = tuple(
        None if c is None or place is None or type(c) is Bundle else c if record else _wrapped(c, place)
        for c, place in zip(cotangents, places, strict=True)
    )
    grads = _tuple_of(node, g, record)
    with set_grad_enabled(record is True):
        for hook in list(node.hooks.behind.values()):
            found = _replaced_tuple(hook, found, hook(found, grads))
    return [
        old if type(old) is Bundle else None if new is None else new if record else new._array
        for new, old in zip(found, cotangents, strict=True)
    ]


def told(node: Node, g: Any, record: bool) -> None:
    """Tell those who want to know that a leaf's gradient has grown."""
    hooks = node.hooks
    with set_grad_enabled(record is True):
        for call in list(hooks.accumulated.values()):
            call()
        for hook in list(hooks.behind.values()):
            hook((), _tuple_of(node, g, record))


def _wrapped(c: Any, place: Any) -> Tensor:
    return wrap(place.device.backend.normal(c), place.device)


def _inputs_of(node: Node) -> Sequence[Any]:
    """What a function of the user's knows of its tensor inputs; of other steps nothing."""
    if type(node) is not FunctionNode:
        return (None,) * len(node.edges)
    return [kind for kind in node.saved[0].inputs if kind is not None]


def _tuple_of(node: Node, g: Any, record: bool) -> tuple[Tensor | None, ...]:
    """The cotangents of a step's outputs."""
    if type(g) is Bundle:
        return tuple(g.tensor(k) for k in range(node.saved[0].outputs))
    only = g if record or g is None else _wrapped(g, node)
    if type(node) is FunctionNode and node.saved is not None:
        return node.saved[0].among_outputs(only)
    return (only,)


def _replaced(hook: Callable[..., Any], before: Tensor, after: Any) -> Tensor:
    """What a hook leaves of a gradient.

    Raises:
        TypeError: it returned something else than a tensor or None.
        RuntimeError: a tensor of another shape, type or device.
    """
    if after is None:
        return before
    name = getattr(hook, "__name__", type(hook).__name__)
    if not isinstance(after, Tensor):
        raise TypeError(f"hook '{name}': must return a Tensor or None, not {type(after).__name__}")
    same = after._array.shape == before._array.shape and after._array.dtype == before._array.dtype
    if not same or after._device is not before._device:
        raise RuntimeError(
            f"hook '{name}' was given the gradient {describe(before)} and returned {describe(after)}; "
            "shape, type and device must stay"
        )
    return after


def _replaced_tuple(hook: Callable[..., Any], before: tuple[Any, ...], after: Any) -> tuple[Any, ...]:
    if after is None:
        return before
    name = getattr(hook, "__name__", type(hook).__name__)
    if not isinstance(after, tuple):
        raise TypeError(f"hook '{name}': must return a tuple of gradients or None, not {type(after).__name__}")
    if len(after) != len(before):
        raise RuntimeError(f"hook '{name}': returned {len(after)} gradients where {len(before)} were expected")
    return tuple(_pairs(hook, before, after))


def _pairs(hook: Callable[..., Any], before: tuple[Any, ...], after: tuple[Any, ...]) -> Iterator[Any]:
    for old, new in zip(before, after, strict=True):
        yield new if old is None or new is None else _replaced(hook, old, new)


# On several tensors


def hooks_on_several(tensors: Sequence[Tensor], fn: Callable[..., Any], wait: bool) -> RemovableHandle:
    """Hooks on several tensors that call ``fn`` once in a backward: with the first gradient, or (``wait``) with all."""
    nodes = [t._current() for t in tensors]
    for k, node in enumerate(nodes):
        if node is None and wait:
            raise RuntimeError(f"register_multi_grad_hook: tensors[{k}] does not require grad")
    found = [None if node is None else weakref.ref(node) for node in nodes]  # the nodes hold the hooks: no cycle
    # By thread, the backward that is running there, the gradients so far, and how many are to come.
    state: dict[int, tuple[Any, list[Any], int]] = {}

    def arrived(k: int, g: Tensor) -> None:
        variables = running()
        backward, roots = variables["leaves"], variables["roots"]
        held = state.get(get_ident())
        if held is None or held[0] is not backward:
            reached = reachable([node for node, _ in roots]) if wait else set()
            to_come = sum(ref is not None and ref() in reached for ref in found) if wait else 1
            held = (backward, [None] * len(found), to_come)
        elif not wait:
            return
        held[1][k] = g
        held = (*held[:2], held[2] - 1)
        state[get_ident()] = held
        if held[2] == 0:
            if wait:
                del state[get_ident()]
            fn(held[1] if wait else g)

    table = HookTable()
    handle = table.add([
        NodeHooks.of(node).tensor.add(lambda g, k=k: arrived(k, g)) for k, node in enumerate(nodes) if node is not None
    ])  # fmt: skip
    return _Several(handle, table)


class _Several(RemovableHandle):
    """The handle of hooks on several tensors."""

    def __init__(self, handle: RemovableHandle, table: HookTable) -> None:
        self.id, self._of = handle.id, table

    def remove(self) -> None:
        """Remove the hooks; a second call does nothing."""
        for single in self._of.pop(self.id, ()):
            single.remove()


def running() -> dict[str, Any]:
    """The variables of the innermost backward in which this is called: nothing is noted down for it beforehand."""
    frame: Any = sys._getframe(1)
    while frame.f_code.co_name != "propagate" or "leaves" not in frame.f_locals:
        frame = frame.f_back
    found: dict[str, Any] = frame.f_locals
    return found
