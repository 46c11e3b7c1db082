"""The command line: what it prints is so."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.__main__ import main
from tapegrad.autograd import RULES

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def at_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def rows(capsys, *arguments):
    """Runs `where` and returns its rows by label (the last, where a label is there twice)."""
    assert main(["where", *arguments]) == 0
    out = capsys.readouterr().out
    return dict(re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in out.splitlines()[1:])


def line_at(place):
    """The line of source that `file:line` points to."""
    path, line = re.match(r"(\S+\.py):(\d+)", place).groups()
    return (ROOT / path).read_text(encoding="utf-8").splitlines()[int(line) - 1]


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "tapegrad", *arguments],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, encoding="utf-8", timeout=300,
    )  # fmt: skip


# info


def test_info_tells_every_backend_and_its_versions(capsys):
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    for name in tg.backends.names():
        reason = tg.backends.status(name)
        line = re.search(rf"^  {name} .*$", out, flags=re.MULTILINE).group()
        assert ("not usable: " + reason in line) if reason else (" usable for " in line)
    assert f"numpy {np.__version__}" in out
    assert f"tapegrad   {tg.__version__}" in out


def test_info_as_json(capsys):
    assert main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["backends"]["numpy"] | {"settings": {}} == {
        "usable": True, "device": "cpu", "versions": {"numpy": np.__version__}, "settings": {},
    }  # fmt: skip
    assert list(facts["backends"]) == tg.backends.names()
    assert facts["current"] == {"backend": tg.backends.current().name, "device": str(tg.backends.default_device())}
    assert 1 <= facts["threads"]["usable"] <= facts["threads"]["processors"]


def test_info_follows_the_environment():
    done = run("info", "--json", TAPEGRAD_BACKEND="numpy", OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["current"] == {"backend": "numpy", "device": "cpu"}
    assert facts["threads"]["OMP_NUM_THREADS"] == "1"


@pytest.mark.skipif("numba" not in tg.backends.available(), reason="Numba is not installed")
def test_info_tells_the_cache_folder_of_numba(tmp_path):
    facts = json.loads(run("info", "--json", TAPEGRAD_CACHE=str(tmp_path), TAPEGRAD_NUM_THREADS="1").stdout)
    settings = facts["backends"]["numba"]["settings"]
    assert Path(settings["cache folder"]).parent == tmp_path
    assert settings["threads"] == "1"


@pytest.mark.skipif("cupy" in tg.backends.available(), reason="CuPy works here")
def test_info_says_why_the_chosen_backend_cannot_run():
    done = run("info", TAPEGRAD_BACKEND="cupy")
    assert done.returncode == 0, done.stderr
    current = re.search(r"^current .*$", done.stdout, flags=re.MULTILINE).group()
    assert "'cupy' is not usable: " + tg.backends.status("cupy") in current


# where


@pytest.mark.parametrize("name", RULES)
def test_where_points_at_the_definitions(name, capsys):
    found = rows(capsys, name)
    assert re.search(r"\b(rule|nondiff)\(", line_at(found["rule"]))
    kernel = found["numpy kernel"]
    assert (f'"{name}": "' if "(the ufunc" in kernel else f"def {name}(") in line_at(kernel)
    if ".py:" in found.get("numpy vjp", ""):
        assert f"def {name}_vjp(" in line_at(found["numpy vjp"])
    samples = found["samples"]
    assert ("def plain(" if "(ordinary numbers)" in samples else f'"{name}"') in line_at(samples)
    assert found["conformance"] == f"pytest tests/conformance -k {name}"


def test_where_names_the_public_functions(capsys):
    found = rows(capsys, "tanh")
    assert {"tapegrad.tanh", "Tensor.tanh", "Tensor.tanh_", "nn.functional.tanh"} <= set(found)
    assert line_at(found["nn.functional.tanh"]).startswith("def tanh(")
    assert line_at(rows(capsys, "sum")["Tensor.sum"]).startswith("def sum(")


def test_where_finds_the_primitive_of_a_synonym(capsys):
    assert rows(capsys, "arctan2")["rule"] == rows(capsys, "atan2")["rule"]
    assert rows(capsys, "atan2")["synonyms"] == "tapegrad.arctan2"


def test_where_knows_functions_made_of_others(capsys):
    found = rows(capsys, "cross_entropy")
    assert "rule" not in found
    assert line_at(found["nn.functional.cross_entropy"]).startswith("def cross_entropy(")


@pytest.mark.parametrize(
    ("name", "label", "line"),
    [
        ("adam_update", "numpy adam_update", "def adam_update("),
        ("Adam", "optim.Adam", "class Adam("),
        ("optim.SGD", "numpy sgd_update", "def sgd_update("),
        ("CrossEntropyLoss", "nn.CrossEntropyLoss", "class CrossEntropyLoss("),
        ("nn.CrossEntropyLoss", "runs nn.functional.cross_entropy", "def cross_entropy("),
        ("Tensor.add", "Tensor.add", "def add("),
        ("torch.sum", "tapegrad.sum", "def sum("),
        ("clip_grad_norm_", "nn.utils.clip_grad_norm_", "def clip_grad_norm_("),
    ],
)
def test_where_knows_kernels_classes_and_full_names(name, label, line, capsys):
    assert line in line_at(rows(capsys, name)[label])


def test_where_keeps_to_the_name_that_was_given(capsys):
    assert {label for label in rows(capsys, "Tensor.add") if "." in label} == {"Tensor.add", "Tensor.add_"}
    assert main(["where", "Tensor.adam"]) == 1
    assert "no operation is called 'Tensor.adam'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["matmul", "softmax", "cross_entropy", "Adam", "adam_update", "max", "add", "where"])
def test_where_lists_tests_that_use_it_in_their_code(name, capsys):
    assert main(["where", name]) == 0
    out = capsys.readouterr().out
    places = re.findall(r"^  test  +(\S+)", out, flags=re.MULTILINE)
    assert "tests/test_bench.py" not in out  # there "matmul" and others are words
    for place in places:
        if place != "none":
            assert re.search(rf"\b{name}(_|_update)?\b", line_at(place), re.IGNORECASE), place


def test_where_reads_code_and_not_text(tmp_path):
    from tapegrad.cli.mentions import mentions

    (tmp_path / "test_x.py").write_text(
        'import numpy as np\nimport tapegrad as tg\nfrom tapegrad.nn.functional import gelu\n'
        '"tg.exp"  # tg.exp\nnp.exp(1)\nset().add(1)\nx.sum()\n'
        "def test_it():\n    tg.exp(1)\n    gelu(2)\n    (tg.ones(2) @ x).relu()\n    tg.ones(2).sum()\n",
        encoding="utf-8",
    )  # fmt: skip
    found = {name: [(m.line, m.function) for m in at] for name, at in mentions(tmp_path).items()}
    assert found == {
        "exp": [(9, "test_it")], "gelu": [(10, "test_it")], "relu": [(11, "test_it")], "sum": [(12, "test_it")],
        "ones": [(11, "test_it"), (12, "test_it")],
        "tg": [(n, "test_it") for n in (9, 11, 12)],
    }  # fmt: skip


def test_where_works_from_another_folder(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    place = rows(capsys, "tanh")["rule"]
    assert os.path.isabs(place)
    assert 'rule("tanh"' in line_at(place)


@pytest.mark.parametrize(
    ("name", "head"), [("mul", "def operation(input, other, out=None):"), ("cross_entropy", "def cross_entropy(")]
)
def test_source_is_python(name, head, capsys):
    assert main(["where", name, "--source"]) == 0
    out = capsys.readouterr().out
    assert head in out
    compile(out, name, "exec")


def test_where_unknown_gives_close_matches(capsys):
    assert main(["where", "tahn"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no operation is called 'tahn'" in captured.err
    assert "tanh" in captured.err


# The program


def test_runs_as_a_module():
    done = run("where", "no_such_operation")
    assert (done.returncode, done.stdout) == (1, "")
    assert run("--version").stdout.strip() == f"tapegrad {tg.__version__}"


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["where"]])
def test_wrong_arguments_end_with_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: python -m tapegrad" in capsys.readouterr().err
