"""Jacobians and Hessians: products with every unit vector, all of them at once by ``vmap``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..batching import vmap
from ..batching.level import place_of
from ..grad_mode import enable_grad
from ..rule import P
from ..tensor import Tensor, wrap
from ..tree import flatten, unflatten
from .transforms import Push, Scope, chosen, outputs_of, with_aux

__all__ = ["basis", "hessian", "jacfwd", "jacrev"]


def basis(tensors: list[Tensor]) -> list[Tensor]:
    """For each tensor a batch along a new first dimension; element k of all batches is unit vector k of them joined."""
    sizes = [x._array.size for x in tensors]
    total, start, made = sum(sizes), 0, []
    for x, n in zip(tensors, sizes, strict=True):
        place = place_of(x._device)
        rows = np.eye(total, n, -start, dtype=x._array.dtype).reshape((total, *x._array.shape))
        made.append(wrap(place.backend.from_host(rows), place))
        start += n
    return made


def _split(rows: Tensor, parts: list[Tensor]) -> list[Tensor]:
    """The rows that belong to each of the tensors whose unit vectors made them."""
    made, start = [], 0
    for x in parts:
        made.append(P.slice(rows, (slice(start, start + x._array.size),)))
        start += x._array.size
    return made


def jacrev(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False,
    chunk_size: int | None = None, _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:  # fmt: skip
    """A function that gives the Jacobian of ``func``, row by row backward: for fewer outputs than inputs.

    Args:
        func: takes tensors or containers of them, and returns such; with ``has_aux`` a pair of that and anything else.
        argnums: the number of the argument to differentiate by, or several.
        chunk_size: how many rows to compute at once (None: all), to save memory.

    Returns:
        The function; its result is like the output of ``func``, each tensor (``*out``) replaced by Jacobians
        (``*out, *in``) for the argument, in a tuple for several. With ``has_aux`` a pair of that and ``aux``.
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        scope, own = Scope("jacrev"), list(args)
        places = chosen("jacrev", argnums, len(args))
        with enable_grad():
            for n in places:
                own[n] = scope.take(own[n])
            out, aux = with_aux("jacrev", func(*own, **kwargs), has_aux)
            outputs, structure = outputs_of("jacrev", out)
            create = scope.seen_outside(outputs)
            rows = vmap(
                lambda *gs: tuple(scope.pull(outputs, list(gs), retain=True, create=create)), chunk_size=chunk_size
            )(*basis(outputs))
            columns = [_split(g, outputs) for g in rows]  # by input, then by output
            table = [[P.reshape(column[i], (*y._array.shape, *x._array.shape))
                      for column, x in zip(columns, scope.inputs, strict=True)]
                     for i, y in enumerate(outputs)]  # fmt: skip
            made = unflatten([_like_arguments(row, args, places, argnums) for row in table], structure)
            return (made, scope.release(aux)) if has_aux else made

    return wrapper


def jacfwd(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *, randomness: str = "error",
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """A function that gives the Jacobian of ``func``, column by column: for fewer inputs than outputs.

    Args:
        func: takes tensors or containers of them, and returns such; with ``has_aux`` a pair of that and anything else.
        argnums: the number of the argument to differentiate by, or several.
        randomness: accepted; ``func`` runs once, outside of ``vmap``.
        chunk_size: how many columns to compute at once (None: all), to save memory.

    Returns:
        As ``jacrev``.
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        scope, own = Scope("jacfwd"), list(args)
        places = chosen("jacfwd", argnums, len(args))
        with enable_grad():
            for n in places:
                own[n] = scope.take(own[n])
            out, aux = with_aux("jacfwd", func(*own, **kwargs), has_aux)
            outputs, structure = outputs_of("jacfwd", out)
            push = Push(scope, outputs)
            columns = vmap(lambda *ts: tuple(push(list(ts))), chunk_size=chunk_size)(*basis(scope.inputs))
            table = [[_last(part, x) for part, x in zip(_split(c, scope.inputs), scope.inputs, strict=True)]
                     for c in columns]  # fmt: skip
            made = unflatten([_like_arguments(row, args, places, argnums) for row in table], structure)
            return (made, scope.release(aux)) if has_aux else made

    return wrapper


def _last(part: Tensor, x: Tensor) -> Tensor:
    """The derivatives by the elements of an input, with these dimensions behind those of the output."""
    n = part._array.ndim
    turned = P.permute(part, (*range(1, n), 0))
    return P.reshape(turned, (*part._array.shape[1:], *x._array.shape))


def _like_arguments(row: list[Tensor], args: tuple[Any, ...], places: list[int], argnums: Any) -> Any:
    """What belongs to each input tensor, in the structure of the arguments."""
    each = iter(row)
    made = []
    for n in places:
        leaves, structure = flatten(args[n])
        made.append(unflatten([next(each) for _ in leaves], structure))
    return made[0] if isinstance(argnums, int) else tuple(made)


def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """A function that gives the second derivatives of ``func``: the Jacobian of its Jacobian.

    >>> import tapegrad as tg
    >>> tg.func.hessian(lambda x: (x**3).sum())(tg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
