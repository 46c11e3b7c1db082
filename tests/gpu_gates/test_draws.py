"""Random numbers drawn on a card, on the strict stand-in: their distributions, their generator, their refusals."""

import math

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import backends

from . import host, strict

pytestmark = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))
CARD = "strict:0"
N = 40_000


def card(values, **options):
    return tg.tensor(values, device=CARD, **options)


def phi(x):
    return 0.5 * np.vectorize(math.erfc)(-x / math.sqrt(2))


# name -> a draw of N numbers on the card, and the distribution function
CONTINUOUS = {
    "rand": (lambda t: tg.rand(N, dtype=t, device=CARD), lambda x: np.clip(x, 0, 1)),
    "uniform_": (lambda t: tg.empty(N, dtype=t, device=CARD).uniform_(-2, 3), lambda x: np.clip((x + 2) / 5, 0, 1)),
    "rand_like": (lambda t: tg.rand_like(tg.empty(N, dtype=t, device=CARD)), lambda x: np.clip(x, 0, 1)),
    "randn": (lambda t: tg.randn(N, dtype=t, device=CARD), phi),
    "normal_": (lambda t: tg.empty(N, dtype=t, device=CARD).normal_(1, 2), lambda x: phi((x - 1) / 2)),
    "normal": (lambda t: tg.normal(tg.ones(N, dtype=t, device=CARD), tg.full((1,), 2.0, dtype=t, device=CARD)),
               lambda x: phi((x - 1) / 2)),
    "exponential_": (lambda t: tg.empty(N, dtype=t, device=CARD).exponential_(2), lambda x: 1 - np.exp(-2 * x)),
    "log_normal_": (lambda t: tg.empty(N, dtype=t, device=CARD).log_normal_(0, 1), lambda x: phi(np.log(x))),
    "cauchy_": (lambda t: tg.empty(N, dtype=t, device=CARD).cauchy_(1, 2),
                lambda x: 0.5 + np.arctan((x - 1) / 2) / np.pi),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CONTINUOUS)
def test_distributions(name, dtype):
    draw, function = CONTINUOUS[name]
    tg.manual_seed(3)
    here = tg.rand(3).tolist()
    tg.manual_seed(3)
    before = strict.COUNTS.to_card
    found = draw(dtype)
    assert strict.COUNTS.to_card == before
    assert (str(found.device), str(found.dtype)) == (CARD, f"tapegrad.{dtype}")
    assert tg.rand(3).tolist() == here  # the host's generator stands where it stood
    order = np.sort(found.cpu().numpy().astype(float))
    assert np.isfinite(order).all()
    # Kolmogorov and Smirnov: beyond 1.95 once in a thousand times
    gap = np.abs(function(order) - (np.arange(N) + 0.5) / N).max()
    assert gap * math.sqrt(N) < 1.95
    tg.manual_seed(3)
    assert draw(dtype).tolist() == found.tolist()
    assert draw(dtype).tolist() != found.tolist()


