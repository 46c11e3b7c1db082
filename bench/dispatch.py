"""``python -m bench.dispatch``: what Python adds to one small operation, part by part, beside PyTorch's operation.

``kernel`` is the backend's function on the raw arrays; ``call`` is what looking up types and devices and wrapping the
result add to it; ``tape`` is what recording adds to that; ``whole`` is all of it. The rows take turns.
"""

from __future__ import annotations

import argparse
import timeit
from collections.abc import Callable
from statistics import median
from typing import Any

import tapegrad as tg
from tapegrad.autograd import RULES

from .machine import describe, facts
from .table import text

__all__ = ["main"]

CALLS = 2000
HEADER = ["2×3 float32", "kernel", "call", "tape", "call + tape", "whole", "torch"]

# operation -> the primitive, its raw call's further arguments, and the operation on tensors
OPERATIONS: dict[str, tuple[str, tuple[Any, ...], Callable[[Any, Any], Any]]] = {
    "x * y": ("mul", (), lambda x, y: x * y),
    "x + 1.5": ("add", (1.5,), lambda x, y: x + 1.5),
    "x / y": ("div", (), lambda x, y: x / y),
    "x.exp()": ("exp", (), lambda x, y: x.exp()),
    "x.relu()": ("relu", (), lambda x, y: x.relu()),
    "x.tanh()": ("tanh", (), lambda x, y: x.tanh()),
    "x.sum()": ("sum", (None, False), lambda x, y: x.sum()),
    "x @ z": ("matmul", (), lambda x, y: x @ y),
    "x.view(3, 2)": ("reshape", ((3, 2),), lambda x, y: x.view(3, 2)),
    "x[0]": ("slice", ((0,),), lambda x, y: x[0]),
    "x.t()": ("permute", ((1, 0),), lambda x, y: x.t()),
}


def _timers(name: str, torch: Any) -> list[Callable[[], Any] | None]:
    """The raw kernel, the operation off the tape, on the tape, and in PyTorch."""
    primitive, attributes, operation = OPERATIONS[name]
    two = len(RULES[primitive].inputs) == 2 and not attributes
    shape = (3, 2) if primitive == "matmul" else (2, 3)
    x, y, leaf = tg.rand(2, 3) + 0.5, tg.rand(*shape) + 0.5, (tg.rand(2, 3) + 0.5).requires_grad_()
    kernel, a, b = x.device.kernels[RULES[primitive].index], x._array, y._array
    given = (a, b) if two else (a, *(x.device.scalars[a.dtype][v] if type(v) is float else v for v in attributes))
    timers: list[Callable[[], Any] | None] = [
        lambda: kernel(*given), lambda: operation(x, y), lambda: operation(leaf, y), None,
    ]  # fmt: skip
    if torch is not None:
        p, q = torch.rand(2, 3, requires_grad=True), torch.rand(*shape)
        timers[3] = lambda: operation(p, q)
    return timers


def measure(turns: int, torch: Any = None) -> dict[str, list[float]]:
    """Nanoseconds of every operation: kernel, off the tape, on the tape, in PyTorch (nan without it).

    Args:
        turns: how often each is timed, in alternation; the medians count.
        torch: the module, where it is to be compared.
    """
    timers = {name: _timers(name, torch) for name in OPERATIONS}
    empty = timeit.Timer(lambda: None)
    found: dict[str, list[list[float]]] = {name: [[], [], [], []] for name in OPERATIONS}
    for _ in range(turns):
        for name, several in timers.items():
            for k, run in enumerate(several):
                if run is None:
                    found[name][k].append(float("nan"))
                else:
                    cost = timeit.Timer(run).timeit(CALLS) - empty.timeit(CALLS)
                    found[name][k].append(cost / CALLS * 1e9)
    return {name: [median(k) for k in rows] for name, rows in found.items()}


def _row(name: str, kernel: float, off: float, on: float, torch: float) -> list[str]:
    cells = [kernel, off - kernel, on - off, on - kernel, on, torch]
    return [name, *("" if c != c else f"{c / 1000:.2f} µs" for c in cells)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.dispatch", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=int, default=15, help="turns whose median counts (default: 15)")
    options = parser.parse_args()
    try:
        import torch
    except ImportError:
        torch = None
    found = measure(options.turns, torch)
    names = [tg.backends.current().name, *(["torch"] if torch is not None else [])]
    print(describe(facts(names)))
    rows = [_row(name, *costs) for name, costs in found.items()]
    worst = max(costs[2] - costs[0] for costs in found.values())
    middle = median(costs[2] - costs[0] for costs in found.values())
    print("\n".join(text([HEADER, *rows])))
    print(f"Python around the kernel: median {middle / 1000:.2f} µs, at most {worst / 1000:.2f} µs.")


if __name__ == "__main__":
    main()
