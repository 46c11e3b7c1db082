"""Runs one function of tapegrad and of PyTorch on the same inputs: values, first and second order."""

import itertools

import numpy as np
import pytest

import tapegrad as tg

torch = pytest.importorskip("torch")

__all__ = ["check", "find", "same"]


def find(package, name):
    for part in name.split("."):
        package = getattr(package, part)
    return package


def flat(x):
    """The tensors of a result, nested or not."""
    if isinstance(x, (list, tuple)):
        return [t for v in x for t in flat(v)]
    return [x]


def same(ours, theirs, what, rtol=1e-8):
    ours, theirs = ours.detach().numpy(), theirs.detach().numpy(force=True)
    assert ours.dtype == theirs.dtype, f"{what}: type {ours.dtype}, PyTorch's {theirs.dtype}"
    scale = float(np.abs(theirs[np.isfinite(theirs)]).max(initial=0)) if theirs.dtype.kind in "fc" else 0
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * scale + 1e-14, err_msg=what)


def leaf(package, x, wanted):
    made = package.tensor(np.array(x))
    return made.requires_grad_() if wanted and x.dtype.kind in "fc" else made


def weighted(package, outputs, salt):
    """A real number to which every element of the outputs adds another share."""
    total = 0
    for k, y in outputs:
        rng = np.random.default_rng([salt, k, *y.shape])
        w = rng.standard_normal(tuple(y.shape))
        part = y if not y.is_complex() else y * package.tensor(np.exp(1j * w))
        part = part.real if part.is_complex() else part
        total = total + (part * package.tensor(w)).sum()
    return total


def gradients(package, call, arrays, orders):
    leaves = [leaf(package, x, orders > 0) for x in arrays]
    found = call(package, *leaves)
    outputs = [(k, y) for k, y in enumerate(flat(found)) if y.requires_grad]
    wanted = [x for x in leaves if x.requires_grad]
    steps = []
    for order in range(orders):
        if not outputs:
            break
        total = weighted(package, outputs, order)
        if not total.requires_grad:
            break
        grad = tg.autograd.grad if package is tg else torch.autograd.grad
        made = grad(total, wanted, create_graph=order + 1 < orders, allow_unused=True)
        steps.append(made)
        outputs = [(k, g) for k, g in enumerate(made) if g is not None and g.requires_grad]
    return flat(found), steps


def check(name, arrays, kwargs=None, args=(), orders=2, post=None, rtol=1e-7):
    """Compare a function by name; ``post`` makes of its result what does not depend on signs and phases."""

    def call(package, *leaves):
        out = find(package, name)(*leaves, *args, **(kwargs or {}))
        return out if post is None else post(package, out)

    values, ours = gradients(tg, call, arrays, orders)
    theirs_values, theirs = gradients(torch, call, arrays, orders)
    assert len(values) == len(theirs_values), f"{name}: another number of results"
    for a, b in zip(values, theirs_values, strict=True):
        same(a, b, name)
    for order in range(1, max(len(ours), len(theirs)) + 1):
        one, two = ((steps[order - 1] if order <= len(steps) else [None] * len(arrays)) for steps in (ours, theirs))
        for a, b in itertools.zip_longest(one, two):
            if a is None or b is None:  # no gradient and one of zeros are the same
                other = a if b is None else b
                size = (
                    0
                    if other is None
                    else np.abs(other.detach().numpy(**({} if a is other else {"force": True}))).max(initial=0)
                )
                assert size < 1e-12, f"{name}: order {order} is missing"
            else:
                same(a, b, f"{name}: order {order}", rtol)
