"""Writes where memory is shared: several elements in one place, operands that overlap the target."""

import pytest

import tapegrad

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

VIEWS = {
    "expanded": "b[:3].expand(3, 3)",
    "expanded columns": "b[:3].unsqueeze(1).expand(3, 3)",
    "windows": "b.unfold(0, 3, 1)",
    "strided": "b.as_strided((2, 3), (1, 1))",
}
WRITES = [
    "v.copy_(lib.tensor(5.0))", "v.__setitem__(..., 5.0)", "v.__setitem__(0, 5.0)", "v.__setitem__(0, lib.tensor(5.0))",
    "v.__setitem__([0, 1], 5.0)", "v.__setitem__(v > 1, 5.0)", "v.fill_(3.0)", "v.fill_(lib.tensor(3.0))", "v.zero_()",
    "v.masked_fill_(v > 1, 5.0)", "v.index_fill_(0, lib.tensor([0]), 5.0)",
    "v.index_copy_(0, lib.tensor([0]), lib.ones(1, v.shape[1]))", "v.index_put_((lib.tensor([0]),), lib.tensor(5.0))",
    "v.scatter_(0, lib.tensor([[0]]), 5.0)", "v.put_(lib.tensor([0]), lib.tensor([5.0]))", "v.tril_()",
    "v.fill_diagonal_(5.0)", "lib.add(lib.ones(v.shape), 1, out=v)",
]  # fmt: skip
ARITHMETIC = ["v.add_(1)", "v.mul_(2)", "v.neg_()", "v.exp_()", "v.index_add_(0, lib.tensor([0]), lib.ones(1, 3))"]


def written(lib, view, write):
    b = lib.arange(6.0)
    space = {"lib": lib, "b": b}
    space["v"] = eval(view, space)
    try:
        eval(write, space)
    except RuntimeError:
        return "refused"
    return b.tolist()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("view", VIEWS)
def test_writes(view, write):
    assert written(tapegrad, VIEWS[view], write) == written(torch, VIEWS[view], write)


@pytest.mark.parametrize("write", ARITHMETIC)
@pytest.mark.parametrize("view", VIEWS)
def test_arithmetic_is_refused(view, write):
    """PyTorch refuses it of expanded tensors; of others it works on one place several times over."""
    assert written(tapegrad, VIEWS[view], write) == "refused"
    assert "expanded" not in view or written(torch, VIEWS[view], write) == "refused"


@pytest.mark.parametrize("view", ["windows", "strided"])
def test_gradients_of_a_copy(view):
    grads = []
    for lib in (torch, tapegrad):
        x, s = lib.arange(6.0).requires_grad_(), lib.ones(4, 3, requires_grad=True)
        b = x * 1
        v = eval(VIEWS[view], {"b": b})
        v.copy_(v.detach() * 2)
        (b * lib.arange(1.0, 7)).sum().backward()
        b = lib.arange(6.0)
        v = b.as_strided((2, 3), (1, 1))
        v.copy_(s[:2])
        (b * lib.arange(1.0, 7)).sum().backward()
        grads.append((x.grad.tolist(), s.grad.tolist()))
    assert grads[0] == grads[1]


SOURCES = [
    "b.__setitem__([0, 0], b[0])", "b.__setitem__([0, 1], b[:2])", "b.__setitem__([0, 1], b[1:])",
    "b.__setitem__(slice(1, None), b[:2])", "b.__setitem__(slice(None), b)", "b.__setitem__(0, b[0])",
    "b.__setitem__(0, b[0, 0])", "b.__setitem__((slice(None), 0), b[:, 1])", "b.__setitem__(b > 2, b[0, 0])",
    "b.__setitem__(0, b[:, 0][:2])", "b.__setitem__(slice(None), b[0])", "b.__setitem__([0, 1, 2], b.flip(0))",
    "b.__setitem__(slice(0, 2), b[[1, 2]])", "b.__setitem__([0, 1, 2], b)", "b.__setitem__([1], b[:1])",
    "b.index_put_((lib.tensor([0, 1]),), b[1:])", "b.copy_(b)", "b[:2].copy_(b[1:])",
    "b.index_copy_(0, lib.tensor([0, 1]), b[1:])", "b.masked_fill_(b > 2, b[0, 0])", "b.fill_(b[0, 0])",
    "b.scatter_(0, lib.tensor([[0, 1]]), b[1:])", "b.add_(b[0])", "b.add_(b.t().t())", "b[0].add_(b[0])",
    "b[0].add_(b[1])", "b.mul_(b[:1])", "b.__setitem__(b > 2, b[b > 2] * 2)", "b.mul_(other=b[:1])",
    "b.index_add_(0, lib.tensor([0, 1]), b[1:])", "b[:1].add_(b[0])", "b.add_(b[None])",
]  # fmt: skip


@pytest.mark.parametrize("write", SOURCES)
def test_operands_that_overlap(write):
    told = []
    for lib in (torch, tapegrad):
        x = lib.arange(6.0).reshape(3, 2).requires_grad_()
        b = x * 1
        try:
            eval(write, {"lib": lib, "b": b})
            (b * lib.arange(1.0, 7).reshape(3, 2)).sum().backward()
            told.append((b.tolist(), x.grad.tolist()))
        except RuntimeError:
            told.append("refused")
    assert told[0] == told[1]
