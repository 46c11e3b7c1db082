"""A two-layer LSTM adds the two marked numbers of a sequence: the adding problem, with clipped gradients."""

from _which import STEPS, nn, optim, report, torch

LENGTH, BATCH = 20, 32


def batch():
    """Sequences (batch, length, 2) of numbers and marks, and the sum of the two marked numbers."""
    numbers = torch.rand(BATCH, LENGTH)
    marks = torch.zeros(BATCH, LENGTH)
    first = torch.randint(0, LENGTH // 2, (BATCH, 1))
    second = torch.randint(LENGTH // 2, LENGTH, (BATCH, 1))
    marks.scatter_(1, first, 1.0).scatter_(1, second, 1.0)
    return torch.stack([numbers, marks], dim=-1), (numbers * marks).sum(1, keepdim=True)


class Adder(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(2, hidden, num_layers=2, batch_first=True, dropout=0.1)
        self.head = nn.Linear(hidden, 1)
        for name, parameter in self.lstm.named_parameters():
            if "weight_hh" in name:
                nn.init.orthogonal_(parameter)
            elif "bias_hh" in name:
                # The gates lie one after the other: input, forget, cell, output.
                parameter.data[hidden : 2 * hidden].fill_(1.0)

    def forward(self, x):
        output, _ = self.lstm(x)
        return self.head(output[:, -1])


def main():
    torch.manual_seed(3)
    model = Adder()
    criterion = nn.MSELoss()
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    print(sum(p.numel() for p in model.parameters() if p.requires_grad), "parameters")

    for step in range(1, STEPS + 1):
        x, y = batch()
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        report(step, loss.item(), norm.item())


if __name__ == "__main__":
    main()
