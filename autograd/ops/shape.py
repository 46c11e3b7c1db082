"""Shapes: views where PyTorch makes views, copies where it copies."""

from __future__ import annotations

import builtins
from math import prod
from typing import Any

from ...backends import dtypes
from ..layouts import contiguous_format, preserve_format
from ..names import named
from ..promote import describe
from ..rule import P
from ..tensor import Tensor, wrap
from .args import check_tensor, dim_of, dims_of, sizes_of
from .memory_order import is_in_order, order_of, relaid
from .move import storage_offset

__all__ = [
    "broadcast_to", "contiguous", "diagonal", "expand", "flatten", "flip", "movedim", "pad", "permute", "repeat",
    "reshape", "roll", "squeeze", "t", "transpose", "tril", "triu", "unflatten", "unsqueeze", "view",
]  # fmt: skip

EVERYTHING = builtins.slice(None)
REVERSED = ((), (0,), (1, 0))  # by the number of dimensions, their order in a transpose


def _resolve(name: str, x: Tensor, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A target shape with its -1 worked out.

    Raises:
        RuntimeError: another number of elements.
    """
    size = x._array.size
    known = prod(shape)
    if known == size and -1 not in shape:
        return shape
    known = prod([n for n in shape if n != -1])
    if shape.count(-1) == 1 and known and size % known == 0:
        return tuple([size // known if n == -1 else n for n in shape])
    raise RuntimeError(f"{name}: shape {list(shape)} is invalid for {size} elements of shape {list(x.shape)}")


def reshape(input: Tensor, *sizes: Any, shape: Any = None) -> Tensor:
    """The same elements in another shape: a view where the memory allows it, else a copy.

    Args:
        input: any shape.
        sizes: one by one or as one sequence, by the name ``shape`` too; one may be -1 and follows from the others.

    Raises:
        RuntimeError: another number of elements.
    """
    check_tensor("reshape", "input", input)
    out = P.reshape(input, _resolve("reshape", input, sizes_of(sizes if shape is None else (shape,))))
    return out if out._cell is input._cell else named(out, "UnsafeViewBackward0")


def view(input: Tensor, *shape: Any, dtype: Any = None, size: Any = None) -> Tensor:
    """The same memory in another shape, or read as another element type.

    Args:
        shape: the sizes one by one or as one sequence; or a dtype, whose elements are made of the same bytes: the
            last dimension grows or shrinks with their size. Such a view has no history.

    Raises:
        RuntimeError: another number of elements, or the memory is not laid out for it.
    """
    if dtype is not None or (len(shape) == 1 and isinstance(shape[0], dtypes.dtype)):
        return _bits(input, dtypes.of(shape[0] if shape else dtype))
    if size is not None:
        shape = (size,)
    out = P.reshape(input, _resolve("view", input, sizes_of(shape)))
    if out._cell is not input._cell:
        raise RuntimeError(
            f"view: shape {list(out.shape)} does not fit the strides of this tensor of shape {list(input.shape)}; "
            "use reshape() or contiguous().view()"
        )
    return out


def _bits(x: Tensor, dtype: dtypes.dtype) -> Tensor:
    """The bytes of ``x`` read as elements of another type."""
    array, size = x._array, x._array.itemsize
    what = f"view: a tensor {describe(x)} cannot be read as {dtype.name}"
    if dtype.itemsize != size:
        if not array.ndim or array.strides[-1] != size:
            raise RuntimeError(f"{what}: its last dimension must lie without gaps, the element sizes differ")
        if array.shape[-1] * size % dtype.itemsize or any([s % dtype.itemsize for s in array.strides[:-1]]):
            raise RuntimeError(f"{what}: sizes and strides must be multiples of {dtype.itemsize} bytes")
        if storage_offset(x) * size % dtype.itemsize:
            raise RuntimeError(f"{what}: it begins within an element of {dtype.itemsize} bytes")
    made = wrap(array.view(dtype.numpy), x._device)
    made._cell = x._cell
    return made


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the dimensions from ``start_dim`` to ``end_dim`` into one."""
    check_tensor("flatten", "input", input)
    shape = input._array.shape
    start, end = dim_of("flatten", start_dim, len(shape)), dim_of("flatten", end_dim, len(shape))
    if start > end:
        raise RuntimeError(f"flatten: start_dim {start_dim} lies behind end_dim {end_dim}")
    if not shape:
        return P.reshape(input, (1,))
    if start == end:
        return input
    return P.reshape(input, (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """Split dimension ``dim`` into several of the given sizes.

    Raises:
        RuntimeError: the tensor has no dimensions.
    """
    if not input.ndim:
        raise RuntimeError("unflatten: a tensor without dimensions has none to split; use reshape()")
    at = dim_of("unflatten", dim, input.ndim)
    shape = input._array.shape
    return (
        reshape(input, (*shape[:at], *sizes, *shape[at + 1 :]))
        if -1 not in sizes
        else _unflatten(input, at, tuple(sizes))
    )


def _unflatten(x: Tensor, at: int, sizes: tuple[int, ...]) -> Tensor:
    shape, known = x._array.shape, 1
    for n in sizes:
        known *= n if n != -1 else 1
    return reshape(x, (*shape[:at], *(shape[at] // known if n == -1 else n for n in sizes), *shape[at + 1 :]))


def permute(input: Tensor, *order_: Any, dims: Any = None) -> Tensor:
    """A view with the dimensions in another order, given one by one or as the sequence ``dims``."""
    check_tensor("permute", "input", input)
    ndim = input._array.ndim
    order = tuple([dim_of("permute", d, ndim) for d in sizes_of(order_ if dims is None else (dims,))])
    if len(order) != ndim or len({*order}) != ndim:
        raise RuntimeError(f"permute: dims {order} is not an order of the {ndim} dimensions")
    return P.permute(input, order)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """A view with two dimensions swapped."""
    check_tensor("transpose", "input", input)
    ndim = input._array.ndim
    i, j = dim_of("transpose", dim0, ndim), dim_of("transpose", dim1, ndim)
    order = list(range(ndim))
    if ndim:
        order[i], order[j] = order[j], order[i]
    return named(P.permute(input, tuple(order)), "TransposeBackward0")


def matrix_transpose(input: Tensor) -> Tensor:
    """The last two dimensions in the other order: ``mT``.

    Raises:
        RuntimeError: fewer than two dimensions.
    """
    if input.ndim < 2:
        raise RuntimeError(f"mT: needs at least 2 dimensions, got shape {list(input.shape)}")
    return transpose(input, -1, -2)


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector or a scalar as it is."""
    check_tensor("t", "input", input)
    ndim = input._array.ndim
    if ndim > 2:
        raise RuntimeError(f"t: needs at most 2 dimensions, got shape {list(input.shape)}; use transpose(dim0, dim1)")
    return named(P.permute(input, REVERSED[ndim]), "TBackward0")


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """A view with dimensions moved to new places, the others in their order."""
    check_tensor("movedim", "input", input)
    src = [dim_of("movedim", d, input.ndim) for d in (source if isinstance(source, (tuple, list)) else (source,))]
    dst = [
        dim_of("movedim", d, input.ndim)
        for d in (destination if isinstance(destination, (tuple, list)) else (destination,))
    ]
    if len(src) != len(dst) or len(set(src)) < len(src) or len(set(dst)) < len(dst):
        raise RuntimeError(f"movedim: source {source} and destination {destination} must name as many, different dims")
    if not input.ndim:
        return named(P.permute(input, ()), "AliasBackward0")
    rest = [d for d in range(input.ndim) if d not in src]
    order = [-1] * input.ndim
    for s, d in zip(src, dst, strict=True):
        order[d] = s
    return named(P.permute(input, tuple(d if d >= 0 else rest.pop(0) for d in order)), "PermuteBackward0")


def squeeze(input: Tensor, dim: Any = None, *, axis: Any = None) -> Tensor:
    """A view without the dimensions of size 1 (all, or those that ``dim``, also called ``axis``, names)."""
    check_tensor("squeeze", "input", input)
    dim = dim if axis is None else axis
    have = input._array.shape
    if dim is None:
        shape = tuple([n for n in have if n != 1])
    else:
        chosen = [dim_of("squeeze", d, len(have)) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))]
        shape = tuple([n for i, n in enumerate(have) if n != 1 or i not in chosen])
    out = P.reshape(input, shape) if shape != have else P.slice(input, ())
    return named(out, f"SqueezeBackward{0 if dim is None else 2 if isinstance(dim, (tuple, list)) else 1}")


def unsqueeze(input: Tensor, dim: Any = None, *, axis: Any = None) -> Tensor:
    """A view with a dimension of size 1 put in at ``dim``, also called ``axis``."""
    check_tensor("unsqueeze", "input", input)
    dim = dim if axis is None else axis
    if dim is None:
        raise TypeError("unsqueeze: argument 'dim' is missing; it says where the new dimension goes")
    at = dim_of("unsqueeze", dim, input._array.ndim + 1)
    return P.slice(input, (EVERYTHING,) * at + (None,))


def expand(input: Tensor, *sizes: Any, size: Any = None) -> Tensor:
    """A view in which dimensions of size 1 are repeated without copying; -1 keeps a size."""
    check_tensor("expand", "input", input)
    wanted, have = sizes_of(sizes if size is None else (size,)), input._array.shape
    lead = len(wanted) - len(have)
    shape = wanted
    if -1 in wanted:
        shape = tuple([have[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted)])
    if lead < 0 or (shape[lead:] != have and any([n != shape[lead + i] and n != 1 for i, n in enumerate(have)])):
        raise RuntimeError(f"expand: shape {list(have)} cannot be expanded to {list(wanted)}; only sizes of 1 grow")
    return P.expand(input, shape)


def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """``expand`` to a shape given as one sequence."""
    return expand(input, *size)


def repeat(x: Tensor, *sizes: Any, repeats: Any = None) -> Tensor:
    """Copies of the tensor side by side, ``sizes`` (or ``repeats``) times along each dimension."""
    times, have = sizes_of(sizes if repeats is None else (repeats,)), x._array.shape
    if len(times) < len(have):
        raise RuntimeError(f"repeat: {list(times)} needs a number for each of the {len(have)} dimensions")
    have = (1,) * (len(times) - len(have)) + have
    spread = tuple(n for pair in zip(times, have, strict=True) for n in pair)
    wide = P.expand(P.reshape(x, tuple(n for h in have for n in (1, h))), spread)
    out = P.reshape(wide, tuple(a * b for a, b in zip(times, have, strict=True)))
    return named(P.copy(out) if out._cell is x._cell else out, "RepeatBackward0")


def contiguous(x: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself where its memory is in row-major order, or in ``memory_format``; else a copy that is."""
    if memory_format is not None and memory_format is not contiguous_format:
        if memory_format is preserve_format:
            if x._array.flags.c_contiguous:
                return x
            raise RuntimeError("contiguous: preserve_format is no order; use contiguous_format or channels_last")
        order = order_of("contiguous", x, memory_format)
        return x if order is not None and is_in_order(x._array, order) else relaid(P.copy(x), order)
    return x if x._array.flags.c_contiguous else P.copy(x)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A view of a diagonal, as the last dimension.

    Raises:
        RuntimeError: ``dim1`` and ``dim2`` are the same.
    """
    check_tensor("diagonal", "input", input)
    first, second = dim_of("diagonal", dim1, input.ndim), dim_of("diagonal", dim2, input.ndim)
    if first == second:
        raise RuntimeError(f"diagonal: dim1 and dim2 must differ, got {dim1} and {dim2} of shape {list(input.shape)}")
    return P.diagonal(input, offset, first, second)


def flip(input: Tensor, *axes: Any, dims: Any = None) -> Tensor:
    """A copy with the order along ``dims`` (given one by one or as a sequence) reversed."""
    check_tensor("flip", "input", input)
    named_ones = axes if dims is None else (dims,)
    return P.flip(input, dims_of("flip", tuple(sizes_of(named_ones)), input.ndim) or ())


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """A copy with elements moved along ``dims``, those that leave at one end entering at the other."""
    check_tensor("roll", "input", input)
    several = tuple(shifts) if isinstance(shifts, (tuple, list)) else (shifts,)
    given = 0 if dims is None else len(dims) if isinstance(dims, (tuple, list)) else 1
    if not several or (given != len(several) and (given or len(several) != 1)):
        raise RuntimeError(f"roll: {len(several)} shifts for {given} dims; each shift needs a dim, or one shift none")
    if not given:
        out = P.reshape(P.roll(P.reshape(input, (-1,)), several, (0,)), input._array.shape)
        return named(out, "RollBackward0")
    where = dims if isinstance(dims, (tuple, list)) else (dims,)
    return P.roll(input, several, tuple(dim_of("roll", d, input.ndim) for d in where))


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """A copy with zeros above a diagonal of the last two dimensions."""
    if input.ndim < 2:
        raise RuntimeError(f"tril: needs at least 2 dimensions, got shape {list(input.shape)}")
    return P.tril(input, diagonal)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """A copy with zeros below a diagonal of the last two dimensions."""
    if input.ndim < 2:
        raise RuntimeError(f"triu: needs at least 2 dimensions, got shape {list(input.shape)}")
    return P.triu(input, diagonal)


def pad(x: Tensor, pad: Any, value: float = 0.0) -> Tensor:
    """Constant padding: ``pad`` names (before, after) from the last dimension on; negative numbers crop."""
    check_tensor("pad", "input", x)
    if len(pad) % 2:
        raise RuntimeError(f"pad: needs pairs of numbers, got {len(pad)} numbers")
    pairs = [(int(pad[i]), int(pad[i + 1])) for i in range(0, len(pad), 2)]
    if len(pairs) > x.ndim:
        raise RuntimeError(f"pad: {len(pairs)} pairs for {x.ndim} dimensions")
    widths = [(0, 0)] * (x.ndim - len(pairs)) + pairs[::-1]
    if builtins.any(a < 0 or b < 0 for a, b in widths):
        crop = tuple(
            builtins.slice(-builtins.min(a, 0), n + builtins.min(b, 0))
            for n, (a, b) in zip(x.shape, widths, strict=True)
        )
        x = P.slice(x, crop)
    return P.pad(
        x,
        tuple((builtins.max(a, 0), builtins.max(b, 0)) for a, b in widths),
        value if isinstance(value, complex) else float(value),
    )
