"""tapegrad.keras: the five lines of a course, and every formula against NumPy or PyTorch."""

import csv
import json
import math
import struct
import subprocess
import sys
import warnings

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import keras
from tapegrad.keras import Input, Sequential, callbacks, layers, losses, metrics, optimizers, utils
from tapegrad.keras.layers import LSTM, Dense
from tapegrad.keras.models import load_model

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


# The surface


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
    assert "Total params: 61 (244.00 B)" in text


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


# Layers against NumPy and PyTorch


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
    for wrong in ({"activation": "relu"}, {"recurrent_activation": "tanh"}, {"return_state": True}):
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


# Losses and metrics


def probabilities(n, k):
    p = RNG.uniform(0.05, 1, size=(n, k))
    return p / p.sum(1, keepdims=True)


def losses_by_hand():
    t, y, p = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3)), probabilities(6, 3)
    hot, q = np.eye(3)[[0, 1, 2, 2, 1, 0]], probabilities(6, 3)
    d = abs(t - y)
    yield "mse", t, y, (d**2).mean(1)
    yield "mae", t, y, d.mean(1)
    yield "mape", t, y, 100 * (d / abs(t)).mean(1)
    yield "msle", p, q, ((np.log1p(p) - np.log1p(q)) ** 2).mean(1)
    yield "huber", 2 * t, 2 * y, np.where(2 * d < 1, 0.5 * (2 * d) ** 2, 2 * d - 0.5).mean(1)
    yield "log_cosh", t, y, np.log(np.cosh(t - y)).mean(1)
    yield "hinge", hot, y, np.maximum(1 - (2 * hot - 1) * y, 0).mean(1)
    yield "kl_divergence", p, q, (p * np.log(p / q)).sum(1)
    yield "poisson", p, q, (q - p * np.log(q)).mean(1)
    yield "cosine_similarity", t, y, -(t * y).sum(1) / np.linalg.norm(t, axis=1) / np.linalg.norm(y, axis=1)
    yield "binary_crossentropy", hot, q, -(hot * np.log(q) + (1 - hot) * np.log(1 - q)).mean(1)
    yield "categorical_crossentropy", hot, 3 * q, -(hot * np.log(q)).sum(1)
    yield "sparse_categorical_crossentropy", hot.argmax(1), q, -(hot * np.log(q)).sum(1)


@pytest.mark.parametrize("case", list(losses_by_hand()), ids=lambda c: c[0])
def test_losses(case):
    name, t, y, each = case
    loss = losses.get(name)
    weight = np.arange(1.0, 7.0)
    got = [loss(t, y).item(), loss(t, y, weight).item(), type(loss)(reduction="sum")(t, y, weight).item()]
    np.testing.assert_allclose(got, [each.mean(), (each * weight).sum() / 6, (each * weight).sum()], rtol=1e-5)
    np.testing.assert_allclose(type(loss)(reduction=None)(t, y).numpy(), each, rtol=1e-5)
    mean = type(loss)(reduction="mean_with_sample_weight")(t, y, weight).item()
    np.testing.assert_allclose(mean, (each * weight).sum() / weight.sum(), rtol=1e-5)


def test_logits_smoothing_and_shapes():
    z = RNG.normal(size=(6, 3))
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    hot = np.eye(3)[[0, 1, 2, 2, 1, 0]]
    smooth = hot * 0.9 + 0.1 / 3
    got = losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)(hot, z).item()
    np.testing.assert_allclose(got, -(smooth * np.log(p)).sum(1).mean(), rtol=1e-6)
    b = hot * 0.8 + 0.1
    got = losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2)(hot, z).item()
    np.testing.assert_allclose(got, -(b * np.log(sigmoid(z)) + (1 - b) * np.log(1 - sigmoid(z))).mean(), rtol=1e-6)
    assert losses.get("mse")(np.ones(4), np.zeros((4, 1))).item() == 1.0  # not a (4, 4) table
    with pytest.raises(ValueError, match="sparse_categorical_crossentropy"):
        losses.get("categorical_crossentropy")(np.array([0, 1]), np.ones((2, 3)))


