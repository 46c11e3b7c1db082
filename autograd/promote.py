"""What the fast path of an operation leaves aside: numbers, mixed types, wrong operands, and their errors.

Types are promoted as PyTorch does: tensors with dimensions outrank 0-d tensors, which outrank Python numbers, as long
as their category (bool, integral, floating, complex) is not higher.
"""

from __future__ import annotations

import math
import re
import warnings
from operator import index
from typing import Any

import numpy as np

from ..backends import default_device, dtypes
from ..backends.dtypes import BOOL, COMPLEX, FLOATING, INTEGRAL
from . import record
from .explain import describe, explain
from .rule import P, Rule
from .tensor import Tensor, wrap

__all__ = [
    "constant",
    "describe",
    "failure",
    "fitting",
    "get_default_dtype",
    "mixed_devices",
    "result_type",
    "set_default_dtype",
]

_default = dtypes.float32

NUMBERS = (bool, int, float, complex, np.number, np.bool_)


def get_default_dtype() -> dtypes.dtype:
    """The dtype of tensors made from Python floats, and of true division of integers."""
    return _default


def set_default_dtype(d: Any) -> None:
    """Set the dtype that ``get_default_dtype`` returns.

    Raises:
        TypeError: not a floating dtype.
    """
    global _default
    if not isinstance(d, dtypes.dtype) or not d.is_floating_point:
        raise TypeError(f"set_default_dtype: takes a floating dtype such as tapegrad.float64, got {d!r}")
    _default = d


def constant(value: Any, dtype: dtypes.dtype, device: Any) -> Tensor:
    """A number as a 0-d tensor."""
    return wrap(device.backend.from_host(np.asarray(value).astype(dtype.numpy)), device)


def fitting(name: str, value: Any, dtype: dtypes.dtype) -> Any:
    """A number that is to be stored as ``dtype``, checked; negative integers wrap in unsigned types, as in PyTorch.

    Raises:
        RuntimeError: the type cannot hold it.
    """
    if value is None:
        raise TypeError(f"{name}: the value must be a number or a tensor, not None")
    number = value.item() if isinstance(value, np.generic) else value
    if dtype.category in (BOOL, COMPLEX) or not isinstance(number, (bool, int, float, complex)):
        return value
    fits = True
    if isinstance(number, complex):
        fits, number = not number.imag, number.real
    if dtype.category == INTEGRAL:
        limits = np.iinfo(dtype.numpy)
        low = -int(limits.max) if not limits.min and isinstance(number, int) else int(limits.min)
        fits = fits and low <= number <= limits.max
    elif dtype is not dtypes.float64:  # narrower ones are computed in float32
        fits = fits and not LARGEST < abs(number) < math.inf
    if not fits:
        raise RuntimeError(f"{name}: the value {value} cannot be converted to {dtype.name} without overflow")
    return number


_said: set[str] = set()  # the warnings that are given once


def warn_of_lost_part(have: np.dtype, wanted: np.dtype) -> None:
    """Warn, once, where a user's conversion of complex numbers to real ones drops the imaginary part."""
    if have.kind == "c" and wanted.kind not in "cb" and "complex" not in _said:
        _said.add("complex")
        warnings.warn(
            "complex numbers are cast to real ones, their imaginary part is dropped; take .real to say so",
            UserWarning, stacklevel=3,
        )  # fmt: skip


LARGEST = float(np.finfo(np.float32).max)


def _kind_of_number(value: Any) -> dtypes.dtype:
    if isinstance(value, (bool, np.bool_)):
        return dtypes.bool_
    if isinstance(value, (int, np.integer)):
        return dtypes.int64
    if isinstance(value, (float, np.floating)):
        return _default
    if not isinstance(value, (complex, np.complexfloating)):
        raise TypeError(f"result_type: takes tensors and numbers, not {type(value).__name__}")
    return dtypes.complex128 if _default is dtypes.float64 else dtypes.complex64