COUNTED = {
    "randint": (lambda: tg.randint(-2, 3, (N,), device=CARD), dict.fromkeys(range(-2, 3), 0.2)),
    "random_": (lambda: tg.empty(N, dtype=tg.int32, device=CARD).random_(0, 4), dict.fromkeys(range(4), 0.25)),
    "randint_like": (lambda: tg.randint_like(tg.empty(N, device=CARD), 2), {0: 0.5, 1: 0.5}),
    "bernoulli_": (lambda: tg.empty(N, device=CARD).bernoulli_(0.3), {0: 0.7, 1: 0.3}),
    "bernoulli": (lambda: tg.bernoulli(tg.full((N,), 0.3, device=CARD)), {0: 0.7, 1: 0.3}),
    "geometric_": (lambda: tg.empty(N, device=CARD).geometric_(0.5), {1: 0.5, 2: 0.25, 3: 0.125}),
    "multinomial": (lambda: tg.multinomial(card([1.0, 0.0, 3.0]), N, True), {0: 0.25, 1: 0.0, 2: 0.75}),
    "multinomial rows": (lambda: tg.multinomial(card([[1.0, 0.0, 3.0]] * (N // 2)), 1).reshape(-1),
                         {0: 0.25, 1: 0, 2: 0.75}),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTED)
def test_whole_numbers(name):
    draw, shares = COUNTED[name]
    tg.manual_seed(4)
    before = strict.COUNTS.to_card
    found = draw()
    assert str(found.device) == CARD
    assert strict.COUNTS.to_card - before <= 1  # the weights of multinomial
    values = found.cpu().numpy()
    for value, share in shares.items():
        assert abs((values == value).mean() - share) <= 4.5 * math.sqrt(share * (1 - share) / values.size)
    if name != "geometric_":
        assert set(values.tolist()) <= set(shares)


def test_permutations():
    found = tg.randperm(1000, device=CARD)
    assert sorted(found.tolist()) == list(range(1000)) != found.tolist()
    firsts = [tg.randperm(4, device=CARD)[0].item() for _ in range(400)]
    assert min(firsts.count(v) for v in range(4)) > 60
    rows = tg.multinomial(card([[1.0, 1.0, 1.0], [0.0, 2.0, 1.0]]), 2).tolist()
    assert all(len(set(row)) == 2 for row in rows)
    assert 0 not in rows[1]


def test_types_and_shapes():
    for dtype in (tg.float16, tg.bfloat16):
        x = tg.rand(5000, dtype=dtype, device=CARD).float()
        assert 0 <= float(x.min()) <= float(x.max()) <= 1  # the host rounds to 16 bits after the kernel has looked
        assert tg.randn(3, dtype=dtype, device=CARD).dtype is dtype
    z = tg.randn(20_000, dtype=tg.complex64, device=CARD).cpu().numpy()
    np.testing.assert_allclose([z.real.var(), z.imag.var(), (z.real * z.imag).mean()], [0.5, 0.5, 0], atol=0.02)
    assert tg.rand(0, 3, device=CARD).shape == (0, 3)
    assert tg.rand((), device=CARD).ndim == 0
    turned = tg.empty(3, 4, device=CARD).t().normal_()
    assert turned.shape == (4, 3)
    wide = tg.randint(-(2**63), 2**63 - 1, (1000,), device=CARD).cpu().numpy()
    assert wide.min() < -(2**62) < 2**62 < wide.max()
    out = tg.empty(4, device=CARD)
    assert tg.rand(4, out=out) is out
    assert tg.rand(2, device=CARD, requires_grad=True).requires_grad


def test_a_generator_of_the_host_draws_there():
    g = tg.Generator()
    assert (
        tg.rand(5, device=CARD, generator=g.manual_seed(1)).tolist() == tg.rand(5, generator=g.manual_seed(1)).tolist()
    )
    p = tg.full((6,), 0.5)
    there = tg.bernoulli(p.to(CARD), generator=g.manual_seed(1))
    assert there.tolist() == tg.bernoulli(p, generator=g.manual_seed(1)).tolist()
    there = tg.multinomial(p.to(CARD), 3, generator=g.manual_seed(1))
    assert there.tolist() == tg.multinomial(p, 3, generator=g.manual_seed(1)).tolist()


REFUSED = [
    lambda d: tg.empty(3, device=d).uniform_(2, 1), lambda d: tg.empty(3, device=d).normal_(0, -1),
    lambda d: tg.empty(3, device=d).exponential_(-1.0), lambda d: tg.empty(3, device=d).cauchy_(0, 0),
    lambda d: tg.empty(3, device=d).log_normal_(0, 0), lambda d: tg.empty(3, device=d).geometric_(1.5),
    lambda d: tg.empty(3, device=d).bernoulli_(1.5), lambda d: tg.bernoulli(tg.full((2,), 1.5, device=d)),
    lambda d: tg.randint(0, 2**40, (2,), dtype=tg.int32, device=d), lambda d: tg.randperm(-1, device=d),
    lambda d: tg.normal(tg.zeros(2, device=d), tg.full((2,), -1.0, device=d)),
    lambda d: tg.multinomial(tg.full((2,), -1.0, device=d), 1), lambda d: tg.multinomial(tg.zeros(2, device=d), 1),
    lambda d: tg.multinomial(tg.ones(2, device=d), 3), lambda d: tg.multinomial(tg.ones(2, 2, 2, device=d), 1),
    lambda d: tg.rand(3, dtype=tg.int64, device=d),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_the_host_refuses_is_refused(number):
    with pytest.raises(RuntimeError) as here:
        REFUSED[number]("cpu")
    with pytest.raises(RuntimeError) as there:
        REFUSED[number](CARD)
    assert str(there.value).split(":")[0] == str(here.value).split(":")[0]


def test_new_tensors_are_made_on_the_card():
    backends.device_of(CARD)
    before = strict.COUNTS.to_card
    made = {}
    for at in (CARD, "cpu"):
        made[at] = [
            tg.eye(3, device=at), tg.eye(2, 4, dtype=tg.bfloat16, device=at), tg.linspace(0, 1, 7, device=at),
            tg.linspace(3, -8, 6, dtype=tg.int64, device=at), tg.linspace(1, 2, 5, dtype=tg.bfloat16, device=at),
            tg.linspace(0, 1 + 1j, 5, device=at), tg.linspace(4, 9, 1, device=at), tg.linspace(4, 9, 0, device=at),
            tg.logspace(0, 3, 5, device=at), tg.logspace(0, 2, 4, 2, dtype=tg.int64, device=at),
            tg.arange(3, 10, 2, device=at), tg.range(1, 4, 0.5, device=at), tg.full((2, 2), 7, device=at),
        ]  # fmt: skip
        assert tg.empty_strided((2, 3), (1, 4), device=at).stride() == (1, 4)
    assert strict.COUNTS.to_card == before
    for there, here in zip(made[CARD], made["cpu"], strict=True):
        assert (there.dtype, there.shape) == (here.dtype, here.shape)
        assert there.tolist() == here.tolist()
