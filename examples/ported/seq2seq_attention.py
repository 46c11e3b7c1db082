"""An encoder and a decoder with additive attention turn words round: teacher forcing, one token at a time."""

import random

from _which import STEPS, F, nn, optim, report, torch

LETTERS = "abcdefgh"
SOS, EOS, TOKENS = len(LETTERS), len(LETTERS) + 1, len(LETTERS) + 2
LENGTH, BATCH, HIDDEN = 6, 24, 40


class EncoderRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, HIDDEN)
        self.gru = nn.GRU(HIDDEN, HIDDEN, batch_first=True)
        self.dropout = nn.Dropout(p=0.1)

    def forward(self, words):
        return self.gru(self.dropout(self.embedding(words)))


class BahdanauAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.Wa = nn.Linear(HIDDEN, HIDDEN)
        self.Ua = nn.Linear(HIDDEN, HIDDEN)
        self.Va = nn.Linear(HIDDEN, 1)

    def forward(self, query, keys):
        scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys))).squeeze(2).unsqueeze(1)
        weights = F.softmax(scores, dim=-1)
        return torch.bmm(weights, keys), weights


class AttnDecoderRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, HIDDEN)
        self.attention = BahdanauAttention()
        self.gru = nn.GRU(2 * HIDDEN, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, TOKENS)

    def forward(self, encoder_outputs, hidden, target=None):
        token = torch.empty(encoder_outputs.size(0), 1, dtype=torch.long).fill_(SOS)
        outputs, attentions = [], []
        for i in range(LENGTH + 1):
            context, weights = self.attention(hidden.permute(1, 0, 2), encoder_outputs)
            output, hidden = self.gru(torch.cat((self.embedding(token), context), dim=2), hidden)
            output = self.out(output)
            outputs.append(output)
            attentions.append(weights)
            if target is not None:
                token = target[:, i].unsqueeze(1)
            else:
                _, topi = output.topk(1)
                token = topi.squeeze(-1).detach()
        return F.log_softmax(torch.cat(outputs, dim=1), dim=-1), hidden, torch.cat(attentions, dim=1)


def batch(size=BATCH):
    """Words (size, 6) and the same words from behind with an end mark (size, 7)."""
    words = torch.LongTensor([[random.randrange(len(LETTERS)) for _ in range(LENGTH)] for _ in range(size)])
    return words, torch.cat([words.flip(1), torch.full((size, 1), EOS)], dim=1)


def main():
    random.seed(12)
    torch.manual_seed(12)
    encoder, decoder = EncoderRNN(), AttnDecoderRNN()
    encoder_optimizer = optim.Adam(encoder.parameters(), lr=5e-3)
    decoder_optimizer = optim.Adam(decoder.parameters(), lr=5e-3)
    criterion = nn.NLLLoss()

    for step in range(1, STEPS + 1):
        words, target = batch()
        encoder_optimizer.zero_grad()
        decoder_optimizer.zero_grad()
        encoder_outputs, hidden = encoder(words)
        outputs, _, _ = decoder(encoder_outputs, hidden, target if random.random() < 0.9 else None)
        loss = criterion(outputs.view(-1, outputs.size(-1)), target.view(-1))
        loss.backward()
        encoder_optimizer.step()
        decoder_optimizer.step()
        report(step, loss.item())

    encoder.eval()
    decoder.eval()
    with torch.no_grad():
        words, _ = batch(2)
        outputs, _, _ = decoder(*encoder(words))
    for word, found in zip(words, outputs.argmax(-1)):
        print("".join(LETTERS[i] for i in word), "->", "".join((LETTERS + "^$")[i] for i in found))


if __name__ == "__main__":
    main()