def result_type(*operands: Any) -> dtypes.dtype:
    """The dtype in which PyTorch computes on these tensors and numbers.

    Args:
        operands: tensors and Python numbers.
    """
    ranks: list[dtypes.dtype | None] = [None, None, None]
    for x in operands:
        if isinstance(x, Tensor):
            rank, dtype = 0 if x._array.ndim else 1, x.dtype
        else:
            rank, dtype = 2, _kind_of_number(x)
        before = ranks[rank]
        ranks[rank] = dtype if before is None else join(before, dtype)
    result = _outrank(ranks[0], _outrank(ranks[1], ranks[2]))
    if result is None:
        raise TypeError("result_type: needs at least one tensor or number")
    return result


def _outrank(high: dtypes.dtype | None, low: dtypes.dtype | None) -> dtypes.dtype | None:
    """What ``high`` becomes beside an operand of lower rank: only a higher category changes it."""
    if high is None or low is None or high.category >= low.category:
        return low if high is None else high
    return high.to_complex() if high.category == FLOATING else join(high, low)


def join(a: dtypes.dtype, b: dtypes.dtype) -> dtypes.dtype:
    """The smallest dtype that PyTorch promotes both to."""
    if a is b:
        return a
    low, high = sorted((a, b), key=lambda d: d.category)
    if not WIDE_UNSIGNED.isdisjoint((a, b)) and high.category != FLOATING:
        raise RuntimeError(
            f"promotion: {a.name} and {b.name} have no common type, as in PyTorch; convert one of them with .to()"
        )
    if low.category != high.category:
        if high is dtypes.complex64 and low is dtypes.float64:
            return dtypes.complex128
        return high
    if {a, b} == {dtypes.float16, dtypes.bfloat16}:
        return dtypes.float32
    if low.category == INTEGRAL and dtypes.uint8 in (a, b):
        other = b if a is dtypes.uint8 else a
        return dtypes.int16 if other is dtypes.int8 else other
    return a if a.itemsize > b.itemsize else b


def _operand(rule: Rule, name: str, x: Any, device: Any) -> Any:
    if isinstance(x, (Tensor, *NUMBERS)):
        return x
    if isinstance(x, np.ndarray):
        return wrap(device.backend.from_host(x), device)
    raise TypeError(f"{rule.name}: argument '{name}' must be a Tensor or a number, not {type(x).__name__}")


def _repeated(a: Any, b: Any) -> Any:
    """A list, tuple or text as many times as a tensor of one integer says; None where it is not that."""
    sequence, times = (a, b) if isinstance(b, Tensor) else (b, a)
    counts = isinstance(times, Tensor) and times.dtype.category < FLOATING and times._array.size == 1
    return sequence * index(times) if counts and isinstance(sequence, SEQUENCES) else None


# Types for which PyTorch knows no promotion but to floating ones
WIDE_UNSIGNED = frozenset({dtypes.uint16, dtypes.uint32, dtypes.uint64})

# Operators of which an operand of another library may bring the reflected form.
REFLECTED = {"add": "__radd__", "sub": "__rsub__", "mul": "__rmul__", "div": "__rtruediv__", "pow": "__rpow__"}
SEQUENCES = (str, bytes, list, tuple)
KNOWN = (Tensor, *NUMBERS, np.ndarray, *SEQUENCES)


def slow(rule: Rule, inputs: tuple[Any, ...], attrs: tuple[Any, ...]) -> Tensor:
    """Bring the operands of an element-wise operation to one dtype and device, then run it."""
    if len(inputs) == 2 and type(inputs[1]) is int and _stays_whole(rule, *inputs):
        x, number = inputs
        array = x._device.backend.from_host(np.array(number, np.int64))
        return getattr(P, rule.name)(x, wrap(array, x._device), *attrs)
    _refuse_numbers(rule, inputs)
    devices = [x._device for x in inputs if isinstance(x, Tensor)]
    if any([d is not devices[0] for d in devices]):
        inputs = record.GLOBALS["to_level"](inputs) or inputs
        devices = [x._device for x in inputs if isinstance(x, Tensor)]
    # As in PyTorch, a 0-d tensor of the CPU goes wherever the others are.
    placed = [x._device for x in inputs if isinstance(x, Tensor) and (x._array.ndim or x._device.type != "cpu")]
    if len(set(placed)) > 1:
        raise mixed_devices(rule, inputs)
    device = (placed or devices or [default_device()])[0]
    other = inputs[-1]
    if rule.name in REFLECTED and not isinstance(other, KNOWN) and hasattr(type(other), REFLECTED[rule.name]):
        answer = getattr(type(other), REFLECTED[rule.name])(other, inputs[0])
        if answer is not NotImplemented:
            return answer
    if rule.name == "mul" and (repeated := _repeated(*inputs)) is not None:
        return repeated
    operands = [_operand(rule, n, x, device) for n, x in zip(record.argument_names(rule), inputs, strict=True)]
    head = operands[:1] if rule.kind == "where" else []
    values = operands[len(head) :]
    dtype = result_type(*values)
    if rule.kind in ("float", "div") and dtype.category < FLOATING:
        dtype = _default
    _refuse(rule, dtype, values)
    ready = head + [_as(x, dtype, device) for x in values]
    return getattr(P, rule.name)(*ready, *attrs)


