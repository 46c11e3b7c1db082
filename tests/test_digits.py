"""The digits example: it learns, alike on every backend and under PyTorch, and reads MNIST's files."""

import gzip
import importlib.util
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("tqdm")

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "examples" / "digits.py"
NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def run(*arguments, script=SCRIPT, backend="numpy"):
    """Runs the script; the checkout and its examples can be imported wherever the script lies."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "examples")])
    environment = os.environ | {"TAPEGRAD_BACKEND": backend, "PYTHONPATH": paths, "PYTHONIOENCODING": "utf-8"}
    environment |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    return subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=600,
    )  # fmt: skip


def record(folder, *arguments, **options):
    """What the script printed, and what it wrote down of its losses."""
    path = folder / "losses.json"
    done = run("--losses", path, *arguments, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def main_job(tmp_path_factory):
    """The whole run on NumPy, with its figure."""
    folder = tmp_path_factory.mktemp("numpy")
    out, written = record(folder, "--out", folder / "digits.png", backend="numpy")
    return out, written, folder / "digits.png"


def test_main_job_learns(main_job):
    out, written, _ = main_job
    assert written["tested"] == 360
    assert written["correct"] / written["tested"] >= 0.965
    steps_per_epoch = -(-1437 // 32)
    assert len(written["losses"]) == 20 * steps_per_epoch
    assert written["losses"][0] == pytest.approx(np.log(10), abs=0.1)  # an untrained network guesses
    assert np.mean(written["losses"][-steps_per_epoch:]) < 0.05
    assert "backend numpy" in out
    assert f"({written['correct']} of 360)" in out


def test_main_job_prints_the_loss_of_every_epoch(main_job):
    out, written, _ = main_job
    printed = [float(x) for x in re.findall(r"epoch +\d+: loss ([\d.]+)", out)]
    assert printed == pytest.approx(np.reshape(written["losses"], (20, -1)).mean(axis=1), abs=6e-5)
    assert re.search(r"trained in [\d.]+ s: 900 steps of \d+ µs", out)


def test_main_job_draws_a_figure(main_job):
    image = pytest.importorskip("matplotlib.image").imread(main_job[2])
    assert image.shape[0] > 500
    assert image.shape[1] > 1000
    colours = {tuple(c) for c in np.rint(image[::2, ::2, :3] * 255).astype(int).reshape(-1, 3)}
    assert {(31, 119, 180), (209, 73, 91)} <= colours  # hits are framed in blue and mistakes in red
    assert len([c for c in colours if c[0] == c[1] == c[2]]) > 10  # the pixels of the digits


def test_numba_gives_the_same_losses(main_job, tmp_path):
    out, written = record(tmp_path, "--no-plot", backend="numba")
    assert "backend numba" in out
    assert np.abs(np.subtract(written["losses"], main_job[1]["losses"])).max() < 1e-4
    assert abs(written["correct"] - main_job[1]["correct"]) <= 1


@pytest.mark.parity
def test_pytorch_gives_the_same_losses(main_job, tmp_path):
    pytest.importorskip("torch")
    source = SCRIPT.read_text(encoding="utf-8")
    theirs = source.replace("import tapegrad", "import torch").replace("from tapegrad", "from torch")
    changed = [(a, b) for a, b in zip(source.splitlines(), theirs.splitlines(), strict=True) if a != b]
    assert len(changed) == 3
    assert all(b.startswith(("import torch", "from torch")) for _, b in changed)
    script = tmp_path / "digits_torch.py"
    script.write_text(theirs, encoding="utf-8")
    out, written = record(tmp_path, "--no-plot", script=script)
    assert out.startswith("torch 2.")
    assert np.abs(np.subtract(written["losses"], main_job[1]["losses"])).max() < 1e-3
    assert abs(written["correct"] - main_job[1]["correct"]) <= 1


def test_another_seed_gives_other_losses(main_job, tmp_path):
    _, written = record(tmp_path, "--no-plot", "--seed", 1, "--epochs", 1)
    assert len(written["losses"]) == 45
    assert np.abs(np.subtract(written["losses"], main_job[1]["losses"][:45])).max() > 0.01


def test_no_epochs_are_refused():
    done = run("--epochs", 0)
    assert done.returncode == 2
    assert "--epochs must be at least 1, got 0" in done.stderr


@pytest.mark.parametrize("option", ["--out", "--losses"])
def test_a_missing_folder_is_told_before_the_training(option, tmp_path):
    done = run(option, tmp_path / "none" / "file")
    assert done.returncode == 2
    assert f"there is no folder '{tmp_path / 'none'}' to write file to" in done.stderr


def test_it_runs_in_a_checkout_without_an_install(tmp_path):
    words = "PYTHONPATH=. python examples/digits.py"
    assert f"`{words}`" in (ROOT / "README.md").read_text(encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": ".", "TAPEGRAD_BACKEND": "numpy"}
    command = [sys.executable, *words.split()[2:], "--epochs", "1", "--no-plot"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert "test accuracy" in done.stdout, done.stderr


# MNIST's files


@pytest.fixture(scope="module")
def data():
    """The module examples/_data.py."""
    spec = importlib.util.spec_from_file_location("digits_data", ROOT / "examples" / "_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def idx(array):
    """An array of bytes in the IDX format."""
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def bars(count, seed):
    """Pictures of 28x28 whose label is the place of a bright bar, among noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count).astype(np.uint8)
    images = rng.integers(0, 60, (count, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels):
        image[4 + 2 * label] = 255
    return images, labels


@pytest.fixture
def mnist(tmp_path):
    """A folder with the four files, two of them compressed, and what is in them."""
    arrays = (*bars(640, 1), *bars(100, 2))
    for k, (name, array) in enumerate(zip(NAMES, arrays, strict=True)):
        content = idx(array)
        if k % 2:
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (tmp_path / name).write_bytes(content)
    return tmp_path, arrays


def test_idx_plain_and_compressed(data, tmp_path):
    array = np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 3, 5)
    content = b"\0\0\x08\x03" + b"\0\0\0\x02" + b"\0\0\0\x03" + b"\0\0\0\x05" + bytes(range(30))
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "small.gz").write_bytes(gzip.compress(content))
    for name in ("plain", "small.gz"):
        np.testing.assert_array_equal(data.read_idx(tmp_path / name), array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"PK\x03\x04 something else", "not an IDX file"),
        (b"\0\0\x0d\x01\0\0\0\0", "not an IDX file of unsigned bytes"),
        (b"\0\0\x08\x02\0\0\0\x02", "ends within its header"),
        (b"\0\0\x08\x01\0\0\0\x05abcd", r"4 bytes of data where the header says \(5,\)"),
    ],
)
def test_damaged_idx_is_refused(data, tmp_path, content, message):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        data.read_idx(tmp_path / "file")
    assert str(tmp_path / "file") in str(caught.value)


