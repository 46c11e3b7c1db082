"""Making tensors from a shape or a range: zeros, ones, arange and their kin.

All take PyTorch's keywords: ``out`` (write the result there), ``dtype`` and ``device`` (None: the
default ones), ``requires_grad``; ``layout`` is accepted and changes nothing; ``memory_format`` is the order in memory.
``pin_memory`` puts zeros, ones, empty and full tensors of the CPU into pinned memory, and is otherwise accepted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...backends import device_of, dtypes
from ..grad_mode import INFERRING, inferred
from ..promote import fitting, get_default_dtype
from ..tensor import Tensor, wrap
from ..writes import overwrite, write
from . import pinned
from .create import finish, from_data, tensor
from .memory_order import in_memory_order, order_of, relaid

__all__ = [
    "arange", "empty", "empty_like", "empty_strided", "eye", "full", "full_like", "linspace", "logspace", "ones",
    "ones_like", "range", "tril_indices", "triu_indices", "zeros", "zeros_like",
]  # fmt: skip


INT64 = dtypes.int64.numpy


def shape_of(size: Any) -> tuple[int, ...]:
    """A shape given as numbers or as one sequence.

    Raises:
        RuntimeError: a negative size. TypeError: what is no size.
    """
    if len(size) == 1:
        if type(size[0]) is int and size[0] >= 0:
            return (size[0],)
        if isinstance(size[0], Iterable) and not isinstance(size[0], (str, Tensor)):
            size = tuple(size[0])
    try:
        shape = tuple([n if type(n) is int else n.__index__() for n in size])
    except AttributeError:
        given = ", ".join(type(n).__name__ for n in size)
        raise TypeError(f"size: takes integers, one by one or as one sequence, not ({given})") from None
    if shape and min(shape) < 0:
        raise RuntimeError(f"size: dimensions may not be negative, got {list(shape)}")
    return shape


def into(out: Tensor | None, made: Tensor) -> Tensor:
    """``made``, or ``out`` with its content; an ``out`` of another shape takes the new one.

    Raises:
        RuntimeError: ``out`` has a type that cannot hold the result.
    """
    if out is None:
        return made
    if out._array.shape != made._array.shape:
        out._array = out._device.backend.copy(wrap(made._array, made._device).to(out.device, out.dtype)._array)
        out._cell[0] += 1
        return out
    return write("out", out, overwrite, made)


def kind_of(dtype: Any, out: Tensor | None) -> np.dtype:
    """NumPy's type to compute in: as said, or as ``out`` has it, or the default one.

    Raises:
        RuntimeError: ``out`` has another type than said.
    """
    if dtype is None:
        return get_default_dtype().numpy if out is None else out._array.dtype
    if out is not None and dtypes.of(dtype) is not out.dtype:
        raise RuntimeError(f"dtype {dtypes.of(dtype)} is not the type of out, {out.dtype}")
    return dtypes.to_numpy(dtype)


def _filled(
    value: Any, size: Any, named: Any, out: Tensor | None, dtype: Any, device: Any, requires_grad: bool,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    if named is None and not size:
        raise TypeError("size: zeros(), ones(), empty() and their kin need one; () makes a tensor without dimensions")
    shape = shape_of(size if named is None else (named,))
    where = device_of(out.device if out is not None and device is None else device)
    kind = kind_of(dtype, out)
    number = value if value is None else _fitting(value, kind)
    made = _ready(wrap(where.backend.filled(shape, number, kind), where), pin_memory, requires_grad)
    return made if out is None else into(out, made)


def _filled_like(
    value: Any, x: Tensor, dtype: Any, device: Any, requires_grad: bool, pin_memory: bool, memory_format: Any
) -> Tensor:
    kind = x._array.dtype if dtype is None else dtypes.to_numpy(dtype)
    where, number = x._device if device is None else device_of(device), _fitting(value, kind)
    if memory_format is None and x._array.flags.c_contiguous:
        made = where.backend.filled(x._array.shape, number, kind)
    else:
        make = in_memory_order(x, lambda s: where.backend.filled(s, number, kind), memory_format, "memory_format")
        made = make(x._array.shape)
    return _ready(wrap(made, where), pin_memory, requires_grad)


def _fitting(value: Any, kind: np.dtype) -> Any:
    """The number to fill with, as the element type holds it; None and small whole numbers as they are."""
    if value is None or (type(value) is int and 0 <= value <= 1):
        return value
    if type(value) is float and -1.0 <= value <= 1.0 and kind.kind == "f":
        return value
    value = fitting("full", value, dtypes.of(kind))
    return kind.type(value % (1 << 8 * kind.itemsize)) if kind.kind == "u" and value < 0 else value


def _ready(made: Tensor, pin_memory: bool, requires_grad: bool) -> Tensor:
    made = pinned.pin_memory(made) if pin_memory else made
    if INFERRING:
        made = inferred(made)
    return made.requires_grad_() if requires_grad else made


def zeros(
    *size: Any, out: Tensor | None = None, dtype: Any = None, layout: Any = None, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False, **kwargs: Any,
) -> Tensor:  # fmt: skip
    """A tensor of zeros of shape ``size``, given as numbers, as one sequence, or by name."""
    return _filled(0, size, named_size("zeros", kwargs), out, dtype, device, requires_grad, pin_memory)


def ones(
    *size: Any, out: Tensor | None = None, dtype: Any = None, layout: Any = None, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False, **kwargs: Any,
) -> Tensor:  # fmt: skip
    """A tensor of ones of shape ``size``, given as numbers, as one sequence, or by name."""
    return _filled(1, size, named_size("ones", kwargs), out, dtype, device, requires_grad, pin_memory)


def empty(
    *size: Any, out: Tensor | None = None, dtype: Any = None, layout: Any = None, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False, memory_format: Any = None, **kwargs: Any,
) -> Tensor:  # fmt: skip
    """A tensor of shape ``size`` with whatever the memory holds."""
    made = _filled(None, size, named_size("empty", kwargs), out, dtype, device, requires_grad, pin_memory)
    return made if memory_format is None else relaid(made, order_of("empty", made, memory_format))


def named_size(name: str, kwargs: dict[str, Any]) -> Any:
    """The shape where it was given as ``size=``."""
    size = kwargs.pop("size", None)
    if kwargs:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(kwargs))!r}")
    return size


def full(
    size: Any, fill_value: Any, *, out: Tensor | None = None, dtype: Any = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor of shape ``size`` filled with one number, of the number's type unless ``dtype`` says another.

    Raises:
        TypeError: ``size`` is no sequence. RuntimeError: the type cannot hold the number.
    """
    if isinstance(size, (int, np.integer)):
        raise TypeError(f"full: size must be a sequence of sizes, such as ({size},)")
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    if dtype is None:
        dtype = _type_of(value) if out is None else out.dtype
    where = device_of(device)
    kind = dtypes.to_numpy(dtype)
    made = wrap(where.backend.filled(shape_of((size,)), _fitting(value, kind), kind), where)
    return into(out, _ready(made, pin_memory, requires_grad))


