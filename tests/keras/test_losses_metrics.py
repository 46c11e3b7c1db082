"""tapegrad.keras: losses and metrics against NumPy and scikit-learn."""

import numpy as np
import pytest

from tapegrad.keras import Input, Sequential, losses, metrics, optimizers
from tapegrad.keras.layers import Dense

from .conftest import RNG


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


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


def test_functions_take_arrays_and_classes_have_one_name():
    t, y = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3))
    np.testing.assert_allclose(losses.mean_squared_error(t, y).numpy(), ((t - y) ** 2).mean(1))
    assert type(losses.get(losses.huber)) is type(losses.get("huber")) is type(losses.get(["Huber"])) is losses.Huber
    weight = RNG.uniform(size=6)
    np.testing.assert_array_equal(losses.MeanSquaredError()(t, y, weight[:, None]).item(),
                                  losses.MeanSquaredError()(t, y, weight).item())  # fmt: skip
    with pytest.raises(ValueError, match="sample_weight"):
        losses.MeanSquaredError()(t, y, weight[:, None, None])


class Batches(metrics.Metric):
    """A metric of the user's own."""

    def __init__(self, name="batches", **kwargs):
        super().__init__(name=name, **kwargs)
        self.seen = self.add_weight(name="seen", initializer="zeros")
        self.rows = self.add_weight(shape=(2,), name="rows")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.seen.assign_add(1)
        self.rows.assign([len(y_true), 0])

    def result(self):
        return self.seen


def test_metrics_of_ones_own_and_with_a_number_for_each_class(capsys):
    model = Sequential([Input((3,)), Dense(2, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=[Batches(), metrics.F1Score()])
    hot = np.eye(2)[RNG.integers(0, 2, 20)]
    history = model.fit(RNG.normal(size=(20, 3)), hot, batch_size=6, epochs=2, verbose=2).history
    assert history["batches"] == [4.0, 4.0]
    assert np.shape(history["f1_score"]) == (2, 2)
    assert "f1_score: [0." in capsys.readouterr().out


def test_f1_and_r2_against_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")
    true, chance = RNG.integers(0, 3, 60), probabilities(60, 3)
    for average in (None, "macro", "micro", "weighted"):
        got = metrics.F1Score(average)(np.eye(3)[true], chance)
        np.testing.assert_allclose(got, sklearn.f1_score(true, chance.argmax(1), average=average), rtol=1e-6)
    t, y = RNG.normal(size=(30, 2)), RNG.normal(size=(30, 2))
    assert metrics.R2Score()(t, y) == pytest.approx(sklearn.r2_score(t, y))
    with pytest.raises(ValueError, match="thresholds"):
        metrics.Precision(1.5)
