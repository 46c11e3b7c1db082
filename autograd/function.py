"""Function: operations of your own, with a backward that you write yourself."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable
from typing import Any

from . import record
from .function_ctx import FunctionCtx, kind_of
from .function_transforms import innermost, lowered, mapped_by, transposed, wanted_outside
from .grad_mode import is_recording, set_grad_enabled
from .node import Node, make
from .saved import Kept, keep
from .steps import STEP, FunctionNode, bundles, output_node
from .tensor import Tensor, wrap
from .views import seal
from .writes import place, refuse_leaf

__all__ = ["Function", "FunctionCtx", "once_differentiable"]


class Function:
    """Base of operations with a backward of their own: subclass it, and call the subclass's ``apply``.

    ``forward(ctx, *args)`` computes without being recorded, and ``backward(ctx, *grads)`` gets one gradient for each
    output and returns one for each argument, None where there is none. With ``create_graph=True`` the backward is
    recorded itself. Alternatively ``forward(*args)`` and ``setup_context(ctx, inputs, output)`` are apart.

    >>> import tapegrad as tg
    >>> class Cube(tg.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x**2
    >>> x = tg.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = type(self).__name__
        raise RuntimeError(f"{name}: a Function is not called as an object; write {name}.apply(...)")

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs: a tensor, or a tuple of tensors and other values."""
        raise NotImplementedError("Function: a subclass must define the static method forward")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Save what the backward needs, where ``forward`` takes no ``ctx``."""
        raise NotImplementedError("Function: setup_context is not defined")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Compute the gradients of the arguments from those of the outputs."""
        raise NotImplementedError("Function: a subclass must define the static method backward to be differentiated")

    @staticmethod
    def vjp(ctx: Any, *grad_outputs: Any) -> Any:
        """Another name for ``backward``."""
        raise NotImplementedError("Function: a subclass must define the static method backward to be differentiated")

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Compute the tangents of the outputs from those of the arguments, None for what is no tensor.

        It serves ``func.jvp`` and its kin; without it the ``backward`` is transposed, and without a ``backward`` this
        is.
        """
        raise NotImplementedError("Function: jvp is not defined")

    # Accepted: what it asks for happens wherever it is needed.
    generate_vmap_rule = False

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> Any:
        """Compute the forward for a whole batch; without it the operations of the forward are batched.

        Args:
            info: ``batch_size`` and ``randomness``.
            in_dims: for each argument the dimension of the batch, None where it has none.
            args: the arguments, with the batches.

        Returns:
            The pair ``(output, out_dims)``.
        """
        raise NotImplementedError("Function: vmap is not defined")

    @classmethod
    def pushes(cls) -> bool:
        """Whether ``jvp`` is defined."""
        return cls.jvp is not Function.jvp

    @classmethod
    def _differentiated_by(cls) -> Callable[..., Any]:
        """``backward`` or ``vjp``, whichever is defined; where neither is, what transposes ``jvp``."""
        own, other = cls.backward is not Function.backward, cls.vjp is not Function.vjp
        if own and other:
            raise RuntimeError(f"{cls.__name__}: define backward or vjp, which are the same; it has both")
        if not own and not other and cls.pushes():
            return transposed
        return cls.vjp if other else cls.backward

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run the forward, and put the step onto the tape; keyword arguments take their places among the others."""
        separate = cls.setup_context is not Function.setup_context
        if separate:
            args = _bound(cls, args, kwargs)
        elif kwargs:
            args = _bound(cls, (None, *args), kwargs)[1:]
        level = innermost(args)
        ctx = _context(cls)()
        edges = tuple(a._current() for a in args if isinstance(a, Tensor))
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a._current() is not None for a in args)
        recording = is_recording() and any(e is not None for e in edges)
        if level is None:
            out = cls._forward(ctx, args, separate)
        else:
            out = cls._batched_forward(ctx, args, separate, level, recording)
        outputs = _recorded(ctx, args, edges, out if isinstance(out, tuple) else (out,), recording)
        return tuple(outputs) if isinstance(out, tuple) else outputs[0]

    @classmethod
    def _forward(cls, ctx: FunctionCtx, args: tuple[Any, ...], separate: bool) -> Any:
        with set_grad_enabled(False):
            if not separate:
                return cls.forward(ctx, *args)
            out = cls.forward(*args)
            cls.setup_context(ctx, args, out)
            return out

    @classmethod
    def _batched_forward(cls, ctx: Any, args: tuple[Any, ...], separate: bool, level: Any, recording: bool) -> Any:
        """The forward inside of ``vmap``."""
        name, ruled = cls.__name__, cls.vmap is not Function.vmap
        if ruled and cls.generate_vmap_rule:
            raise RuntimeError(f"{name}: define the static method vmap or set generate_vmap_rule, not both")
        if ruled and not separate:
            raise RuntimeError(f"{name}: with the static method vmap, forward and setup_context must be apart")
        if ruled:
            out = mapped_by(cls.vmap, name, args, level)
        elif wanted_outside(args):
            if recording and not separate:
                raise RuntimeError(
                    f"{name}: to be differentiated inside of vmap and outside of it, forward and setup_context must be "
                    "apart"
                )
            if cls._differentiated_by() is transposed:
                raise RuntimeError(f"{name}: to be differentiated through vmap, it must have a backward")
            out = lowered(cls, _context(cls), args, level, separate)
        else:
            return cls._forward(ctx, args, separate)
        if separate:
            with set_grad_enabled(False):
                cls.setup_context(ctx, args, out)
        return out


def _context(cls: type[Function]) -> type[FunctionCtx]:
    """The class of a function's ctx, which carries its name."""
    made = cls.__dict__.get("_context_class")
    if made is None:
        made = type(f"{cls.__name__}Backward", (FunctionCtx,), {"_function": cls})
        cls._context_class = made  # type: ignore[attr-defined]
    return made


@functools.cache
def _signature(forward: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(forward)


def _bound(cls: type[Function], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments by position, defaults filled in.

    Raises:
        TypeError: they do not fit, or one can be given by its name only.
    """
    bound = _signature(cls.forward).bind(*args, **kwargs)
    if bound.kwargs:
        raise TypeError(
            f"{cls.__name__}.apply: arguments of the forward that can be given by name only are not taken: "
            f"{', '.join(bound.kwargs)}"
        )
    bound.apply_defaults()
    return bound.args


def _among(t: Any, tensors: Any) -> bool:
    return any(t is other for other in tensors)


def _recorded(
    ctx: FunctionCtx, args: tuple[Any, ...], edges: tuple[Node | None, ...], outs: tuple[Any, ...], recording: bool
) -> list[Any]:
    """The outputs of a forward, each in its place on the tape."""
    for t in ctx._dirty:
        if not _among(t, outs):
            raise RuntimeError(f"{ctx._name}: a tensor given to mark_dirty must be returned by the forward")
        t._cell[0] += 1
    live = [
        k for k, o in enumerate(outs)
        if recording and isinstance(o, Tensor) and o._array.dtype.kind in "fcV" and not _among(o, ctx._silent)
    ]  # fmt: skip
    if not live:
        return [_without_history(ctx, o, args) for o in outs]
    ctx._inputs, ctx._outputs = [kind_of(a) for a in args], [kind_of(o) for o in outs]
    ctx._only = live[0] if len(live) == 1 else None
    device = bundles if ctx._only is None else outs[live[0]]._device
    cells = (record.GLOBALS["CONSTANT"],) if ctx._to_save else ()  # what says that a backward frees the step
    node = make(STEP, edges, (ctx,), cells, None, device, FunctionNode)
    node.extra = ctx._name
    ctx._node = weakref.ref(node)
    made, nodes = [], {}
    for k, o in enumerate(outs):
        if k in live:
            nodes[k] = node if ctx._only == k else output_node(node, k, o._device)
            made.append(_with_history(ctx, o, nodes[k], args, len(live)))
        else:
            made.append(_without_history(ctx, o, args))
    sources = {id(a): e for a, e in zip((a for a in args if isinstance(a, Tensor)), edges, strict=True)}
    ctx._kept = [None if t is None else _kept(t, outs, made, live, sources) for t in ctx._to_save]
    if ctx._to_forward:
        ctx._forward_kept = [None if t is None else _kept(t, outs, made, live, sources) for t in ctx._to_forward]
    ctx._to_save = ctx._to_forward = ctx._silent = ctx._dirty = ()
    return made


def _kept(t: Tensor, outs: tuple[Any, ...], made: list[Any], live: list[int], sources: dict[int, Any]) -> Kept:
    """One tensor of ``save_for_backward``."""
    for k in live:
        if t is made[k] or (t is outs[k] and id(t) not in sources):
            return keep(t, None, k)  # the function's own node, which is found when asked for: no cycle through it
    return keep(t, sources.get(id(t), t._node))


def _with_history(ctx: FunctionCtx, o: Tensor, node: Node, args: tuple[Any, ...], count: int) -> Tensor:
    """An output that hangs on the function's node."""
    if _among(o, ctx._dirty):
        refuse_leaf(ctx._name, o)
        if o._view is not None and o._view[1] and count > 1:
            raise RuntimeError(
                f"{ctx._name}: an input that is a view was written in place (mark_dirty); then the function may have "
                "one output only"
            )
        place(ctx._name, o, node)
        return o
    if o._node is not None or _among(o, args):
        o = _alias(o)
    if o._view is not None and o._view[1]:
        o._view = seal(o._view[0])
    o._node = node
    return o


def _without_history(ctx: FunctionCtx, o: Any, args: tuple[Any, ...]) -> Any:
    """An output that requires no gradient."""
    if not isinstance(o, Tensor):
        return o
    if o._current() is not None:
        return o.detach()
    return _alias(o) if _among(o, args) and not _among(o, ctx._dirty) else o


def _alias(o: Tensor) -> Tensor:
    """Another tensor over the same memory, without history."""
    made = wrap(o._array, o._device)
    made._cell, made._view = o._cell, seal(o)
    return made


class _Refusal:
    """Stands on the tape where a derivative was computed that must not be differentiated again."""

    outputs = 1

    def __init__(self, name: str) -> None:
        self.name = name

    def _differentiate(self, recording: bool, g: Any) -> Any:
        raise RuntimeError(
            f"{self.name}: trying to differentiate twice a function that was marked with @once_differentiable"
        )


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a backward that must not be differentiated itself: doing so is an error, rather than a wrong number."""

    @functools.wraps(fn)
    def wrapped(ctx: Any, *args: Any) -> Any:
        with set_grad_enabled(False):
            outputs = fn(ctx, *args)
        edges = tuple(a._current() for a in args if isinstance(a, Tensor))
        if not is_recording() or all(e is None for e in edges):
            return outputs
        several = outputs if isinstance(outputs, tuple) else (outputs,)
        marked = []
        for o in several:
            if isinstance(o, Tensor) and o._array.dtype.kind in "fcV":
                o = wrap(o._array, o._device)
                o._node = make(STEP, edges, (_Refusal(getattr(ctx, "_name", "Function")),), (), None, o._device)
                o._node.extra = "DelayedErrorBackward"
            marked.append(o)
        return tuple(marked) if isinstance(outputs, tuple) else marked[0]

    return wrapped
