"""The README says what is so: its commands, its example and the paths it names."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
RESULT = re.compile(r"loss (\d+\.\d+), accuracy (\d+\.\d+)")


def section(title):
    """The text under a second-level heading."""
    return re.split(r"^## ", TEXT.split(f"\n## {title}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def blocks(text, language):
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def example():
    found = blocks(section("Example"), "python")
    assert len(found) == 1
    return found[0]


def run(source):
    """Runs a script from the root of the checkout; returns the loss and the accuracy that it prints."""
    environment = {key: value for key, value in os.environ.items() if key != "TAPEGRAD_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    loss, accuracy = RESULT.search(done.stdout).groups()
    return float(loss), float(accuracy)


def test_quick_start_has_two_shell_blocks_and_nothing_else_has_one():
    assert len(blocks(section("Quick start"), "sh")) == 2
    assert len(re.findall(r"^\s*```(?:sh|bash|shell|console)\b", TEXT, flags=re.MULTILINE)) == 2


def test_shell_blocks_stand_alone():
    first, second = blocks(section("Quick start"), "sh")
    for block in (first, second):
        assert block.startswith("python3 -m venv .venv\n. .venv/bin/activate\npython -m pip install ")
    assert first.endswith("TAPEGRAD_BACKEND=numba python examples/digits.py\n")
    assert "python -m pytest" in second


def test_introduction_takes_five_lines():
    assert len(TEXT.split("\n## ")[0].strip().splitlines()[2:]) <= 5


def test_example_runs_and_learns():
    source = example()
    assert len(source.splitlines()) <= 25
    loss, accuracy = run(source)
    assert loss < 0.25  # an untrained network is at about ln 2 = 0.69
    assert accuracy > 0.9


@pytest.mark.parity
def test_example_matches_pytorch():
    pytest.importorskip("torch")
    source = example()
    theirs = run(source.replace("import tapegrad", "import torch").replace("from tapegrad", "from torch"))
    ours = run(source)
    assert ours[0] == pytest.approx(theirs[0], abs=1e-3)
    assert ours[1] == pytest.approx(theirs[1], abs=2.5 / 512)  # a point on the border may fall either way


def named_paths(text):
    """Relative paths in a text: targets of links, names that end like a file's or in a slash, `LICENSE`."""
    fenced = re.sub(r"^```python\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", fenced)
    words = re.findall(r"(?<![\w./-])[\w.-]*(?:/[\w.-]+)*(?:/(?=[\s`])|\.(?:py|md|toml|png|txt)\b)", fenced)
    capitals = re.findall(r"`([A-Z]{4,})`", fenced)
    return sorted({path for path in [*links, *words, *capitals] if path not in ("/", "")})


def test_path_finder_knows_paths():
    text = "`a/b.py` [x](docs/c.md) `LICENSE` python d/e.py\nnn/   f/  and/or https://x.org/g.html `tg.zeros`"
    assert named_paths(text) == ["LICENSE", "a/b.py", "d/e.py", "docs/c.md", "f/", "nn/"]


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_named_paths_exist(document):
    paths = named_paths((ROOT / document).read_text(encoding="utf-8"))
    missing = [path for path in paths if not (ROOT / path).exists() and path != "__init__.py"]
    assert missing == []
