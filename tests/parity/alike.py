"""One program run in PyTorch and here: the results must be alike."""

import numpy as np
import pytest

import tapegrad as tg


def both(program, history=True):
    """The program's results in PyTorch and here must be alike, containers and all, and whether they require grad."""
    torch = pytest.importorskip("torch")
    want = program(torch, torch.tensor)
    got = program(tg, tg.tensor)
    compare(want, got, "result", history)


def compare(want, got, where, history):
    if isinstance(want, dict):
        assert list(want) == list(got), where
        for key in want:
            compare(want[key], got[key], f"{where}[{key!r}]", history)
    elif isinstance(want, (tuple, list)):
        assert isinstance(got, (tuple, list)), where
        assert len(want) == len(got), where
        for i, (a, b) in enumerate(zip(want, got, strict=True)):
            compare(a, b, f"{where}[{i}]", history)
    else:
        assert got.requires_grad == want.requires_grad or not history, where
        a, b = want.detach().numpy(), got.detach().numpy()
        assert (a.dtype, a.shape) == (b.dtype, b.shape), where
        np.testing.assert_allclose(b, a, rtol=1e-7, atol=1e-10, err_msg=where)