def test_confident_mistakes_still_teach():
    """A softmax or sigmoid at the end is undone: the gradient does not die where the probability rounds to 0 or 1."""
    for units, activation, loss, y in [(1, "sigmoid", "binary_crossentropy", [[0.0]]),
                                       (2, "softmax", "sparse_categorical_crossentropy", [0])]:  # fmt: skip
        model = Sequential([Input((1,)), Dense(units, activation=activation)])
        kernel = np.array([[200.0]]) if units == 1 else np.array([[0.0, 200.0]])
        model.set_weights([kernel, np.zeros(units)])
        model.compile(optimizers.SGD(1.0), loss)
        assert model.train_on_batch(np.ones((1, 1)), np.array(y)) == pytest.approx(200.0, rel=1e-5)
        assert abs(model.get_weights()[0] - kernel).max() == pytest.approx(1.0, rel=1e-5)


def test_metrics_against_scikit_learn():
    m = pytest.importorskip("sklearn.metrics")
    t, p, w = RNG.integers(0, 2, 400), RNG.uniform(size=400), RNG.uniform(size=400)
    p = np.clip(p + 0.3 * (t - 0.5), 0, 1)
    for metric, want in [
        (metrics.BinaryAccuracy(), m.accuracy_score(t, p > 0.5)), (metrics.Precision(), m.precision_score(t, p > 0.5)),
        (metrics.Recall(), m.recall_score(t, p > 0.5)),
        (metrics.RootMeanSquaredError(), m.root_mean_squared_error(t, p)),
    ]:  # fmt: skip
        for part in range(0, 400, 150):
            metric.update_state(t[part : part + 150], p[part : part + 150, None])
        assert metric.result() == pytest.approx(want, rel=1e-6)
        metric.reset_state()
        assert metric.result() == 0
    assert metrics.AUC()(t, p) == pytest.approx(m.roc_auc_score(t, p), abs=2e-3)
    assert metrics.AUC(5000)(t, p, w) == pytest.approx(m.roc_auc_score(t, p, sample_weight=w), abs=1e-4)
    assert metrics.Precision()(t, p, w) == pytest.approx(m.precision_score(t, p > 0.5, sample_weight=w))
    y, q = RNG.integers(0, 5, 300), probabilities(300, 5)
    assert metrics.get("accuracy", y, q)(y, q) == pytest.approx(m.accuracy_score(y, q.argmax(1)))
    assert metrics.get("accuracy", np.eye(5)[y], q)(np.eye(5)[y], q) == pytest.approx(m.accuracy_score(y, q.argmax(1)))
    top = metrics.SparseTopKCategoricalAccuracy(2)
    assert top(y[:, None], q) == pytest.approx(m.top_k_accuracy_score(y, q, k=2))
    assert isinstance(metrics.get("acc", t, p[:, None]), metrics.BinaryAccuracy)


# Optimizers by their formulas, written out in NumPy


