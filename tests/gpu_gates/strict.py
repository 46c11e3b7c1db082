"""A stand-in for the module cupy: NumPy underneath, and as strict as CuPy.

It has the names that CuPy has (`strict_names`), with CuPy's signatures; the functions below are those of which CuPy's
differ from NumPy's, or take care. Like CuPy's, its arrays refuse to become NumPy arrays
unasked, do not mix with NumPy's, have no `writeable` flag, know `reduce` for sums and products only, and stay 0-d
arrays where NumPy gives scalars. Beyond CuPy, it counts every wait for the card and every copy, and refuses an array
of another card than the current one.
"""

import contextlib
from types import SimpleNamespace

import numpy as np

from . import strict_cuda
from .strict_array import MODULE, MemoryPointer, made, ndarray, plain, ufunc
from .strict_copies import alloc_pinned_memory, array_from_pinned, is_pinned
from .strict_cuda import COUNTS, CUBLAS, MEMORY, POOL, RUNTIME, Device, OutOfMemoryError
from .strict_names import Offered

__all__ = ["COUNTS", "CUBLAS", "FUNCTIONS", "MEMORY", "POOL", "RUNTIME", "STRICT", "Device", "errstate",
           "made", "ndarray", "plain"]  # fmt: skip

HELD = []  # whose memory was taken over


# The module's functions, with CuPy's signatures


def array(obj, dtype=None, copy=True, order="K"):
    if isinstance(obj, np.ndarray) or not isinstance(obj, ndarray):
        COUNTS.to_card += 1
        if isinstance(obj, np.ndarray) and obj.ndim and is_pinned(obj):
            return made(array_from_pinned(obj, dtype, order))
        return made(np.array(obj, dtype, order=order))
    found = np.array(plain(obj), dtype, copy=copy, order=order)
    return obj if found is obj.a else made(found)


def from_dlpack(array):
    assert array.__dlpack_device__() == (2, RUNTIME.card), "the memory is on no card, or on another"
    on_the_host = {"__dlpack__": lambda self, **options: array.__dlpack__(), "__dlpack_device__": lambda self: (1, 0)}
    return made(np.from_dlpack(type("Memory", (), on_the_host)()))


def asarray(a, dtype=None, order=None):
    if not isinstance(a, (ndarray, np.ndarray)) and hasattr(a, "__cuda_array_interface__"):
        found = np.asarray(type("Memory", (), {"__array_interface__": a.__cuda_array_interface__})())
        found = found.view()
        HELD.append(a)
        return made(found)
    return array(a, dtype, None, order or "K")


def ascontiguousarray(a, dtype=None):
    assert type(a) is ndarray, "this would copy to the card"
    return a if a.a.flags.c_contiguous and dtype in (None, a.dtype) else made(np.array(plain(a), dtype, order="C"))


def asnumpy(a):
    return a.get()


def empty(shape, dtype=float, order="C"):
    found = np.empty(shape, dtype, order)
    found.view(np.uint8 if found.ndim else found.dtype).fill(255)  # memory as it is found: for floats this is nan
    return made(found)


def zeros(shape, dtype=float, order="C"):
    return made(np.zeros(shape, dtype, order))


def full(shape, fill_value, dtype=None, order="C"):
    return made(np.full(shape, plain(fill_value), dtype, order))


def arange(start, stop=None, step=1, dtype=None):
    return made(np.arange(start, stop, step, dtype) if stop is not None else np.arange(start, dtype=dtype))


def zeros_like(a, dtype=None, order="K"):
    return made(np.zeros_like(plain(a), dtype, order))


def moveaxis(a, source, destination):
    return made(np.moveaxis(plain(a), source, destination))


def where(condition, x=None, y=None):
    assert type(condition) is ndarray, "CuPy calls a method of the condition"
    if "V" in {getattr(v, "dtype", np.dtype(bool)).kind for v in (x, y)}:
        raise TypeError("Wrong type of arguments for cupy_where: it has no loop for bfloat16")
    return made(np.where(plain(condition), plain(x), plain(y)))


def clip(a, a_min, a_max, out=None):
    return made(np.clip(plain(a), plain(a_min), plain(a_max)))


def amax(a, axis=None, out=None, keepdims=False):
    return a.max(axis, out, keepdims)


def amin(a, axis=None, out=None, keepdims=False):
    return a.min(axis, out, keepdims)


def argmax(a, axis=None, dtype=None, out=None, keepdims=False):
    return made(np.argmax(plain(a), axis=axis, keepdims=keepdims))


def argmin(a, axis=None, dtype=None, out=None, keepdims=False):
    return made(np.argmin(plain(a), axis=axis, keepdims=keepdims))


def any_(a, axis=None, out=None, keepdims=False):
    return a.any(axis, out, keepdims)


def all_(a, axis=None, out=None, keepdims=False):
    return a.all(axis, out, keepdims)


def count_nonzero(a, axis=None):
    return made(np.count_nonzero(plain(a), axis=axis))


