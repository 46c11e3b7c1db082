"""Rules of matrix products, the fused linear layer and the fused losses."""

from __future__ import annotations

from math import prod

from ..rule import nondiff, rule

__all__: list[str] = []

# `ops.linalg.matmul` promotes 1-d operands, so both have at least two dimensions here.
rule(
    "matmul", "input other", typed="input other",
    input=lambda F, g, input_shape, other: _unbroadcast(F, F.matmul(g, _t(F, other)), input_shape),
    other=lambda F, g, input, other_shape: _unbroadcast(F, F.matmul(_t(F, input), g), other_shape),
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
    "linear", "input weight bias?", "act", typed="input weight bias", fresh=True,
    all=lambda F, g, input, weight, out, act, need: _linear(F, _before(F, g, out, act), input, weight, need),
    only_for={"input": "weight", "weight": "input", "out": "act"},
)  # fmt: skip

SLOPES = {
    "relu": lambda F, g, out: F.overwrite(out, F.where(F.le(out, 0), F.zeros_like(g), g)),
    "tanh": lambda F, g, out: F.mul(g, F.sub(1, F.square(out))),
    "sigmoid": lambda F, g, out: F.mul(g, F.mul(out, F.sub(1, out))),
}


def _before(F, g, out, act):
    return g if act is None else SLOPES[act](F, g, out)


def _linear(F, g, x, w, need):
    count = prod(x.shape[:-1])
    rows, inner = F.reshape(g, (count, w.shape[0])), F.reshape(x, (count, w.shape[1]))
    return (
        F.reshape(F.matmul(rows, w), x.shape) if need[0] else None,
        F.matmul(F.permute(rows, (1, 0)), inner) if need[1] else None,
        F.sum(rows, (0,), False) if need[2] else None,
    )


# (x - mean) / sqrt(variance + eps) * weight + bias over the last `rank` axes (Ba et al., 2016)
rule(
    "layer_norm", "input weight? bias?", "rank eps", typed="input weight bias", residual=True, fresh=True,
    all=lambda F, g, input, weight, rank, eps, res, need: _layer_norm(F, g, input, weight, rank, eps, need),
)  # fmt: skip


def _layer_norm(F, g, x, weight, rank, eps, need):
    n = len(x.shape)
    axes, lead = tuple(range(n - rank, n)), tuple(range(n - rank))
    centred = F.sub(x, F.mean(x, axes, True))
    inverse = F.rsqrt(F.add(F.mean(F.square(centred), axes, True), eps))
    normal = F.mul(centred, inverse)
    slope = None
    if need[0]:
        scaled = g if weight is None else F.mul(g, weight)
        along = F.mul(normal, F.mean(F.mul(scaled, normal), axes, True))
        slope = F.mul(F.sub(F.sub(scaled, F.mean(scaled, axes, True)), along), inverse)
    return (
        slope,
        F.sum(F.mul(g, normal), lead, False) if need[1] else None,
        F.sum(g, lead, False) if need[2] else None,
    )


nondiff("batch_moments", "input")

# (x - mean) / sqrt(variance + eps) * weight + bias of every channel (Ioffe and Szegedy, 2015). Where the moments are
# those of the batch, they follow from the input: what they take part in is its derivative, and they have none. Without
# moments: x * weight + bias.
rule(
    "batch_norm", "input moments? weight? bias?", "of_batch eps", typed="input weight bias", fresh=True,
    all=lambda F, g, input, moments, weight, of_batch, eps, need: _batch_norm(
        F, g, input, moments, weight, of_batch, eps, need
    ),
)  # fmt: skip


