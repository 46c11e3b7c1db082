"""nn.functional on the stand-in for a card: values and gradients of the host; the kernels get its arrays only."""

import warnings

import numpy as np
import pytest

import tapegrad as tg

from ..parity.functional_cases import CASES
from ..parity.functional_source import Source
from . import host

pytestmark = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))


class Placed(Source):
    """Tensors on one device."""

    def __init__(self, device):
        super().__init__(tg, "float64")
        self.device = device

    def plain(self, values):
        return super().plain(values).to(self.device)

    def ints(self, values):
        return super().ints(values).to(self.device)

    def flags(self, values):
        return super().flags(values).to(self.device)


def flat(made):
    if isinstance(made, (tuple, list)):
        return [x for part in made for x in flat(part)]
    return [] if made is None else [made]


def run(name, device):
    source = Placed(device)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = flat(CASES[name](tg.nn.functional, source))
    kept = [x for x in outputs if x.requires_grad]
    total = sum([(x * x).sum() for x in kept[1:]], (kept[0] * kept[0]).sum()) if kept else None
    grads = tg.autograd.grad(total, source.leaves, allow_unused=True) if kept and source.leaves else []
    return [x.detach().cpu().numpy() for x in [*outputs, *[g for g in grads if g is not None]]]


@pytest.mark.parametrize("name", CASES)
def test_as_on_the_host(name):
    want, got = run(name, tg.device("cpu")), run(name, tg.device("strict", 0))
    assert len(want) == len(got)
    for a, b in zip(got, want, strict=True):
        assert a.dtype == b.dtype
        scale = max(1.0, float(np.abs(b[np.isfinite(b)]).max(initial=0)))
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9 * scale)
