"""Whole training steps of small networks: forward, backward and Adam."""

from .workloads import STEPS, training_step

WORKLOADS = [(name,) for name in STEPS]


def test_step(contest):
    (name,) = contest.work
    step = training_step(contest.tg, name)
    first = step().item()
    contest.measure(f"step {name}", step)
    assert step().item() < first  # it did train
