"""Pruning, against PyTorch: the masks, the parameters, the hooks, the numbers that are drawn, and the refusals."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import tapegrad as tg

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


def scores(lib):
    return lib.arange(48.0).reshape(4, 3, 2, 2)


def both(lib, m):
    return [(m, "weight"), (m, "bias")]


CASES = {
    "smallest": lambda lib, p, m: p.l1_unstructured(m, "weight", 0.3),
    "count": lambda lib, p, m: p.l1_unstructured(m, "weight", 5),
    "scores": lambda lib, p, m: p.l1_unstructured(m, "weight", 5, scores(lib)),
    "drawn": lambda lib, p, m: p.random_unstructured(m, "weight", 0.3),
    "drawn slices": lambda lib, p, m: p.random_structured(m, "weight", 2, 0),
    "no slices": lambda lib, p, m: p.random_structured(m, "weight", 0, 0),
    "slices": lambda lib, p, m: p.ln_structured(m, "weight", 0.5, 2, 1),
    "slices, infinite norm": lambda lib, p, m: p.ln_structured(m, "weight", 1, -float("inf"), -2),
    "slices, scores": lambda lib, p, m: p.ln_structured(m, "weight", 1, 1, dim=0, importance_scores=scores(lib)),
    "identity": lambda lib, p, m: p.identity(m, "bias"),
    "mask": lambda lib, p, m: p.custom_from_mask(m, "bias", lib.tensor([1, 0, 1, 0])),
    "twice": lambda lib, p, m: [p.l1_unstructured(m, "weight", 0.3) for _ in range(2)],
    "slices twice": lambda lib, p, m: [p.ln_structured(m, "weight", 1, 2, d) for d in (-1, 0)],
    "three ways": lambda lib, p, m: [
        p.l1_unstructured(m, "weight", 0.3), p.ln_structured(m, "weight", 1, 2, 0),
        p.random_unstructured(m, "weight", 0.5),
    ],
    "mask after": lambda lib, p, m: [
        p.l1_unstructured(m, "weight", 0.3), p.custom_from_mask(m, "weight", scores(lib) % 3 > 0),
    ],
    "removed": lambda lib, p, m: [p.l1_unstructured(m, "weight", 0.3), p.remove(m, "weight")],
    "two parameters": lambda lib, p, m: [p.l1_unstructured(m, "weight", 0.3), p.l1_unstructured(m, "bias", 1)],
    "together": lambda lib, p, m: p.global_unstructured(both(lib, m), pruning_method=p.L1Unstructured, amount=0.4),
    "together, scores": lambda lib, p, m: p.global_unstructured(
        both(lib, m), p.L1Unstructured, {(m, "bias"): lib.zeros(4)}, amount=4
    ),
    "together, drawn": lambda lib, p, m: p.global_unstructured(both(lib, m), p.RandomUnstructured, amount=0.4),
    "together twice": lambda lib, p, m: [
        p.global_unstructured(both(lib, m), p.L1Unstructured, amount=0.4) for _ in range(2)
    ],
    "wrong scores": lambda lib, p, m: p.l1_unstructured(m, "weight", 5, lib.ones(3)),
    "not pruned": lambda lib, p, m: p.remove(m, "weight"),
    "no number": lambda lib, p, m: p.l1_unstructured(m, "weight", "x"),
    "too large a share": lambda lib, p, m: p.l1_unstructured(m, "weight", 2.0),
    "negative": lambda lib, p, m: p.l1_unstructured(m, "weight", -1),
    "too many": lambda lib, p, m: p.l1_unstructured(m, "weight", 100),
    "slices of a vector": lambda lib, p, m: p.ln_structured(m, "bias", 1, 2, 0),
    "no such dimension": lambda lib, p, m: p.ln_structured(m, "weight", 1, 2, 9),
    "together by slices": lambda lib, p, m: p.global_unstructured(both(lib, m), p.LnStructured, amount=0.4, n=2),
    "no such parameter": lambda lib, p, m: p.l1_unstructured(m, "nope", 1),
}  # fmt: skip


def outcome(lib, change):
    """Everything that can be seen of a convolution after pruning; or the class of the error."""
    prune = importlib.import_module(f"{lib.__name__}.nn.utils.prune")
    lib.manual_seed(3)
    m = lib.nn.Conv2d(3, 4, 2)
    try:
        change(lib, prune, m)
    except Exception as error:
        return type(error).__name__, []
    out = m(lib.ones(1, 3, 3, 3))
    grads = lib.autograd.grad((out**2).sum(), list(m.parameters()))
    names = [n for n, _ in m.named_parameters()], [n for n, _ in m.named_buffers()], list(m.state_dict())
    hooks = [(type(h).__name__, h._tensor_name) for h in m._forward_pre_hooks.values()]
    return (names, hooks, prune.is_pruned(m)), [*m.state_dict().values(), out, *grads]


@pytest.mark.parametrize("name", CASES)
def test_like_pytorch(name):
    (ours, numbers), (theirs, expected) = outcome(tg, CASES[name]), outcome(torch, CASES[name])
    assert ours == theirs
    for a, b in zip(numbers, expected, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), 1e-5, 1e-5)


def test_a_method_of_ones_own_and_training():
    def run(lib):
        prune = importlib.import_module(f"{lib.__name__}.nn.utils.prune")

        class Every(prune.BasePruningMethod):
            PRUNING_TYPE = "unstructured"

            def compute_mask(self, t, default_mask):
                mask = default_mask.clone()
                mask.view(-1)[::2] = 0
                return mask

        lib.manual_seed(1)
        m = lib.nn.Linear(3, 4)
        Every.apply(m, "weight")
        Every.apply(m, "weight")
        optimizer = lib.optim.SGD(m.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            (m(lib.ones(2, 3)) ** 2).sum().backward()
            optimizer.step()
        return [m.weight, m.weight_orig, m.weight_mask, prune.L1Unstructured(0.5).prune(lib.arange(4.0))]

    for a, b in zip(run(tg), run(torch), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), 1e-6, 1e-6)
