"""A temporal convolutional network remembers: dilated causal convolutions with weight norm, residual blocks."""

from _which import STEPS, F, nn, optim, report, torch

BLANK, WAIT, KEEP, BATCH, SYMBOLS = 9, 12, 4, 32, 10
weight_norm = nn.utils.parametrizations.weight_norm


class Chomp1d(nn.Module):
    def __init__(self, chomp_size):
        super().__init__()
        self.chomp_size = chomp_size

    def forward(self, x):
        return x[:, :, : -self.chomp_size].contiguous()


class TemporalBlock(nn.Module):
    def __init__(self, n_inputs, n_outputs, kernel_size, dilation, dropout=0.05):
        super().__init__()
        padding = (kernel_size - 1) * dilation
        self.conv1 = weight_norm(nn.Conv1d(n_inputs, n_outputs, kernel_size, padding=padding, dilation=dilation))
        self.conv2 = weight_norm(nn.Conv1d(n_outputs, n_outputs, kernel_size, padding=padding, dilation=dilation))
        self.net = nn.Sequential(
            self.conv1, Chomp1d(padding), nn.ReLU(), nn.Dropout(dropout),
            self.conv2, Chomp1d(padding), nn.ReLU(), nn.Dropout(dropout),
        )  # fmt: skip
        self.downsample = nn.Conv1d(n_inputs, n_outputs, 1) if n_inputs != n_outputs else None

    def forward(self, x):
        res = x if self.downsample is None else self.downsample(x)
        return F.relu(self.net(x) + res)


class TCN(nn.Module):
    def __init__(self, channels=(24, 24, 24, 24), kernel_size=3):
        super().__init__()
        layers = []
        for i, n_out in enumerate(channels):
            n_in = SYMBOLS if i == 0 else channels[i - 1]
            layers += [TemporalBlock(n_in, n_out, kernel_size, dilation=2**i)]
        self.tcn = nn.Sequential(*layers)
        self.linear = nn.Linear(channels[-1], SYMBOLS)

    def forward(self, symbols):
        x = F.one_hot(symbols, SYMBOLS).float().transpose(1, 2)
        return self.linear(self.tcn(x).transpose(1, 2))


def batch():
    """Symbols to keep, a wait, then marks; the answer repeats the symbols where the marks are."""
    kept = torch.randint(1, 9, (BATCH, KEEP))
    x = torch.cat([kept, torch.zeros(BATCH, WAIT).long(), torch.full((BATCH, KEEP), BLANK)], dim=1)
    y = torch.cat([torch.zeros(BATCH, WAIT + KEEP).long(), kept], dim=1)
    return x, y


def main():
    torch.manual_seed(19)
    model = TCN()
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9)

    model.train()
    for step in range(1, STEPS + 1):
        x, y = batch()
        optimizer.zero_grad()
        out = model(x)
        loss = criterion(out.view(-1, SYMBOLS), y.view(-1))
        pred = out.data.view(-1, SYMBOLS).max(1, keepdim=True)[1]
        correct = pred.eq(y.data.view_as(pred)).cpu().sum()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        report(step, loss.item(), correct.item() / y.numel())


if __name__ == "__main__":
    main()
