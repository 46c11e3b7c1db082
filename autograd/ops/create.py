"""Making tensors: from data, from a shape, at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backends import device_of, dtypes
from ...backends.random import Generator, default_generator
from ..promote import get_default_dtype
from ..rule import P
from ..tensor import Tensor, wrap

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_numpy", "full", "full_like", "linspace", "manual_seed",
    "ones", "ones_like", "rand", "rand_like", "randint", "randn", "randn_like", "randperm", "tensor", "zeros",
    "zeros_like",
]  # fmt: skip


def _finish(array: np.ndarray, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    where = device_of(device)
    if dtype is not None:
        array = array.astype(dtypes.to_numpy(dtype), copy=False)
    made = wrap(where.backend.from_host(array), where)
    return made.requires_grad_() if requires_grad else made


def _shape(size: tuple[Any, ...]) -> tuple[int, ...]:
    if len(size) == 1 and not isinstance(size[0], (int, np.integer)) and not (isinstance(size[0], Tensor)):
        size = tuple(size[0])
    shape = tuple(int(n) for n in size)
    if any(n < 0 for n in shape):
        raise RuntimeError(f"size: dimensions may not be negative, got {list(shape)}")
    return shape


def _from_data(data: Any, exact: bool = False) -> np.ndarray:
    """Python numbers, nested sequences, arrays and tensors as one NumPy array of PyTorch's choice of type.

    ``exact`` leaves Python's floats in double precision, where another type is to be made of them.
    """
    if isinstance(data, Tensor):
        return data._device.backend.to_host(data._array)
    if isinstance(data, (np.ndarray, np.generic)):
        return np.asarray(data)
    if isinstance(data, (list, tuple)) and _holds(data, (Tensor, np.ndarray)):
        data = _lower(data)
    try:
        array = np.array(data)
    except ValueError as error:
        raise ValueError(f"tensor: the nested sequences have different lengths: {error}") from None
    if array.dtype.kind not in "biufcV" or array.dtype == object:
        raise TypeError(f"tensor: cannot make numbers of {type(data).__name__} {str(data)[:60]!r}")
    if exact:
        return array
    if array.size == 0 and array.dtype == np.float64:
        return array.astype(get_default_dtype().numpy)
    if array.dtype.kind == "f" and not _holds(data, (np.floating, np.ndarray)):
        return array.astype(get_default_dtype().numpy)
    if array.dtype.kind == "c" and not _holds(data, (np.complexfloating, np.ndarray)):
        return array.astype(np.complex128 if get_default_dtype() is dtypes.float64 else np.complex64)
    return array


def _holds(data: Any, types: Any) -> bool:
    """Whether the first element of nested sequences is of one of these types."""
    while isinstance(data, (list, tuple)):
        if not data:
            return False
        data = data[0]
    return isinstance(data, types)


def _lower(data: Any) -> Any:
    if isinstance(data, Tensor):
        return _from_data(data)
    return [_lower(v) for v in data] if isinstance(data, (list, tuple)) else data


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of ``data``.

    Args:
        data: numbers, nested sequences, a NumPy array or a tensor. Python floats become the default dtype,
            Python integers int64; arrays keep their type.
        dtype: the element type; None takes it from the data.
        device: where to put it; None means the default device.
        requires_grad: whether to record what is done with it.

    Raises:
        ValueError: ragged sequences. TypeError: not numbers.

    >>> tensor([1.0, 2.0]).dtype
    tapegrad.float32
    """
    array = _from_data(data, exact=dtype is not None)
    wanted = array.dtype if dtype is None else dtypes.to_numpy(dtype)
    dtypes.of(wanted)
    return _finish(np.array(array, dtype=wanted, copy=True, order="C"), None, device, requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a tensor, sharing memory (and history) where type and device already fit."""
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype) if dtype is not None or device is not None else data
    array = _from_data(data, exact=dtype is not None)
    dtypes.of(array.dtype)
    return _finish(array, dtype, device, False)


def from_numpy(array: np.ndarray) -> Tensor:
    """A CPU tensor over the memory of a NumPy array: a change of one is a change of the other.

    Raises:
        TypeError: not an array, or of a type that tensors do not have.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a numpy.ndarray, not {type(array).__name__}")
    dtypes.of(array.dtype)
    return wrap(array, device_of("cpu"))


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of zeros of shape ``size``."""
    return _finish(np.zeros(_shape(size), dtypes.to_numpy(dtype or get_default_dtype())), None, device, requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of ones of shape ``size``."""
    return _finish(np.ones(_shape(size), dtypes.to_numpy(dtype or get_default_dtype())), None, device, requires_grad)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of shape ``size`` with whatever the memory holds."""
    return _finish(np.empty(_shape(size), dtypes.to_numpy(dtype or get_default_dtype())), None, device, requires_grad)


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of shape ``size`` filled with one number, of the number's type unless ``dtype`` says another."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    kind = _from_data(value).dtype if dtype is None else dtypes.to_numpy(dtype)
    return _finish(np.full(_shape((size,)), value, kind), None, device, requires_grad)


def _like(x: Tensor, dtype: Any, device: Any) -> tuple[Any, Any]:
    return x.dtype if dtype is None else dtype, x.device if device is None else device


def zeros_like(x: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros with the shape, type and device of ``x``."""
    dtype, device = _like(x, dtype, device)
    return zeros(*x._array.shape, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(x: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones with the shape, type and device of ``x``."""
    dtype, device = _like(x, dtype, device)
    return ones(*x._array.shape, dtype=dtype, device=device, requires_grad=requires_grad)


def empty_like(x: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Unset memory with the shape, type and device of ``x``."""
    dtype, device = _like(x, dtype, device)
    return empty(*x._array.shape, dtype=dtype, device=device, requires_grad=requires_grad)


def full_like(
    x: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """One number with the shape, type and device of ``x``."""
    dtype, device = _like(x, dtype, device)
    return full(x._array.shape, fill_value, dtype=dtype, device=device, requires_grad=requires_grad)


def arange(
    start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """The numbers from ``start`` (0 where only one is given) up to but without ``end``, ``step`` apart."""
    if end is None:
        start, end = 0, start
    numbers = [v.item() if isinstance(v, Tensor) else v for v in (start, end, step)]
    if numbers[2] == 0 or (numbers[1] - numbers[0]) * numbers[2] < 0:
        raise RuntimeError(f"arange: step {numbers[2]} does not lead from {numbers[0]} to {numbers[1]}")
    if dtype is None and any(isinstance(v, (float, np.floating)) for v in numbers):
        dtype = get_default_dtype()
    kind = dtypes.to_numpy(dtype or dtypes.int64)
    wide = np.float64 if kind.kind in "fV" else np.int64
    count = max(0, int(np.ceil((numbers[1] - numbers[0]) / numbers[2])))
    values = numbers[0] + np.arange(count, dtype=wide) * numbers[2]
    return _finish(values.astype(kind), None, device, requires_grad)


def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``steps`` evenly spaced numbers from ``start`` to ``end``, both included."""
    kind = dtypes.to_numpy(dtype or get_default_dtype())
    one = kind.type
    first, last = one(float(start)), one(float(end))
    if steps == 1:
        return _finish(np.full(1, first, kind), None, device, requires_grad)
    gap = one((last - first) / one(max(steps - 1, 1)))
    i = np.arange(steps)
    # As PyTorch does it: counted from the near end, so that both ends are exact.
    values = np.where(i < steps // 2, first + gap * i.astype(kind), last - gap * (steps - 1 - i).astype(kind))
    return _finish(values.astype(kind), None, device, requires_grad)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """An n by m matrix with ones on the diagonal."""
    return _finish(np.eye(n, m, dtype=dtypes.to_numpy(dtype or get_default_dtype())), None, device, requires_grad)


def manual_seed(seed: int) -> Generator:
    """Seed the random numbers of the library; the same seed gives the numbers that PyTorch's CPU generator gives."""
    return default_generator.manual_seed(int(seed))


def rand(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform random numbers in [0, 1) of shape ``size``."""
    kind = dtypes.to_numpy(dtype or get_default_dtype())
    array = (generator or default_generator).uniform(_shape(size), dtype=kind)
    return _finish(array, None, device, requires_grad)


def randn(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Standard normal random numbers of shape ``size``."""
    kind = dtypes.to_numpy(dtype or get_default_dtype())
    array = (generator or default_generator).normal(_shape(size), dtype=kind)
    return _finish(array, None, device, requires_grad)


def rand_like(x: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform random numbers with the shape, type and device of ``x``."""
    dtype, device = _like(x, dtype, device)
    return rand(*x._array.shape, dtype=dtype, device=device, requires_grad=requires_grad)


def randn_like(x: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Standard normal random numbers with the shape, type and device of ``x``."""
    dtype, device = _like(x, dtype, device)
    return randn(*x._array.shape, dtype=dtype, device=device, requires_grad=requires_grad)


def randint(
    low: int, high: Any = None, size: Any = None, *, generator: Generator | None = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Random integers from ``low`` (0 where only ``high`` and ``size`` are given) up to but without ``high``."""
    if size is None:
        low, high, size = 0, low, high
    if high is None:
        low, high = 0, low
    if low >= high:
        raise RuntimeError(f"randint: needs low < high, got {low} and {high}")
    kind = dtypes.to_numpy(dtype or dtypes.int64)
    array = (generator or default_generator).randint(int(low), int(high), _shape((size,)), dtype=kind)
    return _finish(array, None, device, requires_grad)


def randperm(
    n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """The numbers 0 .. n-1 in random order."""
    array = (generator or default_generator).randperm(n)
    return _finish(array, dtype or dtypes.int64, device, requires_grad)


def detached_copy(x: Tensor) -> Tensor:
    """The content of ``x`` in memory of its own, without history."""
    return P.copy(wrap(x._array, x._device))
