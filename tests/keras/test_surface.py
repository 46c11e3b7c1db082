"""tapegrad.keras: the five lines of a course, names, building, and data that does not fit."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.keras import Input, Sequential, callbacks, layers, utils
from tapegrad.keras.layers import Dense

from .conftest import line, small


def test_the_five_lines(capsys):
    from tapegrad.keras.layers import Dense
    from tapegrad.keras.models import Sequential

    model = Sequential()
    model.add(Dense(10, activation="relu"))
    model.add(Dense(1))
    model.compile(optimizer="adam", loss="mse")
    x, y = line(200)
    history = model.fit(x, y, epochs=80, batch_size=16, validation_split=0.2, verbose=0,
                        callbacks=[callbacks.EarlyStopping(patience=5)])  # fmt: skip
    assert history.history["val_loss"][-1] < 0.5 * history.history["val_loss"][0]
    assert history.epoch == list(range(80))
    assert model.evaluate(x, y, verbose=0) < history.history["loss"][0]
    assert model.predict(x, verbose=0).shape == (200, 1)
    model.summary()
    text = capsys.readouterr().out
    assert 'Model: "sequential"' in text
    assert "│ dense (Dense)" in text
    assert "Total params: 185 (740.00 B)" in text
    assert "Trainable params: 61 (244.00 B)" in text
    assert "Optimizer params: 124 (496.00 B)" in text  # two numbers for each weight, the step count and the rate


def test_the_bar_and_the_line(capsys):
    pytest.importorskip("tqdm")
    x, y = line()
    small().fit(x, y, epochs=1)
    assert "Epoch 1/1" in capsys.readouterr().err
    small().fit(x, y, epochs=2, verbose=2)
    out = capsys.readouterr()
    assert out.out.count("loss: ") == 2
    assert not out.err


def test_importing_tapegrad_does_not_import_keras_or_scikit_learn():
    code = "import sys, tapegrad; print([m for m in sys.modules if 'keras' in m or 'sklearn' in m or 'tqdm' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tg.__path__[-1])
    assert done.stdout.strip() == "[]"


def test_building_adding_popping():
    model = Sequential([Dense(5, name="a"), Dense(2)])
    assert not model.built
    with pytest.raises(ValueError, match="not built yet"):
        model.count_params()
    model(np.zeros((3, 4)))
    assert model.count_params() == 4 * 5 + 5 + 5 * 2 + 2
    model.add(Dense(1))
    assert model.output_shape == (None, 1)
    assert [layer.name for layer in model.layers] == ["a", "dense", "dense_1"]
    model.pop()
    assert model.predict(np.zeros((3, 4)), verbose=0).shape == (3, 2)
    assert len(model.get_weights()) == 4
    assert Sequential([Dense(2, input_shape=(7,))]).count_params() == 16
    nested = Sequential([Input((4,)), Sequential([Dense(3), Dense(2)], name="inner"), Dense(1)])
    assert nested.count_params() == 15 + 8 + 3
    for wrong, text in [(tg.nn.Linear(2, 2), "needs a layer"), (layers.Dense(1, name="a"), "called 'a' already")]:
        with pytest.raises((TypeError, ValueError), match=text):
            model.add(wrong)
    with pytest.raises(ValueError, match="declared for inputs"):
        Sequential([Input((4,)), Dense(1)]).build((None, 5))
    with pytest.raises(RuntimeError, match="call compile"):
        Sequential([Dense(1)]).fit(np.zeros((2, 2)), np.zeros(2))


@pytest.mark.parametrize(("cls", "name"), [("MaxPooling2D", "max_pooling2d"), ("Conv2D", "conv2d"), ("LSTM", "lstm"),
    ("SimpleRNN", "simple_rnn"), ("GRU", "gru"), ("BatchNormalization", "batch_normalization"), ("ReLU", "re_lu"),
    ("GlobalAveragePooling2D", "global_average_pooling2d"), ("Dense", "dense")])  # fmt: skip
def test_names(cls, name):
    from tapegrad.keras.layers.base import name_for

    assert name_for(getattr(layers, cls)) == name
    assert name_for(getattr(layers, cls)) == f"{name}_1"


def test_to_categorical_and_data_that_does_not_fit():
    np.testing.assert_array_equal(utils.to_categorical([[1], [0]], 3), [[0, 1, 0], [1, 0, 0]])
    model = small()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x, y, text in [
            (np.ones((4, 4)), np.ones(3), "x has 4 examples, but y"), (np.ones((0, 4)), None, "no examples"),
            (np.ones((4, 4)), np.ones((4, 2)), "targets have shape"), (np.ones((4, 5)), np.ones(4), "features"),
            (np.ones((4, 4)), None, "give y"),
        ]:  # fmt: skip
            with pytest.raises(ValueError, match=text):
                model.fit(x, y, verbose=0)
