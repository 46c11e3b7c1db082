"""What the lessons share: how a picture looks, where it goes, and the small data sets."""

import argparse
import importlib.util
import io
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

try:
    import matplotlib
    import sklearn.datasets as datasets
except ImportError as error:
    raise SystemExit(
        f"The lessons need matplotlib and scikit-learn, and {error.name} is not installed: "
        "python -m pip install matplotlib scikit-learn"
    ) from None
if "--show" not in sys.argv:
    matplotlib.use("Agg")  # draws into files, so that a lesson also runs where there is no screen
import matplotlib.pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from PIL import Image

HERE = Path(__file__).resolve().parent
if importlib.util.find_spec("tapegrad") is None:
    sys.path.append(str(HERE.parents[1]))  # a bare checkout, nothing installed

__all__ = [
    "BLUE", "BLUE_RED", "CLASSES", "FAINT", "GREEN", "GREY", "INK", "ORANGE", "PURPLE", "RED", "datasets", "digits",
    "few_digits", "frameless", "mosaic", "noisy_wave", "page", "plt", "regions", "run", "standard_split",
]  # fmt: skip

INK, GREY, FAINT = "#222a35", "#6b7683", "#c9d1da"
BLUE, RED, GREEN, ORANGE, PURPLE = "#1f77b4", "#d1495b", "#2a9d5c", "#e08e0b", "#7b5ea7"
BLUE_RED = LinearSegmentedColormap.from_list("blue_red", [BLUE, "white", RED])
CLASSES = LinearSegmentedColormap.from_list("classes", ["#9cc4e4", "#ffffff", "#efb0b8"])

plt.rcParams.update({
    "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "text.color": INK, "axes.edgecolor": INK,
    "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.titlelocation": "left",
    "axes.titleweight": "bold", "axes.titlesize": 10, "legend.frameon": False, "lines.linewidth": 2,
})  # fmt: skip


def page(rows, columns, title, size=(12, 6.5), **options):
    """A figure with a headline and a grid of axes, (rows, columns)."""
    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False, **options)
    figure.suptitle(title, x=0.012, ha="left", fontsize=14, fontweight="bold")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
    return figure, axes


def frameless(axes, picture=None, **options):
    """Axes for an image: no ticks, no frame."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    if picture is not None:
        axes.imshow(picture, **options)


def regions(axes, decide, limits, steps=120):
    """Colour the plane by ``decide(points)``: (count, 2) to (count,), from 0 (blue) to 1 (red); a line at 0.5."""
    left, right, low, high = limits
    x, y = np.meshgrid(np.linspace(left, right, steps), np.linspace(low, high, steps))
    chance = np.asarray(decide(np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32))).reshape(x.shape)
    axes.contourf(x, y, chance, levels=np.linspace(0, 1, 21), cmap=CLASSES, vmin=0, vmax=1)
    if chance.min() < 0.5 < chance.max():
        axes.contour(x, y, chance, levels=[0.5], colors=INK, linewidths=1.5)
    axes.set(xlim=(left, right), ylim=(low, high))


def mosaic(images, columns):
    """Images of 64 numbers, (count, 64), as one picture of 8x8 tiles with white lines between them."""
    padded = np.pad(images.reshape(-1, columns, 8, 8), ((0, 0), (0, 0), (1, 1), (1, 1)))
    return padded.transpose(0, 2, 1, 3).reshape(-1, columns * 10)


def digits():
    """scikit-learn's 1,797 digits of 8x8 pixels from 0 to 1, a fifth kept for testing: images and labels, twice."""
    sys.path.append(str(HERE.parent))
    from _data import load

    return load("digits", HERE)


def few_digits(count, noisy=0.0):
    """The first training digits (a share with random labels), 200 to watch meanwhile, 360 to judge in the end."""
    data = digits()
    labels = data.train_labels[:count].copy()
    rng = np.random.default_rng(0)
    wrong = rng.random(len(labels)) < noisy
    labels[wrong] = rng.integers(0, 10, wrong.sum())
    watch = (data.train_images[-200:], data.train_labels[-200:])
    return data.train_images[:count], labels, *watch, data.test_images, data.test_labels


def noisy_wave(count=25, seed=1):
    """Points x, (count, 1), and sin(4x) measured there with noise of 0.3."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(-1, 1, (count, 1)), axis=0)
    return x.astype(np.float32), (np.sin(4 * x) + 0.3 * rng.normal(size=x.shape)).astype(np.float32)


def standard_split(data, seed=0, test_size=0.25):
    """A scikit-learn table as float32: train x, train y, test x, test y; columns with mean 0 and spread 1."""
    from sklearn.model_selection import train_test_split

    stratify = data.target if data.target.dtype.kind == "i" else None
    parts = train_test_split(data.data, data.target, test_size=test_size, random_state=seed, stratify=stratify)
    # The scale is learned from the training rows alone: a test must not leak into what it judges.
    mean, spread = parts[0].mean(axis=0), parts[0].std(axis=0)
    train, test = ((part - mean) / spread for part in parts[:2])
    return train.astype(np.float32), parts[2], test.astype(np.float32), parts[3]


def run(main, script):
    """Read the command line, run a lesson's ``main``, which returns its figure, and save the picture."""
    parser = argparse.ArgumentParser(description=sys.modules[main.__module__].__doc__.splitlines()[0])
    parser.add_argument("--show", action="store_true", help="open the picture in a window too")
    parser.add_argument("--out", type=Path, default=HERE / "pictures", help="folder of the picture (%(default)s)")
    options = parser.parse_args()
    try:  # now, and not when the work is done
        options.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=options.out):
            pass
    except OSError as error:
        parser.error(f"cannot write into the folder '{options.out}' ({error.strerror}); name another with --out FOLDER")

    import tapegrad as tg

    tg.manual_seed(0)
    start = time.perf_counter()
    figure = main()
    path = options.out / f"{Path(script).stem}.png"
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=100, facecolor="white")
    Image.open(drawn).convert("RGB").quantize(256).save(path, optimize=True)  # a third of the bytes, and no eye sees it
    print(f"\nPicture: {path} ({time.perf_counter() - start:.1f} s)")
    if options.show:
        plt.show()
