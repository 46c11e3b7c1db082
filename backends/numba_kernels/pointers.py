"""Raw memory for compiled functions: what a loop needs that NumPy hands addresses and strides.

Addresses are integers (``intp``), offsets count bytes. For compiled code only.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = [
    "ADDRESSES", "INNER_LOOP", "PART", "call_loop", "clear", "copy", "load", "load_each", "own_loop", "pointer",
    "scratch", "store", "unpack", "wide_vectors",
]  # fmt: skip

ADDRESSES = types.CPointer(types.intp)
# NumPy's PyArrayMethod_StridedLoop: context, data, sizes, steps, auxiliary data.
INNER_LOOP = types.int32(types.voidptr, ADDRESSES, ADDRESSES, ADDRESSES, types.voidptr)
# What a thread runs of a shared job: its address, and from where to where.
PART = types.void(types.intp, types.intp, types.intp)


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
def copy(typingctx, source, target, size):
    """Copy ``size`` bytes from one address to another that does not overlap."""

    def codegen(context, builder, signature, args):
        here, there = [builder.inttoptr(a, ir.IntType(8).as_pointer()) for a in args[:2]]
        cgutils.raw_memcpy(builder, there, here, args[2], 1)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), codegen


@intrinsic
def clear(typingctx, address, size):
    """Fill ``size`` bytes with zeros."""

    def codegen(context, builder, signature, args):
        cgutils.memset(builder, builder.inttoptr(args[0], ir.IntType(8).as_pointer()), args[1], 0)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), codegen


@intrinsic
def pointer(typingctx, address, like):
    """The address as a pointer to elements of a type: that of the array ``like``, or ``np.float32`` say."""
    result = types.CPointer(like.dtype)

    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(result))

    return result(types.intp, like), codegen


@intrinsic
def scratch(typingctx, words):
    """The address of a constant number of ``intp`` words that live as long as the call."""
    if not isinstance(words, types.IntegerLiteral):
        return None

    def codegen(context, builder, signature, args):
        word = context.get_value_type(types.intp)
        memory = cgutils.alloca_once(builder, ir.ArrayType(word, words.literal_value))
        return builder.ptrtoint(memory, word)

    return types.intp(words), codegen


@intrinsic
def unpack(typingctx, addresses, count):
    """The first ``count`` of the ``addresses``, a constant, as a tuple."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    result = types.UniTuple(types.intp, count.literal_value)

    def codegen(context, builder, signature, args):
        places = [builder.gep(args[0], [ir.IntType(32)(k)]) for k in range(result.count)]
        return context.make_tuple(builder, result, [builder.load(place) for place in places])

    return result(ADDRESSES, count), codegen


@intrinsic
def wide_vectors(typingctx):
    """Let the loops of the calling function be compiled for the widest vectors that the processor has.

    For AVX-512 LLVM takes half of them by itself, which was right for the first processors that had it: exponentials
    and their kin then take half as long again. Other processors take what they have. The loops of a function that is
    always inlined are compiled before it is; any other one is not inlined at all, or what is asked for would be lost.
    """

    def codegen(context, builder, signature, args):
        # llvmlite knows no such attributes and writes what is in the set.
        attributes = builder.function.attributes
        set.add(attributes, '"prefer-vector-width"="512"')
        if "alwaysinline" not in attributes:
            set.add(attributes, "noinline")
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def own_loop(typingctx):
    """The address of the C callback of type :data:`INNER_LOOP` that the calling function is compiled into."""

    def codegen(context, builder, signature, args):
        name = "cfunc." + builder.function.name  # as numba.core.funcdesc names the C side of a cfunc
        wrapper = cgutils.get_or_insert_function(builder.module, _loop_type(context), name)
        return builder.ptrtoint(wrapper, context.get_value_type(types.intp))

    return types.intp(), codegen


@intrinsic
def call_loop(typingctx, loop, data, sizes, steps):
    """Call the inner loop at the address ``loop`` with the addresses of its tables."""

    def codegen(context, builder, signature, args):
        kind = _loop_type(context)
        tables = [builder.inttoptr(table, argument) for table, argument in zip(args[1:], kind.args[1:4])]
        none = kind.args[0](None)
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), [none, *tables, none])

    return types.int32(types.intp, types.intp, types.intp, types.intp), codegen


def _loop_type(context):
    return ir.FunctionType(
        context.get_value_type(INNER_LOOP.return_type), [context.get_value_type(kind) for kind in INNER_LOOP.args]
    )
