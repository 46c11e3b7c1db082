"""Copies between host and card, pinned memory, and tensors made on the card, on the strict stand-in."""

import gc

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import backends
from tapegrad.utils.data import DataLoader

from . import host, strict
from .strict_copies import STREAM, is_pinned

pytestmark = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))
CARD = "strict:0"


def pinned(values):
    return tg.tensor(values).pin_memory(CARD)


def test_pinning_copies_once():
    x = tg.tensor([1.0, 2.0, 3.0])
    y = x.pin_memory(CARD)
    assert (x.is_pinned(CARD), y.is_pinned(CARD), y[1:].is_pinned(CARD)) == (False, True, True)
    assert y.tolist() == [1.0, 2.0, 3.0]
    assert y.pin_memory(CARD) is y
    y[0] = 5
    assert x.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(RuntimeError, match=r"pin_memory: only tensors on the CPU can be pinned, .* is on strict:0"):
        x.to(CARD).pin_memory(CARD)
    assert not x.to(CARD).is_pinned(CARD)


def test_a_copy_of_pinned_memory_does_not_wait_if_told_so():
    x = pinned([1.0, 2.0, 3.0])
    before = strict.COUNTS.waits
    y = x.to(CARD, non_blocking=True)
    assert strict.COUNTS.waits == before
    x[0] = 7  # too early: the copy has not taken place
    assert y.tolist() == [7.0, 2.0, 3.0]


@pytest.mark.parametrize("move", [lambda x: x.to(CARD), lambda x: tg.empty(3, device=CARD).copy_(x)])
def test_other_copies_of_pinned_memory_are_done_when_they_return(move):
    x = pinned([1.0, 2.0, 3.0])
    y = move(x)
    x[0] = 7
    assert y.tolist() == [1.0, 2.0, 3.0]


def test_a_copy_of_ordinary_memory_may_be_followed_by_a_write():
    x = tg.tensor([1.0, 2.0])
    y = x.to(CARD, non_blocking=True)
    x[0] = 7
    assert y.tolist() == [1.0, 2.0]


def test_pinned_memory_is_kept_until_it_has_been_read():
    y = pinned([1.0, 2.0, 3.0]).to(CARD, non_blocking=True)
    gc.collect()
    assert y.tolist() == [1.0, 2.0, 3.0]
    backend = backends.device_of(CARD).backend
    assert len(backend._flying) == 1
    for _ in range(5):
        pinned([4.0]).to(CARD, non_blocking=True).tolist()
    assert len(backend._flying) <= 2
    backend.synchronize()
    assert not backend._flying


def test_to_the_host_without_a_wait_goes_into_pinned_memory():
    x = tg.arange(6.0).reshape(2, 3).to(CARD).t()
    before = strict.COUNTS.waits
    y = x.to("cpu", non_blocking=True)
    out = pinned(np.zeros((3, 2), "f4"))
    assert out.copy_(x, non_blocking=True) is out
    assert strict.COUNTS.waits == before
    assert is_pinned(y._array)
    assert STREAM.pending
    del x
    backends.device_of(CARD).backend.synchronize()
    for found in (y, out):
        assert found.tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]


def test_where_history_or_types_stand_in_the_way_the_copy_waits():
    x = tg.ones(2, requires_grad=True)
    out = pinned([0.0, 0.0])
    out.copy_((x * 2).to(CARD), non_blocking=True)
    out.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    whole = pinned([0.0, 0.0])
    whole.copy_(tg.tensor([3, 4]).to(CARD), non_blocking=True)
    assert whole.tolist() == [3.0, 4.0]
    version = whole._version
    whole.copy_(tg.tensor([5.0, 6.0]).to(CARD), non_blocking=True)
    assert whole._version == version + 1


def test_gradients_travel_through_a_copy_that_does_not_wait():
    x = pinned([1.0, 2.0]).requires_grad_()
    (x.to(CARD, non_blocking=True) ** 2).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_flags_may_be_given_by_position():
    x = pinned([1.0, 2.0])
    before = strict.COUNTS.waits
    y = x.to(CARD, tg.float32, True)
    assert strict.COUNTS.waits == before
    assert y.to(CARD, tg.float32, False, True) is not y
    assert y.to(CARD, tg.float32, False) is y


def test_the_loader_pins_what_it_hands_out():
    data = [{"x": tg.tensor([float(i)]), "y": i, "name": "n"} for i in range(4)]
    for batch in DataLoader(data, batch_size=2, pin_memory=True, pin_memory_device=CARD):
        assert batch["x"].is_pinned(CARD)
        assert batch["y"].is_pinned(CARD)
        assert batch["name"] == ["n", "n"]


MADE = {
    "zeros": (lambda **o: tg.zeros(2, 3, **o), True), "ones": (lambda **o: tg.ones(2, 3, **o), True),
    "full": (lambda **o: tg.full((2, 3), 2.5, **o), True), "empty": (lambda **o: tg.empty(2, 3, **o), False),
    "arange": (lambda **o: tg.arange(5, **o), True), "steps": (lambda **o: tg.arange(0, 1, 0.25, **o), True),
    "int8": (lambda **o: tg.full((2,), 3, dtype=tg.int8, **o), True),
    "like": (lambda **o: tg.ones_like(tg.zeros(2, **o)), True),
    "new": (lambda **o: tg.zeros(1, **o).new_full((2,), 4.0), True),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_tensors_are_made_on_the_card(name):
    make, told = MADE[name]
    before = strict.COUNTS.to_card
    x = make(device=CARD)
    assert strict.COUNTS.to_card == before
    assert str(x.device) == CARD
    assert type(x._array) is strict.ndarray
    here = make()
    assert (x.dtype, x.shape) == (here.dtype, here.shape)
    if told:
        assert x.tolist() == here.tolist()


def test_what_a_type_cannot_hold_is_refused_on_the_card_as_on_the_host():
    for device in ("cpu", CARD):
        with pytest.raises(RuntimeError, match="300 cannot be converted to int8"):
            tg.full((2,), 300, dtype=tg.int8, device=device)
