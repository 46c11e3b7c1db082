"""Raw memory for compiled functions: what a loop needs that NumPy hands addresses and strides.

Addresses are integers (``intp``), offsets count bytes. For compiled code only.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["load", "load_each", "scratch", "store", "unpack"]


def _at(context, builder, address, offset, kind):
    """A pointer to the value of type ``kind`` that lies ``offset`` bytes behind ``address``."""
    # The offset is added to the pointer, not to the integer, or LLVM does not see where a loop walks.
    base = builder.inttoptr(address, ir.IntType(8).as_pointer())
    return builder.bitcast(builder.gep(base, [offset]), context.get_value_type(kind).as_pointer())


@intrinsic
def load(typingctx, address, offset, like):
    """The value of type ``like``, ``np.float32`` say, ``offset`` bytes behind ``address``."""
    kind = like.dtype

    def codegen(context, builder, signature, args):
        return builder.load(_at(context, builder, args[0], args[1], kind))

    return kind(types.intp, types.intp, like), codegen


@intrinsic
def load_each(typingctx, addresses, offset, like):
    """:func:`load` from every one of a tuple of addresses."""
    kind = like.dtype
    result = types.UniTuple(kind, addresses.count)

    def codegen(context, builder, signature, args):
        each = cgutils.unpack_tuple(builder, args[0], addresses.count)
        values = [builder.load(_at(context, builder, address, args[1], kind)) for address in each]
        return context.make_tuple(builder, result, values)

    return result(addresses, types.intp, like), codegen


@intrinsic
def store(typingctx, address, offset, value):
    """Write ``value`` ``offset`` bytes behind ``address``."""

    def codegen(context, builder, signature, args):
        builder.store(args[2], _at(context, builder, args[0], args[1], value))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, value), codegen


@intrinsic
def scratch(typingctx, size):
    """The address of a constant ``size`` of bytes that live as long as the call."""
    if not isinstance(size, types.IntegerLiteral):
        return None

    def codegen(context, builder, signature, args):
        memory = cgutils.alloca_once(builder, ir.ArrayType(ir.IntType(64), -(-size.literal_value // 8)))
        return builder.ptrtoint(memory, context.get_value_type(types.intp))

    return types.intp(size), codegen


@intrinsic
def unpack(typingctx, address, count):
    """The constant ``count`` addresses that lie behind ``address``, as a tuple."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    result = types.UniTuple(types.intp, count.literal_value)

    def codegen(context, builder, signature, args):
        word = ir.IntType(types.intp.bitwidth)
        places = [word(k * types.intp.bitwidth // 8) for k in range(result.count)]
        values = [builder.load(_at(context, builder, args[0], place, types.intp)) for place in places]
        return context.make_tuple(builder, result, values)

    return result(types.intp, count), codegen
