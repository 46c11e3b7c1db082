"""A ``Function`` inside of ``vmap`` and in forward mode: its ``vmap`` and ``jvp``, or what stands in for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from .batching.level import BatchDevice, Batched, Level, place_of
from .grad_mode import enable_grad, is_recording
from .promote import describe
from .rule import P
from .tensor import Tensor, wrap

__all__ = [
    "VmapInfo", "by_jvp", "forward_mode", "innermost", "lowered", "mapped_by", "pushing", "transposed",
    "wanted_outside",
]  # fmt: skip


class VmapInfo(NamedTuple):
    """What the static method ``vmap`` of a ``Function`` is told.

    Attributes:
        batch_size: how many elements are mapped over.
        randomness: "error", "different" or "same", as ``vmap`` was called.
    """

    batch_size: int
    randomness: str


# Inside of vmap


def innermost(args: Sequence[Any]) -> Level | None:
    """The innermost level of ``vmap`` among the arguments."""
    levels = [a._device.level for a in args if isinstance(a, Tensor) and isinstance(a._device, BatchDevice)]
    return max(levels, key=lambda level: level.depth, default=None)


def wanted_outside(args: Sequence[Any]) -> bool:
    """Whether the batches of an argument stand on a tape that is being recorded outside of ``vmap``."""
    for t in args:
        while isinstance(t, Tensor) and isinstance(t._array, Batched):
            t = t._array.value
            if t._current() is not None and is_recording():
                return True
    return False


def _below(args: Sequence[Any], level: Level) -> tuple[list[Any], list[int | None]]:
    """The arguments on the level below, and the dimension of the batch in each."""
    values, dims = [], []
    for a in args:
        inside = isinstance(a, Tensor) and isinstance(a._device, BatchDevice) and a._device.level is level
        values.append(a._array.value if inside else a)
        dims.append(0 if inside and a._array.batched else None)
    return values, dims


def _raised(y: Any, dim: int | None, level: Level) -> Any:
    """A tensor with its batch along ``dim`` as one of the level."""
    if not isinstance(y, Tensor):
        return y
    if dim is not None and dim % y.ndim:
        n = dim % y.ndim
        y = P.permute(y, (n, *(i for i in range(y.ndim) if i != n)))
    return wrap(Batched(y, dim is not None), level.device(place_of(y._device)))


def mapped_by(rule: Callable[..., Any], name: str, args: Sequence[Any], level: Level) -> Any:
    """The forward of a function by its own static method ``vmap``.

    Raises:
        RuntimeError: it did not return the outputs and their dimensions as a pair that fits.
    """
    values, dims = _below(args, level)
    made = rule(VmapInfo(level.size, level.randomness), tuple(dims), *values)
    if not isinstance(made, tuple) or len(made) != 2:
        raise RuntimeError(f"{name}.vmap: it must return the pair (outputs, out_dims), not {type(made).__name__}")
    outs, places = made
    if not isinstance(outs, tuple):
        return _raised(outs, places, level)
    several = places if isinstance(places, (tuple, list)) else (places,) * len(outs)
    if len(several) != len(outs):
        raise RuntimeError(f"{name}.vmap: it returned {len(outs)} outputs but {len(several)} out_dims")
    return tuple(_raised(y, dim, level) for y, dim in zip(outs, several, strict=True))


def lowered(cls: Any, context: Callable[[], Any], args: Sequence[Any], level: Level, separate: bool) -> Any:
    """The forward of a function as one on the level below, that maps the function's own forward and backward there.

    So the tape outside of ``vmap`` sees a step that the function's own backward differentiates.
    """
    from .function import Function

    values, dims = _below(args, level)

    class Mapped(Function):
        @staticmethod
        def forward(ctx: Any, *values: Any) -> tuple[Any, ...]:
            inner = ctx.inner = context()
            inner.needs_input_grad = ctx.needs_input_grad
            with Level(level.size, level.randomness) as own:
                given = [_raised(v, dim, own) for v, dim in zip(values, dims, strict=True)]
                if separate:
                    out = cls.forward(*given)
                    cls.setup_context(inner, tuple(given), out)
                else:
                    out = cls.forward(inner, *given)
                if inner._dirty:
                    raise RuntimeError(
                        f"{cls.__name__}: inside of vmap, where it is differentiated outside, the forward must not "
                        "write to its inputs (mark_dirty); define the static method vmap"
                    )
                ctx.several = isinstance(out, tuple)
                outs = out if ctx.several else (out,)
                made = [_batch_of(y, own) for y in outs]
                ctx.set_materialize_grads(inner._materialize)
                ctx.mark_non_differentiable(*[m for m, y in zip(made, outs, strict=True) if _among(y, inner._silent)])
                known = [*zip(given, values, strict=True), *zip(outs, made, strict=True)]
                ctx.flags = []
                ctx.save_for_backward(*[_kept(t, known, own, ctx.flags) for t in inner._to_save])
                inner._to_save = inner._silent = ()
            return (*made, ctx)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> tuple[Any, ...]:
            with Level(level.size, level.randomness) as own:
                ctx.inner._given = tuple(
                    t if flag is None else _raised(t, 0 if flag else None, own)
                    for t, flag in zip(ctx.saved_tensors, ctx.flags, strict=True)
                )
                try:
                    found = cls._differentiated_by()(ctx.inner, *[_raised(g, 0, own) for g in grads[:-1]])
                finally:
                    ctx.inner._given = None
                several = found if isinstance(found, tuple) else (found,)
                return tuple(
                    c if not isinstance(c, Tensor) else _batch_of(c, own) if dim == 0 else _sum_of(c, own)
                    for c, dim in zip(several, (*dims, *[None] * len(several)))
                )

    Mapped.__name__ = Mapped.__qualname__ = cls.__name__
    *outs, ctx = Mapped.apply(*values)
    raised = tuple(_raised(y, 0, level) for y in outs)
    return raised if ctx.several else raised[0]


def _among(t: Any, tensors: Any) -> bool:
    return any(t is other for other in tensors)


def _kept(t: Any, known: list[tuple[Any, Any]], own: Level, flags: list[bool | None]) -> Any:
    """A saved tensor on the level below; notes whether it has a batch, None where it is of no level."""
    inside = isinstance(t, Tensor) and isinstance(t._device, BatchDevice) and t._device.level is own
    if not inside:
        flags.append(None)
        return t
    for above, below in known:
        if t is above:
            flags.append(below is not t._array.value or t._array.batched)
            return below
    flags.append(t._array.batched)
    return t._array.value


def _batch_of(y: Any, own: Level) -> Any:
    """A result on the level below, with the batch first."""
    if not isinstance(y, Tensor):
        return y
    inside = isinstance(y._device, BatchDevice) and y._device.level is own
    value = y._array.value if inside else y
    return value if inside and y._array.batched else P.expand(value, (own.size, *value._array.shape))


def _sum_of(c: Tensor, own: Level) -> Tensor:
    """The gradient of what is the same for all elements of the batch: the sum over them."""
    return P.sum(_batch_of(c, own), (0,), False)


# In forward mode


class _Modes(threading.local):
    forward = 0


_modes = _Modes()


@contextmanager
def forward_mode() -> Iterator[None]:
    """A context in which backward serves to find derivatives in forward mode, for which a function has its ``jvp``."""
    _modes.forward += 1
    try:
        yield
    finally:
        _modes.forward -= 1


def pushing() -> bool:
    """Whether the current thread is in ``forward_mode``."""
    return _modes.forward > 0


def _tangents(ctx: Any, found: Sequence[Tensor | None], bare: bool = False) -> Any:
    """The tangents of the outputs, from those of the tensors among the inputs.

    Raises:
        RuntimeError: ``jvp`` returned too few or too many, or one of another shape than its output's.
    """
    given, each = [], iter(found)
    for kind in ctx._inputs:
        t = None if kind is None else next(each)
        if t is None and kind is not None and ctx._materialize:
            t = wrap(kind.device.backend.filled(kind.shape, 0, kind.dtype), kind.device)
        given.append(t)
    before, ctx._bare, ctx._in_forward = ctx._bare, bare, True
    try:
        out = ctx._function.jvp(ctx, *given)
    finally:
        ctx._bare, ctx._in_forward = before, False
    several = out if isinstance(out, tuple) else (out,)
    if len(several) != len(ctx._outputs):
        raise RuntimeError(
            f"{ctx._function.__name__}.jvp: it returned {len(several)} tangents for {len(ctx._outputs)} outputs"
        )
    for k, (t, kind) in enumerate(zip(several, ctx._outputs, strict=True)):
        if t is not None and kind is not None and tuple(t.shape) != tuple(kind.shape):
            raise RuntimeError(
                f"{ctx._function.__name__}.jvp: the tangent {k} is {describe(t)}, the output has the shape "
                f"{list(kind.shape)}"
            )
    return several


def transposed(ctx: Any, *grads: Any) -> tuple[Any, ...]:
    """The backward of a function that defines only ``jvp``, to which it is the transpose."""
    from .backward import grad

    kinds = [kind for kind in ctx._inputs if kind is not None]
    create = is_recording()
    with enable_grad():
        zeros = [wrap(k.device.backend.filled(k.shape, 0, k.dtype), k.device).requires_grad_() for k in kinds]
        outs = _tangents(ctx, zeros)
        pairs = [
            (y, g) for y, g in zip(outs, grads, strict=True)
            if y is not None and g is not None and y._current() is not None
        ]  # fmt: skip
        found: Any = [None] * len(zeros)
        if pairs:
            ys, gs = zip(*pairs, strict=True)
            found = grad(ys, zeros, gs, create_graph=create, allow_unused=True)
    each = iter(found)
    return tuple(None if kind is None else next(each) for kind in ctx._inputs)


def by_jvp(ctx: Any, backward: Callable[..., Any], grads: Sequence[Any]) -> list[Tensor | None]:
    """The gradients of the tensor inputs, whose own derivatives by ``grads`` are taken by the function's ``jvp``.

    They are linear in ``grads``, so that derivative is the product with the Jacobian, which ``jvp`` computes. What they
    owe to the inputs is differentiated as ``backward`` was recorded, with ``grads`` held.
    """
    from .function import Function

    found = backward(ctx, *[g if g is None else g.detach() for g in grads])
    held = ctx._checked(found if isinstance(found, tuple) else (found,))
    places = [k for k, c in enumerate(held) if c is not None]

    class Transpose(Function):
        @staticmethod
        def forward(_: Any, *grads: Any) -> tuple[Any, ...]:
            return tuple(held[k].detach().clone() for k in places)

        @staticmethod
        def backward(own: Any, *tangents: Any) -> tuple[Any, ...]:
            given: list[Any] = [None] * len(held)
            for k, t in zip(places, tangents, strict=True):
                given[k] = t
            found = _tangents(ctx, given, bare=own._bare)
            return tuple(t if g is not None else None for t, g in zip(found, grads, strict=True))

    made = list(held)
    for k, c in zip(places, Transpose.apply(*grads), strict=True):
        old = held[k]
        made[k] = c if old._current() is None else P.add(c, P.sub(old, old.detach()))
    return made
