"""What went wrong, in the words of the operation that the user called.

A kernel that refuses its operands knows neither the public operation nor its arguments. Both are found here, once it
has failed: the operation on the stack, the place in an index by walking along it.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from . import record

if TYPE_CHECKING:
    from .rule import Rule

__all__ = ["describe", "explain", "operation_called"]

# Modules of helpers, whose functions are no operations
HELPERS = ("args", "checks", "interop", "out", "results")
CALLED = {"getitem": "index"}  # names on the stack that users do not know
SHOWN = {"x": "input", "dims": "dim", "where": "indices", "a": "input", "b": "other", "pivots": "pivots"}
HIDDEN = frozenset({"act", "places", "widths", "steps", "keepdim"})


def describe(x: Any) -> str:
    """One operand in an error's words."""
    if hasattr(x, "_array"):
        where = "" if x._device.type == "cpu" else f" on {x._device}"
        return f"{x.dtype.name}{list(x._array.shape)}{where}"
    if isinstance(x, (list, tuple)) and x and hasattr(x[0], "_array"):
        return "[" + ", ".join(describe(t) for t in x) + "]"
    return repr(x)


def operation_called(rule: Rule) -> str:
    """The public operation under way: the outermost one on the stack, in place forms by their own name."""
    frame, name = sys._getframe(1), rule.name
    while frame is not None:
        module, function = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if not module.startswith("tapegrad."):
            break
        if function == "write" and module.endswith(".writes"):
            name = frame.f_locals.get("name", name)
        elif (".ops." in module or ".nn." in module) and module.rpartition(".")[2] not in HELPERS:
            if function in frame.f_globals.get("__all__", ()):
                name = function
        frame = frame.f_back  # type: ignore[assignment]
    return CALLED.get(name, name)


def explain(rule: Rule, error: Exception, inputs: tuple[Any, ...], attrs: tuple[Any, ...]) -> str:
    """The text of the error to raise for ``error``, which a kernel raised on these operands."""
    called = operation_called(rule)
    special = SPECIAL.get(rule.name)
    told = special(str(error), inputs, attrs) if special is not None else None
    if told is not None:
        return f"{'index' if called == rule.name and rule.name in ('slice', 'unslice') else called}: {told}"
    plain = _plain(str(error))
    operands = [x for x in inputs if x is not None]
    if called.rstrip("_") != rule.name:
        return f"{called}: {plain} (operands: {', '.join(map(describe, operands))})"
    names = zip(record.argument_names(rule), inputs, strict=True)
    given = [f"{SHOWN.get(n, n)}={describe(x)}" for n, x in names if x is not None]
    given += [
        f"{SHOWN.get(n, n)}={a!r}" for n, a in zip(rule.attrs, attrs, strict=False) if a is not None and n not in HIDDEN
    ]
    return f"{called}({', '.join(given)}): {plain}"


def _plain(text: str) -> str:
    low = text.lower()
    if any(s in low for s in ("could not be broadcast", "shape mismatch", "cannot broadcast", "axis remapping")):
        return "the shapes do not broadcast: from the last dimension on, sizes must be equal or one of them 1"
    if "matmul" in text or "not aligned" in text:
        return "the inner sizes differ: the last dimension of the first must equal the second-last of the second"
    if "type is mismatched" in low:
        return f"the element types must be the same; nothing is converted silently ({text})"
    if "cannot reshape" in text:
        return "the new shape has another number of elements"
    return text


def _of_slice(text: str, inputs: tuple[Any, ...], attrs: tuple[Any, ...]) -> str | None:
    """Which part of a basic index does not fit."""
    shape, index = inputs[0]._array.shape, attrs[-1]
    count = sum(p is not None and p is not Ellipsis for p in index)
    if count > len(shape):
        return f"{count} indices for a tensor of {len(shape)} dimensions, shape {list(shape)}"
    at = 0
    for p in index:
        if p is None or p is Ellipsis:
            continue
        if not isinstance(p, slice) and not -shape[at] <= p < shape[at]:
            return _out_of_range(p, at, shape)
        at += 1
    return None


def _out_of_range(index: Any, dim: int, shape: tuple[int, ...]) -> str:
    n = shape[dim]
    range_ = f"which has {-n} to {n - 1}" if n else "which has no elements"
    return f"index {index} is out of range for dim {dim} of size {n}, {range_}; the shape is {list(shape)}"


_BOUNDS = re.compile(r"index (-?\d+) is out of bounds for axis (\d+) with size (\d+)")
_VALUE = re.compile(r"value array of shape \((.*?),?\) could not be broadcast to indexing result of shape \((.*?),?\)")


def _of_index(text: str, inputs: tuple[Any, ...], attrs: tuple[Any, ...]) -> str | None:
    """Which index tensor does not fit, or that a value does not."""
    shape = inputs[0]._array.shape
    if found := _BOUNDS.search(text):
        index, dim = int(found[1]), int(found[2])
        return _out_of_range(index, dim, shape) if dim < len(shape) else None
    if found := _VALUE.search(text):
        return f"a value of shape [{found[1]}] does not broadcast to the places, of shape [{found[2]}]"
    if "boolean array indexing assignment" in text:
        return f"a value of {inputs[1]._array.ndim} dimensions does not broadcast to what a mask selects, which has one"
    if "broadcast" in text or "mismatch" in text:
        where = [list(t._array.shape) for x in inputs if isinstance(x, (list, tuple)) for t in x]
        return f"the index tensors of shapes {', '.join(map(str, where))} do not broadcast"
    return None


def _of_cat(text: str, inputs: tuple[Any, ...], attrs: tuple[Any, ...]) -> str:
    shapes = [list(t._array.shape) for t in inputs[0]]
    if [] in shapes:
        return f"tensors without dimensions cannot be joined, use stack or unsqueeze(0); got the shapes {shapes}"
    return f"the tensors must have as many dimensions and, but for dim {attrs[0]}, the same sizes; got {shapes}"


def _of_stack(text: str, inputs: tuple[Any, ...], attrs: tuple[Any, ...]) -> str:
    return f"the tensors must have one shape; got {[list(t._array.shape) for t in inputs[0]]}"


SPECIAL = {
    "slice": _of_slice, "index": _of_index, "index_put": _of_index, "cat": _of_cat, "stack": _of_stack
}  # fmt: skip
