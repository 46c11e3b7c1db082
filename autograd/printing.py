"""The text of a tensor, to the character as PyTorch prints it.

All numbers of a tensor are printed alike: as integers with a point where all are whole, with ``precision`` digits after
the point, or in scientific notation where they differ too much; padded to one width. A large tensor shows its edges.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backends import default_device, dtypes
from .promote import get_default_dtype
from .tensor import Tensor

__all__ = ["set_printoptions", "text"]


@dataclass
class Options:
    """How tensors are printed; ``set_printoptions`` changes it."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PROFILES = {
    "default": Options(), "short": Options(precision=2, edgeitems=2), "full": Options(threshold=math.inf)
}  # fmt: skip
options = Options()


def set_printoptions(
    precision: int | None = None, threshold: float | None = None, edgeitems: int | None = None,
    linewidth: int | None = None, profile: str | None = None, sci_mode: bool | None = None,
) -> None:  # fmt: skip
    """Set how tensors are printed; what is not named stays as it is, except ``sci_mode``.

    Args:
        precision: digits after the point (4 at first).
        threshold: tensors of more elements (1000) are summarised.
        edgeitems: how many elements a summary shows at each end of a dimension (3).
        linewidth: characters to a line (80).
        profile: "default", "short" or "full" (never summarised), a start for the others.
        sci_mode: whether to use scientific notation; None decides by the numbers.

    Raises:
        ValueError: another profile.
    """
    if profile is not None:
        if profile not in PROFILES:
            raise ValueError(f"set_printoptions: profile must be one of {', '.join(PROFILES)}, got {profile!r}")
        start = PROFILES[profile]
        options.precision, options.threshold = start.precision, start.threshold
        options.edgeitems, options.linewidth = start.edgeitems, start.linewidth
    for name, value in (
        ("precision", precision), ("threshold", threshold), ("edgeitems", edgeitems), ("linewidth", linewidth)
    ):  # fmt: skip
        if value is not None:
            setattr(options, name, value)
    options.sci_mode = sci_mode


def text(self: Tensor) -> str:
    """The tensor as Python would write it: its numbers, and what is not the default about it."""
    plain = type(self) is Tensor or type(self).__name__ == "Parameter"
    prefix = "tensor(" if plain else type(self).__name__ + "("
    if self._device.depth and self._array.batched:
        inner = text(self._array.value).replace("\n", "\n    ")
        return f"BatchedTensor(depth={self._device.depth}, value=\n    {inner}\n)"
    array = self._device.backend.to_host(self._array)
    suffixes = []
    if self._device != default_device():
        suffixes.append(f"device='{self._device}'")
    if not array.size:
        body = "[]"
        if array.ndim != 1:
            suffixes.append(f"size={tuple(array.shape)}")
        shown = self.dtype is not get_default_dtype()
    else:
        body = _body(array, len(prefix))
        if not options.edgeitems:
            suffixes.append(f"size={tuple(array.shape)}")
        shown = self.dtype not in (get_default_dtype(), get_default_dtype().to_complex(), dtypes.int64, dtypes.bool_)
    if shown:
        suffixes.append(f"dtype={self.dtype}")
    try:
        node = self._current()
    except RuntimeError:  # one of several views whose base was written
        suffixes.append("grad_fn=<Invalid>")
    else:
        if node is not None:
            suffixes.append("requires_grad=True" if node.edges is None else f"grad_fn=<{node.name()}>")
    return _with_suffixes(prefix + body, suffixes, len(prefix))


def _with_suffixes(written: str, suffixes: list[str], indent: int) -> str:
    """The end of the text; a suffix that does not fit on the line begins another."""
    used = len(written) - written.rfind("\n") + 1
    for suffix in suffixes:
        width = len(suffix.replace("dtype=tapegrad.", "dtype=torch."))  # lines break where PyTorch's do
        if used + width + 2 > options.linewidth:
            written += ",\n" + " " * indent + suffix
            used = indent + width
        else:
            written += ", " + suffix
            used += width + 2
    return written + ")"


