"""docs/support.md says what the tests run."""

import pytest

from .tools import support


def halves():
    return support.PAGE.read_text("utf-8").split(support.BREAK)


def test_the_table_of_primitives_is_up_to_date():
    assert halves()[0] == support.primitives(), "run python -m tests.tools.support"


@pytest.mark.parity
def test_the_table_of_operators_is_up_to_date():
    pytest.importorskip("torch")
    pytest.importorskip("expecttest", reason="PyTorch's operator database needs it")
    assert halves()[1] == support.operators(), "run python -m tests.tools.support"
