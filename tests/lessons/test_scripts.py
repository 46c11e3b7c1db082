"""The lessons as a newcomer meets them: short scripts, a picture each, and clear words where something is missing."""

import os
import re
import subprocess
import sys

import pytest

from .conftest import LESSONS

SCRIPTS = sorted(LESSONS.glob("[0-9][0-9]_*.py"))


def run(*arguments, **environment):
    command = [sys.executable, *map(str, arguments)]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables |= {"TAPEGRAD_BACKEND": "numpy", "PYTHONIOENCODING": "utf-8"} | environment
    options = {"capture_output": True, "text": True, "encoding": "utf-8", "timeout": 300}
    return subprocess.run(command, cwd=LESSONS.parents[1], env=variables, **options)


def test_every_lesson_is_short_and_has_its_picture_in_the_gallery():
    gallery = (LESSONS / "README.md").read_text(encoding="utf-8")
    order = re.findall(r"!\[[^\]]+\]\(pictures/(\d\d_\w+)\.png\)", gallery)
    names = [script.stem for script in SCRIPTS]
    assert [name for name in order if name in names] == names
    assert len(names) >= 17
    for script in SCRIPTS:
        assert len(script.read_text(encoding="utf-8").splitlines()) < 120, script.name
        assert f"({script.name})" in gallery, script.name
    for name in order:
        assert 5_000 < (LESSONS / "pictures" / f"{name}.png").stat().st_size < 150_000, name


def test_a_lesson_runs_from_the_root_of_a_bare_checkout(tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("sklearn")
    done = run("examples/lessons/02_one_neuron.py", "--out", tmp_path / "new" / "folder")
    assert done.returncode == 0, done.stderr
    assert "Trained with the factor x" in done.stdout
    assert "Picture: " in done.stdout
    assert (tmp_path / "new" / "folder" / "02_one_neuron.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_cannot_be_written_is_told_before_the_work(tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("sklearn")
    (tmp_path / "file").touch()
    done = run("examples/lessons/12_generative.py", "--out", tmp_path / "file")
    assert done.returncode == 2
    assert "cannot write into the folder" in done.stderr
    assert "--out FOLDER" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Ring" not in done.stdout


@pytest.mark.parametrize("package", ["matplotlib", "sklearn"])
def test_a_missing_package_is_told_with_the_mend(tmp_path, package):
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{package!r}] = None\n")
    done = run("examples/lessons/01_perceptron.py", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "pip install matplotlib scikit-learn" in done.stderr
    assert "Traceback" not in done.stderr
