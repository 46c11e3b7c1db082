"""Indices out of range, noted on the card and told when the program waits for it anyway.

Whether an index is out of range cannot be told at once without waiting for the card. So a kernel looks, and writes the
first offender down on the card; ``check_faults`` reads the note where the program waits anyway (a copy to the host,
``synchronize``) and raises. Nothing is read or written out of bounds meanwhile: CuPy's own indexing wraps around. What
was computed from such an index is wrong, and cannot reach the host without the error.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .blocks import THREADS
from .declare import Kernels, blocks

__all__ = ["CLASS", "Faults"]

CLASS, CHOICE, INDEX, ROW = range(4)
WORDS = {
    CLASS: "cross_entropy: target {value} in row {at} is out of bounds for {size} classes",
    CHOICE: "index {value} at place {at} is out of range: from 0 on there are {size}",
    INDEX: "index: index {value} at place {at} is out of range for a dimension of size {size}",
    ROW: "embedding: row {value} at place {at} is out of range: there are {size} rows",
}

# The note: the place of the offender plus 1 (0: there is none), what it is, the size it does not fit, and where it was
# met. Only who turns the first number from 0 writes the others.
SOURCE = """
extern "C" __global__ void index_faults(const long long* index, long long n, long long low, long long size,
                                        long long ignore, bool exempt, long long kind, long long* fault) {
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (long long)gridDim.x * blockDim.x) {
    const long long v = index[i];
    if ((v < low || v >= size) && !(exempt && v == ignore) &&
        atomicCAS((unsigned long long*)fault, 0ull, (unsigned long long)(i + 1)) == 0) {
      fault[1] = v;
      fault[2] = size;
      fault[3] = kind;
    }
  }
}
"""
blocks("faults", SOURCE, "index_faults")

PLAIN = np.dtype(np.float32)  # no floats take part: one build serves all types
MOST_BLOCKS = 256


class Faults:
    """The note of one card, and the primitives that index: CuPy's, with a look at the indices before."""

    k: Kernels
    xp: Any
    _fault: Any = None
    _watched: set[int]  # the streams in which a kernel has looked since the note was last read there

    def watch(self) -> Any:
        """The note, for a kernel of the current stream to write to."""
        if self._fault is None:
            self._fault = self.xp.zeros(4, np.int64)
            self.xp.cuda.runtime.deviceSynchronize()  # any stream may write to it from now on
        self._watched.add(self.xp.cuda.get_current_stream().ptr)
        return self._fault

    def check_faults(self, done: Any = ()) -> None:
        """Raise what a kernel noted since the last look.

        Args:
            done: the addresses of streams that have come to their end, in which there is nothing more to look for;
                None for all streams.

        Raises:
            IndexError: an index or a class number was out of range.
        """
        if not self._watched:
            return
        self._watched = set() if done is None else self._watched.difference(done)
        at, value, size, kind = (int(v) for v in self.xp.asnumpy(self._fault))
        if at:
            self._fault.fill(0)
            raise IndexError(WORDS[kind].format(value=value, at=at - 1, size=size))

    def refused(self, index: Any, size: int, ignore: int) -> bool:
        """See the shared table. False, without a wait: an offender is raised by the next ``check_faults``."""
        self._look(index, 0, size, CHOICE, ignore)
        return False

    def index(self, x: Any, where: list[Any], places: tuple[Any, ...]) -> Any:
        self._look_all(x.shape, where, places)
        return super().index(x, where, places)  # type: ignore[misc]

    def index_put(self, x: Any, value: Any, where: list[Any], places: tuple[Any, ...], accumulate: bool) -> Any:
        self._look_all(x.shape, where, places)
        return super().index_put(x, value, where, places, accumulate)  # type: ignore[misc]

    def take(self, x: Any, rows: Any) -> Any:
        self._look(rows, -x.shape[0], x.shape[0], ROW)
        return super().take(x, rows)  # type: ignore[misc]

    def _look_all(self, shape: tuple[int, ...], where: list[Any], places: tuple[Any, ...]) -> None:
        """Look at every array of integers of an index, each against the dimension that it numbers."""
        dim = 0
        for place in places:
            if type(place) is not tuple:
                dim += place is not None
                continue
            index = where[place[0]]
            if index.dtype.kind == "b":  # a mask has the shape of the dimensions that it covers
                dim += index.ndim
            else:
                self._look(index, -shape[dim], shape[dim], INDEX)
                dim += 1

    def _look(self, index: Any, low: int, size: int, kind: int, ignore: int | None = None) -> None:
        if not index.size:
            return
        index = self.xp.ascontiguousarray(index.astype(np.int64, copy=False))
        arguments = (
            index, np.int64(index.size), np.int64(low), np.int64(size), np.int64(ignore or 0),
            np.bool_(ignore is not None), np.int64(kind), self.watch(),
        )  # fmt: skip
        self.k.index_faults(PLAIN)((min(-(-index.size // THREADS), MOST_BLOCKS),), (THREADS,), arguments)