def steps(name, w, gradients, lr, eps=1e-7):
    m = v = u = d = c = np.zeros_like(w)
    product = 1.0
    total = np.full_like(w, 0.1)
    for t, g in enumerate(gradients, 1):
        if name in ("adam", "adamw", "amsgrad"):
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            c = np.maximum(c, v)
            if name == "adamw":
                w = w - 0.004 * lr * w
            below = np.sqrt(c if name == "amsgrad" else v) + eps
            w = w - lr * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / below
        elif name == "rmsprop":
            v = 0.9 * v + 0.1 * g * g
            w = w - lr * g / np.sqrt(v + eps)
        elif name == "centered":
            v, m = 0.9 * v + 0.1 * g * g, 0.9 * m + 0.1 * g
            u = 0.5 * u + lr * g / np.sqrt(v - m * m + eps)
            w = w - u
        elif name == "adagrad":
            total = total + g * g
            w = w - lr * g / np.sqrt(total + eps)
        elif name == "adadelta":
            v = 0.95 * v + 0.05 * g * g
            step = np.sqrt(d + eps) / np.sqrt(v + eps) * g
            d = 0.95 * d + 0.05 * step * step
            w = w - lr * step
        elif name == "adamax":
            m, u = 0.9 * m + 0.1 * g, np.maximum(0.999 * u, abs(g))
            w = w - lr / (1 - 0.9**t) * m / (u + eps)
        elif name == "nadam":
            now, then = 0.9 * (1 - 0.5 * 0.96**t), 0.9 * (1 - 0.5 * 0.96 ** (t + 1))
            product *= now
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            hat = then * m / (1 - product * then) + (1 - now) * g / (1 - product)
            w = w - lr * hat / (np.sqrt(v / (1 - 0.999**t)) + eps)
        else:
            rate = lr if t <= 3 or name != "changed" else lr / 10
            m = 0.9 * m - rate * g if name != "sgd" else -rate * g
            w = w + (0.9 * m - rate * g if name == "nesterov" else m)
    return w


