"""``tapegrad.cuda`` and ``tapegrad.accelerator`` on a machine that seems to have two cards: the stand-in as cuda."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import nn
from tapegrad.backends import registry
from tapegrad.backends.random import CounterGenerator

from . import host, strict, strict_cuda
from .strict_backend import StrictBackend

pytestmark = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))


class Pretended(StrictBackend):
    """The CuPy backend over the stand-in, under CuPy's own name."""

    name, device_type = "cupy", "cuda"


def forget():
    for key in [key for key in tg.device._known if key[0] == "cuda"]:
        del tg.device._known[key]


@pytest.fixture(autouse=True)
def _two_cards(monkeypatch):
    forget()
    monkeypatch.setattr(strict.RUNTIME, "count", 2)
    entry = registry.Entry("cupy", Pretended, lambda: None, "cuda")
    monkeypatch.setitem(registry._entries, "cupy", entry)
    yield
    tg.set_default_device(None)
    strict.RUNTIME.card = 0
    strict_cuda.CHOSEN.clear()
    forget()


def test_what_there_is():
    cuda = tg.cuda
    assert (cuda.is_available(), cuda.device_count(), cuda.current_device()) == (True, 2, 0)
    assert cuda.get_device_name() == cuda.get_device_name("cuda:1") == "stand-in"
    assert cuda.get_device_capability() == (9, 0)
    properties = cuda.get_device_properties(1)
    assert (properties.total_memory, properties.multi_processor_count) == (80 * 2**30, 132)
    assert cuda.is_bf16_supported()
    assert (cuda.can_device_access_peer(0, 1), cuda.can_device_access_peer(1, 0)) == (True, False)
    cuda.init()
    with pytest.raises(ValueError, match="expected a CUDA device, got 'cpu'"):
        cuda.get_device_name("cpu")


def test_the_current_device():
    tg.cuda.set_device(1)
    assert tg.cuda.current_device() == 1
    assert str(tg.device("cuda")) == str(tg.ones(1).cuda().device) == "cuda:1"
    with tg.cuda.device(0):
        assert str(tg.ones(1, device="cuda").device) == "cuda:0"
    assert tg.cuda.current_device() == 1
    with tg.cuda.device_of(tg.ones(1, device="cuda:0")):
        assert tg.cuda.current_device() == 0
    with tg.cuda.device_of(tg.ones(1)):
        assert tg.cuda.current_device() == 1
    assert tg.accelerator.current_device_index() == tg.accelerator.current_device_idx() == 1
    with tg.accelerator.device_index(0):
        assert str(tg.accelerator.current_accelerator()) == "cuda:0"
    tg.accelerator.set_device_index(0)
    assert (tg.accelerator.device_count(), tg.cuda.current_device()) == (2, 0)
    assert str(tg.device(1)) == "cuda:1"


def test_work_goes_to_the_stream_on_its_card():
    before = tg.cuda.current_stream()
    assert before == tg.cuda.default_stream() == tg.accelerator.current_stream()
    there = tg.cuda.Stream(device=1)
    assert there != before
    assert len({there, before, tg.cuda.current_stream()}) == 2
    assert str(there.device) == "cuda:1"
    assert "cuda:1" in repr(there)
    with tg.cuda.stream(there):
        assert (tg.cuda.current_device(), tg.cuda.current_stream()) == (1, there)
        assert tg.cuda.current_stream(0) == before
        x = tg.ones(2, device="cuda") * 2
    assert (tg.cuda.current_device(), tg.cuda.current_stream()) == (0, before)
    assert tg.cuda.current_stream(1) == tg.cuda.default_stream(1)
    assert x.tolist() == [2.0, 2.0]
    with tg.cuda.stream(None):
        assert tg.cuda.current_stream() == before
    tg.cuda.set_stream(there)
    assert (tg.cuda.current_device(), tg.cuda.current_stream()) == (1, there)
    tg.cuda.set_stream(None)
    assert tg.cuda.current_stream() == there
    there.synchronize()
    assert there.query()


def test_the_table_of_an_update_is_not_read_in_a_stream_that_did_not_write_it():
    p, g = tg.ones(5, device="cuda"), tg.ones(5, device="cuda")
    backend = p.device.backend
    side = tg.cuda.Stream()
    before = strict.COUNTS.to_card
    for stream in (None, None, side, side, None):
        with tg.cuda.stream(stream):
            backend.sgd_update([p._array], [g._array], [], 0.1, 0.0, 0.0, 0.0, False, False)
    assert strict.COUNTS.to_card - before == 2
    np.testing.assert_allclose(p.cpu().numpy(), 0.5, rtol=1e-6)


def test_events():
    start, end = tg.cuda.Event(enable_timing=True), tg.cuda.Event(enable_timing=True)
    start.record()
    stream = tg.cuda.Stream()
    assert stream.record_event(end) is end
    end.wait()
    stream.wait_event(start)
    stream.wait_stream(tg.cuda.current_stream())
    end.synchronize()
    assert end.query()
    assert start.elapsed_time(end) > 0
    index = tg.ones(3, device="cuda")[tg.tensor([9], device="cuda")]
    event = tg.cuda.Event()
    event.record()
    with pytest.raises(IndexError, match="index 9 at place 0"):
        event.synchronize()
    assert index.shape == (1,)


