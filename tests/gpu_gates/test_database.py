"""PyTorch's operator database on the strict stand-in: every name, values and gradients, as on the CPU backends."""

import pytest

import tapegrad

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest", reason="PyTorch's operator database needs it: pip install expecttest")

from ..parity import database  # noqa: E402
from ..parity.shortfalls import SHORTFALLS  # noqa: E402
from . import host  # noqa: E402

pytestmark = [
    pytest.mark.parity,
    pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not())),
]

PARTS = 8
# A tensor of sections lies on the host, in PyTorch too
HOST = {"tensor_split"}


@pytest.mark.parametrize("part", range(PARTS))
def test_database(part):
    wrong = []
    with database.on(tapegrad.device("strict", 0)):
        for name in database.names("float32")[part::PARTS]:
            if name not in SHORTFALLS["float32"] and name not in HOST:
                found = database.judge(name, "float32", 1)
                if found is not None:
                    wrong.append(f"{name}: {found}")
    assert not wrong, f"{len(wrong)} names differ from PyTorch:\n" + "\n".join(wrong)
