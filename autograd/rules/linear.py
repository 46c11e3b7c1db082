"""Rules of matrix products, the fused linear layer and the fused losses."""

from __future__ import annotations

from ..rule import nondiff, rule

__all__: list[str] = []

# `ops.linalg.matmul` promotes 1-d operands, so both have at least two dimensions here.
rule(
    "matmul", "a b", typed="a b",
    a=lambda F, g, a_shape, b: _unbroadcast(F, F.matmul(g, _t(F, b)), a_shape),
    b=lambda F, g, a, b_shape: _unbroadcast(F, F.matmul(_t(F, a), g), b_shape),
)  # fmt: skip


def _t(F, x):
    n = len(x.shape)
    return F.permute(x, (*range(n - 2), n - 1, n - 2))


def _unbroadcast(F, g, shape):
    """Sum over the batch axes along which a factor was broadcast."""
    if g.shape == shape:
        return g
    lead = len(g.shape) - len(shape)
    dims = (*range(lead), *(lead + i for i, n in enumerate(shape[:-2]) if n == 1 and g.shape[lead + i] != 1))
    return F.reshape(F.sum(g, dims, True), shape)


# act(x @ w.T + b); the derivative of act is told from the output
rule(
    "linear", "x w b?", "act", typed="x w b", fresh=True,
    all=lambda F, g, x, w, out, act, need: _linear(F, _before(F, g, out, act), x, w, need),
)  # fmt: skip

SLOPES = {
    "relu": lambda F, g, out: F.where(F.gt(out, 0), g, F.zeros_like(g)),
    "tanh": lambda F, g, out: F.mul(g, F.sub(1, F.square(out))),
    "sigmoid": lambda F, g, out: F.mul(g, F.mul(out, F.sub(1, out))),
}


def _before(F, g, out, act):
    return g if act is None else SLOPES[act](F, g, out)


def _linear(F, g, x, w, need):
    rows, inner = F.reshape(g, (-1, w.shape[0])), F.reshape(x, (-1, w.shape[1]))
    return (
        F.reshape(F.matmul(rows, w), x.shape) if need[0] else None,
        F.matmul(F.permute(rows, (1, 0)), inner) if need[1] else None,
        F.sum(rows, (0,), False) if need[2] else None,
    )


rule(
    "mse", "x target",
    all=lambda F, g, x, target, need: _mse(F, F.mul(F.sub(x, target), F.mul(g, _two_over(x.shape))), need),
)  # fmt: skip


def _mse(F, slope, need):
    return slope if need[0] else None, F.neg(slope) if need[1] else None


def _two_over(shape: tuple[int, ...]) -> float:
    count = 1
    for n in shape:
        count *= n
    return 2 / max(count, 1)


# (softmax(x) - onehot(target)) / rows that count
rule(
    "softmax_xent", "x target", "ignore", residual=True, fresh=True,
    x=lambda F, g, x, target, ignore, res, x_dtype: _xent(F, g, x, x_dtype, target, F.ne(target, ignore)),
)  # fmt: skip


def _xent(F, g, x, dtype, target, kept):
    column = F.reshape(kept, (-1, 1))
    rows = F.cast(column, dtype)
    wanted = F.reshape(F.where(kept, target, F.zeros_like(target)), (-1, 1))
    slope = F.sub(F.softmax(x, 1), F.ungather(rows, wanted, x.shape, 1))
    slope = F.mul(slope, F.div(g, F.sum(rows, None, False)))
    return F.where(column, slope, F.zeros_like(x))  # last: where no row counts, the mean divides by 0


nondiff("out_of_range", "target", "classes ignore")
