"""A bidirectional GRU over sentences of different lengths, packed: does a bracket stay open?"""

import random

from _which import STEPS, nn, optim, report, torch

WORDS = ["<pad>", "(", ")", "a", "b", "c"]
INDEX = {word: number for number, word in enumerate(WORDS)}
rnn = nn.utils.rnn


def sentence():
    """A random sentence and 1 if one of its brackets is never closed, else 0."""
    words, depth = [], 0
    for _ in range(random.randint(5, 18)):
        word = random.choice(WORDS[1:])
        if word == ")" and depth == 0:
            word = "a"
        depth += (word == "(") - (word == ")")
        words.append(word)
    return [INDEX[word] for word in words], int(depth > 0)


def batch(size=32):
    """Padded sentences (size, longest), their lengths, their labels."""
    pairs = [sentence() for _ in range(size)]
    lengths = torch.tensor([len(words) for words, _ in pairs])
    padded = rnn.pad_sequence([torch.tensor(words) for words, _ in pairs], batch_first=True, padding_value=0)
    return padded, lengths, torch.FloatTensor([label for _, label in pairs])


class Reader(nn.Module):
    def __init__(self, width=16, hidden=24):
        super().__init__()
        self.embed = nn.Embedding(len(WORDS), width, padding_idx=0)
        self.gru = nn.GRU(width, hidden, batch_first=True, bidirectional=True)
        self.classify = nn.Linear(4 * hidden, 1)

    def forward(self, words, lengths):
        packed = rnn.pack_padded_sequence(self.embed(words), lengths, batch_first=True, enforce_sorted=False)
        output, h_n = self.gru(packed)
        states, _ = rnn.pad_packed_sequence(output, batch_first=True)
        mask = torch.arange(states.size(1))[None, :] < lengths[:, None]
        mean = (states * mask.unsqueeze(-1)).sum(1) / lengths.unsqueeze(1)
        return self.classify(torch.cat([h_n[0], h_n[1], mean], dim=1)).squeeze(1)


def main():
    random.seed(4)
    torch.manual_seed(4)
    model = Reader()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = optim.RMSprop(model.parameters(), lr=3e-3)

    for step in range(1, STEPS + 1):
        words, lengths, labels = batch()
        optimizer.zero_grad()
        logits = model(words, lengths)
        loss = criterion(logits, labels)
        loss.backward()
        optimizer.step()
        right = ((logits > 0) == labels.bool()).float().mean()
        report(step, loss.item(), right.item())


if __name__ == "__main__":
    main()
