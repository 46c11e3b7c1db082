"""Pinned memory where there is no accelerator: what PyTorch says there."""

import warnings

import pytest

import tapegrad
from tapegrad.utils.data import DataLoader, TensorDataset

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.parity,
    pytest.mark.skipif(torch.cuda.is_available() or tapegrad.cuda.is_available(), reason="there is an accelerator"),
]

CALLS = {
    "pin_memory": lambda lib: lib.ones(3).pin_memory(),
    "is_pinned": lambda lib: lib.ones(3).is_pinned(),
    "zeros": lambda lib: lib.zeros(3, pin_memory=True),
    "empty": lambda lib: lib.empty(3, pin_memory=True),
    "tensor": lambda lib: lib.tensor([1.0], pin_memory=True),
    "to": lambda lib: lib.ones(3).to("cpu", non_blocking=True).tolist(),
    "positions": lambda lib: lib.ones(3).to("cpu", lib.float64, True, True).tolist(),
    "copy_": lambda lib: lib.zeros(3).copy_(lib.ones(3), non_blocking=True).tolist(),
    "copy_ by position": lambda lib: lib.zeros(3).copy_(lib.ones(3), True).tolist(),
}


def outcome(call, lib):
    try:
        return call(lib)
    except RuntimeError:
        return RuntimeError


@pytest.mark.parametrize("name", CALLS)
def test_calls(name):
    assert outcome(CALLS[name], tapegrad) == outcome(CALLS[name], torch)


def test_the_loader_warns_and_goes_on():
    for lib, loader, dataset in (
        (tapegrad, DataLoader, TensorDataset),
        (torch, torch.utils.data.DataLoader, torch.utils.data.TensorDataset),
    ):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            batches = list(loader(dataset(lib.arange(4)), batch_size=2, pin_memory=True))
        assert [[part.tolist() for part in batch] for batch in batches] == [[[0, 1]], [[2, 3]]]
        assert any("pin_memory" in str(w.message) for w in said)
