"""The stub of Tensor's methods is the one that the registration gives."""

import importlib.util
from pathlib import Path

TOOL = Path(__file__).parent / "tools" / "stubs.py"


def test_stub_is_fresh():
    spec = importlib.util.spec_from_file_location("stubs", TOOL)
    stubs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stubs)
    assert stubs.TARGET.read_text() == stubs.text(), "run: python tests/tools/stubs.py"
