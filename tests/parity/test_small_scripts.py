"""What is easily forgotten: small scripts print the same under PyTorch and with only their imports changed."""

import contextlib
import io
import re
import warnings

import pytest

from .small_scripts import SCRIPTS

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")


def with_our_imports(script):
    script = re.sub(r"^import torch(\.[\w.]+)?$", "import tapegrad as torch", script, flags=re.M)
    script = re.sub(r"^import torch(\.[\w.]+) as (\w+)$", r"import tapegrad\1 as \2", script, flags=re.M)
    return re.sub(r"^from torch\b", "from tapegrad", script, flags=re.M)


def printed(script):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(script, "script", "exec"), {"__name__": "__main__"})
    return out.getvalue()


def rounded(text):
    """Numbers to five digits, since the last one may differ; the library's name as PyTorch's."""
    text = text.replace("tapegrad.", "torch.")
    return NUMBER.sub(lambda m: f"{float(m[0]):.5g}" if "." in m[0] or "e" in m[0] else m[0], text)


@pytest.fixture(autouse=True)
def as_before():
    """What a script leaves behind in PyTorch: a default device, and the unchecked distributions of its compiler."""
    distributions = torch.distributions.Distribution
    checked = distributions._validate_args
    yield
    torch.set_default_device(None)
    distributions.set_default_validate_args(checked)


@pytest.mark.parametrize("name", SCRIPTS)
def test_prints_the_same(name):
    # Its compiler takes half a minute; its own test suite, once imported, forbids to set the switches of cuDNN.
    eager = torch.compiler.set_stance("force_eager") if name == "compile" else contextlib.nullcontext()
    with eager, torch.backends.__allow_nonbracketed_mutation():
        expected = printed(SCRIPTS[name])
    assert rounded(printed(with_our_imports(SCRIPTS[name]))) == rounded(expected)
