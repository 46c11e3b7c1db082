"""The pictures of the lessons that teach too much to hold their drawing as well."""

import numpy as np
from _common import BLUE, FAINT, GREEN, GREY, INK, ORANGE, PURPLE, RED, frameless, mosaic, page

__all__ = [
    "draw_cnn", "draw_decisions", "draw_generative", "draw_gpt", "draw_gradients", "draw_losses", "draw_neuron",
    "draw_overfitting", "draw_reasons", "draw_recurrent",
]  # fmt: skip

CELLS = {"RNN": RED, "LSTM": BLUE, "GRU": GREEN}
LOSSES = {"MSE": RED, "MAE": ORANGE, "Huber": GREEN}


def draw_recurrent(values, forecasts, errors, moods, texts):
    """Lesson 11: the forecasts and their errors by cell, the share of moods felt rightly, and the poem by stage."""
    figure, axes = page(
        2, 2, "Lesson 11 · Memory: a forecast, a mood, a poem by heart", size=(13, 7.2), width_ratios=(1.5, 1)
    )
    test = values.numpy()[-100:]
    axes[0, 0].plot(test, color=FAINT, lw=5, label="what came")
    for name, said in forecasts.items():
        axes[0, 0].plot(said.numpy(), color=CELLS[name], lw=1.4, label=f"{name}: off by {errors[name]:.2f}")
    axes[0, 0].set(
        title="The next value of a series, said one step ahead", xlabel="step of the test part", ylim=(-2.2, 3.2)
    )
    axes[0, 0].legend(ncols=4, loc="upper left")
    for place, table, title in ((axes[0, 1], errors, "Mean error of the forecast (noise alone: 0.08)"),
                                (axes[1, 1], moods, "Mood of unseen sentences: felt rightly")):  # fmt: skip
        bars = place.bar(list(table), list(table.values()), color=[CELLS.get(name, GREY) for name in table], width=0.6)
        place.bar_label(bars, fmt="{:.0%}" if place is axes[1, 1] else "{:.2f}", padding=2)
        place.set(title=title, yticks=[], ylim=(0, 1.12 * max(table.values())))
        place.spines["left"].set_visible(False)
    axes[1, 0].axis("off")
    axes[1, 0].set_title("An LSTM learns four lines and writes them from the first letter alone")
    for i, (stage, (text, right)) in enumerate(texts.items()):
        heading = f"after {stage} steps: {right:.0%} of the letters right"
        axes[1, 0].text(0.0, 0.97 - 0.35 * i, heading, color=BLUE, va="top", fontweight="bold")
        lines = text.replace("\n", "↵\n") if "\n" in text else "\n".join(text[k : k + 75] for k in (0, 75))
        axes[1, 0].text(0.02, 0.88 - 0.35 * i, lines, family="monospace", fontsize=8, va="top", color=INK)
    return figure


def draw_generative(truth, kept, forged, images, restored, codes, labels, dreams):
    """Lesson 12: the ring by stage, forged digits, digits squeezed and restored, their codes, and a map of dreams."""
    figure, axes = page(2, 4, "Lesson 12 · Forgers, squeezers and dreamers", size=(14, 7.2))
    for place, (step, points) in zip(axes[0], kept.items()):
        place.scatter(*truth.T, s=5, color=FAINT)
        place.scatter(*points.T, s=5, color=RED)
        place.set(
            title=f"GAN: ring after {step:,} steps",
            xlim=(-1.7, 1.7),
            ylim=(-1.7, 1.7),
            aspect="equal",
            xticks=[],
            yticks=[],
        )
    for place, title, picture in (
        (axes[0, 3], "GAN: digits that nobody wrote", mosaic(forged, 8)),
        (axes[1, 0], "Autoencoder: real, below restored", mosaic(np.concatenate(
            [part[i : i + 8] for i in (0, 8, 16, 24) for part in (images, restored)]), 8)),
        (axes[1, 2], "VAE: a map of dreamt digits", mosaic(dreams, 11)),
    ):  # fmt: skip
        frameless(place, picture, cmap="gray_r")
        place.set_title(title)
    for place, name in ((axes[1, 1], "Autoencoder"), (axes[1, 3], "VAE")):
        place.scatter(*codes[name].T, c=labels, cmap="tab10", s=6, alpha=0.6)
        for digit in range(10):
            place.text(*np.median(codes[name][labels == digit], axis=0), digit, fontsize=14, fontweight="bold")
        place.set(title=f"{name}: each digit as two numbers")
    return figure


