"""A variational autoencoder of round blobs: the reparametrisation trick and the two terms of its bound."""

from _which import STEPS, F, nn, optim, report, torch

SIZE = 12


def blobs(count):
    """Images (count, 144) of a bright disc at a random place, values from 0 to 1."""
    axis = torch.arange(SIZE, dtype=torch.float32)
    row, column = 2 + (SIZE - 4) * torch.rand(2, count, 1, 1)
    radius = 1.5 + 1.5 * torch.rand(count, 1, 1)
    distance = torch.sqrt((axis[:, None] - row) ** 2 + (axis[None, :] - column) ** 2)
    return torch.sigmoid(3 * (radius - distance)).view(count, -1)


class VAE(nn.Module):
    def __init__(self, hidden=64, latent=4):
        super().__init__()
        self.fc1 = nn.Linear(SIZE * SIZE, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.fc3 = nn.Linear(latent, hidden)
        self.fc4 = nn.Linear(hidden, SIZE * SIZE)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def main():
    torch.manual_seed(7)
    images = blobs(512)
    model = VAE()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)

    for step in range(1, STEPS + 1):
        x = images[torch.randint(0, len(images), (64,))]
        optimizer.zero_grad()
        rebuilt, mu, logvar = model(x)
        bce = F.binary_cross_entropy(rebuilt, x, reduction="sum") / len(x)
        kld = -0.5 * torch.mean(torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1))
        (bce + kld).backward()
        optimizer.step()
        report(step, bce.item(), kld.item())

    with torch.no_grad():
        sample = model.decode(torch.randn(1, 4)).view(SIZE, SIZE)
    for line in sample:
        print("".join(" .:*#"[int(4.99 * value)] for value in line))


if __name__ == "__main__":
    main()
