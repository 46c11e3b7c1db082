"""``backward`` and ``grad``: from tensors to the engine and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .engine import propagate
from .promote import describe
from .rule import P
from .tensor import Tensor, wrap

__all__ = ["backward", "grad", "tensor_backward"]


def _seed(name: str, root: Tensor, given: Tensor | None, record: bool) -> Any:
    """The cotangent with which the backward of one root starts."""
    if given is None:
        if root._array.size != 1:
            raise RuntimeError(
                f"{name}: a gradient can be started without one given only from a single number, not from "
                f"{describe(root)}; pass gradient=, or reduce it with .sum() or .mean()"
            )
        if root._array.dtype.kind == "c":
            raise RuntimeError(f"{name}: from the complex {describe(root)} a gradient must be given")
        seed = wrap(root._device.backend.from_host(np.ones(root._array.shape, root._array.dtype)), root._device)
    else:
        if not isinstance(given, Tensor):
            raise TypeError(f"{name}: a gradient must be a Tensor or None, not {type(given).__name__}")
        if given._array.shape != root._array.shape:
            raise RuntimeError(f"{name}: the gradient {describe(given)} does not have the shape of {describe(root)}")
        seed = given if given._array.dtype == root._array.dtype else given.to(root.dtype)
    return seed if record else seed._array


def _roots(name: str, tensors: Sequence[Tensor], grads: Sequence[Tensor | None], record: bool) -> list[tuple[Any, Any]]:
    roots = []
    for root, given in zip(tensors, grads, strict=True):
        node = root._current()
        if node is None:
            raise RuntimeError(f"{name}: {describe(root)} does not require grad and has no history to go back through")
        roots.append((node, _seed(name, root, given, record)))
    return roots


def _several(value: Any, like: int, name: str) -> tuple[Any, ...]:
    if value is None:
        return (None,) * like
    several = (value,) if isinstance(value, Tensor) else tuple(value)
    if len(several) != like:
        raise RuntimeError(f"{name}: {like} tensors but {len(several)} gradients")
    return several


def tensor_backward(
    self: Tensor, gradient: Tensor | None = None, retain_graph: bool | None = None, create_graph: bool = False,
    inputs: Any = None,
) -> None:  # fmt: skip
    """Add the gradient of this tensor to the ``.grad`` of every leaf it was computed from.

    Args:
        gradient: the cotangent to start from; may be left out for a single number.
        retain_graph: keep what the tape saved for another backward (default: as ``create_graph``).
        create_graph: record the backward itself, for higher derivatives.
        inputs: the leaves to accumulate in; None for all.

    Raises:
        RuntimeError: no history, a shape that does not fit, a tape that was freed, or a saved value changed in place.
    """
    node = self._current()
    if gradient is None and inputs is None and not create_graph and self._array.ndim == 0 and node is not None:
        scalars = self._device.scalars.get(self._array.dtype)
        if scalars is not None:  # the usual end of a training step: a single real number
            propagate([(node, scalars[1])], retain=bool(retain_graph), record=False)
            return
    backward(self, gradient, retain_graph, create_graph, inputs=inputs)


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
    grad_variables: Any = None, inputs: Any = None,
) -> None:  # fmt: skip
    """Add the gradients of several tensors to the ``.grad`` of the leaves they were computed from."""
    several = (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)
    grads = _several(grad_tensors if grad_variables is None else grad_variables, len(several), "backward")
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        propagate(_roots("backward", several, grads, create_graph), retain=retain, record=create_graph)
        return
    leaves = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    found = grad(several, leaves, grads, retain, create_graph, allow_unused=True)
    for leaf, g in zip(leaves, found, strict=True):
        if g is not None:
            leaf.grad = g if leaf.grad is None else leaf.grad + g


def grad(
    outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
    only_inputs: bool = True, allow_unused: bool | None = None, is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:  # fmt: skip
    """The gradients of ``outputs`` with respect to ``inputs``; no ``.grad`` changes.

    Args:
        outputs: a tensor or several.
        inputs: the tensors to differentiate by: leaves or results of operations.
        grad_outputs: a cotangent for each output; may be left out for single numbers.
        retain_graph: keep what the tape saved (default: as ``create_graph``).
        create_graph: record the backward itself, for higher derivatives.
        only_inputs: accepted; always so.
        allow_unused: give None for an input that the outputs do not depend on, rather than an error.
        materialize_grads: give zeros instead of None there.

    Returns:
        One gradient for each input.

    Raises:
        RuntimeError: an input that does not require grad or was not used, besides the errors of ``backward``.
        ValueError: ``materialize_grads`` together with ``allow_unused=False``.

    >>> import tapegrad as tg
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> (slope,) = tg.autograd.grad(x**3, x, create_graph=True)
    >>> tg.autograd.grad(slope, x)[0].item()
    18.0
    """
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: materialize_grads gives zeros for unused inputs, which allow_unused=False forbids")
    if is_grads_batched:
        raise ValueError("grad: is_grads_batched is not supported; call grad once for each cotangent")
    several = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    wanted = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    grads = _several(grad_outputs, len(several), "grad")
    nodes = [x._current() for x in wanted]
    for i, node in enumerate(nodes):
        if node is None:
            raise RuntimeError(f"grad: inputs[{i}], {describe(wanted[i])}, does not require grad")
    retain = create_graph if retain_graph is None else retain_graph
    found = propagate(_roots("grad", several, grads, create_graph), retain=retain, record=create_graph, targets=nodes)
    result = []
    for i, g in enumerate(found or ()):
        if g is None and materialize_grads:
            g = wrap(wanted[i]._device.backend.zeros_like(wanted[i]._array), wanted[i]._device)
        elif g is None and not allow_unused:
            raise RuntimeError(f"grad: inputs[{i}] was not used to compute the outputs; allow_unused=True gives None")
        elif g is not None and g._array.dtype != wanted[i]._array.dtype:
            g = P.cast(g, wanted[i]._array.dtype)
        result.append(g)
    return tuple(result)