def draw_gpt(read, kept_back, looks, letters, samples, guess):
    """Lesson 13: the losses, what each letter of a line looks back at, and texts written by stage."""
    figure, axes = page(
        1, 3, "Lesson 13 · A small GPT reads a manual and writes on", size=(14, 5.2), width_ratios=(1, 1.05, 1.15)
    )
    place = axes[0, 0]
    place.plot(*zip(*read), color=FAINT, lw=1, label="text it reads")
    place.plot(*zip(*kept_back), color=BLUE, marker="o", ms=4, label="text kept back")
    place.axhline(guess, color=GREY, ls=":", label="guessing by frequency")
    place.set(title="Loss of the next letter", xlabel="training step", ylim=(0, 5))
    place.legend(loc="lower left")
    place = axes[0, 1]
    place.imshow(looks.max(axis=0), cmap="Blues", vmin=0, vmax=1)
    shown = [letter if letter != " " else "␣" for letter in letters]
    place.set(
        title="Where each letter (row) looks back to (column)", xticks=range(len(shown)), yticks=range(len(shown))
    )
    for axis in (place.xaxis, place.yaxis):
        axis.set_ticklabels(shown, family="monospace", fontsize=8)
    place.tick_params(length=0)
    place = axes[0, 2]
    place.axis("off")
    place.set_title("What it writes")
    for i, (step, text) in enumerate(samples.items()):
        height = 0.97 - 0.33 * i
        place.text(0, height, f"after {step} steps", color=BLUE, va="top", fontweight="bold")
        flat = text.replace("\n", " ")
        lines = "\n".join(flat[k : k + 52] for k in range(0, min(len(flat), 260), 52))
        place.text(0, height - 0.06, lines, family="monospace", fontsize=8, va="top", color=INK)
    return figure


def draw_decisions(calibration, shares, errors, precision, recall, bill):
    """Lesson 14: chances against shares, errors by share referred, precision against recall, costs by checks."""
    figure, axes = page(2, 2, "Lesson 14 · Decisions: chances one can trust, and cases one must not miss", size=(12, 8))
    place = axes[0, 0]
    place.plot([0, 1], [0, 1], color=INK, ls=":", lw=1.2, label="perfect")
    for (name, (error, groups)), colour in zip(calibration.items(), (RED, GREEN)):
        said, was, share = np.array(groups).T
        place.plot(said, was, color=colour, lw=1.2)
        place.scatter(said, was, 25 + 500 * share, color=colour, alpha=0.75, label=f"{name}: off by {error:.1%}")
    place.set(
        title="Tumours: is the chance said the share that happens? (Area: cases)",
        xlabel="chance of “benign” said",
        ylabel="share that was benign",
    )
    for handle in place.legend().legend_handles[1:]:
        handle.set_sizes([40])
    bars = axes[0, 1].bar([f"{s:.0%}" for s in shares], [100 * e for e in errors], color=BLUE, width=0.6)
    axes[0, 1].bar_label(bars, fmt="%.1f %%", padding=2)
    axes[0, 1].set(
        title="Tumours: errors when the doubtful go to a doctor",
        xlabel="share of cases referred",
        yticks=[],
        ylim=(0, 112 * max(errors)),
    )
    axes[1, 0].plot(100 * recall, 100 * precision, color=BLUE)
    axes[1, 0].axhline(100 * precision[-1], color=GREY, ls=":", lw=1.2)
    axes[1, 0].annotate("alarms at random", (50, 100 * precision[-1] + 2), color=GREY)
    axes[1, 0].set(
        title="Fraud: alarms that are right, frauds that are caught",
        xlabel="frauds caught (%)",
        ylabel="alarms right (%)",
        ylim=(0, 103),
    )
    axes[1, 1].plot(bill[:1500], color=BLUE)
    axes[1, 1].axhline(bill[0], color=FAINT, ls="--", label="check nothing (“99 % accurate”)")
    axes[1, 1].scatter(
        bill.argmin(), bill.min(), color=GREEN, zorder=3, label=f"best: check {bill.argmin()} of {len(precision):,}"
    )
    axes[1, 1].set(
        title="Fraud: what it costs", xlabel="payments checked, most suspicious first", ylabel="cost", ylim=(0, None)
    )
    axes[1, 1].legend()
    return figure


