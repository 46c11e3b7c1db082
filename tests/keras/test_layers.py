"""tapegrad.keras: layers against NumPy and PyTorch."""

import math

import numpy as np
import pytest

from tapegrad import keras
from tapegrad.keras import Input, Sequential, layers
from tapegrad.keras.layers import LSTM, Dense

from .conftest import RNG


def run(layer, x):
    return Sequential([layer]).predict(x, verbose=0)


def test_dense_and_its_initialisation():
    layer = Dense(300, activation="softplus")
    x = RNG.normal(size=(5, 200))
    got = run(layer, x)
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(got, np.log1p(np.exp(x @ kernel + bias)), rtol=2e-4)
    bound = math.sqrt(6 / 500)
    assert 0.98 * bound < abs(kernel).max() <= bound
    assert not bias.any()


def test_initializers_have_kerass_variances():
    shape = (3, 3, 40, 50)
    for name, variance in [("glorot_uniform", 2 / (9 * 90)), ("glorot_normal", 2 / (9 * 90)), ("he_normal", 2 / 360),
                           ("he_uniform", 2 / 360), ("lecun_normal", 1 / 360), ("random_normal", 0.05**2),
                           ("random_uniform", 0.05**2 / 3)]:  # fmt: skip
        got = keras.initializers.get(name)(shape)
        assert abs(got.var() / variance - 1) < 0.05, name
    q = keras.initializers.Orthogonal(seed=1)((7, 4))
    np.testing.assert_allclose(q.T @ q, np.eye(4), atol=1e-5)
    np.testing.assert_array_equal(q, keras.initializers.Orthogonal(seed=1)((7, 4)))


