"""A stand-in for the module cupy: NumPy underneath, and as strict as CuPy.

It has what the backend uses and no more, with CuPy's signatures. Like CuPy's, its arrays refuse to become NumPy arrays
unasked, do not mix with NumPy's, have no `writeable` flag, know `reduce` for sums and products only, and stay 0-d
arrays where NumPy gives scalars. Beyond CuPy, it counts every wait for the card and every copy, and refuses an array
of another card than the current one.
"""

from types import SimpleNamespace

import numpy as np

from .strict_cuda import COUNTS, CUBLAS, MEMORY, POOL, RUNTIME, Device, OutOfMemoryError

NUMBERS = (bool, int, float, complex, np.generic)


def plain(x):
    """The NumPy array within, or the number; what CuPy would refuse raises."""
    if type(x) is ndarray:
        if x.card != RUNTIME.card:
            raise ValueError(f"an array of card {x.card} while card {RUNTIME.card} is current")
        return x.a
    if x is None or isinstance(x, NUMBERS):
        return x
    raise TypeError(f"Unsupported type {type(x)}")


def made(a):
    """An array of the stand-in around a NumPy array or scalar."""
    a = np.asarray(a)
    if MEMORY.limit is not None and a.nbytes > MEMORY.limit and a.base is None:
        raise OutOfMemoryError(a.nbytes, 3 * 2**30)
    out = object.__new__(ndarray)
    out.a, out.card = a, RUNTIME.card
    return out


class ufunc:  # noqa: N801 - CuPy's name
    """One of CuPy's ufuncs."""

    def __init__(self, name):
        self._np = getattr(np, name)
        self.__name__ = name

    def __call__(self, *args, out=None, dtype=None, casting="same_kind"):
        count = self._np.nin
        if len(args) > count:
            assert out is None
            args, out = args[:count], args[count]
        out = out[0] if isinstance(out, tuple) else out
        with np.errstate(all="ignore"):
            result = self._np(*map(plain, args), out=plain(out), dtype=dtype, casting=casting)
        return made(result) if out is None else out

    def reduce(self, array, axis=0, dtype=None, out=None, keepdims=False):
        if self.__name__ not in ("add", "multiply"):
            raise NotImplementedError(f"`{self.__name__}.reduce` is not supported yet")
        return (array.sum if self.__name__ == "add" else array.prod)(axis, dtype, out, keepdims)

    def at(self, a, indices, b=None):
        if self.__name__ not in ("add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor"):
            raise NotImplementedError(f"`{self.__name__}.at` is not supported yet")
        if a.dtype not in (np.int32, np.int64, np.float16, np.float32, np.float64, np.uint32, np.uint64):
            raise TypeError("cupy.add.at only supports int32, int64, float16, float32, float64, uint32, uint64")
        self._np.at(plain(a), _key(indices)[0], plain(b))


def _key(indices):
    """An index with NumPy's arrays in it, and whether it is basic."""
    parts = indices if isinstance(indices, tuple) else (indices,)
    basic = True
    found = []
    for p in parts:
        if type(p) is ndarray:
            basic = False
        elif not (p is None or p is Ellipsis or isinstance(p, (int, np.integer, slice))) or isinstance(p, bool):
            raise TypeError(f"index {p!r}: CuPy would copy it to the card")
        found.append(plain(p) if type(p) is ndarray else p)
    return tuple(found), basic


class Flags:
    """CuPy's flags: nothing about writing."""

    def __init__(self, flags):
        self.c_contiguous, self.f_contiguous, self.owndata = flags.c_contiguous, flags.f_contiguous, flags.owndata


