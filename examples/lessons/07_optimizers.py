"""Lesson 7: optimizers as walkers in a ravine. SGD zigzags, momentum swings, RMSProp and Adam rescale; and learning
rates too small and too large.

The ravine f(x, y) = (x² + 40 y²) / 2 is forty times as steep across as along: what is a fit step for y is tiny for x.
"""

import numpy as np
from _common import BLUE, GREEN, INK, ORANGE, PURPLE, RED, page, run

import tapegrad as tg

START = (-9.0, 1.6)
STEEP = 40.0
OPTIMIZERS = {
    "SGD": (lambda p, lr=0.045: tg.optim.SGD(p, lr=lr), RED),
    "momentum": (lambda p: tg.optim.SGD(p, lr=0.015, momentum=0.85), ORANGE),
    "RMSProp": (lambda p: tg.optim.RMSprop(p, lr=0.2, alpha=0.9), PURPLE),
    "Adam": (lambda p: tg.optim.Adam(p, lr=0.6, betas=(0.8, 0.99)), BLUE),
}
# Gradient descent on (k/2) y² multiplies y by 1 - lr·k: it converges for lr < 2/k, here 2/40 = 0.05.
RATES = {"too small: 0.002": 0.002, "good: 0.045": 0.045, "too large: 0.0505": 0.0505}


def ravine(x, y):
    return (x**2 + STEEP * y**2) / 2


def walk(make, steps=60):
    """The places (steps + 1, 2) that an optimizer passes, and the heights there."""
    place = tg.tensor(START, dtype=tg.float64, requires_grad=True)
    optimizer = make([place])
    path, heights = [place.tolist()], []
    for _ in range(steps):
        optimizer.zero_grad()
        height = ravine(place[0], place[1])
        height.backward()
        optimizer.step()
        heights.append(height.item())
        path.append(place.tolist())
    return np.array(path), [*heights, ravine(*path[-1])]


def steps_until(heights, low=0.1):
    """The first step from which on the walker stays below ``low``; None if it never does."""
    above = np.flatnonzero(np.array(heights) >= low)
    last = int(above[-1]) + 1 if above.size else 0
    return last if last < len(heights) else None


def _map(axes, title, path, colour):
    x, y = np.meshgrid(np.linspace(-10.5, 5, 200), np.linspace(-2.6, 2.6, 160))
    axes.contourf(x, y, np.sqrt(ravine(x, y)), levels=14, cmap="Greys", alpha=0.55)
    outside = np.flatnonzero(np.abs(path[:, 1]) > 2.6)  # a path that leaves the map is drawn no further
    path = path[: outside[0] + 1] if outside.size else path
    axes.plot(*path.T, color=colour, marker="o", ms=3, lw=1.3)
    axes.scatter(*START, color=INK, s=36, zorder=4)
    axes.scatter(0, 0, color=GREEN, marker="*", s=150, zorder=4, edgecolor="white")
    axes.set(title=title, xlim=(-10.5, 5), ylim=(-2.6, 2.6), xticks=[], yticks=[])


def draw(walks, rates):
    figure, axes = page(2, 4, "Lesson 7 · Four walkers in a ravine, and three sizes of step", size=(14, 6.6))
    for place, (name, (path, heights)) in zip(axes[0], walks.items()):
        done = steps_until(heights)
        _map(
            place,
            f"{name}: " + (f"there after {done} steps" if done else f"not there in {len(heights) - 1}"),
            path,
            OPTIMIZERS[name][1],
        )
    for place, (name, (path, _)) in zip(axes[1], rates.items()):
        _map(place, f"SGD, {name}", path, RED)
    for name, (_, heights) in walks.items():
        axes[1, 3].plot(heights, color=OPTIMIZERS[name][1], label=name)
    axes[1, 3].plot(rates["too large: 0.0505"][1], color=INK, ls=":", label="SGD, too large")
    axes[1, 3].set(yscale="log", ylim=(1e-6, 1e3), xlabel="step", title="Height against steps")
    axes[1, 3].yaxis.tick_right()
    axes[1, 3].legend(fontsize=8)
    return figure


def main():
    walks = {name: walk(make) for name, (make, _) in OPTIMIZERS.items()}
    for name, (_, heights) in walks.items():
        done = steps_until(heights)
        print(
            f"{name:9} ends at height {heights[-1]:.6f}; "
            + (f"below 0.1 from step {done} on" if done else "not below 0.1")
        )
    rates = {name: walk(lambda p, lr=lr: tg.optim.SGD(p, lr=lr)) for name, lr in RATES.items()}
    print()
    for name, (_, heights) in rates.items():
        print(f"SGD, learning rate {name}: from {heights[0]:.1f} to {heights[-1]:.2f} in {len(heights) - 1} steps")
    print(f"\nThe edge lies at 2 / {STEEP:.0f} = {2 / STEEP}: beyond it each step overshoots by more than it mends.")
    return draw(walks, rates)


if __name__ == "__main__":
    run(main, __file__)
