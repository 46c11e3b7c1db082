"""The packages in pyproject.toml against the folders in the tree: what is not listed is not installed."""

import ast
import fnmatch
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Folder at the top of the repository -> the name under which it installs.
FOLDERS = {
    "tapegrad": "tapegrad",
    "autograd": "tapegrad.autograd",
    "backends": "tapegrad.backends",
    "nn": "tapegrad.nn",
}


@pytest.fixture(scope="module")
def config():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def source_files(root):
    """Every file in the four source folders, apart from compiled ones."""
    return [
        path
        for folder in FOLDERS
        for path in sorted((root / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]


def package_name(folder, root):
    """The dotted name under which a folder of the tree installs: nn/optim -> tapegrad.nn.optim."""
    top, *rest = folder.relative_to(root).parts
    return ".".join([FOLDERS[top], *rest])


def mapped_folder(package, mapping):
    """Where setuptools looks for a package: the longest mapped prefix, then the other names as folders."""
    head, tail = package.split("."), []
    while head:
        known = mapping.get(".".join(head))
        if known is not None:
            return "/".join([known, *tail])
        tail.insert(0, head.pop())
    return "/".join(tail)


def problems(settings, root):
    """Everything in which the [tool.setuptools] table `settings` and the tree under `root` disagree."""
    listed, mapping = settings["packages"], settings["package-dir"]
    data = settings.get("package-data", {})
    found = []
    for path in source_files(root):
        folder, name = path.parent, path.relative_to(root).as_posix()
        package = package_name(folder, root)
        if path.name == "__init__.py":
            if package not in listed:
                found.append(f'{name}: add "{package}" to `packages` in [tool.setuptools]')
            elif mapped_folder(package, mapping) != folder.relative_to(root).as_posix():
                found.append(f"{name}: [tool.setuptools.package-dir] maps {package} to another folder")
        elif path.suffix == ".py":
            if not (folder / "__init__.py").is_file():
                found.append(f"{name}: its folder has no __init__.py, so it would not be installed")
        else:
            patterns = [*data.get(package, []), *data.get("*", [])]
            if not any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns):
                found.append(f"{name}: no pattern of [tool.setuptools.package-data] covers it")
    for package in listed:
        if not (root / mapped_folder(package, mapping) / "__init__.py").is_file():
            found.append(f"{package}: listed in `packages`, but there is no such folder with an __init__.py")
    found += [f"{package}: listed twice" for package in sorted(set(listed)) if listed.count(package) > 1]
    return found


def test_packages_match_the_tree(config):
    assert problems(config["tool"]["setuptools"], ROOT) == []


def test_package_check_finds_what_it_is_for(tmp_path):
    for name in ("tapegrad/__init__.py", "nn/__init__.py", "nn/optim/__init__.py", "nn/data/loader.py",
                 "autograd/__init__.py", "autograd/table.json"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    settings = {
        "packages": ["tapegrad", "tapegrad.nn", "tapegrad.autograd", "tapegrad.gone"],
        "package-dir": {"tapegrad": "tapegrad", "tapegrad.nn": "nn"},
    }
    text = "\n".join(problems(settings, tmp_path))
    assert 'nn/optim/__init__.py: add "tapegrad.nn.optim"' in text
    assert "autograd/__init__.py: [tool.setuptools.package-dir] maps tapegrad.autograd" in text
    assert "nn/data/loader.py: its folder has no __init__.py" in text
    assert "autograd/table.json: no pattern" in text
    assert "tapegrad.gone: listed in `packages`" in text


def test_typed_marker_is_shipped(config):
    assert (ROOT / "tapegrad/py.typed").is_file()
    assert "py.typed" in config["tool"]["setuptools"]["package-data"]["tapegrad"]


def test_core_needs_three_packages(config):
    names = sorted(requirement.split(">")[0] for requirement in config["project"]["dependencies"])
    assert names == ["ml_dtypes", "numba", "numpy"]


def test_version_is_a_literal_that_the_build_can_read(config):
    attribute = config["tool"]["setuptools"]["dynamic"]["version"]["attr"]
    assert attribute == "tapegrad.__version__"
    tree = ast.parse((ROOT / "tapegrad/__init__.py").read_text(encoding="utf-8"))
    values = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"
    ]
    assert len(values) == 1
    assert isinstance(values[0], ast.Constant)  # else the build would have to import the package


def test_console_script_names_a_function(config):
    module, function = config["project"]["scripts"]["tapegrad"].split(":")
    assert module == "tapegrad.__main__"
    tree = ast.parse((ROOT / "tapegrad/__main__.py").read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
