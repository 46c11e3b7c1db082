"""The arrays and ufuncs of the stand-in for cupy (see `strict`)."""

import functools
from types import SimpleNamespace

import ml_dtypes
import numpy as np

from .strict_copies import STREAM, is_pinned, put_off
from .strict_cuda import COUNTS, MEMORY, RUNTIME, OutOfMemoryError
from .strict_names import NAMES, Offered, wrapped

NUMBERS = (bool, int, float, complex, np.generic)
MODULE = Offered()  # the stand-in's functions, some of which `strict` writes: methods and operators call them


def plain(x):
    """The NumPy array within, or the number; what CuPy would refuse raises."""
    if type(x) is ndarray:
        if x.card != RUNTIME.card:
            raise ValueError(f"an array of card {x.card} while card {RUNTIME.card} is current")
        STREAM.flush()
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


ELEMENTS = {"E": np.dtype(ml_dtypes.bfloat16)}  # how CuPy writes a type that NumPy does not have


@functools.cache
def loop_of(name, kinds):
    """The types that CuPy computes in and gives: of its first loop to which all of ``kinds`` can be cast, or None."""
    for loop in NAMES[name][1][2:]:
        takes, gives = ([ELEMENTS.get(c) or np.dtype(c) for c in part] for part in loop.split("->"))
        if all(np.can_cast(kind, into) for kind, into in zip(kinds, takes, strict=True)):
            return takes, gives
    return None


def kinds_of(given):
    """The types of operands; Python's numbers take part as far as NumPy lets them."""
    typed = [x.dtype for x in given if isinstance(x, (np.ndarray, np.generic))]
    return tuple(x.dtype if isinstance(x, (np.ndarray, np.generic)) else np.result_type(*typed, x) for x in given)


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
        given = [plain(x) for x in args]
        kinds = kinds_of(given)
        loop = loop_of(self.__name__, kinds)
        try:
            if dtype is None and loop is None:
                raise TypeError
            with np.errstate(all="ignore"):
                result = self._np(*given, out=plain(out), dtype=dtype, casting=casting)
        except TypeError:
            words = ", ".join(map(str, kinds))
            raise TypeError(f"Wrong type ({words}) of arguments for cupy_{self.__name__}") from None
        if dtype is None and out is None and not isinstance(result, tuple):
            result = result.astype(loop[1][0])  # CuPy's choice, where it differs
        if isinstance(result, tuple):
            return tuple(map(made, result))
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
        self._np.at(plain(a), _key(indices, a.shape)[0], plain(b))


def _key(indices, shape):
    """An index with NumPy's arrays in it, and whether it is basic. Like CuPy, arrays of integers wrap around."""
    parts = indices if isinstance(indices, tuple) else (indices,)
    basic = True
    found = []
    dim = 0
    for p in parts:
        if type(p) is ndarray:
            basic = False
        elif not (p is None or p is Ellipsis or isinstance(p, (int, np.integer, slice))) or isinstance(p, bool):
            raise TypeError(f"index {p!r}: CuPy would copy it to the card")
        if type(p) is not ndarray:
            found.append(p)
            dim = dim if p is None else len(shape) - len(parts) + len(found) if p is Ellipsis else dim + 1
        elif p.dtype == bool:
            found.append(plain(p))
            dim += p.ndim
        elif p.size and not shape[dim]:
            raise IndexError("cannot do a non-empty take from an empty axes.")
        else:
            found.append(np.asarray(plain(p) % max(shape[dim], 1)))  # a scalar would be a basic index
            dim += 1
    return tuple(found), basic


class Flags:
    """CuPy's flags: nothing about writing."""

    def __init__(self, flags):
        self.c_contiguous, self.f_contiguous, self.owndata = flags.c_contiguous, flags.f_contiguous, flags.owndata


class Memory:
    """The piece of memory that an array looks at."""

    def __init__(self, a):
        while isinstance(a.base if isinstance(a.base, np.ndarray) else getattr(a.base, "base", None), np.ndarray):
            a = a.base if isinstance(a.base, np.ndarray) else a.base.base
        self.owner = a.T if a.flags.f_contiguous else a
        self.ptr, self.size = a.ctypes.data, a.nbytes