def draw_overfitting(truth, points, curves, history, shares, comparison):
    """Lesson 15: three fits of a wave, losses while training, what the remedies bring, data against models."""
    figure, axes = page(2, 3, "Lesson 15 · The rule, or the examples by heart", size=(13, 7.4))
    for place, (name, (curve, distance)) in zip(axes[0], curves.items()):
        place.plot(*truth, color=INK, ls=":", lw=1.4, label="the truth")
        place.scatter(*points, color=GREY, s=18, label="what was measured")
        place.plot(truth[0], curve, color=RED)
        place.set(title=f"{name}: off by {distance:.2f}", ylim=(-2, 2), xlim=(-1, 1), xticks=[-1, 0, 1])
    axes[0, 0].legend(loc="upper left", ncols=2)
    place = axes[1, 0]
    steps, training, watched = zip(*history)
    best = watched.index(min(watched))
    place.plot(steps, training, color=BLUE, label="digits it learns from")
    place.plot(steps, watched, color=RED, label="digits kept back")
    place.axvline(steps[best], color=GREEN, ls="--", lw=1.4, label=f"stop here: step {steps[best]}")
    place.set(title="200 digits, a fifth of the labels wrong", xlabel="step", ylabel="loss", ylim=(0, None))
    place.legend()
    place = axes[1, 1]
    bars = place.barh(list(shares), [100 * v for v in shares.values()], color=[GREY, GREEN, BLUE, PURPLE])
    place.bar_label(bars, fmt="%.1f %%", padding=3)
    place.set(title="Test digits read rightly, with", xlim=(0, 108), xticks=[])
    place.invert_yaxis()
    counts, table = comparison
    for (kind, values), colour in zip(table.items(), (GREY, ORANGE, BLUE)):
        axes[1, 2].plot(counts, [100 * v for v in values], color=colour, marker="o", label=kind)
    axes[1, 2].set(xscale="log", xticks=counts, xticklabels=counts, title="More data or a better model?",
                   xlabel="training digits", ylabel="test digits read rightly (%)")  # fmt: skip
    axes[1, 2].minorticks_off()
    axes[1, 2].legend(loc="lower right")
    return figure