def _batch_norm(F, g, x, moments, weight, of_batch, eps, need):
    axes, shape = (0, *range(2, len(x.shape))), (x.shape[1], *(1,) * (len(x.shape) - 2))
    if moments is None:
        scaled = g if weight is None else F.mul(g, F.reshape(weight, shape))
        return (
            scaled if need[0] else None, None,
            F.sum(F.mul(g, x), axes, False) if need[2] else None, F.sum(g, axes, False) if need[3] else None,
        )  # fmt: skip
    if of_batch:
        centred = F.sub(x, F.mean(x, axes, True))
        variance = F.mean(F.square(centred), axes, True)
    else:
        centred = F.sub(x, F.reshape(F.slice(moments, (0,)), shape))
        variance = F.reshape(F.slice(moments, (1,)), shape)
    inverse = F.rsqrt(F.add(variance, eps))
    normal = F.mul(centred, inverse)
    scaled = g if weight is None else F.mul(g, F.reshape(weight, shape))
    of_moments = None
    if need[1] and of_batch:
        of_moments = F.zeros_like(moments)
    elif need[1]:
        scale = F.reshape(inverse, (x.shape[1],))
        of_variance = F.mul(F.mul(F.sum(F.mul(scaled, normal), axes, False), F.square(scale)), -0.5)
        of_moments = F.stack([F.neg(F.mul(F.sum(scaled, axes, False), scale)), of_variance], 0)
    if of_batch:
        along = F.mul(normal, F.mean(F.mul(scaled, normal), axes, True))
        scaled = F.sub(F.sub(scaled, F.mean(scaled, axes, True)), along)
    return (
        F.mul(scaled, inverse) if need[0] else None, of_moments,
        F.sum(F.mul(g, normal), axes, False) if need[2] else None,
        F.sum(g, axes, False) if need[3] else None,
    )  # fmt: skip


rule(
    "mse", "x target",
    all=lambda F, g, x, target, need: _both_ways(
        F, F.mul(F.sub(x, target), F.mul(g, 2 / max(prod(x.shape), 1))), need
    ),
)  # fmt: skip


def _both_ways(F, slope, need):
    """The cotangents of two tensors of which only the difference counts."""
    return slope if need[0] else None, F.neg(slope) if need[1] else None


# Half the square of the error up to delta, linear beyond (Huber, 1964)
rule(
    "huber", "x target", "delta", kind="floating", public=False,
    all=lambda F, g, x, target, delta, need: _both_ways(F, _huber(F, g, F.sub(x, target), delta), need),
)  # fmt: skip


def _huber(F, g, error, delta):
    return F.mul(g, F.where(F.ge(F.abs(error), delta), F.mul(F.sign(error), delta), error))


# The cross-entropy of a probability, its logarithms bounded below by -100; the slope is bounded likewise
rule(
    "bce", "x target", kind="floating", public=False,
    all=lambda F, g, x, target, need: (
        F.mul(g, F.div(F.sub(x, target), F.clamp(F.mul(F.sub(1, x), x), 1e-12, None))) if need[0] else None,
        F.mul(g, F.sub(F.log1p(F.neg(x)), F.log(x))) if need[1] else None,
    ),
)  # fmt: skip
# The same of sigmoid(x)
rule(
    "bce_logits", "x target", kind="floating", public=False,
    all=lambda F, g, x, target, need: (
        F.mul(g, F.sub(F.sigmoid(x), target)) if need[0] else None,
        F.neg(F.mul(g, x)) if need[1] else None,
    ),
)  # fmt: skip


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
    slope = F.mul(slope, F.div(g, F.maximum(F.sum(rows, None, False), 1)))
    return F.where(column, slope, F.zeros_like(x))


# Minus the log-probabilities x (N, C) of the targets (N,), weighted: each, their sum or mean. They enter as they are:
# the second derivative is zero; `overwrite` keeps the edge that says so.
rule(
    "nll", "x target weight?", "ignore reduction", typed="x weight", residual=True, fresh=True,
    x=lambda F, g, x, target, weight, ignore, reduction, res, x_dtype: F.overwrite(
        x, _nll(F, g, x, x_dtype, target, weight, reduction, F.ne(target, ignore))
    ),
)  # fmt: skip


def _nll(F, g, x, dtype, target, weight, reduction, kept):
    wanted = F.where(kept, target, F.zeros_like(target))
    shares = F.cast(kept, dtype)
    if weight is not None:
        shares = F.where(kept, F.take(weight, wanted), F.zeros_like(shares))
    if reduction == "mean":
        g = F.div(g, F.sum(shares, None, False))
    column = F.where(kept, F.neg(F.mul(shares, g)), F.zeros_like(shares))
    return F.ungather(F.reshape(column, (-1, 1)), F.reshape(wanted, (-1, 1)), x.shape, 1)


nondiff("out_of_range", "target", "classes ignore")
