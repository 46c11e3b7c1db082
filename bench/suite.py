"""The workloads of the suite by group and size: the one list behind ``python -m bench`` and ``pytest bench``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from . import workloads as w

__all__ = ["GROUPS", "Workload", "select"]


class Workload(NamedTuple):
    """One row of the table: ``build(tg)`` gives the function to be timed.

    ``curve`` and ``backward`` name the line of the figure that the row is a point of, at ``size``.
    """

    group: str
    curve: str
    backward: bool
    size: int
    label: str
    build: Callable[[Any], Callable[[], Any]]
    gpu_only: bool


class Group(NamedTuple):
    """Workloads of one kind: what their size counts, the sizes, those of a quick run, and the builders by curve."""

    unit: str
    sizes: Sequence[int]
    quick: Sequence[int]
    curves: dict[str, Callable[[Any, int], Callable[[], Any]]]
    gpu_only: bool = False


BACKWARD = " + backward"
COUNTS, QUICK = (1_000, 10_000, 100_000, 1_000_000, 10_000_000), (1_000, 100_000)


def _both(curves: dict[str, Callable[..., Any]]) -> dict[str, Callable[[Any, int], Callable[[], Any]]]:
    """Every builder alone, and with the gradient."""
    found: dict[str, Callable[[Any, int], Callable[[], Any]]] = {}
    for name, build in curves.items():
        found[name], found[name + BACKWARD] = build, partial(build, backward=True)
    return found


def _named(function: Callable[..., Any], name: str, *settings: Any) -> Callable[..., Any]:
    def build(tg: Any, size: int, **options: Any) -> Any:
        return function(tg, name, *settings, size, **options)

    return build


def _network(name: str) -> Callable[[Any, int], Callable[[], Any]]:
    return lambda tg, _: w.training_step(tg, name)


GROUPS = {
    "steps": Group("units", (16, 64, 256, 1024, 4096), (16, 256), {
        "perceptron step": w.perceptron_step, "MLP step": w.mlp_step,
    }),
    "networks": Group("", (0,), (0,), {f"step {name}": _network(name) for name in w.STEPS}),
    "chains": Group("operations", (100,), (100,), {"chain" + BACKWARD: w.chain}),
    "matmul": Group("rows and columns", (16, 64, 256, 1024, 4096), (64, 256), {"matmul": w.matmul}),
    "copies": Group("numbers", COUNTS, QUICK, {
        "host to device": w.copy_to_device,
        "host to device, pinned": partial(w.copy_to_device, pinned=True),
        "device to host": w.copy_to_host,
    }, gpu_only=True),
    "elementwise": Group("numbers", COUNTS, QUICK, {"a + b": w.add, "a * b + c": w.multiply_add, "exp": w.exp}),
    "reductions": Group("numbers", COUNTS, QUICK, {
        "sum": _named(w.reduction, "sum", None),
        "sum of columns": _named(w.reduction, "sum", 0),
        "mean of rows": _named(w.reduction, "mean", 1),
        "max of rows": _named(w.reduction, "amax", 1),
    }),
    "softmax": Group("numbers", COUNTS, QUICK, _both({"softmax": w.softmax})),
    "activations": Group("numbers", COUNTS, QUICK, _both({
        name: _named(w.activation, name) for name in ("relu", "sigmoid", "tanh", "gelu")
    })),
    "losses": Group("numbers", COUNTS, QUICK, _both({
        "MSE": _named(w.loss, "mse_loss"),
        "binary cross-entropy": _named(w.loss, "binary_cross_entropy_with_logits"),
        "cross-entropy": w.cross_entropy,
    })),
    "optimizers": Group("numbers", COUNTS, QUICK, {
        name: _named(w.optimizer_step, name) for name in w.OPTIMIZERS
    }),
}  # fmt: skip


def select(
    groups: Iterable[str] = (), sizes: Iterable[int] = (), *, quick: bool = False, gpu: bool = False
) -> list[Workload]:
    """The workloads of a run, in the order of the table.

    Args:
        groups: names of ``GROUPS``; all of them if empty.
        sizes: keep these sizes only; all of them if empty. Fixed networks have none, and stay.
        quick: of each group the few sizes that a quick run measures, unless ``sizes`` says which.
        gpu: whether a contender computes on a GPU, so that copies can be measured.
    """
    chosen, kept = list(groups) or list(GROUPS), set(sizes)
    found = []
    for name in chosen:
        group = GROUPS[name]
        if group.gpu_only and not gpu:
            continue
        for curve, build in group.curves.items():
            for size in group.quick if quick and not kept else group.sizes:
                if kept and size and size not in kept:
                    continue
                of = {"matmul": f" {size}x{size}", "networks": "", "steps": f" of {size:,} units"}
                base, backward = curve.removesuffix(BACKWARD), curve.endswith(BACKWARD)
                label = base + of.get(name, f" of {size:,}") + (BACKWARD if backward else "")
                found.append(Workload(name, base, backward, size, label, _bound(build, size), group.gpu_only))
    return found


def _bound(build: Callable[[Any, int], Callable[[], Any]], size: int) -> Callable[[Any], Callable[[], Any]]:
    return lambda tg: build(tg, size)
