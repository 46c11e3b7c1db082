"""Lesson 3: why networks need non-linearities. Four linear layers are one linear layer; with ReLU they are not.

W4(W3(W2(W1 x))) = (W4 W3 W2 W1) x: however deep, the product of matrices is a matrix.
"""

import numpy as np
from _common import BLUE, RED, datasets, page, regions, run

import tapegrad as tg
from tapegrad import nn


def data(count=400):
    points, inside = datasets.make_circles(count, noise=0.08, factor=0.45, random_state=0)
    return tg.tensor(points.astype(np.float32)), tg.tensor(inside.astype(np.float32))


def build(activation=None, width=16, depth=4):
    """``depth`` linear layers, with the activation between them, or with nothing."""
    sizes = [2, *[width] * (depth - 1), 1]
    layers = []
    for i in range(depth):
        layers.append(nn.Linear(sizes[i], sizes[i + 1]))
        if activation is not None and i < depth - 1:
            layers.append(activation())
    return nn.Sequential(*layers)


def train(model, points, inside, steps=400):
    optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(points).squeeze(1), inside)
        loss.backward()
        optimizer.step()
    with tg.no_grad():
        return ((model(points).squeeze(1) > 0) == (inside > 0.5)).float().mean().item()


def collapse(model):
    """Multiply all layers of a linear network into one: W = W4 W3 W2 W1, and the biases carried along."""
    weight, bias = tg.eye(2), tg.zeros(2)
    with tg.no_grad():
        for layer in model:
            weight, bias = layer.weight @ weight, layer.weight @ bias + layer.bias
    return weight, bias


def largest_difference(model, points):
    weight, bias = collapse(model)
    with tg.no_grad():
        return (model(points) - (points @ weight.T + bias)).abs().max().item()


def draw(points, inside, results):
    figure, axes = page(1, 3, "Lesson 3 · Without a bend, depth buys nothing", size=(12, 4.7))
    for place, (title, (model, accuracy)) in zip(axes[0], results.items()):
        with tg.no_grad():
            regions(
                place, lambda p, model=model: tg.sigmoid(model(tg.tensor(p))).squeeze(1).numpy(), (-1.5, 1.5, -1.5, 1.5)
            )
        for answer, colour in ((1, RED), (0, BLUE)):
            place.scatter(*points.numpy()[inside.numpy() == answer].T, s=12, color=colour, edgecolor="white", lw=0.4)
        parameters = sum(p.numel() for p in model.parameters())
        place.set(
            title=f"{title}\n{accuracy:.0%} right with {parameters} parameters", aspect="equal", xticks=[], yticks=[]
        )
    return figure


def main():
    points, inside = data()
    results = {}
    for title, model in (
        ("One linear layer", build(depth=1)),
        ("Four linear layers", build()),
        ("Four layers with ReLU between", build(nn.ReLU)),
    ):
        results[title] = (model, train(model, points, inside))
        print(f"{title}: {results[title][1]:.1%} of the points right")
    deep = results["Four linear layers"][0]
    weight, bias = collapse(deep)
    print(f"\nMultiplied out they are one layer: W = {np.round(weight.tolist()[0], 3)}, b = {bias.item():.3f}.")
    print(f"Its answers differ from the deep network's by at most {largest_difference(deep, points):.1e}: rounding.")
    return draw(points, inside, results)


if __name__ == "__main__":
    run(main, __file__)
