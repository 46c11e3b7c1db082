"""The scripts of examples/ported print under tapegrad the losses that they print under PyTorch."""

import importlib.util
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.parity

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "ported"
LIMIT = 1e-3


def load_compare():
    spec = importlib.util.spec_from_file_location("ported_compare", FOLDER / "compare.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


compare = load_compare()


# One test runs all scripts: to import a library takes longer than most of them. compare.py goes on to 50 steps.
@pytest.mark.parametrize(("backend", "steps"), [("numba", 25), ("numpy", 5)])
def test_same_losses(backend, steps, monkeypatch, record_property):
    monkeypatch.setenv("TAPEGRAD_BACKEND", backend)
    with ThreadPoolExecutor(2) as pool:
        theirs, ours = pool.map(lambda library: compare.measure(library, steps=steps), ("torch", "tapegrad"))

    wrong = []
    for name in compare.SCRIPTS:
        a, b = theirs[name], ours[name]
        record_property(f"{name}, tapegrad's time over PyTorch's", round(b["step"] / a["step"], 2))
        if error := a["error"] or b["error"]:
            wrong.append(f"{name} failed:\n{error}")
        elif len(a["losses"]) != steps:
            wrong.append(f"{name} reported {len(a['losses'])} of {steps} steps")
        else:
            far, step = compare.difference(b["losses"], a["losses"])
            if not far <= LIMIT:
                wrong.append(f"{name}: {far:.1e} apart at step {step}")
    assert not wrong, "\n".join(wrong)


def test_the_comparison_sees_a_difference():
    losses = [[1.0, 2.0], [0.5, 3.0]]
    assert compare.difference(losses, losses) == (0.0, 1)
    assert compare.difference([[1.0, 2.0], [0.5, 3.4]], losses) == (pytest.approx(0.1), 2)
    for other in ([], losses[:1], [[1.0], [0.5]]):
        assert compare.difference(other, losses)[0] == math.inf
    assert math.isnan(compare.difference([[math.nan, 2.0], [0.5, 3.0]], losses)[0])


def test_an_error_is_reported():
    record = compare.measure("tapegrad", ["mlp"], steps=0)["mlp"]
    assert not record["error"]
    with pytest.raises(RuntimeError, match="may be 'torch' or 'tapegrad'"):
        compare.measure("other", ["mlp"])


def test_the_scripts_are_short():
    for name in compare.SCRIPTS:
        lines = (FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 120, f"{name}.py has {len(lines)} lines"
