"""Activations, without and with the gradient."""

import pytest

from .workloads import activation, activation_with_backward

WORKLOADS = [(name, count) for count in (1_000, 1_000_000) for name in ("relu", "sigmoid", "tanh", "gelu")]


def label(name, count):
    return f"{name} of {count:,}"


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_activation(contest, backward):
    name, count = contest.work
    build = activation_with_backward if backward else activation
    contest.measure(label(name, count) + (" + backward" if backward else ""), build(contest.tg, name, count))
