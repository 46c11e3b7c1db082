"""Training in several threads and in forked children, and runs that repeat bit by bit."""

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import tapegrad as tg
from tapegrad import nn
from tapegrad.backends import blas

ROOT = Path(__file__).parents[1]
TRAIN = """if True:
    import hashlib, os, sys, threading
    import tapegrad as tg
    from tapegrad import nn

    def train(seed, width=256, steps=3):
        tg.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, width), nn.GELU(), nn.Dropout(0.1), nn.Linear(width, 10))
        optimizer = tg.optim.Adam(model.parameters(), lr=1e-2)
        x, y = tg.randn(4096, 64), tg.randint(0, 10, (4096,))
        for _ in range(steps):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        content = hashlib.sha256()
        for p in model.parameters():
            content.update(p.detach().numpy().tobytes())
        return content.hexdigest(), loss.item()
"""


def python(code):
    done = subprocess.run(
        [sys.executable, "-c", TRAIN + code], cwd=ROOT, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("count", [1, 2])
def test_same_seed_same_bits(count):
    code = f"\n    tg.set_num_threads({count}); print(*train(3))"
    assert python(code) == python(code)


def test_threads_that_train_beside_each_other():
    """Each has its own model and data; what each computes is what it computes alone."""

    def train(scale, found):
        weight = tg.full((64, 64), 0.01, requires_grad=True)
        x = tg.arange(64 * 64.0).reshape(64, 64) / 4096 * scale
        optimizer = tg.optim.SGD([weight], lr=1e-3)
        for _ in range(50):
            optimizer.zero_grad()
            nn.functional.mse_loss(tg.tanh(x @ weight), x).backward()
            optimizer.step()
        found[scale] = hashlib.sha256(weight.detach().numpy().tobytes()).hexdigest()

    alone, together = {}, {}
    for scale in (1, 2, 3):
        train(scale, alone)
    workers = [threading.Thread(target=train, args=(scale, together)) for scale in (1, 2, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert not worker.is_alive()
    assert together == alone


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_child_trains_while_the_parents_threads_do():
    out = python("""
    tg.set_num_threads(2)
    before = train(1)
    stop = threading.Event()
    def busy():
        x = tg.ones(1 << 20)
        while not stop.is_set():
            tg.sigmoid(x) * 2
    helper = threading.Thread(target=busy); helper.start()
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            loss = train(1)[1]
            os._exit(0 if abs(loss - before[1]) < 1e-5 else 1)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]) for c in children]
    stop.set(); helper.join()
    print(*codes, train(1) == before)
    """)
    assert out == ["0", "0", "0", "0", "True"]


def test_a_child_forked_while_a_thread_compiles(tmp_path, monkeypatch):
    monkeypatch.setenv("TAPEGRAD_CACHE", str(tmp_path))
    codes = python(
        """
    from tapegrad.nn import functional as F
    x = tg.ones(3)
    F.relu(x)
    thread = threading.Thread(target=lambda: [f(x) for f in (tg.exp, tg.log1p, F.mish, F.softplus)]); thread.start()
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            tg.sigmoid(x), F.elu(x)
            os._exit(0)
        children.append(child)
    print(*[os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]) for c in children])
    thread.join()
    """
    )
    assert codes == ["0"] * 3


def test_set_num_threads_reaches_the_kernels_and_the_matrix_products():
    before = tg.get_num_threads(), blas.get_blas_threads()
    try:
        tg.set_num_threads(1)
        assert tg.get_num_threads() == 1
        assert blas.get_blas_threads() in (1, None)
    finally:
        tg.set_num_threads(before[0])
        if before[1] is not None:
            blas.set_blas_threads(before[1])
    tg.set_num_interop_threads(4)
    assert tg.get_num_interop_threads() == 1


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2", True])
def test_a_wrong_number_of_threads_is_refused(wrong):
    with pytest.raises((TypeError, ValueError), match="set_num_threads: count must be"):
        tg.set_num_threads(wrong)


def test_a_blas_that_cannot_be_told_is_said(monkeypatch):
    monkeypatch.setattr("tapegrad.backends.threads.set_blas_threads", lambda count: False)
    with pytest.warns(UserWarning, match="matrix products keep their threads"):
        tg.set_num_threads(tg.get_num_threads())
