"""Arguments by PyTorch's names, and by NumPy's where PyTorch takes them: each line gives what it gives in PyTorch."""

import warnings

import pytest

import tapegrad

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

LINES = """
lib.cat([x, x], axis=1) | lib.stack([x, x], axis=1) | lib.softmax(x, axis=1) | x.log_softmax(axis=1)
lib.unsqueeze(x, axis=0) | x.unsqueeze(axis=-1) | x.squeeze(axis=0) | x.cumsum(axis=1) | lib.cumprod(x, axis=1)
lib.sort(x, axis=0).values | x.argmax(axis=1, keepdims=True) | x.sum(axis=1, keepdims=True) | lib.amax(x, axis=1)
lib.mode(x, axis=1).values | lib.kthvalue(x, 1, axis=1).values | lib.cummax(x, axis=0).values | lib.diff(x, axis=0)
lib.gather(x, axis=1, index=i, sparse_grad=False) | lib.index_select(x, axis=1, index=i[0]) | lib.unbind(x, axis=1)[1]
lib.chunk(x, 3, axis=1)[2] | lib.select(x, axis=1, index=0) | lib.narrow(x, axis=1, start=0, length=1)
lib.logcumsumexp(x, axis=0) | lib.repeat_interleave(x, 2, axis=0) | lib.swapaxes(x, axis0=0, axis1=1)
lib.permute(x, dims=(1, 0)) | x.permute(dims=(1, 0)) | x.reshape(shape=(3, 2)) | x.view(size=(3, 2))
x.expand(size=(2, 2, 3)) | x.repeat(repeats=(1, 2)) | x.tile(dims=(1, 2)) | lib.broadcast_to(x, size=(2, 2, 3))
lib.max(input=x, other=x + 1) | x.min(other=x + 1) | lib.sum(input=x) | lib.mean(input=x, dim=1) | lib.exp(input=x)
lib.add(input=x, other=x, alpha=2) | lib.sub(input=x, other=1) | lib.pow(input=x, exponent=2) | lib.sign(input=x)
lib.matmul(input=x, other=x.T) | lib.mm(input=x, mat2=x.T) | lib.mv(input=x, vec=x[0])
lib.dot(input=x[0], tensor=x[0]) | lib.outer(input=x[0], vec2=x[0])
lib.addmm(input=lib.eye(2), mat1=x, mat2=x.T, alpha=2) | lib.bmm(input=x[None], mat2=x.T[None])
lib.clamp(input=x, min=2.0, max=3.0) | lib.clamp_(input=x.clone(), min=2.0) | lib.abs_(input=x.clone())
lib.zero_(input=x.clone()) | lib.split(tensor=x, split_size_or_sections=1)[1] | x.split(split_size=1)[1]
lib.flatten(input=x, start_dim=0, end_dim=1) | lib.masked_fill(input=x, mask=x > 2, value=0.0)
lib.topk(input=x, k=1, dim=1, largest=False).values | lib.tril(input=x, diagonal=1)
lib.diagonal(input=x, offset=1, dim1=0, dim2=1) | lib.roll(input=x, shifts=1, dims=0)
lib.movedim(input=x, source=0, destination=1) | lib.var(input=x, dim=0, correction=0) | lib.norm(input=x, p=1, dim=1)
lib.logsumexp(input=x, dim=1) | lib.round(input=x, decimals=1) | lib.det(input=x @ x.T) | lib.inverse(input=x @ x.T)
lib.linalg.norm(input=x) | lib.linalg.cholesky(input=x @ x.T) | lib.linalg.inv(A=x @ x.T)
"""


@pytest.mark.parametrize("line", [e.strip() for row in LINES.strip().splitlines() for e in row.split("|")])
def test_arguments_by_name(line):
    rows = []
    for lib in (tapegrad, torch):
        x = lib.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = eval(line, {"lib": lib, "x": x, "i": lib.tensor([[0, 1], [1, 0]])})
        rows.append((tuple(out.shape), out.reshape(-1).tolist()))
    assert rows[0][0] == rows[1][0]
    assert rows[0][1] == pytest.approx(rows[1][1], rel=1e-5)
