"""Whether operations are recorded: ``no_grad``, ``enable_grad``, ``set_grad_enabled``, ``inference_mode``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from threading import get_ident
from typing import Any

__all__ = ["OFF", "enable_grad", "inference_mode", "is_grad_enabled", "no_grad", "set_grad_enabled"]

CO_GENERATOR = 0x20  # as in the module inspect, whose import would cost more than all else here

# The threads that record nothing. Nearly always empty, and testing an empty set is a third of the cost
# of reading a thread-local variable; every recorded operation makes that test.
OFF: set[int] = set()


def is_grad_enabled() -> bool:
    """Whether the current thread records operations."""
    return get_ident() not in OFF


def _switch(enabled: bool) -> bool:
    """Set the current thread's mode; returns the mode before."""
    me = get_ident()
    before = me not in OFF
    if enabled:
        OFF.discard(me)
    else:
        OFF.add(me)
    return before


class _GradMode:
    """A context manager and decorator that holds one grad mode."""

    enabled = True

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(_switch(self.enabled))

    def __exit__(self, *exc: object) -> None:
        _switch(self._before.pop())

    def _again(self) -> _GradMode:
        return type(self)()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if isinstance(function, type):
            raise TypeError(f"{type(self).__name__}: decorate functions or methods, not the class {function.__name__}")
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


class no_grad(_GradMode):  # noqa: N801 - PyTorch's name
    """Record nothing: as a context (``with no_grad():``) or a decorator (``@no_grad()`` or ``@no_grad``)."""

    enabled = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        if function is None:
            return made
        made.__init__()  # type: ignore[misc]
        return made(function)

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        super().__init__()


class enable_grad(no_grad):  # noqa: N801 - PyTorch's name
    """Record again, inside a ``no_grad``."""

    enabled = True


class inference_mode(_GradMode):  # noqa: N801 - PyTorch's name
    """Record nothing; what PyTorch's mode saves beyond ``no_grad`` costs nothing here.

    Args:
        mode: False records, as ``enable_grad`` does.
    """

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        made = super().__new__(cls)
        if callable(mode):
            made.__init__()  # type: ignore[misc]
            return made(mode)
        return made

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.enabled = not mode

    def _again(self) -> inference_mode:
        return inference_mode(not self.enabled)


class set_grad_enabled(_GradMode):  # noqa: N801 - PyTorch's name
    """Switch recording on or off: at once as a call, or within a ``with`` block, or as a decorator.

    Args:
        mode: whether to record.
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.enabled = bool(mode)
        self._outer = _switch(self.enabled)

    def __enter__(self) -> None:
        self._before.append(self._outer)
        _switch(self.enabled)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        _switch(self._outer)  # as a decorator it says nothing about the lines that follow
        return super().__call__(function)

    def _again(self) -> set_grad_enabled:
        return set_grad_enabled(self.enabled)
