"""``grad_fn`` has PyTorch's name: by ``name()``, as its class, and where the tensor is printed."""

import re
import warnings

import pytest

import tapegrad

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

LINES = """
a + b | a - b | 2 - a | lib.rsub(a, b) | a * 2 | a / b | a**2 | a**b | 2**a | -a | a.exp() | a.log1p() | a.expm1()
a.log2() | a.log10() | lib.atan2(a, b) | a.sigmoid() | a.tanh() | a.relu() | a.abs() | a.sgn() | a.angle()
a.round(decimals=2) | lib.ldexp(a, i) * 1 | a.sum() | a.sum(0) | a.mean() | a.mean(1) | a.prod() | a.prod(1) | a.max()
a.max(1)[0] | a.amax(1) | lib.aminmax(a)[0] | lib.aminmax(a)[1] | a.std() | a.var(0) | lib.std_mean(a)[1]
lib.var_mean(a)[0] | a.norm() | a.median() | a.median(1)[0] | a.nanmedian(1)[0] | a.mode(1)[0] | a.quantile(0.5)
a.sort()[0] | a.topk(2)[0] | a.kthvalue(1)[0] | a.cumsum(0) | a.cumprod(0) | a.cummax(0)[0] | a.logsumexp(1)
a.softmax(1) | a[0] | a[:, 1:] | a[None] | a[...] | a[i[:, 0]] | a[a > 0] | a.t() | a.T | a.transpose(0, 1)
a.permute(1, 0) | a.view(-1) | a.reshape(9) | a.flatten() | a.squeeze() | a.squeeze(0) | a.unsqueeze(0)
a.expand(2, 3, 3) | a.repeat(2, 1) | a.roll(1) | a.roll(1, 0) | a.flip(0) | a.diagonal() | a.tril() | a.clone()
a.contiguous().double() | a.unbind()[0] | a.split(1)[0] | a.chunk(2)[1] | lib.unsafe_split(a, 2)[0] | lib.cat([a, b])
lib.stack([a, b]) | a @ b | a.mv(a[0]) | a[0].dot(b[0]) | lib.vdot(a[0], b[0]) | lib.addmm(a, a, b)
lib.outer(a[0], b[0]) | lib.einsum('ij,jk->ik', a, b) | lib.where(a > 0, a, b) | a.clamp(-1, 1) | a.clamp(a - 1, b)
a.clamp(min=0) | lib.clamp_min(a, 0) | lib.clamp_max(a, 0) | lib.maximum(a, b) | a.masked_fill(a > 0, 1.0)
a.masked_fill(a > 0, b[0, 0]) | a.masked_select(a > 0) | a.gather(0, i) | a.index_select(0, i[0])
a.index_fill(0, i[0], 1.0) | lib.lerp(a, b, 0.5) | lib.lerp(a, b, b) | lib.addcmul(a, a, b) | lib.rot90(a)
lib.block_diag(a, b) | lib.complex(a, b) | lib.polar(a, b) | lib.permute_copy(a, (1, 0)) | lib.unsqueeze_copy(a, 0)
lib.view_copy(a, (9,)) | F.mse_loss(a, b) | F.mse_loss(a, b, reduction='none') | F.l1_loss(a, b)
F.smooth_l1_loss(a, b) | F.huber_loss(a, b) | F.soft_margin_loss(a, b.detach().sign()) | F.nll_loss(a, i[0])
F.cross_entropy(a, i[0]) | F.cross_entropy(a, i[0], reduction='none')
F.binary_cross_entropy(a.sigmoid(), b.detach().sigmoid())
F.binary_cross_entropy_with_logits(a, b.detach().sigmoid()) | F.logsigmoid(a) | F.gelu(a) | F.silu(a)
F.layer_norm(a, (3,)) | F.linear(a, b, a[0]) | F.multilabel_margin_loss(a, i) | F.multi_margin_loss(a, i[0])
F.pairwise_distance(a, b) | lib.cdist(a, b) | lib.dist(a, b)
"""


@pytest.mark.parametrize("line", [e.strip() for row in LINES.strip().splitlines() for e in row.split(" | ")])
def test_the_name_of_a_step(line):
    rows = []
    for lib in (tapegrad, torch):
        a = lib.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75], [3.0, 1.0, 0.125]], requires_grad=True)
        b = lib.tensor([[1.0, 2.0, -1.0], [0.5, 0.75, 1.5], [-2.0, 1.25, 0.5]], requires_grad=True)
        space = {"lib": lib, "F": lib.nn.functional, "a": a, "b": b, "i": lib.tensor([[0, 2, 1], [1, 0, 2], [2, 1, 0]])}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = eval(line, space)
            printed = re.search(r"grad_fn=<(\w+)>", repr(out))[1]
        rows.append((out.grad_fn.name(), type(out.grad_fn).__name__, printed))
    assert rows[0] == rows[1]


def test_the_names_after_writing_in_place():
    rows = []
    for lib in (tapegrad, torch):
        x = lib.ones(3, requires_grad=True)
        names = []
        for write in ("y[0] = 5", "y[:2].mul_(2)", "y.add_(1)", "y.zero_()", "y.fill_(2.0)", "y.copy_(x)"):
            y = x * 2
            exec(write, {"y": y, "x": x})
            names.append(type(y.grad_fn).__name__)
        leaf = (x * 2).grad_fn.next_functions[0][0]
        rows.append([*names, type(leaf).__name__])
    assert rows[0] == rows[1]
