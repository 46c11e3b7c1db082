"""The registry, the choice of a backend, devices, plug-ins, and what an import loads."""

import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import backends
from tapegrad.backends import registry
from tapegrad.backends.numpy_backend import NumpyBackend

from .stand_ins import registry_restored

ROOT = Path(__file__).resolve().parents[1]
CPU_BACKENDS = [name for name in backends.available() if registry._entries[name].device_type == "cpu"]


def run(code, *paths, **environment):
    """Runs a program in a fresh process; returns its exit status and what it printed."""
    settings = {k: v for k, v in os.environ.items() if k != "TAPEGRAD_BACKEND"} | environment
    settings["PYTHONPATH"] = os.pathsep.join([str(ROOT), *map(str, paths)])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=settings, timeout=300)
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.fixture
def registered():
    """Registers backends for one test."""
    with registry_restored():
        yield backends.register


class Counting(NumpyBackend):
    """NumPy that counts how often `exp`, and the fused gradient of `tanh`, run."""

    name = "counting"
    calls = 0

    def exp(self, x):
        Counting.calls += 1
        return np.exp(x)

    def tanh_vjp(self, g, out):
        Counting.calls += 1
        return super().tanh_vjp(g, out)


# The registry


def test_the_known_backends():
    assert {"numpy", "numba", "cupy"} <= set(backends.names())
    assert backends.status("numpy") is None
    assert [n for n in backends.names() if backends.status(n) is None] == backends.available()


@pytest.mark.parametrize("name", backends.available())
def test_a_usable_backend_is_made_once_and_knows_itself(name):
    made = backends.get(name)
    assert backends.get(name) is made
    assert made.name == name
    assert made.versions()


def test_an_unknown_backend_is_refused_with_the_list():
    with pytest.raises(backends.BackendError, match="unknown backend 'jax'; known are:") as caught:
        backends.get("jax")
    for name in backends.names():
        reason = backends.status(name)
        assert (f"  {name}: usable" if reason is None else f"  {name}: not usable: {reason}") in str(caught.value)


def test_an_unusable_backend_says_why_and_is_never_loaded(registered):
    registered("broken", lambda: pytest.fail("loaded"), why_not=lambda: "there is no such card")
    before = backends.current()
    assert "broken" in backends.names()
    assert "broken" not in backends.available()
    assert backends.status("broken") == "there is no such card"
    for use in (backends.get, backends.use):
        with pytest.raises(
            backends.BackendError,
            match="backend 'broken' is not usable: there is no such card; known are:\n  numpy: usable",
        ):
            use("broken")
    assert backends.current() is before


def test_a_missing_primitive_is_named(registered):
    class Poor(NumpyBackend):
        name = "poor"
        erf = None

    registered("poor", Poor)
    with backends.use("poor"):
        assert tg.tensor(1.0).exp().item() == pytest.approx(math.e)
        with pytest.raises(RuntimeError, match=r"erf: backend 'poor' has no primitive .* tapegrad.backends.use"):
            tg.tensor(1.0).erf()


# Choosing


@pytest.mark.parametrize("name", CPU_BACKENDS)
def test_use_as_a_context(name):
    before = backends.current()
    with backends.use(name):
        assert backends.current().name == name
        with backends.use("numpy"):
            assert backends.current().name == "numpy"
        assert backends.current().name == name
        with pytest.raises(KeyError), backends.use("numpy"):
            raise KeyError
        assert backends.current().name == name
    assert backends.current() is before


def test_use_as_a_call(registered):
    backends.use("numpy")
    assert backends.current().name == "numpy"
    with backends.use("numpy"):
        pass
    assert backends.current().name == "numpy"


def test_use_changes_the_kernels_of_tensors_and_graphs_that_exist(registered):
    registered("counting", Counting)
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = x.tanh().sum()
    Counting.calls = 0
    with backends.use("counting"):
        x.exp()
        assert Counting.calls == 1
        y.backward()
        assert Counting.calls == 2
    x.exp().sum().backward()
    assert Counting.calls == 2
    assert x.grad.tolist() == pytest.approx([1 / math.cosh(v) ** 2 + math.exp(v) for v in (1, 2)], rel=1e-5)


