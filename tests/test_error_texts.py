"""Errors name the operation that was called, the argument, shapes and types, and the mend; no inner step."""

import pytest

import tapegrad as tg

X, V = "float32[2, 3]", "float32[5]"

TEXTS = {
    "x[5]": (IndexError, "index: index 5 is out of range for dim 0 of size 2, which has -2 to 1; the shape is [2, 3]"),
    "x[:, 7]": (IndexError, "index: index 7 is out of range for dim 1 of size 3, which has -3 to 2"),
    "x[0, 0, 0]": (IndexError, "index: 3 indices for a tensor of 2 dimensions, shape [2, 3]"),
    "x[[0, 7]]": (IndexError, "index: index 7 is out of range for dim 0 of size 2, which has -2 to 1"),
    "x[tg.tensor([0, 1]), tg.tensor([0, 1, 2])]": (IndexError, "index: the index tensors of shapes [2], [3] do not"),
    "x[tg.tensor([0.5])]": (IndexError, "index: an index tensor must be int64, int32, bool or uint8, got float32"),
    "x.__setitem__(7, 1.0)": (IndexError, "setitem: index 7 is out of range for dim 0 of size 2"),
    "x.__setitem__(0, v)": (RuntimeError, "setitem: the shapes do not broadcast"),
    "x.__setitem__(tg.tensor([0, 1]), v)": (RuntimeError, "setitem: a value of shape [5] does not broadcast"),
    "x + v": (RuntimeError, f"add(input={X}, other={V}): the shapes do not broadcast"),
    "x.add_(v)": (RuntimeError, f"add_(input={X}, other={V}): the shapes do not broadcast"),
    "x.clamp_(x.detach(), 1.0)": (TypeError, "clamp: min and max must be two numbers or two tensors"),
    "x.clamp(0.0, x)": (TypeError, "clamp: min and max must be two numbers or two tensors"),
    "x.mm(x)": (RuntimeError, "mm: the inner sizes differ: the last dimension of the first must"),
    "x.masked_fill(tg.tensor([True] * 5), 1.0)": (RuntimeError, "masked_fill: the shapes do not broadcast"),
    "x.masked_select(tg.tensor([True] * 5))": (RuntimeError, "masked_select: the shapes [[2, 3], [5]] do"),
    "F.linear(x, x.T)": (RuntimeError, "linear(input=float32[2, 3], weight=float32[3, 2]): the inner sizes differ"),
    "F.linear(x, x, tg.ones(9))": (RuntimeError, f"linear: bias must have shape [2] for weight {X}, got float32[9]"),
    "F.mse_loss(x, v)": (RuntimeError, "mse_loss: the shapes do not broadcast"),
    "tg.cat([x, v])": (RuntimeError, "but for dim 0, the same sizes; got [[2, 3], [5]]"),
    "tg.cat([])": (ValueError, "cat: expects at least one tensor"),
    "tg.cat(x)": (TypeError, "cat: argument 'tensors' must be a tuple or list of Tensors, not a Tensor"),
    "tg.stack([x, v])": (RuntimeError, "stack: the tensors must have one shape; got [[2, 3], [5]]"),
    "x.diagonal(0, 1, 1)": (RuntimeError, "diagonal: dim1 and dim2 must differ, got 1 and 1 of shape [2, 3]"),
    "tg.zeros(0, 3).amax(0)": (IndexError, "amax: no elements to choose from in shape [0, 3], dim=0"),
    "x.gather(0, tg.tensor([[9, 9, 9]]))": (RuntimeError, "gather: an index is out of range for dim 0 of size 2"),
    "x.narrow(0, 9, 1)": (IndexError, "narrow: start 9 is out of range for dim 0 of size 2"),
    "tg.outer(x, x)": (RuntimeError, f"outer: argument 'input' needs 1 dimensions, got {X}"),
    "tg.arange(0, 5, 0)": (RuntimeError, "arange: step 0 does not lead from 0 to 5"),
    "tg.tensor([1.0]).mT": (RuntimeError, "mT: needs at least 2 dimensions, got shape [1]"),
}  # fmt: skip


@pytest.mark.parametrize("line", TEXTS)
def test_the_text_of_an_error(line):
    kind, text = TEXTS[line]
    with pytest.raises(kind) as caught:
        eval(line, {"tg": tg, "F": tg.nn.functional, "x": tg.ones(2, 3), "v": tg.ones(5)})
    assert type(caught.value) is kind
    assert text in str(caught.value)
    assert not any(word in str(caught.value) for word in ("slice(", "places=", "act=", "dims=", "keepdim="))
