"""Bunch and Kaufman's factors of symmetric and Hermitian matrices that are not definite.

J. R. Bunch and L. Kaufman, Some stable methods for calculating inertia and solving symmetric linear systems (1977);
packed, and the pivots numbered, as LAPACK's sytrf and hetrf do for the lower triangle.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["SymmetricMixin"]

ALPHA = (1 + math.sqrt(17)) / 8


class SymmetricMixin:
    """``L D L^T`` over ``self.xp``, one matrix after the other."""

    xp: Any
    from_host: Any  # of ArrayBase
    to_host: Any

    def ldl(self, x: Any, hermitian: bool) -> Any:
        """L below the blocks of D, packed."""
        return self._each_ldl(x, hermitian)[0]

    def ldl_pivots(self, x: Any, hermitian: bool) -> Any:
        """The rows swapped, from 1, negative for blocks of two (int32)."""
        return self._each_ldl(x, hermitian)[1]

    def _each_ldl(self, x: Any, hermitian: bool) -> tuple[Any, Any]:
        xp, n = self.xp, x.shape[-1]
        out = x.copy()
        pivots = np.zeros((*x.shape[:-2], n), np.int32)
        for place in np.ndindex(x.shape[:-2]):
            out[place], pivots[place] = self._ldl(xp.tril(x[place]), hermitian)
        return xp.tril(out), self.from_host(pivots)

    def _ldl(self, a: Any, hermitian: bool) -> tuple[Any, Any]:
        n, k = a.shape[-1], 0
        pivots = np.zeros(n, np.int32)
        while k < n:
            other, size = self._pivot(a, k, hermitian)
            at = k + size - 1
            if other != at:
                self._exchange(a, k, at, other, hermitian)
            if hermitian:
                for i in range(k, k + size):
                    a[i, i] = a[i, i].real
            self._reduce(a, k, size, hermitian)
            pivots[k : k + size] = other + 1 if size == 1 else -(other + 1)
            k += size
        return a, pivots

    def _size(self, x: Any) -> Any:
        return self.xp.abs(x.real) + self.xp.abs(x.imag)

    def _pivot(self, a: Any, k: int, hermitian: bool) -> tuple[int, int]:
        """The row to swap in, and whether the block has one or two rows."""
        here = abs(float(a[k, k].real)) if hermitian else float(self._size(a[k, k]))
        below = self._size(a[k + 1 :, k])
        if not below.size:
            return k, 1
        place = k + 1 + int(below.argmax())
        largest = float(below.max())
        if max(here, largest) == 0 or math.isnan(here) or here >= ALPHA * largest:
            return k, 1
        row = float(self._size(a[place, k:place]).max())
        if place + 1 < a.shape[-1]:
            row = max(row, float(self._size(a[place + 1 :, place]).max()))
        if here >= ALPHA * largest * (largest / row):
            return k, 1
        there = abs(float(a[place, place].real)) if hermitian else float(self._size(a[place, place]))
        return (place, 1) if there >= ALPHA * row else (place, 2)

    def _exchange(self, a: Any, k: int, at: int, other: int, hermitian: bool) -> None:
        turn = (lambda v: v.conj()) if hermitian else (lambda v: v)
        low = a[other + 1 :, at].copy()
        a[other + 1 :, at], a[other + 1 :, other] = a[other + 1 :, other].copy(), low
        middle = a[at + 1 : other, at].copy()
        a[at + 1 : other, at], a[other, at + 1 : other] = turn(a[other, at + 1 : other].copy()), turn(middle)
        a[other, at] = turn(a[other, at].copy())
        first = a[at, at].copy()
        a[at, at], a[other, other] = a[other, other].copy(), first
        if at > k:
            first = a[at, k].copy()
            a[at, k], a[other, k] = a[other, k].copy(), first

    def _reduce(self, a: Any, k: int, size: int, hermitian: bool) -> None:
        """Take the block's share off what lies below, and divide its columns by it."""
        xp, rest = self.xp, slice(k + size, None)
        columns = a[rest, k : k + size].copy()
        block = xp.tril(a[k : k + size, k : k + size])
        mirror = xp.tril(block, -1).T
        block = block + (mirror.conj() if hermitian else mirror)
        if size == 1 and not bool(block[0, 0] != 0):
            return
        if size == 1:
            factors = columns / block[0, 0]
        else:
            det = block[0, 0] * block[1, 1] - block[0, 1] * block[1, 0]
            one = (columns[:, 0] * block[1, 1] - columns[:, 1] * block[1, 0]) / det
            two = (columns[:, 1] * block[0, 0] - columns[:, 0] * block[0, 1]) / det
            factors = xp.stack([one, two], 1)
        across = columns.conj().T if hermitian else columns.T
        a[rest, rest] -= xp.tril(xp.matmul(factors, across))
        a[rest, k : k + size] = factors
        if hermitian and a.dtype.kind == "c":
            for i in range(k + size, a.shape[-1]):
                a[i, i] = a[i, i].real

    def ldl_solve(self, packed: Any, pivots: Any, b: Any, hermitian: bool) -> Any:
        """``x`` in ``A x = b`` for the packed factors of A."""
        out = b.copy()
        signs = self.to_host(pivots)
        for place in np.ndindex(b.shape[:-2]):
            self._ldl_solve(packed[place], signs[place], out[place], hermitian)
        return out

    def _ldl_solve(self, a: Any, pivots: Any, x: Any, hermitian: bool) -> None:
        n, k, blocks = a.shape[-1], 0, []
        turn = (lambda v: v.conj()) if hermitian else (lambda v: v)
        while k < n:
            size = 1 if pivots[k] > 0 else 2
            self._swap_rows(x, k + size - 1, abs(int(pivots[k])) - 1)
            x[k + size :] -= self.xp.matmul(a[k + size :, k : k + size], x[k : k + size])
            blocks.append((k, size))
            k += size
        for k, size in blocks:
            self._divide(a, x, k, size, turn)
        for k, size in reversed(blocks):
            x[k : k + size] -= self.xp.matmul(turn(a[k + size :, k : k + size]).T, x[k + size :])
            self._swap_rows(x, k + size - 1, abs(int(pivots[k])) - 1)

    def _divide(self, a: Any, x: Any, k: int, size: int, turn: Any) -> None:
        if size == 1:
            x[k] /= a[k, k]
            return
        low, high = a[k + 1, k], turn(a[k + 1, k])
        det = a[k, k] * a[k + 1, k + 1] - low * high
        one = (a[k + 1, k + 1] * x[k] - high * x[k + 1]) / det
        x[k + 1] = (a[k, k] * x[k + 1] - low * x[k]) / det
        x[k] = one

    def _swap_rows(self, x: Any, i: int, j: int) -> None:
        if i != j:
            row = x[i].copy()
            x[i], x[j] = x[j].copy(), row