def _body(array: np.ndarray, indent: int) -> str:
    """The numbers of an array that has some."""
    if array.dtype.char in "eE":
        array = array.astype(np.float32)
    summarize = array.size > options.threshold
    sample = _edges(array) if summarize else array
    cell, width = _complex_cells(sample) if array.dtype.kind == "c" else _cells(sample)
    return _nested(array, indent, summarize, cell, width)


def _edges(array: np.ndarray) -> np.ndarray:
    """The elements that a summary shows."""
    for axis, n in enumerate(array.shape):
        if n > 2 * options.edgeitems:
            array = np.concatenate((
                array.take(range(options.edgeitems), axis), array.take(range(n - options.edgeitems, n), axis)
            ), axis)  # fmt: skip
    return array


Cell = Callable[[Any], str]


def _cells(sample: np.ndarray) -> tuple[Cell, int]:
    """How to write one number, and the width that all of them take."""
    if sample.dtype.kind != "f":
        width = max((len(str(v)) for v in sample.reshape(-1).tolist()), default=1)
        return lambda v: str(v).rjust(width), width
    flat = sample.reshape(-1)
    known = flat[np.isfinite(flat) & (flat != 0)].astype(np.float64)
    if not known.size:
        return _float_cells(1, False, True)
    with np.errstate(over="ignore"):
        size = np.abs(known)
        low, high = float(size.min()), float(size.max())
        whole = bool((known == np.ceil(known)).all())
    scientific = options.sci_mode
    if scientific is None:
        scientific = high / low > 1000 or high > 1e8 or (not whole and low < 1e-4)
    digits = options.precision
    if scientific:
        width = max(len(f"{v:.{digits}e}") for v in known.tolist())
    elif whole:
        width = max(len(f"{v:.0f}") + 1 for v in known.tolist())
    else:
        width = max(len(f"{v:.{digits}f}") for v in known.tolist())
    return _float_cells(width, scientific, whole)


def _float_cells(width: int, scientific: bool, whole: bool) -> tuple[Cell, int]:
    digits = options.precision

    def cell(v: float) -> str:
        if scientific:
            return f"{v:{width}.{digits}e}"
        if not whole:
            return f"{v:.{digits}f}".rjust(width)
        return (f"{v:.0f}." if math.isfinite(v) else f"{v:.0f}").rjust(width)

    return cell, width


def _complex_cells(sample: np.ndarray) -> tuple[Cell, int]:
    real, width = _cells(sample.real)
    imag, more = _cells(sample.imag)

    def cell(v: complex) -> str:
        tail = (imag(v.imag) + "j").lstrip()
        return real(v.real) + (tail if tail[0] == "-" else "+" + tail)

    return cell, width + more + 1


def _nested(array: np.ndarray, indent: int, summarize: bool, cell: Cell, width: int) -> str:
    if array.ndim == 0:
        return cell(array.item())
    if array.ndim == 1:
        return _line(array, indent, summarize, cell, width)
    n, edge = len(array), options.edgeitems
    if summarize and n > 2 * edge:
        rows = [_nested(array[i], indent + 1, summarize, cell, width) for i in range(edge)] + ["..."]
        rows += [_nested(array[i], indent + 1, summarize, cell, width) for i in range(n - edge, n)]
    else:
        rows = [_nested(row, indent + 1, summarize, cell, width) for row in array]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(rows) + "]"


def _line(array: np.ndarray, indent: int, summarize: bool, cell: Cell, width: int) -> str:
    """A vector, in as many lines as it needs."""
    n, edge = len(array), options.edgeitems
    if summarize and not edge:
        words = ["..."]
    elif summarize and n > 2 * edge:
        words = [*map(cell, array[:edge].tolist()), " ...", *map(cell, array[n - edge :].tolist())]
    else:
        words = [*map(cell, array.tolist())]
    per_line = max(1, (options.linewidth - indent) // (width + 2))
    lines = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
