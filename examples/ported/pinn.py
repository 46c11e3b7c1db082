"""A physics-informed network solves Burgers' equation: the loss holds its own derivatives in place and time."""

import math
from itertools import pairwise

from _which import STEPS, nn, optim, report, torch

VISCOSITY = 0.05


class PINN(nn.Module):
    def __init__(self, layers=(2, 32, 32, 32, 1)):
        super().__init__()
        self.linears = nn.ModuleList([nn.Linear(a, b) for a, b in pairwise(layers)])
        for layer in self.linears:
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x, t):
        u = torch.cat([x, t], dim=1)
        for layer in self.linears[:-1]:
            u = torch.tanh(layer(u))
        return self.linears[-1](u)


def derivative(y, x):
    return torch.autograd.grad(y, x, grad_outputs=torch.ones_like(y), create_graph=True)[0]


def residual(model, x, t):
    """How far the network is from u_t + u u_x = v u_xx."""
    x, t = x.requires_grad_(), t.requires_grad_()
    u = model(x, t)
    u_x, u_t = derivative(u, x), derivative(u, t)
    return u_t + u * u_x - VISCOSITY * derivative(u_x, x)


def main():
    torch.manual_seed(15)
    model = PINN()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.99)
    x_start = torch.linspace(-1, 1, 64).view(-1, 1)
    u_start = -torch.sin(math.pi * x_start)
    t_edge = torch.rand(32, 1)

    for step in range(1, STEPS + 1):
        x, t = 2 * torch.rand(256, 1) - 1, torch.rand(256, 1)
        optimizer.zero_grad()
        physics = residual(model, x, t).pow(2).mean()
        start = torch.mean((model(x_start, torch.zeros_like(x_start)) - u_start) ** 2)
        edge = model(torch.ones_like(t_edge), t_edge) ** 2 + model(-torch.ones_like(t_edge), t_edge) ** 2
        loss = physics + 5 * start + edge.mean()
        loss.backward()
        optimizer.step()
        scheduler.step()
        report(step, loss.item(), physics.item(), start.item())


if __name__ == "__main__":
    main()
