"""Lesson 12: networks that make things up. A GAN forges a ring and digits; an autoencoder; a VAE."""

import numpy as np
from _common import digits, run
from _drawings import draw_generative

import tapegrad as tg
from tapegrad import nn
from tapegrad.nn import functional as F
from tapegrad.optim.swa_utils import AveragedModel


def ring(count):
    angle, radius = 2 * tg.pi * tg.rand(count), 1 + 0.05 * tg.randn(count)
    return tg.stack([radius * tg.cos(angle), radius * tg.sin(angle)], dim=1)


def train_gan(real, noise, size, hidden, last, steps, blur=0.0, batch=128, keep=()):
    """The generator turns noise into forgeries, the discriminator tells them from the real: each learns from the other.

    ``real(count)`` draws examples of ``size`` numbers. Returns the generator, and forgeries after ``keep`` steps."""
    generator = nn.Sequential(nn.MLP([noise, hidden, hidden, size]), last)
    discriminator = nn.MLP([size, hidden, hidden, 1], activation="leaky_relu")
    forger = tg.optim.Adam(generator.parameters(), lr=0.001, betas=(0.5, 0.9))
    expert = tg.optim.Adam(discriminator.parameters(), lr=0.001, betas=(0.5, 0.9))
    # 0.9 and not 1 for the real: an expert too sure of itself teaches nothing.
    genuine, forged, wish = 0.9 * tg.ones(batch, 1), tg.zeros(batch, 1), tg.ones(batch, 1)
    # Shown is the mean forger of the last hundred steps or so: it does not jump to and fro as each single one does.
    average, kept = AveragedModel(generator, avg_fn=lambda mean, new, _: mean.lerp(new, 0.01)), {}

    def seen(x):  # an expert with blurred sight cannot cling to single pixels, and the forger keeps to no few tricks
        return discriminator(x + blur * tg.randn_like(x))

    for step in range(1, steps + 1):
        forgeries = generator(tg.randn(batch, noise))
        expert.zero_grad()
        judge = F.binary_cross_entropy_with_logits
        (judge(seen(real(batch)), genuine) + judge(seen(forgeries.detach()), forged)).backward()
        expert.step()
        forger.zero_grad()
        judge(seen(forgeries), wish).backward()  # the forger wins where the expert says "genuine"
        forger.step()
        average.update_parameters(generator)
        if step in keep:
            kept[step] = forge(average, noise, 500)
    return average, kept


@tg.no_grad()
def forge(generator, noise, count):
    return generator(tg.randn(count, noise)).numpy()


class Autoencoder(nn.Module):
    """64 pixels to 2 numbers and back. Variational: the 2 numbers are drawn around a mean, and kept near 0."""

    def __init__(self, variational):
        super().__init__()
        self.variational = variational
        self.encoder = nn.MLP([64, 128, 64, 4 if variational else 2])
        self.decoder = nn.Sequential(nn.MLP([2, 64, 128, 64]), nn.Sigmoid())

    def forward(self, x):
        code, spread = self.encoder(x), tg.zeros(())
        if self.variational:
            mean, log_variance = code.chunk(2, dim=1)
            # How far the cloud of codes is from the standard normal one (Kullback and Leibler's measure).
            spread = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).sum(dim=1).mean()
            code = mean + (0.5 * log_variance).exp() * tg.randn_like(mean) if self.training else mean
        return self.decoder(code), code, spread


def train_autoencoder(model, images, epochs=60, batch=64):
    optimizer = tg.optim.Adam(model.parameters(), lr=0.002)
    for _ in range(epochs):
        for chosen in tg.randperm(len(images)).split(batch):
            optimizer.zero_grad()
            restored, _, spread = model(images[chosen])
            loss = F.mse_loss(restored, images[chosen], reduction="sum") / len(chosen) + 0.1 * spread
            loss.backward()
            optimizer.step()
    return model.eval()


@tg.no_grad()
def restore(model, images):
    restored, code, _ = model(images)
    return restored.numpy(), code.numpy()


def main():
    _, kept = train_gan(ring, 2, 2, 64, nn.Identity(), steps=2000, keep=(100, 600, 2000))
    for step, points in kept.items():
        radius = np.linalg.norm(points, axis=1)
        print(f"Ring after {step:5,} steps: forgeries lie {np.abs(radius - 1).mean():.3f} from it (real points: 0.04)")
    data = digits()
    train, test = (tg.tensor(part).flatten(1) for part in (data.train_images, data.test_images))
    forger, _ = train_gan(lambda n: train[tg.randint(len(train), (n,))], 16, 64, 128, nn.Sigmoid(), 3000, blur=0.3)
    forged = forge(forger, 16, 500)
    nearest = tg.cdist(tg.tensor(forged), train).argmin(dim=1).numpy()
    print(f"500 forged digits resemble {len(set(data.train_labels[nearest]))} of the ten digits")

    models, restored, codes = {}, {}, {}
    for name, variational in (("Autoencoder", False), ("VAE", True)):
        models[name] = train_autoencoder(Autoencoder(variational), train)
        restored[name], codes[name] = restore(models[name], test)
        error, guess = (np.mean((test.numpy() - r) ** 2) for r in (restored[name], train.mean(dim=0).numpy()))
        print(f"{name}: 64 pixels to 2 numbers and back, {1 - error / guess:.0%} of the variance kept;"
              f" codes with a spread of {codes[name].std():.1f}")  # fmt: skip
    # The VAE's codes fill the normal cloud around 0, so a walk over a grid there meets digits everywhere.
    x, y = np.meshgrid(np.linspace(-2, 2, 11), np.linspace(2, -2, 11))
    grid = tg.tensor(np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32))
    dreams = models["VAE"].decoder(grid).detach().numpy()
    squeezed, labels = restored["Autoencoder"], data.test_labels
    return draw_generative(ring(500).numpy(), kept, forged[:64], test.numpy(), squeezed, codes, labels, dreams)


if __name__ == "__main__":
    run(main, __file__)
