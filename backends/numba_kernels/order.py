"""Floats as integers of the same order: LLVM turns a maximum of integers into vector code, one of floats not."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .compiled import helper
from .pointers import wide_vectors

__all__ = ["largest", "order", "unorder"]

_INT = {types.float32: types.int32, types.float64: types.int64}
_FLOAT = {types.int32: types.float32, types.int64: types.float64}


def _flip(builder, pattern):
    """Bit patterns of negative floats order the wrong way round: flip all but their sign. Its own inverse."""
    width = pattern.type.width
    negative = builder.ashr(pattern, ir.Constant(pattern.type, width - 1))
    return builder.xor(pattern, builder.and_(negative, ir.Constant(pattern.type, 2 ** (width - 1) - 1)))


@intrinsic
def order(typingctx, x):
    """The integer of its width that orders as ``x``; a NaN is above infinity or, if negative, below its opposite."""
    if x not in _INT:
        return None

    def codegen(context, builder, signature, args):
        return _flip(builder, builder.bitcast(args[0], context.get_value_type(_INT[x])))

    return _INT[x](x), codegen


@intrinsic
def unorder(typingctx, i):
    """The float of an :func:`order`."""
    if i not in _FLOAT:
        return None

    def codegen(context, builder, signature, args):
        return builder.bitcast(_flip(builder, args[0]), context.get_value_type(_FLOAT[i]))

    return _FLOAT[i](i), codegen


@helper(forceinline=True)
def largest(row):
    """The largest element; a NaN may be passed over."""
    wide_vectors()
    top = order(row[0])
    for j in range(row.size):
        here = order(row[j])
        top = here if here > top else top
    return unorder(top)
