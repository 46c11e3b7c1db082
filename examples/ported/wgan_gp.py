"""A Wasserstein GAN with gradient penalty learns a ring of eight Gaussians: gradients of gradients."""

import math

from _which import STEPS, nn, optim, report, torch

BATCH = 64


def ring(count):
    """Points (count, 2) near eight places on a circle."""
    angle = torch.randint(0, 8, (count,)) * (math.pi / 4)
    return torch.stack([torch.cos(angle), torch.sin(angle)], dim=1) + 0.05 * torch.randn(count, 2)


def mlp(inputs, outputs, hidden=64):
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, hidden), nn.LeakyReLU(0.2),
        nn.Linear(hidden, outputs),
    )  # fmt: skip


def gradient_penalty(critic, real, fake):
    alpha = torch.rand(real.size(0), 1).expand_as(real)
    between = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    scores = critic(between)
    gradients = torch.autograd.grad(
        outputs=scores, inputs=between, grad_outputs=torch.ones_like(scores),
        create_graph=True, retain_graph=True, only_inputs=True,
    )[0]  # fmt: skip
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean()


def main():
    torch.manual_seed(9)
    critic, generator = mlp(2, 1), mlp(8, 2)
    optimizer_c = optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
    optimizer_g = optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))

    for step in range(1, STEPS + 1):
        for p in critic.parameters():
            p.requires_grad = True
        for _ in range(3):
            real = ring(BATCH)
            with torch.no_grad():
                fake = generator(torch.randn(BATCH, 8))
            optimizer_c.zero_grad()
            distance = critic(real).mean() - critic(fake).mean()
            loss_c = -distance + 10 * gradient_penalty(critic, real, fake)
            loss_c.backward()
            optimizer_c.step()

        for p in critic.parameters():
            p.requires_grad = False
        optimizer_g.zero_grad()
        loss_g = -critic(generator(torch.randn(BATCH, 8))).mean()
        loss_g.backward()
        optimizer_g.step()
        report(step, loss_c.item(), distance.item(), loss_g.item())


if __name__ == "__main__":
    main()