def test_use_holds_for_all_threads(registered):
    registered("counting", Counting)
    Counting.calls = 0
    with backends.use("counting"):
        thread = threading.Thread(target=lambda: tg.tensor(1.0).exp())
        thread.start()
        thread.join()
    assert Counting.calls == 1


def test_cpu_backends_share_tensors():
    results = []
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    for name in CPU_BACKENDS:
        with backends.use(name):
            x = x * 1.5
            assert x.device is tg.device("cpu")
            results.append(x)
    assert x.tolist() == [1.5 ** len(CPU_BACKENDS), 2 * 1.5 ** len(CPU_BACKENDS)]


@pytest.mark.parametrize("name", CPU_BACKENDS)
def test_the_environment_chooses(name):
    assert run("import tapegrad as tg; print(tg.backends.current().name)", TAPEGRAD_BACKEND=name) == (0, name)


@pytest.mark.parametrize("value", ["", "  "])
def test_the_default_is_numba(value):
    assert run("import tapegrad as tg; print(tg.backends.current().name)", TAPEGRAD_BACKEND=value) == (0, "numba")


def test_an_unknown_name_in_the_environment_fails_at_import():
    status, text = run("print('before')\nimport tapegrad", TAPEGRAD_BACKEND="nunpy")
    assert status == 1
    assert text.startswith("before")
    assert "BackendError: unknown backend 'nunpy'; known are:\n  numpy: usable" in text
    assert "  cupy: " in text


# Plug-ins


def plugin(folder, name, module, text):
    """An installed distribution whose entry point `name` is the class Plug of `module`."""
    (folder / f"{module}.py").write_text(text, encoding="utf-8")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[tapegrad.backends]\n{name} = {module}:Plug\n", encoding="utf-8")


PLUG = """
import numpy
from tapegrad.backends.numpy_backend import NumpyBackend

class Plug(NumpyBackend):
    name = "plug"
    device_type = "{device_type}"

    def exp(self, x):
        return numpy.full_like(x, 42)

    def current_index(self):
        return 0

    @staticmethod
    def why_not():
        return {reason}
"""


def test_a_plugin_is_found_and_chosen_by_the_environment(tmp_path):
    plugin(tmp_path, "plug", "plug_for_cpu", PLUG.format(device_type="cpu", reason=None))
    head = "import tapegrad as tg\ndef exp(): return tg.tensor(0.0).exp().item()\n"
    code = head + "print(tg.backends.current().name, exp(), 'plug' in tg.backends.available())"
    assert run(code, tmp_path, TAPEGRAD_BACKEND="plug") == (0, "plug 42.0 True")
    code = head + "with tg.backends.use('plug'): print(exp())\nprint(exp())"
    assert run(code, tmp_path, TAPEGRAD_BACKEND="numpy") == (0, "42.0\n1.0")


def test_a_plugin_brings_its_device_type(tmp_path):
    plugin(tmp_path, "plug", "plug_for_box", PLUG.format(device_type="box", reason=None))
    code = "import tapegrad as tg; x = tg.zeros(2, device='box'); print(x.device, x.exp().tolist(), tg.ones(1).item())"
    assert run(code, tmp_path, TAPEGRAD_BACKEND="numpy") == (0, "box:0 [42.0, 42.0] 1.0")
    code = "import tapegrad as tg; print(tg.zeros(2).device, tg.zeros(2, device='cpu').device)"
    assert run(code, tmp_path, TAPEGRAD_BACKEND="plug") == (0, "box:0 cpu")


def test_an_unusable_plugin_in_the_environment_fails_at_its_first_use(tmp_path):
    plugin(tmp_path, "plug", "plug_that_cannot", PLUG.format(device_type="cpu", reason="'the moon is full'"))
    code = "import tapegrad as tg\nprint('imported')\ntg.zeros(2)"
    status, text = run(code, tmp_path, TAPEGRAD_BACKEND="plug")
    assert status == 1
    assert text.startswith("imported")
    assert "BackendError: backend 'plug' is not usable: the moon is full; known are:\n  numpy: usable" in text


