"""Lesson 14: medicine and finance. Tumours: chances one can trust, and "ask a doctor". Fraud: one case in a hundred.

The tumours are scikit-learn's 569 breast-cancer cases; the payments are made up by its ``make_classification``.
"""

import numpy as np
from _common import datasets, run, standard_split
from _drawings import draw_decisions

import tapegrad as tg
from tapegrad import nn
from tapegrad.nn import functional as F


def train(x, y, steps=300, positive_weight=1.0, hidden=16, weight_decay=0.02):
    model = nn.MLP([x.shape[1], hidden, 1])
    optimizer = tg.optim.AdamW(model.parameters(), lr=0.01, weight_decay=weight_decay)
    loss_fn = nn.BCEWithLogitsLoss(pos_weight=tg.tensor(positive_weight))
    x, y = tg.tensor(x), tg.tensor(y.astype(np.float32))
    for _ in range(steps):
        optimizer.zero_grad()
        loss_fn(model(x).squeeze(1), y).backward()
        optimizer.step()
    return model


def scores(model, x):
    with tg.no_grad():
        return model(tg.tensor(x)).squeeze(1)


def temperature(score, y, steps=200):
    """Calibration: one number by which to divide all scores, so that of the cases called 90 % really 90 % happen."""
    log_t = tg.zeros(1, requires_grad=True)
    optimizer = tg.optim.Adam([log_t], lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(score / log_t.exp(), tg.tensor(y.astype(np.float32))).backward()
        optimizer.step()
    return log_t.exp().item()


def calibration_error(chance, happened, bins=5):
    """Sort into bins by chance; how far the mean chance is from the share that happened, on average over the cases."""
    which = np.minimum((chance * bins).astype(int), bins - 1)
    groups = [(chance[which == b].mean(), happened[which == b].mean(), np.mean(which == b)) for b in np.unique(which)]
    return sum(abs(said - was) * share for said, was, share in groups), groups


def tumours(splits=10):
    """Chances of "benign" before and after calibration, and the truth, for unseen cases pooled over several splits."""
    raw, calibrated, truth, found = [], [], [], []
    for seed in range(splits):
        x, y, test_x, test_y = standard_split(datasets.load_breast_cancer(), seed=seed, test_size=0.5)
        half = len(test_x) // 2  # one half sets the temperature, the other judges
        model = train(x, y, weight_decay=0.0)
        score = scores(model, test_x)
        found.append(temperature(score[:half], test_y[:half]))
        raw.append(tg.sigmoid(score[half:]).numpy())
        calibrated.append(tg.sigmoid(score[half:] / found[-1]).numpy())
        truth.append(test_y[half:])
    return np.concatenate(raw), np.concatenate(calibrated), np.concatenate(truth), found


def refer(chance, truth, shares=(0, 0.02, 0.05, 0.1, 0.2)):
    """Send the most doubtful share of the cases to a doctor: the errors left among the others."""
    order = np.argsort(np.abs(chance - 0.5))
    wrong = ((chance > 0.5) != truth)[order]
    return shares, [wrong[int(share * len(wrong)) :].mean() for share in shares]


def fraud(count=20000):
    x, y = datasets.make_classification(
        count, 12, n_informative=6, weights=[0.99], flip_y=0.002, class_sep=1.2, random_state=3
    )
    x, half = x.astype(np.float32), count // 2
    return x[:half], y[:half], x[half:], y[half:]


def precision_recall(score, y):
    """For each threshold: the share of the alarms that is right (precision), of the frauds that is caught (recall)."""
    caught = np.cumsum(y[np.argsort(-score)])
    return caught / np.arange(1, len(y) + 1), caught / y.sum()


def costs(score, y, per_check=5, per_fraud=300):
    """What it costs to check the n most suspicious payments and lose the frauds among the others, n = 0, 1, ..."""
    missed = y.sum() - np.concatenate([[0], np.cumsum(y[np.argsort(-score)])])
    return per_check * np.arange(len(y) + 1) + per_fraud * missed


def main():
    raw, calibrated, truth, found = tumours()
    calibration = {"as trained": calibration_error(raw, truth), "calibrated": calibration_error(calibrated, truth)}
    before, after = (error for error, _ in calibration.values())
    print(f"Tumours: {np.mean((raw > 0.5) == truth):.1%} of {len(truth):,} unseen cases right (ten splits pooled).")
    print(f"Chances are off by {before:.1%}; calibrated (scores divided by {np.mean(found):.1f}) by {after:.1%}.")
    shares, errors = refer(calibrated, truth)
    print(f"Errors: {errors[0]:.1%}; if the most doubtful {shares[-2]:.0%} go to a doctor {errors[-2]:.1%}.")
    x, y, test_x, test_y = fraud()
    score = scores(train(x, y, positive_weight=20.0), test_x).numpy()
    precision, recall = precision_recall(score, test_y)
    bill = costs(score, test_y)
    rare, best = test_y.mean(), bill.argmin()
    print(f"Fraud: {rare:.1%} of the payments. 'Never fraud' is {1 - rare:.1%} accurate and catches none.")
    print(f"Checking the {best} most suspicious of {len(test_y):,} catches {recall[best - 1]:.0%} of the frauds")
    print(f"and costs {bill.min():,} in place of {bill[0]:,}.")
    return draw_decisions(calibration, shares, errors, precision, recall, bill)


if __name__ == "__main__":
    run(main, __file__)
