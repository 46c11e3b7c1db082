"""Memory formats and strides: a result lies in memory as PyTorch's does."""

import pytest

import tapegrad

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

INPUTS = {
    "row by row": lambda a: a,
    "transposed": lambda a: a.transpose(1, 3),
    "channels last": lambda a: a.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
    "permuted": lambda a: a.permute(3, 1, 0, 2),
    "sliced": lambda a: a[:, :, ::2, 1:],
    "one of a batch": lambda a: a[:1],
    "one channel": lambda a: a[:, :1],
    "expanded": lambda a: a[:1].expand(2, 3, 4, 5),
    "empty": lambda a: a.new_zeros(2, 0, 4, 5),
    "matrix": lambda a: a[0, 0],
    "transposed matrix": lambda a: a[0, 0].clone().t(),
    "part of a transposed matrix": lambda a: a[0, 0, 1:3, 1:3].t(),
    "vector": lambda a: a[0, 0, 0],
    "every second": lambda a: a[0, 0, 0, ::2],
    "number": lambda a: a[0, 0, 0, 0],
    "row": lambda a: a[0, 0, :1],
}

FORMATS = {
    "stride": "x",
    "clone": "x.clone()",
    "clone row by row": "x.clone(memory_format=lib.contiguous_format)",
    "clone channels last": "x.clone(memory_format=lib.channels_last)",
    "contiguous": "x.contiguous()",
    "contiguous channels last": "x.contiguous(memory_format=lib.channels_last)",
    "contiguous preserved": "x.contiguous(memory_format=lib.preserve_format)",
    "to channels last": "x.to(memory_format=lib.channels_last)",
    "to channels last 3d": "x[None].to(memory_format=lib.channels_last_3d)",
    "to another type and format": "x.to(lib.float64, memory_format=lib.channels_last)",
    "to another type row by row": "x.to(lib.float64, memory_format=lib.contiguous_format)",
    "is contiguous": "x.is_contiguous()",
    "is channels last": "x.is_contiguous(memory_format=lib.channels_last)",
    "empty_like": "lib.empty_like(x)",
    "zeros_like": "lib.zeros_like(x)",
    "ones_like channels last": "lib.ones_like(x, memory_format=lib.channels_last)",
    "full_like row by row": "lib.full_like(x, 2.0, memory_format=lib.contiguous_format)",
    "rand_like": "lib.rand_like(x)",
    "empty": "lib.empty(2, 3, 4, 5, memory_format=lib.channels_last)",
    "is it itself": "x.contiguous(memory_format=lib.channels_last).to(memory_format=lib.channels_last).shape",
}
# Results of one order, and those that keep the order of the input
RESULTS = {
    **{name: f"x.{name}" for name in (
        "exp()", "neg()", "relu()", "sigmoid()", "clamp(0, 1)", "sqrt()", "mul(2)", "mul(x)", "gt(1)", "softmax(-1)",
        "log_softmax(0)", "cumsum(0)", "roll(1, 0)", "sum(0)", "sum(-1)", "sum(0, keepdim=True)", "mean(-1)",
        "amax(-1)", "logsumexp(0)", "masked_fill(x > 1, 0.0)", "unsqueeze(1)", "unsqueeze(-1)", "select(0, 0)",
        "topk(1)[0]", "index_select(0, lib.tensor([0]))",
    )},
    "cat": "lib.cat([x, x])",
    "stack": "lib.stack([x, x])",
}  # fmt: skip
# Where NumPy orders a copy of repeated elements by itself
UNEQUAL = {
    ("expanded", name) for name in ("to another type and format", "cat", "stack", "roll(1, 0)")
}  # fmt: skip


def strides(lib, program, name):
    a = lib.arange(120, dtype=lib.float32).reshape(2, 3, 4, 5) + 0.5
    x = INPUTS[name](a)
    try:
        made = eval(program, {"lib": lib, "x": x})
    except (RuntimeError, IndexError) as error:
        return "refused" if isinstance(error, RuntimeError) else type(error).__name__
    if isinstance(made, bool):
        return made
    if not hasattr(made, "stride"):
        return tuple(made)
    if not made.numel():
        return tuple(made.shape)
    # a dimension of size 1 has no stride that matters, and NumPy keeps none
    return tuple(made.shape), made.is_contiguous(), [s for s, n in zip(made.stride(), made.shape) if n > 1]


@pytest.mark.parametrize("program", FORMATS | RESULTS)
def test_strides(program):
    text = (FORMATS | RESULTS)[program]
    for name in INPUTS:
        if (name, program) not in UNEQUAL:
            assert strides(tapegrad, text, name) == strides(torch, text, name), name


def test_strides_of_one_place():
    for lib in (torch, tapegrad):
        x = lib.zeros(2, 3)
        assert x.unsqueeze(1).stride() == (3, 3, 1)
        assert x.unsqueeze(0).stride() == (6, 3, 1)
        assert x[:, None, :, None].stride() == (3, 3, 1, 1)
        assert lib.zeros(0, 3, 2).stride() == (6, 2, 1)
        assert lib.zeros(3, 0).stride() == (1, 1)


def test_values_and_gradients_in_another_format():
    for lib in (torch, tapegrad):
        x = lib.arange(24.0).reshape(1, 2, 3, 4).requires_grad_()
        y = x.to(memory_format=lib.channels_last)
        assert y.tolist() == x.tolist()
        (y * y).sum().backward()
        assert x.grad.tolist() == (x.detach() * 2).tolist()
        z = x.contiguous(memory_format=lib.channels_last).clone()
        assert z.is_contiguous(memory_format=lib.channels_last)
        assert z.stride() == (24, 1, 8, 2)
        assert z.tolist() == x.tolist()


@pytest.mark.parametrize("call", [
    "lib.zeros(2, 3).contiguous(memory_format=lib.channels_last)",
    "lib.zeros(2, 3).clone(memory_format=lib.channels_last)",
    "lib.zeros(2, 3, 4, 5).to(memory_format=lib.channels_last_3d)",
    "lib.empty(2, 3, memory_format=lib.channels_last)",
])  # fmt: skip
def test_a_format_of_other_dimensions_is_refused(call):
    for lib in (torch, tapegrad):
        with pytest.raises(RuntimeError):
            eval(call, {"lib": lib})
