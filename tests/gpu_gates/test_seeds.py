"""Dropout on a card and the seeds of its generator, on the strict stand-in."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import backends, nn
from tapegrad.backends.random import CounterGenerator, seed_devices

from . import host, strict

CARD = "strict:0"
needs_host = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))


def generator():
    return backends.device_of(CARD).backend.generator


def drop(p=0.3, shape=(4, 50), dtype="float32", **options):
    return nn.functional.dropout(tg.ones(*shape, dtype=dtype, device=CARD), p, **options)


@needs_host
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_draws_on_the_card(dtype):
    state = tg.get_rng_state() if hasattr(tg, "get_rng_state") else None
    tg.ones(1, dtype=dtype, device=CARD, requires_grad=True).sum().backward()  # makes the first cotangent
    before = strict.COUNTS.to_card, strict.COUNTS.waits
    x = tg.ones(100, 301, dtype=dtype, device=CARD, requires_grad=True)
    y = nn.functional.dropout(x, 0.3)
    y.sum().backward()
    assert (strict.COUNTS.to_card, strict.COUNTS.waits) == before
    values = y.detach().cpu().numpy()
    kept = values != 0
    assert abs(kept.mean() - 0.7) < 4 * (0.21 / kept.size) ** 0.5
    np.testing.assert_allclose(values[kept], 1 / 0.7, rtol=1e-6)
    np.testing.assert_array_equal(x.grad.cpu().numpy(), values)
    assert state is None or state.tolist() == tg.get_rng_state().tolist()


@needs_host
def test_each_mask_is_new_and_a_seed_brings_them_back():
    tg.manual_seed(5)
    first = [drop().tolist() for _ in range(3)]
    assert first[0] != first[1] != first[2] != first[0]
    tg.manual_seed(5)
    assert [drop().tolist() for _ in range(3)] == first
    generator().manual_seed(5)
    assert drop().tolist() == first[0]
    state = generator().get_state()
    assert drop().tolist() == first[1]
    generator().set_state(state)
    assert drop().tolist() == first[1]
    generator().manual_seed(6)
    assert drop().tolist() != first[0]


@needs_host
def test_a_mask_goes_on_where_the_one_before_ended():
    generator().manual_seed(7)
    drop(shape=(10,))
    assert generator().take(0) == (7, 3)  # four numbers a step


@needs_host
def test_dropout_on_the_card_leaves_the_generator_of_the_host_alone():
    tg.manual_seed(1)
    here = tg.rand(3).tolist()
    tg.manual_seed(1)
    drop()
    assert tg.rand(3).tolist() == here


@needs_host
def test_dropout_in_place_in_evaluation_and_of_everything():
    x = tg.ones(50, device=CARD)
    assert nn.functional.dropout(x, 0.5, training=False) is x
    assert drop(p=1.0).tolist() == tg.zeros(4, 50).tolist()
    y = tg.ones(50, device=CARD)
    assert nn.functional.dropout(y, 0.5, inplace=True) is y
    assert set(y.tolist()) == {0.0, 2.0}
    assert drop(shape=(0, 3)).shape == (0, 3)


def test_seeds_reach_devices_that_come_into_use_later():
    early = CounterGenerator()
    tg.manual_seed(42)
    late = CounterGenerator()
    assert early.initial_seed() == late.initial_seed() == 42
    tg.manual_seed(-1)
    assert early.initial_seed() == CounterGenerator().initial_seed() == 2**64 - 1
    early.take(9)
    seed_devices(3)
    assert early.take(2) == (3, 0)
    assert early.take(1) == (3, 2)
    early.manual_seed(8)
    assert late.initial_seed() == 3
    assert early.seed() == early.initial_seed() != 8
    with pytest.raises(ValueError, match="not within"):
        early.manual_seed(2**64)
    with pytest.raises(RuntimeError, match="16 numbers of uint8"):
        early.set_state(np.zeros(3, np.uint8))


def test_seeding_a_machine_without_cuda_does_nothing_and_loads_nothing():
    if tg.cuda.is_available():
        pytest.skip("there is a CUDA device")
    tg.cuda.manual_seed(3)
    tg.cuda.manual_seed_all(3)
    assert not tg.cuda.is_initialized()
