"""``assert_close``: PyTorch's comparison of results in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..autograd import Tensor

__all__ = ["assert_close"]

# dtype -> (rtol, atol), as in PyTorch; all other types are compared exactly
TOLERANCES = {
    "float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5), "complex128": (1e-7, 1e-7),
}  # fmt: skip
NUMBERS = (bool, int, float, complex, np.number, np.bool_)


def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None, atol: float | None = None,
    equal_nan: bool = False, check_device: bool = True, check_dtype: bool = True, check_layout: bool = True,
    check_stride: bool = False, msg: str | Callable[[str], str] | None = None,
) -> None:  # fmt: skip
    """Fail unless every element of ``actual`` is close to ``expected``: ``|a - e| <= atol + rtol * |e|``.

    Args:
        actual: a tensor, NumPy array or number; or a sequence or mapping of them, compared item by item.
        expected: the same, with the same structure. A tensor may be compared with an array.
        allow_subclasses: accept objects of different classes, of which one derives from the other.
        rtol: relative tolerance; given only together with ``atol``. Default: by dtype (1.3e-6 for float32, 1e-7 for
            float64), 0 for integers.
        atol: absolute tolerance (1e-5 for float32, 1e-7 for float64, 0 for integers).
        equal_nan: take nan for equal to nan.
        check_device: require one device.
        check_dtype: require one dtype; else both are compared in the larger, with the larger tolerances.
        check_layout: accepted; all tensors are dense.
        check_stride: require the same strides.
        msg: what the error says instead; a function is given the text and returns another.

    Raises:
        AssertionError: the values, shapes, dtypes, devices, strides or structures differ.
        TypeError: objects that cannot be compared.
        ValueError: only one of ``rtol`` and ``atol``.
    """
    if (rtol is None) != (atol is None):
        raise ValueError(f"assert_close: give both rtol and atol or neither, got rtol={rtol}, atol={atol}")
    checks = {"device": check_device, "dtype": check_dtype, "stride": check_stride, "type": not allow_subclasses}
    problem = _difference(actual, expected, (rtol, atol), equal_nan, checks, "")
    if problem is not None:
        raise AssertionError(msg(problem) if callable(msg) else problem if msg is None else msg)


def _difference(a: Any, e: Any, tolerance: Any, equal_nan: bool, checks: dict[str, bool], at: str) -> str | None:
    """What differs between two structures, in words; None where nothing does."""
    if isinstance(a, Mapping) and isinstance(e, Mapping):
        if a.keys() != e.keys():
            return _at(at, f"the keys differ: {sorted(map(repr, a.keys() ^ e.keys()))} are in one only")
        pairs = [(f"{at}[{k!r}]", a[k], e[k]) for k in a]
    elif _is_sequence(a) and _is_sequence(e):
        if len(a) != len(e):
            return _at(at, f"the lengths differ: {len(a)}, expected {len(e)}")
        pairs = [(f"{at}[{i}]", x, y) for i, (x, y) in enumerate(zip(a, e))]
    elif a is None or e is None:
        return None if a is e else _at(at, f"{a!r}, expected {e!r}")
    else:
        found = _of_leaves(a, e, tolerance, equal_nan, checks)
        return None if found is None else _at(at, found)
    several = (_difference(x, y, tolerance, equal_nan, checks, where) for where, x, y in pairs)
    return next((found for found in several if found is not None), None)


def _is_sequence(x: Any) -> bool:
    return isinstance(x, Sequence) and not isinstance(x, str)


def _at(at: str, text: str) -> str:
    return f"{text}\nin item {at}" if at else text


def _of_leaves(a: Any, e: Any, tolerance: Any, equal_nan: bool, checks: dict[str, bool]) -> str | None:
    if checks["type"] and type(a) is not type(e):
        return f"the classes differ: {type(a).__name__}, expected {type(e).__name__}"
    if isinstance(a, NUMBERS) and isinstance(e, NUMBERS):
        if checks["dtype"] and type(a) is not type(e):
            return f"the types differ: {type(a).__name__} {a}, expected {type(e).__name__} {e}"
    elif not (isinstance(a, (Tensor, np.ndarray)) and isinstance(e, (Tensor, np.ndarray))):
        raise TypeError(
            f"assert_close: cannot compare {type(a).__name__} with {type(e).__name__}; it takes tensors, arrays, "
            "numbers, and sequences and mappings of them"
        )
    x, y = _array(a), _array(e)
    if x.shape != y.shape:
        return f"the shapes differ: {x.shape}, expected {y.shape}"
    if checks["device"] and _device(a) != _device(e):
        return f"the devices differ: {_device(a)}, expected {_device(e)}"
    if checks["dtype"] and x.dtype != y.dtype:
        return f"the dtypes differ: {x.dtype}, expected {y.dtype}"
    if checks["stride"] and _strides(a) != _strides(e):
        return f"the strides differ: {_strides(a)}, expected {_strides(e)}"
    rtol, atol = tolerance
    if rtol is None:
        rtol, atol = np.max([TOLERANCES.get(v.dtype.name, (0.0, 0.0)) for v in (x, y)], axis=0)
    return _of_values(x, y, float(rtol), float(atol), equal_nan)


def _array(x: Any) -> np.ndarray:
    return np.asarray(x._device.backend.to_host(x._array) if isinstance(x, Tensor) else x)


def _device(x: Any) -> str:
    return str(x.device) if isinstance(x, Tensor) else "cpu"


def _strides(x: Any) -> tuple[int, ...]:
    array = x._array if isinstance(x, Tensor) else np.asarray(x)
    return tuple(s // array.itemsize for s in array.strides)


def _of_values(a: np.ndarray, e: np.ndarray, rtol: float, atol: float, equal_nan: bool) -> str | None:
    equal = a == e  # before anything is widened: large integers would lose digits
    wide: Any = np.complex128 if "c" in (a.dtype.kind, e.dtype.kind) else np.float64
    a, e = a.astype(wide), e.astype(wide)
    with np.errstate(all="ignore"):
        off, size = np.abs(a - e), np.abs(e)
        close = equal | (np.isfinite(off) & (off <= atol + rtol * size) & (atol + rtol > 0))
        if equal_nan:
            close |= np.isnan(a) & np.isnan(e)
        if close.all():
            return None
        relative = np.where(close, 0, off / size)
        off = np.where(close, 0, off)
    count = int((~close).sum())
    lines = [f"{count} of {close.size} elements ({count / close.size:.1%}) differ by more than allowed"]
    for what, by, allowed in (("absolute", off, atol), ("relative", relative, rtol)):
        index = tuple(map(int, np.unravel_index(int(by.argmax()), by.shape)))
        where = f" at index {index}: {a[index]}, expected {e[index]}" if index else f": {a}, expected {e}"
        lines.append(f"largest {what} difference {by[index]:.6g} (allowed {allowed:.3g}){where}")
    return "\n".join(lines)
