"""Every public name of PyTorch's is there, or on the page of what differs."""

import importlib
import re
import types
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import tapegrad as tg

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

PAGE = (Path(__file__).parents[2] / "docs" / "coming-from-pytorch.md").read_text(encoding="utf-8")
MODULES = (
    "", "nn", "nn.functional", "nn.init", "nn.utils", "nn.utils.rnn", "nn.utils.parametrize", "optim",
    "optim.lr_scheduler", "optim.swa_utils", "utils.data", "autograd", "autograd.functional", "func", "linalg", "fft",
    "special", "distributions", "distributions.constraints", "distributions.transforms", "cuda", "accelerator", "amp",
    "masked", "signal.windows",
)  # fmt: skip
# What a module of PyTorch's has imported for itself, and notes of its documentation
NOT_MEANT = {
    "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "Callable", "DType", "Optional", "TYPE_CHECKING",
    "GRID_SAMPLE_INTERPOLATION_MODES", "GRID_SAMPLE_PADDING_MODES", "assert_int_or_pair", "boolean_dispatch",
    "handle_torch_function", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic",
    "reproducibility_notes", "sparse_support_notes", "tf32_notes", "common_notes", "Tensor",
}  # fmt: skip


def absent():
    rows = PAGE.split("## Names that are not there")[1]
    return set(re.findall(r"`([\w.*]+)`", rows))


def there(holder, name):
    return hasattr(holder, name) or any(fnmatchcase(name, pattern) for pattern in absent())


@pytest.mark.parametrize("path", MODULES)
def test_names(path):
    theirs = importlib.import_module(".".join(filter(None, ("torch", path))))
    ours = importlib.import_module(".".join(filter(None, ("tapegrad", path))))
    names = [n for n in getattr(theirs, "__all__", None) or dir(theirs) if not n.startswith("_")]
    meant = [n for n in names if n not in NOT_MEANT and not isinstance(getattr(theirs, n, None), types.ModuleType)]
    assert [n for n in meant if not there(ours, n)] == []


def test_names_of_tensors():
    assert [n for n in dir(torch.Tensor) if not n.startswith("_") and not there(tg.Tensor, n)] == []


def test_the_page_names_nothing_that_is_there():
    rows = [line.split("|")[2] for line in PAGE.splitlines() if line.startswith("| `torch`:")]
    names = {name for row in rows for name in re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", row))}
    assert len(names) > 50
    assert {name for name in names if hasattr(tg, name)} == set()
