"""Reductions and normalisations under a mask, against PyTorch: values, first and second order."""

import numpy as np
import pytest

import tapegrad as tg

from .matrix_cases import check, find, torch

pytestmark = pytest.mark.parity

X = np.random.default_rng(2).standard_normal((3, 4, 2))
MASK = np.random.default_rng(3).random((3, 4, 2)) > 0.4
MASK[:, 0] = True  # something gets through everywhere
REDUCTIONS = ["sum", "prod", "amax", "amin", "mean", "var", "std", "logsumexp", "norm"]


def masks():
    return [None, MASK, MASK[0], np.ones((4, 1), bool)]


def run(name, x, mask, options, orders=2):
    if mask is None:
        check(f"masked.{name}", [x], options, orders=orders)
    else:
        _compare(name, x, mask, options, orders)


def _compare(name, x, mask, options, orders):
    found = []
    for package in (tg, torch):
        leaf = package.tensor(x).requires_grad_() if orders else package.tensor(x)
        out = find(package.masked, name)(leaf, mask=package.tensor(mask), **options)
        row = [out.detach().numpy()]
        for order in range(orders):
            w = package.tensor(np.random.default_rng([order, *out.shape]).standard_normal(tuple(out.shape)))
            (out,) = package.autograd.grad((out * w).sum(), leaf, create_graph=True)
            row.append(out.detach().numpy(**({} if package is tg else {"force": True})))
            if not out.requires_grad:
                break
        found.append(row)
    for order, (a, b) in enumerate(zip(*found)):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11, err_msg=f"masked.{name} order {order}")


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, 1, (0, 1), -1])
def test_reductions(name, dim, keepdim):
    options = {"dim": dim, "keepdim": keepdim, **({"ord": 3.0} if name == "norm" else {})}
    for mask in masks():
        if dim == -1 and mask is not None and name not in ("sum", "prod"):
            continue  # there nothing gets through in places
        run(name, X, mask, options)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin", "cumsum", "cumprod", "normalize", "median"])
def test_along_a_dimension(name):
    for mask in masks():
        for dim in (1, 0) if mask is None else (1,):
            options = {"dim": dim, **({"ord": 2.0} if name == "normalize" else {})}
            run(name, X, mask, options, orders=1 if name == "log_softmax" else 2)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_indices(name):
    for mask in masks():
        for dim in (None, 1):
            run(name, X, mask, {"dim": dim}, orders=0)
            run(name, (X * 10).astype(np.int64), mask, {"dim": dim}, orders=0)


@pytest.mark.parametrize("name", ["sum", "prod", "amax", "amin"])
def test_nothing_gets_through(name):
    for x in (X, (X * 10).astype(np.int64), (X * 10).astype(np.int16)):
        run(name, x, np.zeros((3, 4, 2), bool), {"dim": 1}, orders=0)


def test_logaddexp():
    other = MASK[::-1].copy()
    got, want = (
        p.masked.logaddexp(p.tensor(X), p.tensor(X + 1), input_mask=p.tensor(MASK), other_mask=p.tensor(other)).numpy()
        for p in (tg, torch)
    )
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_refusals():
    with pytest.raises(ValueError, match="floating"):
        tg.masked.mean(tg.tensor([1, 2]))
    with pytest.raises(IndexError, match="more dimensions"):
        tg.masked.sum(tg.ones(2), mask=tg.ones(2, 2, dtype=tg.bool))
