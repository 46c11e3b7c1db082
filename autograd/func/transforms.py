"""Functions of functions: ``grad``, ``vjp``, ``jvp`` and their kin, on the one tape.

A derivative by the inputs is taken by inputs made for it: leaves, or aliases of what has a history outside, so that
derivatives nest. The product with the Jacobian (``jvp``) is the transpose of its transpose: ``J^T u`` is linear in
``u``, and what differentiates it by ``u`` gives ``J t``; so the one table of rules serves both directions
(J. Townsend, A new trick for calculating Jacobian vector products, 2017).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backward import grad as gradients
from ..batching.level import at_level
from ..function_transforms import forward_mode
from ..grad_mode import enable_grad, is_grad_enabled
from ..promote import describe
from ..rule import P
from ..tensor import Tensor, wrap
from ..tree import flatten, mapped, unflatten

__all__ = ["Scope", "grad", "grad_and_value", "jvp", "linearize", "vjp"]


class Scope:
    """The inputs of one derivative, and what is outside of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.outer = is_grad_enabled()  # whether a derivative outside of this one may want to see it
        self.inputs: list[Tensor] = []

    def take(self, tree: Any) -> Any:
        """The tensors of ``tree`` as inputs to differentiate by."""
        return mapped(self._input, tree)

    def _input(self, x: Any) -> Tensor:
        if not isinstance(x, Tensor):
            raise ValueError(f"{self.name}: expected tensors to differentiate by, got {type(x).__name__}")
        if x._array.dtype.kind not in "fcV":
            raise RuntimeError(f"{self.name}: only floating and complex tensors have gradients, got {describe(x)}")
        x = at_level(x)
        made = P.slice(x, ()) if self.outer and x._current() is not None else x.detach().requires_grad_()
        self.inputs.append(made)
        return made

    def seen_outside(self, outputs: list[Tensor]) -> bool:
        """Whether what was computed depends on tensors outside that require grad: then its derivatives do, too."""
        if not self.outer:
            return False
        own = {x._current() for x in self.inputs}
        stack, met = [y._current() for y in outputs], set(own)
        stack += [edge for node in own for edge in (node.edges or ())]  # type: ignore[union-attr]
        while stack:
            node = stack.pop()
            if node is None or node in met:
                continue
            met.add(node)
            if node.edges is None:
                return True
            stack.extend(node.edges)
        return False

    def release(self, tree: Any) -> Any:
        """What the function returned, as those outside may see it."""

        def one(y: Any) -> Any:
            if not isinstance(y, Tensor) or y._current() is None or self.seen_outside([y]):
                return y
            return y.detach()

        return mapped(one, tree)

    def pull(self, outputs: list[Tensor], cotangents: list[Any], *, retain: bool, create: bool) -> list[Tensor]:
        """The gradients by the inputs, zeros where nothing depends on one."""
        pairs = [(y, g) for y, g in zip(outputs, cotangents, strict=True) if y._current() is not None]
        found: Any = [None] * len(self.inputs)
        if pairs:
            ys, gs = zip(*pairs, strict=True)
            found = gradients(
                ys, self.inputs, gs, retain_graph=retain or create, create_graph=create, allow_unused=True
            )
        return [zeros_like(x) if g is None else g for x, g in zip(self.inputs, found, strict=True)]


def zeros_like(x: Tensor) -> Tensor:
    return P.zeros_like(x.detach())


def outputs_of(name: str, tree: Any) -> tuple[list[Tensor], Any]:
    """The tensors that a function returned, and their structure.

    Raises:
        RuntimeError: something else than tensors.
    """
    leaves, structure = flatten(tree)
    for y in leaves:
        if not isinstance(y, Tensor):
            raise RuntimeError(f"{name}: the function must return tensors, got {type(y).__name__}")
    return leaves, structure


def with_aux(name: str, out: Any, has_aux: bool) -> tuple[Any, Any]:
    """The output and what the function returned beside it.

    Raises:
        RuntimeError: ``has_aux`` and not two results.
    """
    if not has_aux:
        return out, None
    if not isinstance(out, tuple) or len(out) != 2:
        raise RuntimeError(f"{name}: with has_aux=True the function must return a pair (output, aux), got {type(out)}")
    return out


