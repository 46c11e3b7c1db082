"""Writing and reading at places: in memory without history, and at more places than NumPy reads faster by itself."""

import numpy as np
import pytest

import tapegrad

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

WRITES = {
    "column": lambda m, x: x.scatter_(1, m.tensor([[0], [2], [5], [1]]), 7.0),
    "of a tensor": lambda m, x: x.scatter_(0, m.tensor([[0, 1, 2, 3, 0, 1]]), m.ones(1, 6) * 3),
    "named twice": lambda m, x: x.scatter_(-1, m.tensor([[0, 0, 1, 1, 2, 2]] * 4), 2),
    "in part of the lines": lambda m, x: x.scatter_(1, m.tensor([[3], [4]]), -1.0),
    "by keyword": lambda m, x: x.scatter_(dim=1, index=m.tensor([[3]] * 4), value=5.0),
    "without a place": lambda m, x: x.scatter_(1, m.tensor([[9]] * 4), 1.0),
    "from the end": lambda m, x: x.scatter_(1, m.tensor([[-1]] * 4), 1.0),
    "rows": lambda m, x: x.index_fill_(0, m.tensor([1, -1]), -2.5),
    "columns": lambda m, x: x.index_fill_(-1, m.tensor([0, 0]), float("inf")),
    "no such row": lambda m, x: x.index_fill_(0, m.tensor([4]), 1.0),
    "minus infinity": lambda m, x: x.masked_fill_(x > 5, float("-inf")),
    "mask by keyword": lambda m, x: x.masked_fill_(mask=x < 5, value=1),
    "mask of a row": lambda m, x: x.masked_fill_(m.tensor([True, False] * 3), 4),
    "no mask": lambda m, x: x.masked_fill_(m.ones(4, 6), 4),
    "too large a number": lambda m, x: x.masked_fill_(x > 5, 1e300),
    "of a transposed tensor": lambda m, x: x.t().masked_fill_(x.t() > 3, 0.0),
    "of a leaf": lambda m, x: x.requires_grad_().masked_fill_(x > 3, 0.0),
}


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("name", WRITES)
def test_numbers_are_written_at_places(name, backend):
    found = []
    with tapegrad.backends.use(backend):
        for lib in (torch, tapegrad):
            x = lib.arange(24).float().reshape(4, 6).clone()
            before = x._version
            try:
                returned = WRITES[name](lib, x)
                found.append((x.tolist(), x._version > before, list(returned.shape)))
            except (RuntimeError, IndexError):
                found.append(x.tolist())
    assert found[0] == found[1]


READS = {
    "rows": lambda x, i, j: x[i],
    "columns": lambda x, i, j: x[:, j],
    "elements": lambda x, i, j: x[i, j],
    "many times": lambda x, i, j: x[i.reshape(2, -1)],
    "gathered": lambda x, i, j: x.gather(0, i.reshape(-1, 1).expand(-1, 5) % 40),
}


@pytest.mark.parametrize("count", [200, 600])
@pytest.mark.parametrize("name", READS)
def test_many_places_are_read(name, count):
    generator = np.random.default_rng(0)
    values = generator.standard_normal((40, 5)).astype(np.float32)
    rows, columns = generator.integers(-40, 40, count), generator.integers(-5, 5, count)
    found = []
    for lib in (torch, tapegrad):
        x = lib.tensor(values, requires_grad=True)
        out = READS[name](x, lib.tensor(rows), lib.tensor(columns))
        (out * out).sum().backward()
        found.append((out.detach().numpy(), x.grad.numpy()))
    for expected, ours in zip(*found):
        np.testing.assert_allclose(ours, expected, rtol=1e-5)
    with pytest.raises(IndexError):
        tapegrad.tensor(values)[tapegrad.full((count,), 40)]


@pytest.mark.parametrize("expression", ["i + 1", "i % 3", "i // 2", "i == 3", "i > -2", "i - 2**40", "i & 6", "i << 2"])
def test_integers_beside_a_number_stay_whole(expression):
    expected, found = (eval(expression, {"i": lib.arange(-5, 9)}) for lib in (torch, tapegrad))
    assert found.tolist() == expected.tolist()
    assert str(found.dtype).partition(".")[2] == str(expected.dtype).partition(".")[2]
