"""Lesson 4: activations. What each does to its input, how steep it is, and where it stops learning.

A gradient is multiplied by the slope of every activation that it passes. Where the slope is nearly 0 the function is
saturated: whatever the error, (almost) nothing of it gets through.
"""

import numpy as np
from _common import BLUE, FAINT, GREY, INK, ORANGE, RED, page, run

import tapegrad as tg
from tapegrad.nn import functional as F

ACTIVATIONS = {
    "step": lambda x: tg.heaviside(x, tg.tensor(0.0)),
    "sigmoid": tg.sigmoid,
    "tanh": tg.tanh,
    "ReLU": tg.relu,
    "leaky ReLU (0.1)": lambda x: F.leaky_relu(x, 0.1),
    "GELU": F.gelu,
}
SATURATED = 0.05  # a slope that lets less than a twentieth through


def curve(function, low=-6, high=6, count=601):
    """Inputs, values and slopes. The sum of the outputs has as its gradient the slope of every single one."""
    x = tg.linspace(low, high, count, requires_grad=True)
    y = function(x)
    if not y.requires_grad:  # the step has no gradient at all: it is flat wherever it is not broken
        return x.detach().numpy(), y.numpy(), np.zeros(count, np.float32)
    y.sum().backward()
    return x.detach().numpy(), y.detach().numpy(), x.grad.numpy()


def softmax_curve(count=601):
    """Three scores, the first from -6 to 6, the others 0 and 1: their chances (count, 3), and the first one's slope."""
    first = tg.linspace(-6, 6, count, requires_grad=True)
    scores = tg.stack([first, tg.zeros(count), tg.ones(count)], dim=1)
    chances = tg.softmax(scores, dim=1)
    chances[:, 0].sum().backward()
    return first.detach().numpy(), chances.detach().numpy(), first.grad.numpy()


def through_layers(slope, layers=10):
    """What is left of a gradient behind so many layers if every one has its steepest slope."""
    return float(slope.max()) ** layers


def runs(mask):
    """Where a row of booleans begins and ends to be true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return list(zip(edges[::2], edges[1::2] - 1))


def draw(curves, softmax):
    figure, axes = page(2, 4, "Lesson 4 · Activations: value, slope, and where they saturate (grey)", size=(13, 6.4))
    for place, (name, (x, y, slope)) in zip(axes.flat, curves.items()):
        for start, end in runs(np.abs(slope) < SATURATED):
            place.axvspan(x[start], x[end], color=FAINT, alpha=0.45, lw=0)
        place.axhline(0, color=GREY, lw=0.6)
        place.plot(x, y, color=BLUE, label="value")
        place.plot(x, slope, color=RED, lw=1.6, label="slope")
        place.set(title=f"{name}: steepest {slope.max():.2f}", ylim=(-1.3, 2.6), xlim=(-6, 6))
    axes[0, 0].legend(loc="upper left")
    x, chances, slope = softmax
    place = axes[1, 2]
    for i, (colour, label) in enumerate(((BLUE, "score x"), (ORANGE, "score 0"), (GREY, "score 1"))):
        place.plot(x, chances[:, i], color=colour, label=label)
    place.plot(x, slope, color=RED, lw=1.6, label="slope of the first")
    place.set(title="softmax of the scores x, 0, 1", ylim=(-0.1, 1.6), xlim=(-6, 6))
    place.legend(loc="upper left", ncols=2, columnspacing=1)
    place = axes[1, 3]
    left = {name: through_layers(slope) for name, (_, _, slope) in curves.items()}
    place.barh(
        list(left), [max(v, 1e-8) for v in left.values()], color=[RED if v < 0.01 else BLUE for v in left.values()]
    )
    for i, (name, value) in enumerate(left.items()):
        inside = value > 0.01
        text = f"{name}: {value:.2g}" if inside or not value else f"{name}: {value:.0e}"
        place.text(2e-8 if inside else 2 * max(value, 1e-8), i, text, va="center", color="white" if inside else INK)
    place.set(xscale="log", xlim=(1e-8, 1e2), yticks=[], title="At best left after ten layers")
    place.invert_yaxis()
    return figure


def main():
    softmax = softmax_curve()
    curves = {name: curve(function) for name, function in ACTIVATIONS.items()}
    print("activation         values from .. to   steepest   saturated   left after ten layers, at best")
    for name, (_, y, slope) in curves.items():
        flat = np.mean(np.abs(slope) < SATURATED)
        values = f"{y.min():7.2f} .. {y.max():5.2f}  {slope.max():9.2f}"
        print(f"{name:18} {values}  {flat:9.0%}   {through_layers(slope):.1e}")
    print(
        "\nThe step learns nothing by gradients; the sigmoid passes on a quarter at best, so ten of them a millionth;"
    )
    print(
        "ReLU passes on all of it or nothing; leaky ReLU and GELU keep a little alive on the left (GELU near 0 only)."
    )
    first, slope = softmax[1][:, 0], softmax[2]
    print(f"Softmax of x, 0, 1: x gets from {first[0]:.3f} to {first[-1]:.3f}; its slope is {slope.max():.2f}")
    print(f"at best, and {slope[-1]:.3f} where it is sure: there it saturates as the sigmoid does.")
    return draw(curves, softmax)


if __name__ == "__main__":
    run(main, __file__)
