"""Loads the lessons, which lie in a folder of scripts and have names that begin with a number."""

import importlib.util
import sys
from pathlib import Path

import pytest

LESSONS = Path(__file__).resolve().parents[2] / "examples" / "lessons"
HELPERS = ("_common", "_data", "_drawings", "_texts")


@pytest.fixture(scope="module")
def load():
    """``load("01_perceptron")`` is that lesson as a module; what it imported is forgotten afterwards."""
    pytest.importorskip("matplotlib")
    pytest.importorskip("sklearn")
    path = list(sys.path)
    sys.path.insert(0, str(LESSONS))

    def load(name):
        spec = importlib.util.spec_from_file_location(f"lesson_{name}", LESSONS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    sys.path[:] = path
    for name in HELPERS:
        sys.modules.pop(name, None)


@pytest.fixture(autouse=True)
def seeded():
    """Every test starts as the lessons do, from the seed 0."""
    import tapegrad as tg

    tg.manual_seed(0)
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def drawn(tmp_path):
    """Save a figure as the lessons do; true if something was drawn on it."""

    def drawn(figure):
        figure.savefig(tmp_path / "picture.png", dpi=30)
        return (tmp_path / "picture.png").stat().st_size > 2000

    return drawn
