"""Indices out of range on a card: told at the next wait, never computed on in silence; on the strict stand-in."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import backends, nn

from . import host, sanitize, strict
from .strict_backend import BUILDER
from .test_blocks import SERIALISED

pytestmark = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))
CARD = "strict:0"
F = nn.functional


def card(values):
    return tg.tensor(values).to(CARD)


@pytest.fixture
def x():
    return tg.arange(12.0).reshape(3, 4).to(CARD)


def embedding(x, rows):
    return nn.Embedding.from_pretrained(x)(rows) if hasattr(nn, "Embedding") else tg.autograd.P.take(x, rows)


CASES = {
    "index": (lambda x, i: x[card([0, i])], "index: index {} at place 1 is out of range for .* of size 3", 3, -4),
    "second dimension": (lambda x, i: x[:, card([[0, 1], [2, i]])], "index: index {} at place 3 .* size 4", 4, -5),
    "after None": (lambda x, i: x[None, card([0]), card([i])], "index: index {} at place 0 .* size 4", 4, -5),
    "beside a mask": (lambda x, i: x[card([True, False, True]), card([0, i])], "index {} at place 1 .* size 4", 4, -5),
    "index_put": (lambda x, i: x.clone().__setitem__(card([i, 0]), 1.0), "index {} at place 0 .* size 3", 3, -4),
    "take": (lambda x, i: tg.autograd.P.take(x, card([[0], [i]])), "embedding: row {} at place 1 .* 3 rows", 3, -4),
    "gather": (lambda x, i: x.gather(1, card([[0, i]])), "index {} at place 1 is out of range: .* there are 4", 4, -1),
    "scatter": (lambda x, i: x.scatter(0, card([[i]]), 1.0), "index {} at place 0 is out of range: .* are 3", 3, -1),
    "scatter_add": (lambda x, i: x.scatter_add(0, card([[i]]), x), "index {} at place 0 is out of range", 3, -1),
    "nll_loss": (lambda x, i: F.nll_loss(x, card([0, 1, i])), "index {} at place 2 is out of range: .* are 4", 4, -1),
    "int32": (lambda x, i: x[card([0, i]).int()], "index: index {} at place 1", 3, -4),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_index_out_of_range_is_told_at_the_next_wait(name, x):
    use, words, above, below = CASES[name]
    backend = backends.device_of(CARD).backend
    for bad in (above, below):
        before = strict.COUNTS.waits
        out = use(x, bad)
        if name not in ("nll_loss", "beside a mask"):  # the first computes on, a mask itself waits
            assert strict.COUNTS.waits - before <= 1  # the first look ever makes the note, and waits for that
        with pytest.raises(IndexError, match=words.format(bad)):
            (x if out is None else out).tolist()
        backend.synchronize()  # told once
        use(x, bad)
        with pytest.raises(IndexError, match=words.format(bad)):
            backend.synchronize()
    use(x, 1)
    use(x, 0)
    backend.synchronize()


def test_indices_in_range_are_those_of_the_host(x):
    here = x.cpu()
    for i in (2, -3, [0, -1], [[2, 0], [1, 1]]):
        index = i if isinstance(i, int) else card(i)
        same = i if isinstance(i, int) else tg.tensor(i)
        np.testing.assert_array_equal(x[index].cpu().numpy(), here[same].numpy())
    assert F.nll_loss(x, card([0, -100, 3])).item() == F.nll_loss(here, tg.tensor([0, -100, 3])).item()
    assert x[card(np.zeros(0, np.int64))].shape == (0, 4)


def test_an_empty_dimension_has_no_place():
    for bad in (0, -1):
        empty = tg.zeros(2, 0, device=CARD)
        with pytest.raises(IndexError):
            empty[card([0]), card([bad])].tolist()
        backends.device_of(CARD).backend._fault.fill(0)
        backends.device_of(CARD).backend._watched.clear()


def test_an_index_that_equals_the_ignored_class_is_no_exception(x):
    with pytest.raises(IndexError, match="index -100 at place 0"):
        x[card([-100])].tolist()
    with pytest.raises(IndexError, match="target -1 in row 0"):
        F.cross_entropy(x, card([-1, 0, 1])).item()


def test_what_has_been_looked_at_is_not_read_again(x):
    backend = backends.device_of(CARD).backend
    x[card([0, 1])].tolist()
    before = strict.COUNTS.to_host
    x.tolist()
    assert strict.COUNTS.to_host == before + 1
    x[card([0, 1])]
    before = strict.COUNTS.to_host
    backend.check_faults()  # as after an event: whether the stream has come to its end is not known
    backend.check_faults((strict.STRICT.cuda.get_current_stream().ptr,))
    backend.check_faults()
    assert strict.COUNTS.to_host == before + 2


@pytest.mark.parametrize("sanitizer", sanitize.SANITIZERS)
def test_many_offenders_leave_one_note(sanitizer):
    if (reason := sanitize.why_not(sanitizer)) is not None:
        pytest.skip(reason)
    backend = backends.device_of(CARD).backend
    BUILDER.launches.clear()
    assert backend.refused(strict.made(np.arange(700) + 5), 4, 5) is False
    with pytest.raises(IndexError, match=r"index (\d+) at place"):
        backend.synchronize()
    launch = BUILDER.launches[-1]
    launch[-1][-1][:] = 0
    status, said, outs = sanitize.run(sanitize.program(SERIALISED, sanitizer), launch)
    assert status == 0, said
    place, value, size, _ = outs[-1].tolist()
    assert (value, size) == (place - 1 + 5, 4)
    assert place != 1  # 5 itself is let through
