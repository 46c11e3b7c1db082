"""Lessons 1 to 8: what they print and draw is so, on small sizes."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import nn


def test_01_the_concert_is_decided_by_the_weights_set_by_hand(load):
    cases, scores = load("01_perceptron").concert()
    assert {tuple(case) for case, score in zip(cases, scores) if score > 0} == {
        (0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)
    }  # fmt: skip


def test_01_the_rule_learns_and_or_and_the_loans_but_not_xor(load):
    lesson = load("01_perceptron")
    corners = tg.tensor(lesson.CORNERS).float()
    for name in ("AND", "OR"):
        gate = lesson.learn_gate(lesson.GATES[name])
        assert gate.converged
        assert gate.predict(corners).tolist() == lesson.GATES[name]
    assert not lesson.learn_gate(lesson.GATES["XOR"]).converged
    points, paid_back = lesson.applicants()
    loans = lesson.learn_loans(points, paid_back)
    assert loans.converged
    assert loans.predict(tg.tensor(points)).tolist() == paid_back.tolist()
    assert 0.1 < paid_back.mean() < 0.9


def test_01_two_layers_learn_xor_and_the_picture_is_drawn(load, drawn):
    lesson = load("01_perceptron")
    network, loss = lesson.learn_xor_with_a_network()
    answers = (network(tg.tensor(lesson.CORNERS).float()).squeeze(1) > 0).long()
    assert loss < 0.05
    assert answers.tolist() == lesson.GATES["XOR"]
    points, paid_back = lesson.applicants()
    gates = {name: lesson.learn_gate(targets) for name, targets in lesson.GATES.items()}
    loans = lesson.learn_loans(points, paid_back)
    assert drawn(lesson.draw(lesson.concert(), points, paid_back, loans, gates, network))


def test_02_by_hand_equals_the_tape_and_the_differences_and_the_notes_do_not(load):
    lesson = load("02_one_neuron")
    x, target = lesson.data()
    w, b = np.array([-0.5, 0.5]), np.array(0.1)
    judged = lesson.finite_differences(w, b, x, target)
    assert np.abs(lesson.backward(w, b, x, target)[0] - judged).max() < 1e-8
    taped, bias = lesson.on_tape(w, b, x, target)
    np.testing.assert_allclose(taped, lesson.backward(w, b, x, target)[0], rtol=1e-12)
    np.testing.assert_allclose(bias, lesson.backward(w, b, x, target)[1], rtol=1e-12)
    assert np.abs(lesson.backward_of_the_notes(w, b, x, target)[0] - judged).max() > 0.1


def test_02_the_written_out_tape_runs_in_numpy_and_agrees(load):
    lesson = load("02_one_neuron")
    x, target = lesson.data(7)
    w, b = np.array([-0.5, 0.5]), np.array(0.1)
    script = {"__name__": "script"}
    exec(lesson.written_out(w, b, x, target), script)
    np.testing.assert_allclose(script["gradients"]["w"], lesson.backward(w, b, x, target)[0], rtol=1e-12)


def test_02_training_needs_the_factor_x(load, drawn):
    lesson = load("02_one_neuron")
    x, target = lesson.data()
    good, bad = lesson.train(lesson.backward, x, target), lesson.train(lesson.backward_of_the_notes, x, target)
    assert good[1] > 0.9
    assert good[0][-1] < 0.2 * good[0][0]
    assert bad[1] < 0.7
    assert bad[0][-1] > bad[0][0]
    curves = {"with the factor x": good, "the notes' formula": bad}
    gradients = dict.fromkeys(("finite differences", "by hand", "the tape", "the notes' formula"), np.ones(2))
    assert drawn(lesson.draw_neuron(gradients, curves))


def test_03_linear_layers_collapse_and_relu_does_not(load, drawn):
    lesson = load("03_why_nonlinear")
    points, inside = lesson.data(200)
    shallow, deep, bent = lesson.build(depth=1), lesson.build(), lesson.build(nn.ReLU)
    shares = [lesson.train(model, points, inside, steps=200) for model in (shallow, deep, bent)]
    assert max(shares[:2]) < 0.7
    assert shares[2] > 0.97
    assert lesson.largest_difference(deep, points) < 1e-5
    # The same product of the layers with ReLU is another function: they do not collapse.
    linear = nn.Sequential(*[layer for layer in bent if isinstance(layer, nn.Linear)])
    weight, bias = lesson.collapse(linear)
    assert (bent(points) - (points @ weight.T + bias)).abs().max().item() > 1
    results = {name: (m, s) for name, m, s in zip("abc", (shallow, deep, bent), shares)}
    assert drawn(lesson.draw(points, inside, results))


def test_04_values_slopes_and_saturation(load, drawn):
    lesson = load("04_activations")
    curves = {name: lesson.curve(function) for name, function in lesson.ACTIVATIONS.items()}
    for name, (x, y, slope) in curves.items():
        if name != "step":
            smooth = np.abs(x) > 0.05  # not where ReLU breaks
            np.testing.assert_allclose(slope[smooth], np.gradient(y, x)[smooth], atol=2e-3, err_msg=name)
    assert curves["sigmoid"][2].max() == pytest.approx(0.25)
    assert curves["tanh"][2].max() == pytest.approx(1)
    assert not curves["step"][2].any()
    assert lesson.through_layers(curves["sigmoid"][2]) < 1e-6 < lesson.through_layers(curves["ReLU"][2])
    assert np.abs(curves["leaky ReLU (0.1)"][2]).min() > lesson.SATURATED
    softmax = lesson.softmax_curve()
    np.testing.assert_allclose(softmax[1].sum(axis=1), 1, rtol=1e-5)
    assert drawn(lesson.draw(curves, softmax))


def test_05_outliers_pull_most_at_the_mean_squared_error(load):
    lesson = load("05_losses")
    x, y = lesson.line_with_outliers()
    slopes = {name: lesson.fit_line(loss, x, y, steps=600)[0] for name, loss in lesson.REGRESSION.items()}
    assert slopes["MSE"] == pytest.approx(np.polyfit(x.numpy(), y.numpy(), 1)[0], abs=0.02)
    assert slopes["MSE"] < 1 < 1.6 < min(slopes["MAE"], slopes["Huber"])


def test_05_cross_entropy_punishes_confident_mistakes_and_mse_forgets_them(load, drawn):
    lesson = load("05_losses")
    mistakes = lesson.confident_mistakes()
    assert -mistakes["cross-entropy"][1][0] > 0.99
    assert -mistakes["MSE"][1][0] < 0.001
    chances, values = lesson.three_classes()
    np.testing.assert_allclose(values, -np.log(chances), rtol=1e-5)
    starts = {name: lesson.wrong_start(name, steps=60) for name in ("cross-entropy", "MSE")}
    assert starts["cross-entropy"][-1] > 0.75
    assert starts["MSE"][-1] < 0.5
    x, y = lesson.line_with_outliers()
    lines = dict.fromkeys(lesson.REGRESSION, (2.0, 1.0))
    assert drawn(lesson.draw_losses(x, y, lines, mistakes, (chances, values), starts))


def test_06_more_steps_in_the_same_passes_reach_a_lower_loss(load, drawn):
    lesson = load("06_gradient_descent")
    data = load("_common").digits()
    images, labels = tg.tensor(data.train_images[:320]), tg.tensor(data.train_labels[:320])
    histories = {way: lesson.train(way, images, labels, passes=10) for way in lesson.COLOURS}
    steps, losses = ({way: history[-1][k] for way, history in histories.items()} for k in (0, 3))
    assert steps == {"whole batch": 10, "one at a time": 3200, "mini-batches of 32": 100}
    assert max(losses["one at a time"], losses["mini-batches of 32"]) < 0.6 * losses["whole batch"]
    goal = losses["whole batch"]
    for history in histories.values():  # every way comes down to where the whole batch ends: the lesson compares when
        assert min(row[3] for row in history) <= goal
    sizes, strays = noise = lesson.gradient_noise(images, labels, draws=40)
    assert strays[0] / strays[3] == pytest.approx((sizes[3] / sizes[0]) ** 0.5, rel=0.25)
    assert drawn(lesson.draw(histories, noise))


def test_07_the_optimizers_cross_the_ravine(load, drawn):
    lesson = load("07_optimizers")
    walks = {name: lesson.walk(make) for name, (make, _) in lesson.OPTIMIZERS.items()}
    done = {name: lesson.steps_until(heights) for name, (_, heights) in walks.items()}
    assert done["SGD"] is None
    assert all(done[name] for name in ("momentum", "RMSProp", "Adam"))
    assert min(done, key=lambda name: done[name] or 99) == "Adam"
    rates = {name: lesson.walk(lambda p, lr=lr: tg.optim.SGD(p, lr=lr)) for name, lr in lesson.RATES.items()}
    small, good, large = (heights for _, heights in rates.values())
    assert good[-1] < 1 < 20 < small[-1] < small[0]
    assert large[-1] > 5 * large[0]
    x = lesson.START[0] * (1 - 0.045) ** 60  # the closed form of gradient descent along the ravine
    assert rates["good: 0.045"][0][-1][0] == pytest.approx(x)
    assert drawn(lesson.draw(walks, rates))


def test_08_gradients_vanish_with_sigmoid_and_explode_with_large_weights(load):
    lesson = load("08_vanishing_gradients")
    sizes = {name: lesson.gradient_sizes(make, lesson.spread(1.0)) for name, make in lesson.ACTIVATIONS.items()}
    assert sizes["sigmoid"][0] < 1e-10 * sizes["sigmoid"][-1]
    assert 0.1 < sizes["tanh"][0] / sizes["tanh"][-1] < 10
    small, he, large = (lesson.gradient_sizes(nn.ReLU, start)[0] for start in lesson.INITIALISATIONS.values())
    assert small < 1e-2 * he
    assert large > 1e4 * he


def test_08_clipping_rescues_the_rnn_from_nan(load, drawn):
    lesson = load("08_vanishing_gradients")
    with np.errstate(over="ignore", invalid="ignore"):
        unclipped = lesson.train_rnn(None, steps=5)
    clipped = lesson.train_rnn(1.0, steps=120)
    assert np.isnan(unclipped[0][-1])
    guess = lesson.same_again()
    assert np.mean(clipped[0][-10:]) < guess
    sizes = {key: [0.001, 0.01, 0.1] for key in "abc"}
    assert drawn(lesson.draw_gradients(sizes, sizes, unclipped, clipped, guess))