def test_memory(monkeypatch):
    monkeypatch.setattr(strict.POOL, "used", {0: 5, 1: 7})
    for at in (tg.cuda, tg.accelerator):
        assert (at.memory_allocated(), at.memory_allocated(1)) == (5, 7)
        assert at.memory_reserved("cuda:1") == 7 + 2**28
        assert at.max_memory_allocated() == 5 + 2**28
    assert tg.cuda.mem_get_info() == (2**30, 80 * 2**30)
    tg.cuda.empty_cache()
    assert strict.POOL.emptied
    assert tg.cuda.OutOfMemoryError is tg.OutOfMemoryError
    x = tg.ones(1000, 1000, device="cuda:1")
    monkeypatch.setattr(strict.MEMORY, "limit", 1_000_000)
    for use in (lambda: x + x, lambda: tg.rand(1000, 1000, device="cuda:1"), lambda: x.clone().normal_()):
        with pytest.raises(tg.OutOfMemoryError, match=r"cuda:1 is out of memory: 3\.81 MiB asked for; arrays hold"):
            use()


def test_memory_statistics(monkeypatch):
    monkeypatch.setattr(strict.POOL, "used", {0: 5, 1: 7})
    stats = tg.cuda.memory_stats(1)
    assert stats["allocated_bytes.all.current"] == 7
    assert stats["allocated_bytes.all.peak"] == tg.cuda.max_memory_allocated(1)
    assert stats["reserved_bytes.all.current"] == tg.cuda.memory_reserved(1)


def test_memory_waits_for_a_stream_that_is_told_to_use_it():
    held = tg.backends.cuda.streams._HELD
    for card in (0, 1):
        stream, x = tg.cuda.Stream(device=card), tg.ones(3, device=f"cuda:{card}")
        x.record_stream(stream)
        assert not held
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tg.cuda.Event, "query", lambda event: False)  # the work goes on
            del x
            (memory,) = held.values()
            assert memory.mem.size == 12
            tg.cuda.empty_cache()
            assert len(held) == 1
        tg.cuda.empty_cache()
        assert not held
    with pytest.raises(NotImplementedError, match="record_stream: work on cpu is not queued in streams"):
        tg.ones(1).record_stream(stream)


def test_generators():
    tg.manual_seed(3)
    first = [tg.rand(4, device=f"cuda:{i}").tolist() for i in (0, 1)]
    assert first[0] == first[1]  # one seed, one stream of numbers on each card
    states = tg.cuda.get_rng_state_all()
    second = tg.rand(4, device="cuda:1").tolist()
    tg.cuda.set_rng_state_all(states)
    assert tg.rand(4, device="cuda:1").tolist() == second
    mine = tg.Generator(device="cuda").manual_seed(3)
    assert (type(mine), str(mine.device), type(tg.Generator("cuda:1"))) == (
        CounterGenerator,
        "cuda:0",
        CounterGenerator,
    )
    assert type(tg.Generator("cpu")) is type(tg.Generator(device="cpu")) is tg.Generator
    assert str(tg.Generator().device) == "cpu"
    tg.manual_seed(8)
    assert mine.initial_seed() == 3  # it stands by itself
    assert tg.rand(4, device="cuda", generator=mine).tolist() == first[0]
    with pytest.raises(RuntimeError, match=r"generator: one of a CUDA device was given for a tensor on cpu"):
        tg.rand(4, device="cpu", generator=mine)
    assert tg.cuda.seed_all() != tg.cuda.seed_all()


def test_initial_weights_are_those_of_the_host():
    tg.manual_seed(1)
    here = nn.Linear(3, 4).weight
    tg.manual_seed(1)
    with tg.device("cuda"):
        there = nn.Linear(3, 4).weight
        assert str(tg.zeros(1).device) == "cuda:0"
    assert str(there.device) == "cuda:0"
    np.testing.assert_array_equal(there.detach().cpu().numpy(), here.detach().numpy())


def test_a_script_without_a_word_about_devices_draws_the_numbers_of_the_host():
    tg.manual_seed(2)
    here = [tg.rand(3), tg.randn(20), tg.randint(0, 9, (5,)), tg.randperm(6)]
    tg.manual_seed(2)
    with tg.backends.use("cupy"):
        there = [tg.rand(3), tg.randn(20), tg.randint(0, 9, (5,)), tg.randperm(6)]
    for a, b in zip(here, there, strict=True):
        assert str(b.device) == "cuda:0"
        assert a.tolist() == b.tolist()


@tg.device("cuda")
def ones():
    return tg.ones(1)


def test_devices_as_contexts():
    with tg.device("cuda:1"), tg.device("cpu"):
        assert str(tg.ones(1).device) == "cpu"
    with tg.device("cuda:1") as outer:
        with tg.device("cuda:0"):
            assert str(tg.ones(1).device) == "cuda:0"
        assert str(tg.ones(1).device) == str(outer) == "cuda:1"
    assert str(tg.ones(1).device) == "cpu"
    with pytest.raises(ZeroDivisionError), tg.device("cuda"):
        1 / 0  # noqa: B018
    assert str(tg.ones(1).device) == "cpu"
    assert str(ones().device) == "cuda:0"


def test_tensors_on_two_cards_do_not_mix():
    with pytest.raises(RuntimeError, match=r"add: input is on cuda:0, other is on cuda:1"):
        tg.ones(2, device="cuda:0") + tg.ones(2, device="cuda:1")
