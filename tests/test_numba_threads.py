"""Threads and processes around the kernels of the Numba backend, and where the compiled ones are kept."""

import gc
import json
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from tapegrad.backends.numba_kernels import cache, threads

from . import numba_tools
from .numba_tools import NUMBA

ROOT = Path(__file__).parents[1]
three_threads = numba_tools.three_threads

# Threads


def test_split_covers_the_range_once(three_threads):
    for size, grain in ((1, 1), (7, 1), (100, 9), (1000, 1), (5, 10)):
        parts = []
        threads.split(lambda *part, parts=parts: parts.append(part), size, grain)
        parts.sort()
        assert [i for part in parts for i in range(*part)] == list(range(size))
        assert len(parts) <= max(size // grain, 1)


def test_split_runs_on_several_threads_at_once(three_threads):
    meeting = threading.Barrier(3, timeout=30)
    waited = threading.local()
    idents = set()

    def run_piece(start, stop):
        if not hasattr(waited, "once"):
            waited.once = True
            meeting.wait()
        idents.add(threading.get_ident())

    threads.split(run_piece, 12, 1)
    assert len(idents) == 3


def test_split_raises_what_a_piece_raised(three_threads):
    def fail(start, stop):
        if start >= 6:
            raise ValueError(f"piece {start}")

    with pytest.raises(ValueError, match="piece"):
        threads.split(fail, 12, 1)
    done = []
    threads.split(lambda i, j: done.append(i), 12, 1)
    assert len(done) == 12


def test_the_number_of_threads_is_checked(monkeypatch):
    with pytest.raises(ValueError, match="at least 1"):
        threads.set_num_threads(0)
    monkeypatch.delenv("TAPEGRAD_NUM_THREADS", raising=False)
    for given, count in (("3", 3), ("2,4", 2)):
        monkeypatch.setenv("OMP_NUM_THREADS", given)
        assert threads._default_count() == count
    monkeypatch.setenv("TAPEGRAD_NUM_THREADS", "5")
    assert threads._default_count() == 5
    for wrong in ("0", "many"):
        monkeypatch.setenv("TAPEGRAD_NUM_THREADS", wrong)
        with pytest.raises(ValueError, match=f"TAPEGRAD_NUM_THREADS .* not '{wrong}'"):
            threads._default_count()


def test_many_callers_at_once(three_threads):
    x = np.random.default_rng(4).standard_normal((64, 100)).astype(np.float32)
    expected, failures = (NUMBA.silu(x), NUMBA.softmax(x, 1)), []

    def work():
        for _ in range(50):
            if not (np.array_equal(NUMBA.silu(x), expected[0]) and np.array_equal(NUMBA.softmax(x, 1), expected[1])):
                failures.append(1)

    callers = [threading.Thread(target=work) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert not failures
    assert not any(caller.is_alive() for caller in callers)


def test_jobs_of_all_sizes_in_quick_succession(three_threads):
    """Pieces that ran twice, or were left out, or belonged to the job before, would show."""
    rng, x = np.random.default_rng(5), np.arange(40_000, dtype=np.float64)
    for size in rng.integers(64, x.size, 1000):
        out = NUMBA.square_vjp(x[:size], x[:size])
        assert out[0] == 0
        assert out[-1] == 2 * (size - 1.0) ** 2
        if size % 23 == 0:
            assert np.array_equal(out, 2 * x[:size] * x[:size])
    matrix = rng.standard_normal((300, 70))
    for rows in rng.integers(1, 300, 100):
        assert np.allclose(NUMBA.softmax(matrix[:rows], 1).sum(1), 1, rtol=1e-14)


def test_the_pieces_are_the_same_without_help(three_threads):
    with_help, alone = [], []
    threads.split(lambda i, j: with_help.append((i, j)), 1000, 7)
    with threads._free:  # as if another caller had the helpers
        threads.split(lambda i, j: alone.append((i, j)), 1000, 7)
    assert sorted(with_help) == alone


def test_split_keeps_nothing(three_threads):
    array = np.ones(100)
    alive = weakref.ref(array)

    def run(start, stop, array=array):
        array[start:stop] = 0

    gc.disable()
    try:
        threads.split(run, 100, 1)
        del run, array
        assert alive() is None
    finally:
        gc.enable()


def test_a_piece_that_splits_again_works_alone(three_threads):
    parts, inner = [], []

    def piece(start, stop):
        parts.append((start, stop))
        threads.split(lambda i, j: inner.append((i, j, threading.get_ident())), 100, 1)

    threads.split(piece, 12, 1)
    assert sum(stop - start for start, stop in parts) == 12
    assert sum(j - i for i, j, _ in inner) == 100 * len(parts)


def test_a_helper_leaves_the_callers_processor(three_threads):
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system does not say where a thread runs")
    usable = os.sched_getaffinity(0)
    here = min(usable)
    moved = threads._moved_from(here)
    assert moved == (len(usable) > 1)
    assert os.sched_getaffinity(0) == usable


# Processes


def python(code, **environment):
    """Run ``code`` in a fresh interpreter; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_child_works_alone():
    out = python("""if True:
        import os
        import numpy as np
        import tapegrad
        from tapegrad.backends import get
        from tapegrad.backends.numba_kernels import threads
        threads.set_num_threads(3)
        numba, x = get("numba"), np.linspace(-3, 3, 1 << 19, dtype=np.float32).reshape(512, 1024)
        expected = numba.silu(x), numba.softmax(x, 1)
        child = os.fork()
        same = np.array_equal(numba.silu(x), expected[0]) and np.array_equal(numba.softmax(x, 1), expected[1])
        if child == 0:
            os._exit(0 if same and threads.get_num_threads() == 1 else 1)
        print(same, threads.get_num_threads(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """)
    assert out.split() == ["True", "3", "0"]


def test_a_second_process_compiles_nothing(tmp_path):
    code = """if True:
        import json, sys
        import numpy as np
        import tapegrad
        from tapegrad.backends import get
        backend = get("numba")
        from tapegrad.backends.numba_elementwise import elements
        assert not hasattr(elements, "__wrapped__")
        assert "numba" not in sys.modules, "numba was imported before its first use"
        import numba
        from numba.core import event
        before = numba.config.CACHE_DIR
        with event.install_recorder("numba:compile") as recorder:
            x = np.ones((3, 4), np.float32)
            values = [backend.relu(x), backend.softplus(x[:, ::2], 1.0, 20.0)]
            values += [backend.log_softmax(x, 1), backend.var(x, (0,), 1, False)]
        assert numba.config.CACHE_DIR == before, "the host's setting was changed"
        print(json.dumps([len(recorder.buffer), [float(np.sum(v)) for v in values]]))
    """
    first, second = (json.loads(python(code, TAPEGRAD_CACHE=str(tmp_path))) for _ in range(2))
    assert first[0] > 0
    assert second[0] == 0
    assert first[1] == second[1]
    assert list(tmp_path.glob("*/**/*.nbc"))


def test_the_cache_folder(tmp_path, monkeypatch):
    fresh = cache.folder.__wrapped__
    monkeypatch.setenv("TAPEGRAD_CACHE", str(tmp_path / "a"))
    place = fresh()
    assert place.parent == tmp_path / "a"
    assert place.is_dir()

    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("TAPEGRAD_CACHE", str(blocked))
    monkeypatch.setattr(cache.tempfile, "tempdir", str(tmp_path))
    with pytest.warns(UserWarning, match="TAPEGRAD_CACHE=.*cannot be written"):
        place = fresh()
    assert tmp_path in place.parents
    assert place.is_dir()

    monkeypatch.delenv("TAPEGRAD_CACHE")
    monkeypatch.setattr(cache, "_user_cache", lambda: tmp_path / "user")
    assert fresh().parent == tmp_path / "user"


def test_the_cache_folder_depends_on_the_sources(tmp_path, monkeypatch):
    (tmp_path / "kernel.py").write_text("a = 1\n")
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "cache.py"))
    before = cache._digest()
    (tmp_path / "kernel.py").write_text("a = 2\n")
    assert cache._digest() != before
