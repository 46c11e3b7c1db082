"""Lesson 5: losses. What each punishes, what outliers do, and what the wrong loss for the task costs."""

import numpy as np
from _common import datasets, run, standard_split
from _drawings import draw_losses

import tapegrad as tg
from tapegrad import nn
from tapegrad.nn import functional as F

REGRESSION = {"MSE": nn.MSELoss(), "MAE": nn.L1Loss(), "Huber": nn.HuberLoss(delta=1.0)}


def line_with_outliers(count=40):
    """y = 2x + 1 with a little noise; five measurements of the 40 are spoiled."""
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-2, 2, count)).astype(np.float32)
    y = (2 * x + 1 + 0.3 * rng.normal(size=count)).astype(np.float32)
    y[-5:] -= 9
    return tg.tensor(x), tg.tensor(y)


def fit_line(loss_fn, x, y, steps=1500):
    slope, offset = tg.zeros(1, requires_grad=True), tg.zeros(1, requires_grad=True)
    optimizer = tg.optim.Adam([slope, offset], lr=0.05)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - step / steps)  # ever smaller steps, to come to rest
        optimizer.zero_grad()
        loss_fn(slope * x + offset, y).backward()
        optimizer.step()
    return slope.item(), offset.item()


def confident_mistakes(count=400):
    """The truth is 1. For the score z, from sure "no" to sure "yes": chance, losses, and their slopes by z."""
    result = {"chance": tg.sigmoid(tg.linspace(-8, 8, count)).numpy()}
    truth = tg.ones(count)
    for name, loss in (("cross-entropy", F.binary_cross_entropy_with_logits),
                       ("MSE", lambda z, t, reduction: F.mse_loss(tg.sigmoid(z), t, reduction=reduction))):  # fmt: skip
        z = tg.linspace(-8, 8, count, requires_grad=True)
        values = loss(z, truth, reduction="none")
        values.sum().backward()
        result[name] = (values.detach().numpy(), z.grad.numpy())
    return result


def three_classes(chances=(0.9, 0.6, 1 / 3, 0.1, 0.01)):
    """Categorical cross-entropy looks only at the chance that was given to the right class: -log p."""
    rows = tg.tensor([[p, (1 - p) / 2, (1 - p) / 2] for p in chances])
    return chances, F.cross_entropy(rows.log(), tg.zeros(len(chances)).long(), reduction="none").tolist()


def wrong_start(loss_name, steps=150, bias=-6.0):
    """A neuron for tumours that begins sure that all are malignant (0): the test accuracy after each step."""
    x, y, test_x, test_y = (tg.tensor(a) for a in standard_split(datasets.load_breast_cancer()))
    neuron = nn.Linear(x.shape[1], 1)
    with tg.no_grad():
        neuron.weight.zero_()
        neuron.bias.fill_(bias)
    optimizer = tg.optim.SGD(neuron.parameters(), lr=0.1)
    accuracies = []
    for _ in range(steps):
        optimizer.zero_grad()
        score = neuron(x).squeeze(1)
        loss = F.mse_loss(tg.sigmoid(score), y.float()) if loss_name == "MSE" else (
            F.binary_cross_entropy_with_logits(score, y.float()))  # fmt: skip
        loss.backward()
        optimizer.step()
        with tg.no_grad():
            accuracies.append(((neuron(test_x).squeeze(1) > 0) == (test_y > 0)).float().mean().item())
    return accuracies


def main():
    x, y = line_with_outliers()
    lines = {name: fit_line(loss_fn, x, y) for name, loss_fn in REGRESSION.items()}
    for name, (slope, offset) in lines.items():
        print(f"{name:6} sees the line {slope:.2f} x + {offset:.2f} (the truth is 2 x + 1)")
    mistakes, classes = confident_mistakes(), three_classes()
    print(f"\nSure of the wrong answer ({mistakes['chance'][0]:.2%} for the truth): cross-entropy pushes with "
          f"{-mistakes['cross-entropy'][1][0]:.3f}, MSE with {-mistakes['MSE'][1][0]:.5f}.")  # fmt: skip
    print("Categorical cross-entropy by the chance given to the right class:",
          ", ".join(f"{p:.0%} costs {value:.2f}" for p, value in zip(*classes)))  # fmt: skip
    starts = {name: wrong_start(name) for name in ("cross-entropy", "MSE")}
    for name, accuracies in starts.items():
        after = f"{accuracies[24]:.0%} after 25 steps, {accuracies[-1]:.0%} in the end"
        print(f"Tumours from a wrong start with {name}: {after}")
    return draw_losses(x, y, lines, mistakes, classes, starts)


if __name__ == "__main__":
    run(main, __file__)
