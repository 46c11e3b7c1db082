"""Lesson 15: learning by heart or learning the rule. Over- and underfitting, what helps, and data against models."""

import copy

from _common import few_digits, noisy_wave, run
from _drawings import draw_overfitting

import tapegrad as tg
from tapegrad import nn
from tapegrad.nn import functional as F


def fit_wave(sizes, x, y, steps=3000):
    """A network of these sizes, fitted to the points; as inputs it gets the powers x, x², ... x^(first size)."""
    powers = tg.arange(1, sizes[0] + 1)
    model = nn.MLP(sizes, activation="tanh") if len(sizes) > 2 else nn.Linear(*sizes)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        F.mse_loss(model(x**powers), y).backward()
        optimizer.step()
    return lambda points: model(points**powers).detach()


def off(predict, count=200):
    """The mean squared distance to the true wave, which no one has seen without noise."""
    x = tg.linspace(-1, 1, count)[:, None]
    return F.mse_loss(predict(x), tg.sin(4 * x)).item()


def train(model, data, steps=1500, weight_decay=0.0, every=25):
    """Losses on the training and the watched digits; and the weights at the best moment (early stopping)."""
    x, y, watch_x, watch_y = data[:4]
    optimizer = tg.optim.AdamW(model.parameters(), lr=0.002, weight_decay=weight_decay)
    history, best = [], None
    for step in range(steps):
        model.train()
        chosen = tg.randint(len(x), (32,))
        optimizer.zero_grad()
        F.cross_entropy(model(x[chosen]), y[chosen]).backward()
        optimizer.step()
        if (step + 1) % every == 0:
            model.eval()
            with tg.no_grad():
                history.append(
                    (step + 1, F.cross_entropy(model(x), y).item(), F.cross_entropy(model(watch_x), watch_y).item())
                )
            if history[-1][2] == min(row[2] for row in history):
                best = copy.deepcopy(model.state_dict())
    return history, best


def right(model, data):
    model.eval()
    with tg.no_grad():
        return (model(data[4]).argmax(dim=1) == data[5]).float().mean().item()


def build(kind, dropout=0.0):
    if kind == "linear":
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    if kind == "MLP":
        return nn.Sequential(nn.Flatten(), nn.MLP([64, 128, 128, 10], dropout=dropout))
    look = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU()]
    return nn.Sequential(nn.Unflatten(1, (1, 8)), *look, nn.AdaptiveMaxPool2d(3), nn.Flatten(), nn.Linear(144, 10))


def remedies(data, steps=1500):
    """The same network on 200 digits of which a fifth have a wrong label: the share of test digits right."""
    history, best = train(model := build("MLP"), data, steps)
    shares = {"nothing": right(model, data)}
    model.load_state_dict(best)
    shares["early stopping"] = right(model, data)
    train(model := build("MLP", dropout=0.5), data, steps)
    shares["dropout"] = right(model, data)
    train(model := build("MLP"), data, steps, weight_decay=1.0)
    shares["weight decay"] = right(model, data)
    return history, shares


def data_against_models(counts=(50, 150, 450, 1200), kinds=("linear", "MLP", "CNN"), steps=800):
    table = {kind: [] for kind in kinds}
    for count in counts:
        data = [tg.tensor(part) for part in few_digits(count)]
        for kind in kinds:
            train(model := build(kind), data, steps, every=steps)
            table[kind].append(right(model, data))
    return counts, table


FITS = {"Too simple: a line": [1, 1], "About right: 8 neurons": [1, 8, 1], "Too free: 15 powers": [15, 64, 64, 1]}


def main():
    x, y = (tg.tensor(part) for part in noisy_wave())
    fits = {name: fit_wave(sizes, x, y) for name, sizes in FITS.items()}
    for name, fit in fits.items():
        seen = F.mse_loss(fit(x), y).item()
        print(f"{name}: off by {seen:.3f} at the points it saw, by {off(fit):.3f} from the truth")
    history, shares = remedies([tg.tensor(part) for part in few_digits(200, noisy=0.2)])
    listed = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    print(f"\n200 digits, a fifth with wrong labels: {listed}\n")
    counts, table = data_against_models()
    for kind, values in table.items():
        print(f"{kind:6}:", ", ".join(f"{share:.1%} with {count}" for count, share in zip(counts, values)))
    few, many = max(values[0] for values in table.values()), min(values[-1] for values in table.values())
    print(f"More data beat the better model: the best on {counts[0]} digits gets {few:.1%},"
          f" the poorest on {counts[-1]} {many:.1%}")  # fmt: skip
    print("and with all the data the better model wins.")
    line = tg.linspace(-1, 1, 200)[:, None]
    curves = {name: (fit(line).numpy(), off(fit)) for name, fit in fits.items()}
    truth = (line.numpy(), tg.sin(4 * line).numpy())
    return draw_overfitting(truth, (x.numpy(), y.numpy()), curves, history, shares, (counts, table))


if __name__ == "__main__":
    run(main, __file__)