class MemoryPointer:
    """A place in a piece of memory."""

    def __init__(self, mem, offset):
        self.mem, self.offset = mem, offset


class ndarray:  # noqa: N801 - CuPy's name
    """One of CuPy's arrays."""

    __slots__ = ("__weakref__", "a", "card")
    __hash__ = None
    __array_priority__ = 100

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct one.")

    def __array_ufunc__(self, function, method, *inputs, **options):
        mine = getattr(MODULE, function.__name__, None)
        if mine is None or method not in ("__call__", "reduce", "at"):
            return NotImplemented
        return (mine if method == "__call__" else getattr(mine, method))(*inputs, **options)

    def __array_function__(self, function, types, args, options):
        mine = getattr(MODULE, function.__name__, None)
        return NotImplemented if mine is None else mine(*args, **options)

    def __init__(self, shape, dtype=float, memptr=None, strides=None):
        memory = memptr.mem.owner
        self.a = np.ndarray(shape, dtype, memory.reshape(-1).view(np.uint8), memptr.offset, strides)
        self.card = RUNTIME.card

    # What it is

    shape = property(lambda self: self.a.shape)
    strides = property(lambda self: self.a.strides)
    ndim = property(lambda self: self.a.ndim)
    size = property(lambda self: self.a.size)
    dtype = property(lambda self: self.a.dtype)
    itemsize = property(lambda self: self.a.itemsize)
    nbytes = property(lambda self: self.a.nbytes)
    flags = property(lambda self: Flags(self.a.flags))
    data = property(lambda self: SimpleNamespace(ptr=self.a.ctypes.data, mem=Memory(self.a)))
    T = property(lambda self: made(self.a.T))
    real = property(lambda self: made(self.a.real))
    imag = property(lambda self: made(self.a.imag))

    @property
    def base(self):
        return None if self.a.base is None else made(self.a.base)

    @property
    def __cuda_array_interface__(self):
        return self.a.__array_interface__ | {"version": 3}

    def __dlpack__(self, **options):
        return self.a.__dlpack__(max_version=(1, 0))

    def __dlpack_device__(self):
        return 2, self.card

    def __len__(self):
        return len(self.a)

    def __repr__(self):
        return f"strict({self.a!r})"

    def __getattr__(self, name):
        if f"ndarray.{name}" not in NAMES or not callable(found := getattr(np.ndarray, name, None)):
            raise AttributeError(f"'cupy.ndarray' object has no attribute '{name}'")
        return lambda *args, **kwargs: wrapped(found)(self, *args, **kwargs)

    # To the host: each waits for the card

    def get(self, stream=None, order="C", out=None, blocking=True):
        COUNTS.to_host += 1
        if out is None or blocking:
            COUNTS.waits += 1
            return plain(self).copy()
        assert is_pinned(out)
        assert out.shape == self.shape
        assert out.dtype == self.dtype
        assert self.flags.c_contiguous
        put_off(out, plain(self))
        return out

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
        found, basic = _key(key, self.shape)
        if basic and Ellipsis not in found:
            found = (*found, ...)  # a place by numbers is a 0-d view
        if not basic:
            COUNTS.waits += any(isinstance(p, np.ndarray) and p.dtype == bool for p in found)
        return made(plain(self)[found])

    def __setitem__(self, key, value):
        plain(self)[_key(key, self.shape)[0]] = plain(value)

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

    def view(self, dtype):
        return made(plain(self).view(dtype))

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
    return lambda self, other: getattr(MODULE, name)(self, other)


def _reflected(name):
    return lambda self, other: getattr(MODULE, name)(other, self)


def _in_place(name):
    return lambda self, other: getattr(MODULE, name)(self, other, self)


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
    setattr(ndarray, f"__{_short}__", lambda self, name=_long: getattr(MODULE, name)(self))
