"""tapegrad.keras against what Keras itself answered: losses, metrics, optimizers, schedules, fitting, summaries."""

import json

import numpy as np
import pytest

from .cases import ANSWERS, Cases

RECORDED = json.loads(ANSWERS.read_text(encoding="utf-8"))
NAMES = list(Cases("tapegrad.keras").all)


def agree(got, wanted):
    if isinstance(wanted, dict):
        assert list(got) == list(wanted)
        for name in wanted:
            agree(got[name], wanted[name])
    elif isinstance(wanted, list) and any(isinstance(part, (list, dict, str)) for part in wanted):
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted):
            agree(one, other)
    elif isinstance(wanted, str):
        assert got == wanted
    else:
        np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=2e-5)


def test_there_is_an_answer_for_every_case():
    assert set(RECORDED) == {*NAMES, "keras"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_keras_answers_so(name):
    agree(Cases("tapegrad.keras").all[name](), RECORDED[name])
