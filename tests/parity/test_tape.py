"""The tape in detail: what backward, grad, leaves and modes do, one short program each, run on both libraries.

What a program answers must be the same: values, flags, classes of errors, kinds of warnings. The scenarios beside this
folder have the common cases with their answers written out; these are the corners.
"""

import warnings

import pytest

import tapegrad

from ..scenarios.table import equal, leaf, plain
from . import tape_backward, tape_grad, tape_leaves
from .tape_programs import attempt

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

PROGRAMS = tape_backward.program | tape_leaves.program | tape_grad.program


def outcome(program, lib):
    """What a program answers, and the classes of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer = plain(attempt(lambda: program(lib)))
    # PyTorch says once a process that create_graph makes a cycle.
    return answer, sorted({w.category.__name__ for w in caught if "reference cycle" not in str(w.message)})


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    ours, theirs = (outcome(PROGRAMS[name], lib) for lib in (tapegrad, torch))
    assert equal(ours[0], theirs[0]), f"{ours[0]!r}, PyTorch answers {theirs[0]!r}"
    assert ours[1] == theirs[1]


def test_the_second_backward_names_the_mend():
    y = (leaf(tapegrad, 1, 2) ** 2).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"second time.*retain_graph=True"):
        y.backward()


def test_a_gradient_that_is_not_kept_names_the_mend():
    y = leaf(tapegrad, 1, 2) * 2
    with pytest.warns(UserWarning, match="retain_grad"):
        assert y.grad is None