def _stays_whole(rule: Rule, x: Any, number: int) -> bool:
    """Whether nothing is to be converted beside a number that int64 holds: so it is with indices and labels."""
    return (
        type(x) is Tensor and x._array.dtype == INT64 and -(2**63) <= number < 2**63 and rule.kind in WHOLE
        and rule.name != "pow" and rule.name not in record.BOTH_TENSORS
    )  # fmt: skip


INT64 = np.dtype(np.int64)
WHOLE = frozenset({"any", "bits", "number", "real", "rounded"})  # kinds of operations that leave integers whole

# Operations that take two Python numbers
TWO_NUMBERS = frozenset({"add", "div", "floor_divide", "mul", "sub"})


def _refuse_numbers(rule: Rule, inputs: tuple[Any, ...]) -> None:
    """Refuse Python numbers where PyTorch takes tensors only."""
    if len(inputs) != 2:
        return
    first, second = [isinstance(x, NUMBERS) for x in inputs]
    at: int | None
    if first and (rule.name in record.TENSOR_FIRST or (second and rule.name not in TWO_NUMBERS)):
        at = 0
    else:
        at = 1 if second and rule.name in record.BOTH_TENSORS else None
    if at is not None:
        argument, given = record.argument_names(rule)[at], inputs[at]
        raise TypeError(
            f"{rule.name}: argument '{argument}' must be a Tensor, not {type(given).__name__}; "
            f"use tapegrad.tensor({given!r})"
        )


def _refuse(rule: Rule, dtype: dtypes.dtype, values: list[Any]) -> None:
    if rule.name == "sub" and any(isinstance(x, bool) or getattr(x, "dtype", None) is dtypes.bool_ for x in values):
        raise RuntimeError(_unfit(rule, dtypes.bool_))
    if rule.kind in _REFUSED and dtype.category in _REFUSED[rule.kind]:
        raise RuntimeError(_unfit(rule, dtype))


# kind of an element-wise primitive -> the categories of dtypes for which there is no such operation
_REFUSED = {
    "bits": (FLOATING, COMPLEX), "floating": (BOOL, INTEGRAL, COMPLEX), "real": (COMPLEX,), "number": (BOOL,),
    "rounded": (BOOL, COMPLEX),
}  # fmt: skip


def _unfit(rule: Rule, dtype: dtypes.dtype) -> str:
    mend = {
        dtypes.bool_: "; use logical_xor, logical_not or ~, or convert with .int()"
        if rule.name in ("sub", "neg") else "; convert with .int()",
    }.get(dtype, "; convert with .float()" if dtype.category == INTEGRAL else "")  # fmt: skip
    return f"{rule.name}: not defined for {dtype.name} tensors{mend}"


def _as(x: Any, dtype: dtypes.dtype, device: Any) -> Tensor:
    if not isinstance(x, Tensor):
        return constant(x, dtype, device)
    if x._device is not device:  # a 0-d tensor of the CPU
        x = P.transfer(x, x._device, device, False) if x._node is not None else constant(x.item(), x.dtype, device)
    return x if x._array.dtype == dtype.numpy else P.cast(x, dtype.numpy)


def same(rule: Rule, *inputs: Any) -> bool:
    """Whether three or more operands need no conversion."""
    values = inputs[1:] if rule.kind == "where" else inputs
    if not all([isinstance(x, Tensor) for x in inputs]):
        return False
    first = values[0]
    return all([x._array.dtype == first._array.dtype and x._device is first._device for x in values])