OPTIMIZERS = {
    "sgd": optimizers.SGD(0.05), "momentum": optimizers.SGD(0.05, momentum=0.9), "adam": optimizers.Adam(0.05),
    "nesterov": optimizers.SGD(0.05, momentum=0.9, nesterov=True), "changed": optimizers.SGD(0.05, momentum=0.9),
    "adamw": optimizers.AdamW(0.05), "amsgrad": optimizers.Adam(0.05, amsgrad=True),
    "rmsprop": optimizers.RMSprop(0.05),
    "centered": optimizers.RMSprop(0.05, centered=True, momentum=0.5), "adagrad": optimizers.Adagrad(0.05),
    "adadelta": optimizers.Adadelta(0.05), "adamax": optimizers.Adamax(0.05), "nadam": optimizers.Nadam(0.05),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_step_as_kerass_formulas(name):
    start = np.array([1.0, -2.0, 3.0, 0.5])
    gradients = [np.random.default_rng(i).normal(size=4) * np.array([1, 1e-3, 1e-6, 10]) for i in range(6)]
    w = tg.tensor(start, requires_grad=True)
    optimizer = optimizers.get({"class_name": type(OPTIMIZERS[name]).__name__, "config": OPTIMIZERS[name].get_config()})
    optimizer.build([w])
    for t, g in enumerate(gradients):
        if name == "changed" and t == 3:
            optimizer.learning_rate = 0.005
        w.grad = tg.tensor(g)
        optimizer.step()
    np.testing.assert_allclose(w.detach().numpy(), steps(name, start, gradients, 0.05), rtol=1e-9)
    assert optimizer.iterations == 6


def test_clipping():
    g = np.array([3.0, -4.0])
    for options, want in [({"clipvalue": 1.0}, [1, -1]), ({"clipnorm": 1.0}, [0.6, -0.8]), ({}, [3, -4]),
                          ({"global_clipnorm": 0.5**0.5}, [0.3, -0.4]), ({"clipnorm": 9.0}, [3, -4])]:  # fmt: skip
        a, b = (tg.tensor([0.0, 0.0], requires_grad=True) for _ in range(2))
        a.grad, b.grad = tg.tensor(g).float(), tg.tensor(g).float()
        optimizer = optimizers.SGD(1.0, **options)
        optimizer.build([a, b])
        optimizer.step()
        np.testing.assert_allclose(-a.detach().numpy(), want, rtol=1e-6)
    with pytest.raises(ValueError, match="one of clipnorm"):
        optimizers.SGD(clipnorm=1, clipvalue=1)
    with pytest.raises(ValueError, match="unknown optimizer 'sdg'"):
        optimizers.get("sdg")


# Training


def test_fit_takes_the_steps_of_a_loop_by_hand():
    """Five epochs of Keras's order of things against plain tapegrad: shuffling, the last small batch, the means."""
    x, y = line(50)
    model = small(metrics=["mae"])
    weights = [tg.tensor(w, requires_grad=True) for w in model.get_weights()]
    w1, b1, w2, b2 = weights
    tg.manual_seed(5)
    history = model.fit(x, y, epochs=5, batch_size=16, verbose=0).history
    tg.manual_seed(5)
    from tapegrad.backends.random import default_generator

    rows, targets = x.astype("float32"), y.astype("float32")[:, None]
    for epoch in range(5):
        order, total, absolute = default_generator.randperm(50), 0.0, 0.0
        for i in range(0, 50, 16):
            part = order[i : i + 16]
            out = (tg.tensor(rows[part]) @ w1 + b1).tanh() @ w2 + b2
            error = out - tg.tensor(targets[part])
            loss = error.square().mean()
            loss.backward()
            total += loss.item() * len(part)
            absolute += error.abs().sum().item()
            with tg.no_grad():
                for w in weights:
                    w -= 0.01 * w.grad
                    w.grad = None
        assert history["loss"][epoch] == pytest.approx(total / 50, rel=1e-5)
        assert history["mae"][epoch] == pytest.approx(absolute / 50, rel=1e-5)
    for got, want in zip(model.get_weights(), weights):
        np.testing.assert_allclose(got, want.detach().numpy(), rtol=1e-4, atol=1e-6)


def test_the_split_is_the_end_of_the_data_before_shuffling():
    x, y = line(50)
    a, b = small(), small()
    b.set_weights(a.get_weights())
    tg.manual_seed(1)
    first = a.fit(x, y, epochs=2, validation_split=0.3, verbose=0).history
    tg.manual_seed(1)
    second = b.fit(x[:35], y[:35], epochs=2, validation_data=(x[35:], y[35:]), verbose=0).history
    assert first == second
    assert first["val_loss"][-1] == pytest.approx(a.evaluate(x[35:], y[35:], verbose=0))
    with pytest.raises(ValueError, match="leaves none"):
        a.fit(x, y, validation_split=0.99, verbose=0)


def test_weights_of_samples_and_classes():
    x, _ = line(40)
    y = np.arange(40) % 3
    model = Sequential([Input((4,)), Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"], weighted_metrics=["accuracy"])
    p = model.predict(x, verbose=0)
    weight = np.array([1.0, 2.0, 0.5])[y]
    loss, plain, weighted = model.evaluate(x, y, sample_weight=weight, batch_size=7, verbose=0)
    right = p.argmax(1) == y
    assert loss == pytest.approx(-(weight * np.log(p[np.arange(40), y])).mean(), rel=1e-5)
    assert (plain, weighted) == pytest.approx((right.mean(), (weight * right).sum() / weight.sum()))
    assert model.metrics_names == ["loss", "accuracy", "accuracy_1"]
    got = model.test_on_batch(x, y, sample_weight=weight, return_dict=True)
    assert got["loss"] == pytest.approx(loss, rel=1e-5)
    a = model.train_on_batch(x, y, class_weight={1: 2.0, 2: 0.5}, return_dict=True)
    assert a["loss"] == pytest.approx(loss, rel=1e-5)
    with pytest.raises(ValueError, match="not both"):
        model.fit(x, y, class_weight={0: 1.0}, sample_weight=weight, verbose=0)


def test_iterables_steps_and_regularizers():
    x, y = line(48)
    model = Sequential([Input((4,)), Dense(1, kernel_regularizer=keras.regularizers.l1_l2(0.1, 0.2))])
    model.compile("sgd", "mse")
    w = model.get_weights()[0]
    plain = ((model.predict(x, verbose=0)[:, 0] - y) ** 2).mean()
    assert model.evaluate(x, y, verbose=0) == pytest.approx(plain + 0.1 * abs(w).sum() + 0.2 * (w**2).sum(), rel=1e-5)
    loader = tg.utils.data.DataLoader(
        tg.utils.data.TensorDataset(tg.tensor(x).float(), tg.tensor(y).float()), batch_size=8, shuffle=True
    )
    history = model.fit(loader, epochs=3, validation_data=(x, y), verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert model.predict(loader, verbose=0).shape == (48, 1)
    seen = []
    model.fit(x, y, batch_size=8, steps_per_epoch=2, epochs=4, initial_epoch=1, verbose=0,
              callbacks=[callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: seen.append(b))])  # fmt: skip
    assert seen == [0, 1] * 3


def test_frozen_layers_stay():
    x, y = line()
    model = small()
    model.layers[0].trainable = False
    before = model.get_weights()
    model.fit(x, y, epochs=2, verbose=0)
    after = model.get_weights()
    assert [np.array_equal(a, b) for a, b in zip(before, after)] == [True, True, False, False]
    assert len(model.trainable_weights) == 2
    model.trainable = False
    assert not model.trainable_weights
    model.trainable = True
    model.train_on_batch(x, y)
    assert not np.array_equal(before[0], model.get_weights()[0])


@pytest.mark.parametrize(("last", "loss", "y"), [
    (Dense(1, activation="sigmoid", name="a"), "binary_crossentropy", lambda y: (y > 0).astype(int)),
    (Dense(2, activation="softmax", name="b"), "categorical_crossentropy", lambda y: np.eye(2)[(y > 0).astype(int)]),
    (Dense(2, name="c"), losses.SparseCategoricalCrossentropy(from_logits=True), lambda y: (y > 0).astype(int)),
])  # fmt: skip
def test_accuracy_rises_for_each_kind_of_target(last, loss, y):
    x, t = line(200)
    model = Sequential([Dense(16, activation="relu"), last])
    model.compile(optimizers.Adam(0.02), loss, metrics=["accuracy"])
    history = model.fit(x, y(t), epochs=15, verbose=0).history
    assert history["accuracy"][-1] > 0.93


# Callbacks


class Scripted(callbacks.Callback):
    """Replaces the losses of the passes by given ones; it comes first."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


def go(values, *others, **kwargs):
    model = small(**kwargs)
    x, y = line()
    history = model.fit(x, y, epochs=len(values), verbose=0, callbacks=[Scripted(values), *others])
    return model, history.history


@pytest.mark.parametrize(("options", "values", "passes"), [
    ({}, [3, 2, 2.5, 1], 3), ({"patience": 2}, [3, 2, 2.5, 1, 1, 1, 1], 6), ({"patience": 1}, [1, 2, 0], 2),
    ({"min_delta": 1, "patience": 2}, [3, 2.5, 2.2, 2.1], 3), ({"mode": "max", "patience": 2}, [1, 2, 1, 1, 5], 4),
    ({"baseline": 1.0, "patience": 3}, [3, 2, 1.5, 1.2], 3), ({"start_from_epoch": 3}, [1, 2, 3, 4, 3, 3], 6),
])  # fmt: skip
def test_early_stopping(options, values, passes):
    _, history = go(values, callbacks.EarlyStopping(**options))
    assert len(history["val_loss"]) == passes


def test_early_stopping_restores_the_best():
    kept = []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda e, logs: kept.append(keep.model.get_weights()))
    stop = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    model, _ = go([3, 1, 2, 2, 0], keep, stop)
    assert (stop.stopped_epoch, stop.best_epoch, stop.best) == (3, 1, 1)
    for a, b in zip(model.get_weights(), kept[1]):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="val_acc"):
        go([1, 2], callbacks.EarlyStopping("val_acc"))


def test_learning_rates():
    plateau = callbacks.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=2, min_lr=0.004)
    model, history = go([1] * 9, plateau)
    assert history["learning_rate"] == pytest.approx([0.01] * 3 + [0.005] * 3 + [0.004] * 3)
    assert model.optimizer.inner.param_groups[0]["lr"] == 0.004
    _, history = go([1] * 3, callbacks.LearningRateScheduler(lambda epoch, lr: lr / 2))
    assert history["learning_rate"] == [0.005, 0.0025, 0.00125]


def test_checkpoints_and_tables(tmp_path):
    every = callbacks.ModelCheckpoint(tmp_path / "a" / "{epoch:02d}-{val_loss:.1f}.keras")
    best = callbacks.ModelCheckpoint(str(tmp_path / "best.safetensors"), save_best_only=True, save_weights_only=True)
    table = callbacks.CSVLogger(tmp_path / "log.csv", separator=";")
    kept = []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda e, logs: kept.append(keep.model.get_weights()))
    model, history = go([3, 1, 2], keep, every, best, table)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["01-3.0.keras", "02-1.0.keras", "03-2.0.keras"]
    model.load_weights(tmp_path / "best.safetensors")
    np.testing.assert_array_equal(model.get_weights()[0], kept[1][0])
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [(r["epoch"], float(r["val_loss"])) for r in rows] == [("0", 3), ("1", 1), ("2", 2)]
    assert [float(r["loss"]) for r in rows] == history["loss"]
    go([5], callbacks.CSVLogger(tmp_path / "log.csv", separator=";", append=True))
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 5
    batches = callbacks.ModelCheckpoint(tmp_path / "b{epoch}-{batch}.keras", save_freq=2)
    x, y = line()
    model.fit(x, y, batch_size=16, epochs=1, callbacks=[batches], verbose=0)
    assert sorted(p.name for p in tmp_path.glob("b1*")) == ["b1-2.keras", "b1-4.keras"]


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_loss_that_is_no_number_ends_the_training(capsys):
    x, y = line()
    model = small(optimizer=optimizers.SGD(1e30))
    history = model.fit(x, y, epochs=5, batch_size=8, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert len(history.epoch) == 1
    assert "training ends" in capsys.readouterr().out


def records(path):
    """The messages of an event file, by the format's description; wrong checksums fail."""
    from tapegrad.keras.callbacks.tensorboard import crc32c

    data, found = path.read_bytes(), []
    while data:
        length, crc = struct.unpack_from("<QI", data)
        body = data[12 : 12 + length]
        for part, masked in ((data[:8], crc), (body, struct.unpack_from("<I", data, 12 + length)[0])):
            plain = (masked - 0xA282EAD8) & 0xFFFFFFFF
            assert ((plain >> 17) | (plain << 15)) & 0xFFFFFFFF == crc32c(part)
        found.append(body)
        data = data[16 + length :]
    return found


def test_tensorboard_files(tmp_path):
    _, history = go([2, 1], callbacks.TensorBoard(tmp_path, update_freq="batch"))
    (train,) = (tmp_path / "train").iterdir()
    (held,) = (tmp_path / "validation").iterdir()
    found = records(held)
    assert b"brain.Event:2" in found[0]
    assert [struct.unpack("<f", r[-4:])[0] for r in found[1:]] == [2, 1]
    assert all(b"\x0a\x0aepoch_loss\x15" in r for r in found[1:])
    assert found[2][9:11] == b"\x10\x01"  # the step
    losses_ = [struct.unpack("<f", r[-4:])[0] for r in records(train) if b"epoch_loss" in r]
    np.testing.assert_allclose(losses_, history["loss"], rtol=1e-6)
    assert sum(b"batch_loss" in r for r in records(train)) == 4
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = loader.EventAccumulator(str(tmp_path / "validation")).Reload()
    assert [e.value for e in events.Scalars("epoch_loss")] == [2, 1]


# Saving


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
