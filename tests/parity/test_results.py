"""What operations hand out, as PyTorch does: tensors of their own or views, laid out so that ``view`` works on them."""

from __future__ import annotations

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.nn.functional

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

# Of a transposed tensor a (2, 4, 3), a matrix m (3, 4) and an expanded one e (2, 3)
LAID_OUT = [
    "a.transpose(1, 2)[:, i]", "a[:, i]", "a[..., i]", "a[:, i, 1:]", "a[:, [[0, 1], [1, 2]]]", "m.t()[:, i]",
    "a[0].t()[i]", "a.permute(2, 0, 1)[:, i - 1]", "a[:, lib.tensor([True, False, True])]", "e[:, i]",
    "lib.nn.functional.layer_norm(a.transpose(1, 2), (3,))", "lib.nn.functional.rms_norm(a.transpose(1, 2), (3,))",
    "lib.nn.functional.batch_norm(a.transpose(1, 2), None, None, training=True)",
    "lib.nn.functional.one_hot(i.expand(2, 2).t())", "lib.cummax(m.t(), 0)[0]",
    "lib.count_nonzero(a.permute(2, 1, 0), 2)",
    "a.transpose(1, 2).masked_scatter(a.transpose(1, 2) > 3, a)", "m.t().rot90()", "lib.stack([e, e])",
    "lib.stack([e.expand(2, 1, 2, 3)] * 2)", "e.to(lib.float64)", "e.bool()", "(e > 0).nonzero(as_tuple=True)[0]",
    "lib.einsum('ij,kj->ki', m, m)", "lib.einsum('i,j->ji', m[0], m[:, 0])", "lib.einsum('bij,kj->bki', a, m)",
    "lib.einsum('bde,c->db', a, m[0])", "lib.einsum('b,cb->cb', m[0], m)",
    "a.to(memory_format=lib.contiguous_format)", "lib.nn.functional.pad(a, (1, 1), mode='reflect')",
]  # fmt: skip

OWN = [
    "x.max(0)[0]", "x.max(0)[1]", "x.min(1)[0]", "x.median(0)[0]", "x.median()", "x.mode(0)[0]", "x.quantile(0.5, 0)",
    "x.rot90()", "x.mv(x[0])", "lib.kron(x, x)", "lib.complex(x, x)", "lib.polar(x, x)",
    "lib.nn.functional.conv1d(x[None], lib.ones(1, 2, 1))",
    "lib.nn.functional.group_norm(x[..., None], 1)", "x.put(i, x[0, :2])", "x.view(-1)", "x[0]", "x.t()",
]  # fmt: skip


def _names(lib):
    a = lib.arange(24.0).view(2, 3, 4)
    return {
        "lib": lib, "a": a, "m": lib.arange(12.0).view(3, 4), "e": lib.arange(3.0).expand(2, 3),
        "i": lib.tensor([2, 0]),
    }  # fmt: skip


@pytest.mark.parametrize("expression", LAID_OUT)
def test_strides_of_a_result(expression):
    found, wanted = (eval(expression, _names(lib)) for lib in (tg, torch))
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), atol=1e-5)
    assert found.stride() == wanted.stride()


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("expression", OWN)
def test_whether_a_result_is_a_view(expression, recorded):
    def made(lib):
        x = (lib.arange(6.0).view(2, 3) + 0.5).clone()
        x = x.requires_grad_() * 1 if recorded else x
        return eval(expression, {"lib": lib, "x": x, "i": lib.tensor([1, 0])})

    assert made(tg)._is_view() == made(torch)._is_view()


@pytest.mark.parametrize("lib", [tg, torch])
def test_a_result_of_no_grad_takes_a_recorded_write(lib):
    w = lib.ones(3, requires_grad=True)
    with lib.no_grad():
        best = (w * lib.ones(2, 3)).max(0)[0]
    best += w * 2
    best.sum().backward()
    assert w.grad.tolist() == [2, 2, 2]


@pytest.mark.parametrize("lib", [tg, torch])
def test_a_turned_tensor_stays_a_base(lib):
    y = lib.ones(2, 3, requires_grad=True) * 2
    row = y[0]
    y.t_()
    assert y._base is None
    assert row._base is y
    y.detach_()
    assert y.is_leaf
    assert not y.requires_grad


@pytest.mark.parametrize("lib", [tg, torch])
def test_parts_of_a_view_that_was_written_before(lib):
    x = lib.ones(2, 3, requires_grad=True)
    y = x * 1
    top = y[:1]
    y.mul_(3)
    part = top.split(1)[0]
    (part * part).sum().backward()
    assert x.grad.tolist() == [[18.0] * 3, [0.0] * 3]


@pytest.mark.parametrize("lib", [tg, torch])
def test_integers_take_values_without_their_history(lib):
    x = lib.ones(3, requires_grad=True)
    counts = lib.zeros(3, dtype=lib.int64)
    counts.copy_(x)
    assert counts.tolist() == [1, 1, 1]
    assert not counts.requires_grad


@pytest.mark.parametrize("lib", [tg, torch])
def test_a_view_after_a_write_is_taken_from_the_memory(lib):
    y = lib.ones(2, 3, requires_grad=True) * 2
    row = y[0]
    row.mul_(2)
    assert str(row) == "tensor([4., 4., 4.], grad_fn=<AsStridedBackward0>)"
    assert str(y[0]) == "tensor([4., 4., 4.], grad_fn=<SelectBackward0>)"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("lib", [tg, torch])
def test_the_number_first_as_of_old(lib):
    p, g = lib.ones(2), lib.tensor([1.0, 2.0])
    p.add_(-0.5, g)
    assert p.tolist() == [0.5, 0.0]
    p.addcdiv_(2, g, g + 1)
    p.addcmul_(-1, g, g)
    p.sub_(2, g)
    assert p.tolist() == pytest.approx([-1.5, -6 - 2 / 3])
    with pytest.raises(TypeError):
        p.add(g, g)


@pytest.mark.parametrize("lib", [tg, torch])
def test_a_list_times_a_tensor(lib):
    assert [0] * lib.tensor(3) == [0, 0, 0]
    with pytest.raises(TypeError):
        [0] * lib.tensor(3.0)


@pytest.mark.parametrize("write", ["x[0] = None", "x.fill_(None)", "lib.arange()", "lib.ones('a')"])
@pytest.mark.parametrize("lib", [tg, torch])
def test_what_is_no_number_or_size(lib, write):
    with pytest.raises(TypeError):
        exec(write, {"lib": lib, "x": lib.ones(2)})


@pytest.mark.parametrize("lib", [tg, torch])
def test_a_value_of_too_many_dimensions_at_a_mask(lib):
    x = lib.zeros(2, 3)
    with pytest.raises(RuntimeError):
        x[x == 0] = lib.ones(2, 3)


@pytest.mark.parametrize("lib", [tg, torch])
def test_bernoulli_of_a_transposed_tensor_draws_row_by_row(lib):
    lib.manual_seed(3)
    straight = lib.ones(3, 4).bernoulli(0.5).tolist()
    lib.manual_seed(3)
    assert lib.ones(4, 3).t().bernoulli(0.5).tolist() == straight
