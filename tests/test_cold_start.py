"""Compiled kernels: told when they are made, kept, listed in a manifest and made from it."""

import ast
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

import tapegrad as tg
from tapegrad.__main__ import main
from tapegrad.backends.numba_kernels import cache, manifest, notice, reductions
from tapegrad.cli import warmup

ROOT = Path(__file__).parents[1]
PROGRAM = """if True:
    from numba.core import event
    import tapegrad as tg
    with event.install_recorder("numba:compile") as recorder:
        model = tg.nn.Linear(3, 2)
        optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
        tg.nn.functional.mse_loss(tg.tanh(model(tg.ones(4, 3))), tg.zeros(4, 2)).backward()
        optimizer.step()
        tg.randperm(9)
        tg.softmax(tg.ones(2, 3), 1)
        tg.exp(tg.zeros(200, 200))  # large enough for memory that is kept
    print(len(recorder.buffer))
"""


def python(*arguments, **environment):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=os.environ | {"TAPEGRAD_BACKEND": "numba"} | environment,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def cold(tmp_path_factory):
    """A first run with an empty cache, and the manifest that it wrote."""
    folder = tmp_path_factory.mktemp("cold")
    places = {"TAPEGRAD_CACHE": str(folder / "cache"), "TAPEGRAD_MANIFEST": str(folder / "kernels.json")}
    return python("-c", PROGRAM, **places), places


def test_compiling_is_told_once_and_loading_is_not(cold):
    first, places = cold
    assert int(first.stdout) > 0
    assert first.stderr.count("tapegrad: compiling kernels") == 1
    assert places["TAPEGRAD_CACHE"] in first.stderr
    again = python("-c", PROGRAM, TAPEGRAD_CACHE=places["TAPEGRAD_CACHE"])
    assert (again.stdout.strip(), again.stderr) == ("0", "")


def test_threads_that_compile_at_once_tell_it_once(monkeypatch):
    told = []

    def announce(folder):
        time.sleep(0.05)
        told.append(folder)

    def use():
        with cache.compiling():
            pass

    monkeypatch.setattr(notice, "announce", announce)
    cache._first_use.cache_clear()
    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1


def test_the_hosts_own_kernels_are_not_announced(tmp_path):
    out = python(
        "-c", "import numba, tapegrad.backends.numba_kernels.cache as c\n"
        "with c.compiling(): pass\n"
        "numba.njit(lambda x: x + 1)(1)", TAPEGRAD_CACHE=str(tmp_path),
    )  # fmt: skip
    assert out.stderr == ""


@pytest.mark.parametrize("enabled", [True, False])
def test_nothing_is_collected_while_kernels_are_compiled(tmp_path, enabled):
    out = python(
        "-c", f"""if True:
    import gc
    from numba.core import event
    import tapegrad as tg

    class Watch(event.Listener):
        seen = set()

        def on_start(self, event):
            pass

        def on_end(self, event):
            self.seen.add(gc.isenabled())

    event.register("numba:run_pass", Watch())  # before the package's own listeners
    gc.enable() if {enabled} else gc.disable()
    tg.randperm(9)
    print(Watch.seen, gc.isenabled())""", TAPEGRAD_CACHE=str(tmp_path),
    )  # fmt: skip
    assert out.stdout.split() == ["{False}", str(enabled)]


def test_whoever_imports_a_kernel_it_is_kept_in_the_folder(tmp_path):
    out = python(
        "-c", """if True:
    import tapegrad.backends.numba_kernels.small, tapegrad.backends.numba_kernels.update  # not by their users
    from tapegrad.backends.numba_kernels import linear, loss, update
    kernels = [k for m in (linear, loss, update) for k in vars(m).values() if hasattr(k, "_cache")]
    print({k._cache.cache_path for k in kernels} - {None})""", TAPEGRAD_CACHE=str(tmp_path),
    )  # fmt: skip
    (folder,) = ast.literal_eval(out.stdout)
    assert Path(folder).is_relative_to(tmp_path)


