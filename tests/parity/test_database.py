"""Every name of PyTorch's operator database, on both CPU backends.

Some samples of each name are run; ``TAPEGRAD_DATABASE=all`` runs all of them, on NumPy in every mode too (minutes).
"""

import os

import pytest

import tapegrad

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest", reason="PyTorch's operator database needs it: pip install expecttest")

from . import database  # noqa: E402
from .shortfalls import SHORTFALLS  # noqa: E402

pytestmark = pytest.mark.parity

ALL = os.environ.get("TAPEGRAD_DATABASE") == "all"
# mode -> how many parts its names are run in, and how many samples of an entry
PARTS = {
    "float32": (12, 3), "float64": (4, 1), "complex64": (4, 2), "int64": (3, 2), "bool": (2, 2), "strided": (4, 1),
    "in place": (2, 2), "refusals": (2, 12),
}  # fmt: skip
RUNS = [
    pytest.param(mode, backend, part, id=f"{mode}-{backend}-{part}")
    for mode, (parts, _) in PARTS.items()
    for backend in (("numba", "numpy") if ALL or mode == "float32" else ("numba",))
    for part in range(parts)
]


@pytest.mark.parametrize(("mode", "backend", "part"), RUNS)
def test_database(mode, backend, part):
    torch.set_num_threads(1)
    parts, count = PARTS[mode]
    wrong = []
    with tapegrad.backends.use(backend):
        for name in database.names(mode)[part::parts]:
            known = name in SHORTFALLS[mode]
            found = database.judge(name, mode, None if ALL or known else count)
            if known and found is None:
                wrong.append(f"{name}: as in PyTorch now; take it out of tests/parity/shortfalls.py")
            elif found is not None and not known:
                wrong.append(f"{name}: {found}")
    assert not wrong, f"{len(wrong)} names differ from PyTorch:\n" + "\n".join(wrong)


def test_the_table_of_shortfalls_names_what_is_judged():
    assert set(SHORTFALLS) == set(database.MODES) == set(PARTS)
    for mode, rows in SHORTFALLS.items():
        assert set(rows) <= set(database.names(mode)), mode
        assert all(len(reason) > 40 for reason in rows.values())


def test_enough_names_are_judged():
    assert len(database.names("float32")) >= 540
    assert len(database.names("refusals")) >= 170


def test_a_wrong_value_and_a_wrong_gradient_are_found(monkeypatch):
    exp = tapegrad.exp
    for planted in (lambda x: exp(x) * 1.001, lambda x: exp(x) + 0.001 * (x - x.detach())):
        monkeypatch.setattr(tapegrad, "exp", planted)
        assert "off by" in database.judge("exp", "float32", 3)