def test_mnist_arrays(data, mnist):
    folder, arrays = mnist
    loaded = data.load("mnist", folder)
    for got, raw, scale in zip(loaded, arrays, (255, 1, 255, 1), strict=True):
        np.testing.assert_allclose(got, raw / scale, rtol=1e-6)
    assert [a.dtype for a in loaded] == [np.float32, np.int64, np.float32, np.int64]


def test_mnist_trains(mnist):
    folder, _ = mnist
    out, written = record(folder, "--data", "mnist", "--root", folder, "--epochs", 3, "--out", folder / "mnist.png")
    assert "640 training images, 100 test images" in out
    assert written["correct"] >= 95
    assert (folder / "mnist.png").stat().st_size > 20_000


def test_missing_mnist_files_are_named(mnist):
    folder, _ = mnist
    (folder / NAMES[0]).unlink()
    (folder / f"{NAMES[3]}.gz").unlink()
    done = run("--data", "mnist", "--root", folder)
    assert done.returncode == 1
    assert f"lacks {NAMES[0]}, {NAMES[3]} (" in done.stderr
    assert f"https://ossci-datasets.s3.amazonaws.com/mnist/{NAMES[0]}.gz\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_mnist_labels_that_do_not_belong_are_refused(mnist):
    folder, arrays = mnist
    (folder / NAMES[0]).write_bytes(idx(arrays[0][:-1]))
    done = run("--data", "mnist", "--root", folder)
    assert done.returncode == 1
    assert "train has images (639, 28, 28) but labels (640,)" in done.stderr


def damaged(content, name):
    """What may come of a download, and what is said of it."""
    packed = gzip.compress(content)
    return {
        "cut": (packed[: len(packed) // 2], "damaged, or not wholly downloaded"),
        "changed": (packed[:40] + bytes(20) + packed[60:], "damaged, or not wholly downloaded"),
        "not packed": (content, "damaged, or not wholly downloaded"),
        "empty": (b"", "not an IDX file"),
        "a page": (gzip.compress(b"<html>"), "not an IDX file"),
    }[name]


@pytest.mark.parametrize("how", ["cut", "changed", "not packed", "empty", "a page"])
def test_damaged_mnist_files_take_one_line(how, mnist):
    folder, arrays = mnist
    (folder / NAMES[0]).unlink()
    content, message = damaged(idx(arrays[0]), how)
    (folder / f"{NAMES[0]}.gz").write_bytes(content)
    done = run("--data", "mnist", "--root", folder)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("number", "array", "message"),
    [
        (3, np.full(100, 11, np.uint8), "t10k has a label 11; digits go from 0 to 9"),
        (2, np.zeros((100, 8, 8), np.uint8), r"train has images (640, 28, 28) but t10k (100, 8, 8)"),
        (2, np.zeros((100, 0, 8), np.uint8), "t10k has no pixels"),
    ],
)
def test_mnist_files_that_make_no_sense_take_one_line(number, array, message, mnist):
    folder, _ = mnist
    for path in (folder / NAMES[number], folder / f"{NAMES[number]}.gz"):
        path.unlink(missing_ok=True)
    (folder / NAMES[number]).write_bytes(idx(array))
    done = run("--data", "mnist", "--root", folder)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