def test_a_broken_plugin_breaks_nothing_else(tmp_path):
    plugin(tmp_path, "plug", "plug_that_fails", "raise OSError('no libplug.so')")
    code = "import tapegrad as tg; print(tg.backends.status('plug')); print(tg.zeros(1).exp().item())"
    expected = "its entry point plug_that_fails:Plug fails: OSError: no libplug.so\n1.0"
    assert run(code, tmp_path, TAPEGRAD_BACKEND="numpy") == (0, expected)


def test_a_plugin_does_not_take_the_place_of_our_own(tmp_path):
    plugin(tmp_path, "numpy", "plug_called_numpy", PLUG.format(device_type="cpu", reason=None))
    code = "import tapegrad as tg; tg.backends.names(); print(tg.tensor(0.0).exp().item())"
    assert run(code, tmp_path, TAPEGRAD_BACKEND="numpy") == (0, "1.0")


# What is loaded when


def test_the_import_loads_no_compiler_and_no_cuda():
    heavy = "'numba', 'llvmlite', 'cupy', 'torch', 'scipy', 'sklearn'"
    code = f"import sys, tapegrad\nprint(sorted({{{heavy}}} & set(sys.modules)))"
    for name in ("numba", "numpy", "cupy"):
        assert run(code, TAPEGRAD_BACKEND=name) == (0, "[]")


def test_the_import_leaves_aside_what_plain_scripts_do_not_need():
    code = (
        "import sys, tapegrad as tg\n"
        "later = [f'tapegrad.autograd.{n}' for n in ('bisect', 'export', 'graph_text')]\n"
        "before = [n for n in later if n in sys.modules]\n"
        "print(before, {'compare', 'export_numpy', 'to_dot', 'bisect'} <= set(dir(tg.autograd)),"
        " tg.autograd.compare.__module__, tg.autograd.export.__name__)"
    )
    assert run(code) == (0, "[] True tapegrad.autograd.bisect.compare tapegrad.autograd.export")


def test_numpy_alone_never_loads_numba():
    code = (
        "import sys, tapegrad as tg\n"
        "m = tg.nn.Sequential(tg.nn.Linear(3, 4), tg.nn.ReLU(), tg.nn.Linear(4, 1))\n"
        "o = tg.optim.Adam(m.parameters())\n"
        "m(tg.randn(2, 3)).sum().backward(); o.step()\n"
        "print(sorted({'numba', 'llvmlite', 'cupy'} & set(sys.modules)))"
    )
    assert run(code, TAPEGRAD_BACKEND="numpy") == (0, "[]")


@pytest.mark.parametrize("name", CPU_BACKENDS)
def test_inf_and_nan_are_results_without_a_warning(name):
    code = (
        "import tapegrad as tg\n"
        "x = tg.tensor([0.0, -1.0, 1e38], requires_grad=True)\n"
        "y = x.log() + x.sqrt() + 1 / x + x * 1e30 + x.exp() + x[3:].mean() + x.asin()\n"
        "y.sum().backward()\n"
        "x.softmax(0).sum().backward(); tg.zeros(2, 2)[:0].var(0); x.clone().log_()\n"
        "print('quiet')"
    )
    assert run(code, TAPEGRAD_BACKEND=name) == (0, "quiet")


def test_the_warnings_of_others_stay():
    code = "import warnings, tapegrad, numpy as np\nnp.log(np.zeros(1))"
    assert "divide by zero" in run(code, TAPEGRAD_BACKEND="numpy")[1]


# Python numbers as operands


def test_zeros_of_either_sign_are_kept_apart():
    x = tg.ones(1)
    assert [math.copysign(1, (x * v).item()) for v in (0.0, -0.0, 0.0, -0.0)] == [1, -1, 1, -1]


def test_numbers_are_no_part_of_results():
    x = tg.ones(1)
    y = x.reshape(()) * 3.0
    y.add_(1)
    assert (x * 3.0).item() == 3.0
    assert (x + True).item() == 2.0
    for v in range(10_000):
        assert (x * (v + 0.5)).item() == v + 0.5