def draw_losses(x, y, lines, mistakes, classes, starts):
    """Lesson 5: a line with outliers, confident mistakes, three classes, and the wrong loss from a wrong start."""
    figure, axes = page(2, 2, "Lesson 5 · A loss says which mistakes hurt", size=(12, 8))
    place = axes[0, 0]
    place.scatter(x.numpy(), y.numpy(), s=18, color=GREY, zorder=3)
    place.plot(x.numpy(), 2 * x.numpy() + 1, color=INK, ls=":", label="truth: 2.0 x + 1.0")
    for name, (slope, offset) in lines.items():
        place.plot(
            x.numpy(), slope * x.numpy() + offset, color=LOSSES[name], label=f"{name}: {slope:.1f} x + {offset:.1f}"
        )
    place.set(title="Five outliers pull at the line: MSE gives way", xlabel="x", ylabel="y")
    place.legend()

    place = axes[0, 1]
    for name, colour in (("cross-entropy", BLUE), ("MSE", RED)):
        value, slope = mistakes[name]
        place.plot(mistakes["chance"], value, color=colour, label=f"{name}")
        place.plot(mistakes["chance"], -slope, color=colour, ls="--", lw=1.4, label=f"{name}: push on the score")
    place.set(
        title="The truth is 1: what a confident mistake costs, and teaches", xlabel="chance given to 1", ylim=(0, 5)
    )
    place.legend()

    place = axes[1, 0]
    chances, values = classes
    bars = place.bar([f"{p:.0%}" for p in chances], values, color=PURPLE, width=0.6)
    place.bar_label(bars, fmt="%.2f", padding=2)
    place.set(
        title="Categorical cross-entropy: −log of the right class's chance",
        xlabel="chance given to the right class of three",
    )

    place = axes[1, 1]
    for (name, accuracies), colour in zip(starts.items(), (BLUE, RED)):
        place.plot(range(1, len(accuracies) + 1), [100 * a for a in accuracies], color=colour, label=name)
    place.set(
        title="Tumours, from a confidently wrong start", xlabel="step", ylabel="test accuracy (%)", ylim=(30, 100)
    )
    place.legend(loc="center right")
    return figure


def draw_gradients(by_activation, by_start, unclipped, clipped, guess):
    """Lesson 8: gradients by layer for activations and for starts, and an RNN with and without clipping."""
    figure, axes = page(1, 3, "Lesson 8 · Gradients that vanish, gradients that explode", size=(13, 4.7))
    for place, sizes, colours, title in (
        (axes[0, 0], by_activation, (RED, ORANGE, BLUE), "By activation (Xavier's start)"),
        (axes[0, 1], by_start, (GREY, GREEN, RED), "By initialisation (ReLU)"),
    ):
        for (name, values), colour in zip(sizes.items(), colours):
            place.plot(range(1, len(values) + 1), values, color=colour, marker="o", ms=3.5, label=name)
        place.set(
            yscale="log",
            title=title,
            xlabel="layer (the loss sits behind the last)",
            ylabel="size of the weights' gradient",
            xticks=range(5, 1 + len(values), 5),
        )
        place.legend()
    place = axes[0, 2]
    losses = np.array(unclipped[0])
    alive = int(np.isfinite(losses).sum())
    place.plot(
        range(1, alive + 1),
        losses[:alive],
        color=RED,
        marker="X",
        ms=9,
        ls="-",
        label=f"without clipping: NaN after step {alive}",
    )
    place.plot(range(1, len(clipped[0]) + 1), clipped[0], color=GREEN, lw=1.4, label="gradient clipped to length 1")
    place.axhline(guess, color=INK, ls=":", lw=1.2, label="“the same again”")
    place.set(
        yscale="log",
        title="An RNN continues waves of 60 values",
        xlabel="training step",
        ylabel="loss",
        ylim=(2e-3, 30),
    )
    place.legend(loc="upper right")
    return figure


