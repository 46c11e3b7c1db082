"""Models in one file: a ZIP of the architecture as JSON and of all numbers as safetensors.

Nothing in it is code, and nothing is run on loading. The file is written beside its place and moved there when whole.
"""

from __future__ import annotations

import json
import os
import warnings
import zipfile
from typing import Any

import numpy as np

from ..autograd.ops.create import tensor
from ..nn.saving.atomic import written
from . import losses, metrics
from .metric_base import as_array
from .sequential import Sequential

__all__ = ["load_model", "load_weights", "save_model", "save_weights"]

FORMAT = 1
WEIGHTS, STATE = "model.weights.safetensors", "optimizer.safetensors"


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError("saving keras models needs the package safetensors: pip install safetensors") from error
    return safetensors.numpy


def _named(model: Sequential) -> dict[str, Any]:
    """The weights by path: 0/dense/kernel …."""
    if not model.built:
        raise ValueError(f"{model.name}: not built yet, so it has no weights to save or load; give an Input or data")
    found: dict[str, Any] = {}
    for i, layer in enumerate(model.layers):
        inner = _named(layer) if isinstance(layer, Sequential) else {w.name: w for w in layer.weights}
        for name, weight in inner.items():
            found[f"{i}/{name}"] = weight
    return found


def _pack(arrays: dict[str, np.ndarray]) -> bytes:
    packed: bytes = _safetensors().save({k: np.ascontiguousarray(v) for k, v in arrays.items()})
    return packed


def _check_place(filepath: Any, overwrite: bool) -> str:
    path = os.fspath(filepath)
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path} exists; overwrite=True replaces it")
    return path


def save_model(model: Sequential, filepath: Any, overwrite: bool = True) -> None:
    """Write a model: architecture, weights, and what ``compile`` was given with the optimizer's state.

    Args:
        model: a built ``Sequential``.
        filepath: such as "model.keras".
        overwrite: replace an existing file.

    Raises:
        FileExistsError: it exists, without ``overwrite``. ValueError: not built, or a function of the user's own in a
            layer. ImportError: safetensors is not installed.
    """
    path = _check_place(filepath, overwrite)
    config = {"format": FORMAT, "class_name": "Sequential", "config": model.get_config(), "compile": _compiled(model)}
    parts = {
        "config.json": json.dumps(config, indent=1).encode(),
        WEIGHTS: _pack({name: w.numpy() for name, w in _named(model).items()}),
    }
    if config["compile"] is not None and model.optimizer.inner is not None:
        state = model.optimizer.inner.state_dict()["state"]
        arrays = {f"{i}/{k}": as_array(v) for i, s in state.items() for k, v in s.items() if v is not None}
        parts[STATE] = _pack(arrays)
    with written(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _compiled(model: Sequential) -> dict[str, Any] | None:
    if not model.compiled:
        return None
    try:
        loss = None if model.loss is None else _entry(model.loss, losses.CLASSES)
        wanted = [[_metric(m) for m in some] for some in model._wanted]
    except ValueError as error:
        warnings.warn(f"the model is saved without what compile was given: {error}", stacklevel=3)
        return None
    optimizer = {"class_name": type(model.optimizer).__name__, "config": model.optimizer.get_config()}
    return {
        "optimizer": optimizer, "iterations": model.optimizer.iterations, "loss": loss, "metrics": wanted[0],
        "weighted_metrics": wanted[1],
    }  # fmt: skip


def _metric(given: Any) -> Any:
    if isinstance(given, str):
        return given
    if callable(given) and given in losses.FUNCTIONS:
        return given.__name__
    return _entry(metrics.get(given), metrics.CLASSES)


def _entry(thing: Any, known: dict[str, Any]) -> dict[str, Any]:
    name = type(thing).__name__
    if known.get(name) is not type(thing):
        raise ValueError(f"{getattr(thing, 'name', thing)!r} is a function of your own")
    return {"class_name": name, "config": thing.get_config()}


def load_model(filepath: Any, custom_objects: dict[str, type] | None = None, compile: bool = True) -> Sequential:
    """Read what ``save_model`` wrote.

    Args:
        filepath: the file.
        custom_objects: classes of layers of the user's own by name.
        compile: also restore what ``compile`` was given, and the optimizer's state.

    Raises:
        FileNotFoundError: there is none. ValueError: not such a file, damaged, or an unknown layer.
    """
    path = os.fspath(filepath)
    if not zipfile.is_zipfile(path):
        if not os.path.exists(path):
            raise FileNotFoundError(f"load_model: there is no file {path}")
        raise ValueError(f"load_model: {path} is no model that save wrote (nor a whole one)")
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if not {"config.json", WEIGHTS} <= names:
            raise ValueError(
                f"load_model: {path} lacks config.json or {WEIGHTS}; models of Keras itself are no such file"
            )
        config = json.loads(archive.read("config.json"))
        arrays = _safetensors().load(archive.read(WEIGHTS))
        state = _safetensors().load(archive.read(STATE)) if STATE in names else {}
    if config.get("format") != FORMAT:
        raise ValueError(f"load_model: {path} has format {config.get('format')!r}, known is {FORMAT}")
    model = Sequential.from_config(config["config"], custom_objects)
    _fill(model, arrays)
    if compile and config["compile"] is not None:
        _compile(model, config["compile"], state)
    model.eval()
    return model


def _compile(model: Sequential, config: dict[str, Any], state: dict[str, np.ndarray]) -> None:
    model.compile(config["optimizer"], config["loss"], config["metrics"], config["weighted_metrics"])
    if not state:
        return
    optimizer = model.optimizer
    optimizer.build([t for w in model.weights if w.learned for t in w.tensors])
    optimizer.iterations = config["iterations"]
    entries: dict[int, dict[str, Any]] = {}
    for name, array in state.items():
        i, key = name.split("/", 1)
        entries.setdefault(int(i), {})[key] = tensor(array)
    optimizer.inner.load_state_dict({"state": entries, "param_groups": optimizer.inner.state_dict()["param_groups"]})


def _fill(model: Sequential, arrays: dict[str, np.ndarray]) -> None:
    own = _named(model)
    if own.keys() != arrays.keys():
        lacking, extra = sorted(own.keys() - arrays.keys()), sorted(arrays.keys() - own.keys())
        raise ValueError(f"the weights do not fit the model: the file lacks {lacking} and has besides {extra}")
    for name, weight in own.items():
        if arrays[name].shape != weight.shape:
            raise ValueError(f"the weights do not fit: {name} is {weight.shape}, in the file {arrays[name].shape}")
    for name, weight in own.items():
        weight.assign(arrays[name])


def save_weights(model: Sequential, filepath: Any, overwrite: bool = True) -> None:
    """Write the weights alone, as safetensors with names such as ``0/kernel``.

    Args:
        model: a built ``Sequential``.
        filepath: such as "model.weights.safetensors".
        overwrite: replace an existing file.

    Raises:
        FileExistsError: it exists, without ``overwrite``. ValueError: not built.
    """
    path = _check_place(filepath, overwrite)
    content = _pack({name: w.numpy() for name, w in _named(model).items()})
    with written(path) as file:
        file.write(content)


def load_weights(model: Sequential, filepath: Any) -> None:
    """Read weights that ``save_weights`` or ``save_model`` wrote into a built model.

    Raises:
        ValueError: other names or shapes; the model is not changed then.
    """
    path = os.fspath(filepath)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            content = archive.read(WEIGHTS)
    else:
        with open(path, "rb") as file:
            content = file.read()
    _fill(model, _safetensors().load(content))
