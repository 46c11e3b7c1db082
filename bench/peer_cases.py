"""The rows of ``bench.peers``: what is measured, what ratio to PyTorch's time is asked, and who is able to take part.

A row is built from ``bench.workloads``, so that it is one text for tapegrad and PyTorch; the other libraries have a
text of their own in ``bench.peer_libraries``. Nothing is imported here: the workers run outside the repository.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["CASES", "Case", "grouped"]

# name -> the operation on a matrix of 8 rows and 8 columns and another one
SMALL: dict[str, Callable[[Any, Any, Any], Any]] = {
    "cat": lambda tg, x, y: tg.cat([x, y]),
    "stack": lambda tg, x, y: tg.stack([x, y]),
    "clamp": lambda tg, x, y: x.clamp(-1, 1),
    "sum": lambda tg, x, y: x.sum(),
    "sum of rows": lambda tg, x, y: x.sum(1),
    "max": lambda tg, x, y: x.max(),
    "max of rows": lambda tg, x, y: x.max(1)[0],
    "mean": lambda tg, x, y: x.mean(),
    "mean of columns": lambda tg, x, y: x.mean(dim=0),
    "view": lambda tg, x, y: x.view(4, 16),
    "reshape": lambda tg, x, y: x.reshape(-1),
    "flatten": lambda tg, x, y: x.flatten(),
    "t": lambda tg, x, y: x.t(),
    "transpose": lambda tg, x, y: x.transpose(0, 1),
    "permute": lambda tg, x, y: x.permute(1, 0),
    "unsqueeze": lambda tg, x, y: x.unsqueeze(0),
    "squeeze": lambda tg, x, y: x.squeeze(),
    "expand": lambda tg, x, y: x.expand(2, 8, 8),
    "x[0]": lambda tg, x, y: x[0],
    "x[:, 1:3]": lambda tg, x, y: x[:, 1:3],
    "x[..., 0]": lambda tg, x, y: x[..., 0],
    "x[[0, 2]]": lambda tg, x, y: x[[0, 2]],
}


class Case(NamedTuple):
    """One row.

    Attributes:
        name: what the row is called; ``--case`` chooses by it.
        asked: the ratio to PyTorch that is asked for, or None.
        group: rows of one group are measured in one process.
        build: from ``bench.workloads`` and a library what is to be timed; None for what the worker measures otherwise.
        others: what ``bench.peer_libraries`` calls the row; None where the other libraries have nothing like it.
        quick: whether a quick run has the row.
        unit: of the figures: seconds or bytes.
    """

    name: str
    asked: float | None
    group: str
    build: Callable[[Any, Any], Callable[[], Any]] | None
    others: tuple[str, Any] | None = None
    quick: bool = False
    unit: str = "s"


def _step(name: str, asked: float, network: str, dtype: str = "float32", quick: bool = False) -> Case:
    return Case(name, asked, name, lambda w, tg: w.training_step(tg, network, dtype), ("step", (network, dtype)), quick)


def _elementwise(count: int, of: str, asked: float, names: tuple[str, ...], quick: bool = False) -> list[Case]:
    made = []
    for name in names:

        def build(w: Any, tg: Any, name: str = name) -> Callable[[], Any]:
            if name in ("softmax", "layer norm"):
                return (w.softmax if name == "softmax" else w.layer_norm)(tg, count, True)
            return w.activation(tg, {"GELU": "gelu_erf", "GELU (tanh)": "gelu"}.get(name, name.lower()), count, True)

        others = ("activation", (name, count)) if name in ("relu", "sigmoid", "tanh") else None
        made.append(Case(f"{name}, {of} elements", asked, f"element-wise, {of}", build, others, quick))
    return made


def _small(name: str) -> Case:
    return Case(
        f"16 small {name}", 1.0, "small", lambda w, tg: w.small(tg, lambda x, y: SMALL[name](tg, x, y)), None, True
    )


ACTIVATIONS = ("relu", "sigmoid", "tanh", "GELU", "GELU (tanh)", "SiLU", "softmax", "layer norm")

CASES: tuple[Case, ...] = (
    _step("train step 2-16-16-1, batch 32", 0.14, "2-16-16-1", quick=True),
    _step("train step 2-16-16-1, batch 32, float64", 0.15, "2-16-16-1", "float64"),
    _step("train step 64-128-64-10, batch 64", 0.30, "64-128-64-10", quick=True),
    _step("train step 784-128-64-10, batch 64", 0.55, "784-128-64-10"),
    _step("train step 784-512-512-10, batch 512", 0.88, "784-512-512-10"),
    _step("train step 1024-2048-2048-1000, batch 256", 0.95, "1024-2048-2048-1000"),
    Case("inference 64-128-64-10, batch 1", 0.30, "inference", lambda w, tg: w.inference(tg, "64-128-64-10"),
         None, True),
    *_elementwise(4096, "4 k", 0.60, ACTIVATIONS, quick=True),
    *_elementwise(1 << 20, "1 M", 0.70, ACTIVATIONS),
    *_elementwise(1 << 24, "16 M", 0.40, ("relu", "GELU", "GELU (tanh)")),
    Case("Adam step, 2 M parameters", 0.90, "Adam", lambda w, tg: w.optimizer_step(tg, "Adam", 2_000_000)),
    Case("100 chained small ops", 0.42, "chain", lambda w, tg: w.chain(tg, 100), ("chain", 100), True),
    *[_small(name) for name in SMALL],
    Case("import", 0.20, "import", None, ("import", None), True),
    Case("peak memory of steps, 784-512-512-10", 1.0, "memory", None, None, False, "B"),
    Case("peak memory of steps with loading, 784-512-512-10", None, "memory with loading", None, None, False, "B"),
)  # fmt: skip


def grouped(names: list[str], quick: bool) -> list[list[Case]]:
    """The rows to measure, those of one process together.

    Args:
        names: parts of names; all rows if empty.
        quick: only the rows of a quick run, unless names are given.
    """
    chosen = [
        case
        for case in CASES
        if (any([part.lower() in case.name.lower() for part in names]) if names else case.quick or not quick)
    ]
    groups: dict[str, list[Case]] = {}
    for case in chosen:
        groups.setdefault(case.group, []).append(case)
    return list(groups.values())
