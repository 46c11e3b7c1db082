"""Lesson 13: a small GPT. It reads Python's manual, letters looking back at letters, and writes on."""

import math

from _common import run
from _drawings import draw_gpt
from _texts import prose

import tapegrad as tg
from tapegrad import nn
from tapegrad.nn import functional as F

CONTEXT = 64


class Block(nn.Module):
    """Each place gathers from the places before it (attention), then thinks by itself (a small MLP)."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def split(self, x):
        """Queries, keys and values of each head, (batch, heads, length, width / heads)."""
        batch, length, width = x.shape
        parts = self.query_key_value(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads)
        return parts.permute(2, 0, 3, 1, 4).unbind(0)

    def forward(self, x):
        query, key, value = self.split(x)
        gathered = F.scaled_dot_product_attention(query, key, value, is_causal=True)  # no look at what is to come
        x = x + self.project(gathered.transpose(1, 2).flatten(2))
        return x + self.think(self.norm2(x))


class GPT(nn.Module):
    def __init__(self, letters, width=64, heads=4, depth=2):
        super().__init__()
        self.letter, self.place = nn.Embedding(letters, width), nn.Embedding(CONTEXT, width)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, letters)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.letter(x) + self.place(tg.arange(x.shape[1])))))


def attention(model, line, alphabet):
    """How much each letter looks at each one before it, by the heads of the last block: (heads, length, length)."""
    codes = tg.tensor([alphabet.index(letter) for letter in line])
    with tg.no_grad():
        x = model.blocks[:-1](model.letter(codes[None]) + model.place(tg.arange(len(codes))))
        query, key, _ = model.blocks[-1].split(x)
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        hidden = tg.ones(len(codes), len(codes)).triu(1).bool()
        return tg.softmax(scores.masked_fill(hidden, -math.inf), dim=-1)[0].numpy()


def batch(codes, count=16):
    starts = tg.randint(len(codes) - CONTEXT, (count,))
    rows = codes[starts[:, None] + tg.arange(CONTEXT + 1)]
    return rows[:, :-1], rows[:, 1:]  # what is read, and what comes next at each place


def train(model, text, alphabet, steps=1000, stages=(50, 200, 1000)):
    """Losses on nine tenths of the text and on the tenth kept back, as (step, loss); what it writes at each stage."""
    codes = tg.tensor([alphabet.index(letter) for letter in text])
    codes, unseen = codes[: len(codes) * 9 // 10], codes[len(codes) * 9 // 10 :]
    optimizer = tg.optim.AdamW(model.parameters(), lr=0.006)
    read, kept_back, samples = [], [], {}
    for step in range(1, steps + 1):
        # Warm up, then slow down.
        optimizer.param_groups[0]["lr"] = 0.006 * min(1, step / 50) * (1 - 0.9 * step / steps)
        x, target = batch(codes)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x).flatten(0, 1), target.flatten())
        loss.backward()
        optimizer.step()
        read.append((step, loss.item()))
        if step == 1 or step % 50 == 0:
            with tg.no_grad():
                x, target = batch(unseen, 64)
                kept_back.append((step, F.cross_entropy(model(x).flatten(0, 1), target.flatten()).item()))
        if step in stages:
            samples[step] = write(model, alphabet, "The ")
    # What a guess by the letters' frequencies alone would lose: the network must beat it.
    chances = (tg.bincount(codes, minlength=len(alphabet)) + 1) / (len(codes) + len(alphabet))
    return read, kept_back, samples, -chances.log()[unseen].mean().item()


def write(model, alphabet, start, letters=240, temperature=0.6):
    """Go on after ``start``, drawing each letter by its chance; a low temperature keeps to the likely ones."""
    codes = [alphabet.index(letter) for letter in start]
    with tg.no_grad():
        for _ in range(letters):
            scores = model(tg.tensor([codes[-CONTEXT:]]))[0, -1]
            codes.append(tg.multinomial(tg.softmax(scores / temperature, dim=0), 1).item())
    return "".join(alphabet[code] for code in codes)


def main():
    text = prose()
    alphabet = sorted(set(text))
    model = GPT(len(alphabet))
    print(f"{len(text):,} letters of {len(alphabet)} kinds; {sum(p.numel() for p in model.parameters()):,} weights")
    read, kept_back, samples, guess = train(model, text, alphabet)
    print(*[f"\nAfter {step} steps it writes:\n{sample}" for step, sample in samples.items()], sep="\n")
    loss = kept_back[-1][1]
    print(f"\nOn text kept back its loss is {loss:.2f}: as unsure as a choice among {math.exp(loss):.1f} letters.")
    print(f"By the letters' frequencies alone it would be {guess:.2f}, {math.exp(guess):.1f} letters.")
    line = "if the expression is true"
    return draw_gpt(read, kept_back, attention(model, line, alphabet), line, samples, guess)


if __name__ == "__main__":
    run(main, __file__)
