"""Checkpointing: compute a part of the forward again during backward, rather than keep its intermediate values."""

from __future__ import annotations

import contextlib
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..autograd import Function, Tensor, backward, enable_grad, no_grad
from ..autograd.graph import saved_tensors_hooks
from ..autograd.hooks import running
from ..autograd.origin import calls_from, described
from ..autograd.saved import Kept, PackingNode, keep
from ..backends.random import preserved, random_states

__all__ = [
    "CheckpointError", "checkpoint", "checkpoint_sequential", "noop_context_fn", "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]  # fmt: skip

DETERMINISM_CHECKS = ("default", "none")


class CheckpointError(RuntimeError):
    """The second computation of a checkpointed function was not the same as the first."""


class _Stop(BaseException):
    """Ends a recomputation when everything needed is there; no ``except Exception`` of the function's sees it."""


def noop_context_fn() -> tuple[Any, Any]:
    """Two contexts that do nothing."""
    return contextlib.nullcontext(), contextlib.nullcontext()


_early_stop: bool | None = None
_debug: bool | None = None


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """A context in which checkpoints stop their recomputation as early as they can, or never do."""
    global _early_stop
    before, _early_stop = _early_stop, enable
    try:
        yield
    finally:
        _early_stop = before


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """A context in which checkpoints take their ``debug`` from here; None leaves it to each."""
    global _debug
    before, _debug = _debug, enabled
    try:
        yield
    finally:
        _debug = before


def checkpoint(
    function: Callable[..., Any], *args: Any, use_reentrant: bool = False,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn, determinism_check: str = "default",
    debug: bool = False, preserve_rng_state: bool = True, early_stop: bool = True, **kwargs: Any,
) -> Any:  # fmt: skip
    """Call a function and save nothing of it for backward but its arguments; backward computes it again.

    The memory of the intermediate values is paid with the time of a second forward.

    Args:
        function: computes the same when called again with the same arguments.
        args: its arguments.
        use_reentrant: the older way, by a backward inside of the backward. It takes neither ``kwargs``,
            ``context_fn``, ``determinism_check`` nor ``debug``, and does not work with ``autograd.grad``.
        context_fn: makes the contexts in which the function runs, the first time and again.
        determinism_check: ``"default"`` compares shapes, types and devices of both runs; ``"none"`` does not.
        debug: let the error about a second run that differs list what each run saved, step by step with its line.
        preserve_rng_state: let the second run draw the same random numbers.
        early_stop: end the second run when everything that backward needs is computed.
        kwargs: keyword arguments of the function.

    Raises:
        CheckpointError: in backward, when the second run saves other tensors than the first.

    >>> import tapegrad as tg
    >>> x = tg.ones(3, requires_grad=True)
    >>> tg.utils.checkpoint.checkpoint(lambda t: t.exp().sin(), x, use_reentrant=False).sum().backward()
    >>> bool((x.grad == (x.exp().cos() * x.exp())).all())
    True
    """
    if use_reentrant:
        unknown = [
            *kwargs, *["context_fn"] * (context_fn is not noop_context_fn),
            *["determinism_check"] * (determinism_check != "default"), *["debug"] * bool(debug),
        ]  # fmt: skip
        if unknown:
            raise ValueError(f"checkpoint: use_reentrant=True does not take {unknown[0]!r}")
        return _Reentrant.apply(function, preserve_rng_state, *args)
    if determinism_check not in DETERMINISM_CHECKS:
        raise ValueError(
            f"checkpoint: determinism_check must be one of {DETERMINISM_CHECKS}, not {determinism_check!r}"
        )
    stop = early_stop if _early_stop is None else _early_stop
    detailed = debug if _debug is None else _debug
    if detailed and context_fn is not noop_context_fn:
        raise ValueError("checkpoint: debug=True is for checkpoints without a context_fn of their own")
    first, again = context_fn()
    frame = _Frame(function, args, kwargs, again, preserve_rng_state, determinism_check == "default", stop)
    if detailed:
        frame.steps = []
    with saved_tensors_hooks(frame.pack, frame.unpack), first:
        return function(*args, **kwargs)


class _Holder:
    """Stands on the tape for a tensor that was not kept."""

    __slots__ = ("__weakref__", "index")

    def __init__(self, index: int) -> None:
        self.index = index


class _Frame:
    """One checkpointed call: how to repeat it, and what it saved.

    Attributes:
        holders: for each saved tensor what stands for it on the tape, as long as the tape needs it.
        kinds: the shape, type and device of each.
        values: by index, what the repetition has computed and backward has not yet taken.
        steps: with ``debug``, of each saved tensor the step of the forward that saved it and its line; else None.
    """

    def __init__(
        self, function: Any, args: Any, kwargs: Any, context: Any, random: bool, compare: bool, early_stop: bool
    ) -> None:
        self._function, self._context = function, context
        # Inside of another checkpoint the arguments are its intermediate values: packed, they are not kept alive.
        self._args = tuple(_Argument(a) for a in args)
        self._kwargs = {name: _Argument(a) for name, a in kwargs.items()}
        self._states = random_states() if random else None
        self._compare, self._early_stop = compare, early_stop
        self.holders: list[weakref.ref[_Holder]] = []
        self.kinds: list[Any] = []
        self.values: dict[int, Tensor] = {}
        self.steps: list[str] | None = None

    def pack(self, tensor: Tensor) -> _Holder:
        """Called with each tensor that the first run saves."""
        holder = _Holder(len(self.holders))
        self.holders.append(weakref.ref(holder))
        self.kinds.append(_kind(tensor))
        if self.steps is not None:
            self.steps.append(_step(tensor))
        return holder

    def unpack(self, holder: _Holder) -> Tensor:
        """Called when backward needs it."""
        if holder.index not in self.values:
            self._repeat()
        return self.values.pop(holder.index)

    def _repeat(self) -> None:
        """Run the function again, and take from it what is still needed."""
        values: dict[int, Tensor] = {}
        again: list[str] = []
        count, needed = 0, {k for k, holder in enumerate(self.holders) if holder() is not None}
        last = max(needed)

        def pack(tensor: Tensor) -> Tensor:
            nonlocal count
            k, count = count, count + 1
            if self.steps is not None:
                again.append(_step(tensor))
            if k in needed:
                values[k] = tensor.detach()
                if self._compare and _kind(tensor) != self.kinds[k]:
                    raise CheckpointError(
                        f"checkpoint: the tensor saved as number {k} was {_words(self.kinds[k])} in the forward and is "
                        f"{_words(_kind(tensor))} in the recomputation; the function must compute the same both times"
                        + self._told(again)
                    )
            if self._early_stop and k == last:
                raise _Stop
            return tensor

        args = [a.value() for a in self._args]
        kwargs = {name: a.value() for name, a in self._kwargs.items()}
        with preserved(self._states), enable_grad(), saved_tensors_hooks(pack, lambda t: t), self._context:
            with contextlib.suppress(_Stop):
                self._function(*args, **kwargs)
        if (not self._early_stop and count != len(self.holders)) or not needed <= set(values):
            raise CheckpointError(
                f"checkpoint: the forward saved {len(self.holders)} tensors and the recomputation {count}; the "
                "function must compute the same both times" + self._told(again)
            )
        self.values = values

    def _told(self, again: list[str]) -> str:
        """What both runs saved, for an error."""
        if self.steps is None:
            return "; debug=True lists what each saved"
        lists = [[f"  {k}: {text}" for k, text in enumerate(steps)] for steps in (self.steps, again)]
        return "\n".join(["\nSaved in the original forward:", *lists[0], "Saved in the recomputation:", *lists[1]])


def _step(tensor: Tensor) -> str:
    """Which operation is saving a tensor, on which of the user's lines."""
    frame: Any = sys._getframe(1)
    name = ""
    while frame is not None and not name:
        node = frame.f_locals.get("self")
        name = node.rule.name if isinstance(node, PackingNode) else ""
        frame = frame.f_back
    calls, _ = calls_from(sys._getframe(1))
    return f"{name or 'a function'} saves {_words(_kind(tensor))}, {described(calls)}"


class _Argument:
    """An argument of a checkpointed function, watched for writes in place where it is a tensor."""

    __slots__ = ("_held",)

    def __init__(self, value: Any) -> None:
        self._held = keep(value, value._current()) if isinstance(value, Tensor) else value

    def value(self) -> Any:
        return self._held.unpack("checkpoint") if isinstance(self._held, Kept) else self._held


def _kind(tensor: Tensor) -> tuple[Any, ...]:
    return tuple(tensor.shape), tensor.dtype, tensor.device


def _words(kind: tuple[Any, ...]) -> str:
    shape, dtype, device = kind
    return f"{dtype.name}{list(shape)} on {device}"


class _Reentrant(Function):
    """The older way: forward without a tape, and in backward a tape and a backward of its own."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], random: bool, *args: Any) -> Any:
        ctx.function = function
        ctx.states = random_states() if random else None
        ctx.places = [k for k, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.others = [None if isinstance(a, Tensor) else a for a in args]
        ctx.save_for_backward(*[args[k] for k in ctx.places])
        return function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        if running()["targets"] is not None:
            raise RuntimeError(
                "checkpoint: with use_reentrant=True only backward() without inputs= can be used, for what the "
                "function takes from outside would get no gradient; use use_reentrant=False"
            )
        args = list(ctx.others)
        for k, t in zip(ctx.places, ctx.saved_tensors, strict=True):
            args[k] = t.detach().requires_grad_(t.requires_grad)
        with preserved(ctx.states), enable_grad():
            out = ctx.function(*args)
        outputs = out if isinstance(out, tuple) else (out,)
        roots = [
            (o, g) for o, g in zip(outputs, grads, strict=True)
            if isinstance(o, Tensor) and o.requires_grad and g is not None
        ]  # fmt: skip
        if not roots:
            raise RuntimeError("checkpoint: none of the outputs requires grad, this checkpoint is not necessary")
        with no_grad():
            backward([o for o, _ in roots], [g for _, g in roots])
        return (None, None, *[a.grad if isinstance(a, Tensor) else None for a in args])


def checkpoint_sequential(functions: Any, segments: int, input: Any, use_reentrant: bool = False, **kwargs: Any) -> Any:
    """Run functions one after another, checkpointed in ``segments`` parts of equal length, the last one not.

    Args:
        functions: a Sequential, or a list of functions of one argument.
        segments: how many parts.
        input: of the first function.
        use_reentrant: as for ``checkpoint``.
        kwargs: further arguments of ``checkpoint``: ``preserve_rng_state``.
    """
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"checkpoint_sequential: unexpected keyword arguments: {', '.join(kwargs)}")
    steps = list(functions.children()) if hasattr(functions, "children") else list(functions)
    length = len(steps) // segments
    for start in range(0, length * (segments - 1), length or 1):
        part = steps[start : start + length]
        input = checkpoint(_chain(part), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return _chain(steps[length * (segments - 1) :])(input)


def _chain(steps: Iterable[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return run
