"""Lesson 17: CPU against GPU. The same training on every backend that runs here, time against the network's width.

A step costs what its arithmetic costs, plus what Python and the launching of kernels cost. Small networks mostly pay
the second, large ones the first: so each backend has the sizes where it wins.
"""

import statistics
import time

from _common import BLUE, GREEN, GREY, ORANGE, page, run

import tapegrad as tg
from tapegrad import nn

WIDTHS = (4, 16, 64, 256, 1024)
COLOURS = {"numpy": ORANGE, "numba": BLUE, "cupy": GREEN}


def seconds_per_step(backend, width, steps=20, batch=64, repeats=3):
    """Median over the repeats of the mean time of a training step; and the losses, alike on every backend."""
    with tg.backends.use(backend):
        tg.manual_seed(0)
        x, y = tg.randn(batch, width), tg.randn(batch, 1)
        model = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
        )
        optimizer, loss_fn = tg.optim.Adam(model.parameters(), lr=0.001), nn.MSELoss()

        def train(count):
            for _ in range(count):
                optimizer.zero_grad()
                loss = loss_fn(model(x), y)
                loss.backward()
                optimizer.step()
            return loss.item()  # waits for a GPU to be done: without it one would time the launching alone

        losses = [train(3)]  # compiles and warms up
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            losses.append(train(steps))
            times.append((time.perf_counter() - start) / steps)
    return statistics.median(times), losses


def measure(backends, widths=WIDTHS, steps=20):
    """The seconds of a step by backend and width. The backends take turns, so that a busy moment hits them all."""
    table = {name: [] for name in backends}
    for width in widths:
        for name in backends:
            table[name].append(seconds_per_step(name, width, steps)[0])
    return table


def largest_difference(backends, width=64):
    """How far the losses of the backends lie apart, relative to their size: the same training, but for rounding."""
    losses = [seconds_per_step(name, width, steps=5)[1] for name in backends]
    return max(abs(a - b) / abs(b) for run in losses for a, b in zip(run, losses[0]))


def flops(width, batch=64):
    """Multiplications and additions of a step: forward once, backward twice, for the three layers."""
    return 3 * 2 * batch * (2 * width**2 + width)


def draw(widths, table, reasons):
    figure, axes = page(1, 2, "Lesson 17 · The same training on every backend that runs here", size=(12, 4.8))
    for name, times in table.items():
        colour = COLOURS.get(name, GREY)
        axes[0, 0].plot(widths, [1e6 * t for t in times], color=colour, marker="o", label=name)
        axes[0, 1].plot(
            widths, [flops(w) / t / 1e9 for w, t in zip(widths, times)], color=colour, marker="o", label=name
        )
    axes[0, 0].set(title="Time of a training step", ylabel="microseconds")
    axes[0, 1].set(title="Arithmetic done per second", ylabel="thousand million operations (GFLOP/s)")
    for place in axes[0]:
        place.set(xscale="log", yscale="log", xlabel="width of the network", xticks=widths, xticklabels=widths)
        place.minorticks_off()
        place.legend()
    missing = "\n".join(f"Not measured here: {name} ({reason})" for name, reason in reasons.items())
    figure.supxlabel(missing, color=GREY, fontsize=8, x=0.012, ha="left")
    return figure


def main():
    backends = tg.backends.available()
    reasons = {name: tg.backends.status(name) for name in tg.backends.names() if name not in backends}
    for name, reason in reasons.items():
        print(f"{name} does not run here: {reason}")
    table = measure(backends)
    print("microseconds per step" + "".join(f"{name:>10}" for name in backends))
    for i, width in enumerate(WIDTHS):
        print(f"  width {width:13}" + "".join(f"{1e6 * table[name][i]:10.0f}" for name in backends))
    print(f"The losses agree within {largest_difference(backends):.0e}: the same training, but for rounding.")
    small, large = (min(backends, key=lambda name: table[name][i]) for i in (0, -1))
    print(f"Fastest here: {small} at width {WIDTHS[0]}, {large} at width {WIDTHS[-1]}.")
    more = flops(WIDTHS[-1]) / flops(WIDTHS[0])
    longer = table[large][-1] / table[large][0]
    print(f"{more:,.0f} times the arithmetic takes {large} {longer:,.0f} times as long:")
    print("small steps pay for Python and the launching of kernels, large ones for arithmetic.")
    return draw(WIDTHS, table, {name: (reason or "").splitlines()[0] for name, reason in reasons.items()})


if __name__ == "__main__":
    run(main, __file__)
