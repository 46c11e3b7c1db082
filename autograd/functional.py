"""``autograd.functional``: products with Jacobians and Hessians, and these themselves, of functions of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .backward import grad
from .batching import vmap
from .batching.level import at_level
from .func.jacobians import basis
from .grad_mode import enable_grad
from .promote import describe
from .rule import P
from .tensor import Tensor, wrap

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors = tuple[Tensor, ...]


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs of ``func`` and the product of the vector ``v`` with its Jacobian.

    Args:
        func: takes the inputs and returns a tensor or a tuple of them.
        inputs: a tensor or a tuple of them.
        v: like the outputs; may be left out where these are one number.
        create_graph: record the computation of the product.
        strict: raise where an output does not depend on an input, rather than give zeros.

    Returns:
        ``(outputs, product)``, the product like the inputs.
    """
    with enable_grad():
        xs, one = _inputs("vjp", inputs, create_graph)
        ys, single = _outputs("vjp", func(*xs))
        _require("vjp", ys, strict)
        vs = _vectors("vjp", v, ys, "outputs")
        found = _grads(ys, xs, vs, create_graph)
        return _as(_released(ys, create_graph), single), _as(_filled("vjp", found, xs, strict, create_graph), one)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs of ``func`` and the product of its Jacobian with the vector ``v``.

    Args:
        v: like the inputs; may be left out where these are one number. The others are as in ``vjp``.

    Returns:
        ``(outputs, product)``, the product like the outputs.
    """
    with enable_grad():
        xs, _ = _inputs("jvp", inputs, create_graph)
        vs = _vectors("jvp", v, xs, "inputs")
        ys, single = _outputs("jvp", func(*xs))
        _require("jvp", ys, strict)
        found = _forward(ys, xs, vs, create_graph)
        return _as(_released(ys, create_graph), single), _as(_filled("jvp", found, ys, strict, create_graph), single)


def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The Jacobian of ``func``: for each output and input a tensor of the output's dimensions, then the input's.

    Args:
        func, inputs, create_graph, strict: as in ``vjp``.
        vectorize: compute all rows at once with ``vmap``.
        strategy: "reverse-mode", or "forward-mode" (with ``vectorize``): column by column, for few inputs.

    Returns:
        A tensor; a tuple for several inputs, or several outputs; a tuple of tuples for several of both.

    Raises:
        RuntimeError: another strategy, or ``strict`` with ``vectorize``.
        NotImplementedError: "forward-mode" without ``vectorize`` or with ``create_graph``, as in PyTorch;
            "reverse-mode" gives the same numbers there.
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise RuntimeError(f"jacobian: strategy must be 'reverse-mode' or 'forward-mode', got {strategy!r}")
    if strategy == "forward-mode" and (create_graph or not vectorize):
        raise NotImplementedError(
            "jacobian: strategy='forward-mode' goes with vectorize=True and create_graph=False; "
            "strategy='reverse-mode' gives the same numbers without either"
        )
    if vectorize and strict:
        raise RuntimeError("jacobian: strict=True does not go together with vectorize=True")
    with enable_grad():
        xs, one = _inputs("jacobian", inputs, create_graph)
        ys, single = _outputs("jacobian", func(*xs))
        _require("jacobian", ys, strict)
        if strategy == "forward-mode":
            table = _columns(ys, xs)
        elif vectorize:
            table = _rows_at_once(ys, xs, create_graph)
        else:
            table = [_rows("jacobian", y, xs, create_graph, strict) for y in ys]
        rows = [_as(tuple(row), one) for row in table]
        return rows[0] if single else tuple(rows)


def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The second derivatives of ``func``, which returns one number: a tensor of both's dimensions per pair of inputs.

    Args:
        func, inputs, create_graph, strict, vectorize: as in ``jacobian``.
        outer_jacobian_strategy: how to differentiate the gradient, as ``strategy`` in ``jacobian``.
    """
    one = isinstance(inputs, Tensor)

    def slopes(*xs: Tensor) -> Any:
        value = func(*xs)
        _number("hessian", value)
        found = _slopes("hessian", value, xs, strict)
        return found[0] if one else found

    if outer_jacobian_strategy == "forward-mode":
        inputs_ = inputs if one else tuple(inputs)
        return jacobian(slopes, inputs_, False, strict, vectorize, outer_jacobian_strategy)
    return jacobian(slopes, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of ``func`` (one number) and the product of the vector ``v`` with its Hessian.

    Args:
        v: like the inputs. The others are as in ``vjp``.

    Returns:
        ``(value, product)``, the product like the inputs.
    """
    return _hessian_product("vhp", _grads, func, inputs, v, create_graph, strict)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of ``func`` (one number) and the product of its Hessian with the vector ``v``; ``vhp`` costs less."""
    return _hessian_product("hvp", _forward, func, inputs, v, create_graph, strict)


def _hessian_product(
    name: str, product: Callable[..., tuple[Any, ...]], func: Callable[..., Any], inputs: Any, v: Any,
    create_graph: bool, strict: bool,
) -> tuple[Any, Any]:  # fmt: skip
    """The value, and what ``product`` makes of the gradient, the inputs and the vector: from the left or the right."""
    with enable_grad():
        xs, one = _inputs(name, inputs, create_graph)
        vs = _vectors(name, v, xs, "inputs")
        value = func(*xs)
        _number(name, value)
        found = product(_slopes(name, value, xs, strict), xs, vs, create_graph)
        made = _filled(name, found, xs, strict, create_graph)
        return _released((value,), create_graph)[0], _as(made, one)


# Arguments and results


def _inputs(name: str, inputs: Any, create_graph: bool) -> tuple[Tensors, bool]:
    """The inputs to differentiate by, and whether there was one, not in a tuple."""
    one = isinstance(inputs, Tensor)
    several = (inputs,) if one else tuple(inputs)
    for i, x in enumerate(several):
        if not isinstance(x, Tensor):
            raise TypeError(f"{name}: inputs[{i}] must be a Tensor, not {type(x).__name__}")
    several = tuple(map(at_level, several))
    linked = [create_graph and x.requires_grad for x in several]
    return tuple(
        P.slice(x, ()) if link else x.detach().requires_grad_() for x, link in zip(several, linked, strict=True)
    ), one


def _outputs(name: str, out: Any) -> tuple[Tensors, bool]:
    single = isinstance(out, Tensor)
    several = (out,) if single else tuple(out) if isinstance(out, (tuple, list)) else out
    if not isinstance(several, tuple) or not all(isinstance(y, Tensor) for y in several):
        raise TypeError(f"{name}: the function must return a Tensor or a tuple of them, not {type(out).__name__}")
    return several, single


def _number(name: str, value: Any) -> None:
    if not isinstance(value, Tensor) or value._array.size != 1:
        got = describe(value) if isinstance(value, Tensor) else type(value).__name__
        raise RuntimeError(f"{name}: the function must return a Tensor with a single element, got {got}")


def _vectors(name: str, v: Any, like: Sequence[Tensor], what: str) -> Tensors:
    if v is None:
        if len(like) != 1 or like[0]._array.size != 1:
            raise RuntimeError(f"{name}: v may be left out only where the {what} are a single number")
        return (P.add(P.zeros_like(like[0].detach()), 1),)
    several = (v,) if isinstance(v, Tensor) else tuple(v)
    if len(several) != len(like):
        raise RuntimeError(f"{name}: v has {len(several)} tensors, the {what} {len(like)}")
    for i, (a, b) in enumerate(zip(several, like, strict=True)):
        if a._array.shape != b._array.shape:
            raise RuntimeError(f"{name}: v[{i}] is {describe(a)}, the {what} have {describe(b)} there")
    return several


def _require(name: str, outputs: Sequence[Tensor], strict: bool) -> None:
    for i, y in enumerate(outputs):
        if strict and y._current() is None:
            raise RuntimeError(
                f"{name}: output {i} of the function does not require gradient; with strict=True the outputs must be "
                "computed in a differentiable manner from the input"
            )


def _as(tensors: Tensors, one: bool) -> Any:
    return tensors[0] if one else tensors


def _released(tensors: Tensors, create_graph: bool) -> Tensors:
    return tensors if create_graph else tuple(t.detach() for t in tensors)


def _filled(name: str, found: Sequence[Any], like: Sequence[Tensor], strict: bool, create_graph: bool) -> Tensors:
    """The results, with zeros where nothing depends on an input; errors with ``strict``."""
    made = []
    for i, (g, x) in enumerate(zip(found, like, strict=True)):
        if g is None and strict:
            raise RuntimeError(f"{name}: with strict=True all depends on all, but nothing depends on number {i}")
        if g is None:
            g = P.zeros_like(x.detach())
        elif strict and create_graph and g._current() is None:
            raise RuntimeError(
                f"{name}: with strict=True and create_graph=True the result must depend on the inputs, but that for "
                f"number {i} does not"
            )
        made.append(g if create_graph else g.detach())
    return tuple(made)


# Derivatives


def _grads(ys: Sequence[Tensor], xs: Sequence[Tensor], vs: Sequence[Any], create: bool) -> tuple[Any, ...]:
    """``grad`` where some outputs may have no history."""
    pairs = [(y, v) for y, v in zip(ys, vs, strict=True) if y._current() is not None]
    if not pairs:
        return (None,) * len(xs)
    roots, given = zip(*pairs, strict=True)
    return grad(roots, xs, given, retain_graph=True, create_graph=create, allow_unused=True)


def _slopes(name: str, value: Tensor, xs: Sequence[Tensor], strict: bool) -> Tensors:
    _require(name, (value,), strict)
    found = _grads((P.reshape(value, ()),), xs, (None,), True)
    for i, g in enumerate(found):
        if strict and (g is None or g._current() is None):
            raise RuntimeError(
                f"{name}: with strict=True the gradient must depend on every input, but not on number {i}"
            )
    return tuple(P.zeros_like(x.detach()) if g is None else g for g, x in zip(found, xs, strict=True))


def _pulled(ys: Sequence[Tensor], xs: Sequence[Tensor]) -> tuple[Tensors, tuple[Any, ...]]:
    """Seeds like the outputs, and the gradients that are linear in them: ``J^T u``, whose transpose is ``J``."""
    seeds = tuple(P.add(P.zeros_like(y.detach()), 1).requires_grad_() for y in ys)
    return seeds, _grads(ys, xs, seeds, True)


def _pushed(seeds: Tensors, pulled: Sequence[Any], vs: Sequence[Tensor], create: bool) -> tuple[Any, ...]:
    pairs = [(g, v) for g, v in zip(pulled, vs, strict=True) if g is not None and g._current() is not None]
    return _grads([g for g, _ in pairs], seeds, [v for _, v in pairs], create)


def _forward(ys: Sequence[Tensor], xs: Sequence[Tensor], vs: Sequence[Tensor], create: bool) -> tuple[Any, ...]:
    return _pushed(*_pulled(ys, xs), vs, create)


def _rows(name: str, y: Tensor, xs: Sequence[Tensor], create: bool, strict: bool) -> list[Tensor]:
    """The Jacobians of one output, one backward for each of its elements."""
    shape = y._array.shape
    collected: list[list[Tensor]] = [[] for _ in xs]
    (units,) = basis([y])
    for k in range(y._array.size):
        found = _grads((y,), xs, (units[k],), create)
        for rows, g in zip(collected, _filled(name, found, xs, strict, create), strict=True):
            rows.append(g)
    return [
        P.reshape(P.stack(rows, 0), (*shape, *x._array.shape)) if rows
        else wrap(x._device.backend.filled((*shape, *x._array.shape), 0, x._array.dtype), x._device)
        for rows, x in zip(collected, xs, strict=True)
    ]  # fmt: skip


def _rows_at_once(ys: Sequence[Tensor], xs: Sequence[Tensor], create: bool) -> list[list[Tensor]]:
    def pull(*vs: Tensor) -> Tensors:
        return _filled("jacobian", _grads(ys, xs, vs, create), xs, False, True)

    table: list[list[Tensor]] = [[] for _ in ys]
    for x, rows in zip(xs, vmap(pull)(*basis(list(ys))), strict=True):
        start = 0
        for row, y in zip(table, ys, strict=True):
            part = P.slice(rows, (slice(start, start + y._array.size),))
            start += y._array.size
            row.append(P.reshape(part, (*y._array.shape, *x._array.shape)))
    return table if create else [[g.detach() for g in row] for row in table]


def _columns(ys: Sequence[Tensor], xs: Sequence[Tensor]) -> list[list[Tensor]]:
    seeds, pulled = _pulled(ys, xs)

    def push(*vs: Tensor) -> Tensors:
        return _filled("jacobian", _pushed(seeds, pulled, vs, False), ys, False, True)

    table = []
    for y, columns in zip(ys, vmap(push, 0, -1)(*basis(list(xs))), strict=True):
        row, start = [], 0
        for x in xs:
            part = P.slice(columns, (*(slice(None),) * y.ndim, slice(start, start + x._array.size)))
            start += x._array.size
            row.append(P.reshape(part, (*y._array.shape, *x._array.shape)).detach())
        table.append(row)
    return table
