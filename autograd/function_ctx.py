"""The ``ctx`` of a ``Function``: what its forward hands to its backward, and how the backward is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .function_transforms import by_jvp, pushing
from .grad_mode import is_recording, set_grad_enabled
from .node import Node
from .promote import describe
from .rule import P
from .saved import Kept
from .steps import Bundle, output_node
from .tensor import Tensor, wrap

__all__ = ["FunctionCtx", "Kind", "kind_of"]


class Kind(NamedTuple):
    """What must be known of an input or output to make or check its gradient."""

    shape: tuple[int, ...]
    dtype: Any
    device: Any


def kind_of(value: Any) -> Kind | None:
    return Kind(value._array.shape, value._array.dtype, value._device) if isinstance(value, Tensor) else None


class FunctionCtx:
    """What the forward of a ``Function`` hands to its backward; set any attribute on it.

    Attributes:
        needs_input_grad: for each argument of ``apply`` whether it wants a gradient.
    """

    __slots__ = (
        "__dict__", "__weakref__", "_bare", "_dirty", "_forward_kept", "_given", "_in_forward", "_inputs", "_kept",
        "_materialize", "_node", "_only", "_outputs", "_silent", "_to_forward", "_to_save", "needs_input_grad",
    )  # fmt: skip

    _function: Any  # the subclass of Function
    needs_input_grad: tuple[bool, ...]

    def __init__(self) -> None:
        self._to_save: tuple[Tensor | None, ...] = ()
        self._to_forward: tuple[Tensor | None, ...] = ()
        self._forward_kept: list[Kept | None] | None = None
        self._in_forward = False  # whether `jvp` is running
        self._bare = False  # whether the backward is to get the saved tensors without their places on the tape
        self._given: tuple[Tensor | None, ...] | None = None  # what stands in for the saved tensors
        self._dirty: tuple[Tensor, ...] = ()
        self._silent: tuple[Tensor, ...] = ()
        self._materialize = True
        self._kept: list[Kept | None] = []
        self._inputs: list[Kind | None] = []
        self._outputs: list[Kind | None] = []
        self._only: int | None = None  # the differentiable output, where there is one only
        self._node: Callable[[], Node | None] = lambda: None

    # For the forward

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors (inputs, outputs or others) for ``ctx.saved_tensors``, watched for writes in place.

        Raises:
            TypeError: something that is neither a tensor nor None; set it as an attribute instead.
        """
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(
                    f"save_for_backward: argument {i} is of type {type(t).__name__}; it takes tensors and None only, "
                    "set other values as attributes of ctx"
                )
        self._to_save = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for ``ctx.saved_tensors`` in ``jvp``; without it, those of ``save_for_backward`` are there."""
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(f"save_for_forward: argument {i} is of type {type(t).__name__}; it takes tensors only")
        self._to_forward = tensors

    def mark_dirty(self, *args: Tensor) -> None:
        """Name the inputs that the forward has written in place; each must be returned."""
        self._dirty = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Name the outputs that have no gradient; the backward gets zeros for them."""
        self._silent = args

    def set_materialize_grads(self, value: bool) -> None:
        """Whether the backward gets zeros (the default) or None for outputs that nothing was computed from."""
        self._materialize = value

    # For the backward

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """The tensors given to ``save_for_backward``.

        Raises:
            RuntimeError: one of them was changed in place since.
        """
        if self._given is not None:
            return self._given
        name = self._name
        kept = self._forward_kept if self._in_forward and self._forward_kept is not None else self._kept
        found = [None if k is None else k.unpack(name, self._made(k.output)) for k in kept]
        return tuple([None if t is None else t.detach() for t in found] if self._bare else found)

    @property
    def _name(self) -> str:
        return f"{self._function.__name__}Backward"

    @property
    def inputs(self) -> list[Kind | None]:
        """Shape, type and device of each input; None for what is no tensor."""
        return self._inputs

    @property
    def outputs(self) -> int:
        """How many outputs the forward had."""
        return len(self._outputs)

    def among_outputs(self, only: Any) -> tuple[Any, ...]:
        """The gradient of the only differentiable output, in its place among all outputs."""
        return tuple(only if k == self._only else None for k in range(self.outputs))

    def _made(self, output: int | None) -> Node | None:
        """The node of one output."""
        node = self._node()
        if node is None or output is None or output == self._only:
            return node
        kind = self._outputs[output]
        return output_node(node, output, kind.device) if kind is not None else None

    def _differentiate(self, as_tensors: Any, g: Any) -> list[Any]:
        """What the engine calls: the gradients of the tensors among the inputs, as tensors or raw arrays.

        Args:
            as_tensors: True records the backward; True or anything else that is true gives and takes tensors.
            g: the cotangent, or a bundle of them.
        """
        backward = self._function._differentiated_by()
        inside = any(kind is not None and kind.device.depth for kind in self._inputs)
        self._bare = as_tensors is not True and bool(as_tensors or inside)
        try:
            # The batches inside of a level of vmap may be on a tape outside of it, which records on.
            with set_grad_enabled(bool(as_tensors or inside) and is_recording()):
                grads = self._gradients(as_tensors, g)
                if as_tensors and pushing() and self._function.pushes():
                    checked = by_jvp(self, backward, grads)
                else:
                    found = backward(self, *grads)
                    checked = self._checked(found if isinstance(found, tuple) else (found,))
        finally:
            self._bare = False
        return [None if t is None else t if as_tensors else t._array for t in checked]

    def _gradients(self, as_tensors: bool, g: Any) -> list[Tensor | None]:
        """The gradients of all outputs."""
        given: list[Tensor | None] = []
        for k, kind in enumerate(self._outputs):
            t: Tensor | None = None
            if type(g) is Bundle:
                t = g.tensor(k)
            elif k == self._only and kind is not None and g is not None:
                t = g if as_tensors else wrap(kind.device.backend.normal(g), kind.device)
            if t is None and kind is not None and self._materialize:
                t = wrap(kind.device.backend.filled(kind.shape, 0, kind.dtype), kind.device)
            given.append(t)
        return given

    def _checked(self, found: tuple[Any, ...]) -> list[Tensor | None]:
        """The gradients of the tensor inputs, in their shapes and types.

        Raises:
            RuntimeError: too few or too many, for an input that is no tensor, neither a tensor nor None, or one that
                does not fit its input.
        """
        name, wanted = self._name, len(self._inputs)
        if len(found) < wanted or any(c is not None for c in found[wanted:]):
            raise RuntimeError(
                f"{name}: the backward must return one gradient (or None) for each of the {wanted} arguments of apply, "
                f"it returned {len(found)}"
            )
        checked: list[Tensor | None] = []
        for k, kind in enumerate(self._inputs):
            c = found[k]
            if kind is None:
                if c is not None:
                    raise RuntimeError(f"{name}: returned a gradient at index {k}, but that argument is no tensor")
                continue
            if c is not None and not isinstance(c, Tensor):
                raise RuntimeError(
                    f"{name}: the gradient at index {k} must be a Tensor or None, not {type(c).__name__}"
                )
            checked.append(None if c is None else _fitting(name, k, c, kind))
        return checked


def _fitting(name: str, k: int, c: Tensor, kind: Kind) -> Tensor:
    """A gradient in the shape and type of its input."""
    if c._device != kind.device:
        raise RuntimeError(f"{name}: the gradient at index {k} is on {c._device}, the input on {kind.device}")
    have, want = c._array.shape, kind.shape
    if have != want:
        tail = have[len(have) - len(want) :]
        if len(have) < len(want) or any(n not in (m, 1) for n, m in zip(want, tail, strict=True)):
            raise RuntimeError(
                f"{name}: an invalid gradient at index {k}: {describe(c)}, where a shape like the input's, "
                f"{list(want)}, is expected"
            )
        lead = len(have) - len(want)
        dims = (*range(lead), *(lead + i for i, n in enumerate(want) if n == 1 and tail[i] != 1))
        c = P.reshape(P.sum(c, dims, True), want)
    if c._array.dtype != kind.dtype:
        c = P.cast(P.real(c) if c._array.dtype.kind == "c" and kind.dtype.kind != "c" else c, kind.dtype)
    return c
