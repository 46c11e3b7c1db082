"""A set transformer says how many different digits a set holds: induced attention, pooling by attention."""

import math

from _which import STEPS, F, nn, optim, report, torch

VALUES, WIDTH, HEADS = 8, 32, 4


class MAB(nn.Module):
    """Attention of a set to a set, with residuals and a small network after it."""

    def __init__(self, ln=True):
        super().__init__()
        self.fc_q, self.fc_k, self.fc_v, self.fc_o = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        if ln:
            self.ln0 = nn.LayerNorm(WIDTH)
            self.ln1 = nn.LayerNorm(WIDTH)

    def forward(self, Q, K):
        Q = self.fc_q(Q)
        K, V = self.fc_k(K), self.fc_v(K)
        q, k, v = (torch.cat(t.split(WIDTH // HEADS, 2), 0) for t in (Q, K, V))
        A = torch.softmax(q.bmm(k.transpose(1, 2)) / math.sqrt(WIDTH), 2)
        O = torch.cat((q + A.bmm(v)).split(Q.size(0), 0), 2)  # noqa: E741
        O = O if getattr(self, "ln0", None) is None else self.ln0(O)  # noqa: E741
        O = O + F.relu(self.fc_o(O))  # noqa: E741
        return O if getattr(self, "ln1", None) is None else self.ln1(O)


class ISAB(nn.Module):
    """Attention of a set to itself by way of a few induced points."""

    def __init__(self, points):
        super().__init__()
        self.I = nn.Parameter(torch.Tensor(1, points, WIDTH))
        nn.init.xavier_uniform_(self.I)
        self.mab0, self.mab1 = MAB(), MAB()

    def forward(self, X):
        H = self.mab0(self.I.repeat(X.size(0), 1, 1), X)
        return self.mab1(X, H)


class PMA(nn.Module):
    """Pools a set by attention from a learned seed."""

    def __init__(self):
        super().__init__()
        self.S = nn.Parameter(torch.Tensor(1, 1, WIDTH))
        nn.init.xavier_uniform_(self.S)
        self.mab = MAB(ln=False)

    def forward(self, X):
        return self.mab(self.S.repeat(X.size(0), 1, 1), X)


def batch(size=32):
    """Sets (size, members, 8) of one-hot digits of a random number of members, and how many differ, less one."""
    members = int(torch.randint(4, 9, (1,)))
    digits = torch.randint(0, VALUES, (size, members))
    sets = torch.zeros(size, members, VALUES).scatter_(2, digits.unsqueeze(-1), 1.0)
    return sets, (sets.sum(1) > 0).sum(1) - 1


def main():
    torch.manual_seed(20)
    model = nn.Sequential(nn.Linear(VALUES, WIDTH), ISAB(4), ISAB(4), PMA(), nn.Flatten(), nn.Linear(WIDTH, VALUES))
    optimizer = optim.AdamW(model.parameters(), lr=2e-3)
    for step in range(1, STEPS + 1):
        sets, counts = batch()
        optimizer.zero_grad()
        scores = model(sets)
        loss = F.cross_entropy(scores, counts)
        loss.backward()
        optimizer.step()
        report(step, loss.item(), (scores.argmax(1) == counts).float().mean().item())


if __name__ == "__main__":
    main()
