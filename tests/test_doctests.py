"""The examples in docstrings run, on each backend of the CPU, and give what stands there."""

import doctest
import importlib
from pathlib import Path

import pytest

import tapegrad as tg

ROOT = Path(__file__).resolve().parents[1]


def modules():
    """The modules in which an example stands, by their installed names."""
    for folder in ("autograd", "backends", "nn", "tapegrad"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if ">>> " in path.read_text(encoding="utf-8"):
                parts = path.relative_to(ROOT).with_suffix("").parts
                yield ".".join(p for p in ("tapegrad", *parts[folder == "tapegrad" :]) if p != "__init__")


@pytest.mark.parametrize("backend", [n for n in ("numpy", "numba") if n in tg.backends.available()])
@pytest.mark.parametrize("name", list(modules()))
def test_examples(name, backend):
    with tg.backends.use(backend):
        result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0, "see the output above"


def test_a_wrong_example_is_found():
    def wrong():
        """
        >>> 1 + 1
        3
        """

    (test,) = doctest.DocTestFinder().find(wrong, "wrong")
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=lambda text: None).failed == 1