class ndarray:  # noqa: N801 - CuPy's name
    """One of CuPy's arrays."""

    __slots__ = ("a", "card")
    __hash__ = None
    __array_priority__ = 100

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct one.")

    def __array_ufunc__(self, function, method, *inputs, **options):
        mine = getattr(STRICT, function.__name__, None)
        if mine is None or method not in ("__call__", "reduce", "at"):
            return NotImplemented
        return (mine if method == "__call__" else getattr(mine, method))(*inputs, **options)

    def __array_function__(self, function, types, args, options):
        mine = getattr(STRICT, function.__name__, None)
        return NotImplemented if mine is None else mine(*args, **options)

    # What it is

    shape = property(lambda self: self.a.shape)
    strides = property(lambda self: self.a.strides)
    ndim = property(lambda self: self.a.ndim)
    size = property(lambda self: self.a.size)
    dtype = property(lambda self: self.a.dtype)
    itemsize = property(lambda self: self.a.itemsize)
    nbytes = property(lambda self: self.a.nbytes)
    flags = property(lambda self: Flags(self.a.flags))
    data = property(lambda self: SimpleNamespace(ptr=self.a.ctypes.data))
    T = property(lambda self: made(self.a.T))
    real = property(lambda self: made(self.a.real))
    imag = property(lambda self: made(self.a.imag))

    @property
    def base(self):
        return None if self.a.base is None else made(self.a.base)

    def __len__(self):
        return len(self.a)

    def __repr__(self):
        return f"strict({self.a!r})"

    # To the host: each waits for the card

    def get(self):
        COUNTS.waits += 1
        COUNTS.to_host += 1
        return plain(self).copy()

    def __bool__(self):
        return bool(self.get())

    def __int__(self):
        return int(self.get())

    def __float__(self):
        return float(self.get())

    def item(self):
        return self.get().item()

    def tolist(self):
        return self.get().tolist()

    # Places

    def __getitem__(self, key):
        found, basic = _key(key)
        if basic and Ellipsis not in found:
            found = (*found, ...)  # a place by numbers is a 0-d view
        if not basic:
            COUNTS.waits += any(isinstance(p, np.ndarray) and p.dtype == bool for p in found)
        return made(plain(self)[found])

    def __setitem__(self, key, value):
        plain(self)[_key(key)[0]] = plain(value)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    # Shapes

    def reshape(self, *shape, order="C"):
        return made(plain(self).reshape(*shape, order=order))

    def transpose(self, *axes):
        return made(plain(self).transpose(*axes))

    def ravel(self, order="C"):
        return made(plain(self).ravel(order))

    def squeeze(self, axis=None):
        return made(plain(self).squeeze(axis))

    def diagonal(self, offset=0, axis1=0, axis2=1):
        view = plain(self).diagonal(offset, axis1, axis2)
        view.flags.writeable = True
        return made(view)

    def astype(self, dtype, order="K", casting=None, subok=None, copy=True):
        with np.errstate(all="ignore"):
            found = plain(self).astype(dtype, order=order, copy=copy)
        return self if found is self.a else made(found)

    def copy(self, order="C"):
        return made(self.a.copy(order))  # an array of another card too

    def fill(self, value):
        plain(self).fill(plain(value))

    # Reductions

    def sum(self, axis=None, dtype=None, out=None, keepdims=False):
        return made(np.sum(plain(self), axis=axis, dtype=dtype, keepdims=keepdims))

    def prod(self, axis=None, dtype=None, out=None, keepdims=False):
        return made(np.prod(plain(self), axis=axis, dtype=dtype, keepdims=keepdims))

    def mean(self, axis=None, dtype=None, out=None, keepdims=False):
        return made(np.mean(plain(self), axis=axis, dtype=dtype, keepdims=keepdims))

    def max(self, axis=None, out=None, keepdims=False):
        return made(np.max(plain(self), axis=axis, keepdims=keepdims))

    def min(self, axis=None, out=None, keepdims=False):
        return made(np.min(plain(self), axis=axis, keepdims=keepdims))

    def any(self, axis=None, out=None, keepdims=False):
        return made(np.any(plain(self), axis=axis, keepdims=keepdims))

    def all(self, axis=None, out=None, keepdims=False):
        return made(np.all(plain(self), axis=axis, keepdims=keepdims))


def _operator(name):
    return lambda self, other: getattr(STRICT, name)(self, other)


def _reflected(name):
    return lambda self, other: getattr(STRICT, name)(other, self)


def _in_place(name):
    return lambda self, other: getattr(STRICT, name)(self, other, self)


OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
}  # fmt: skip
for _short, _long in OPERATORS.items():
    setattr(ndarray, f"__{_short}__", _operator(_long))
    setattr(ndarray, f"__r{_short}__", _reflected(_long))
    setattr(ndarray, f"__i{_short}__", _in_place(_long))
COMPARISONS = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
for _short, _long in COMPARISONS.items():
    setattr(ndarray, f"__{_short}__", _operator(_long))
for _short, _long in {"neg": "negative", "abs": "absolute", "invert": "invert"}.items():
    setattr(ndarray, f"__{_short}__", lambda self, name=_long: getattr(STRICT, name)(self))


# The module's functions, with CuPy's signatures


def array(obj, dtype=None, copy=True, order="K"):
    if isinstance(obj, np.ndarray) or not isinstance(obj, ndarray):
        COUNTS.to_card += 1
        return made(np.array(obj, dtype, order=order))
    found = np.array(plain(obj), dtype, copy=copy, order=order)
    return obj if found is obj.a else made(found)


def asarray(a, dtype=None, order=None):
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


def where(condition, x=None, y=None):
    assert type(condition) is ndarray, "CuPy calls a method of the condition"
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
    return made(np.matmul(plain(x1), plain(x2)))


def may_share_memory(a, b, max_work=None):
    return np.may_share_memory(plain(a), plain(b))


def as_strided(x, shape=None, strides=None):
    return made(np.lib.stride_tricks.as_strided(plain(x), shape, strides))


UFUNCS = (
    "absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_or bitwise_xor ceil "
    "conjugate cos cosh equal exp expm1 floor floor_divide fmod greater greater_equal invert isfinite isinf isnan less "
    "less_equal log log10 log1p log2 logical_and logical_not logical_or logical_xor maximum minimum multiply negative "
    "not_equal power remainder rint sign sin sinh sqrt square subtract tan tanh true_divide trunc"
).split()
FUNCTIONS = {
    f.__name__.rstrip("_"): f
    for f in (
        all_, amax, amin, any_, arange, argmax, argmin, argsort, array, asarray, ascontiguousarray, asnumpy,
        broadcast_to, clip, concatenate, count_nonzero, cumprod, cumsum, empty, flip, full, matmul, may_share_memory,
        nonzero, roll, stack, tril, triu, where, zeros,
    )
}  # fmt: skip
STRICT = SimpleNamespace(
    __name__="strict", __version__="0", ndarray=ndarray, max=amax, min=amin,
    lib=SimpleNamespace(stride_tricks=SimpleNamespace(as_strided=as_strided)),
    get_default_memory_pool=lambda: POOL,
    cuda=SimpleNamespace(
        runtime=RUNTIME, memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError), cublas=CUBLAS, Device=Device,
        get_cublas_handle=lambda: 1,
    ),
    **{name: ufunc(name) for name in UFUNCS}, **FUNCTIONS,
)  # fmt: skip
