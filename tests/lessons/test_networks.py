"""Lessons 9 to 17: what they print and draw is so, on small sizes."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import nn


@pytest.fixture(scope="module")
def data(load):
    return load("_common").digits()


def tensors(data, count=600):
    return tg.tensor(data.train_images[:count]), tg.tensor(data.train_labels[:count])


def test_09_the_digits_are_read_and_the_sureness_means_something(load, data, drawn):
    lesson = load("09_digits_mlp")
    model = lesson.train(lesson.build(), *tensors(data), epochs=12)
    probabilities, labels = lesson.chances(model, tg.tensor(data.test_images)), data.test_labels
    right = probabilities.argmax(axis=1) == labels
    assert right.mean() > 0.9
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert probabilities.max(axis=1)[right].mean() > probabilities.max(axis=1)[~right].mean() + 0.1
    seven = lesson.surest(7, probabilities, labels)
    assert labels[seven] == 7
    assert probabilities[seven].argmax() == 7
    wrong = lesson.mistakes(probabilities, labels)
    assert not right[wrong].any()
    assert (np.diff(probabilities[wrong].max(axis=1)) <= 0).all()
    assert drawn(lesson.draw(model, data.test_images, labels, probabilities))
    weights = model[1].weight.detach().numpy().reshape(-1, 8, 8).copy()
    weights[[3, 8]] *= 1e-3
    assert {3, 8} <= set(lesson.given_up(weights)) != set(range(36))


def test_10_the_cnn_reads_shifted_digits_better_than_the_mlp(load, data, drawn):
    lesson = load("10_digits_cnn")
    images, labels = tensors(data)
    models = {name: lesson.train(make(), images.unsqueeze(1), labels, epochs=6)
              for name, make in (("CNN", lesson.build_cnn), ("MLP", lesson.build_mlp))}  # fmt: skip
    test, test_labels = tg.tensor(data.test_images).unsqueeze(1), tg.tensor(data.test_labels)
    shifts, results = lesson.shift_test(models, test, test_labels)
    assert results["CNN"][2] > 0.88
    assert results["CNN"][1] + results["CNN"][3] > results["MLP"][1] + results["MLP"][3] + 0.2
    sizes = {name: sum(p.numel() for p in model.parameters()) for name, model in models.items()}
    assert sizes["CNN"] < sizes["MLP"]
    moved = lesson.shifted(test[:1], 1)
    assert not moved[..., 0].any()
    assert (moved[..., 1:] == test[:1, ..., :-1]).all()
    maps = lesson.feature_maps(models["CNN"], test[0])
    assert maps[0].shape == (8, 8, 8)
    assert maps[1].shape == (24, 8, 8)
    assert drawn(lesson.draw_cnn(test[0, 0].numpy(), np.ones((8, 3, 3)), maps, (shifts, results), sizes))


def test_11_a_memory_forecasts_feels_a_mood_and_learns_a_poem(load, drawn):
    lesson = load("11_recurrent")
    values = lesson.series()
    said = lesson.forecast(nn.GRU, values, steps=80)
    same = lesson.off(values[-101:-1], values)
    assert lesson.off(said, values) < 0.7 * same
    train, test = lesson.sentences(200, seed=1), lesson.sentences(100, seed=2)
    bag, memory = lesson.mood_accuracy(None, train, test), lesson.mood_accuracy(nn.LSTM, train, test, steps=60)
    assert bag < 0.7
    assert memory > 0.95
    texts = lesson.write(nn.LSTM, text=lesson.SONNET[:40], stages=(5, 50), letters=40)
    assert texts[50] == (lesson.SONNET[:40], 1.0)
    assert texts[5][1] < 0.7
    errors, moods = {"same again": same, "GRU": 0.1}, {"bag of words": bag, "LSTM": memory}
    assert drawn(lesson.draw_recurrent(values, {"GRU": said}, errors, moods, texts))


def test_11_no_single_word_tells_the_mood(load):
    texts, numbers, moods = load("_texts").sentences(2000, seed=0)
    for word in ("good", "bad", "not"):
        share = np.mean([mood for text, mood in zip(texts, moods) if word in text.split()])
        assert 0.4 < share < 0.6
    negated = ["not" in text.split() for text in texts]
    kind = [any(word in text.split() for word in ("good", "great", "fine", "lovely")) for text in texts]
    assert [bool(mood) for mood in moods] == [k != n for k, n in zip(kind, negated)]
    assert numbers.shape == (2000, 6)


def test_12_the_forger_finds_the_ring(load):
    lesson = load("12_generative")
    _, kept = lesson.train_gan(lesson.ring, 2, 2, 64, nn.Identity(), steps=600, keep=(20, 600))
    early, late = (np.abs(np.linalg.norm(points, axis=1) - 1).mean() for points in kept.values())
    assert late < 0.2
    assert late < 0.5 * early
    angles = np.arctan2(kept[600][:, 1], kept[600][:, 0])
    assert (np.histogram(angles, 4, (-np.pi, np.pi))[0] > 25).all()  # all the way round


def test_12_two_numbers_hold_half_of_a_digit_and_the_vae_keeps_them_near_zero(load, data, drawn):
    lesson = load("12_generative")
    train, test = tensors(data)[0].flatten(1), tg.tensor(data.test_images).flatten(1)
    results = {name: lesson.restore(lesson.train_autoencoder(lesson.Autoencoder(v), train, epochs=40), test)
               for name, v in (("Autoencoder", False), ("VAE", True))}  # fmt: skip
    guess = np.mean((test.numpy() - train.mean(dim=0).numpy()) ** 2)
    for restored, _ in results.values():
        assert np.mean((test.numpy() - restored) ** 2) < 0.75 * guess
    codes = {name: code for name, (_, code) in results.items()}
    assert 0.5 < codes["VAE"].std() < 1.6
    assert codes["VAE"].std() < codes["Autoencoder"].std()
    truth, tiles = lesson.ring(50).numpy(), test.numpy()
    kept = {1: truth, 2: truth, 3: truth}
    figure = lesson.draw_generative(truth, kept, tiles[:64], tiles, tiles, codes, data.test_labels, tiles[:121])
    assert drawn(figure)


def test_13_the_gpt_learns_looks_only_back_and_writes(load, drawn):
    lesson = load("13_small_gpt")
    text = lesson.prose()
    assert len(text) > 20_000
    text = text[:4000]
    alphabet = sorted(set(text))
    model = lesson.GPT(len(alphabet), width=32, heads=2)
    read, kept_back, samples, guess = lesson.train(model, text, alphabet, steps=120, stages=(20, 120))
    assert kept_back[-1][1] < guess < kept_back[0][1]
    assert set(samples[120]) <= set(alphabet)
    assert samples[120].startswith("The ")
    codes = tg.tensor([[alphabet.index(letter) for letter in text[:30]]])
    changed = codes.clone()
    changed[0, 20:] = 0
    with tg.no_grad():
        before, after = model(codes), model(changed)
    assert (before[0, :20] - after[0, :20]).abs().max().item() < 1e-5  # what comes later changes nothing before it
    assert (before[0, 20:] - after[0, 20:]).abs().max().item() > 0.01
    looks = lesson.attention(model, text[:12], alphabet)
    np.testing.assert_allclose(looks.sum(axis=-1), 1, rtol=1e-5)
    assert not np.triu(looks, 1).any()
    assert drawn(lesson.draw_gpt(read, kept_back, looks, text[:12], samples, guess))


def test_14_calibration_and_referral_help(load, drawn):
    lesson = load("14_medicine_finance")
    raw, calibrated, truth, found = lesson.tumours(splits=3)
    assert np.mean((raw > 0.5) == truth) > 0.94
    assert ((raw > 0.5) == (calibrated > 0.5)).all()  # a temperature changes the chances, never the answers
    before, after = lesson.calibration_error(raw, truth), lesson.calibration_error(calibrated, truth)
    assert np.mean(found) > 1.2
    assert after[0] < before[0]
    shares, errors = lesson.refer(calibrated, truth)
    assert errors[-1] < 0.5 * errors[0]
    x, y, test_x, test_y = lesson.fraud(8000)
    score = lesson.scores(lesson.train(x, y, steps=120, positive_weight=20.0), test_x).numpy()
    precision, recall = lesson.precision_recall(score, test_y)
    bill = lesson.costs(score, test_y)
    assert test_y.mean() < 0.02
    assert recall[bill.argmin() - 1] > 0.5
    assert bill.min() < 0.6 * bill[0]
    alarms = np.argsort(-score)[:50]
    assert precision[49] == test_y[alarms].mean()
    assert recall[49] == test_y[alarms].sum() / test_y.sum()
    assert bill[50] == 5 * 50 + 300 * (test_y.sum() - test_y[alarms].sum())
    figure = lesson.draw_decisions({"raw": before, "calibrated": after}, shares, errors, precision, recall, bill)
    assert drawn(figure)


def test_15_too_simple_about_right_and_too_free(load):
    lesson = load("15_overfitting")
    x, y = (tg.tensor(part) for part in load("_common").noisy_wave())
    fits = [lesson.fit_wave(sizes, x, y, steps=1500) for sizes in lesson.FITS.values()]
    seen = [nn.functional.mse_loss(fit(x), y).item() for fit in fits]
    simple, right, free = (lesson.off(fit) for fit in fits)
    assert right < free < simple
    assert seen[2] < seen[1] < seen[0]


def test_15_early_stopping_helps_and_more_data_beats_a_better_model(load, drawn):
    lesson = load("15_overfitting")
    few = load("_common").few_digits
    history, shares = lesson.remedies([tg.tensor(part) for part in few(200, noisy=0.2)], steps=600)
    losses = [row[2] for row in history]
    assert min(losses) < 0.85 * losses[-1]
    assert shares["early stopping"] >= shares["nothing"]
    counts, table = lesson.data_against_models(counts=(50, 1200), kinds=("linear", "CNN"), steps=400)
    assert table["linear"][1] > table["CNN"][0] > table["linear"][0]
    assert table["CNN"][1] > table["linear"][1]
    line = np.linspace(-1, 1, 9)
    curves = dict.fromkeys("abc", (line, 0.1))
    assert drawn(lesson.draw_overfitting((line, line), (line, line), curves, history, shares, (counts, table)))


def test_16_integrated_gradients_sum_to_the_score_and_find_what_matters(load, data, drawn):
    lesson = load("16_interpretability")
    model = lesson.train(*tensors(data), steps=300)
    images, labels = tg.tensor(data.test_images[:120]), tg.tensor(data.test_labels[:120])
    gradients, credits = (f(model, images, labels) for f in (lesson.input_gradient, lesson.integrated_gradients))
    assert lesson.completeness(model, images, labels, credits) < 0.01
    assert lesson.completeness(model, images, labels, images * gradients) > 0.1
    nudged = images[:1].clone()
    nudged[0, 3, 3] += 1e-2
    with tg.no_grad():
        slope = ((model(nudged) - model(images[:1]))[0, labels[0].item()] / 1e-2).item()
    assert slope == pytest.approx(gradients[0, 3, 3].item(), abs=0.05)
    tests = lesson.erase_tests(model, images, labels)
    after = {name: left[counts.index(10)] for name, (counts, left) in tests.items()}
    assert after["integrated gradients"] < after["input gradient"] < after["at random"]
    assert after["integrated gradients"] < after["darkest first"]
    parts = [part[:6].numpy() for part in (images, gradients, credits, credits)]
    assert drawn(lesson.draw_reasons(*parts[:3], [(1, 2)] * 6, parts[3], tests))


def test_17_the_backends_train_alike(load, drawn):
    lesson = load("17_cpu_gpu")
    backends = tg.backends.available()
    assert lesson.largest_difference(backends, width=16) < 1e-3
    table = lesson.measure(backends, widths=(4, 8), steps=2)
    assert set(table) == set(backends)
    assert all(len(times) == 2 and min(times) > 0 for times in table.values())
    linear = nn.Linear(32, 32)
    assert lesson.flops(32) == 3 * 2 * 64 * (2 * linear.weight.numel() + 32)
    assert drawn(lesson.draw((4, 8), table, {"cupy": "not here"}))


def test_18_keras_five_lines_reach_the_straight_line(load, drawn):
    pytest.importorskip("tqdm")
    lesson = load("18_keras")
    x, y, test_x, test_y = lesson.patients()
    model = lesson.build_model()
    history = lesson.fit(model, x, y, epochs=120)
    guess, line = model.predict(test_x, verbose=0)[:, 0], lesson.straight_line(x, y, test_x)
    assert history["loss"][-1] < 0.5 < history["loss"][0]
    assert abs(lesson.explained(guess, test_y) - lesson.explained(line, test_y)) < 0.06
    assert lesson.explained(line, test_y) > 0.3
    assert drawn(lesson.draw(history, guess, test_y, line))
