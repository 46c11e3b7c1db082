"""The perceptron learns what a line separates, says so where none does, and an MLP goes on from there."""

import warnings

import numpy as np
import pytest

import tapegrad as tg

CORNERS = tg.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


@pytest.mark.parametrize("classes", [[0, 0, 0, 1], [0, 1, 1, 1], [1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 1]])
def test_it_learns_what_a_line_separates(classes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = tg.nn.Perceptron(2).fit(CORNERS, tg.tensor(classes))
    assert model.converged
    assert model.mistakes[-1] == 0
    assert model.predict(CORNERS).tolist() == classes
    assert model(CORNERS).tolist() == [float(c) for c in classes]
    assert ((model.decision_function(CORNERS) > 0).long() == model.predict(CORNERS)).all()


@pytest.mark.parametrize("classes", [[0, 1, 1, 0], [1, 0, 0, 1]])
def test_it_says_that_no_line_separates(classes):
    model = tg.nn.Perceptron(2)
    with pytest.warns(UserWarning, match="no straight line separates the classes"):
        model.fit(CORNERS, tg.tensor(classes), epochs=50)
    assert not model.converged
    assert len(model.mistakes) == 50
    assert min(model.mistakes) > 0
    assert model.predict(CORNERS).tolist() != classes


def test_it_makes_no_more_mistakes_than_the_theorem_allows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5))
    direction = rng.normal(size=5)
    direction /= np.linalg.norm(direction)
    x = x[np.abs(x @ direction) > 0.3]
    y = (x @ direction > 0).astype("int64")
    # Novikoff: (R / margin)^2, R and margin of the points with a constant 1 for the bias.
    most = (1 + (x**2).sum(1).max()) / 0.3**2
    model = tg.nn.Perceptron(5).double().fit(tg.tensor(x), tg.tensor(y), epochs=1000)
    assert model.converged
    assert sum(model.mistakes) <= most


@pytest.mark.parametrize("norm", [None, "batch", "layer", "rms", tg.nn.LayerNorm])
def test_an_mlp_learns_xor(norm):
    tg.manual_seed(0)
    model = tg.nn.MLP([2, 16, 16, 1], activation="tanh", norm=norm)
    step = tg.optim.Adam(model.parameters(), 0.05)
    target = tg.tensor([[0.0], [1.0], [1.0], [0.0]])
    for _ in range(200):
        step.zero_grad()
        tg.nn.functional.binary_cross_entropy_with_logits(model(CORNERS), target).backward()
        step.step()
    assert (model(CORNERS) > 0).float().tolist() == target.tolist()


def test_the_order_of_an_mlp():
    model = tg.nn.MLP([4, 5, 6, 2], activation="gelu", dropout=0.1, norm="batch")
    names = [type(m).__name__ for m in model]
    assert names == ["Linear", "BatchNorm1d", "GELU", "Dropout"] * 2 + ["Linear"]
    assert [type(m).__name__ for m in model[4:-1]] == names[4:-1]
    with pytest.raises(ValueError, match="unknown norm 'group'"):
        tg.nn.MLP([2, 2], norm="group")
