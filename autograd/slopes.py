"""The derivatives of a function by central differences and by the tape, as NumPy matrices in double precision.

A matrix has a row for each element of an input and a column for each element of an output. A function that is not
holomorphic has two derivatives by a complex input, along the real axis and along the imaginary one: its "ways", 1
and 1j.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from .backward import grad
from .func.transforms import linearize
from .promote import describe
from .tensor import Tensor, wrap

__all__ = [
    "Probe", "absent_as_zeros", "by_differences", "by_tape", "by_tape_forward", "complex_of", "element_wise", "like",
    "ways", "widened",
]  # fmt: skip

Array = Any  # NumPy's, float64 or complex128


def complex_of(x: Tensor) -> bool:
    """Whether the elements are complex."""
    return bool(x._array.dtype.kind == "c")


def ways(x: Tensor) -> tuple[complex, ...]:
    """The axes along which an element of ``x`` can move."""
    return (1, 1j) if complex_of(x) else (1,)


def widened(x: Tensor) -> Array:
    """The values in double precision, in memory of their own."""
    host = x._device.backend.to_host(x._array)
    return np.array(host, np.complex128 if complex_of(x) else np.float64)


def like(x: Tensor, values: Array) -> Tensor:
    """A tensor of ``values`` with the shape, the type and the device of ``x``."""
    array = np.asarray(values).reshape(x._array.shape).astype(x._array.dtype)
    return wrap(x._device.backend.from_host(array), x._device)


def element_wise(count: int) -> Iterator[Array]:
    """The unit vectors of ``count`` dimensions."""
    for k in range(count):
        unit = np.zeros(count)
        unit[k] = 1
        yield unit


def absent_as_zeros(found: tuple[Tensor | None, ...], xs: list[Tensor]) -> list[Array]:
    """Gradients as rows of numbers; zeros where there is none."""
    return [
        np.zeros(x._array.size, np.complex128 if complex_of(x) else np.float64) if g is None else widened(g).reshape(-1)
        for g, x in zip(found, xs, strict=True)
    ]


class Probe(NamedTuple):
    """A function at the point where its derivatives are looked at.

    Attributes:
        func: takes ``inputs``, and returns a tensor or several.
        inputs: its arguments, tensors or not.
        wanted: which of them it is differentiated by.
    """

    func: Callable[..., Any]
    inputs: tuple[Any, ...]
    wanted: list[int]

    @property
    def tensors(self) -> list[Tensor]:
        """The inputs that it is differentiated by."""
        return [self.inputs[i] for i in self.wanted]

    def outputs(self) -> tuple[Tensor, ...]:
        """What the function returns."""
        made = self.func(*self.inputs)
        several = tuple(made) if isinstance(made, (tuple, list)) else (made,)
        for i, y in enumerate(several):
            if not isinstance(y, Tensor):
                raise TypeError(f"gradcheck: func must return tensors, output {i} is a {type(y).__name__}")
        return several


# By differences


@contextmanager
def _moved(x: Tensor, change: Array) -> Iterator[None]:
    """Hold ``x + change`` in the memory of ``x``, unseen by the tape, for functions that close over it as well."""
    memory = x.data
    kept = memory.clone()
    try:
        memory.copy_(like(x, widened(kept) + change.reshape(x._array.shape)))
        yield
    finally:
        memory.copy_(kept)


def _values(probe: Probe, kinds: list[tuple[Any, Any]], eps: float) -> list[Array]:
    """The outputs as rows of numbers."""
    outputs = probe.outputs()
    for i, (y, (shape, dtype)) in enumerate(zip(outputs, kinds, strict=False)):
        if y._array.shape != shape or y._array.dtype != dtype:
            what = "shape" if y._array.shape != shape else "dtype"
            raise AssertionError(
                f"gradcheck: func must return outputs of the same {what} when an input moves by {eps}, but output {i} "
                f"became {describe(y)} of shape {list(y._array.shape)}, from shape {list(shape)}"
            )
    return [widened(y).reshape(-1) for y in outputs]


def by_differences(
    probe: Probe, outputs: tuple[Tensor, ...], x: Tensor, eps: float, along: Callable[[complex], Any]
) -> list[list[Array]]:
    """Central differences, ``(f(x + eps d) - f(x - eps d)) / (2 eps)``.

    Args:
        outputs: what the function returns at the point.
        x: the input that moves; it is as it was afterwards.
        along: for a way the directions d to move in, as rows.

    Returns:
        For each output and each way a matrix, a row for each direction.
    """
    kinds = [(y._array.shape, y._array.dtype) for y in outputs]
    table: list[list[Array]] = [[] for _ in outputs]
    for way in ways(x):
        rows: list[list[Array]] = [[] for _ in outputs]
        for direction in along(way):
            with _moved(x, eps * way * direction):
                above = _values(probe, kinds, eps)
            with _moved(x, -eps * way * direction):
                below = _values(probe, kinds, eps)
            for row, a, b in zip(rows, above, below, strict=True):
                row.append((a - b) / (2 * eps))
        for matrices, row, y in zip(table, rows, outputs, strict=True):
            matrices.append(np.array(row).reshape(len(row), y._array.size))
    return table


# By the tape


def by_tape(probe: Probe, output: Tensor, unit: complex, along: Any) -> tuple[list[Array], list[tuple[Any, ...]]]:
    """Gradients of one output for the cotangents ``unit * v``, v the rows of ``along``.

    Returns:
        For each wanted input a matrix with a column for each cotangent, and the gradients as they came.
    """
    xs = probe.tensors
    came = [grad(output, xs, like(output, unit * v), retain_graph=True, allow_unused=True) for v in along]
    rows = [absent_as_zeros(found, xs) for found in came]
    columns = [np.array([row[i] for row in rows]).reshape(len(rows), x._array.size).T for i, x in enumerate(xs)]
    return columns, came


def by_tape_forward(probe: Probe, places: list[int], i: int, along: Callable[[complex], Any]) -> list[list[Array]]:
    """Derivatives in forward mode (`func.linearize`) by input ``i``, laid out as those of `by_differences`.

    Args:
        places: which outputs.
    """
    x = probe.inputs[i]

    def alone(moving: Tensor) -> tuple[Tensor, ...]:
        outputs = probe._replace(inputs=(*probe.inputs[:i], moving, *probe.inputs[i + 1 :])).outputs()
        return tuple(outputs[k] for k in places)

    released, push = linearize(alone, x.detach())
    table: list[list[Array]] = [[] for _ in places]
    for way in ways(x):
        pushed = [[widened(t).reshape(-1) for t in push(like(x, way * d))] for d in along(way)]
        for k, matrices in enumerate(table):
            matrices.append(np.array([row[k] for row in pushed]).reshape(len(pushed), released[k]._array.size))
    return table
