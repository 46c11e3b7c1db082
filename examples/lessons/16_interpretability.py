"""Lesson 16: why did it say so? Input gradients and integrated gradients on digits, and two tests of their honesty.

The gradient of a score by the pixels says where a little more ink would matter. Integrated gradients (Sundararajan,
Taly and Yan, 2017) add these gradients up on the way from an empty image to the digit: the parts sum to the whole.
"""

from _common import digits, run
from _drawings import draw_reasons

import tapegrad as tg
from tapegrad import nn
from tapegrad.nn import functional as F


def train(images, labels, steps=600):
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 48), nn.GELU(), nn.Linear(48, 10))
    optimizer = tg.optim.AdamW(model.parameters(), lr=0.005, weight_decay=0.1)
    for _ in range(steps):
        chosen = tg.randint(len(images), (64,))
        optimizer.zero_grad()
        F.cross_entropy(model(images[chosen]), labels[chosen]).backward()
        optimizer.step()
    return model


def input_gradient(model, images, digits_asked):
    """d score / d pixel, the score being that of the digit asked for: (count, 8, 8)."""
    images = images.clone().requires_grad_()
    scores = model(images).gather(1, digits_asked[:, None])
    # Each image has a score of its own, so the gradient of their sum holds the gradient of each.
    return tg.autograd.grad(scores.sum(), images)[0]


def integrated_gradients(model, images, digits_asked, parts=50):
    """pixel · (mean of the gradients on the straight way from the empty image): (count, 8, 8)."""
    middles = (tg.arange(parts) + 0.5) / parts
    return images * sum(input_gradient(model, share * images, digits_asked) for share in middles) / parts


def completeness(model, images, digits_asked, credit):
    """The credits must sum to score(image) - score(empty image); by how much they miss it, at most."""
    with tg.no_grad():

        def score(x):
            return model(x).gather(1, digits_asked[:, None]).squeeze(1)

        return (credit.sum(dim=(1, 2)) - (score(images) - score(tg.zeros_like(images)))).abs().max().item()


def erase(model, images, labels, credit, counts=range(0, 25, 2)):
    """Erase the pixels of highest credit first: the mean chance left for the right digit after each count."""
    order = credit.flatten(1).argsort(dim=1, descending=True)
    left = []
    for count in counts:
        keep = tg.ones(len(images), 64).scatter(1, order[:, :count], 0.0).view(-1, 8, 8)
        with tg.no_grad():
            left.append(tg.softmax(model(images * keep), dim=1).gather(1, labels[:, None]).mean().item())
    return list(counts), left


def erase_tests(model, images, labels):
    ink = images + 1e-3 * tg.rand_like(images)  # the darkest pixels first: what needs no gradient at all
    credits = {
        "at random": tg.rand_like(images),
        "darkest first": ink,
        "input gradient": input_gradient(model, images, labels),
        "integrated gradients": integrated_gradients(model, images, labels),
    }
    return {name: erase(model, images, labels, credit) for name, credit in credits.items()}


def main():
    data = digits()
    model = train(tg.tensor(data.train_images), tg.tensor(data.train_labels))
    images, labels = tg.tensor(data.test_images), tg.tensor(data.test_labels)
    with tg.no_grad():
        ranking = model(images).argsort(dim=1, descending=True)
    print(f"{(ranking[:, 0] == labels).float().mean().item():.1%} of the unseen digits are read rightly. Why?")
    credits = integrated_gradients(model, images, labels)
    gap = completeness(model, images, labels, credits)
    print(f"Integrated gradients: the 64 credits sum to the score, off by {gap:.4f} at most.")
    gradient_only = completeness(model, images, labels, images * input_gradient(model, images, labels))
    print(f"A single gradient times the pixels does not: off by {gradient_only:.1f}.")
    tests = erase_tests(model, images, labels)
    print("After erasing 10 of 64 pixels the right digit keeps a mean chance of", ", ".join(
        f"{left[counts.index(10)]:.0%} ({name})" for name, (counts, left) in tests.items()))  # fmt: skip

    rows = tg.tensor([int((labels == digit).nonzero()[0]) for digit in (0, 2, 3, 4, 7, 8)])
    chosen, first, second = images[rows], ranking[rows, 0], ranking[rows, 1]
    against = integrated_gradients(model, chosen, first) - integrated_gradients(model, chosen, second)
    gradients, credits = input_gradient(model, chosen, first), integrated_gradients(model, chosen, first)
    guesses = list(zip(first.tolist(), second.tolist()))
    return draw_reasons(chosen.numpy(), gradients.numpy(), credits.numpy(), guesses, against.numpy(), tests)


if __name__ == "__main__":
    run(main, __file__)
