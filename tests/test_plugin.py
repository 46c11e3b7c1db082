"""A backend from a package of its own: found, certified by the conformance kit, and its faults found by it."""

import os
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import tapegrad as tg
from tapegrad.backends.registry import BackendError
from tapegrad.testing import backend_conformance

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "custom_backend"
# Where no mutant may fail.
CONTROLS = ("tanh", "mse", "reshape")

SELECT = """
from toy_mutants import BROKEN

def pytest_collection_modifyitems(config, items):
    kept = []
    for item in items:
        name = item.callspec.params.get("name") if hasattr(item, "callspec") else None
        broken = BROKEN.get(item.cls.backend)
        # A mutant is judged by the tests of its primitive, by those of numbers, which are of no one primitive, and by
        # the values of the controls; the backend that they are made of by all these and all that names no primitive.
        if broken is None:
            wanted = name is None or name.split("-")[0] in ({controls} + tuple(BROKEN.values()))
        elif name is None:
            wanted = item.originalname == "test_numbers"
        else:
            wanted = name.split("-")[0] == broken or (name in {controls} and item.originalname == "test_values")
        if wanted:
            kept.append(item)
    items[:] = kept
"""


def distribution(folder, name, points):
    """What an installed distribution leaves on the path: its metadata, with these entry points."""
    info = folder / f"{name}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n", "utf-8")
    lines = ["[tapegrad.backends]", *(f"{key} = {value}" for key, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines), "utf-8")


