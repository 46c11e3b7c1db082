"""``vmap``: a function of one element as a function of a batch of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..grad_mode import is_grad_enabled
from ..rule import P
from ..tensor import Tensor, wrap
from ..tree import flatten, spread, unflatten
from .level import BatchDevice, Batched, Level, place_of

__all__ = ["vmap"]

RANDOMNESS = ("error", "different", "same")


def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """A function that maps ``func`` over a dimension of its tensor arguments, all elements at once.

    ``func`` sees tensors without that dimension. Each operation in it runs once, on the whole batch; nothing loops.
    Calls nest, and compose with ``grad`` and its kin in either order.

    Args:
        func: takes tensors, or containers of them, and returns tensors.
        in_dims: the dimension to map over, for all arguments; or one for each, in containers like the arguments' own,
            None where an argument is the same for all elements. Keyword arguments are not mapped.
        out_dims: where the results have the dimension; one for all, or one for each. None for a result that is the
            same for all elements.
        randomness: "error" refuses random operations; "different" draws other numbers for each element of the batch,
            "same" the same.
        chunk_size: how many elements to take at once (None: all), to save memory.

    Returns:
        The mapped function.

    Raises:
        ValueError: ``in_dims``, ``out_dims`` or sizes that do not fit, when called.
        RuntimeError: an operation that cannot be batched: ``.item()``, branching on values, results whose shape
            depends on values.

    >>> import tapegrad as tg
    >>> rows = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tg.vmap(tg.dot)(rows, rows)
    tensor([ 5., 25.])
    """
    if randomness not in RANDOMNESS:
        raise RuntimeError(f"vmap: randomness must be 'error', 'different' or 'same', got {randomness!r}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0, got {chunk_size}")

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        leaves, structure, dims, size = _mapped(func, in_dims, args)
        if chunk_size is None or chunk_size >= size:
            return _run(func, leaves, structure, dims, size, out_dims, randomness, kwargs)
        parts = []
        for start in range(0, size, chunk_size):
            stop = min(start + chunk_size, size)
            cut = [x if d is None else P.slice(x, (slice(None),) * d + (slice(start, stop),))
                   for x, d in zip(leaves, dims, strict=True)]  # fmt: skip
            parts.append(_run(func, cut, structure, dims, stop - start, out_dims, randomness, kwargs))
        return _joined(func, parts, out_dims)

    return wrapped


def _name(func: Any) -> str:
    return getattr(func, "__name__", repr(func))


def _mapped(func: Any, in_dims: Any, args: tuple[Any, ...]) -> tuple[list[Any], Any, list[int | None], int]:
    """The leaves of the arguments, their structure, the dimension of each, and the size of the batch."""
    who = f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, (int, tuple, list)):
        raise ValueError(
            f"{who}: expected in_dims to be an int or a (potentially nested) tuple matching the structure of inputs, "
            f"got {type(in_dims).__name__}"
        )
    if not args:
        raise ValueError(f"{who}: got no inputs; maybe you forgot to pass them, or all are keyword arguments")
    leaves, structure = flatten(args)
    dims = spread(in_dims, structure)
    if dims is None:
        raise ValueError(f"{who}: in_dims is not compatible with the structure of inputs, {structure}")
    for i, (x, dim) in enumerate(zip(leaves, dims, strict=True)):
        dims[i] = _checked(who, x, dim)
    sizes = [x._array.shape[d] for x, d in zip(leaves, dims, strict=True) if d is not None]
    if not sizes:
        raise ValueError(f"{who}: expected at least one tensor to map over; all in_dims are None")
    if len(set(sizes)) > 1:
        raise ValueError(
            f"{who}: expected all tensors to have the same size in the mapped dimension, got sizes {sizes}"
        )
    return leaves, structure, dims, sizes[0]


def _checked(who: str, x: Any, dim: Any) -> int | None:
    if dim is None:
        return None
    if not isinstance(dim, int) or isinstance(dim, bool):
        raise ValueError(f"{who}: got in_dim={dim!r} for an input; it must be an integer dimension or None")
    if not isinstance(x, Tensor):
        raise ValueError(
            f"{who}: got in_dim={dim} for an input of type {type(x).__name__}; only tensors can be mapped, use None"
        )
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(f"{who}: got in_dim={dim} for an input of {x.ndim} dimensions, of shape {list(x.shape)}")
    return dim % x.ndim


def _run(
    func: Any, leaves: list[Any], structure: Any, dims: list[int | None], size: int, out_dims: Any, randomness: str,
    kwargs: dict[str, Any],
) -> Any:  # fmt: skip
    with Level(size, randomness) as level:
        inputs = [x if d is None else _entering(x, d, level) for x, d in zip(leaves, dims, strict=True)]
        out = func(*unflatten(inputs, structure), **kwargs)
        results, shape = flatten(out)
        places = _places(func, out_dims, shape, results)
        return unflatten(
            [_leaving(func, y, place, level) for y, place in zip(results, places, strict=True)], shape
        )  # fmt: skip


def _entering(x: Tensor, dim: int, level: Level) -> Tensor:
    value = x if dim == 0 else P.permute(x, (dim, *(i for i in range(x.ndim) if i != dim)))
    return wrap(Batched(value, True), level.device(place_of(x._device)))


def _places(func: Any, out_dims: Any, structure: Any, results: list[Any]) -> list[Any]:
    """The dimension of each result that is to be the batch."""
    for y in results:
        if not isinstance(y, Tensor):
            raise ValueError(
                f"vmap({_name(func)}, ...): the mapped function must only return tensors, got {type(y).__name__}"
            )
    places = spread(out_dims, structure)
    if places is None and len(results) == 1 and isinstance(out_dims, (tuple, list)) and len(out_dims) == 1:
        places = spread(out_dims[0], structure)
    if places is None or not all(p is None or isinstance(p, int) for p in places):
        raise ValueError(
            f"vmap({_name(func)}, ..., out_dims={out_dims}): out_dims is not compatible with the structure of the "
            f"outputs, {structure}"
        )
    return places


def _leaving(func: Any, y: Tensor, place: int | None, level: Level) -> Tensor:
    """A result as a tensor of the level below."""
    held = y._array
    if isinstance(y._device, BatchDevice) and y._device.level is level:
        value, batched = held.value, held.batched
    else:
        value, batched = y, False
    if value.grad_fn is not None and not is_grad_enabled():
        value = value.detach()  # a derivative inside the function recorded what it needed
    if place is None:
        if batched:
            raise ValueError(f"vmap({_name(func)}, ...): got a result that is batched for out_dims=None; say where")
        return value
    if not batched:
        value = P.expand(value, (level.size, *value._array.shape))
    n = value._array.ndim
    if not -n <= place < n:
        raise IndexError(
            f"vmap({_name(func)}, ...): out_dims={place} is out of range for a result of {n - 1} dimensions"
        )
    if place % n == 0:
        return value
    order = list(range(1, n))
    order.insert(place % n, 0)
    return P.permute(value, tuple(order))


def _joined(func: Any, parts: list[Any], out_dims: Any) -> Any:
    """The results of the chunks, one after the other."""
    split = [flatten(part) for part in parts]
    structure = split[0][1]
    places = _places(func, out_dims, structure, split[0][0])
    columns = zip(*[leaves for leaves, _ in split], strict=True)
    return unflatten(
        [column[0] if place is None else P.cat(list(column), place % column[0]._array.ndim)
         for column, place in zip(columns, places, strict=True)], structure
    )  # fmt: skip
