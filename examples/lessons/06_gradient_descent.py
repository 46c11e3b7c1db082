"""Lesson 6: gradient descent by the whole batch, by one sample at a time, and by mini-batches.

The same network learns the same digits for the same number of passes. What differs is how many examples are looked at
before each step: a careful step is dear, a hasty one is cheap and noisy.
"""

import time

from _common import BLUE, GREEN, RED, digits, page, run

import tapegrad as tg
from tapegrad import nn
from tapegrad.nn import functional as F

COLOURS = {"whole batch": BLUE, "one at a time": RED, "mini-batches of 32": GREEN}
# A step on few examples is noisy, so it must be small; each rate is about the best of its kind here.
RATES = {"whole batch": 0.5, "one at a time": 0.01, "mini-batches of 32": 0.2}


def batch_size(way, count):
    return {"whole batch": count, "one at a time": 1, "mini-batches of 32": 32}[way]


def train(way, images, labels, passes=30):
    """After how many steps, passes and seconds the loss over all images was how large."""
    tg.manual_seed(0)  # all start from the same weights
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = tg.optim.SGD(model.parameters(), lr=RATES[way])
    count = len(images)
    size = batch_size(way, count)
    looks = max(1, count // size // 4)  # look at the loss four times a pass (after each step of the whole batch)
    history, spent, steps = [], 0.0, 0
    for _ in range(passes):
        order = tg.randperm(count)
        for first in range(0, count, size):
            start = time.perf_counter()
            chosen = order[first : first + size]
            optimizer.zero_grad()
            F.cross_entropy(model(images[chosen]), labels[chosen]).backward()
            optimizer.step()
            spent += time.perf_counter() - start
            steps += 1
            if steps == 1 or steps % looks == 0:  # the looking itself is not timed
                with tg.no_grad():
                    history.append((steps, steps * size / count, spent, F.cross_entropy(model(images), labels).item()))
    return history


def gradient_noise(images, labels, draws=100):
    """How far the gradient of a batch strays from that of all images, relative to its length."""
    tg.manual_seed(0)
    weight = (0.1 * tg.randn(64, 10)).requires_grad_()
    flat = images.flatten(1)

    def gradient(chosen):
        return tg.autograd.grad(F.cross_entropy(flat[chosen] @ weight, labels[chosen]), weight)[0]

    whole = gradient(tg.arange(len(flat)))
    sizes = (1, 4, 16, 64, 256)
    return sizes, [
        sum((gradient(tg.randint(len(flat), (size,))) - whole).norm().item() for _ in range(draws))
        / draws
        / whole.norm().item()
        for size in sizes
    ]


def draw(histories, noise):
    figure, axes = page(1, 3, "Lesson 6 · Gradient descent: careful steps or quick ones", size=(13, 4.6))
    for place, column, label in ((axes[0, 0], 0, "steps"), (axes[0, 1], 2, "seconds of computing")):
        for way, history in histories.items():
            place.plot([row[column] for row in history], [row[3] for row in history], color=COLOURS[way], label=way,
                       lw=1.2 if way == "one at a time" else 2)  # fmt: skip
        place.set(xscale="log", yscale="log", xlabel=label, title=f"Loss against {label.split()[0]}")
    axes[0, 0].set_ylabel("loss over all training images")
    axes[0, 0].legend(loc="lower left")
    sizes, strays = noise
    axes[0, 2].plot(sizes, strays, color=BLUE, marker="o", label="measured")
    axes[0, 2].plot(
        sizes, [strays[0] / size**0.5 for size in sizes], color=RED, ls="--", lw=1.4, label="first one / √size"
    )
    axes[0, 2].set(xscale="log", yscale="log", title="Noise of the gradient", xlabel="size of the batch",
                   ylabel="distance to the whole gradient / its length")  # fmt: skip
    axes[0, 2].legend()
    return figure


def main():
    data = digits()
    images, labels = tg.tensor(data.train_images), tg.tensor(data.train_labels)
    for way in COLOURS:
        train(way, images, labels, passes=1)  # the first time compiles kernels and gets memory: not to be timed
    histories = {way: train(way, images, labels) for way in COLOURS}
    for way, history in histories.items():
        steps, passes, seconds, loss = history[-1]
        print(f"{way:18}: {steps:6,} steps, {seconds:5.2f} s, loss {loss:.4f} after {passes:.0f} passes")
    goal = histories["whole batch"][-1][3]
    spent = {way: next(row[2] for row in history if row[3] <= goal) for way, history in histories.items()}
    print(f"Down to a loss of {goal:.2f}:",
          ", ".join(f"{way} {1000 * seconds:,.0f} ms" for way, seconds in spent.items()))  # fmt: skip
    noise = gradient_noise(images, labels)
    strays = noise[1]
    print(f"\nA single image's gradient strays {strays[0]:.1f} times its length from the true one, a batch of 64 "
          f"{strays[3]:.2f} times:\n64 times the work for about 8 times less noise.")  # fmt: skip
    return draw(histories, noise)


if __name__ == "__main__":
    run(main, __file__)
