"""What the tests of tapegrad.keras share: a fresh count of names and seed, a line to learn, a small model."""

import numpy as np
import pytest

from tapegrad.keras import Input, Sequential, utils
from tapegrad.keras.layers import Dense

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def fresh():
    utils.clear_session()
    utils.set_random_seed(0)


def line(n=64, features=4):
    x = np.random.default_rng(1).normal(size=(n, features))
    return x, x @ np.arange(1.0, features + 1)


def small(**compile):
    model = Sequential([Input(shape=(4,)), Dense(3, activation="tanh"), Dense(1)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compile})
    return model
