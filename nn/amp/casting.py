"""How operations come to run in other types while autocast is on, at no cost while it is off.

The code of each listed function is exchanged for a call of this module when autocast begins anywhere, and put back
when it has ended everywhere; so it does not matter by which name a function is reached, and the functions themselves
ask nothing. An operation on a list runs with autocast off inside: its parts are not cast again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from threading import Lock, get_ident
from types import FunctionType
from typing import Any

from ...autograd import PUBLIC, Tensor, is_grad_enabled
from ...autograd.ops import fft as fft_ops
from ...autograd.ops import linear_algebra
from ...autograd.record import _first_call as write_operation
from ...autograd.rule import RULES, P
from ...backends import cuda, dtypes
from .. import functional, recurrent_steps
from . import lists

__all__ = ["ACTIVE", "CALLS", "State", "begin", "end"]

FLOAT32, FLOAT64 = dtypes.of("float32"), dtypes.of("float64")


class State:
    """What autocast does in one thread.

    Attributes:
        types: the lower type for each kind of device where autocast is on.
        cache: parameters in the lower type, while autocast lasts: ``(id, type, grad mode) -> (parameter, cast)``.
        caching: whether the cache is used.
    """

    def __init__(self, types: dict[str, Any], cache: dict[Any, Any], caching: bool) -> None:
        self.types, self.cache, self.caching = types, cache, caching

    def eligible(self, value: Any) -> bool:
        return (
            isinstance(value, Tensor) and value.device.type in self.types
            and value.dtype.is_floating_point and value.dtype is not FLOAT64
        )  # fmt: skip

    def low(self, value: Tensor) -> Tensor:
        kind = self.types[value.device.type]
        if value.dtype is kind:
            return value
        if not (self.caching and value.requires_grad and value.is_leaf and not value._is_view()):
            return value.to(kind)
        key = id(value), kind, is_grad_enabled()
        found = self.cache.get(key)
        if found is None:
            found = self.cache[key] = (value, value.to(kind))
        return found[1]


ACTIVE: dict[int, State] = {}  # thread -> what autocast does in it, where it is on
CALLS: dict[str, Callable[..., Any]] = {}  # name -> what runs in place of the function

_lock = Lock()
_threads = 0  # in how many autocast is on


def begin() -> None:
    """Autocast begins in a thread."""
    global _threads
    with _lock:
        _threads += 1
        if _threads == 1:
            for function, code, _ in _exchanges():
                function.__code__ = code


def end() -> None:
    """Autocast ends in a thread."""
    global _threads
    with _lock:
        _threads -= 1
        if not _threads:
            for function, _, code in _exchanges():
                function.__code__ = code


def _cast(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)([_cast(v, change) for v in value])
    return change(value)


def _apply(change: Callable[[Any], Any], args: Any, kwargs: Any) -> tuple[Any, Any]:
    return [_cast(a, change) for a in args], {k: _cast(v, change) for k, v in kwargs.items()}


def _lower(state: State, args: Any, kwargs: Any) -> tuple[Any, Any]:
    return _apply(lambda v: state.low(v) if state.eligible(v) else v, args, kwargs)


def _widen(state: State, args: Any, kwargs: Any) -> tuple[Any, Any]:
    return _apply(lambda v: v.to(FLOAT32) if state.eligible(v) else v, args, kwargs)


def _widen_on_cuda(state: State, args: Any, kwargs: Any) -> tuple[Any, Any]:
    given = [v for v in (*args, *kwargs.values()) if isinstance(v, Tensor)]
    return _widen(state, args, kwargs) if any(v.device.type == "cuda" for v in given) else (args, kwargs)


def _promote(state: State, args: Any, kwargs: Any) -> tuple[Any, Any]:
    kinds: list[Any] = []
    _apply(lambda v: kinds.append(v.dtype) if state.eligible(v) else None, args, kwargs)
    return _widen(state, args, kwargs) if FLOAT32 in kinds else (args, kwargs)


def _keep(state: State, args: Any, kwargs: Any) -> tuple[Any, Any]:
    return args, kwargs


def _padding(state: State, args: Any, kwargs: Any) -> tuple[Any, Any]:
    mode = args[2] if len(args) > 2 else kwargs.get("mode", "constant")
    return (_keep if mode == "constant" else _widen)(state, args, kwargs)


def _inner(state: State, args: Any, kwargs: Any) -> tuple[Any, Any]:
    vectors = all(v.ndim < 2 for v in (*args, *kwargs.values()) if isinstance(v, Tensor))
    return (_keep if vectors else _lower)(state, args, kwargs)


def _calling(plain: Callable[..., Any], policy: Callable[..., Any], as_input: bool = False) -> Callable[..., Any]:
    """What runs in place of a function: the same after the casts of a policy, with autocast off inside."""

    def call(*args: Any, **kwargs: Any) -> Any:
        me = get_ident()
        state = ACTIVE.get(me)
        if state is None:
            return plain(*args, **kwargs)
        if kwargs.get("out") is None:  # a result that has a type already decides
            args, kwargs = policy(state, args, kwargs)
        del ACTIVE[me]
        try:
            made = plain(*args, **kwargs)
        finally:
            ACTIVE[me] = state
        return made.to(args[0].dtype) if as_input else made

    return call


def _lower_products(state: State, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Of a recurrent layer the input and the weights rounded; a simple one whole, gates only where the state is."""
    low, _ = _lower(state, args, kwargs)
    if args[8].startswith("RNN") or FLOAT32 not in [s.dtype for s in args[1:3] if s is not None]:
        return low, kwargs
    return _widen(state, [low[0], *args[1:3], *low[3:]], kwargs)


