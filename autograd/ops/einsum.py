"""Einstein's sum convention."""

from __future__ import annotations

import math
from typing import Any

from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor

__all__ = ["einsum"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def einsum(equation: Any, *operands: Any) -> Tensor:
    """Products of tensors summed over the indices that the result does not name.

    Args:
        equation: such as ``"ij,jk->ik"``; ``...`` stands for the dimensions not named; without ``->`` the result has
            the indices that occur once, in alphabetical order. Or, in place of the equation, each operand is followed
            by a list of index numbers, and the result's list may come last.
        operands: the tensors, or one list of them.

    Raises:
        RuntimeError: the equation does not fit the operands.
    """
    if isinstance(equation, Tensor):
        equation, operands = _from_lists((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    tensors = list(operands)
    for i, x in enumerate(tensors):
        check_tensor("einsum", f"operands[{i}]", x)
    inputs, output = _parse(equation, tensors)
    sizes = _sizes(equation, tensors, inputs)
    return _contract([_merged(x, names) for x, names in zip(tensors, inputs, strict=True)], output, sizes)


def _from_lists(given: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The equation of operands that are each followed by a list of index numbers."""

    def word(numbers: Any) -> str:
        return "".join("..." if n is Ellipsis else LETTERS[n] for n in numbers)

    operands, names = given[0 : len(given) - len(given) % 2 : 2], given[1::2]
    result = "->" + word(given[-1]) if len(given) % 2 else ""
    return ",".join(map(word, names)) + result, operands


def _parse(equation: str, tensors: list[Tensor]) -> tuple[list[list[str]], list[str]]:
    """The index names of each operand and of the result; the dimensions behind ``...`` are 0, 1, … from the end."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    words = left.split(",")
    if len(words) != len(tensors):
        raise RuntimeError(f"einsum: {equation!r} names {len(words)} operands, got {len(tensors)}")
    inputs, widest = [], 0
    for word, x in zip(words, tensors, strict=True):
        letters = word.replace("...", "")
        hidden = x.ndim - len(letters)
        if any(c not in LETTERS for c in letters) or hidden < 0 or (hidden and "..." not in word):
            raise RuntimeError(f"einsum: {word!r} in {equation!r} does not fit the operand {describe(x)}")
        widest = max(widest, hidden if "..." in word else 0)
        before, _, after = word.partition("...")
        inputs.append([*before, *(str(n) for n in reversed(range(hidden))), *after])
    dots = [str(n) for n in reversed(range(widest))]
    if arrow:
        before, found, after = right.partition("...")
        output = [*before, *(dots if found else []), *after]
    else:
        every = [name for names in inputs for name in names if name in LETTERS]
        output = [*dots, *sorted(name for name in set(every) if every.count(name) == 1)]
    known = {name for names in inputs for name in names}
    if len(set(output)) < len(output) or not set(output) <= known:
        raise RuntimeError(f"einsum: the result of {equation!r} names an index twice, or one that no operand has")
    return inputs, output


def _sizes(equation: str, tensors: list[Tensor], inputs: list[list[str]]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for x, names in zip(tensors, inputs, strict=True):
        for name, n in zip(names, x._array.shape, strict=True):
            have = sizes.get(name, 1)
            if n != have and 1 not in (n, have):
                raise RuntimeError(f"einsum: index '{name}' of {equation!r} has size {have} and size {n}")
            sizes[name] = n if have == 1 else have
    return sizes


def _merged(x: Tensor, names: list[str]) -> tuple[Tensor, list[str]]:
    """An operand with the diagonal taken where it names an index twice."""
    for name in [n for n in dict.fromkeys(names) if names.count(n) > 1]:
        while names.count(name) > 1:
            i = names.index(name)
            j = names.index(name, i + 1)
            x = P.diagonal(x, 0, i, j)
            names = [n for k, n in enumerate(names) if k not in (i, j)] + [name]
    return x, names


def _contract(parts: list[tuple[Tensor, list[str]]], output: list[str], sizes: dict[str, int]) -> Tensor:
    """Multiply the operands from left to right; an index is summed as soon as no later operand names it."""
    x, names = parts[0]
    for k, (y, others) in enumerate(parts[1:], 2):
        later = {*output, *(n for _, rest in parts[k:] for n in rest)}
        x, names = _pair(x, names, y, others, later, output, sizes)
    rest = [n for n in names if n not in output]
    order = tuple([names.index(n) for n in (*output, *rest)])
    if len(parts) == 1 or order != tuple(range(len(order))):
        x = P.permute(x, order)
    return P.sum(x, tuple(range(len(output), len(order))), False) if rest else x


def _summed(x: Tensor, names: list[str], kept: set[str], place: dict[str, int]) -> tuple[Tensor, list[str]]:
    """The sum over the indices that are not kept, and its indices in the order of the output's."""
    if kept.issuperset(names):
        return x, names
    order = sorted(names, key=lambda n: place.get(n, len(place)))
    dims = tuple(i for i, n in enumerate(order) if n not in kept)
    return P.sum(_spread(x, names, order), dims, False), [n for n in order if n in kept]


def _spread(x: Tensor, names: list[str], order: list[str]) -> Tensor:
    """``x`` with its indices in another order, and dimensions of size 1 for those that it does not have."""
    have = [names.index(n) for n in order if n in names]
    if have != list(range(len(have))):
        x = P.permute(x, tuple(have))
    return x if len(have) == len(order) else P.slice(x, tuple([slice(None) if n in names else None for n in order]))


def _pair(
    x: Tensor, a: list[str], y: Tensor, b: list[str], later: set[str], output: list[str], sizes: dict[str, int]
) -> tuple[Tensor, list[str]]:
    """The product of two operands as one batched matrix product, with its indices as near as can be to the output's."""
    place = {n: i for i, n in enumerate(output)}
    x, a = _summed(x, a, {*later, *b}, place)
    y, b = _summed(y, b, {*later, *a}, place)
    shared = [n for n in a if n in b]
    # A size of 1 stands for every size: what it meets is summed, or it is expanded.
    inner = [n for n in shared if n not in later]
    for n in inner:
        if x._array.shape[a.index(n)] != y._array.shape[b.index(n)]:
            x, y = (P.sum(t, (w.index(n),), True) for t, w in ((x, a), (y, b)))
    if not inner:
        order = sorted({*a, *b}, key=lambda n: place.get(n, len(place)))
        return P.mul(_spread(x, a, order), _spread(y, b, order)), order
    batch = sorted([n for n in shared if n in later], key=lambda n: place.get(n, len(place)))
    rows, columns = (
        sorted([n for n in one if n not in other], key=lambda n: place.get(n, len(place)))
        for one, other in ((a, b), (b, a))
    )
    if rows and columns and place.get(columns[0], len(place)) < place.get(rows[0], len(place)):
        x, a, rows, y, b, columns = y, b, columns, x, a, rows

    def arranged(t: Tensor, names: list[str], order: list[str], groups: list[list[str]]) -> Tensor:
        t = P.permute(t, tuple(names.index(n) for n in order))
        full = tuple(sizes[n] if n in batch else t._array.shape[i] for i, n in enumerate(order))
        t = P.expand(t, full) if full != t._array.shape else t
        at, shape = 0, []
        for group in groups:
            shape.append(math.prod(full[at : at + len(group)]))
            at += len(group)
        return P.reshape(t, tuple(shape))

    left = arranged(x, a, [*batch, *rows, *inner], [batch, rows, inner])
    right = arranged(y, b, [*batch, *inner, *columns], [batch, inner, columns])
    shape = [sizes[n] for n in batch]
    shape += [x._array.shape[a.index(n)] for n in rows] + [y._array.shape[b.index(n)] for n in columns]
    return P.reshape(P.matmul(left, right), tuple(shape)), [*batch, *rows, *columns]