def _type_of(value: Any) -> Any:
    """The element type that a number asks for."""
    return get_default_dtype() if type(value) is float else from_data(value).dtype


def empty_strided(
    size: Any, stride: Any, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor of shape ``size`` whose elements lie ``stride`` elements apart along each dimension."""
    shape, steps = shape_of((size,)), tuple(int(s) for s in stride)
    if len(shape) != len(steps) or any(s < 0 for s in steps):
        raise RuntimeError(f"empty_strided: size {list(shape)} and stride {list(steps)} do not go together")
    array = device_of(device).backend.laid_out(shape, steps, dtypes.to_numpy(dtype or get_default_dtype()))
    return finish(array, None, device, requires_grad)


def zeros_like(
    input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Zeros with the shape, type and device of ``input``."""
    return _filled_like(0, input, dtype, device, requires_grad, pin_memory, memory_format)


def ones_like(
    input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Ones with the shape, type and device of ``input``."""
    return _filled_like(1, input, dtype, device, requires_grad, pin_memory, memory_format)


def empty_like(
    input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Unset memory with the shape, type and device of ``input``."""
    return _filled_like(None, input, dtype, device, requires_grad, pin_memory, memory_format)


def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """One number with the shape, type and device of ``input``."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    return _filled_like(value, input, dtype, device, requires_grad, pin_memory, memory_format)


def arange(
    start: Any = None, end: Any = None, step: Any = 1, *, out: Tensor | None = None, dtype: Any = None,
    layout: Any = None, device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The numbers from ``start`` (0 where only one is given) up to but without ``end``, ``step`` apart."""
    if end is None:
        if start is None:
            raise TypeError("arange: give at least the end")
        start, end = 0, start
    if type(start) is type(end) is type(step) is int and (end - start) * step > 0 and dtype is out is None:
        where, count = device_of(device), -((start - end) // step)  # the usual call, without detours
        return _ready(wrap(where.backend.counted(start, step, count, INT64), where), pin_memory, requires_grad)
    numbers = _numbers("arange", 0 if start is None else start, end, step)
    if dtype is None:
        dtype = get_default_dtype() if any(isinstance(v, float) for v in numbers) else dtypes.int64
        dtype = dtype if out is None else out.dtype
    if dtypes.to_numpy(dtype).kind in "bc":
        raise RuntimeError(f"arange: not defined for {dtypes.of(dtype).name}; use an integer or floating dtype")
    if dtypes.to_numpy(dtype).kind in "iu":  # as PyTorch does it: without fractions before anything is counted
        whole = [int(v) for v in numbers]
        numbers = whole if dtypes.of(dtype) is dtypes.int64 and whole[2] else numbers
        count = max(0, int(np.ceil((numbers[1] - numbers[0]) / numbers[2])))
        numbers = whole
    else:
        count = max(0, int(np.ceil((numbers[1] - numbers[0]) / numbers[2])))
    where = device_of(device)
    made = wrap(where.backend.counted(numbers[0], numbers[2], count, dtypes.to_numpy(dtype)), where)
    return into(out, _ready(made, pin_memory, requires_grad))


def range(
    start: Any = 0, end: Any = None, step: Any = 1, *, out: Tensor | None = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The numbers from ``start`` up to ``end``, both included; PyTorch's forerunner of ``arange``."""
    if end is None:
        start, end = 0, start
    first, last, gap = _numbers("range", start, end, step)
    kind = kind_of(dtype, out)
    values = device_of(device).backend.counted(float(first), float(gap), int((last - first) / gap) + 1, kind)
    return into(out, finish(values, None, device, requires_grad))


def _numbers(name: str, *values: Any) -> list[Any]:
    """Start, end and step as Python numbers."""
    numbers = [v.item() if isinstance(v, (Tensor, np.generic)) else v for v in values]
    if any(isinstance(v, complex) or not np.isfinite(v) for v in numbers):
        raise RuntimeError(f"{name}: takes finite real numbers, got {numbers}")
    start, end, step = numbers
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError(f"{name}: step {step} does not lead from {start} to {end}")
    return numbers


def linspace(
    start: Any, end: Any, steps: int, *, out: Tensor | None = None, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``steps`` evenly spaced numbers from ``start`` to ``end``, both included.

    Raises:
        RuntimeError: ``steps`` is negative.
    """
    _check_steps("linspace", steps)
    if steps < 0:
        raise RuntimeError(f"linspace: steps may not be negative, got {steps}")
    if dtype is None and out is None and any(isinstance(v, complex) for v in (start, end)):
        dtype = get_default_dtype().to_complex()
    kind = kind_of(dtype, out)
    whole = kind.kind in "iu"  # counted in float64
    wide: Any = np.dtype(np.float64) if whole else kind
    ends = [wide.type(int(v) if whole else complex(v) if kind.kind == "c" else float(v)) for v in (start, end)]
    values = device_of(device).backend.spaced(*ends, steps, wide)
    return into(out, finish(values.astype(kind, copy=False), None, device, requires_grad))


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, out: Tensor | None = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``base`` to the power of ``steps`` evenly spaced numbers from ``start`` to ``end``."""
    _check_steps("logspace", steps)
    kind = kind_of(dtype, out)
    if steps < 0:
        raise RuntimeError(f"logspace: steps may not be negative, got {steps}")
    ends = [float(int(v) if kind.kind in "iu" and steps > 1 else v) for v in (start, end)]
    values = device_of(device).backend.powers(float(base), *ends, steps, kind)
    return into(out, finish(values, None, device, requires_grad))


def _check_steps(name: str, steps: Any) -> None:
    if isinstance(steps, (bool, float)):
        raise TypeError(f"{name}: steps must be an integer, not {type(steps).__name__} {steps!r}")


def eye(
    n: int, m: int | None = None, *, out: Tensor | None = None, dtype: Any = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """An n by m matrix with ones on the diagonal."""
    if n < 0 or (m is not None and m < 0):
        raise RuntimeError(f"eye: sizes may not be negative, got {n} and {n if m is None else m}")
    made = device_of(device).backend.identity(n, m, kind_of(dtype, out))
    return into(out, finish(made, None, device, requires_grad))


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, layout: Any = None
) -> Tensor:
    """The indices (2, count) of the elements of a row by col matrix on and below a diagonal, row by row.

    Raises:
        RuntimeError: a negative size, or a dtype other than int64 and int32.
    """
    return _triangle("tril_indices", False, row, col, offset, dtype, device)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, layout: Any = None
) -> Tensor:
    """The indices (2, count) of the elements of a row by col matrix on and above a diagonal, row by row.

    Raises:
        RuntimeError: a negative size, or a dtype other than int64 and int32.
    """
    return _triangle("triu_indices", True, row, col, offset, dtype, device)


def _triangle(name: str, upper: bool, row: int, col: int, offset: int, dtype: Any, device: Any) -> Tensor:
    chosen = dtypes.int64 if dtype is None else dtypes.of(dtype)
    if chosen not in (dtypes.int64, dtypes.int32):
        raise RuntimeError(f"{name}: dtype must be int64 or int32, got {chosen.name}")
    if row < 0 or col < 0:
        raise RuntimeError(f"{name}: row and col must not be negative, got {row} and {col}")
    made = device_of(device).backend.triangle(row, col, offset, upper, chosen.numpy)
    return finish(made, None, device, False)


def like(x: Tensor, dtype: Any, device: Any) -> tuple[None, Any, Any]:
    """No ``out``, and the type and device of ``x`` where none are given."""
    return None, x.dtype if dtype is None else dtype, x.device if device is None else device


# Methods: tensors with the type and device of another.


def new_zeros(self: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False,
              layout: Any = None, pin_memory: bool = False, **kwargs: Any) -> Tensor:  # fmt: skip
    """Zeros of shape ``size`` with the type and device of this tensor."""
    named = named_size("new_zeros", kwargs)
    return _filled(0, size, named, *like(self, dtype, device), requires_grad, pin_memory)


def new_ones(self: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False,
             layout: Any = None, pin_memory: bool = False, **kwargs: Any) -> Tensor:  # fmt: skip
    """Ones of shape ``size`` with the type and device of this tensor."""
    named = named_size("new_ones", kwargs)
    return _filled(1, size, named, *like(self, dtype, device), requires_grad, pin_memory)


def new_empty(self: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False,
              layout: Any = None, pin_memory: bool = False, **kwargs: Any) -> Tensor:  # fmt: skip
    """Unset memory of shape ``size`` with the type and device of this tensor."""
    named = named_size("new_empty", kwargs)
    return _filled(None, size, named, *like(self, dtype, device), requires_grad, pin_memory)


def new_full(self: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None,
             requires_grad: bool = False, layout: Any = None, pin_memory: bool = False) -> Tensor:  # fmt: skip
    """One number in shape ``size`` with the type and device of this tensor."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    return _filled(value, (), size, *like(self, dtype, device), requires_grad, pin_memory)


def new_tensor(self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
               layout: Any = None, pin_memory: bool = False) -> Tensor:  # fmt: skip
    """A copy of ``data`` with the type and device of this tensor."""
    _, dtype, device = like(self, dtype, device)
    return tensor(data, dtype=dtype, device=device, requires_grad=requires_grad, pin_memory=pin_memory)
