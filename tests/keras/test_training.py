"""tapegrad.keras: fit, evaluate and predict."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import keras
from tapegrad.keras import Input, Sequential, callbacks, losses, optimizers
from tapegrad.keras.layers import Dense

from .conftest import line, small


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


def test_a_pass_of_some_steps_goes_on_where_the_last_one_ended():
    x, y = line(12)
    seen = []
    keep = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    small().fit(x, y, batch_size=4, steps_per_epoch=3, epochs=2, verbose=0, callbacks=[keep])
    assert seen == [0, 1, 2] * 2
    taken = iter([(x[:4], y[:4])] * 5)
    small().fit(taken, steps_per_epoch=2, epochs=2, verbose=0)
    assert len(list(taken)) == 1  # no batch is drawn and dropped
    with pytest.warns(UserWarning, match="ended after 3 of steps_per_epoch=5"):
        small().fit(x, y, batch_size=4, steps_per_epoch=5, verbose=0)


def test_a_model_without_weights_is_fitted_and_lists_are_unwrapped():
    model = Sequential([Input((4,)), keras.layers.Activation("tanh")])
    model.compile("adam", ["mse"], metrics=[["mae"]])
    x = np.ones((6, 4))
    assert list(model.fit(x, x, verbose=0).history) == ["loss", "mae"]
    with pytest.raises(ValueError, match="must be a list"):
        model.compile("adam", "mse", metrics={"out": "mae"})
