"""tapegrad.keras: models in files."""

import json

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import keras
from tapegrad.keras import Input, Sequential, layers, losses, metrics, optimizers
from tapegrad.keras.layers import Dense
from tapegrad.keras.models import load_model

from .conftest import RNG, line, small


def everything():
    return Sequential([
        Input((8, 8, 1)), layers.Conv2D(4, 3, padding="same", activation="relu", kernel_regularizer="l2"),
        layers.MaxPooling2D(), layers.BatchNormalization(), layers.Reshape((16, 4)),
        layers.GRU(5, return_sequences=True),
        layers.LSTM(5, return_sequences=True), layers.SimpleRNN(4, return_sequences=True), layers.LayerNormalization(),
        Sequential([layers.Flatten(), Dense(6)]), layers.Activation("tanh"), layers.Dropout(0.1),
        Dense(3, activation="softmax", kernel_initializer=keras.initializers.HeNormal(seed=3)),
    ])  # fmt: skip


def test_a_saved_model_goes_on_as_the_first_one(tmp_path):
    pytest.importorskip("safetensors")
    x, y = RNG.normal(size=(20, 8, 8, 1)), RNG.integers(0, 3, 20)
    model = everything()
    model.compile(optimizers.Adam(0.01, clipnorm=1.0), losses.SparseCategoricalCrossentropy(),
                  ["accuracy", metrics.SparseTopKCategoricalAccuracy(2)])  # fmt: skip
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    for m in (model, again):
        tg.manual_seed(3)
        m.fit(x, y, epochs=2, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    assert again.optimizer.iterations == model.optimizer.iterations
    json.loads(model.to_json())
    with pytest.raises(FileExistsError):
        model.save(tmp_path / "m.keras", overwrite=False)
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "none.keras")
    (tmp_path / "cut.keras").write_bytes((tmp_path / "m.keras").read_bytes()[:500])
    with pytest.raises(ValueError, match=r"cut\.keras"):
        load_model(tmp_path / "cut.keras")
    with pytest.raises(ValueError, match="do not fit"):
        small().load_weights(tmp_path / "m.keras")


def test_what_saving_refuses(tmp_path):
    pytest.importorskip("safetensors")
    path = tmp_path / "m.keras"
    small().save(path)
    content = path.read_bytes()
    odd = Sequential([Input((2,)), Dense(2, activation=lambda x: x * 2)])
    with pytest.raises(ValueError, match="named activation"):
        odd.save(path)
    assert path.read_bytes() == content  # what was there is there still
    assert [p.name for p in tmp_path.iterdir()] == ["m.keras"]
    own = small(loss=lambda t, y: (t - y.squeeze(-1)).abs())
    with pytest.warns(UserWarning, match="function of your own"):
        own.save(path)
    assert not load_model(path).compiled
    with pytest.raises(ValueError, match="not built"):
        Sequential([Dense(2)]).save(path)


class Scale(layers.Layer):
    """A layer of the user's own."""

    def build(self, input_shape):
        self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")

    def call(self, inputs):
        return inputs * self.factor


def test_a_layer_of_the_users_own(tmp_path):
    pytest.importorskip("safetensors")
    model = Sequential([Input((4,)), Scale(), Dense(1)])
    model.compile("sgd", "mse")
    x, y = line()
    before = model.get_weights()[0].copy()
    model.fit(x, y, epochs=1, verbose=0)
    assert abs(model.get_weights()[0] - before).max() > 0
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="custom_objects"):
        load_model(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras", custom_objects={"Scale": Scale})
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_functions_of_keras_are_saved_by_name(tmp_path):
    pytest.importorskip("safetensors")
    model = small(loss=losses.mean_absolute_error, metrics=[losses.mean_squared_error, metrics.F1Score(threshold=0.5)],
                  optimizer=optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 50), momentum=0.9))  # fmt: skip
    x, y = line()
    model.fit(x, y, epochs=2, verbose=0, shuffle=False)
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    for m in (model, again):
        m.fit(x, y, epochs=1, verbose=0, shuffle=False)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    assert again.optimizer.learning_rate == model.optimizer.learning_rate < 0.1
