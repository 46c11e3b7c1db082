"""Element-wise operations whose PyTorch signature says more than their operands."""

from __future__ import annotations

from typing import Any

from ...backends import dtypes
from ..names import named
from ..promote import NUMBERS, fitting, result_type, slow
from ..rule import RULES, P
from ..tensor import Tensor
from .args import check_tensor
from .checks import check_same_type

__all__ = [
    "add", "addcdiv", "addcmul", "clamp", "clamp_max", "clamp_min", "div", "lerp", "maximum", "minimum", "pow",
    "round", "rsub", "sign", "square", "sub",
]  # fmt: skip


def add(input: Any, other: Any, *scaled: Any, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
    """``input + alpha * other``; of old also written ``add(input, alpha, other)``.

    Raises:
        RuntimeError: ``alpha`` is of a higher category than the operands.
    """
    if scaled:
        alpha, (other,) = _number_first("add", other, scaled)
    return P.add(input, other if type(alpha) is int and alpha == 1 else _times("add", alpha, input, other), out)


def sub(input: Any, other: Any, *scaled: Any, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
    """``input - alpha * other``; of old also written ``sub(input, alpha, other)``.

    Raises:
        RuntimeError: ``alpha`` is of a higher category than the operands.
    """
    if scaled:
        alpha, (other,) = _number_first("sub", other, scaled)
    return P.sub(input, other if type(alpha) is int and alpha == 1 else _times("sub", alpha, input, other), out)


def _number_first(name: str, *given: Any) -> tuple[Any, tuple[Any, ...]]:
    """The number and the tensors it multiplies, in the order that PyTorch had before the number got a name.

    Raises:
        TypeError: another order.
    """
    number, tensors = given[0], (*given[1:-1], *given[-1])
    fits = isinstance(number, NUMBERS) and len(tensors) == (1 if name in PAIRS else 2)
    if not fits or not all([isinstance(t, Tensor) for t in tensors]):
        kinds = ", ".join(type(x).__name__ for x in (number, *tensors))
        word = "alpha" if name in PAIRS else "value"
        raise TypeError(f"{name}: does not take ({kinds}) behind the input; give the number as {word}=")
    return number, tensors


PAIRS = ("add", "sub")


def _times(name: str, alpha: Any, x: Any, other: Any) -> Any:
    """``alpha * other``, in a type that leaves that of the result as it is."""
    factor = alpha.item() if isinstance(alpha, Tensor) else alpha
    if type(factor) is float and type(x) is Tensor is type(other) and x._array.dtype == other._array.dtype:
        if x._array.dtype.kind == "f":  # nothing to look up
            return _kept(P.mul(other, factor))
    dtype, kind = result_type(x, other), result_type(factor)
    if kind is dtypes.bool_ and dtype is not dtypes.bool_:
        raise RuntimeError(f"{name}: alpha={factor} is for bool tensors, these are {dtype.name}")
    if kind.category > max(dtype.category, dtypes.INTEGRAL):
        raise RuntimeError(f"{name}: alpha={factor} does not go with {dtype.name} tensors; convert one with .float()")
    if dtype is dtypes.bool_:
        return P.mul(other, bool(factor)) if isinstance(other, Tensor) else bool(other and factor)
    return _kept(P.mul(other, factor)) if isinstance(other, Tensor) else P.mul(other, factor)


def _kept(product: Tensor) -> Tensor:
    """A product with a number that the first backward does not free: to PyTorch ``alpha`` is no saved tensor."""
    node = product._node
    if node is not None:
        node.cells, node.version = (), 0
    return product


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``other - alpha * input``."""
    check_tensor("rsub", "input", input)
    input = input if type(alpha) is int and alpha == 1 else _times("rsub", alpha, other, input)
    return named(P.sub(other, input), "RsubBackward0" if isinstance(other, Tensor) else "RsubBackward1")


def rdiv(x: Any, other: Any) -> Tensor:
    """``other / x``, which PyTorch computes as a product with the reciprocal."""
    check_tensor("div", "input", x)
    if type(other) not in (int, float):
        return named(P.div(other, x), "MulBackward0")
    made = P.reciprocal(x)
    return named(made if other == 1 else P.mul(made, other), "MulBackward0")


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """``input / other``; ``rounding_mode`` "floor" or "trunc" rounds the quotient down or toward zero.

    Raises:
        RuntimeError: another rounding mode.
    """
    if rounding_mode is None:
        return P.div(input, other)
    if rounding_mode == "floor":
        return named(P.floor_divide(input, other), "DivBackward2")
    if rounding_mode == "trunc":
        if result_type(input, other).category > dtypes.INTEGRAL:
            return named(_cut_off(input, other), "DivBackward2")
        return P.floor_divide(P.sub(input, P.fmod(input, other)), other)
    raise RuntimeError(f"div: rounding_mode must be None, 'floor' or 'trunc', got {rounding_mode!r}")


def _cut_off(x: Any, other: Any) -> Tensor:
    """The quotient rounded toward zero. Its slopes are 0: nothing is saved that a write to ``x`` could change."""
    bare = [v.detach() if isinstance(v, Tensor) else v for v in (x, other)]
    out = P.trunc(P.div(*bare))
    if any([isinstance(v, Tensor) and v.requires_grad for v in (x, other)]):
        out = P.overwrite(P.floor_divide(x, other), out)
    return out


def pow(input: Any, exponent: Any) -> Tensor:
    """``input ** exponent``, element by element."""
    if type(exponent) in (int, float) and isinstance(input, Tensor) and input._array.dtype.kind == "f":
        if exponent == 2:
            return P.square(input)
        if exponent == 0.5:
            made = named(P.sqrt(input), "PowBackward0")
            if made._node is not None:  # which saved the root, though backward of a power does not read its result
                made._array, made._cell = made._device.backend.copy(made._array), [0]
            return made
    if type(exponent) is int and exponent < 0 and isinstance(input, Tensor) and input._array.dtype.kind in "iub":
        raise RuntimeError("pow: integers to negative integer powers are not allowed; convert with .float() first")
    return P.pow(_as_integer(input) if type(exponent) is int else input, exponent)


def square(input: Tensor) -> Tensor:
    """``input * input``; a bool counts as int64."""
    return P.square(_as_integer(input))


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1 as ``input`` is negative, zero or positive."""
    return P.copy(input) if isinstance(input, Tensor) and input._array.dtype.kind == "b" else P.sign(input)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """``input`` rounded to a number of decimals, halves to even; negative ``decimals`` round left of the point.

    Raises:
        RuntimeError: decimals of integers.
    """
    integral = isinstance(input, Tensor) and input._array.dtype.kind in ("iub" if decimals else "iu")
    if not decimals:
        return P.copy(input) if integral else P.round(input)
    if integral:
        raise RuntimeError(f"round: decimals={decimals} of {input.dtype.name}; convert with .float() first")
    scale = 10.0 ** abs(decimals)
    up, down = (P.mul, P.div) if decimals > 0 else (P.div, P.mul)
    return named(down(P.round(up(input, scale)), scale), "RoundBackward1")


def _as_integer(x: Tensor) -> Tensor:
    return P.cast(x, dtypes.int64.numpy) if isinstance(x, Tensor) and x._array.dtype.kind == "b" else x


PLAIN = frozenset({float, int, type(None)})


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """``input`` limited to lie between ``min`` and ``max`` (two numbers or two tensors; None for no limit).

    Raises:
        RuntimeError: no limit at all, or complex ones. TypeError: a number and a tensor.
    """
    if type(min) in PLAIN and type(max) in PLAIN and not (min is None is max):
        if isinstance(input, Tensor) and input._array.dtype.kind == "f":
            return P.clamp(input, min, max)
    if any([isinstance(v, complex) for v in (min, max)]):
        raise RuntimeError(f"clamp: complex numbers have no order, got min={min}, max={max}")
    if min is None and max is None:
        raise RuntimeError("clamp: at least one of 'min' and 'max' must not be None")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        if type(min) in (int, float) or type(max) in (int, float):
            raise TypeError("clamp: min and max must be two numbers or two tensors; make a tensor of the number")
        return _between(input, min, max)
    input = _as_integer(input)
    if input._array.dtype.kind in "iu":
        for bound in (min, max):
            if type(bound) is int:
                fitting("clamp", bound, input.dtype)
    if input._array.dtype.kind in "iu" and (isinstance(min, float) or isinstance(max, float)):
        return slow(RULES["clamp"], (P.mul(input, 1.0),), (min, max))
    return P.clamp(input, min, max)


def _between(x: Tensor, low: Any, high: Any) -> Tensor:
    """``clamp`` by tensors: an edge counts as inside; a bound that is NaN stays, and ``high`` has the last word."""
    if low is not None and high is not None and result_type(x, low, high) is dtypes.bool_:
        raise RuntimeError("clamp: not defined for bool tensors; convert with .int()")
    out = x
    if low is not None:
        out = P.where(P.logical_or(P.lt(x, low), P.ne(low, low)), low, x)
    if high is None:
        return named(out, "ClampBackward0")
    takes = P.logical_or(P.gt(x, high), P.ne(high, high))
    takes = takes if low is None else P.logical_or(takes, P.gt(low, high))
    return named(P.where(takes, high, out), "ClampBackward0")


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """``input`` where it is above ``min``, else ``min``."""
    check_tensor("clamp_min", "input", input)
    return clamp(input, min, None)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """``input`` where it is below ``max``, else ``max``."""
    check_tensor("clamp_max", "input", input)
    return clamp(input, None, max)


def maximum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The larger of two tensors, element by element; NaN where either is."""
    check_tensor("maximum", "input", input)
    check_tensor("maximum", "other", other)
    return P.maximum(input, other, out)


def minimum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smaller of two tensors, element by element; NaN where either is."""
    check_tensor("minimum", "input", input)
    check_tensor("minimum", "other", other)
    return P.minimum(input, other, out)


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *last: Any, value: Any = 1) -> Tensor:
    """``input + value * tensor1 * tensor2``; of old also written ``addcmul(input, value, tensor1, tensor2)``."""
    if last:
        value, (tensor1, tensor2) = _number_first("addcmul", tensor1, tensor2, last)
    kind = result_type(input, tensor1, tensor2)
    if kind is dtypes.bool_:
        raise RuntimeError("addcmul: not defined for bool tensors; convert with .int()")
    if not isinstance(value, (int, Tensor)) and kind.category <= dtypes.INTEGRAL:
        value = int(value)
    return P.add(input, _scaled(P.mul(tensor1, tensor2), value))


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *last: Any, value: Any = 1) -> Tensor:
    """``input + value * tensor1 / tensor2``; of old also written ``addcdiv(input, value, tensor1, tensor2)``.

    Raises:
        RuntimeError: a quotient of integers.
    """
    if last:
        value, (tensor1, tensor2) = _number_first("addcdiv", tensor1, tensor2, last)
    if result_type(tensor1, tensor2).category <= dtypes.INTEGRAL:
        raise RuntimeError("addcdiv: tensor1 and tensor2 are integers; convert one with .float(), or use addcmul")
    return P.add(input, _scaled(P.div(tensor1, tensor2), value))


def _scaled(x: Tensor, value: Any) -> Tensor:
    return x if type(value) is int and value == 1 else P.mul(x, value)


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """``input + weight * (end - input)``.

    Raises:
        RuntimeError: integers, or operands of different types.
    """
    check_tensor("lerp", "input", input)
    check_tensor("lerp", "end", end)
    if input._array.dtype.kind in "biu":
        raise RuntimeError(f"lerp: not defined for {input.dtype.name} tensors; convert with .float()")
    check_same_type("lerp", input, "end", end)
    if isinstance(weight, Tensor) and weight.ndim:
        check_same_type("lerp", input, "weight", weight)
    return P.add(input, P.mul(P.sub(end, input), weight))
