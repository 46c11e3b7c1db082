"""Imports run downward only, nn -> autograd -> backends, and the operator families see no raw arrays."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    "tapegrad": "tapegrad",
    "autograd": "tapegrad.autograd",
    "backends": "tapegrad.backends",
    "nn": "tapegrad.nn",
}
RANKS = {"tapegrad.backends": 0, "tapegrad.autograd": 1, "tapegrad.nn": 2, "tapegrad": 3}
ARRAY_LIBRARIES = {"cupy", "cupyx", "ml_dtypes", "numba", "numpy", "scipy"}
# Where NumPy's arrays and numbers enter from outside or leave: not compositions of other operations.
RAW = ("create", "factories", "index", "interop", "move", "memory", "shared")
BORDER = {f"tapegrad.autograd.ops.{name}" for name in RAW}


def layer(module):
    """The layer that a module of ours belongs to; whatever is in no lower one is the facade's."""
    head = ".".join(module.split(".")[:2])
    return head if head in RANKS else "tapegrad"


def module_name(path, root=ROOT):
    """nn/optim/sgd.py -> tapegrad.nn.optim.sgd; a package's __init__.py has the package's name."""
    top, *rest = path.relative_to(root).with_suffix("").parts
    names = [FOLDERS[top], *rest]
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def absolute(name, level, package):
    """The absolute name of an import written with `level` dots inside `package`."""
    if level == 0:
        return name
    parts = package.split(".")
    base = parts[: len(parts) - level + 1]
    return ".".join([*base, name] if name else base)


def imports(tree, package):
    """Yields (line, absolute dotted name, whether it is written relatively) for imports at any depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, False
        elif isinstance(node, ast.ImportFrom):
            module = absolute(node.module or "", node.level, package)
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}", node.level > 0
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            if ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
                written = str(node.args[0].value)
                name = written.lstrip(".")
                level = len(written) - len(name)
                yield node.lineno, absolute(name, level, package), level > 0


def problems(source, name, is_package=False):
    """What the module called `name` with text `source` imports although it must not, in words."""
    own = layer(name)
    package = name if is_package else name.rpartition(".")[0]
    is_op = f"{name}.".startswith("tapegrad.autograd.ops.")
    sees_numpy = name in BORDER
    found = []
    for line, target, relative in imports(ast.parse(source), package):
        where = f"{name}:{line}: import of {target}"
        top = target.split(".")[0]
        if top in FOLDERS and top != "tapegrad":
            found.append(f"{where}: the installed name is {FOLDERS[top]}; write it as a relative import")
        elif top == "tapegrad":
            if not relative:
                found.append(f"{where}: inside the folders imports are relative")
            if RANKS[layer(target)] > RANKS[own]:
                found.append(f"{where}: {own} stands below {layer(target)}")
            if is_op and sees_arrays(target):
                found.append(f"{where}: an op family must not see the array modules of a backend")
        elif is_op and top in ARRAY_LIBRARIES and not (sees_numpy and top == "numpy"):
            found.append(f"{where}: an op family must not see raw arrays; call the ops")
    return found


def sees_arrays(target):
    """Whether a name lies in the backends' array modules: backends.array, backends.numpy_backend …."""
    parts = target.split(".")
    return (
        parts[:2] == ["tapegrad", "backends"]
        and len(parts) > 2
        and (parts[2].lstrip("_").startswith("array") or parts[2].endswith(("_backend", "_kernels")))
    )


def sources():
    return [
        path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")) if "__pycache__" not in path.parts
    ]


def test_every_folder_is_walked():
    assert {path.relative_to(ROOT).parts[0] for path in sources()} == set(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_run_downward(folder):
    found = []
    for path in sources():
        if path.relative_to(ROOT).parts[0] == folder:
            text = path.read_text(encoding="utf-8")
            found += problems(text, module_name(path), path.name == "__init__.py")
    assert found == []


def test_only_files_that_need_numpy_are_exempt():
    for name in BORDER:
        path = ROOT.joinpath(*name.split(".")[1:]).with_suffix(".py")
        targets = {target.split(".")[0] for _, target, _ in imports(ast.parse(path.read_text("utf-8")), name)}
        assert "numpy" in targets, f"{name} imports no numpy: take it off BORDER"


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("tapegrad.backends.registry", "from ..autograd import Tensor", "tapegrad.backends stands below"),
        ("tapegrad.backends.array.math", "from ...nn.init import zeros_", "tapegrad.backends stands below"),
        ("tapegrad.autograd.tensor", "def f():\n    from ..nn import M", "tapegrad.autograd stands below"),
        ("tapegrad.autograd.tensor", "from .. import nn", "tapegrad.autograd stands below tapegrad.nn"),
        ("tapegrad.autograd.tensor", "from .. import optim", "tapegrad.autograd stands below tapegrad"),
        ("tapegrad.nn.linear", "from ..utils.data import DataLoader", "tapegrad.nn stands below tapegrad"),
        ("tapegrad.nn.linear", "import_module('..utils', __package__)", "tapegrad.nn stands below tapegrad"),
        ("tapegrad.nn.linear", "from tapegrad.autograd import Tensor", "imports are relative"),
        ("tapegrad.nn.linear", "import autograd.tensor", "the installed name is tapegrad.autograd"),
        ("tapegrad.autograd.ops.math", "import numpy as np", "must not see raw arrays"),
        ("tapegrad.autograd.ops.create", "import cupy", "must not see raw arrays"),
        ("tapegrad.autograd.ops.create", "from ...backends.array import ArrayBackend", "array modules"),
        ("tapegrad.autograd.ops.math", "from ...backends.array.math import UFUNCS", "array modules"),
        ("tapegrad.autograd.ops.math", "from ...backends import numpy_backend", "array modules"),
    ],
)
def test_forbidden_import_is_found(name, source, message):
    assert message in "\n".join(problems(source, name))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("tapegrad.nn.linear", "from ..autograd import Tensor\nfrom .module import Module\nimport math"),
        ("tapegrad.nn.linear", "from ..backends import registry"),
        ("tapegrad.autograd.ops.math", "from ...backends import device, dtypes\nfrom .. import engine"),
        ("tapegrad.autograd.ops.create", "import numpy as np"),
        ("tapegrad.backends.numpy_backend", "import numpy as np\nfrom .array import ArrayBackend"),
        ("tapegrad.utils.data", "from ..nn.data import DataLoader"),
    ],
)
def test_allowed_import_passes(name, source):
    assert problems(source, name) == []


def test_dots_in_a_package_start_at_the_package():
    assert problems("from . import math, shape", "tapegrad.autograd.ops", is_package=True) == []
    found = problems("from ...nn import Module", "tapegrad.autograd.ops", is_package=True)
    assert "stands below" in "\n".join(found)
