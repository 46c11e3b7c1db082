"""What PyTorch's generator refuses, ours refuses too, and its state stays as it was."""

import numpy as np
import pytest

from tapegrad.backends.random import Generator

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

# name: the call that PyTorch refuses, on a tensor of three zeros and a generator, and ours.
BAD = {
    "uniform order": (lambda t, g: t.uniform_(2, 1), lambda g: g.uniform(3, 2, 1)),
    "uniform nan": (lambda t, g: t.uniform_(float("nan"), 1), lambda g: g.uniform(3, float("nan"), 1)),
    "uniform width": (lambda t, g: t.uniform_(-3e38, 3e38), lambda g: g.uniform(3, -3e38, 3e38)),
    "normal std": (lambda t, g: t.normal_(0, -1), lambda g: g.normal(3, 0, -1)),
    "normal nan": (lambda t, g: t.normal_(0, float("nan")), lambda g: g.normal(3, 0, float("nan"))),
    "normal stds": (
        lambda t, g: torch.normal(torch.zeros(2), torch.tensor([1.0, -1])),
        lambda g: g.normal_tensors(np.zeros(2), np.array([1.0, -1])),
    ),
    "normal int": (lambda t, g: t.long().normal_(), lambda g: g.normal(3, dtype=np.int64)),
    "exponential": (lambda t, g: t.exponential_(0), lambda g: g.exponential(3, 0)),
    "log_normal": (lambda t, g: t.log_normal_(0, 0), lambda g: g.log_normal(3, 0, 0)),
    "cauchy": (lambda t, g: t.cauchy_(0, 0), lambda g: g.cauchy(3, 0, 0)),
    "geometric 0": (lambda t, g: t.geometric_(0), lambda g: g.geometric(0, 3)),
    "geometric 1": (lambda t, g: t.geometric_(1), lambda g: g.geometric(1, 3)),
    "bernoulli": (lambda t, g: t.bernoulli_(1.5), lambda g: g.bernoulli(1.5, 3)),
    "bernoulli nan": (
        lambda t, g: torch.bernoulli(t.fill_(float("nan"))),
        lambda g: g.bernoulli_array(np.full(3, np.nan)),
    ),
    "bernoulli int": (lambda t, g: torch.bernoulli(t.long()), lambda g: g.bernoulli_array(np.ones(3, int))),
    "randint empty": (lambda t, g: torch.randint(3, 3, (0,)), lambda g: g.randint(3, 3, 0)),
    "randint uint8": (
        lambda t, g: torch.randint(0, 257, (2,), dtype=torch.uint8),
        lambda g: g.randint(0, 257, 2, np.uint8),
    ),
    "random_ int32": (
        lambda t, g: t.int().random_(-(2**63), None),
        lambda g: g.random_(3, -(2**63), dtype=np.int32),
    ),
    "random_ complex": (lambda t, g: t.cfloat().random_(), lambda g: g.random_(3, dtype=np.complex64)),
    "randperm": (lambda t, g: torch.randperm(-1), lambda g: g.randperm(-1)),
    "shape": (lambda t, g: torch.rand(-1), lambda g: g.uniform(-1)),
    "multinomial negative": (
        lambda t, g: torch.multinomial(torch.tensor([-1.0, 2]), 2, True),
        lambda g: g.multinomial(np.array([-1.0, 2]), 2, True),
    ),
    "multinomial inf": (
        lambda t, g: torch.multinomial(torch.tensor([float("inf"), 2]), 1),
        lambda g: g.multinomial(np.array([np.inf, 2]), 1),
    ),
    "multinomial zero": (
        lambda t, g: torch.multinomial(torch.zeros(2, 2), 1),
        lambda g: g.multinomial(np.zeros((2, 2)), 1),
    ),
    "multinomial many": (
        lambda t, g: torch.multinomial(torch.ones(2), 3),
        lambda g: g.multinomial(np.ones(2), 3),
    ),
    "multinomial none": (
        lambda t, g: torch.multinomial(torch.ones(2), 0),
        lambda g: g.multinomial(np.ones(2), 0),
    ),
    "multinomial rank": (
        lambda t, g: torch.multinomial(torch.ones(2, 2, 2), 1),
        lambda g: g.multinomial(np.ones((2, 2, 2)), 1),
    ),
    "set_state size": (
        lambda t, g: g.set_state(torch.zeros(50, dtype=torch.uint8)),
        lambda g: g.set_state(np.zeros(50, np.uint8)),
    ),
    "set_state bytes": (
        lambda t, g: g.set_state(torch.zeros(5056, dtype=torch.uint8)),
        lambda g: g.set_state(np.zeros(5056, np.uint8)),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_refused_as_in_pytorch(name):
    theirs, ours = BAD[name]
    a, b = torch.Generator().manual_seed(31), Generator(31)
    with pytest.raises(RuntimeError):
        theirs(torch.zeros(3), a)
    with pytest.raises(RuntimeError):
        ours(b)
    np.testing.assert_array_equal(b.get_state(), Generator(31).get_state())
