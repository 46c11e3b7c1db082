"""RealNVP learns the density of two moons: affine couplings, their Jacobians, samples by the way back."""

import math

from _which import STEPS, nn, optim, report, torch

distributions = torch.distributions


def moons(count):
    """Points (2 * count, 2) on two interleaved half circles, with noise."""
    angle = math.pi * torch.rand(2, count)
    upper = torch.stack([torch.cos(angle[0]), torch.sin(angle[0])], 1)
    lower = torch.stack([1 - torch.cos(angle[1]), 0.5 - torch.sin(angle[1])], 1)
    return torch.cat([upper, lower]) + 0.08 * torch.randn(2 * count, 2)


class RealNVP(nn.Module):
    def __init__(self, masks, prior, hidden=32):
        super().__init__()
        self.prior = prior
        self.mask = nn.Parameter(masks, requires_grad=False)
        self.t = nn.ModuleList([self.net(hidden) for _ in masks])
        self.s = nn.ModuleList([self.net(hidden, nn.Tanh()) for _ in masks])

    @staticmethod
    def net(hidden, *last):
        return nn.Sequential(nn.Linear(2, hidden), nn.LeakyReLU(), nn.Linear(hidden, 2), *last)

    def to_data(self, z):
        for mask, s, t in zip(self.mask, self.s, self.t):
            kept = z * mask
            z = kept + (1 - mask) * (z * torch.exp(s(kept)) + t(kept))
        return z

    def to_noise(self, x):
        log_det, z = x.new_zeros(x.shape[0]), x
        for i in reversed(range(len(self.t))):
            kept = self.mask[i] * z
            s = self.s[i](kept) * (1 - self.mask[i])
            t = self.t[i](kept) * (1 - self.mask[i])
            z = (1 - self.mask[i]) * (z - t) * torch.exp(-s) + kept
            log_det -= s.sum(dim=1)
        return z, log_det

    def log_prob(self, x):
        z, log_det = self.to_noise(x)
        return self.prior.log_prob(z) + log_det

    def sample(self, count):
        return self.to_data(self.prior.sample((count,)))


def main():
    torch.manual_seed(17)
    masks = torch.tensor([[0, 1], [1, 0]] * 3).float()
    prior = distributions.MultivariateNormal(torch.zeros(2), torch.eye(2))
    flow = RealNVP(masks, prior)
    optimizer = optim.Adam([p for p in flow.parameters() if p.requires_grad], lr=3e-3)

    for step in range(1, STEPS + 1):
        loss = -flow.log_prob(moons(64)).mean()
        optimizer.zero_grad()
        loss.backward(retain_graph=True)
        optimizer.step()
        report(step, loss.item())

    with torch.no_grad():
        points = flow.sample(500)
        back = flow.to_data(flow.to_noise(points)[0])
    print(f"samples: mean {points.mean(0).tolist()}, there and back within {(points - back).abs().max():.1e}")


if __name__ == "__main__":
    main()
