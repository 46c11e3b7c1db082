"""A BiLSTM with a conditional random field on top names the parts of made-up sentences; Viterbi decodes."""

import random

from _which import STEPS, nn, optim, report, torch

TAGS = ["O", "B", "I", "<start>", "<stop>"]
START, STOP = TAGS.index("<start>"), TAGS.index("<stop>")
NAMES, OTHERS = range(10), range(10, 30)


def sentence():
    """Words, and their tags: a name begins (B) and goes on (I); a name's first word alone does not tell it."""
    words, tags = [], []
    while len(words) < 8:
        if random.random() < 0.4:
            length = random.randint(1, 3)
            words += [random.choice(NAMES) for _ in range(length)]
            tags += [1] + [2] * (length - 1)
        words.append(random.choice(OTHERS))
        tags.append(0)
    return torch.tensor(words), torch.tensor(tags)


class Tagger(nn.Module):
    def __init__(self, width=16, hidden=32):
        super().__init__()
        self.embed = nn.Embedding(30, width)
        self.lstm = nn.LSTM(width, hidden // 2, num_layers=1, bidirectional=True)
        self.emit = nn.Linear(hidden, len(TAGS))
        # transitions[i, j] is the score of going from tag j to tag i.
        self.transitions = nn.Parameter(torch.randn(len(TAGS), len(TAGS)))
        self.transitions.data[START, :] = -10000.0
        self.transitions.data[:, STOP] = -10000.0

    def emissions(self, words):
        states, _ = self.lstm(self.embed(words).view(len(words), 1, -1))
        return self.emit(states.view(len(words), -1))

    def log_partition(self, scores):
        alpha = torch.full((len(TAGS),), -10000.0)
        alpha[START] = 0.0
        for score in scores:
            alpha = torch.logsumexp(alpha.unsqueeze(0) + self.transitions + score.unsqueeze(1), dim=1)
        return torch.logsumexp(alpha + self.transitions[STOP], dim=0)

    def score(self, scores, tags):
        path = torch.cat([torch.tensor([START], dtype=torch.long), tags])
        total = torch.zeros(1)
        for i, emitted in enumerate(scores):
            total = total + self.transitions[path[i + 1], path[i]] + emitted[path[i + 1]]
        return total + self.transitions[STOP, path[-1]]

    def loss(self, words, tags):
        scores = self.emissions(words)
        return (self.log_partition(scores) - self.score(scores, tags)).squeeze()

    def forward(self, words):
        """The best path by Viterbi: its score and its tags."""
        best = torch.full((len(TAGS),), -10000.0)
        best[START] = 0
        back = []
        for emitted in self.emissions(words):
            best, pointer = torch.max(best + self.transitions, dim=1)
            best = best + emitted
            back.append(pointer)
        final = best + self.transitions[STOP]
        path = [final.argmax().item()]
        for pointer in reversed(back):
            path.append(pointer[path[-1]].item())
        assert path.pop() == START
        return final.max(), path[::-1]


def main():
    random.seed(5)
    torch.manual_seed(5)
    model = Tagger()
    optimizer = optim.SGD(model.parameters(), lr=0.02, weight_decay=1e-4)

    for step in range(1, STEPS + 1):
        words, tags = sentence()
        model.zero_grad()
        loss = model.loss(words, tags)
        loss.backward()
        optimizer.step()
        report(step, loss.item())

    with torch.no_grad():
        words, tags = sentence()
        score, path = model(words)
    print("tags: ", " ".join(TAGS[tag] for tag in tags))
    print("found:", " ".join(TAGS[tag] for tag in path), f"(score {score:.3f})")


if __name__ == "__main__":
    main()
