"""Lesson 9: reading handwritten digits. How sure the network is, where it errs, and what its first layer learned."""

import numpy as np
from _common import BLUE, FAINT, INK, RED, digits, frameless, page, plt, run

import tapegrad as tg
from tapegrad import nn
from tapegrad.utils.data import DataLoader, TensorDataset


def build(hidden=36):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def train(model, images, labels, epochs=60):
    loader = DataLoader(TensorDataset(images, labels), batch_size=32, shuffle=True)
    # A little weight decay keeps pixels that never matter from keeping their random first weights.
    optimizer = tg.optim.AdamW(model.parameters(), lr=0.003, weight_decay=0.2)
    loss_fn = nn.CrossEntropyLoss()
    for _ in range(epochs):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss_fn(model(inputs), targets).backward()
            optimizer.step()
    return model


def chances(model, images):
    """The probability of each of the ten digits, (count, 10)."""
    with tg.no_grad():
        return tg.softmax(model(images), dim=1).numpy()


def surest(digit, probabilities, labels):
    """The image of a digit that the network is nearest to 98 % sure of."""
    rows = np.flatnonzero((labels == digit) & (probabilities.argmax(axis=1) == digit))
    return rows[np.abs(probabilities[rows, digit] - 0.98).argmin()]


def mistakes(probabilities, labels, count=12):
    """The wrong answers, the surest first."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1))][:count]


def given_up(weights):
    """The neurons whose weights the decay took away, because the others do without them: their numbers."""
    size = np.abs(weights).max(axis=(1, 2))
    return np.flatnonzero(size < 0.1 * size.max())


def draw(model, images, labels, probabilities):
    accuracy = np.mean(probabilities.argmax(axis=1) == labels)
    title = f"Lesson 9 · Reading digits: {accuracy:.1%} of {len(labels)} unseen images right"
    figure, axes = page(1, 1, title, size=(13, 6.8))
    axes[0, 0].remove()
    figure.set_layout_engine("none")
    seven = surest(7, probabilities, labels)
    left = figure.add_axes((0.03, 0.5, 0.17, 0.33))
    frameless(left, images[seven], cmap="gray_r")
    left.set_title(f"“{probabilities[seven, 7]:.0%} sure this is a 7”", color=BLUE)
    bars = figure.add_axes((0.03, 0.1, 0.17, 0.27))
    bars.bar(range(10), probabilities[seven], color=[BLUE if k == 7 else FAINT for k in range(10)])
    bars.set(title="What it gives each digit", xticks=range(10), ylim=(0, 1), yticks=[0, 0.5, 1])

    figure.text(0.25, 0.855, "The surest mistakes", fontweight="bold", fontsize=10)
    for i, row in enumerate(mistakes(probabilities, labels)):
        place = figure.add_axes((0.25 + 0.085 * (i % 3), 0.65 - 0.19 * (i // 3), 0.075, 0.14))
        frameless(place, images[row], cmap="gray_r")
        guess = probabilities[row].argmax()
        place.set_title(f"{guess}? No, {labels[row]}", color=RED, fontsize=8.5, loc="center", pad=3)

    weights = model[1].weight.detach().numpy().reshape(-1, 8, 8)
    limit = np.abs(weights).max()
    asleep = len(given_up(weights))
    title = f"What {len(weights) - asleep} hidden neurons look for: red excites, blue inhibits; {asleep} gave up"
    figure.text(0.55, 0.855, title, fontweight="bold", fontsize=10)
    for i, weight in enumerate(weights[:36]):
        place = figure.add_axes((0.55 + 0.072 * (i % 6), 0.705 - 0.13 * (i // 6), 0.065, 0.124))
        frameless(place, weight, cmap=plt.get_cmap("RdBu_r"), vmin=-limit, vmax=limit)
        place.spines[:].set(visible=True, color=INK, linewidth=0.4)
    return figure


def main():
    data = digits()
    model = train(build(), tg.tensor(data.train_images), tg.tensor(data.train_labels))
    probabilities, labels = chances(model, tg.tensor(data.test_images)), data.test_labels
    guesses, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    seven = surest(7, probabilities, labels)
    print(f"Test image {seven}: {probabilities[seven, 7]:.0%} sure this is a 7 (it is a {labels[seven]}).")
    wrong = guesses != labels
    print(f"Of {len(labels)} unseen images {np.sum(~wrong)} are read rightly: {np.mean(~wrong):.1%}.")
    print(f"Where it is right it is {sure[~wrong].mean():.0%} sure on average, where it errs {sure[wrong].mean():.0%}.")
    for row in mistakes(probabilities, labels):
        print(f"  took a {labels[row]} for a {guesses[row]}, {sure[row]:.0%} sure")
    return draw(model, data.test_images, labels, probabilities)


if __name__ == "__main__":
    run(main, __file__)
