"""MAML: weights from which one gradient step fits a new sine; the outer gradient goes through the inner one."""

import math

from _which import STEPS, F, nn, optim, report, torch

TASKS, SHOTS, INNER_RATE = 5, 10, 0.02


class SineNet(nn.Module):
    def __init__(self, hidden=40):
        super().__init__()
        self.net = nn.ModuleDict({
            "l1": nn.Linear(1, hidden),
            "l2": nn.Linear(hidden, hidden),
            "l3": nn.Linear(hidden, 1),
        })  # fmt: skip

    def forward(self, x, weights=None):
        weights = dict(self.named_parameters()) if weights is None else weights
        x = F.relu(F.linear(x, weights["net.l1.weight"], weights["net.l1.bias"]))
        x = F.relu(F.linear(x, weights["net.l2.weight"], weights["net.l2.bias"]))
        return F.linear(x, weights["net.l3.weight"], weights["net.l3.bias"])


class Sine:
    """One task: a sine of random height and phase."""

    def __init__(self):
        self.height = 0.1 + 4.9 * torch.rand(1).item()
        self.phase = math.pi * torch.rand(1).item()

    def sample(self, count=SHOTS):
        x = torch.empty(count, 1).uniform_(-5, 5)
        return x, self.height * torch.sin(x + self.phase)


def adapt(model, x, y, create_graph):
    weights = dict(model.named_parameters())
    loss = F.mse_loss(model(x, weights), y)
    grads = torch.autograd.grad(loss, weights.values(), create_graph=create_graph)
    return {name: w - INNER_RATE * g for (name, w), g in zip(weights.items(), grads)}


def main():
    torch.manual_seed(14)
    model = SineNet()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        outer = 0
        for _ in range(TASKS):
            task = Sine()
            adapted = adapt(model, *task.sample(), create_graph=True)
            x, y = task.sample()
            outer = outer + F.mse_loss(model(x, adapted), y)
        outer = outer / TASKS
        outer.backward()
        optimizer.step()
        report(step, outer.item())

    task = Sine()
    adapted = adapt(model, *task.sample(), create_graph=False)
    x, y = task.sample(100)
    with torch.no_grad():
        before, after = F.mse_loss(model(x), y), F.mse_loss(model(x, adapted), y)
    print(f"a new sine: loss {before:.3f} before its step, {after:.3f} after")


if __name__ == "__main__":
    main()
