"""Two LSTM cells learn to go on with sine waves, in float64, by L-BFGS with a closure."""

import numpy as np
from _which import STEPS, nn, optim, report, torch


class Sequence(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.hidden = hidden
        self.lstm1 = nn.LSTMCell(1, hidden)
        self.lstm2 = nn.LSTMCell(hidden, hidden)
        self.linear = nn.Linear(hidden, 1)

    def forward(self, series, future=0):
        outputs = []
        h_t = torch.zeros(series.size(0), self.hidden, dtype=torch.double)
        c_t = torch.zeros(series.size(0), self.hidden, dtype=torch.double)
        h_t2, c_t2 = torch.zeros_like(h_t), torch.zeros_like(c_t)
        for value in series.split(1, dim=1):
            h_t, c_t = self.lstm1(value, (h_t, c_t))
            h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
            output = self.linear(h_t2)
            outputs += [output]
        for _ in range(future):
            h_t, c_t = self.lstm1(output, (h_t, c_t))
            h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
            output = self.linear(h_t2)
            outputs += [output]
        return torch.cat(outputs, dim=1)


def main():
    np.random.seed(18)
    torch.manual_seed(18)
    shift = np.random.randint(-40, 40, (12, 1))
    waves = np.sin((np.arange(40) + shift) / 5.0).astype("float64")
    inputs, target = torch.from_numpy(waves[2:, :-1]), torch.from_numpy(waves[2:, 1:])
    test_input, test_target = torch.from_numpy(waves[:2, :-1]), torch.from_numpy(waves[:2, 1:])
    seq = Sequence()
    seq.double()
    criterion = nn.MSELoss()
    optimizer = optim.LBFGS(seq.parameters(), lr=0.8, max_iter=5, history_size=10)
    evaluations = 0

    def closure():
        nonlocal evaluations
        evaluations += 1
        optimizer.zero_grad()
        loss = criterion(seq(inputs), target)
        loss.backward()
        if evaluations <= STEPS:
            report(evaluations, loss.item())
        return loss

    while evaluations < STEPS:
        optimizer.step(closure)
    with torch.no_grad():
        future = 20
        pred = seq(test_input, future=future)
        loss = criterion(pred[:, :-future], test_target)
    print(f"test loss {loss.item():.6f}; the next values: {np.round(pred.detach().numpy()[0, -future:][:5], 3)}")


if __name__ == "__main__":
    main()
