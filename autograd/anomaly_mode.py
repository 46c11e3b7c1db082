"""Anomaly mode: which forward line led to a NaN in the backward, or to saved memory that was changed.

While the mode is on, every recorded step remembers the calls that made it and a CRC-32 of each CPU array that it saved.
A backward in the mode then checks each step: what it saved must be what it was, though NumPy, DLPack or ``.data`` let
anyone write to it behind the tape's back, and what it returns must not be NaN.

It is for debugging: on two busy cores a step of a 2-16-16-1 network took 4.5 times as long in the mode (3.2 without
the search for NaN), one of a 784-1024-1024-10 network 1.1 to 1.8 times; ``python -m bench.anomaly`` measures it. Off, a
step of the backward pays one comparison.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator
from importlib import import_module
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from . import engine
from .node import Node
from .origin import Origin, described, node_in, origin_of, traceback_of, unwatch, watch
from .saved import packing
from .steps import FunctionNode
from .tensor import Tensor, wrap
from .versions import saved_tensors

__all__ = [
    "detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_anomaly_enabled", "set_detect_anomaly",
]  # fmt: skip

_enabled = False
_check_nan = True
_callers: Any = import_module(".backward", __package__)  # the package's attribute of this name is the function


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on."""
    return _enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode, where it is on, looks for NaN."""
    return _check_nan


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """Switch anomaly mode on or off, for all threads.

    Args:
        mode: whether it is on.
        check_nan: whether a backward in the mode raises at the first NaN.
    """
    global _enabled, _check_nan
    if not isinstance(mode, bool) or not isinstance(check_nan, bool):
        raise TypeError(f"set_anomaly_enabled: mode and check_nan must be bools, got {mode!r} and {check_nan!r}")
    if mode and not _enabled:
        watch(_remember)
        engine.check, _callers.propagate = _check, _propagate
    elif _enabled and not mode:
        unwatch(_remember)
        engine.check, _callers.propagate = None, engine.propagate
    _enabled, _check_nan = mode, check_nan


class set_detect_anomaly:  # noqa: N801 - PyTorch's name
    """Switch anomaly mode on or off, at once; as a context manager it is switched back at the end.

    Args:
        mode: whether it is on.
        check_nan: whether a backward in the mode raises at the first NaN.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = (_enabled, _check_nan)
        set_anomaly_enabled(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        set_anomaly_enabled(*self._before)


class detect_anomaly:  # noqa: N801 - PyTorch's name
    """A context in which a backward names the forward line that is to blame.

    Run the forward and the backward in it. A step of the backward that returns NaN is an error that names the line of
    its forward call; so is saved memory that was changed between the two without the tape's knowledge: through an array
    that shares it (``from_numpy``, ``.numpy()``, DLPack) or through ``.data``. Any other error in the backward is
    accompanied by a warning with the traceback of the forward call.

    Only memory on the CPU is watched for changes.

    Args:
        check_nan: whether NaN is an error.

    >>> import tapegrad as tg, warnings
    >>> warnings.simplefilter("ignore")
    >>> x = tg.tensor([-1.0], requires_grad=True)
    >>> with tg.autograd.detect_anomaly():  # doctest: +ELLIPSIS
    ...     (x.sqrt() * 0).sum().backward()
    Traceback (most recent call last):
        ...
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.
    The forward call: File ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.", stacklevel=2,
        )  # fmt: skip

    def __enter__(self) -> None:
        self._before = (_enabled, _check_nan)
        set_anomaly_enabled(True, self._check_nan)

    def __exit__(self, *exc: object) -> None:
        set_anomaly_enabled(*self._before)


def _remember(made: Origin, frame: FrameType) -> None:
    """Keep the checksums of what a new step saved."""
    node: Any = frame.f_locals.get("node")
    if packing() is None and type(node) in (Node, FunctionNode):  # what is packed is its hooks' to keep
        made.sums = [_checksum(array) for _, array in _watched(node, new=True)]


def _watched(node: Node, new: bool = False) -> Iterator[tuple[str, Any]]:
    """What a step saved of arrays that others may see."""
    if type(node) is FunctionNode:
        ctx = node.saved[0]
        kept = (
            [getattr(t, "_array", None) for t in ctx._to_save]
            if new
            else [getattr(k, "array", None) for k in ctx._kept]
        )
        several = [(f"the tensor {i} of save_for_backward", array) for i, array in enumerate(kept)]
    else:
        several = [(label, array) for label, array, _ in saved_tensors(node)]
    for label, array in several:
        if type(array) is np.ndarray:
            yield label, array


def _checksum(array: np.ndarray) -> int:
    """The CRC-32 of the elements in their order, however they lie in memory."""
    return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def _check(node: Node, cotangents: Any, record: bool) -> None:
    """Look at one step of a backward, after its formulas ran."""
    _verify(node)
    if not _check_nan:
        return
    for k, (edge, c) in enumerate(zip(node.edges, cotangents, strict=False)):
        if edge is None or c is None:
            continue
        if _has_nan(c if record else wrap(c, edge.device)):
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {k}th output.{_forward(node)}")


def _has_nan(cotangent: Any) -> bool:
    while isinstance(getattr(cotangent._array, "value", None), Tensor):  # of a level of vmap
        cotangent = cotangent._array.value
    array, backend = cotangent._array, cotangent._device.backend
    return array.dtype.kind in "fcV" and bool(backend.any(backend.isnan(array), None, False))


def _verify(node: Node) -> None:
    """Compare what a step saved with the checksums from when it did."""
    origin = origin_of(node)
    if origin is None or origin.sums is None or node.peek() is None:
        return
    for (label, array), before in zip(_watched(node), origin.sums, strict=True):
        if _checksum(array) != before:
            raise RuntimeError(
                f"{_operation(node)}: {label} ({array.dtype}{list(array.shape)}), which this operation ({node.name()}) "
                "saved for backward, was changed between forward and backward behind the tape's back: through NumPy, "
                "DLPack or .data, which share its memory; write to a copy, or give the operation a clone()."
                + _forward(node)
            )


def _operation(node: Node) -> str:
    return node.name() if type(node) is FunctionNode else str(node.rule.name)


def _forward(node: Node) -> str:
    origin = origin_of(node)
    if origin is None:
        return "\nThe forward call is not known: it was not made in anomaly mode."
    return f"\nThe forward call: {described(origin.calls)}"


def _propagate(*args: Any, **options: Any) -> Any:
    """The engine's ``propagate``; an error in it is accompanied by the forward call of the step where it arose."""
    try:
        return engine.propagate(*args, **options)
    except Exception as error:
        node, seen = _failed(error.__traceback__)
        if node is not None:
            warnings.warn(_history(node), stacklevel=3)
            if not seen:
                _verify(node)  # what was changed may have made the formula fail
        raise


def _failed(traceback: TracebackType | None) -> tuple[Node | None, bool]:
    """The step at which the innermost backward in a traceback stood, and whether ``_check`` saw it."""
    found, seen = None, False
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code is engine.propagate.__code__:
            found = node_in(traceback.tb_frame) or found
        seen = seen or code is _check.__code__
        traceback = traceback.tb_next
    return found, seen


def _history(node: Node) -> str:
    origin = origin_of(node)
    if origin is None:
        return (
            f"Error detected in {node.name()}. No forward pass information available. "
            "Enable detect anomaly during forward pass for more information."
        )
    text = f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n"
    text += traceback_of(origin.calls)
    while origin.parent is not None:
        origin = origin.parent
        text += "\nPrevious calculation was induced by a step of a backward. Traceback of its forward call:\n"
        text += traceback_of(origin.calls)
    return text