def chosen(name: str, argnums: int | tuple[int, ...], count: int) -> list[int]:
    """The numbers of the arguments to differentiate by, none negative.

    Raises:
        RuntimeError: out of range, none, or one twice.
    """
    several = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if not several or not all(isinstance(n, int) for n in several):
        raise RuntimeError(f"{name}: argnums must be an integer or a tuple of integers, got {argnums!r}")
    if any(not -count <= n < count for n in several):
        raise RuntimeError(f"{name}: got argnums={argnums}, but only {count} positional arguments")
    made = [n % count for n in several]
    if len(set(made)) < len(made):
        raise RuntimeError(f"{name}: argnums={argnums} names an argument twice")
    return made


def grad_and_value(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of ``func`` and its value, as a pair.

    Args:
        func: returns a tensor without dimensions; with ``has_aux`` a pair of that and anything else.
        argnums: the number of the argument to differentiate by, or several; an argument may be a container of tensors.
        has_aux: give ``(gradient, (value, aux))``.
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        scope, own = Scope("grad"), list(args)
        places = chosen("grad", argnums, len(args))
        with enable_grad():
            for n in places:
                own[n] = scope.take(own[n])
            out, aux = with_aux("grad", func(*own, **kwargs), has_aux)
            if not isinstance(out, Tensor):
                raise RuntimeError(f"grad: the function must return a tensor, got {type(out).__name__}")
            if out.ndim:
                raise RuntimeError(
                    f"grad: the function must return a tensor without dimensions, got {describe(out)}; use jacrev, or "
                    "reduce it with .sum() or .mean()"
                )
            found = iter(scope.pull([out], [None], retain=False, create=scope.seen_outside([out])))
            made = [mapped(lambda _: next(found), args[n]) for n in places]
            out, aux = scope.release(out), scope.release(aux)
        slopes = made[0] if isinstance(argnums, int) else tuple(made)
        return (slopes, (out, aux)) if has_aux else (slopes, out)

    return wrapper


def grad(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the gradient of ``func``.

    Args:
        func: returns a tensor without dimensions; with ``has_aux`` a pair of that and anything else.
        argnums: the number of the argument to differentiate by, or several; an argument may be a container of tensors.
        has_aux: give ``(gradient, aux)``.

    >>> import tapegrad as tg
    >>> tg.func.grad(tg.func.grad(lambda x: x**3))(tg.tensor(2.0))
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        slopes, value = both(*args, **kwargs)
        return (slopes, value[1]) if has_aux else slopes

    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The output of ``func`` at ``primals``, and the function that takes cotangents of it back to the inputs.

    Args:
        func: takes tensors or containers of them, and returns such; with ``has_aux`` a pair of that and anything else.
        primals: the inputs.

    Returns:
        ``(output, vjp_fn)``, with ``has_aux`` ``(output, vjp_fn, aux)``. ``vjp_fn(cotangents)``, with cotangents like
        the output, gives a tuple of gradients like the primals; it can be called often, and under ``vmap``.
    """
    scope = Scope("vjp")
    with enable_grad():
        out, aux = with_aux("vjp", func(*scope.take(primals)), has_aux)
        outputs, structure = outputs_of("vjp", out)
        seen = scope.seen_outside(outputs)
        released = scope.release(out)
        aux = scope.release(aux)

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> tuple[Any, ...]:
        given, shape = flatten(cotangents)
        check_alike("vjp", outputs, structure, given, shape, "cotangents")
        create = seen or any(g._current() is not None for g in given) if create_graph is None else create_graph
        recording = is_grad_enabled()
        with enable_grad():
            found = iter(scope.pull(outputs, given, retain=retain_graph, create=create and recording))
        return tuple(mapped(lambda _: next(found), primals))

    return (released, vjp_fn, aux) if has_aux else (released, vjp_fn)


def check_alike(name: str, wanted: list[Tensor], structure: Any, given: list[Any], shape: Any, what: str) -> None:
    """Refuse tangents or cotangents that are not like what they belong to.

    Raises:
        RuntimeError: other containers, or other shapes.
    """
    if repr(structure) != repr(shape):
        raise RuntimeError(f"{name}: expected {what} of the structure {structure}, got {shape}")
    for x, t in zip(wanted, given, strict=True):
        if not isinstance(t, Tensor) or t._array.shape != x._array.shape:
            got = describe(t) if isinstance(t, Tensor) else type(t).__name__
            raise RuntimeError(f"{name}: expected {what} of the shapes of {describe(x)}, got {got}")


class Push:
    """The product of the Jacobian of computed outputs with tangents."""

    def __init__(self, scope: Scope, outputs: list[Tensor]) -> None:
        self.scope, self.outputs = scope, outputs
        self.seen = scope.seen_outside(outputs)
        self.linked = [y._current() is not None for y in outputs]
        ys = [y for y, linked in zip(outputs, self.linked, strict=True) if linked]
        # At 1 rather than 0, where some formulas would divide by their cotangent or look at its sign
        self.seeds = [_ones(y).requires_grad_() for y in ys]
        found: Any = [None] * len(scope.inputs)
        if ys:
            with forward_mode():
                found = gradients(ys, scope.inputs, self.seeds, create_graph=True, allow_unused=True)
        self.pulled = found

    def __call__(self, tangents: list[Tensor], retain: bool = True) -> list[Tensor]:
        """The tangents of the outputs; the way back through the tape is kept."""
        pairs = [(g, t) for g, t in zip(self.pulled, tangents, strict=True)
                 if g is not None and g._current() is not None]  # fmt: skip
        found: Any = [None] * len(self.seeds)
        if pairs and self.seeds:
            create = self.seen or (self.scope.outer and any(t._current() is not None for _, t in pairs))
            gs, ts = zip(*pairs, strict=True)
            found = gradients(gs, self.seeds, ts, retain_graph=retain, create_graph=create, allow_unused=True)
        each = iter(found)
        made = [next(each) if linked else None for linked in self.linked]
        return [zeros_like(y) if d is None else d for y, d in zip(self.outputs, made, strict=True)]


def _ones(x: Tensor) -> Tensor:
    return wrap(x._device.backend.from_host(np.ones(x._array.shape, x._array.dtype)), x._device)


def jvp(
    func: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...], *, strict: bool = False,
    has_aux: bool = False,
) -> tuple[Any, ...]:  # fmt: skip
    """The output of ``func`` at ``primals``, and its derivative in the direction of ``tangents``.

    Args:
        func: takes tensors or containers of them, and returns such; with ``has_aux`` a pair of that and anything else.
        primals: a tuple of inputs.
        tangents: a tuple like it.
        strict: raise where an output does not depend on the inputs, rather than give zeros.

    Returns:
        ``(output, derivative)``, with ``has_aux`` ``(output, derivative, aux)``.
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple) or not primals:
        raise RuntimeError("jvp: primals and tangents must be tuples of tensors, and not empty")
    scope = Scope("jvp")
    with enable_grad():
        inputs = scope.take(primals)
        given, shape = flatten(tangents)
        check_alike("jvp", scope.inputs, flatten(primals)[1], given, shape, "tangents")
        out, aux = with_aux("jvp", func(*inputs), has_aux)
        outputs, structure = outputs_of("jvp", out)
        if strict and any(y._current() is None for y in outputs):
            raise RuntimeError("jvp: with strict=True every output must depend on the inputs")
        found = unflatten(Push(scope, outputs)(given), structure)
        released, aux = scope.release(out), scope.release(aux)
    return (released, found, aux) if has_aux else (released, found)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The output of ``func`` at ``primals``, and the function that takes tangents of these to tangents of it.

    ``func`` runs once; ``jvp_fn(*tangents)`` can be called often, and under ``vmap``.
    """
    scope = Scope("linearize")
    with enable_grad():
        outputs, structure = outputs_of("linearize", out := func(*scope.take(primals)))
        push, released = Push(scope, outputs), scope.release(out)
    wanted = flatten(primals)[1]

    def jvp_fn(*tangents: Any) -> Any:
        given, shape = flatten(tangents)
        check_alike("linearize", scope.inputs, wanted, given, shape, "tangents")
        with enable_grad():
            return unflatten(push(given), structure)

    return released, jvp_fn
