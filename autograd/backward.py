"""``backward`` and ``grad``: from tensors to the engine and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .batching import vmap
from .batching.level import BatchDevice, lifted
from .edges import GradientEdge, node_of
from .engine import BATCHED, accumulate, propagate
from .grad_mode import is_recording, recording
from .promote import describe, warnings_shown
from .rule import P
from .tensor import Tensor, wrap

__all__ = ["backward", "grad", "tensor_backward"]


def _seed(name: str, root: Tensor, given: Tensor | None, record: Any) -> Any:
    """The cotangent with which the backward of one root starts."""
    if given is None:
        if root._array.size != 1:
            raise RuntimeError(
                f"{name}: a gradient can be started without one given only from a single number, not from "
                f"{describe(root)}; pass gradient=, or reduce it with .sum() or .mean()"
            )
        if root._array.dtype.kind == "c":
            raise RuntimeError(f"{name}: from the complex {describe(root)} a gradient must be given")
        scalars = None if record or root._array.ndim else root._device.scalars.get(root._array.dtype)
        if scalars is not None:  # it lies on the device already
            return scalars[1]
        seed = wrap(root._device.backend.from_host(np.ones(root._array.shape, root._array.dtype)), root._device)
    else:
        if given._array.shape != root._array.shape:
            raise RuntimeError(f"{name}: the gradient {describe(given)} does not have the shape of {describe(root)}")
        if (given._array.dtype.kind == "c") != (root._array.dtype.kind == "c"):
            raise RuntimeError(
                f"{name}: the gradient {describe(given)} and {describe(root)} must both be complex or both be real"
            )
        seed = given if given._array.dtype == root._array.dtype else given.to(root.dtype)
        if seed._device.depth < root._device.depth and isinstance(root._device, BatchDevice):
            seed = lifted(seed, root._device.level)
        elif seed._device.depth > root._device.depth and not record:
            raise RuntimeError(f"{name}: a batched gradient for {describe(root)}, which is not; use autograd.grad()")
    if record == BATCHED:
        return seed.detach()
    return seed if record else seed._array


def _roots(name: str, tensors: Sequence[Tensor], grads: Sequence[Tensor | None], record: Any) -> list[tuple[Any, Any]]:
    roots = []
    for root, given in zip(tensors, grads, strict=True):
        if isinstance(root, GradientEdge):
            roots.append((node_of(root), _seed_of_edge(name, given, record)))
            continue
        node = root._current()
        if node is None:
            raise RuntimeError(f"{name}: {describe(root)} does not require grad and has no history to go back through")
        roots.append((node, _seed(name, root, given, record)))
    return roots


def _seed_of_edge(name: str, given: Tensor | None, record: Any) -> Any:
    if given is None:
        raise RuntimeError(f"{name}: from a GradientEdge, whose shape is not known, a gradient must be given")
    return given.detach() if record == BATCHED else given if record else given._array


def _listed(several: Any) -> tuple[Any, ...]:
    """One tensor or edge, or several, as a tuple."""
    return (several,) if isinstance(several, (Tensor, GradientEdge)) else tuple(several)


def _run(roots: list[tuple[Any, Any]], retain: bool, record: bool | str, targets: Any = None) -> list[Any] | None:
    """``propagate``, recording where that is asked for even under ``no_grad``."""
    if warnings_shown():
        with np.errstate(all="ignore"):
            return _recording_or_not(roots, retain, record, targets)
    return _recording_or_not(roots, retain, record, targets)


def _recording_or_not(roots: list[tuple[Any, Any]], retain: bool, record: bool | str, targets: Any) -> Any:
    if record is True and not is_recording():
        with recording():
            return propagate(roots, retain=retain, record=record, targets=targets)
    return propagate(roots, retain=retain, record=record, targets=targets)


def _several(value: Any, like: int, name: str) -> tuple[Any, ...]:
    if value is None:
        return (None,) * like
    several = tuple(value) if isinstance(value, Iterable) and not isinstance(value, Tensor) else (value,)
    for given in several:
        if given is not None and not isinstance(given, Tensor):
            raise TypeError(f"{name}: a gradient must be a Tensor or None, not {type(given).__name__}")
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
        create_graph: record the backward itself, for higher derivatives. The tape of a recorded ``.grad`` leads back to
            the leaf that holds it: a cycle, which lasts until ``.grad`` is set to None. `grad` makes none.
        inputs: the leaves to accumulate in; None for all.

    Raises:
        RuntimeError: no history, a shape that does not fit, a tape that was freed, or a saved value changed in place.
    """
    node, array = self._current(), self._array
    if inputs is None and not create_graph and node is not None and not warnings_shown():
        if gradient is None:
            scalars = self._device.scalars.get(array.dtype) if array.ndim == 0 else None
            if scalars is not None:  # the usual end of a training step: a single real number
                propagate([(node, scalars[1])], retain=bool(retain_graph), record=False)
                return
        elif type(gradient) is Tensor and gradient._device is self._device:
            seed = gradient._array
            if seed.shape == array.shape and seed.dtype == array.dtype:
                propagate([(node, seed)], retain=bool(retain_graph), record=False)
                return
    backward(self, gradient, retain_graph, create_graph, inputs=inputs)


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
    grad_variables: Any = None, inputs: Any = None,
) -> None:  # fmt: skip
    """Add the gradients of several tensors to the ``.grad`` of the leaves they were computed from."""
    several = _listed(tensors)
    grads = _several(grad_tensors if grad_variables is None else grad_variables, len(several), "backward")
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        _run(_roots("backward", several, grads, create_graph), retain, create_graph)
        return
    chosen = _listed(inputs)
    if not chosen:
        raise RuntimeError("backward: inputs is empty; leave it out to accumulate in all leaves")
    found = grad(several, chosen, grads, retain, create_graph, allow_unused=True)
    nodes = [node_of(x) if isinstance(x, GradientEdge) else x._current() for x in chosen]
    for node, g in dict(zip(nodes, found, strict=True)).items():
        if g is None:
            continue
        if node.edges is None:
            accumulate(node, g if create_graph else g._array, create_graph)
        else:
            node.grad = g if node.grad is None else node.grad + g


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
        is_grads_batched: whether each of ``grad_outputs`` is a batch of cotangents along its first dimension; then the
            gradients have that dimension as well. All go through the tape at once.
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
        options = retain_graph, create_graph, allow_unused, materialize_grads
        return _grads_of_batch(outputs, inputs, grad_outputs, *options)
    several, wanted = _listed(outputs), _listed(inputs)
    if not wanted:
        raise RuntimeError("grad: inputs is empty; name the tensors to differentiate by")
    grads = _several(grad_outputs, len(several), "grad")
    nodes = [node_of(x) if isinstance(x, GradientEdge) else x._current() for x in wanted]
    for i, node in enumerate(nodes):
        if node is None:
            raise RuntimeError(f"grad: inputs[{i}], {describe(wanted[i])}, does not require grad")
    retain = create_graph if retain_graph is None else retain_graph
    record = create_graph or (BATCHED if _deeper(grads, several) else False)
    found = _run(_roots("grad", several, grads, record), retain, record, nodes)
    result = []
    for i, g in enumerate(found or ()):
        if g is None and materialize_grads:
            if isinstance(wanted[i], GradientEdge):
                raise RuntimeError(f"grad: inputs[{i}] is a GradientEdge, for which no zeros can be made")
            g = wrap(wanted[i]._device.backend.zeros_like(wanted[i]._array), wanted[i]._device)
            g.requires_grad_(create_graph)
        elif g is None and not allow_unused:
            raise RuntimeError(f"grad: inputs[{i}] was not used to compute the outputs; allow_unused=True gives None")
        elif g is not None and isinstance(wanted[i], Tensor) and g._array.dtype != wanted[i]._array.dtype:
            g = P.cast(g, wanted[i]._array.dtype)
        result.append(g.detach() if record == BATCHED and g is not None else g)
    return tuple(result)


