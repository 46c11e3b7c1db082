"""The figure of `digits.py`: how the loss fell, and what the network makes of single images."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import MaxNLocator

__all__ = ["draw"]

COLUMNS = 10
INK, GREY, FAINT, RIGHT, WRONG = "#222a35", "#6b7683", "#c9d1da", "#1f77b4", "#d1495b"


def draw(
    path: Path,
    title: str,
    losses: list[float],
    accuracies: list[float],
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
) -> None:
    """Write the figure as a PNG.

    Args:
        path: the file.
        title: one line above all.
        losses: of every training step.
        accuracies: on the test images after every epoch, from 0 to 1.
        images: the test images, (count, height, width), from 0 to 1.
        labels: what they show, (count,).
        probabilities: the network's, (count, 10).
    """
    style = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "text.color": INK,
             "axes.edgecolor": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}  # fmt: skip
    with plt.rc_context(style):
        figure = plt.figure(figsize=(16, 7.6), facecolor="white")
        figure.suptitle(title, x=0.035, y=0.97, ha="left", fontsize=15, fontweight="bold")
        note = "Bars: the probability given to each digit. Coloured: the network's choice; black: what it really was."
        figure.text(0.985, 0.018, note, ha="right", color=GREY)
        halves = figure.add_gridspec(
            1, 2, width_ratios=(1, 2.35), left=0.035, right=0.985, top=0.86, bottom=0.07, wspace=0.1
        )
        curves = halves[0].subgridspec(2, 1, hspace=0.3)
        _loss_curve(figure.add_subplot(curves[0]), losses, len(accuracies))
        _accuracy_curve(figure.add_subplot(curves[1]), accuracies)
        _grid(halves[1], images, labels, probabilities)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)
        plt.close(figure)


def _loss_curve(axes: Axes, losses: list[float], epochs: int) -> None:
    steps_per_epoch = len(losses) / epochs
    means = [float(np.mean(part)) for part in np.array_split(losses, epochs)]
    axes.plot((np.arange(len(losses)) + 1) / steps_per_epoch, losses, color=FAINT, lw=0.8, label="each step")
    axes.plot(np.arange(epochs) + 0.5, means, color=RIGHT, lw=2, marker="o", ms=4, label="mean of an epoch")
    axes.set_yscale("log")
    axes.set_title("Training loss (cross-entropy)", loc="left", fontweight="bold")
    axes.set_xlabel("epoch")
    axes.set_xlim(0, epochs)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)


def _accuracy_curve(axes: Axes, accuracies: list[float]) -> None:
    percent = 100 * np.array(accuracies)
    epochs = np.arange(len(percent)) + 1
    axes.plot(epochs, percent, color=RIGHT, lw=2, marker="o", ms=4, clip_on=False)
    axes.set_title(f"Accuracy on the test images: {percent[-1]:.2f} %", loc="left", fontweight="bold")
    axes.set_xlabel("epoch")
    axes.set_xlim(0, len(percent))
    axes.set_ylim(min(float(percent.min()) - 1, 90), 100)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=FAINT, lw=0.5)


def _choose(labels: np.ndarray, probabilities: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Which images to show: the surest mistakes, the least sure hits, and a hit of every digit."""
    guesses, sureness = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong, right = np.flatnonzero(guesses != labels), np.flatnonzero(guesses == labels)
    mistakes = wrong[np.argsort(-sureness[wrong])]
    doubts = right[np.argsort(sureness[right])][:COLUMNS]
    firsts = [found[0] for digit in range(10) if (found := right[labels[right] == digit]).size]
    shown = "all" if len(wrong) <= COLUMNS else f"the {COLUMNS} surest of"
    return [
        (f"Wrong: {shown} {len(wrong)} mistakes" if len(wrong) else "Wrong: no mistake", mistakes[:COLUMNS]),
        ("Right, but least sure", doubts),
        ("Right: one of each digit", np.array(firsts, dtype=int)),
    ]


def _grid(place: SubplotSpec, images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray) -> None:
    rows = place.subgridspec(3, 1, hspace=0.34)
    for row, (heading, chosen) in enumerate(_choose(labels, probabilities)):
        cells = rows[row].subgridspec(2, COLUMNS, height_ratios=(2.1, 1), hspace=0.08, wspace=0.16)
        figure = place.get_gridspec().figure
        left = rows[row].get_position(figure)
        figure.text(left.x0, left.y1 + 0.027, heading, fontsize=11, fontweight="bold")
        for column, index in enumerate(chosen):
            picture, bars = (figure.add_subplot(cells[k, column]) for k in (0, 1))
            _cell(picture, bars, images[index], int(labels[index]), probabilities[index])


def _cell(picture: Axes, bars: Axes, image: np.ndarray, label: int, chances: np.ndarray) -> None:
    """One image under its verdict, above the probabilities of the ten digits."""
    guess = int(chances.argmax())
    colour = RIGHT if guess == label else WRONG
    verdict = f"✓ {guess}" if guess == label else f"✗ {guess}, not {label}"
    picture.imshow(np.pad(image, 1), cmap="gray_r", vmin=0, vmax=1)
    picture.set_title(f"{verdict}  {chances[guess]:.0%}", color=colour, fontsize=8.5, pad=3)
    for spine in picture.spines.values():
        spine.set(visible=True, color=colour, linewidth=2)
    picture.set(xticks=[], yticks=[])
    colours = [colour if k == guess else INK if k == label else FAINT for k in range(10)]
    bars.bar(range(10), chances, color=colours, width=0.8)
    bars.set(ylim=(0, 1), yticks=[], xlim=(-0.6, 9.6), xticks=range(10))
    bars.tick_params(axis="x", length=0, labelsize=6, pad=1)
    bars.spines["left"].set_visible(False)