@pytest.mark.parity
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("kernel", "strides", "dilation"), [(3, 1, 1), ((2, 3), 2, 1), (4, (3, 2), 1), (3, 1, 2)])
def test_conv2d(padding, kernel, strides, dilation):
    torch = pytest.importorskip("torch")
    x = RNG.normal(size=(2, 9, 8, 3)).astype("float32")
    layer = layers.Conv2D(5, kernel, strides, padding, dilation_rate=dilation, bias_initializer="ones")
    got = run(layer, x)
    w, b = layer.get_weights()
    assert w.shape == (*layer.kernel_size, 3, 5)
    image = torch.tensor(x.transpose(0, 3, 1, 2))
    if padding == "same":
        pads = []
        for n, k, s in list(zip((9, 8), w.shape[:2], layer.strides))[::-1]:
            reach = (k - 1) * dilation + 1
            total = max((-(-n // s) - 1) * s + reach - n, 0)
            pads += [total // 2, total - total // 2]
        image = torch.nn.functional.pad(image, pads)
    want = torch.nn.functional.conv2d(image, torch.tensor(w.transpose(3, 2, 0, 1)), torch.tensor(b), layer.strides,
                                      dilation=dilation)  # fmt: skip
    np.testing.assert_allclose(got, want.numpy().transpose(0, 2, 3, 1), atol=1e-5)
    assert layer.output_shape == (None, *got.shape[1:])


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "strides"), [(2, None), (3, 2), ((2, 3), (1, 2))])
def test_pooling(padding, size, strides):
    x = RNG.normal(size=(2, 7, 8, 3)).astype("float32")
    for cls, reduce in ((layers.MaxPooling2D, np.nanmax), (layers.AveragePooling2D, np.nanmean)):
        layer = cls(size, strides, padding)
        got = run(layer, x)
        wide = np.full((2, 20, 20, 3), np.nan)
        offsets = [0, 0]
        if padding == "same":
            for d, (n, k, s) in enumerate(zip((7, 8), layer.pool_size, layer.strides)):
                offsets[d] = max((-(-n // s) - 1) * s + k - n, 0) // 2
        wide[:, offsets[0] : offsets[0] + 7, offsets[1] : offsets[1] + 8] = x
        for i in range(got.shape[1]):
            for j in range(got.shape[2]):
                a, b = i * layer.strides[0], j * layer.strides[1]
                window = wide[:, a : a + layer.pool_size[0], b : b + layer.pool_size[1]]
                np.testing.assert_allclose(got[:, i, j], reduce(window, axis=(1, 2)), rtol=1e-5, atol=1e-6)
        assert layer.output_shape == (None, *got.shape[1:])


def test_layers_without_weights():
    x = RNG.normal(size=(2, 4, 6, 3)).astype("float32")
    np.testing.assert_allclose(run(layers.GlobalAveragePooling2D(), x), x.mean((1, 2)), atol=1e-6)
    np.testing.assert_array_equal(run(layers.GlobalMaxPooling2D(), x), x.max((1, 2)))
    np.testing.assert_array_equal(run(layers.Flatten(), x), x.reshape(2, -1))
    np.testing.assert_array_equal(run(layers.Reshape((6, -1)), x), x.reshape(2, 6, -1))
    np.testing.assert_allclose(run(layers.LeakyReLU(), x), np.where(x > 0, x, 0.3 * x))
    np.testing.assert_array_equal(run(layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2), x),
        np.minimum(np.where(x >= 0.2, x, np.float32(0.1) * (x - np.float32(0.2))), 1.0))  # fmt: skip
    np.testing.assert_allclose(run(layers.Softmax(), x).sum(-1), 1, rtol=1e-6)
    drop = layers.Dropout(0.25, noise_shape=(None, 1, 1, None))
    drop.train()
    got = drop(np.ones((50, 4, 6, 30), "float32")).numpy()
    np.testing.assert_array_equal(got, np.broadcast_to(got[:, :1, :1], got.shape))
    np.testing.assert_allclose(np.unique(got), [0, 4 / 3], rtol=1e-6)
    np.testing.assert_array_equal(run(layers.Dropout(0.25), x), x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def recurrent(kind, x, kernel, back, bias, units):
    """Keras's formulas in float64."""
    h, c, out = np.zeros((len(x), units)), np.zeros((len(x), units)), []
    for t in range(x.shape[1]):
        if kind == "SimpleRNN":
            h = np.tanh(x[:, t] @ kernel + h @ back + bias)
        elif kind == "LSTM":
            i, f, g, o = np.split(x[:, t] @ kernel + h @ back + bias, 4, 1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        else:
            xz, xr, xh = np.split(x[:, t] @ kernel + bias[0], 3, 1)
            hz, hr, hh = np.split(h @ back + bias[1], 3, 1)
            z, r = sigmoid(xz + hz), sigmoid(xr + hr)
            h = z * h + (1 - z) * np.tanh(xh + r * hh)
        out.append(h)
    return np.stack(out, 1)


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_recurrent_layers(kind):
    x = RNG.normal(size=(3, 5, 4))
    layer = getattr(layers, kind)(
        6, return_sequences=True, bias_initializer=keras.initializers.RandomNormal(stddev=1.0)
    )
    got = run(layer, x)
    kernel, back, bias = layer.get_weights()
    want = recurrent(kind, x, kernel, back, bias, 6)
    np.testing.assert_allclose(got, want, atol=1e-5)
    gates = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}[kind]
    assert (kernel.shape, back.shape) == ((4, 6 * gates), (6, 6 * gates))
    assert layer.count_params() == 6 * gates * (4 + 6 + (2 if kind == "GRU" else 1))
    last = getattr(layers, kind)(6, go_backwards=True)
    run(last, x)
    last.set_weights([kernel, back, bias])
    np.testing.assert_allclose(run(last, x), recurrent(kind, x[:, ::-1], kernel, back, bias, 6)[:, -1], atol=1e-5)


def test_recurrent_initialisation_and_one_bias():
    model = Sequential([Input((5, 4)), LSTM(6)])
    _, back, bias = model.get_weights()
    np.testing.assert_array_equal(bias, np.repeat([0.0, 1.0, 0.0, 0.0], 6))
    np.testing.assert_allclose(back @ back.T, np.eye(6), atol=1e-5)
    model.compile("sgd", "mse")
    model.train_on_batch(RNG.normal(size=(3, 5, 4)), np.ones((3, 6)))
    assert not model.layers[0].cell.bias_hh_l0.detach().numpy().any()
    for wrong in ({"return_state": True}, {"stateful": True}, {"recurrent_dropout": 0.1}):
        with pytest.raises(ValueError, match="LSTM"):
            LSTM(3, **wrong)
    with pytest.raises(ValueError, match="mask_zero"):
        layers.Embedding(3, 2, mask_zero=True)


def test_batch_normalization_moves_its_statistics_as_keras():
    x = RNG.normal(2, 3, size=(6, 4, 5, 3)).astype("float32")
    layer = layers.BatchNormalization()
    layer.train()
    got = layer(x).detach().numpy()
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    np.testing.assert_allclose(got, (x - mean) / np.sqrt(var + 1e-3), atol=1e-5)
    gamma, beta, moving_mean, moving_var = layer.get_weights()
    np.testing.assert_allclose(moving_mean, 0.01 * mean, rtol=1e-5)
    np.testing.assert_allclose(moving_var, 0.99 + 0.01 * var, rtol=1e-5)
    assert [w.trainable for w in layer.weights] == [True, True, False, False]
    layer.set_weights([gamma * 2, beta + 1, mean, var])
    layer.eval()
    np.testing.assert_allclose(layer(x).detach().numpy(), 2 * (x - mean) / np.sqrt(var + 1e-3) + 1, atol=1e-5)
    layer.trainable = False
    layer.train()
    layer(x + 5)
    np.testing.assert_array_equal(layer.get_weights()[2], mean)


def test_layer_normalization_and_embedding():
    x = RNG.normal(size=(3, 4, 5)).astype("float32")
    want = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(run(layers.LayerNormalization(), x), want, atol=1e-5)
    layer = layers.Embedding(7, 3)
    numbers = np.array([[0, 6], [2, 2]])
    np.testing.assert_array_equal(run(layer, numbers), layer.get_weights()[0][numbers])
    assert abs(layer.get_weights()[0]).max() <= 0.05


def test_what_a_layer_shows_and_refuses():
    layer = Dense(3)
    layer.ensure_built((None, 4))
    np.testing.assert_array_equal(layer.kernel.numpy(), layer.get_weights()[0])
    assert layer.bias.shape == (3,)
    with pytest.raises(AttributeError, match="gamma"):
        _ = layer.gamma
    assert Dense(2, dtype="float32").units == 2
    with pytest.raises(ValueError, match="set_default_dtype"):
        Dense(2, dtype="float16")
    for small in (layers.Conv2D(2, 3), layers.MaxPooling2D(3)):
        with pytest.raises(ValueError, match="padding='same'"):
            Sequential([Input((2, 2, 1)), small])


def test_dropout_with_a_seed_of_its_own():
    x = np.ones((40, 50), "float32")
    first, again, other = (layers.Dropout(0.25, seed=seed)(x, training=True).numpy() for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_allclose(np.unique(first), [0, 4 / 3], rtol=1e-6)
    assert abs((first == 0).mean() - 0.25) < 0.05


class Told(layers.Layer):
    """A layer of the user's own that is told whether it is training."""

    def call(self, inputs, training=None):
        return inputs * (2.0 if training else 1.0)


def test_the_argument_training():
    x = np.ones((2, 3), "float32")
    model = Sequential([Told(), layers.Dropout(0.5)])
    model.eval()
    np.testing.assert_array_equal(model(x).numpy(), x)
    assert set(np.unique(model(x, training=True).numpy())) <= {0.0, 4.0}
    assert not model.training
    assert not any(module.training for module in model.modules())
    np.testing.assert_array_equal(model(x).numpy(), x)
