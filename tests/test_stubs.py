"""The stubs are the ones that the registration gives, and type checkers see through them what users write."""

import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Types as a user meets them: mypy refuses an assert_type that is not so.
USE = """
from typing import assert_type
import tapegrad as tg
from tapegrad import Tensor, dtype, float32, manual_seed, nn, no_grad, rand

manual_seed(0)
x = rand(2, 3, dtype=float32, requires_grad=True)
assert_type(x, Tensor)
assert_type(tg.float64, dtype)
assert_type(tg.long, dtype)
assert_type(tg.exp(x) + tg.tensor([1.0, 2.0, 3.0]), Tensor)
assert_type(tg.max(x), Tensor)
assert_type(tg.max(x, dim=1).indices, Tensor)
assert_type(x.max(dim=1).values, Tensor)
assert_type(x.topk(2).indices, Tensor)
assert_type(x.median(dim=0).values, Tensor)
assert_type(tg.where(x > 0, x, 0.0), Tensor)
assert_type(x.size(0), int)
assert_type(x.abs_(), Tensor)
assert_type(tg.get_default_dtype(), dtype)
assert_type(tg.allclose(x, x), bool)
values, order = x.sort()
assert_type(order, Tensor)
with no_grad():
    assert_type(nn.functional.relu(x).sum(dim=1), Tensor)
"""
WRONG = """
import tapegrad as tg

tg.zeroes(3)
tg.exp(3.0)
tg.cumsum(tg.ones(3), dim="rows")
tg.ones(2).max(dim=0).vaules
tg.ones(2).argsort(stabel=True)
"""


def load(path):
    loader = importlib.machinery.SourceFileLoader(path.name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(path.name, loader))
    loader.exec_module(module)
    return module


def test_stubs_are_fresh():
    for path, make in load(ROOT / "tests" / "tools" / "stubs.py").FILES.items():
        assert path.read_text(encoding="utf-8") == make(), f"{path.name}: run python tests/tools/stubs.py"


def test_the_package_stub_has_every_public_name():
    import tapegrad as tg

    text = (ROOT / "tapegrad" / "__init__.pyi").read_text(encoding="utf-8")
    known = set(re.findall(r"^def (\w+)|^(\w+):| as (\w+)$", text, flags=re.MULTILINE))
    assert set(tg.__all__) - {name for names in known for name in names} == set()


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What mypy says, strictly, of files that import the package as it gets installed: lines by file."""
    pytest.importorskip("mypy")
    folder = tmp_path_factory.mktemp("types")
    tool = load(ROOT / ".ci" / "typecheck")
    tool.LAYOUT = folder / "src"
    tool.lay_out()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    texts = {
        "use.py": USE,
        "wrong.py": WRONG,
        "readme.py": re.search(r"^```python\n(.*?)^```$", readme, flags=re.MULTILINE | re.DOTALL).group(1),
        "digits.py": (ROOT / "examples" / "digits.py").read_text(encoding="utf-8"),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    options = ["--config-file=", "--strict", "--follow-imports=silent", "--no-incremental", "--ignore-missing-imports",
               "--allow-untyped-defs", "--allow-untyped-calls"]  # fmt: skip
    environment = os.environ | {"MYPYPATH": str(tool.LAYOUT)}
    command = [sys.executable, "-m", "mypy", *options, *texts]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stdout + done.stderr  # there are the mistakes of wrong.py
    return {name: [line for line in done.stdout.splitlines() if line.startswith(name)] for name in texts}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["use.py", "readme.py", "digits.py"])
def test_users_see_types(name, said):
    assert said[name] == []


@pytest.mark.slow
def test_users_see_mistakes(said):
    found = [re.match(r"wrong\.py:(\d+): error: .*\[(.*)\]", line) for line in said["wrong.py"]]
    assert [match.groups() for match in found if match] == [
        ("4", "attr-defined"), ("5", "arg-type"), ("6", "arg-type"), ("7", "attr-defined"), ("8", "call-arg"),
    ]  # fmt: skip
