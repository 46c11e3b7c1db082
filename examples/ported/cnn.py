"""A convolutional network tells crosses, boxes, bars and noise apart: batch norm, pooling, a falling rate."""

from _which import STEPS, F, data, nn, optim, report, torch

SIZE = 16


class Shapes(data.Dataset):
    """Images (1, 16, 16) of one of four kinds at a random place, under noise."""

    def __init__(self, count):
        self.kinds = torch.randint(0, 4, (count,))
        self.images = 0.3 * torch.randn(count, 1, SIZE, SIZE)
        for image, kind in zip(self.images[:, 0], self.kinds.tolist()):
            row, column = torch.randint(2, SIZE - 6, (2,)).tolist()
            if kind == 0:  # a cross
                image[row + 2, column : column + 5] += 1
                image[row : row + 5, column + 2] += 1
            elif kind == 1:  # a box
                image[row : row + 5, column : column + 5] += 1
                image[row + 1 : row + 4, column + 1 : column + 4] -= 1
            elif kind == 2:  # a bar
                image[row : row + 2, column : column + 5] += 1

    def __len__(self):
        return len(self.kinds)

    def __getitem__(self, index):
        return self.images[index], self.kinds[index]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.dropout = nn.Dropout2d(0.1)
        self.fc = nn.Linear(32 * (SIZE // 4) ** 2, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = self.dropout(F.max_pool2d(F.relu(self.conv2(x)), 2))
        return F.log_softmax(self.fc(torch.flatten(x, 1)), dim=1)


def main():
    torch.manual_seed(2)
    loader = data.DataLoader(Shapes(640), batch_size=64, shuffle=True, num_workers=0, drop_last=True)
    model = Net()
    optimizer = optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4, nesterov=True)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.7)

    step = 0
    while step < STEPS:
        for images, kinds in loader:
            if step == STEPS:
                break
            step += 1
            optimizer.zero_grad()
            loss = F.nll_loss(model(images), kinds)
            loss.backward()
            optimizer.step()
            report(step, loss.item())
        scheduler.step()

    model.eval()
    test = Shapes(200)
    with torch.no_grad():
        right = model(test.images).argmax(1).eq(test.kinds).float().mean()
    print(f"accuracy: {100 * right:.1f} %, learning rate at the end: {scheduler.get_last_lr()[0]:.4f}")


if __name__ == "__main__":
    main()
