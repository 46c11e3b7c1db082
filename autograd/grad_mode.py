"""Whether operations are recorded: ``no_grad``, ``enable_grad``, ``set_grad_enabled``, ``inference_mode``."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from threading import get_ident, local
from typing import Any

from . import record

__all__ = [
    "INFERRING", "OFF", "Untracked", "enable_grad", "inference_mode", "is_grad_enabled", "is_inference",
    "is_inference_mode_enabled", "is_recording", "no_grad", "recording", "set_grad_enabled",
]  # fmt: skip

CO_GENERATOR = 0x20  # as in the module inspect, whose import would cost more than all else here

# The threads that record nothing. Nearly always empty, and testing an empty set is a third of the cost
# of reading a thread-local variable; every recorded operation makes that test.
OFF: set[int] = set()


# The threads in inference mode, and those among them that have switched gradients on inside of it, in name only.
INFERRING: set[int] = set()
_ON_IN_NAME: set[int] = set()
_known: set[int] = set()  # the threads that a _Departure is set for


class _Departure:
    """Takes a thread's number out of all sets when the thread ends, for the next one that gets the number."""

    def __init__(self, me: int) -> None:
        self._me, self._sets = me, (OFF, INFERRING, _ON_IN_NAME, _known)  # at exit the module's names may be gone

    def __del__(self) -> None:
        for threads in self._sets:
            threads.discard(self._me)


_of_thread = local()


def is_grad_enabled() -> bool:
    """Whether the current thread's mode is to record operations."""
    me = get_ident()
    return me not in OFF or me in _ON_IN_NAME


def is_recording() -> bool:
    """Whether the current thread records operations: never in inference mode."""
    return get_ident() not in OFF


def is_inference_mode_enabled() -> bool:
    """Whether the current thread is in inference mode."""
    return get_ident() in INFERRING


def _switch(enabled: bool) -> bool:
    """Set the current thread's mode; returns the mode before."""
    me = get_ident()
    if INFERRING and me in INFERRING:
        before = me in _ON_IN_NAME
        (_ON_IN_NAME.add if enabled else _ON_IN_NAME.discard)(me)
        return before
    before = me not in OFF
    if before is enabled:
        return before
    if enabled:
        OFF.discard(me)
    else:
        OFF.add(me)
        if me not in _known:
            _of_thread.departure = _Departure(me)
            _known.add(me)
    return before


class Untracked(list[int]):
    """The version cell of tensors made in inference mode: outside of it, their version cannot be asked for."""

    __slots__ = ()

    def __getitem__(self, item: Any) -> Any:
        if get_ident() not in INFERRING:
            raise RuntimeError(
                "a tensor that was made in inference mode cannot be saved for backward, nor written in place outside "
                "the mode; take a clone() of it"
            )
        return 0

    def expect_inference(self, name: str) -> None:
        """Refuse the in-place operation ``name`` outside of inference mode."""
        if get_ident() not in INFERRING:
            raise RuntimeError(
                f"{name}: a tensor that was made in inference mode cannot be written in place outside the mode; take a "
                "clone() of it"
            )


def inferred(tensor: Any) -> Any:
    """A result of the current thread, marked where the thread is in inference mode."""
    if get_ident() in INFERRING and tensor._view is None:
        tensor._cell = Untracked([0])
    return tensor


def is_inference(tensor: Any) -> bool:
    """Whether a tensor was made in inference mode."""
    return type(tensor._cell) is Untracked


class _GradMode:
    """A context manager and decorator that holds one grad mode."""

    enabled = True
    _before: list[bool]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        made = object.__new__(cls)
        made._before = []
        return made

    def __enter__(self) -> None:
        self._before.append(_switch(self.enabled))

    def __exit__(self, *exc: object) -> None:
        _switch(self._before.pop())

    def _again(self) -> _GradMode:
        return type(self)()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if isinstance(function, type):
            warnings.warn(
                f"{type(self).__name__}: as the decorator of the class {function.__name__} it holds only while an "
                "object is made, and the name no longer is a class; decorate its methods",
                FutureWarning, stacklevel=2,
            )  # fmt: skip
        if getattr(getattr(function, "__code__", None), "co_flags", 0) & CO_GENERATOR:
            return _wrap_generator(self._again, function)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return wrapped


