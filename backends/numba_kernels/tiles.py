"""Register tiles: the innermost loops of convolutions and of small matrix products, in vectors that LLVM would not
choose by itself.

A tile keeps the sums of ``ROWS`` rows times some vectors in registers while it walks over the terms, so that nothing
is stored before the end (Goto and van de Geijn, 2008). Addresses are integers; ``like`` is a value of the type of all
numbers. For compiled code only.
"""

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["COLUMNS", "ROWS", "TAIL", "VECTOR", "dot_tile", "product_tile", "tap_tile", "transpose_tile"]

# With AVX-512 there are 32 registers of 64 bytes; elsewhere 16 of 32, or 32 of 16 that serve as 16 of 32.
_WIDE = bool(binding.get_host_cpu_features().get("avx512f"))
VECTOR = 64 if _WIDE else 32  # bytes
ROWS = 4
COLUMNS = 6 if _WIDE else 3  # vectors
TAIL = 2  # likewise, where less is left
TOGETHER = 512  # terms


class _Builder:
    """Writes the instructions of one tile."""

    def __init__(self, context, builder, kind):
        self.builder, self.kind = builder, context.get_value_type(kind)
        self.word = context.get_value_type(types.intp)
        self.width = kind.bitwidth // 8
        self.lanes = VECTOR // self.width
        self.vector = ir.VectorType(self.kind, self.lanes)
        self.alignment = ir.IntType(32)(self.width)

    def pointer(self, address, kind=None):
        return self.builder.inttoptr(address, (kind or self.kind).as_pointer())

    def vector_at(self, base, offset):
        place = self.builder.gep(base, [offset])
        return self.builder.bitcast(place, self.vector.as_pointer())

    def load(self, base, offset, mask=None):
        """With a mask the other lanes are zero, and their memory is not touched."""
        place = self.vector_at(base, offset)
        if mask is None:
            return self.builder.load(place, align=self.width)
        return self._masked("load", self.vector, place, self.alignment, mask, ir.Constant(self.vector, None))

    def store(self, value, base, offset, mask=None):
        """Likewise."""
        place = self.vector_at(base, offset)
        if mask is None:
            self.builder.store(value, place, align=self.width)
        else:
            self._masked("store", ir.VoidType(), value, place, self.alignment, mask)

    def splat(self, value):
        lane = ir.IntType(32)
        nothing = ir.Constant(ir.VectorType(value.type, self.lanes), ir.Undefined)
        one = self.builder.insert_element(nothing, value, lane(0))
        return self.builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(lane, self.lanes), None))

    def function(self, name, result, arguments):
        """An operation of LLVM's on vectors."""
        kind = ir.FunctionType(result, arguments)
        return cgutils.get_or_insert_function(self.builder.module, kind, f"{name}.v{self.lanes}f{8 * self.width}")

    def sums(self, rows, columns):
        return [[cgutils.alloca_once(self.builder, self.vector) for _ in range(columns)] for _ in range(rows)]

    def fill(self, sums):
        """Begin sums with zero."""
        for row in sums:
            for place in row:
                self.builder.store(ir.Constant(self.vector, None), place)

    def add_product(self, place, a, b):
        multiply_add = self.function("llvm.fmuladd", self.vector, [self.vector] * 3)
        self.builder.store(self.builder.call(multiply_add, [a, b, self.builder.load(place)]), place)

    def mask(self, count):
        """Which lanes are the first ``count``."""
        numbers = ir.Constant(ir.VectorType(self.word, self.lanes), list(range(self.lanes)))
        return self.builder.icmp_unsigned("<", numbers, self.splat(count))

    def zip(self, a, b):
        """Two vectors lane by lane in turn: the first and the second half."""
        lane, half = ir.IntType(32), self.lanes // 2
        for start in (0, half):
            order = [lane(start + k // 2 + k % 2 * self.lanes) for k in range(self.lanes)]
            yield self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(lane, self.lanes), order))

    def _masked(self, name, result, *arguments):
        kind = ir.FunctionType(result, [a.type for a in arguments])
        name = f"llvm.masked.{name}.v{self.lanes}f{8 * self.width}.p0"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), arguments)

    def total(self, place):
        """The sum over the lanes."""
        add = self.function("llvm.vector.reduce.fadd", self.kind, [self.kind, self.vector])
        zero = ir.Constant(self.kind, 0.0)
        return self.builder.call(add, [zero, self.builder.load(place)], fastmath=("reassoc",))


@intrinsic
def tap_tile(typingctx, like, source, offsets, weights, count, bias, target, pitch, columns, fresh):
    """``target[r pitch + p] = bias[r] + sum of weights[t, r] source[offsets[t] + p]`` over ``count`` taps ``t``.

    For ``ROWS`` rows ``r`` and as many places ``p`` as the constant ``columns`` vectors have. Where the constant
    ``fresh`` is 0, what ``target`` has takes the place of the bias.
    """
    if not isinstance(columns, types.IntegerLiteral) or not isinstance(fresh, types.IntegerLiteral):
        return None
    wide, begins = columns.literal_value, fresh.literal_value == 1

    def codegen(context, builder, signature, args):
        write = _Builder(context, builder, like)
        source, weights, bias, target = [write.pointer(args[k]) for k in (1, 3, 5, 6)]
        offsets = write.pointer(args[2], write.word)
        sums = write.sums(ROWS, wide)
        lines = [builder.gep(target, [builder.mul(args[7], write.word(r))]) for r in range(ROWS)]
        for r, row in enumerate(sums):
            first = write.splat(builder.load(builder.gep(bias, [write.word(r)]))) if begins else None
            for k, place in enumerate(row):
                builder.store(first if begins else write.load(lines[r], write.word(write.lanes * k)), place)
        with cgutils.for_range(builder, args[4]) as loop:
            base = builder.gep(source, [builder.load(builder.gep(offsets, [loop.index]))])
            values = [write.load(base, write.word(write.lanes * k)) for k in range(wide)]
            factors = builder.gep(weights, [builder.mul(loop.index, write.word(ROWS))])
            for r, row in enumerate(sums):
                factor = write.splat(builder.load(builder.gep(factors, [write.word(r)])))
                for place, value in zip(row, values):
                    write.add_product(place, factor, value)
        for line, row in zip(lines, sums):
            for k, place in enumerate(row):
                write.store(builder.load(place), line, write.word(write.lanes * k))
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 7, columns, fresh), codegen


