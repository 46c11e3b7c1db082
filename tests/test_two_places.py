"""An element-wise operation takes two places, kernel and rule: added to a copy of the tree, it passes all gates.

CONTRIBUTING.md says so. Besides, the stubs are written anew, by the command that it names.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("hypothesis")
ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("tapegrad", "autograd", "backends", "nn", "tests", "bench", "docs", "examples", ".ci")
MARKS = "not gpu and not parity and not slow"
# The tests that are generated for the operation, and those of whole tables
NAMES = "exp10 or fresh or public_name or every_primitive or every_rule or every_sample or every_call"
# 10**x, by a function of NumPy and CuPy that no other primitive calls
KERNEL = """
    @in_float32
    def exp10(self, x: Any) -> Any:
        return self.xp.exp2(x * (math.log(10) / math.log(2)))

"""
RULE = '\nrule("exp10", "x", kind="float", x=lambda F, g, out: F.mul(g, F.mul(out, LN10)))\n'


@pytest.fixture
def copy(tmp_path):
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "CONTRIBUTING.md", "README.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def run(folder, *arguments):
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def add(folder, kernel, rule, *files):
    """Add the operation as CONTRIBUTING.md has it; returns what its tests in ``files`` and those of tables say."""
    path = folder / "backends" / "array" / "math.py"
    before = "    @in_float32\n    def rsqrt("
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, kernel.lstrip("\n") + before), encoding="utf-8")
    path = folder / "autograd" / "rules" / "math.py"
    path.write_text(path.read_text(encoding="utf-8") + rule, encoding="utf-8")
    command = re.search(r"Then `python (tests/tools/\S+)`", (folder / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    done = run(folder, command.group(1))
    assert done.returncode == 0, done.stderr
    return run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "-m", MARKS, "-k", NAMES)


@pytest.mark.slow
def test_two_places_are_enough(copy):
    done = add(copy, KERNEL, RULE, "tests")
    assert done.returncode == 0, done.stdout
    passed = int(re.search(r"(\d+) passed", done.stdout).group(1))
    assert passed > 30  # values, gradients, layouts and the rest, on every backend that runs here
    use = "import tapegrad as tg; x = tg.ones(2, requires_grad=True); x.exp10().sum().backward(); print(x.grad)"
    assert "23.025" in run(copy, "-c", use).stdout
    assert "def exp10(" in (copy / "tapegrad" / "__init__.pyi").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_wrong_rule_is_found(copy):
    done = add(copy, KERNEL, RULE.replace("LN10", "LN2"), "tests/conformance")
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"FAILED .*first_order\[exp10", done.stdout)


@pytest.mark.slow
def test_a_function_that_cupy_lacks_is_found(copy):
    kernel = KERNEL.replace("self.xp.exp2(x * (math.log(10) / math.log(2)))", "self.xp.spacing(x)")
    done = add(copy, kernel, RULE, "tests/gpu_gates/test_strict.py")
    assert "module 'cupy' has no attribute 'spacing'" in done.stdout
