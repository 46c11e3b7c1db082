"""Typed bit operations for compiled scalar functions.

LLVM turns a loop into vector code only if its body has no calls and no branches: no operation here is a call.
Numba widens ``int32`` arithmetic to ``int64``: cast each result back, or the vectors become half as wide.

All of them work on ``float32`` with ``int32`` and on ``float64`` with ``int64``, inside compiled code only.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["bits", "copysign", "fma", "from_bits", "horner", "lshr", "magnitude"]

_INT = {types.float32: types.int32, types.float64: types.int64}
_FLOAT = {types.int32: types.float32, types.int64: types.float64}


@intrinsic
def bits(typingctx, x):
    """The bit pattern of a float as a signed integer of its width; positive floats keep their order."""
    if x not in _INT:
        return None

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(_INT[x]))

    return _INT[x](x), codegen


@intrinsic
def from_bits(typingctx, i):
    """The float with the bit pattern ``i``; the inverse of :func:`bits`."""
    if i not in _FLOAT:
        return None

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(_FLOAT[i]))

    return _FLOAT[i](i), codegen


@intrinsic
def magnitude(typingctx, x):
    """The bit pattern of ``|x|``: orders all floats by size, with infinity and then the NaNs on top."""
    if x not in _INT:
        return None

    def codegen(context, builder, signature, args):
        integer = context.get_value_type(_INT[x])
        pattern = builder.bitcast(args[0], integer)
        return builder.and_(pattern, ir.Constant(integer, 2 ** (integer.width - 1) - 1))

    return _INT[x](x), codegen


@intrinsic
def lshr(typingctx, i, count):
    """``i`` shifted right by the integer ``count``, zeros coming in on the left."""
    if i not in _FLOAT or not isinstance(count, types.Integer):
        return None

    def codegen(context, builder, signature, args):
        return builder.lshr(args[0], context.cast(builder, args[1], count, i))

    return i(i, count), codegen


@intrinsic
def copysign(typingctx, x, sign):
    """``|x|`` with the sign bit of ``sign``, also for zeros and NaNs."""
    if x not in _INT or sign != x:
        return None

    def codegen(context, builder, signature, args):
        return _call_llvm(builder, "llvm.copysign", args)

    return x(x, x), codegen


@intrinsic
def fma(typingctx, a, b, c):
    """``a * b + c``, rounded once where the processor has such an instruction and twice elsewhere."""
    if a not in _INT or b != a or c != a:
        return None

    def codegen(context, builder, signature, args):
        return _call_llvm(builder, "llvm.fmuladd", args)

    return a(a, a, a), codegen


@intrinsic
def horner(typingctx, x, coefficients):
    """The polynomial ``c[0] + c[1] x + c[2] x^2 + ...``; ``coefficients`` is a tuple of the type of ``x``."""
    if x not in _INT or not isinstance(coefficients, types.UniTuple) or coefficients.dtype != x:
        return None

    def codegen(context, builder, signature, args):
        x, values = args
        total = builder.extract_value(values, coefficients.count - 1)
        for k in reversed(range(coefficients.count - 1)):
            total = _call_llvm(builder, "llvm.fmuladd", (total, x, builder.extract_value(values, k)))
        return total

    return x(x, coefficients), codegen


def _call_llvm(builder, name, args):
    """Call the LLVM intrinsic ``name`` whose result and arguments have one type."""
    kind = args[0].type
    signature = ir.FunctionType(kind, [kind] * len(args))
    return builder.call(builder.module.declare_intrinsic(name, [kind], signature), args)