def _recurrent(plain: Callable[..., Any]) -> Callable[..., Any]:
    """A recurrent layer: of an LSTM or simple one all is in the lower type, of a GRU its products."""
    lowered = _calling(plain, _lower)

    def call(mode: str, *args: Any) -> Any:
        return (plain if mode == "GRU" else lowered)(mode, *args)

    return call


@cache
def _exchanges() -> list[tuple[FunctionType, Any, Any]]:
    """The listed functions, the code that each has under autocast, and its own."""
    made: dict[int, tuple[FunctionType, Any, Any]] = {}
    for name, function, wrap in _listed():
        if id(function) in made:
            continue
        rule = RULES.get(function.__name__)
        if rule is not None and getattr(P, rule.name, None) is function:
            write_operation(rule, rule.index)  # else its first call would exchange the code once more
        own = function.__code__
        plain = FunctionType(own, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
        plain.__kwdefaults__ = function.__kwdefaults__
        key = f"{name} {len(made)}"
        CALLS[key] = wrap(plain)
        made[id(function)] = function, _code(key, own), own
    return list(made.values())


def _listed() -> Iterator[tuple[str, Any, Callable[..., Any]]]:
    """The functions that autocast changes, and how."""
    policies: tuple[tuple[Any, Any], ...] = (
        (lists.PLAIN, _keep), (lists.LOW, _lower), (lists.WIDE, _widen), (lists.PROMOTED, _promote),
        (lists.AS_INPUT, _keep), (lists.WIDE_ON_CUDA, _widen_on_cuda), (("inner",), _inner),
    )  # fmt: skip
    if not cuda.is_available():
        policies = tuple(p for p in policies if p[0] is not lists.WIDE_ON_CUDA)
    for names, policy in policies:
        for name in names:
            as_input = names is lists.AS_INPUT
            for function in _by_name(name):
                yield name, function, lambda plain, p=policy, a=as_input: _calling(plain, p, a)
    yield "pad", functional.pad, lambda plain: _calling(plain, _padding)
    for name in ("linear", "matmul"):
        yield name, getattr(P, name), lambda plain: _calling(plain, _lower)
    for name in ("cat", "stack"):
        yield name, getattr(P, name), lambda plain: _calling(plain, _promote)
    yield "recurrent step", P.recurrent, lambda plain: _calling(plain, _lower_products)
    yield "recurrent", recurrent_steps.run, _recurrent


def _by_name(name: str) -> list[FunctionType]:
    """The functions that users reach under a name."""
    space, _, last = name.rpartition(".")
    spaces = [{"linalg": linear_algebra, "fft": fft_ops}[space]] if space else [functional, Tensor]
    found = [getattr(s, last, None) for s in spaces]
    if not space:
        found.append(PUBLIC.get(last))
    return [f for f in found if isinstance(f, FunctionType)]


def _code(key: str, own: Any) -> Any:
    """Code that calls ``CALLS[key]``, with as many names of an outer function as the code that it stands for."""
    outer = ", ".join(f"v{i}" for i in range(len(own.co_freevars)))
    text = (
        f"def make({outer}):\n    def {own.co_name.strip('<>')}(*args, **kwargs):\n"
        f"        from sys import modules\n        {f'({outer},)' if outer else 'pass'}\n"
        f"        return modules[{__name__!r}].CALLS[{key!r}](*args, **kwargs)\n"
        f"    return {own.co_name.strip('<>')}\n"
    )
    space: dict[str, Any] = {}
    exec(compile(text, f"<tapegrad autocast {key}>", "exec"), space)
    return space["make"](*[None] * len(own.co_freevars)).__code__
