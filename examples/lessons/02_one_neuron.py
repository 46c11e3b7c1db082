"""Lesson 2: one neuron by hand. Forward and backward of y = σ(Wx + b), written out, against the tape.

Some study notes give the gradient as dW = dy · f'(Wx + b) / m. The input x is missing in it: the chain rule's last
factor, d(Wx + b)/dW, is x. This lesson measures what the missing factor costs.
"""

import numpy as np
from _common import run
from _drawings import draw_neuron

import tapegrad as tg


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def data(count=60):
    """Two inputs per example; the answer is 1 where twice the first exceeds the second, with a little doubt."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, 2))
    return x, (2 * x[:, 0] - x[:, 1] + 0.5 * rng.normal(size=count) > 0).astype(float)


def forward(w, b, x, target):
    """The mean squared error of the neuron, and the values that the backward pass needs."""
    z = x @ w + b
    y = sigmoid(z)
    return np.mean((y - target) ** 2), z, y


def backward(w, b, x, target):
    """The chain rule, one factor after the other, from the loss back to the weights."""
    _, _, y = forward(w, b, x, target)
    m = len(x)
    dy = 2 * (y - target)  # loss by output
    dz = dy * y * (1 - y)  # times f'(z): output by weighted sum
    return x.T @ dz / m, dz.sum() / m  # times x: weighted sum by weight


def backward_of_the_notes(w, b, x, target):
    """dW = dy · f'(Wx + b) / m: every weight gets the same number, whatever its input was."""
    _, _, y = forward(w, b, x, target)
    dz = 2 * (y - target) * y * (1 - y)
    return np.full_like(w, dz.sum() / len(x)), dz.sum() / len(x)


def finite_differences(w, b, x, target, step=1e-6):
    """The judge that knows no calculus: nudge each weight up and down and see how the loss moves."""
    nudges = step * np.eye(len(w))
    return np.array([(forward(w + n, b, x, target)[0] - forward(w - n, b, x, target)[0]) / (2 * step) for n in nudges])


def on_tape(w, b, x, target):
    """The same neuron as a program; the tape finds the gradients by itself."""
    w, b = tg.tensor(w, requires_grad=True), tg.tensor(b, requires_grad=True)
    loss = ((tg.sigmoid(tg.tensor(x) @ w + b) - tg.tensor(target)) ** 2).mean()
    loss.backward()
    return w.grad.numpy(), b.grad.item()


def written_out(w, b, x, target):
    """The tape as a NumPy program: what it computed, line by line."""

    def neuron(w, b):
        return ((tg.sigmoid(tg.tensor(x) @ w + b) - tg.tensor(target)) ** 2).mean()

    return tg.autograd.export_numpy(neuron, tg.tensor(w), tg.tensor(b))


def train(gradient, x, target, steps=400, lr=1.0):
    w, b = np.array([-0.5, 0.5]), np.array(0.0)
    losses = []
    for _ in range(steps):
        losses.append(forward(w, b, x, target)[0])
        dw, db = gradient(w, b, x, target)
        w, b = w - lr * dw, b - lr * db
    return losses, np.mean((sigmoid(x @ w + b) > 0.5) == (target > 0.5))


def main():
    x, target = data()
    w, b = np.array([-0.5, 0.5]), np.array(0.1)
    gradients = {
        "finite differences": finite_differences(w, b, x, target),
        "by hand": backward(w, b, x, target)[0],
        "the tape": on_tape(w, b, x, target)[0],
        "the notes' formula": backward_of_the_notes(w, b, x, target)[0],
    }
    for name, gradient in gradients.items():
        error = np.abs(gradient - gradients["finite differences"]).max()
        print(f"{name:20} dW = [{gradient[0]:+.6f} {gradient[1]:+.6f}]   off by {error:.1e}")
    script = written_out(w, b, x, target)
    print("\nThe tape, written out by export_numpy:\n")
    print(script[script.index("# Forward") : script.index("gradients =")].rstrip())
    curves = {
        "with the factor x": train(backward, x, target),
        "the notes' formula": train(backward_of_the_notes, x, target),
    }
    print()
    for name, (losses, accuracy) in curves.items():
        print(f"Trained {name}: loss {losses[-1]:.3f}, {accuracy:.0%} right")
    return draw_neuron(gradients, curves)


if __name__ == "__main__":
    run(main, __file__)
