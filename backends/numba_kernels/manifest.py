"""Which compiled kernels a program used, as a file from which another machine compiles just those.

A manifest is JSON: ``{"linear.relu": ["float32[2], float32[1]"], "ufuncs.tanh": []}``, kernels with the types of their
arguments, or without where a kernel has the types it serves built in.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numba import types
from numba.core.caching import FunctionCache
from numba.core.ccallback import CFunc
from numba.core.dispatcher import Dispatcher

from .cache import compiling

__all__ = ["Manifest", "prepare", "read", "used", "write", "write_at_exit"]

Manifest = dict[str, list[str]]

_PACKAGE = __package__ + "."
_ARRAY = re.compile(r"(\w+)\[(\d)(r?)\]")


def used() -> Manifest:
    """The kernels that this process compiled or loaded, by ``module.name``, with the types of their arguments."""
    found: Manifest = {}
    for module_name, module in sorted(sys.modules.items()):
        if not module_name.startswith(_PACKAGE):
            continue
        short = module_name.removeprefix(_PACKAGE)
        for name, kernel in vars(module).items():
            if isinstance(kernel, np.ufunc) or (isinstance(kernel, CFunc) and not name.startswith("_")):
                found[f"{short}.{name}"] = []
            elif _is_kernel(kernel, module_name):
                lazily = kernel._can_compile
                found[f"{short}.{name}"] = [_text(s) for s in kernel.signatures] if lazily else []
    return found


def _is_kernel(value: Any, module_name: str) -> bool:
    """Whether ``value`` is a compiled function that is called from Python, in the module that defines it."""
    if not isinstance(value, Dispatcher) or value.py_func.__module__ != module_name:
        return False
    return isinstance(getattr(value, "_cache", None), FunctionCache) and bool(value.signatures)


def _text(signature: tuple[Any, ...]) -> str:
    return ", ".join(
        f"{t.dtype}[{t.ndim}{'' if t.mutable else 'r'}]" if isinstance(t, types.Array) else str(t) for t in signature
    )


def _signature(text: str) -> tuple[Any, ...]:
    found = []
    for part in text.split(", "):
        array = _ARRAY.fullmatch(part)
        if array is None:
            found.append(getattr(types, {"bool": "boolean"}.get(part, part)))
        else:
            found.append(types.Array(getattr(types, array[1]), int(array[2]), "C", readonly=bool(array[3])))
    return tuple(found)


def prepare(name: str, signatures: list[str]) -> None:
    """Compile one kernel of a manifest, or load it where the cache has it.

    Raises:
        ValueError: this version has no such kernel, or the types cannot be read.
    """
    module, _, kernel_name = name.partition(".")
    try:
        with compiling():
            kernel = getattr(import_module(_PACKAGE + module), kernel_name)
        declared = {_text(s.args): s for s in getattr(kernel, "declared", ())}
        for text in signatures or declared:
            kernel.compile(declared.get(text) or _signature(text))
    except (ImportError, AttributeError) as error:
        raise ValueError(f"manifest: no kernel '{name}' for {signatures or 'its types'} here: {error}") from error


def read(path: str | os.PathLike[str]) -> Manifest:
    """The manifest in a file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no manifest.
    """
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not all(isinstance(v, list) for v in content.values()):
        raise ValueError(f"{path} is no manifest of kernels: expected a JSON object of lists")
    return content


def write(path: str | os.PathLike[str]) -> Manifest:
    """Add the kernels of this process to the manifest in a file, which is made if need be; returns the whole."""
    target = Path(path)
    known = read(target) if target.exists() else {}
    for name, signatures in used().items():
        known[name] = sorted({*known.get(name, ()), *signatures})
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False, encoding="utf-8") as file:
        json.dump(dict(sorted(known.items())), file, indent=1)
        file.write("\n")
    os.replace(file.name, target)
    return known


def write_at_exit(path: str) -> None:
    """Write the manifest when this process ends."""
    atexit.register(write, path)
