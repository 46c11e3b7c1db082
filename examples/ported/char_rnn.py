"""A character-level RNN learns a nursery rhyme and then writes: hidden state carried over, then sampled."""

from _which import STEPS, F, nn, optim, report, torch

TEXT = (
    """Row row row your boat gently down the stream
merrily merrily merrily merrily life is but a dream
"""
    * 8
)
CHARACTERS = sorted(set(TEXT))
STREAMS, WINDOW = 8, 25


class CharRNN(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.hidden = hidden
        self.encode = nn.Embedding(len(CHARACTERS), 24)
        self.rnn = nn.RNN(24, hidden, nonlinearity="tanh", batch_first=True)
        self.decode = nn.Linear(hidden, len(CHARACTERS))

    def forward(self, characters, state):
        output, state = self.rnn(self.encode(characters), state)
        return self.decode(output.contiguous().view(-1, self.hidden)), state

    def init_hidden(self, batch):
        weight = next(self.parameters())
        return weight.new_zeros(1, batch, self.hidden)


def generate(model, length=60, start="R", temperature=0.8):
    model.eval()
    text, state = start, model.init_hidden(1)
    with torch.no_grad():
        for _ in range(length):
            logits, state = model(torch.tensor([[CHARACTERS.index(text[-1])]]), state)
            weights = F.softmax(logits[-1] / temperature, dim=0)
            text += CHARACTERS[torch.multinomial(weights, 1)[0]]
    return text


def main():
    torch.manual_seed(6)
    codes = torch.tensor([CHARACTERS.index(c) for c in TEXT], dtype=torch.long)
    streams = codes[: len(codes) // STREAMS * STREAMS].view(STREAMS, -1)
    model = CharRNN()
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    state, at = model.init_hidden(STREAMS), 0

    model.train()
    for step in range(1, STEPS + 1):
        if at + WINDOW + 1 > streams.size(1):
            state, at = model.init_hidden(STREAMS), 0
        inputs, targets = streams[:, at : at + WINDOW], streams[:, at + 1 : at + WINDOW + 1]
        at += WINDOW
        optimizer.zero_grad()
        logits, state = model(inputs, state.detach())
        loss = F.cross_entropy(logits, targets.reshape(-1))
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.5)
        optimizer.step()
        report(step, loss.item())
    print(generate(model))


if __name__ == "__main__":
    main()
