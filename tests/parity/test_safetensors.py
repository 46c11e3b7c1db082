"""Files of the safetensors format, written by one library and read by the other."""

import os

import numpy as np
import pytest

import tapegrad
import tapegrad.safetensors as ours

torch = pytest.importorskip("torch")
theirs = pytest.importorskip("safetensors.torch")

pytestmark = pytest.mark.parity

TYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "bfloat16", "float32",
    "float64", "complex64",
)  # fmt: skip


@pytest.mark.parametrize("name", TYPES)
def test_every_type_both_ways(name, tmp_path):
    values = np.arange(6).reshape(2, 3) % 2 if name == "bool" else np.arange(6).reshape(2, 3)
    given = {lib: lib.tensor(values).to(getattr(lib, name)) for lib in (torch, tapegrad)}

    def parts(x):
        return {"whole": x, "transposed": x.t(), "number": x[1, 2], "none": x[:0], "gaps": x[:, ::2]}

    path = tmp_path / "x.safetensors"
    mine = {
        key: value.clone() if key in ("whole", "number") else value for key, value in parts(given[tapegrad]).items()
    }
    for key in ("transposed", "gaps"):
        ours.save_file({key: mine[key]}, path)
        assert theirs.load_file(path)[key].tolist() == parts(given[torch])[key].tolist()
    ours.save_file({key: mine[key] for key in ("whole", "number", "none")}, path, {"note": "text"})
    found = theirs.load_file(path)
    for key, value in found.items():
        assert value.dtype is getattr(torch, name)
        assert value.shape == parts(given[torch])[key].shape
        assert value.tolist() == parts(given[torch])[key].tolist()
    theirs.save_file({key: value.clone().contiguous() for key, value in parts(given[torch]).items()}, path)
    for back in (ours.load_file(path), ours.load(path.read_bytes()), tapegrad.load(path)):
        for key, value in parts(given[tapegrad]).items():
            assert back[key].dtype is getattr(tapegrad, name)
            assert back[key].shape == value.shape
            assert back[key].tolist() == value.tolist()


def tied(lib):
    model = lib.nn.Sequential(lib.nn.Linear(3, 3), lib.nn.Linear(3, 3), lib.nn.BatchNorm1d(3))
    model[1].weight = model[0].weight
    return model


def test_models_with_tied_weights(tmp_path):
    path = tmp_path / "model.safetensors"
    for writer, reader, save, load in (
        (torch, tapegrad, theirs.save_model, ours.load_model), (tapegrad, torch, ours.save_model, theirs.load_model),
        (tapegrad, tapegrad, ours.save_model, ours.load_model),
    ):  # fmt: skip
        model, other = tied(writer), tied(reader)
        save(model, str(path))
        missing, unexpected = load(other, str(path))
        assert (set(missing), list(unexpected)) == (set(), [])
        for key, value in model.state_dict().items():
            assert other.state_dict()[key].tolist() == value.tolist()
        assert other[1].weight is other[0].weight


def test_refusals(tmp_path):
    path = tmp_path / "x.safetensors"
    x = tapegrad.arange(6.0)
    ours.save_file({"first": x[:3], "second": x[3:]}, path)  # one memory, but no element of it twice
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match=r"share memory: \[\['a', 'b'\]\]"):
        ours.save_file({"a": x, "b": x[2:], "c": tapegrad.ones(1)}, path)
    with pytest.raises(ValueError, match="'a' is no tensor but int"):
        ours.save_file({"a": 1}, path)
    with pytest.raises(ValueError, match="complex128"):
        ours.save_file({"a": tapegrad.ones(1, dtype=tapegrad.complex128)}, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]
    for length in range(len(before)):
        with pytest.raises(RuntimeError, match="damaged"):
            ours.load(before[:length])
    with pytest.raises(RuntimeError, match=r"does not fit Linear: missing.*unknown"):
        ours.load_model(tapegrad.nn.Linear(2, 2), path)
    assert ours.load_model(tapegrad.nn.Linear(2, 2), path, strict=False) == ({"weight", "bias"}, ["first", "second"])
