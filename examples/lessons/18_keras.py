"""Lesson 18: five lines of Keras, with only the two import lines changed: how ill will a diabetic be in a year?"""

import numpy as np
from _common import BLUE, GREY, ORANGE, RED, datasets, page, run, standard_split

from tapegrad.keras.callbacks import EarlyStopping
from tapegrad.keras.layers import Dense
from tapegrad.keras.models import Sequential


def patients():
    """Ten measurements of 442 patients, and how far the illness went within a year: both with mean 0 and spread 1."""
    x, y, test_x, test_y = standard_split(datasets.load_diabetes())
    mean, spread = y.mean(), y.std()
    return x, ((y - mean) / spread).astype(np.float32), test_x, ((test_y - mean) / spread).astype(np.float32)


def build_model():
    model = Sequential()
    model.add(Dense(10, activation="relu"))
    model.add(Dense(1))
    model.compile(optimizer="adam", loss="mse")
    return model


def fit(model, x, y, epochs=200, patience=15, verbose=0):
    """A fifth of the data is kept to watch; training ends when it has not improved for a while."""
    stop = EarlyStopping(monitor="val_loss", patience=patience, restore_best_weights=True)
    return model.fit(
        x, y, epochs=epochs, batch_size=32, validation_split=0.2, callbacks=[stop], verbose=verbose
    ).history


def straight_line(x, y, test_x):
    """The best linear guess, by least squares: what the network has to beat, or at least to reach."""
    weights, *_ = np.linalg.lstsq(np.c_[x, np.ones(len(x))], y, rcond=None)
    return np.c_[test_x, np.ones(len(test_x))] @ weights


def explained(guess, truth):
    """The share of the differences between patients that the guess explains (R squared)."""
    return 1 - float(((guess - truth) ** 2).mean() / truth.var())


def draw(history, guess, truth, line):
    figure, axes = page(1, 3, "Lesson 18 · Five lines of Keras", size=(12, 4.4))
    best = int(np.argmin(history["val_loss"]))
    axes[0, 0].plot(history["loss"], color=BLUE, label="training")
    axes[0, 0].plot(history["val_loss"], color=RED, label="kept to watch")
    axes[0, 0].axvline(best, color=GREY, linestyle=":", linewidth=1.5)
    axes[0, 0].annotate(
        "best weights", (best, max(history["val_loss"])), (4, -10), textcoords="offset points", color=GREY
    )
    axes[0, 0].set(title="The history that fit returns", xlabel="epoch", ylabel="mean squared error")
    axes[0, 0].legend(loc="upper center")
    for place, values, color, name in ((1, guess, BLUE, "network"), (2, line, ORANGE, "straight line")):
        axes[0, place].scatter(truth, values, s=14, color=color, alpha=0.7)
        axes[0, place].plot([-2, 2.5], [-2, 2.5], color=GREY, linewidth=1)
        axes[0, place].set(
            title=f"{name}: {explained(values, truth):.0%} explained", xlabel="illness after a year", ylabel="guessed",
            xlim=(-2, 2.5), ylim=(-2, 2.5),
        )  # fmt: skip
    return figure


def main():
    x, y, test_x, test_y = patients()
    model = build_model()
    history = fit(model, x, y, verbose=1)
    model.summary()
    loss = model.evaluate(test_x, test_y, verbose=0)
    guess, line = model.predict(test_x, verbose=0)[:, 0], straight_line(x, y, test_x)
    print(f"\nStopped after {len(history['loss'])} epochs; the loss fell from {history['loss'][0]:.2f} to "
          f"{history['loss'][-1]:.2f}, and on new patients it is {loss:.2f}.")  # fmt: skip
    print(f"On new patients the network explains {explained(guess, test_y):.0%} of the differences, a straight line "
          f"{explained(line, test_y):.0%}: with so few patients and measurements, depth buys nothing.")  # fmt: skip
    return draw(history, guess, test_y, line)


if __name__ == "__main__":
    run(main, __file__)
