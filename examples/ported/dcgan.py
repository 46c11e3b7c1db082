"""A small DCGAN of checkered tiles: transposed convolutions, batch norm, two optimizers, labels in one tensor."""

from _which import STEPS, nn, optim, report, torch

SIZE, NOISE, BATCH = 16, 16, 32


def tiles(count):
    """Images (count, 1, 16, 16) of a checkered pattern of random phase, values from -1 to 1."""
    phase = torch.randint(0, 4, (count, 2, 1))
    axis = torch.arange(SIZE)
    rows, columns = (axis + phase[:, 0]) // 4 % 2, (axis + phase[:, 1]) // 4 % 2
    pattern = (rows[:, :, None] ^ columns[:, None, :]).float() * 1.6 - 0.8
    return (pattern + 0.1 * torch.randn(count, SIZE, SIZE)).unsqueeze(1)


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight, 0.0, 0.05)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight, 1.0, 0.02)
        nn.init.zeros_(m.bias)


class Generator(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(NOISE, 2 * width, 4, 1, 0, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(True),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(True),
            nn.ConvTranspose2d(width, 1, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.main(z)


class Discriminator(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, width, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * width, 1, 4, 1, 0, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.main(x).view(-1, 1).squeeze(1)


def main():
    torch.manual_seed(8)
    net_g, net_d = Generator(), Discriminator()
    net_g.apply(weights_init)
    net_d.apply(weights_init)
    criterion = nn.BCELoss()
    optimizer_d = optim.Adam(net_d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizer_g = optim.Adam(net_g.parameters(), lr=2e-4, betas=(0.5, 0.999))
    label = torch.empty(BATCH)

    for step in range(1, STEPS + 1):
        net_d.zero_grad()
        output = net_d(tiles(BATCH))
        loss_real = criterion(output, label.fill_(1.0))
        loss_real.backward()
        fake = net_g(torch.randn(BATCH, NOISE, 1, 1))
        loss_fake = criterion(net_d(fake.detach()), label.fill_(0.0))
        loss_fake.backward()
        optimizer_d.step()

        net_g.zero_grad()
        loss_g = criterion(net_d(fake), label.fill_(1.0))
        loss_g.backward()
        optimizer_g.step()
        report(step, (loss_real + loss_fake).item(), loss_g.item())


if __name__ == "__main__":
    main()
