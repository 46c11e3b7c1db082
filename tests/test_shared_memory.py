"""``share_memory_`` and ``multiprocessing``: what one process writes, the others see."""

import os
import sys

import pytest

import tapegrad as tg
import tapegrad.multiprocessing as mp
from tapegrad import nn

METHODS = [m for m in mp.get_all_start_methods() if m in ("fork", "spawn")]


def step(rank, net, done):
    """Move the parameters, from another process."""
    with tg.no_grad():
        for p in net.parameters():
            p += rank + 1
    done += 1


def fail(rank):
    if rank == 1:
        raise ValueError("the second one")
    mp.Event().wait()  # until it is ended


def leave(rank):
    os._exit(3)


@pytest.mark.parametrize("method", METHODS)
def test_processes_write_to_the_same_memory(method, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    net = nn.Conv2d(2, 3, 2).to(memory_format=tg.channels_last)
    before = [p.detach().clone() for p in net.parameters()]
    done = tg.zeros(2)
    assert not done.is_shared()
    assert net.share_memory() is net
    assert done.share_memory_() is done
    assert all(p.is_shared() and p.is_leaf and isinstance(p, nn.Parameter) for p in net.parameters())
    assert net.weight.is_contiguous(memory_format=tg.channels_last)
    mp.start_processes(step, (net, done), nprocs=1, start_method=method)
    assert done.tolist() == [1, 1]
    for p, old in zip(net.parameters(), before, strict=True):
        assert tg.equal(p, old + 1)


def test_memory_goes_with_its_last_tensor():
    from tapegrad.autograd.ops import shared

    count = len(shared._blocks)
    x = tg.arange(6.0).share_memory_()
    row = x.view(2, 3)[1]
    assert len(shared._blocks) == count + 1
    del x
    assert row.is_shared()
    assert row.tolist() == [3, 4, 5]
    del row
    assert len(shared._blocks) == count


def test_views_are_refused():
    with pytest.raises(RuntimeError, match="view of another"):
        tg.ones(3)[1:].share_memory_()
    assert tg.zeros(0, 3).share_memory_().shape == (0, 3)


@pytest.mark.skipif("fork" not in METHODS, reason="needs a start method without imports")
def test_processes_that_fail():
    with pytest.raises(mp.ProcessRaisedException, match=r"(?s)Process 1 terminated.*ValueError: the second one"):
        mp.start_processes(fail, nprocs=2, start_method="fork")
    with pytest.raises(mp.ProcessExitedException, match="exit code 3"):
        mp.start_processes(leave, start_method="fork")
    context = mp.start_processes(leave, join=False, start_method="fork")
    assert len(context.pids()) == 1
    with pytest.raises(mp.ProcessExitedException):
        context.join()
