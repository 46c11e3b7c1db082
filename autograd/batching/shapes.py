"""Batching rules of shapes, joins, reductions and scans: the same primitive, its axes counted behind the batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..rule import P
from ..tensor import Tensor
from .elementwise import ALL, aligned, batch_of, expanded
from .level import Batched

__all__ = ["SHAPES"]

Shape = tuple[int, ...]


def _first(size: int, dim: int, *rest: Any) -> tuple[Any, ...]:
    return (dim + 1, *rest)


def _behind(dims: Shape) -> Shape:
    return tuple(d + 1 for d in dims)


# How the attributes of a primitive with one input read where the batch is axis 0, given the size of the batch.
SHIFTS: dict[str, Callable[..., tuple[Any, ...]]] = {
    **{name: lambda size, *attrs: attrs for name in (
        "cast", "copy", "zeros_like", "view_as_real", "view_as_complex", "tril", "triu", "exponent",
        "largest_of_windows")},
    **dict.fromkeys((
        "cumsum", "cumprod", "softmax", "log_softmax", "cummax", "cummin", "logcumsumexp", "prod", "argsort",
        "topk_order", "windows"), _first),
    "flip": lambda size, dims: (_behind(dims),),
    "roll": lambda size, shifts, dims: (shifts, _behind(dims)),
    "permute": lambda size, order: ((0, *_behind(order)),),
    "reshape": lambda size, shape: ((size, *shape),),
    "diagonal": lambda size, offset, dim1, dim2: (offset, dim1 + 1, dim2 + 1),
    "undiagonal": lambda size, shape, offset, dim1, dim2: ((size, *shape), offset, dim1 + 1, dim2 + 1),
    "slice": lambda size, index: ((ALL, *index),),
    "unslice": lambda size, shape, index: ((size, *shape), (ALL, *index)),
    "pad": lambda size, widths, value: (((0, 0), *widths), value),
    "unwindows": lambda size, shape, dim, width, step: ((size, *shape), dim + 1, width, step),
}  # fmt: skip


def _reach(shape: Shape, strides: Shape, start: int) -> int:
    """How much memory a view by strides spans, in elements."""
    return start + 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))


def _as_strided(x: Batched, size: Shape, stride: Shape, offset: int, strides: Shape, start: int) -> Tensor:
    """The same view of every element of the batch, whose memory lies in the one of the whole."""
    array, count = x.value._array, batch_of(x)
    inner, *rest = tuple(s // x.itemsize for s in array.strides)
    if tuple(rest) != strides:
        return _restride(x, size, stride, offset, strides, start)
    begin = int(x.value._device.backend.storage(array)[0])
    return P.as_strided(
        x.value, (count, *size), (inner, *stride), begin + offset - start, (inner, *strides), begin
    )  # fmt: skip


def _restride(x: Batched, size: Shape, stride: Shape, offset: int, strides: Shape, start: int) -> Tensor:
    span = max(_reach(size, stride, offset), _reach(x.shape, strides, start))
    count = batch_of(x)
    return P.restride(x.value, (count, *size), (span, *stride), offset, (span, *strides), start)


def _unstrided(
    g: Batched, shape: Shape, size: Shape, stride: Shape, offset: int, strides: Shape, start: int
) -> Tensor:  # fmt: skip
    span = max(_reach(size, stride, offset), _reach(shape, strides, start))
    count = batch_of(g)
    return P.unstrided(g.value, (count, *shape), (count, *size), (span, *stride), offset, (span, *strides), start)


def _unary(name: str, shift: Callable[..., tuple[Any, ...]]) -> Callable[..., Tensor]:
    inside = getattr(P, name)

    def batched(x: Batched, *attrs: Any) -> Tensor:
        out: Tensor = inside(x.value, *shift(batch_of(x), *attrs))
        return out

    return batched


def _reduction(name: str) -> Callable[..., Tensor]:
    """Over the axes that the attribute in front names; None names all, of which there may be none."""
    inside = getattr(P, name)

    def batched(x: Batched, dims: Shape | None, *rest: Any) -> Tensor:
        value = x.value
        if not x.ndim:
            value, dims, rest = P.slice(value, (ALL, None)), (0,), tuple(False if r is True else r for r in rest)
        out: Tensor = inside(value, _behind(tuple(range(x.ndim)) if dims is None else dims), *rest)
        return out

    return batched


def _extreme_place(name: str) -> Callable[..., Tensor]:
    inside = getattr(P, name)

    def batched(x: Batched, dim: int | None, keepdim: bool) -> Tensor:
        if dim is not None:
            return inside(x.value, dim + 1, keepdim)
        size = batch_of(x)
        out = inside(P.reshape(x.value, (size, x.size)), 1, False)
        return P.reshape(out, (size, *(1,) * x.ndim)) if keepdim else out

    return batched


def _reshape(x: Batched, shape: Shape) -> Tensor:
    if -1 in shape:
        known = -math.prod(shape)
        shape = tuple((x.size // known if known else 0) if n == -1 else n for n in shape)
    return P.reshape(x.value, (batch_of(x), *shape))


def _expand(x: Batched, shape: Shape) -> Tensor:
    return P.expand(aligned(x, len(shape)), (batch_of(x), *shape))


def _windows(x: Batched, dim: int, width: int, step: int) -> Tensor:
    if not x.ndim:
        return P.slice(x.value, (ALL, None))[:, :width]
    return P.windows(x.value, dim + 1, width, step)


def _unwindows(g: Batched, shape: Shape, dim: int, width: int, step: int) -> Tensor:
    if shape:
        return P.unwindows(g.value, (batch_of(g), *shape), dim + 1, width, step)
    return P.sum(g.value, (1,), False)  # of one window, which holds one place or none


def _join(name: str) -> Callable[..., Tensor]:
    inside = getattr(P, name)

    def batched(parts: list[Batched], dim: int) -> Tensor:
        size = batch_of(parts)
        out: Tensor = inside([expanded(x, size) for x in parts], dim + 1)
        return out

    return batched


# Writes through views


def _steps(ndim: int, size: int, steps: Any) -> tuple[Any, ...]:
    """The steps to a view as they are to be taken where the batch is axis 0."""
    made: list[Any] = []
    for name, attrs in steps:
        if name == "as_strided":
            raise RuntimeError("vmap: there is no batching rule for 'as_strided'; write through another view")
        if name == "expand":
            shape = attrs[0]
            if len(shape) > ndim:
                made.append(("slice", ((ALL, *(None,) * (len(shape) - ndim)),)))
            made.append((name, ((size, *shape),)))
        else:
            made.append((name, SHIFTS[name](size, *attrs)))
        ndim = _ndim_after(ndim, name, attrs)
    return tuple(made)


def _ndim_after(ndim: int, name: str, attrs: Any) -> int:
    if name in ("reshape", "expand"):
        return len(attrs[0])
    if name == "slice":
        return ndim + sum(1 if p is None else 0 if isinstance(p, slice) else -1 for p in attrs[0])
    return ndim + {"diagonal": -1, "windows": 1, "view_as_real": 1, "view_as_complex": -1}.get(name, 0)


def _zero_view(x: Batched, steps: Any) -> Tensor:
    return P.zero_view(x.value, _steps(x.ndim, batch_of(x), steps))


def _view_scatter(base: Batched, value: Batched, steps: Any) -> Tensor:
    size = batch_of(base, value)
    return P.view_scatter(expanded(base, size), expanded(value, size), _steps(base.ndim, size, steps))


SHAPES: dict[str, Callable[..., Tensor]] = {
    **{name: _unary(name, shift) for name, shift in SHIFTS.items()},
    **{name: _reduction(name) for name in (
        "sum", "mean", "var", "amax", "amin", "logsumexp", "any", "all", "count_nonzero")},
    "argmax": _extreme_place("argmax"), "argmin": _extreme_place("argmin"), "reshape": _reshape, "expand": _expand,
    "windows": _windows, "unwindows": _unwindows, "cat": _join("cat"), "stack": _join("stack"),
    "zero_view": _zero_view, "view_scatter": _view_scatter,
    "as_strided": _as_strided, "restride": _restride, "unstrided": _unstrided,
}  # fmt: skip