def cumsum(a, axis=None, dtype=None, out=None):
    return made(np.cumsum(plain(a), axis, dtype))


def cumprod(a, axis=None, dtype=None, out=None):
    return made(np.cumprod(plain(a), axis, dtype))


def argsort(a, axis=-1, kind=None):
    if not a.ndim:
        raise ValueError("Sorting arrays with the rank of zero is not supported")
    if kind not in (None, "stable"):
        raise ValueError("kind can only be None or 'stable'")
    return made(np.argsort(plain(a), axis, kind="stable"))


def nonzero(a):
    if not a.ndim:
        raise ValueError("Calling nonzero on 0d arrays is not allowed.")
    COUNTS.waits += 1
    return tuple(made(v) for v in np.nonzero(plain(a)))


def flip(a, axis=None):
    return made(np.flip(plain(a), axis))


def roll(a, shift, axis=None):
    return made(np.roll(plain(a), shift, axis))


def tril(m, k=0):
    return made(np.tril(plain(m), k))


def triu(m, k=0):
    return made(np.triu(plain(m), k))


def broadcast_to(array, shape):
    return made(
        np.lib.stride_tricks.as_strided(plain(array), (v := np.broadcast_to(plain(array), shape)).shape, v.strides)
    )


def concatenate(tup, axis=0, out=None, *, dtype=None, casting="same_kind"):
    return made(np.concatenate([plain(a) for a in tup], axis, dtype=dtype, casting=casting))


def stack(tup, axis=0, out=None, *, dtype=None, casting="same_kind"):
    return made(np.stack([plain(a) for a in tup], axis, dtype=dtype, casting=casting))


def matmul(x1, x2, out=None):
    return made(np.asarray(np.matmul(plain(x1), plain(x2))).astype(np.result_type(x1.dtype, x2.dtype)))


def may_share_memory(a, b, max_work=None):
    return np.may_share_memory(plain(a), plain(b))


def searchsorted(a, v, side="left", sorter=None):
    if a.dtype.kind == "V":
        raise TypeError("Unsupported type bfloat16")
    return made(np.searchsorted(plain(a), plain(v), side))


def as_strided(x, shape=None, strides=None):
    return made(np.lib.stride_tricks.as_strided(plain(x), shape, strides))


# Solvers: where they fail they leave numbers of no meaning behind, unless told to look, which is a wait for the card


class Looking:
    """Whether the solvers look whether they failed."""

    linalg = "ignore"


@contextlib.contextmanager
def errstate(linalg):
    """cupyx's context of that name."""
    before, Looking.linalg = Looking.linalg, linalg
    try:
        yield
    finally:
        Looking.linalg = before


def solver(name):
    """A function of CuPy's linalg that can fail."""

    def call(a, *args, **options):
        if name == "solve" and (a.ndim != args[0].ndim or a.shape[:-1] != args[0].shape[:-1]):
            raise ValueError("a must have (..., M, M) shape and b must have (..., M, K) for multidimensional b")
        COUNTS.waits += Looking.linalg == "raise"
        try:
            return run(a, *args, **options)
        except np.linalg.LinAlgError:
            if Looking.linalg == "raise":
                raise
            return run(made(np.broadcast_to(np.eye(*a.shape[-2:], dtype=a.dtype), a.shape)), *args, **options)

    run = getattr(Offered("linalg."), name)
    return call


LINALG = Offered("linalg.")
for _name in ("cholesky", "eig", "eigh", "qr", "solve", "svd"):
    setattr(LINALG, _name, solver(_name))

FUNCTIONS = {
    f.__name__.rstrip("_"): f
    for f in (
        all_, amax, amin, any_, arange, argmax, argmin, argsort, array, asarray, ascontiguousarray, asnumpy,
        broadcast_to, clip, concatenate, count_nonzero, cumprod, cumsum, empty, flip, full, matmul, may_share_memory,
        moveaxis, nonzero, roll, searchsorted, stack, tril, triu, where, zeros, zeros_like,
    )
}  # fmt: skip
vars(MODULE).update(
    __name__="strict", __version__="0", ndarray=ndarray, max=amax, min=amin, abs=ufunc("absolute"),
    lib=SimpleNamespace(stride_tricks=SimpleNamespace(as_strided=as_strided)),
    get_default_memory_pool=lambda: POOL, from_dlpack=from_dlpack,
    fft=Offered("fft."), linalg=LINALG,
    cuda=SimpleNamespace(
        runtime=RUNTIME, memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError), cublas=CUBLAS, Device=Device,
        get_cublas_handle=lambda: 1, get_current_stream=strict_cuda.current_stream, Stream=strict_cuda.Stream,
        Event=strict_cuda.Event, get_elapsed_time=strict_cuda.elapsed_time, alloc_pinned_memory=alloc_pinned_memory,
        MemoryPointer=MemoryPointer,
    ),
    **FUNCTIONS,
)  # fmt: skip
STRICT = MODULE