@intrinsic
def dot_tile(typingctx, like, source, offsets, given, given_pitch, length, target, pitch, columns):
    """``target[r pitch + k] += sum of given[r given_pitch + p] source[offsets[k] + p]`` over ``length`` places ``p``.

    For ``ROWS`` rows ``r`` and the constant number ``columns`` of offsets; ``length`` counts vectors.
    """
    if not isinstance(columns, types.IntegerLiteral):
        return None
    wide = columns.literal_value

    def codegen(context, builder, signature, args):
        write = _Builder(context, builder, like)
        source, given, target = [write.pointer(args[k]) for k in (1, 3, 6)]
        offsets = write.pointer(args[2], write.word)
        sums = write.sums(ROWS, wide)
        write.fill(sums)
        bases = [builder.gep(source, [builder.load(builder.gep(offsets, [write.word(k)]))]) for k in range(wide)]
        lines = [builder.gep(given, [builder.mul(args[4], write.word(r))]) for r in range(ROWS)]
        with cgutils.for_range(builder, args[5]) as loop:
            at = builder.mul(loop.index, write.word(write.lanes))
            factors = [write.load(line, at) for line in lines]
            for k, base in enumerate(bases):
                value = write.load(base, at)
                for row, factor in zip(sums, factors):
                    write.add_product(row[k], factor, value)
        for r, row in enumerate(sums):
            for k, place in enumerate(row):
                at = builder.gep(target, [builder.add(builder.mul(args[7], write.word(r)), write.word(k))])
                builder.store(builder.fadd(builder.load(at), write.total(place)), at)
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 7, columns), codegen


@intrinsic
def product_tile(typingctx, like, a, down, right, b, b_pitch, target, pitch, depth, lanes, rows, columns):
    """``target[r pitch + p] = sum of a[r down + t right] b[t b_pitch + p]`` over the terms ``t`` below ``depth``.

    For as many rows ``r`` as the constant ``rows`` says, and as many places ``p`` as the constant ``columns`` vectors
    have; where that is 0, for the first ``lanes`` places of one vector. ``TOGETHER`` terms are added at a time, and
    then their sums, so that a long sum keeps its digits.
    """
    if not isinstance(rows, types.IntegerLiteral) or not isinstance(columns, types.IntegerLiteral):
        return None
    count, wide = rows.literal_value, columns.literal_value

    def codegen(context, builder, signature, args):
        write = _Builder(context, builder, like)
        a, b, target = [write.pointer(args[k]) for k in (1, 4, 6)]
        down, right, b_pitch, pitch, depth = [args[k] for k in (2, 3, 5, 7, 8)]
        mask = None if wide else write.mask(args[9])
        sums, totals = write.sums(count, wide or 1), write.sums(count, wide or 1)
        write.fill(totals)
        with cgutils.for_range_slice(builder, write.word(0), depth, write.word(TOGETHER)) as (start, _):
            write.fill(sums)
            left = builder.sub(depth, start)
            few = builder.icmp_signed("<", left, write.word(TOGETHER))
            with cgutils.for_range(builder, builder.select(few, left, write.word(TOGETHER))) as loop:
                t = builder.add(start, loop.index)
                base = builder.gep(b, [builder.mul(t, b_pitch)])
                line = [write.load(base, write.word(write.lanes * k), mask) for k in range(wide or 1)]
                for r, row in enumerate(sums):
                    at = builder.add(builder.mul(down, write.word(r)), builder.mul(t, right))
                    factor = write.splat(builder.load(builder.gep(a, [at])))
                    for place, value in zip(row, line):
                        write.add_product(place, factor, value)
            for row, whole in zip(sums, totals):
                for place, total in zip(row, whole):
                    builder.store(builder.fadd(builder.load(total), builder.load(place)), total)
        for r, row in enumerate(totals):
            base = builder.gep(target, [builder.mul(pitch, write.word(r))])
            for k, place in enumerate(row):
                write.store(builder.load(place), base, write.word(write.lanes * k), mask)
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 9, rows, columns), codegen


@intrinsic
def transpose_tile(typingctx, like, source, source_pitch, target, pitch):
    """``target[k pitch + r] = source[r source_pitch + k]`` for as many rows and columns as a vector has lanes."""

    def codegen(context, builder, signature, args):
        write = _Builder(context, builder, like)
        source, target = write.pointer(args[1]), write.pointer(args[3])
        rows = [write.load(source, builder.mul(args[2], write.word(r))) for r in range(write.lanes)]
        half = write.lanes // 2
        for _ in range(write.lanes.bit_length() - 1):
            rows = [made for a, b in zip(rows[:half], rows[half:]) for made in write.zip(a, b)]
        for r, row in enumerate(rows):
            write.store(row, target, builder.mul(args[4], write.word(r)))
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 4), codegen
