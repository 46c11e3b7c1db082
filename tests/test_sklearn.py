"""The estimators for scikit-learn: its own checks, and what they learn against its own estimators."""

import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from tapegrad.sklearn import MLPClassifier, MLPRegressor, Perceptron

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": "steps on shuffled batches: as scikit-learn's own, a weight of 2 "
    "is not the example twice"
}


@parametrize_with_checks(
    [MLPClassifier(max_iter=30, random_state=0), MLPRegressor(max_iter=40, random_state=0),
     Perceptron(max_iter=10)],
    expected_failed_checks=lambda estimator: WEIGHTS,
)  # fmt: skip
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def scaled(load):
    x, y = load(return_X_y=True)
    return StandardScaler().fit_transform(x), y


@pytest.mark.parametrize("options", [
    {"solver": "sgd", "learning_rate_init": 0.05}, {"solver": "sgd", "momentum": 0.0, "learning_rate": "invscaling"},
    {"solver": "sgd", "nesterovs_momentum": False, "alpha": 0.1}, {"solver": "adam"},
    {"solver": "adam", "activation": "logistic", "batch_size": 50}, {"activation": "tanh", "shuffle": False},
])  # fmt: skip
@pytest.mark.parametrize("load", [load_breast_cancer, load_digits])
def test_classifier_goes_scikit_learns_way(load, options):
    from sklearn.neural_network import MLPClassifier as Theirs

    x, y = scaled(load)
    x, y = x[:300], y[:300]
    common = {"hidden_layer_sizes": (12, 7), "max_iter": 6, "random_state": 3, **options}
    own, theirs = MLPClassifier(**common).fit(x, y), Theirs(**common).fit(x, y)
    np.testing.assert_allclose(own.loss_curve_, theirs.loss_curve_, rtol=1e-5)
    np.testing.assert_allclose(own.predict_proba(x), theirs.predict_proba(x), rtol=1e-4, atol=1e-6)
    for a, b in zip(own.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_early_stopping_holds_out_what_scikit_learn_holds_out():
    from sklearn.neural_network import MLPClassifier as Theirs

    x, y = scaled(load_breast_cancer)
    common = {"early_stopping": True, "learning_rate_init": 0.01, "max_iter": 8, "random_state": 0}
    own, theirs = MLPClassifier((8,), **common).fit(x, y), Theirs((8,), **common).fit(x, y)
    assert own.validation_scores_ == pytest.approx(theirs.validation_scores_)
    np.testing.assert_allclose(own.loss_curve_, theirs.loss_curve_, rtol=1e-6)


def test_early_stopping_keeps_the_best():
    x, y = scaled(load_digits)
    model = MLPClassifier((32,), early_stopping=True, n_iter_no_change=3, learning_rate_init=0.01, random_state=0)
    model.fit(x, y)
    assert model.n_iter_ < 60
    assert model.best_validation_score_ == max(model.validation_scores_) > 0.93
    assert max(model.validation_scores_[-4:]) <= model.best_validation_score_ + model.tol
    assert model.score(x, y) > 0.97
    last = MLPRegressor(
        hidden_layer_sizes=(32,), early_stopping=True, random_state=0, learning_rate_init=0.01, max_iter=100
    )
    x, y = scaled(load_diabetes)
    last.fit(x, y / 100)
    assert last.best_validation_score_ > 0.3


def test_regressor_goes_scikit_learns_way():
    from sklearn.neural_network import MLPRegressor as Theirs

    x, y = scaled(load_diabetes)
    y = np.stack([y, -y], 1) / 100
    common = {"hidden_layer_sizes": (9,), "max_iter": 5, "random_state": 1}
    own, theirs = MLPRegressor(**common).fit(x, y), Theirs(**common).fit(x, y)
    # scikit-learn's loss is half the mean over examples and outputs.
    np.testing.assert_allclose(own.loss_curve_, theirs.loss_curve_, rtol=1e-6)
    np.testing.assert_allclose(own.predict(x), theirs.predict(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"eta0": 0.3, "fit_intercept": False}, {"class_weight": "balanced"},
                                     {"penalty": "l2", "alpha": 0.01}])  # fmt: skip
