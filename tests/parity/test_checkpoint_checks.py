"""What checkpointing notices in a function that does otherwise the second time, against PyTorch; and its debugging."""

import contextlib

import pytest

import tapegrad as tg

from ..scenarios.table import leaf
from .checkpoints import checkpoint
from .pairs import Pairs

pytestmark = pytest.mark.parity
pair = Pairs()


@pair.parameters()
def test_like_pytorch(name):
    pair.check(name)


def differs(lib, **options):
    runs = []

    def function(t):
        runs.append(1)
        return (t.exp() if len(runs) == 1 else lib.cat([t, t]).exp()[:2]).sin()

    return checkpoint(lib).checkpoint(function, leaf(lib, 1, 2), use_reentrant=False, **options)


@pair
def debug_tells_what_differed(lib):
    made = differs(lib, debug=True)
    try:
        made.sum().backward()
    except RuntimeError as error:
        return type(error).__name__, "original" in str(error), "exp" in str(error), "recomputation" in str(error)


@pair
def debug_refuses_other_contexts(lib):
    contexts = contextlib.nullcontext(), contextlib.nullcontext()
    checkpoint(lib).checkpoint(
        lambda t: t * 2, leaf(lib, 1), use_reentrant=False, debug=True, context_fn=lambda: contexts
    )


@pair
def debug_is_not_for_the_older_way(lib):
    checkpoint(lib).checkpoint(lambda t: t * 2, leaf(lib, 1), use_reentrant=True, debug=True)


def test_debug_for_all():
    for mode, asked, detailed in ((True, False, True), (False, True, False), (None, True, True)):
        with tg.utils.checkpoint.set_checkpoint_debug_enabled(mode):
            y = differs(tg, debug=asked)
        with pytest.raises(RuntimeError) as caught:
            y.sum().backward()
        assert ("Saved in the original forward" in str(caught.value)) == detailed


def test_debug_names_steps_and_lines():
    with pytest.raises(RuntimeError) as caught:
        differs(tg, debug=True).sum().backward()
    text = str(caught.value)
    first, again = text.split("Saved in the recomputation")
    assert "0: exp saves float64[2] on cpu" in first
    assert "1: sin saves float64[2] on cpu" in first
    assert "0: exp saves float64[4] on cpu" in again
    assert first.count("test_checkpoint_checks.py") == 2


def changing(lib, first, second, **kwargs):
    x, runs = leaf(lib, 1, 2), []
    y = checkpoint(lib).checkpoint(
        lambda t: (runs.append(1), (first if len(runs) == 1 else second)(t))[1], x, use_reentrant=False, **kwargs
    )
    y.sum().backward()
    return x.grad


@pair
def a_function_that_saves_more_the_second_time(lib):
    return changing(lib, lambda t: t.exp(), lambda t: t.sin().exp(), early_stop=False)


@pair
def a_function_that_saves_less_the_second_time(lib):
    return changing(lib, lambda t: t.sin().exp(), lambda t: t.exp())


@pair
def a_function_that_saves_another_shape_the_second_time(lib):
    return changing(lib, lambda t: t.exp(), lambda t: t[:1].exp())


@pair
def another_shape_unchecked(lib):
    return changing(lib, lambda t: t.exp(), lambda t: t.exp() * 1, determinism_check="none")


@pair
def an_unknown_check(lib):
    checkpoint(lib).checkpoint(lambda t: t.exp(), leaf(lib, 1), use_reentrant=False, determinism_check="all")


def test_texts_of_errors():
    with pytest.raises(tg.utils.checkpoint.CheckpointError, match="saved 2 tensors and the recomputation 1"):
        changing(tg, lambda t: t.sin().exp(), lambda t: t.exp())
    with pytest.raises(tg.utils.checkpoint.CheckpointError, match=r"float64\[2\] on cpu.* float64\[1\] on cpu"):
        changing(tg, lambda t: t.exp(), lambda t: t[:1].exp())
