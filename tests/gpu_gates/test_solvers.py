"""Solvers that fail: CuPy's leave wrong numbers behind and say nothing unless told to look."""

import numpy as np
import pytest

import tapegrad as tg

from . import host, strict

pytestmark = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))
CARD = "strict:0"


def zeros(*shape):
    return tg.zeros(*shape, device=CARD)


SINGULAR = {
    "solve": lambda: tg.linalg.solve(zeros(2, 2), tg.ones(2, device=CARD)),
    "solve of a stack": lambda: tg.linalg.solve(zeros(3, 2, 2), tg.ones(3, 2, 1, device=CARD)),
    "inv": lambda: tg.linalg.inv(zeros(2, 2)),
    "inverse": lambda: tg.inverse(zeros(2, 2)),
    "matrix_power": lambda: tg.linalg.matrix_power(zeros(2, 2), -1),
    "cholesky": lambda: tg.linalg.cholesky(-tg.eye(2, device=CARD)),
    "svd": lambda: tg.linalg.svd(tg.full((2, 3), float("nan"), device=CARD)),
}


def test_the_stand_in_says_nothing_unless_told_to_look():
    singular = strict.made(np.zeros((2, 2)))
    assert strict.STRICT.linalg.solve(singular, strict.made(np.ones((2, 1)))).shape == (2, 1)
    assert np.isfinite(strict.STRICT.linalg.cholesky(strict.made(-np.eye(2))).a).all()
    with strict.errstate(linalg="raise"), pytest.raises(np.linalg.LinAlgError):
        strict.STRICT.linalg.cholesky(strict.made(-np.eye(2)))
    with pytest.raises(ValueError, match="a must have"):
        strict.STRICT.linalg.solve(singular, strict.made(np.ones((3, 2, 1))))  # CuPy does not broadcast


@pytest.mark.parametrize("name", SINGULAR)
def test_a_failure_is_told(name):
    with pytest.raises(tg.linalg.LinAlgError):
        SINGULAR[name]()


def test_what_is_no_failure():
    assert tg.linalg.det(zeros(2, 2)).item() == 0
    sign, log = tg.linalg.slogdet(zeros(2, 2))
    assert (sign.item(), log.item()) == (0, -float("inf"))
    assert tg.linalg.pinv(zeros(2, 3)).tolist() == [[0.0, 0.0]] * 3
    a = tg.tensor([[[2.0, 0.0], [0.0, 4.0]]] * 2, device=CARD, requires_grad=True)
    x = tg.linalg.solve(a, tg.ones(2, device=CARD))  # one right-hand side for both
    np.testing.assert_allclose(x.detach().cpu().numpy(), [[0.5, 0.25]] * 2)
    x.sum().backward()
    assert np.isfinite(a.grad.cpu().numpy()).all()
