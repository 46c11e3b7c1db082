"""The softmax family on the rows of contiguous matrices.

``softmax(x, out)``, ``softmax_vjp(g, y, out)``, ``log_softmax(x, out)`` and ``log_softmax_vjp(g, y, out)`` take
C-contiguous, writable float32 or float64 matrices of one shape, raise TypeError for anything else, and release the
GIL. ``y`` is the result of the forward step. Each is compiled or loaded when it is first asked for.
"""

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from .bits import bits
from .cache import on_first_use
from .scalar import exp, log

_INT = {types.float32: types.int32, types.float64: types.int64}
_inline = njit(forceinline=True, error_model="numpy")
# A sum may be taken in any order, so in vector code; its terms are computed as they are written.
_reduction = njit(forceinline=True, error_model="numpy", fastmath={"reassoc"})


def _mirror(builder, pattern):
    """Negative floats order against their bit patterns: flip all their bits but the sign."""
    ones = builder.ashr(pattern, ir.Constant(pattern.type, pattern.type.width - 1))
    return builder.xor(pattern, builder.and_(ones, ir.Constant(pattern.type, 2 ** (pattern.type.width - 1) - 1)))


@intrinsic
def order(typingctx, x):
    """An integer that orders floats: unlike the maximum of floats, that of integers is found in vector code.

    Positive NaNs are above infinity, negative ones below -infinity.
    """
    if x not in _INT:
        return None

    def codegen(context, builder, signature, args):
        return _mirror(builder, builder.bitcast(args[0], context.get_value_type(_INT[x])))

    return _INT[x](x), codegen
