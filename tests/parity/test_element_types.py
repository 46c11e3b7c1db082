"""Which operations take which element types: an error where PyTorch has one, the type of its result elsewhere."""

import warnings

import pytest

import tapegrad

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

DTYPES = ("bool", "uint8", "int8", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64")
LINES = """
lib.softmax(x, 0) | lib.log_softmax(x, 0) | F.softmin(x, 0) | x @ x.T | lib.mm(x, x.T) | lib.bmm(x[None], x.T[None])
x[0].dot(x[1]) | lib.mv(x, x[0]) | lib.addmm(x @ x.T, x, x.T) | lib.baddbmm((x @ x.T)[None], x[None], x.T[None])
lib.outer(x[0], x[1]) | lib.addcmul(x, x, x) | x.clamp(x, x) | lib.clamp_min(x, x) | lib.deg2rad(x) | lib.rad2deg(x)
lib.xlogy(x, x) | lib.logit(x) | lib.nansum(x) | lib.nanmean(x) | lib.cov(x) | lib.corrcoef(x) | lib.trace(x[:2, :2])
lib.unique(x) | lib.bucketize(x, lib.tensor([1.0])) | F.mse_loss(x, x) | F.smooth_l1_loss(x, x) | F.huber_loss(x, x)
F.kl_div(x, x) | F.cosine_similarity(x, x) | F.logsigmoid(x) | F.gelu(x) | F.glu(x[:, :2]) | F.softplus(x)
F.leaky_relu(x) | F.layer_norm(x, (3,)) | F.conv1d(x[None], x[None]) | F.interpolate(x[None], size=6)
lib.polar(x, x) | x.round(decimals=2) | lib.gradient(x)[0].sum() if 'uint8' not in str(x.dtype) else x | x.sum()
x.mean() | x.prod() | x.std() | x.amax() | x.argmax() | x.cumsum(0) | x.sort()[0] | x.median() | x.abs() | x.sqrt()
x.sign() | lib.linspace(0, 1, 3, dtype=x.dtype) | lib.arange(3, dtype=x.dtype) | x.new_full((2,), 1) | x.norm()
lib.logsumexp(x, 0) | lib.vander(x[0])
"""


def answer(line, lib, name):
    x = lib.tensor([[1, 0, 1], [1, 1, 0]]).to(getattr(lib, name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return str(eval(line, {"lib": lib, "F": lib.nn.functional, "x": x}).dtype).rpartition(".")[2]
        except (RuntimeError, TypeError):
            return "an error"


@pytest.mark.parametrize("line", [e.strip() for row in LINES.strip().splitlines() for e in row.split(" | ")])
def test_every_element_type(line):
    ours, theirs = [{name: answer(line, lib, name) for name in DTYPES} for lib in (tapegrad, torch)]
    assert ours == theirs


@pytest.mark.parametrize("value", [-1, -5, -255, 255, 255.0, -0.5, -5.5, -256, 255.5, 256])
def test_numbers_that_do_not_fit_into_unsigned_bytes(value):
    def rows(lib):
        zero, found = lib.zeros(2, dtype=lib.uint8), []
        for make in (
            lambda: lib.full((1,), value, dtype=lib.uint8),
            lambda: zero.clone().fill_(value),
            lambda: zero.masked_fill(zero == 0, value),
            lambda: zero.index_fill(0, lib.tensor([0]), value),
        ):
            try:
                found.append(make().tolist())
            except RuntimeError:
                found.append("an error")
        return found

    assert rows(tapegrad) == rows(torch)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_index_tensors_of_narrow_integers(dtype):
    for lib in (tapegrad, torch):
        x = lib.arange(4.0)
        with pytest.raises(IndexError):
            x[lib.tensor([0, 1], dtype=getattr(lib, dtype))]
        assert x[lib.tensor(1, dtype=getattr(lib, dtype))].item() == 1
