"""``out=``: writing a result into a tensor that is there already, by PyTorch's rules."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from .. import record
from ..grad_mode import is_grad_enabled
from ..overlaps import refuse_partial
from ..rule import P, Rule
from ..tensor import Tensor
from ..writes import overwrite, write

__all__ = ["accepting_out", "call_with_out", "takes_out", "write_out"]

F = TypeVar("F", bound=Callable[..., Any])

# Operations whose `out` must have the very type of the result; elsewhere it may have one that holds it.
EXACT = frozenset({"addbmm", "addmm", "addmv", "baddbmm", "bmm", "dot", "inner", "matmul", "mm", "mv", "vdot"})


def write_out(name: str, out: Any, made: Any, given: Any) -> Any:
    """``out`` with the result ``made`` written into it; several of both for operations with several results.

    Args:
        name: the operation, for errors.
        given: the arguments of the operation.

    Raises:
        RuntimeError: something requires grad, a type cannot hold the result, or the devices differ.
        TypeError: ``out`` is no tensor, or not as many as there are results.
    """
    several = isinstance(made, tuple)
    outs = tuple(out) if several and isinstance(out, (tuple, list)) else (out,)
    results = made if several else (made,)
    if len(outs) != len(results) or not all([isinstance(o, Tensor) for o in outs]):
        raise TypeError(f"{name}: out= must be {'a Tensor' if not several else f'{len(results)} Tensors'}")
    if is_grad_enabled() and _any_requires_grad((given, outs)):
        raise RuntimeError(
            f"{name}: out= does not go onto the tape, but one of the arguments requires grad; "
            "leave out= away, or work under no_grad()"
        )
    for target, result in zip(outs, results, strict=True):
        _check(name, target, result, several or name in EXACT)
        _resize(target, result)
        _refuse_shared(name, target, given)
        write(name, target, overwrite, result.detach())
    return type(made)(*outs) if several and hasattr(made, "_fields") else outs if several else out


def _any_requires_grad(given: Any) -> bool:
    if isinstance(given, Tensor):
        return given.requires_grad
    if isinstance(given, dict):
        given = tuple(given.values())
    return isinstance(given, (tuple, list)) and any([_any_requires_grad(x) for x in given])


def _refuse_shared(name: str, target: Tensor, given: Any) -> None:
    if isinstance(given, Tensor) and given is not target and given._cell is target._cell:
        refuse_partial(name, target, given)
    elif isinstance(given, (tuple, list)):
        for x in given:
            _refuse_shared(name, target, x)


def _check(name: str, target: Tensor, result: Tensor, exact: bool) -> None:
    if target._device is not result._device:
        raise RuntimeError(f"{name}: out is on {target.device}, the result on {result.device}; they must be the same")
    have, want = result.dtype, target.dtype
    if have is not want and (exact or have.category > want.category):
        raise RuntimeError(f"{name}: a result of type {have.name} does not go into out of type {want.name}")


def _resize(target: Tensor, result: Tensor) -> None:
    """Give ``target`` the shape of the result, with memory of its own."""
    shape = result._array.shape
    if target._array.shape == shape:
        return
    if target._array.size:
        warnings.warn(
            f"out= had elements, in shape {list(target.shape)}, and was resized to {list(shape)}; pass an empty tensor "
            "or one of the result's shape",
            UserWarning, stacklevel=4,
        )  # fmt: skip
    fresh = P.cast(P.zeros_like(result.detach()), target._array.dtype)
    target._array, target._view = fresh._array, None
    target._cell[0] += 1


def accepting_out(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with ``out=``; one that has it already as it is."""
    inner: Any = function
    while hasattr(inner, "__wrapped__"):
        inner = inner.__wrapped__
    code = inner.__code__  # of which a signature would be a slow copy
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if "out" in parameters:
        return function
    typed = "dtype" in parameters
    first = next(iter(parameters), "input")  # PyTorch knows the matrix of linear algebra as `input` too

    @wraps(function)
    def wrapped(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if "input" in kwargs and first == "A":
            kwargs["A"] = kwargs.pop("input")
        if out is None:
            return function(*args, **kwargs)
        return call_with_out(name, function, typed, out, args, kwargs)

    return wrapped


def takes_out(function: F) -> F:
    """Give a function of a namespace such as ``linalg`` the argument ``out``."""
    return accepting_out(function.__name__, function)  # type: ignore[return-value]


def call_with_out(
    name: str, function: Callable[..., Any], typed: bool, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Run an operation and write its result into ``out``.

    Args:
        typed: whether the operation has an argument ``dtype``, which is then the type of ``out`` unless given.
    """
    if typed and kwargs.get("dtype") is None and isinstance(out, Tensor):
        kwargs["dtype"] = out.dtype
    return write_out(name, out, function(*args, **kwargs), (args, kwargs))


def _into(rule: Rule, out: Any, inputs: tuple[Any, ...]) -> Any:
    return write_out(rule.name, out, getattr(P, rule.name)(*inputs), inputs)


record.GLOBALS["into"] = _into