@pytest.fixture
def site(tmp_path):
    """A folder in which the example is installed: its module lies in its own folder, its metadata here."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    distribution(tmp_path / "site", "tapegrad_toy_backend", project["entry-points"]["tapegrad.backends"])
    return tmp_path / "site"


def run(arguments, site, **environment):
    """Runs Python in a fresh process, with the example installed."""
    settings = {k: v for k, v in os.environ.items() if k not in ("TAPEGRAD_BACKEND", "PYTEST_ADDOPTS")} | environment
    settings["PYTHONPATH"] = os.pathsep.join(map(str, (ROOT, site, EXAMPLE, ROOT / "tests")))
    return subprocess.run(
        [sys.executable, *arguments], cwd=site.parent, env=settings, capture_output=True, text=True, timeout=600
    )


def pytest_run(site, *arguments):
    """Runs pytest in a fresh process; returns its exit status and, for every test, what it said if it failed."""
    report = site.parent / "report.xml"
    options = ["-q", "--tb=line", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir", site.parent]
    done = run(["-m", "pytest", *options, "--junitxml", report, *arguments], site)
    assert report.is_file(), done.stdout + done.stderr
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    assert not [case.get("name") for case in cases if case.find("error") is not None], done.stdout
    tests = {(case.get("classname"), case.get("name")): case.find("failure") for case in cases}
    return done.returncode, {key: None if found is None else found.get("message") for key, found in tests.items()}


def test_the_toy_backend_is_found_and_chosen_by_the_environment(site):
    code = "import tapegrad as tg; x = tg.ones(2); print(x.device, tg.backends.current().name, (x * 2).tolist())"
    done = run(["-c", code], site, TAPEGRAD_BACKEND="toy")
    assert done.stdout.strip() == "toy:0 toy [2.0, 2.0]", done.stderr
    done = run(["-c", "import tapegrad as tg; print(tg.zeros(1, device='toy').device)"], site)
    assert done.stdout.strip() == "toy:0", done.stderr


def test_the_toy_backend_is_small():
    assert len((EXAMPLE / "toy_backend.py").read_text("utf-8").splitlines()) < 60


@pytest.mark.slow
def test_the_kit_certifies_the_toy_backend(site):
    # The values of every primitive, and all else of some: whoever builds a backend runs the whole.
    some = " or ".join(f"[{name}-" for name in (*CONTROLS, "matmul", "sum", "softmax"))
    status, tests = pytest_run(site, EXAMPLE, "-k", f"test_values or {some}")
    assert (status, {name for name, text in tests.items() if text}) == (0, set())
    covered = {name.partition("[")[2].rstrip("]") for _, name in tests if name.startswith("test_values")}
    assert covered == {f"{name}-{dtype}" for name in tg.autograd.RULES for dtype in ("float32", "float64")}


def test_the_kit_finds_every_mutant_and_names_what_is_wrong(site, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLE)
    monkeypatch.syspath_prepend(ROOT / "tests")
    import toy_mutants

    classes = {c.name: c for c in vars(toy_mutants).values() if isinstance(c, type) and c.__module__ == "toy_mutants"}
    assert set(classes) == set(toy_mutants.BROKEN)
    assert len(classes) >= 10
    distribution(site, "toy_mutants", {name: f"toy_mutants:{c.__name__}" for name, c in classes.items()})
    lines = [f'Test_{name} = backend_conformance("{name}")' for name in ("toy", *classes)]
    (site.parent / "conftest.py").write_text(SELECT.format(controls=CONTROLS), "utf-8")
    (site.parent / "test_all.py").write_text(
        "\n".join(["from tapegrad.testing import backend_conformance", *lines]), "utf-8"
    )
    _, tests = pytest_run(site, "test_all.py")
    failed = {
        backend: {name: text for (cls, name), text in tests.items() if cls.endswith(f"Test_{backend}") and text}
        for backend in ("toy", *classes)
    }
    assert failed.pop("toy") == {}
    for backend, primitive in toy_mutants.BROKEN.items():
        naming = [name for name, text in failed[backend].items() if f"[{primitive}-" in name or f"{primitive}:" in text]
        assert naming, f"{backend}: '{primitive}' is wrong, and the tests that fail do not say so: {failed[backend]}"
        astray = [name for name in failed[backend] if any(f"[{control}-" in name for control in CONTROLS)]
        assert not astray, f"{backend}: '{primitive}' is wrong, but {astray} fail too"


def test_a_backend_that_cannot_run_is_skipped_with_the_reason(site, tmp_path):
    distribution(site, "unready", {"unready": "unready:Unready"})
    (site / "unready.py").write_text(
        "from toy_backend import ToyBackend\nclass Unready(ToyBackend):\n    name = 'unready'\n"
        "    why_not = staticmethod(lambda: 'the toy box is closed')\n", "utf-8"
    )  # fmt: skip
    (tmp_path / "test_unready.py").write_text(
        "from tapegrad.testing import backend_conformance\nTestUnready = backend_conformance('unready')\n", "utf-8"
    )
    done = run(["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--rootdir", ".", "test_unready.py"], site)
    assert "1 skipped" in done.stdout, done.stdout
    assert "backend 'unready' is not usable here: the toy box is closed" in done.stdout


def test_an_unknown_backend_is_refused():
    with pytest.raises(BackendError, match="unknown backend 'nobody'; known are:\n  numpy: usable"):
        backend_conformance("nobody")


def test_without_pytest_the_kit_says_what_is_missing(site):
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "import tapegrad as tg; tg.testing.assert_close(1.0, 1.0)\n"
        "try: tg.testing.backend_conformance('numpy')\n"
        "except ImportError as error: print(error)"
    )
    done = run(["-c", code], site)
    assert done.stdout.strip() == "backend_conformance: needs pytest, which is not installed: pip install pytest"


def test_the_import_loads_neither_pytest_nor_the_samples(site):
    code = "import sys, tapegrad; print([m for m in sys.modules if m == 'pytest' or 'conformance' in m])"
    assert run(["-c", code], site).stdout.strip() == "[]"


def test_the_chosen_one_of_two_backends_runs_their_device(site):
    distribution(site, "second", {"second": "second:Second"})
    (site / "second.py").write_text(
        "from toy_backend import ToyBackend\nclass Second(ToyBackend):\n    name = 'second'\n"
        "    def exp(self, x): return x * 0 + 42\n", "utf-8"
    )  # fmt: skip
    code = (
        "import tapegrad as tg\n"
        "def told(): return x.exp().item(), tg.zeros(1).exp().item()\n"
        "with tg.backends.use('toy'):\n"
        "    x = tg.zeros(1)\n"
        "    found = [told()]\n"
        "    with tg.backends.use('second'): found.append(told())\n"
        "    print(*found, told())"
    )
    done = run(["-c", code], site)
    assert done.stdout.strip() == "(1.0, 1.0) (42.0, 42.0) (1.0, 1.0)", done.stderr