def _wrap_generator(mode: Callable[[], _GradMode], function: Callable[..., Any]) -> Callable[..., Any]:
    """Hold the mode while the generator runs, and give the caller's back at every ``yield``."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        resume: Callable[[], Any] = functools.partial(next, generator)
        while True:
            try:
                with mode():
                    value = resume()
            except StopIteration as stop:
                return stop.value
            try:
                sent = yield value
            except GeneratorExit:
                with mode():
                    generator.close()
                raise
            except BaseException as error:
                resume = functools.partial(generator.throw, error)
            else:
                resume = functools.partial(generator.send, sent)

    return wrapped


class recording:  # noqa: N801 - a context
    """A context in which the thread records whatever its mode is, inference mode included; for the library itself."""

    def __enter__(self) -> None:
        self._off = get_ident() in OFF
        OFF.discard(get_ident())

    def __exit__(self, *exc: object) -> None:
        if self._off:
            OFF.add(get_ident())


class no_grad(_GradMode):  # noqa: N801 - PyTorch's name
    """Record nothing: as a context (``with no_grad():``) or a decorator (``@no_grad()`` or ``@no_grad``)."""

    enabled = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        made = object.__new__(cls)  # not by `super`: one call less
        made._before = []
        return made if function is None else made(function)


class enable_grad(no_grad):  # noqa: N801 - PyTorch's name
    """Record again, inside a ``no_grad``."""

    enabled = True


class inference_mode(_GradMode):  # noqa: N801 - PyTorch's name
    """Record nothing, and mark what is made as never to be recorded.

    Tensors that are made in the mode have no version counter. Outside of it they can be read by any operation, but can
    neither be saved for a backward nor be written in place.

    Args:
        mode: False leaves the mode, inside of it.
    """

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        made = super().__new__(cls)
        if callable(mode):
            made.__init__()
            return made(mode)
        return made

    def __init__(self, mode: bool = True) -> None:
        self._infer = mode
        self._modes: list[tuple[bool, bool, bool]] = []

    def __enter__(self) -> None:
        me = get_ident()
        self._modes.append((me in OFF, me in INFERRING, me in _ON_IN_NAME))
        self._set(not self._infer, self._infer, False)

    def __exit__(self, *exc: object) -> None:
        recording_off, inferring, named_on = self._modes.pop()
        self._set(not recording_off, inferring, named_on)

    @staticmethod
    def _set(recording: bool, inferring: bool, named_on: bool) -> None:
        me = get_ident()
        INFERRING.discard(me)
        _switch(recording)
        if inferring:
            INFERRING.add(me)
        (_ON_IN_NAME.add if named_on else _ON_IN_NAME.discard)(me)
        record.GLOBALS["INFERRING"] = INFERRING or None

    def _again(self) -> inference_mode:
        return inference_mode(self._infer)


class set_grad_enabled(_GradMode):  # noqa: N801 - PyTorch's name
    """Switch recording on or off: at once as a call, or within a ``with`` block, or as a decorator.

    Args:
        mode: whether to record.
    """

    def __init__(self, mode: bool) -> None:
        if type(mode) is not bool:
            raise TypeError(f"set_grad_enabled: mode must be a bool, not {type(mode).__name__}")
        self.enabled = mode
        self._outer = _switch(self.enabled)

    def __enter__(self) -> None:
        self._before.append(self._outer)
        _switch(self.enabled)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        _switch(self._outer)  # as a decorator it says nothing about the lines that follow
        return super().__call__(function)

    def _again(self) -> set_grad_enabled:
        return set_grad_enabled(self.enabled)


record.GLOBALS.update(INFERRING=None, inferred=inferred)
