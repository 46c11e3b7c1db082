"""Lesson 8: vanishing and exploding gradients. Layer by layer, by activation, by initialisation; and clipping.

On its way back the gradient is multiplied once per layer. Factors below 1 make it vanish, factors above 1 explode.
"""

import numpy as np
from _common import run
from _drawings import draw_gradients

import tapegrad as tg
from tapegrad import nn
from tapegrad.nn import functional as F

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "ReLU": nn.ReLU}


def spread(scale):
    """Normal weights with variance scale / inputs: 1 is Xavier's for equal widths, 2 is Kaiming He's for ReLU."""
    return lambda weight: nn.init.normal_(weight, std=(scale / weight.shape[1]) ** 0.5)


INITIALISATIONS = {
    "half of He's": spread(1.0),
    "He (ReLU)": spread(2.0),
    "twice He's": spread(4.0),
}


def gradient_sizes(activation, initialise, depth=20, width=64, seed=0):
    """The root mean square of the gradient of each layer's weights, first layer first."""
    tg.manual_seed(seed)
    layers = []
    for _ in range(depth):
        linear = nn.Linear(width, width)
        initialise(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, activation()]
    model = nn.Sequential(*layers)
    x, target = tg.randn(128, width), tg.randn(128, width)
    F.mse_loss(model(x), target).backward()
    return [layer.weight.grad.square().mean().sqrt().item() for layer in model if isinstance(layer, nn.Linear)]


def waves(count, length=60):
    """Sine waves of many speeds, (count, length, 1), and the value that comes next after each, (count, length)."""
    speed, start = 0.1 + 0.3 * tg.rand(count, 1), 2 * tg.pi * tg.rand(count, 1)
    values = tg.sin(speed * tg.arange(length + 1) + start)
    return values[:, :-1].unsqueeze(2), values[:, 1:]


def train_rnn(clip, steps=300, lr=0.1, length=60):
    """Losses and gradient norms of a recurrent network; ``clip`` is the longest gradient allowed, or None."""
    tg.manual_seed(0)
    cell, head = nn.RNN(1, 32, nonlinearity="relu", batch_first=True), nn.Linear(32, 1)
    with tg.no_grad():  # a start that remembers: the state is carried on nearly unchanged, for all 60 steps
        cell.weight_hh_l0.copy_(0.97 * tg.eye(32))
    parameters = [*cell.parameters(), *head.parameters()]
    optimizer = tg.optim.SGD(parameters, lr=lr)
    losses, norms = [], []
    for _ in range(steps):
        x, target = waves(64, length)
        optimizer.zero_grad()
        loss = F.mse_loss(head(cell(x)[0]).squeeze(2), target)
        loss.backward()
        norms.append(nn.utils.clip_grad_norm_(parameters, clip or float("inf")).item())
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


def same_again(count=1000):
    """The loss of who always says that the next value is the last one: what a network must beat."""
    x, target = waves(count)
    return F.mse_loss(x.squeeze(2), target).item()


def main():
    by_activation = {name: gradient_sizes(make, spread(1.0)) for name, make in ACTIVATIONS.items()}
    for name, sizes in by_activation.items():
        print(f"{name:8}: the first of 20 layers gets {sizes[0] / sizes[-1]:.1e} of the last one's gradient")
    by_start = {name: gradient_sizes(nn.ReLU, start) for name, start in INITIALISATIONS.items()}
    for name, sizes in by_start.items():
        print(f"ReLU, variance {name:12}: {sizes[0] / sizes[-1]:.1e}; the gradient's size is {sizes[-1]:.1e}")
    with np.errstate(over="ignore", invalid="ignore"):  # that it overflows is the point
        unclipped = train_rnn(None)
    clipped, guess = train_rnn(1.0), same_again()
    alive = int(np.isfinite(unclipped[0]).sum())
    longest = max(unclipped[1][:alive])
    print(f"\nRNN without clipping: gradient of length {longest:.0f}, NaN after step {alive} of {len(unclipped[0])}")
    print(f"RNN with clipping:    loss {np.mean(clipped[0][-10:]):.4f} in the end ('the same again' has {guess:.4f})")
    return draw_gradients(by_activation, by_start, unclipped, clipped, guess)


if __name__ == "__main__":
    run(main, __file__)
