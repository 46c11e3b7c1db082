"""What the stand-in offers besides its own functions: NumPy's, as far as CuPy has them too (`cupy_names.txt`)."""

import functools
import inspect
from pathlib import Path

import numpy as np

__all__ = ["NAMES", "Offered", "signature_of", "wrapped"]


def _read():
    """Name -> its kind, and of functions the signature."""
    found = {}
    for line in Path(__file__).with_name("cupy_names.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            kind, name, *rest = line.split()
            found[name] = kind, rest
    return found


NAMES = _read()


def signature_of(name):
    """The signature that CuPy's function has, from its words: ``a axis= * out= **options``."""
    P = inspect.Parameter
    found, kind = [], P.POSITIONAL_OR_KEYWORD
    for word in NAMES[name][1]:
        name = word.strip("*=")
        if word == "*":
            kind = P.KEYWORD_ONLY
        elif word.startswith("**"):
            found.append(P(name, P.VAR_KEYWORD))
        elif word.startswith("*"):
            found.append(P(name, P.VAR_POSITIONAL))
            kind = P.KEYWORD_ONLY
        else:
            found.append(P(name, kind, default=None if word.endswith("=") else P.empty))
    return inspect.Signature(found)


def _inner(x):
    """An argument with NumPy's arrays in it; an array of NumPy's own is refused."""
    from . import strict_array  # which imports this module

    if isinstance(x, (list, tuple)):
        return type(x)(_inner(v) for v in x)
    return strict_array.plain(x) if isinstance(x, (np.ndarray, strict_array.ndarray)) else x


def _outer(x):
    """A result with the stand-in's arrays in it; like CuPy's functions, it gives no scalars."""
    from . import strict_array

    if isinstance(x, (list, tuple)):
        values = [_outer(v) for v in x]
        return type(x)(*values) if hasattr(x, "_fields") else type(x)(values)
    return strict_array.made(x) if isinstance(x, (np.ndarray, np.generic)) else x


def wrapped(function, signature=None):
    """A function of NumPy's over the stand-in's arrays; ``signature`` has the arguments that CuPy takes."""

    def call(*args, **kwargs):
        if signature is not None:
            given = signature.bind(*args, **kwargs)
            args, kwargs = given.args, given.kwargs
        with np.errstate(all="ignore"):
            return _outer(function(*_inner(args), **{key: _inner(value) for key, value in kwargs.items()}))

    return call


def offered(name):
    """NumPy's function or value of a name that CuPy has; ``fft.`` and ``linalg.`` stand before those modules' names.

    Raises:
        AttributeError: CuPy does not have it, or NumPy does not and the stand-in has none of its own.
    """
    from . import strict_array

    if name not in NAMES:
        raise AttributeError(f"module 'cupy' has no attribute '{name}'")
    kind = NAMES[name][0]
    theirs = functools.reduce(lambda at, part: getattr(at, part, None), name.split("."), np)
    if theirs is None:
        raise AttributeError(f"the stand-in for cupy has no '{name}': write it in tests/gpu_gates/strict.py")
    if kind == "value":
        return theirs
    if kind == "ufunc":
        return strict_array.ufunc(name) if isinstance(theirs, np.ufunc) else wrapped(theirs)
    return wrapped(theirs, signature_of(name))


class Offered:
    """A module that has CuPy's names, besides what is written into it."""

    def __init__(self, prefix=""):
        self._prefix = prefix

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        value = offered(self._prefix + name)
        setattr(self, name, value)
        return value
