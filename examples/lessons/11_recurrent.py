"""Lesson 11: networks with a memory. RNN, LSTM and GRU forecast a series, feel a sentence's mood, write letters."""

import numpy as np
from _common import run
from _drawings import draw_recurrent
from _texts import SONNET, WORDS, sentences

import tapegrad as tg
from tapegrad import nn
from tapegrad.nn import functional as F

CELLS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}


class Recurrent(nn.Module):
    """Numbers or words in, one score per step out; the memory is whatever the cell makes of it."""

    def __init__(self, cell, inputs, outputs, hidden=32, words=None):
        super().__init__()
        self.embedding = nn.Embedding(words, inputs) if words else nn.Identity()
        self.cell, self.head = cell(inputs, hidden, batch_first=True), nn.Linear(hidden, outputs)

    def forward(self, x, memory=None):
        states, memory = self.cell(self.embedding(x), memory)
        return self.head(states), memory


def fit(model, loss_of, steps, lr=0.01):
    """Train; ``loss_of`` computes the loss. Gradients are clipped, as lesson 8 taught."""
    optimizer = tg.optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model


def series(length=400):
    """Two tides, one of 25 and one of 11.3 steps, and noise: 400 values, the last 100 kept for the test."""
    time = np.arange(length)
    values = np.sin(time / 25 * 2 * np.pi) + 0.6 * np.sin(time / 11.3 * 2 * np.pi)
    return tg.tensor((values + 0.1 * np.random.default_rng(0).normal(size=length)).astype(np.float32))


def forecast(cell, values, test=100, steps=200, window=50):
    """Learn to say the next value; then read the test part and say each next one. Returns the forecasts."""
    x, target = values[None, :-1, None], values[None, 1:]
    # The part before the test, cut into windows that are read side by side.
    known = (len(values) - test - 1) // window * window
    windows, answers = x[:, :known].reshape(-1, window, 1), target[:, :known].reshape(-1, window)
    model = fit(Recurrent(cell, 1, 1), lambda m: F.mse_loss(m(windows)[0].squeeze(2), answers), steps)
    with tg.no_grad():
        return model(x)[0].squeeze(2)[0, -test:]


def mood_accuracy(cell, train, test, steps=120):
    """The share of unseen sentences whose mood is felt rightly. ``cell`` None: a bag of words, without order."""
    (_, x, y), (_, test_x, test_y) = ((texts, tg.tensor(x), tg.tensor(y)) for texts, x, y in (train, test))
    if cell is None:
        model = nn.EmbeddingBag(len(WORDS), 2)
        fit(model, lambda m: F.cross_entropy(m(x), y), steps, lr=0.05)
        scores = model(test_x)
    else:
        model = Recurrent(cell, 8, 2, words=len(WORDS))
        fit(model, lambda m: F.cross_entropy(m(x)[0][:, -1], y), steps)
        scores = model(test_x)[0][:, -1]
    return (scores.argmax(dim=1) == test_y).float().mean().item()


def write(cell, text=SONNET, stages=(15, 40, 80), letters=150):
    """Learn a text letter by letter. After each stage go on from its first letter, always with the likeliest next."""
    alphabet = sorted(set(text))
    codes = tg.tensor([alphabet.index(letter) for letter in text])[None]
    model = Recurrent(cell, 16, len(alphabet), hidden=64, words=len(alphabet))
    results = {}
    for before, stage in zip((0, *stages), stages):
        fit(model, lambda m: F.cross_entropy(m(codes[:, :-1])[0][0], codes[0, 1:]), stage - before)
        written, memory, code = text[0], None, codes[:, :1]
        with tg.no_grad():
            for _ in range(min(letters, len(text)) - 1):
                scores, memory = model(code, memory)
                code = scores[:, -1].argmax(dim=1, keepdim=True)
                written += alphabet[code.item()]
        results[stage] = (written, np.mean([a == b for a, b in zip(written, text)]))
    return results


def off(said, values):
    """The mean error of forecasts of the last values."""
    return (said - values[-len(said) :]).abs().mean().item()


def main():
    values = series()
    forecasts = {name: forecast(cell, values) for name, cell in CELLS.items()}
    print(f"Forecast: 'the same again' is off by {off(values[-101:-1], values):.3f} on average;",
          ", ".join(f"{name} by {off(said, values):.3f}" for name, said in forecasts.items()))  # fmt: skip
    train, test = sentences(300, seed=1), sentences(200, seed=2)
    moods = {"bag of words": mood_accuracy(None, train, test)}
    moods |= {name: mood_accuracy(cell, train, test) for name, cell in CELLS.items()}
    print(f"Mood of sentences like '{test[0][0]}':", ", ".join(f"{name} {share:.0%}" for name, share in moods.items()))
    texts = write(nn.LSTM)
    for stage, (text, right) in texts.items():
        print(f"\nThe LSTM after {stage} steps, {right:.0%} of the letters right:\n{text}")
    errors = {
        "same again": off(values[-101:-1], values),
        **{name: off(said, values) for name, said in forecasts.items()},
    }
    return draw_recurrent(values, forecasts, errors, moods, texts)


if __name__ == "__main__":
    run(main, __file__)
