"""Lesson 1: the perceptron weighs reasons and decides. It learns AND and OR, but never XOR; a small network does.

A perceptron multiplies each input by a weight, adds a bias, and says "yes" if the sum is positive.
"""

import warnings

import numpy as np
from _common import BLUE, GREEN, GREY, INK, RED, page, regions, run

import tapegrad as tg
from tapegrad import nn

CORNERS = [[0, 0], [0, 1], [1, 0], [1, 1]]
GATES = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "XOR": [0, 1, 1, 0]}


def concert():
    """Weights set by hand: shall we go? Good music counts 3, company 2, a short way 1; below 3 we stay at home."""
    weight, bias = tg.tensor([3.0, 2.0, 1.0]), -2.5
    cases = tg.tensor([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]).float()
    scores = cases @ weight + bias
    return cases.int().tolist(), scores.tolist()


def applicants(count=120):
    """Loans: income and debts in thousands a year. Whoever keeps 15 after paying a third of the debts paid back."""
    rng = np.random.default_rng(1)
    income, debts = rng.uniform(10, 80, 2 * count), rng.uniform(0, 90, 2 * count)
    margin = income - debts / 3 - 15
    clear = np.abs(margin) > 4  # leave a gap, so that a straight line can separate the two groups
    points = np.stack([income, debts], axis=1)[clear][:count]
    return (points / 100).astype(np.float32), (margin[clear] > 0)[:count].astype(int)


def learn_loans(points, paid_back, epochs=1000):
    return nn.Perceptron(2).fit(tg.tensor(points), tg.tensor(paid_back), epochs=epochs)


def learn_gate(targets, epochs=50):
    """The perceptron rule: for each mistake move the weights towards (or away from) the example."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns for XOR; the lesson says so itself
        return nn.Perceptron(2).fit(tg.tensor(CORNERS), tg.tensor(targets), epochs=epochs)


def learn_xor_with_a_network(steps=300):
    """Two layers: the hidden neurons draw several lines, and the last one combines them."""
    x, y = tg.tensor(CORNERS).float(), tg.tensor(GATES["XOR"]).float()
    model = nn.MLP([2, 8, 1], activation="tanh")
    optimizer = tg.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(x).squeeze(1), y)
        loss.backward()
        optimizer.step()
    return model, loss.item()


def draw(concert_cases, points, paid_back, loans, gates, network):
    figure, axes = page(
        2, 3, "Lesson 1 · A perceptron draws one straight line (what lies on it counts as 0)", size=(12, 7.4)
    )
    cases, scores = concert_cases
    names = [" + ".join(n for n, on in zip(("music", "company", "near"), case) if on) or "nothing" for case in cases]
    order = np.argsort(scores)
    colours = [GREEN if scores[i] > 0 else RED for i in order]
    axes[0, 0].barh([names[i] for i in order], [scores[i] for i in order], color=colours)
    axes[0, 0].axvline(0, color=INK, lw=1)
    axes[0, 0].set(title="To the concert? Weights set by hand", xlabel="3·music + 2·company + 1·near − 2.5")

    regions(axes[0, 1], lambda p: loans(tg.tensor(p / 100)).numpy(), (8, 82, -3, 108), steps=300)
    for answer, colour, label, place in ((1, RED, "paid back", 58), (0, BLUE, "did not", 12)):
        chosen = 100 * points[paid_back == answer]
        axes[0, 1].scatter(*chosen.T, s=16, color=colour, edgecolor="white", lw=0.5)
        axes[0, 1].text(place, 98, label, color=colour, fontweight="bold")
    axes[0, 1].set(title="The loan: weights learned", xlabel="income (thousands)", ylabel="debts (thousands)")

    for place, (name, gate) in zip((axes[0, 2], axes[1, 0], axes[1, 1]), gates.items()):
        verdict = f"no mistake after {len(gate.mistakes)} passes" if gate.converged else "never without mistakes"
        _gate(place, f"{name}: {verdict}", lambda p, gate=gate: gate(tg.tensor(p)).numpy(), GATES[name])
    with tg.no_grad():
        _gate(axes[1, 2], "XOR by a network of two layers",
              lambda p: tg.sigmoid(network(tg.tensor(p))).squeeze(1).numpy(), GATES["XOR"])  # fmt: skip
    return figure


def _gate(axes, title, decide, targets):
    regions(axes, decide, (-0.4, 1.4, -0.4, 1.4), steps=300)
    for corner, target in zip(CORNERS, targets):
        axes.scatter(*corner, s=190, color=RED if target else BLUE, edgecolor="white", lw=1.5, zorder=3)
        axes.annotate(target, corner, color="white", ha="center", va="center", fontweight="bold", zorder=4)
    axes.set(title=title, xticks=[0, 1], yticks=[0, 1], xlabel="first input", ylabel="second input", aspect="equal")
    axes.tick_params(colors=GREY)


def main():
    cases, scores = concert()
    print(f"Concert: we go in {sum(s > 0 for s in scores)} of {len(cases)} cases: good music is enough, and so is")
    print("company when it is near.")
    points, paid_back = applicants()
    loans = learn_loans(points, paid_back)
    print(f"Loans: the rule separated {len(points)} applicants after {len(loans.mistakes)} passes"
          f" and {sum(loans.mistakes)} corrections.")  # fmt: skip
    gates = {name: learn_gate(targets) for name, targets in GATES.items()}
    for name, gate in gates.items():
        passes, last = len(gate.mistakes), gate.mistakes[-1]
        failed = f"{name}: still {last} mistakes after {passes} passes; no line separates it."
        print(f"{name}: learned in {passes} passes." if gate.converged else failed)
    network, loss = learn_xor_with_a_network()
    answers = (network(tg.tensor(CORNERS).float()).squeeze(1) > 0).int().tolist()
    right = sum(answer == target for answer, target in zip(answers, GATES["XOR"]))
    print(f"XOR with eight hidden neurons: loss {loss:.4f}, {right} of 4 answers right.")
    return draw((cases, scores), points, paid_back, loans, gates, network)


if __name__ == "__main__":
    run(main, __file__)
