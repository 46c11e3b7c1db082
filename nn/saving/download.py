"""Files of weights from the network, kept in the folder where PyTorch keeps them (``torch.hub``)."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from typing import Any
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from .atomic import written
from .load import load

__all__ = ["download_url_to_file", "get_dir", "load_state_dict_from_url", "set_dir"]

HASHED = re.compile(r"-([a-f0-9]*)\.")
_chosen: list[str] = []


def get_dir() -> str:
    """The folder for what is downloaded: what ``set_dir`` says, or ``$TORCH_HOME/hub``, as PyTorch has it."""
    if _chosen:
        return _chosen[-1]
    cache = os.environ.get("XDG_CACHE_HOME", os.path.join("~", ".cache"))
    return os.path.join(os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Keep what is downloaded in this folder."""
    _chosen[:] = [os.path.expanduser(os.fspath(d))]


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Download a file; the path names it when it is complete.

    Args:
        url: where it is.
        dst: the path to write.
        hash_prefix: what the file's SHA-256, in hexadecimal digits, must begin with; None checks nothing.
        progress: say on stderr what is downloaded.

    Raises:
        RuntimeError: another SHA-256. OSError: it cannot be had or written.
    """
    if progress:
        print(f'Downloading: "{url}" to {dst}', file=sys.stderr)
    with urlopen(Request(url, headers={"User-Agent": "tapegrad"})) as source, written(dst) as file:
        shutil.copyfileobj(source, file, 1 << 20)
        if hash_prefix:
            file.flush()
            file.seek(0)
            found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
            if not found.startswith(hash_prefix):
                raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{found}") of {url}')


def load_state_dict_from_url(
    url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True, check_hash: bool = False,
    file_name: str | None = None, weights_only: bool = True,
) -> Any:  # fmt: skip
    """What ``load`` makes of a file, which is downloaded unless it was before.

    Args:
        url: where it is.
        model_dir: the folder to keep it in; ``get_dir()/checkpoints`` for None.
        map_location, weights_only: for ``load``; other than PyTorch's, no code in the file is run by default.
        progress: say on stderr what is downloaded.
        check_hash: the name ends in ``-`` and the first digits of the file's SHA-256, which is compared.
        file_name: its name in the folder; that in the address for None.
    """
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(folder, exist_ok=True)
    name = file_name or os.path.basename(urlparse(url).path)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        digits = HASHED.search(name) if check_hash else None
        download_url_to_file(url, path, digits[1] if digits else None, progress)
    return load(path, map_location=map_location, weights_only=weights_only)
