"""Handwritten digits as NumPy arrays: scikit-learn's small images, and MNIST from its IDX files."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["DATA_SETS", "Digits", "load", "read_idx"]

DATA_SETS = ("digits", "mnist")

MNIST_ADDRESS = "https://ossci-datasets.s3.amazonaws.com/mnist/"
MNIST_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


class Digits(NamedTuple):
    """Images (count, height, width), float32 from 0 to 1, and their labels (count,), int64 from 0 to 9."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load(name: str, root: Path) -> Digits:
    """The data set ``name``, one of ``DATA_SETS``; ``root`` is the folder of the MNIST files."""
    return _digits() if name == "digits" else _mnist(root)


def _digits() -> Digits:
    """The 1,797 images of 8x8 that come with scikit-learn; a fifth of each digit is kept for testing."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    images, labels = (data.images / 16).astype(np.float32), data.target.astype(np.int64)
    split = train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=0)
    return Digits(split[0], split[2], split[1], split[3])


def _mnist(root: Path) -> Digits:
    """60,000 images of 28x28 for training and 10,000 for testing.

    Raises:
        FileNotFoundError: not all four files are there; the text says where to get them.
        ValueError: a file is damaged or empty, images and labels do not belong together, or a label is no digit.
    """
    paths = [_plain_or_gz(root, name) for name in MNIST_FILES]
    missing = [name for name, path in zip(MNIST_FILES, paths) if path is None]
    if missing:
        raise FileNotFoundError(
            f"MNIST: the folder '{root}' lacks {', '.join(missing)} (plain, or compressed with the ending .gz).\n"
            "They are part of 'The MNIST database of handwritten digits' by LeCun, Cortes and Burges. Download\n"
            + "\n".join(f"    {MNIST_ADDRESS}{name}.gz" for name in missing)
            + f"\ninto '{root}', or say with --root which folder holds them."
        )
    arrays = [read_idx(path) for path in paths if path is not None]
    for images, labels, name in ((arrays[0], arrays[1], "train"), (arrays[2], arrays[3], "t10k")):
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise ValueError(f"MNIST: {name} has images {images.shape} but labels {labels.shape}")
        if images.size == 0:
            raise ValueError(f"MNIST: {name} has no pixels: its images have shape {images.shape}")
        if labels.max() > 9:
            raise ValueError(f"MNIST: {name} has a label {labels.max()}; digits go from 0 to 9")
    train_images, train_labels, test_images, test_labels = arrays
    if train_images.shape[1:] != test_images.shape[1:]:
        raise ValueError(f"MNIST: train has images {train_images.shape} but t10k {test_images.shape}")
    return Digits(
        train_images.astype(np.float32) / 255, train_labels.astype(np.int64),
        test_images.astype(np.float32) / 255, test_labels.astype(np.int64),
    )  # fmt: skip


def _plain_or_gz(root: Path, name: str) -> Path | None:
    return next((path for path in (root / name, root / f"{name}.gz") if path.is_file()), None)


def read_idx(path: Path) -> np.ndarray:
    """The array of bytes in an IDX file: two zeros, the type 8, the number of axes, their sizes, the data.

    Raises:
        ValueError: the file is damaged or no IDX file of bytes, or its length is not what its header says.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            content = file.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: damaged, or not wholly downloaded ({error}); get it again") from None
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise ValueError(f"{path}: not an IDX file of unsigned bytes")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError(f"{path}: ends within its header")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    data = np.frombuffer(content, np.uint8, offset=start)
    if data.size != np.prod(shape, dtype=np.int64):
        raise ValueError(f"{path}: {data.size} bytes of data where the header says {shape}")
    return data.reshape(shape)