def _deeper(grads: Sequence[Tensor | None], roots: Sequence[Tensor]) -> bool:
    """Whether a cotangent is of a deeper level of `vmap` than what it is the cotangent of."""
    pairs = [(g, r) for g, r in zip(grads, roots, strict=True) if isinstance(g, Tensor) and isinstance(r, Tensor)]
    return any([g._device.depth > r._device.depth for g, r in pairs])


def _grads_of_batch(outputs: Any, inputs: Any, grad_outputs: Any, *options: Any) -> tuple[Tensor | None, ...]:
    """The gradients for every cotangent of a batch."""
    retain, create, allow_unused, materialize = options
    grads = (grad_outputs,) if isinstance(grad_outputs, Tensor) else tuple(grad_outputs or ())
    if all(g is None for g in grads):
        raise RuntimeError("grad: is_grads_batched needs grad_outputs, with the batch as the first dimension")
    unused: list[bool] = []

    def one(*each: Any) -> tuple[Tensor, ...]:
        found = grad(outputs, inputs, each, retain, create, True, allow_unused, False, materialize)
        unused.extend(g is None for g in found)
        return tuple(g for g in found if g is not None)

    made = iter(vmap(one, tuple(None if g is None else 0 for g in grads))(*grads))
    return tuple(None if none else next(made) for none in unused)