@pytest.mark.parametrize("classes", [2, 4])
def test_perceptron_makes_scikit_learns_corrections(classes, options):
    from sklearn.linear_model import Perceptron as Theirs

    x, y = make_classification(120, 6, n_informative=5, n_redundant=0, n_classes=classes, flip_y=0.2, random_state=0)
    if classes > 2 and "class_weight" in options:
        pytest.skip("scikit-learn weighs a class in its own line alone")
    common = {"shuffle": False, "tol": None, "max_iter": 4, **options}
    own, theirs = Perceptron(**common).fit(x, y), Theirs(**common).fit(x, y)
    np.testing.assert_allclose(own.coef_, theirs.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(own.intercept_, theirs.intercept_, rtol=1e-6, atol=1e-9)


def test_learns_from_parts_and_goes_on_and_travels():
    x, y = scaled(load_breast_cancer)
    x, held_x, y, held_y = train_test_split(x, y, random_state=0)
    parts = MLPClassifier((10,), learning_rate_init=0.01, random_state=0)
    for _ in range(12):
        for i in range(0, len(x), 100):
            parts.partial_fit(x[i : i + 100], y[i : i + 100], classes=[0, 1])
    assert parts.score(held_x, held_y) > 0.93
    copy = pickle.loads(pickle.dumps(parts))
    np.testing.assert_array_equal(copy.predict_proba(held_x), parts.predict_proba(held_x))
    copy.partial_fit(x, y)
    assert copy.n_iter_ == parts.n_iter_ + 1

    warm = MLPClassifier((5,), warm_start=True, max_iter=3, random_state=0).fit(x, y)
    before = warm.loss_
    assert warm.fit(x, y).loss_ < before
    assert len(warm.loss_curve_) == 6
    cold = clone(warm).set_params(warm_start=False)
    assert len(cold.fit(x, y).fit(x, y).loss_curve_) == 3
    assert warm.n_iter_ == 3  # those of the last fit
    with pytest.raises(ValueError, match="not the same as on last call"):
        copy.partial_fit(x, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        MLPClassifier().partial_fit(x, y)
    with pytest.raises(AttributeError):
        _ = MLPClassifier(early_stopping=True).partial_fit


def test_labels_and_weights():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = (x[:, :2] > 0).astype(int)
    several = MLPClassifier((16,), learning_rate_init=0.02, max_iter=60, random_state=0).fit(x, y)
    assert several.predict(x).shape == (200, 2)
    assert (several.predict(x) == y).mean() > 0.95
    weight = np.where(x[:, 0] > 0, 1.0, 0.0)  # what has no weight teaches nothing
    wrong = np.where(x[:, 0] > 0, y[:, 1], 1 - y[:, 1])
    model = MLPClassifier((16,), learning_rate_init=0.02, max_iter=60, random_state=0).fit(x, wrong, weight)
    assert (model.predict(x[weight > 0]) == wrong[weight > 0]).mean() > 0.95


def test_refusals_and_warnings():
    from scipy.sparse import csr_matrix

    x, y = np.eye(4), [0, 1, 1, 0]
    for model in (MLPClassifier(), Perceptron()):
        with pytest.raises(TypeError, match=r"[Ss]parse"):
            model.fit(csr_matrix(x), y)
    for options, text in [
        ({"activation": "step"}, "activation must be"), ({"solver": "lbfgs"}, "solver must be"),
        ({"alpha": -1}, "alpha must be"), ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=text):
            MLPClassifier(**options).fit(x, y)
    with pytest.raises(ValueError, match="1 class"):
        Perceptron().fit(x, [1, 1, 1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ConvergenceWarning, match="no straight line"):
            Perceptron(max_iter=7, tol=1e-9, n_iter_no_change=50).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
