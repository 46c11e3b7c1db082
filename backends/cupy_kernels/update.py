"""Optimizer updates: one launch moves every parameter of a group.

A table on the card holds the addresses of all arrays, then for every block the parameter and the place in it where the
block begins. The gradients lie elsewhere after each backward, so the table is made anew when an address has changed.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np

from .blocks import THREADS
from .declare import FLOATS, Kernels, blocks

__all__ = ["EACH", "OPEN", "UpdateKernels", "array"]

CHUNK = 2048  # elements that one block moves

# table[k * count + i] is the address of array k of parameter i, table[arrays * count + i] its size; from the end of
# these on, two numbers a block.
OPEN = """
  const long long* spot = table + (ARRAYS + 1) * count + 2 * (long long)blockIdx.x;
  const long long which = spot[0];
  const long long size = table[ARRAYS * count + which], stop = spot[1] + CHUNK;
  T* p = (T*)table[which];
  const T* gradient = (const T*)table[count + which];
""".replace("CHUNK", str(CHUNK))
EACH = "  for (long long i = spot[1] + threadIdx.x; i < stop && i < size; i += blockDim.x) {\n"


def array(name: str, number: int) -> str:
    """The line that gives array ``number`` of the table a name."""
    return f"  T* {name} = (T*)table[{number} * count + which];\n"


SOURCE = (
    'extern "C" __global__ void sgd(const long long* table, long long count, A lr, A momentum, A share, A decay,'
    " A sign, bool nesterov) {" + OPEN.replace("ARRAYS", "3") + array("velocity", 2) + EACH + """
    A g = A(gradient[i]) * sign;
    if (decay != A(0)) g += A(p[i]) * decay;
    if (velocity) {
      const A v = A(velocity[i]) * momentum + g * share;
      velocity[i] = T(v);
      g = nesterov ? g + v * momentum : v;
    }
    p[i] = T(A(p[i]) - g * lr);
  }
}
"""
    'extern "C" __global__ void rmsprop(const long long* table, long long count, A lr, A alpha, A rest, A eps,'
    " A decay, A momentum, A sign) {"
    + OPEN.replace("ARRAYS", "5")
    + array("square", 2)
    + array("velocity", 3)
    + array("mean", 4)
    + EACH
    + """
    A g = A(gradient[i]) * sign;
    if (decay != A(0)) g += A(p[i]) * decay;
    const A s = A(square[i]) * alpha + g * g * rest;
    square[i] = T(s);
    A variance = s;
    if (mean) {
      const A m = A(mean[i]) + (g - A(mean[i])) * rest;
      mean[i] = T(m);
      variance = s - m * m;
    }
    A step = g / (sqrt(variance) + eps);
    if (velocity) {
      step += A(velocity[i]) * momentum;
      velocity[i] = T(step);
    }
    p[i] = T(A(p[i]) - step * lr);
  }
}
"""
    'extern "C" __global__ void adam(const long long* table, long long count, A keep, A decay, A lr, A root, A rest1,'
    " A beta2, A rest2, A eps, A sign) {"
    + OPEN.replace("ARRAYS", "5")
    + array("first", 2)
    + array("second", 3)
    + array("peak", 4)
    + EACH
    + """
    const A x = A(p[i]) * keep;
    A g = A(gradient[i]) * sign;
    if (decay != A(0)) g += x * decay;
    const A m = A(first[i]) + (g - A(first[i])) * rest1;
    A v = A(second[i]) * beta2 + g * g * rest2;
    first[i] = T(m);
    second[i] = T(v);
    if (peak) {
      const A old = peak[i];
      v = v > old || v != v ? v : old;
      peak[i] = T(v);
    }
    p[i] = T(x - m / (sqrt(v) * root + eps) * lr);
  }
}
"""
)
blocks("update", SOURCE, "sgd", "rmsprop", "adam")


class UpdateKernels:
    """Multi-tensor updates of contiguous parameters of real floating types; the shared table for the others."""

    k: Kernels
    xp: Any
    _tables: dict[Any, tuple[Any, Any]]

    def sgd_update(
        self, params: list[Any], grads: list[Any], moments: list[Any], lr: float, momentum: float, dampening: float,
        decay: float, nesterov: bool, maximize: bool,
    ) -> None:  # fmt: skip
        """``moments`` holds the velocity of each parameter, or nothing where momentum is 0."""
        numbers = (lr, momentum, 1 - dampening, decay, -1 if maximize else 1)
        rest = self._launch("sgd", (params, grads, moments), numbers, np.bool_(nesterov))
        if rest[0]:
            super().sgd_update(*rest, lr, momentum, dampening, decay, nesterov, maximize)  # type: ignore[misc]

    def rmsprop_update(
        self, params: list[Any], grads: list[Any], squares: list[Any], moments: list[Any], means: list[Any],
        lr: float, alpha: float, eps: float, decay: float, momentum: float, centered: bool, maximize: bool,
    ) -> None:  # fmt: skip
        """``moments`` and ``means`` are empty where momentum is 0 and where the variance is not centred."""
        numbers = (lr, alpha, 1 - alpha, eps, decay, momentum, -1 if maximize else 1)
        rest = self._launch("rmsprop", (params, grads, squares, moments, means), numbers)
        if rest[0]:
            super().rmsprop_update(*rest, lr, alpha, eps, decay, momentum, centered, maximize)  # type: ignore[misc]

    def adam_update(
        self, params: list[Any], grads: list[Any], firsts: list[Any], seconds: list[Any], peaks: list[Any],
        steps: list[int], lr: float, beta1: float, beta2: float, eps: float, decay: float, decoupled: bool,
        maximize: bool,
    ) -> None:  # fmt: skip
        """Adam (Kingma and Ba, 2015), AdamW where ``decoupled``, AMSGrad where ``peaks`` is not empty."""
        for n in dict.fromkeys(steps):  # parameters that started together share one launch
            groups = tuple([a for a, step in zip(several, steps) if step == n]
                           for several in (params, grads, firsts, seconds, peaks))  # fmt: skip
            numbers = (1 - lr * decay if decoupled else 1, 0 if decoupled else decay, lr / (1 - beta1**n),
                       (1 - beta2**n) ** -0.5, 1 - beta1, beta2, 1 - beta2, eps, -1 if maximize else 1)  # fmt: skip
            rest = self._launch("adam", groups, numbers)
            if rest[0]:
                super().adam_update(  # type: ignore[misc]
                    *rest, [n] * len(rest[0]), lr, beta1, beta2, eps, decay, decoupled, maximize
                )

    def _launch(self, name: str, groups: tuple[list[Any], ...], numbers: tuple[float, ...], *flags: Any) -> Any:
        """Move what the kernel can take, a launch per element type; returns the groups of what it cannot."""
        kinds: dict[Any, list[int]] = {}
        for i, p in enumerate(groups[0]):
            # An array of another type would be read as what it is not.
            fit = p.dtype in FLOATS and all(
                several[i].dtype == p.dtype and several[i].flags.c_contiguous for several in groups if several
            )
            kinds.setdefault(p.dtype if fit else None, []).append(i)
        for dtype, chosen in kinds.items():
            if dtype is not None:
                table, spots = self._table([[several[i] for i in chosen if several] for several in groups])
                wide = np.float64 if dtype == np.float64 else np.float32
                arguments = table, np.int64(len(chosen)), *[wide(v) for v in numbers], *flags
                if spots:
                    getattr(self.k, name)(dtype)((spots,), (THREADS,), arguments)
        return [[several[i] for i in kinds.get(None, ()) if several] for several in groups]

    def _table(self, groups: list[list[Any]]) -> tuple[Any, int]:
        """The table of a launch on the card, and the number of its blocks."""
        count = len(groups[0])
        addresses = [[a.data.ptr for a in several] or [0] * count for several in groups]
        sizes = [a.size for a in groups[0]]
        # A table is read in the stream that made it: no other has waited for it to be written.
        key = (self.xp.cuda.get_current_stream().ptr, len(groups), *addresses[0])
        known = self._tables.get(key)
        if known is not None and known[0] == (addresses, sizes):
            return known[1]
        spots = [-(-n // CHUNK) for n in sizes]
        which = np.repeat(np.arange(count), spots)
        starts = np.concatenate([np.arange(n) for n in spots]) * CHUNK
        layout = np.stack([which, starts], -1).ravel()
        table = np.concatenate([np.array([*chain(*addresses), *sizes], np.int64), layout.astype(np.int64)])
        if len(self._tables) >= 64:
            self._tables.clear()
        made = self.xp.asarray(table), int(sum(spots))
        self._tables[key] = ((addresses, sizes), made)
        return made
