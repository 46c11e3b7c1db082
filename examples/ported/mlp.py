"""A multilayer perceptron tells the three arms of a spiral apart: DataLoader, dropout, Adam, accuracy."""

import math
from itertools import islice

from _which import STEPS, data, nn, optim, report, torch


def spirals(points, arms=3):
    """Noisy points of ``arms`` interleaved spirals: positions (arms * points, 2) and the arm of each."""
    radius = torch.linspace(0.1, 1, points)
    places, labels = [], []
    for arm in range(arms):
        angle = 4 * radius + 2 * math.pi * arm / arms + 0.15 * torch.randn(points)
        places.append(torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1))
        labels.append(torch.full((points,), arm, dtype=torch.long))
    return torch.cat(places), torch.cat(labels)


class Net(nn.Module):
    def __init__(self, hidden=64, classes=3):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, hidden), nn.ReLU(), nn.Dropout(0.1), nn.Linear(hidden, hidden), nn.Tanh(),
            nn.Linear(hidden, classes),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


def batches(loader):
    """The batches of one epoch after the other."""
    while True:
        yield from loader


def main():
    torch.manual_seed(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train_set, test_set = data.random_split(data.TensorDataset(*spirals(200)), [500, 100])
    train_loader = data.DataLoader(train_set, batch_size=50, shuffle=True)
    model = Net().to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=5e-3)

    model.train()
    for step, (x, y) in enumerate(islice(batches(train_loader), STEPS), 1):
        x, y = x.to(device), y.to(device)
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        report(step, loss.item())

    model.eval()
    correct = 0
    with torch.no_grad():
        for x, y in data.DataLoader(test_set, batch_size=100):
            output = model(x.to(device))
            correct += (output.argmax(dim=1) == y.to(device)).sum().item()
    print(f"right: {correct} of {len(test_set)}")


if __name__ == "__main__":
    main()