def failure(rule: Rule, error: Exception, inputs: tuple[Any, ...], attrs: tuple[Any, ...]) -> Exception:
    """The error to raise where a kernel refused its operands: it names the operation and what it was given."""
    if isinstance(error, TypeError) and _NO_SUCH_TYPE.search(str(error)):
        return RuntimeError(_unfit(rule, _type_at_fault(rule, inputs)))
    kind = IndexError if isinstance(error, IndexError) else TypeError if isinstance(error, TypeError) else RuntimeError
    if kind is TypeError and "boolean array indexing assignment" in str(error):
        kind = RuntimeError  # shapes that do not fit
    return kind(explain(rule, error, inputs, attrs))


# How NumPy and CuPy, Python's operators and our own kernels say that there is no such operation for an element type.
_NO_SUCH_TYPE = re.compile(
    r"not supported for the input types|did not contain a loop|no loop |Wrong type \(|only supports|not defined for|"
    r"boolean (negative|subtract)|not supported for boolean|unsupported operand|bad operand|Cannot cast ufunc|"
    r"must be real number|cannot perform \w+ with|[Uu]nsupported dtype|dtype .* (is )?not supported"
)


def _type_at_fault(rule: Rule, inputs: tuple[Any, ...]) -> dtypes.dtype:
    """The element type that a kernel refused: of the values, not of a condition or an index beside them."""
    given = inputs[1:] if rule.kind == "where" else inputs
    flat = [t for x in given for t in (x if isinstance(x, (list, tuple)) else (x,)) if isinstance(t, Tensor)]
    return flat[0].dtype


def mixed_devices(rule: Rule, inputs: tuple[Any, ...]) -> RuntimeError:
    """The error for operands on different devices."""
    named = []
    for name, x in zip(record.argument_names(rule), inputs, strict=True):
        for t in x if isinstance(x, (list, tuple)) else (x,):
            if isinstance(t, Tensor):
                named.append((name, t._device))
    first = named[0][1]
    other = next((n for n, d in named if d is not first), named[-1][0])
    places = ", ".join(f"{n} is on {d}" for n, d in named)
    return RuntimeError(f"{rule.name}: {places}; nothing is copied silently: call {other}.to('{first}') first")


def mixed_types(rule: Rule, inputs: tuple[Any, ...]) -> RuntimeError:
    """The error for operands whose element types must be one."""
    several = [(n, x) for n, x in zip(rule.inputs, inputs, strict=True) if n in rule.typed and x is not None]
    first = several[0][1]
    name, other = next((n, x) for n, x in several if x._array.dtype != first._array.dtype)
    given = ", ".join(f"{n}={describe(x)}" for n, x in several)
    return RuntimeError(
        f"{rule.name}({given}): the types must be the same; nothing is converted silently: "
        f"use {name}.to('{first.dtype.name}'), or convert the other to '{other.dtype.name}'"
    )


def not_tensors(rule: Rule, inputs: tuple[Any, ...]) -> TypeError:
    """The error for an operand that is no tensor."""
    for name, x in zip(record.argument_names(rule), inputs, strict=True):
        for t in x if name == rule.variadic and isinstance(x, (list, tuple)) else (x,):
            if not isinstance(t, Tensor) and not (t is None and name in rule.optional):
                return TypeError(f"{rule.name}: argument '{name}' must be a Tensor, not {type(t).__name__}")
    return TypeError(f"{rule.name}: got no tensors")


def warnings_shown() -> bool:
    """Whether a filter of the user's makes NumPy's warnings errors, or shows them all, before ours is asked."""
    return bool(warnings.filters) and warnings.filters[0][0] in ("error", "always")


def quietly(kernel: Any, *operands: Any) -> Any:
    """Run a kernel once more where Python makes errors of NumPy's warnings: inf and nan are results here."""
    with np.errstate(all="ignore"):
        return kernel(*operands)


record.GLOBALS.update(
    quietly=quietly,
    slow=slow,
    same=same,
    failure=failure,
    mixed_devices=mixed_devices,
    mixed_types=mixed_types,
    not_tensors=not_tensors,
)