def draw_cnn(image, filters, maps, shift_result, sizes):
    """Lesson 10: a digit, the filters, the maps of both layers, and what shifting the digits does."""
    figure, axes = page(
        1, 1, "Lesson 10 · A convolutional network: filters, what they find, what it buys", size=(13, 6)
    )
    axes[0, 0].remove()
    figure.set_layout_engine("none")
    first, second = maps
    limit = np.abs(filters).max()

    def cell(column, row):
        return figure.add_axes((0.2 + 0.055 * column, row, 0.051, 0.11))

    frameless(figure.add_axes((0.02, 0.5, 0.14, 0.32)), image, cmap="gray_r")
    for height, column, text in (
        (0.845, 0.02, "A digit"),
        (0.845, 0.2, "The eight filters of 3x3 (red: wants ink, blue: wants none)"),
        (0.665, 0.2, "Their maps of the digit"),
        (0.485, 0.2, "The 24 maps of the second layer: combinations of the first"),
    ):
        figure.text(column, height, text, fontweight="bold", fontsize=10)
    for i in range(8):
        frameless(cell(i, 0.72), filters[i], cmap="RdBu_r", vmin=-limit, vmax=limit)
        frameless(cell(i, 0.54), first[i], cmap="magma")
    for i, one in enumerate(second):
        frameless(cell(i % 8, 0.36 - 0.12 * (i // 8)), one, cmap="magma")

    shifts, results = shift_result
    place = figure.add_axes((0.71, 0.12, 0.27, 0.705))
    for (name, values), colour in zip(results.items(), (BLUE, GREY)):
        place.plot(
            shifts, [100 * v for v in values], color=colour, marker="o", label=f"{name}, {sizes[name]:,} weights"
        )
    place.set(
        title="Test digits, moved sideways",
        xticks=shifts,
        xlabel="pixels (of 8)",
        ylabel="read rightly (%)",
        ylim=(0, 102),
    )
    place.legend(loc="lower center")
    return figure


def draw_reasons(images, gradients, credits, guesses, against, tests):
    """Lesson 16: digits, three ways to see why, and what erasing the pixels does."""
    figure, axes = page(
        4, 9, "Lesson 16 · Why did it say so? Red pixels speak for the answer, blue ones against it", size=(14, 6.2)
    )
    rows = ("the digit", "input gradient", "integrated\ngradients", "why not\nthe runner-up?")
    for column in range(6):
        for row, values in enumerate((images, gradients, credits, against)):
            place = axes[row, column]
            limit = np.abs(values[column]).max()
            frameless(
                place,
                values[column],
                **({"cmap": "gray_r"} if row == 0 else {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}),
            )
            if column == 0:
                place.set_ylabel(rows[row], fontweight="bold")
        axes[0, column].set_title(f"says {guesses[column][0]}", loc="center")
        axes[3, column].set_title(f"{guesses[column][0]}, not {guesses[column][1]}", loc="center", fontsize=8.5)
    for place in axes[:, 6:].flat:
        place.remove()
    place = figure.add_subplot(axes[0, 0].get_gridspec()[:, 6:])
    for (name, (counts, left)), colour in zip(tests.items(), (GREY, ORANGE, BLUE, RED)):
        place.plot(counts, [100 * v for v in left], color=colour, label=name)
    place.set(
        title="Erasing pixels, most important first",
        xlabel="pixels erased (of 64)",
        ylabel="mean chance left (%)",
        ylim=(0, 100),
    )
    place.legend()
    return figure


def draw_neuron(gradients, curves):
    """Lesson 2: the gradient four times, and training with the right formula and the wrong one."""
    figure, axes = page(1, 2, "Lesson 2 · One neuron by hand: the factor that must not be forgotten", size=(12, 4.6))
    names, colours, left = list(gradients), (INK, GREEN, BLUE, RED), axes[0, 0]
    for i, (name, colour) in enumerate(zip(names, colours)):
        bars = left.bar(np.arange(2) + 0.2 * (i - 1.5), gradients[name], 0.18, color=colour, label=name)
        left.bar_label(bars, fmt="%.3f", fontsize=7.5, padding=2)
    left.axhline(0, color=FAINT, lw=1)
    left.set(title="The gradient of the two weights", xticks=[0, 1], xticklabels=["first weight", "second weight"])
    left.margins(y=0.18)
    left.legend(loc="lower right")
    for name, colour in (("with the factor x", GREEN), ("the notes' formula", RED)):
        losses, accuracy = curves[name]
        axes[0, 1].plot(losses, color=colour, label=f"{name}: {accuracy:.0%} right in the end")
    axes[0, 1].set(title="400 steps of training with each", xlabel="step", ylabel="mean squared error")
    axes[0, 1].set_ylim(bottom=0)
    axes[0, 1].legend(loc="center right")
    return figure
