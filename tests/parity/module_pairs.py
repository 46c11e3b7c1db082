"""What tests of modules share: a program for both libraries, and results that must be near one another."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tapegrad as tg

torch = pytest.importorskip("torch")

__all__ = ["all_near", "both", "flat", "near"]


def flat(value):
    """The tensors in a nest of tuples and lists, in order."""
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in flat(part)]
    return [value] if isinstance(value, (tg.Tensor, torch.Tensor)) else []


def near(ours, theirs, tol=2e-5):
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=tol, atol=tol)


def all_near(ours, theirs, tol=2e-5):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            near(a, b, tol)


def both(build):
    results = []
    for lib in (tg, torch):
        lib.manual_seed(5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(build(lib))
    return results