def test_kernels_import_no_scipy_and_others_may_still_use_its_blas():
    """Numba imports SciPy's BLAS with its functions on arrays, which takes longer than all of our kernels."""
    pytest.importorskip("scipy")
    program = """if True:
        import sys
        import numpy as np
        import tapegrad as tg
        tg.relu(tg.ones(3))
        assert "numba.np.arraymath" in sys.modules and "scipy.linalg" not in sys.modules
        from numba import njit
        a = np.arange(6.0).reshape(2, 3)
        dot = njit(lambda a, b: np.dot(a, b))
        assert np.array_equal(dot(a, a.T.copy()), a @ a.T) and "scipy.linalg" in sys.modules
        assert np.allclose(njit(lambda a: np.linalg.inv(a))(np.diag([2.0, 4.0])), np.diag([0.5, 0.25]))
    """
    python("-c", program)


def test_warming_up_knows_every_module_of_kernels():
    folder = Path(manifest.__file__).parent
    named = {file.stem for file in folder.glob("*.py") if "\nNAMES" in file.read_text()}
    assert named == set(warmup.MODULES)
    compiled = {file.stem for file in folder.glob("*.py") if "\nwith compiling():" in file.read_text()}
    assert compiled - {"ufunc"} == {name.partition(".")[0] for name in warmup.WHOLE}  # `ufuncs` imports `ufunc`
    for name in warmup.WHOLE:
        manifest.prepare(name, [])
    assert set(warmup.WHOLE) <= set(manifest.used())


def test_a_kernel_is_compiled_for_the_types_that_it_meets():
    kernel = reductions._make("mean_rows")
    with pytest.raises(TypeError, match=r"mean_rows: no code for array\(int64, 2d"):
        kernel(np.ones((2, 3), np.int64), 1.0, np.ones(2, np.int64))
    assert not kernel.signatures
    for count, dtype in enumerate(("float64", "float32"), 1):
        for number in (3.0, 3, np.float32(3)):  # of any type
            out = np.zeros(2, dtype)
            kernel(np.full((2, 3), 2, dtype), number, out)
            assert out.tolist() == [2, 2]
        assert len(kernel.signatures) == count


def test_a_manifest_makes_just_its_kernels(cold, tmp_path):
    _, places = cold
    listed = json.loads(Path(places["TAPEGRAD_MANIFEST"]).read_text())
    assert listed["linear.column_sums"] == ["float32[2], float32[1]"]
    assert listed["draws.permutation"] == []
    assert listed["rows.softmax"] == ["float32[2], float32[2]"]
    assert listed["allocator.empty"] == []
    assert not any(name.startswith("reductions.") for name in listed)
    done = python("-m", "tapegrad", "warmup", "--manifest", places["TAPEGRAD_MANIFEST"], TAPEGRAD_CACHE=str(tmp_path))
    assert f"{len(listed)} kernels ready in {tmp_path}" in done.stdout
    after = python("-c", PROGRAM, TAPEGRAD_CACHE=str(tmp_path))
    assert (after.stdout.strip(), after.stderr) == ("0", "")


def test_a_manifest_grows_and_is_replaced_whole(tmp_path):
    file = tmp_path / "deep" / "kernels.json"
    file.parent.mkdir()
    file.write_text('{"loss.old": ["float64[1]"]}')
    tg.relu(tg.ones(3))
    whole = manifest.write(file)
    assert whole["loss.old"] == ["float64[1]"]
    assert manifest.read(file) == whole
    assert list(tmp_path.glob("deep/*")) == [file]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2]", "is no manifest of kernels"),
        ('{"loss.unheard_of": []}', "no kernel 'loss.unheard_of'"),
        ('{"linear.relu": ["quaternion[2]"]}', "no kernel 'linear.relu' for"),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path, capsys, content, message):
    file = tmp_path / "wrong.json"
    file.write_text(content)
    assert main(["warmup", "--manifest", str(file)]) == 1
    assert message in capsys.readouterr().err


def test_a_missing_manifest_is_refused(tmp_path, capsys):
    assert main(["warmup", "--manifest", str(tmp_path / "none.json")]) == 1
    assert "none.json" in capsys.readouterr().err


def test_signatures_survive_the_file():
    from numba import types

    arrays = types.Array(types.float32, 2, "C"), types.Array(types.int64, 1, "C", readonly=True)
    for signature in (arrays, (types.float64, types.boolean, types.int64)):
        assert manifest._signature(manifest._text(signature)) == signature
