"""The NumPy expression of a primitive without a template: its kernel runs on texts instead of arrays.

That serves kernels of one expression over ``xp``, as those of element-wise operations are; a template reads better.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from ...backends import registry
from .templates import Given, literal

__all__ = ["derived"]

OPERATORS = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "**", "floordiv": "//", "mod": "%", "and": "&",
    "or": "|", "xor": "^", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip


def derived(name: str, given: Given) -> str:
    """The expression of one call.

    Raises:
        RuntimeError: the kernel is more than one expression: it reads values, shapes or memory.
    """
    backend = copy(registry.get("numpy"))
    backend.xp = _Functions()
    for key in [key for key, value in vars(backend).items() if isinstance(value, np.ufunc)]:
        delattr(backend, key)
    backend.bind_ufuncs()
    args = [_Text(t, v.dtype) if isinstance(v, np.ndarray) else v for t, v in zip(given.t, given.v, strict=True)]
    try:
        made = getattr(backend, name)(*args)
    except (AttributeError, TypeError) as error:
        raise RuntimeError(f"export_numpy: the primitive '{name}' has no NumPy template ({error})") from error
    if not isinstance(made, _Text):
        raise RuntimeError(f"export_numpy: the primitive '{name}' has no NumPy template")
    return made.text


class _Text:
    """What stands for an array: an expression, and its element type."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, text: str, dtype: np.dtype) -> None:
        self.text, self.dtype = text, dtype

    def __bool__(self) -> bool:
        raise TypeError("its kernel asks for values")

    def __neg__(self) -> _Text:
        return _Text(f"(-{self.text})", self.dtype)

    def __invert__(self) -> _Text:
        return _Text(f"(~{self.text})", self.dtype)

    def astype(self, dtype: Any, copy: bool = True) -> _Text:
        """The expression converted."""
        return _Text(f"{self.text}.astype(np.{np.dtype(dtype).name})", np.dtype(dtype))


class _Functions:
    """What stands for the array module: functions that write themselves."""

    def __getattr__(self, name: str) -> Callable[..., _Text]:
        if not callable(getattr(np, name, None)):
            raise AttributeError(f"NumPy has no function {name}")

        def function(*args: Any, **options: Any) -> _Text:
            texts = [_spelled(a) for a in args] + [f"{key}={_spelled(value)}" for key, value in options.items()]
            dtypes = [a.dtype for a in args if isinstance(a, _Text)]
            return _Text(f"np.{name}({', '.join(texts)})", dtypes[-1])

        return function


def _spelled(value: Any) -> str:
    if isinstance(value, np.generic):
        return f"np.{value.dtype.name}({value.item()!r})"
    return value.text if isinstance(value, _Text) else literal(value)


def _operator(sign: str, reflected: bool) -> Callable[[_Text, Any], _Text]:
    def operator(self: _Text, other: Any) -> _Text:
        left, right = (other, self) if reflected else (self, other)
        return _Text(f"({_spelled(left)} {sign} {_spelled(right)})", self.dtype)

    return operator


for _name, _sign in OPERATORS.items():
    setattr(_Text, f"__{_name}__", _operator(_sign, False))
    if _name not in ("eq", "ne", "lt", "le", "gt", "ge"):
        setattr(_Text, f"__r{_name}__", _operator(_sign, True))
