"""Rules of the reductions and of the softmax family."""

from __future__ import annotations

from ..rule import nondiff, rule

__all__: list[str] = []


def _spread(F, g, shape, dims, keepdim):
    """A reduction's cotangent, expanded over the axes that were reduced."""
    if keepdim or dims is None or dims == (0,):  # leading dimensions come by themselves
        return F.expand(g, shape)
    return F.expand(F.reshape(g, kept(shape, dims)), shape)


def kept(shape: tuple[int, ...], dims: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape that reducing over ``dims`` with ``keepdim`` leaves."""
    return tuple([1 if dims is None or i in dims else n for i, n in enumerate(shape)])


def _count(shape: tuple[int, ...], dims: tuple[int, ...] | None) -> int:
    count = 1
    for i, n in enumerate(shape):
        if dims is None or i in dims:
            count *= n
    return count


rule("sum", "x", "dims keepdim", x=lambda F, g, x_shape, dims, keepdim: _spread(F, g, x_shape, dims, keepdim))
rule(
    "mean", "x", "dims keepdim",
    x=lambda F, g, x_shape, dims, keepdim: _spread(
        F, F.mul(g, 1 / max(_count(x_shape, dims), 1)), x_shape, dims, keepdim
    ),
)  # fmt: skip
rule(
    "var", "x", "dims correction keepdim",
    x=lambda F, g, x, dims, correction, keepdim: F.mul(
        _spread(F, _per_degree(F, g, _count(x.shape, dims) - correction), x.shape, dims, keepdim),
        F.sub(x, F.mean(x, dims, True)),
    ),
)  # fmt: skip


def _per_degree(F, g, degrees):
    return F.mul(g, 2 / degrees if degrees > 0 else float("nan"))


def _extreme(F, g, x, x_dtype, out, dims, keepdim):
    """Ties share the cotangent evenly; over all elements, which is ``max``, so do NaN."""
    if not keepdim:
        out, g = F.reshape(out, kept(x.shape, dims)), F.reshape(g, kept(x.shape, dims))
    hit = F.eq(x, out)
    if dims is None:
        hit = F.logical_or(hit, F.logical_and(F.ne(x, x), F.ne(out, out)))
    hit = F.cast(hit, x_dtype)
    return F.mul(F.div(hit, F.sum(hit, dims, True)), g)


rule(
    "amax", "x", "dims keepdim",
    x=lambda F, g, x, x_dtype, out, dims, keepdim: _extreme(F, g, x, x_dtype, out, dims, keepdim),
)  # fmt: skip
rule(
    "amin", "x", "dims keepdim",
    x=lambda F, g, x, x_dtype, out, dims, keepdim: _extreme(F, g, x, x_dtype, out, dims, keepdim),
)  # fmt: skip
rule(
    "logsumexp", "x", "dims keepdim",
    x=lambda F, g, x, out, dims, keepdim: F.mul(
        _spread(F, g, x.shape, dims, keepdim), F.exp(F.sub(x, out if keepdim else F.reshape(out, kept(x.shape, dims))))
    ),
)  # fmt: skip
rule(
    "prod", "x", "dim keepdim",
    x=lambda F, g, x, dim, keepdim: F.mul(_others(F, x, dim), g if keepdim else F.reshape(g, kept(x.shape, (dim,)))),
)  # fmt: skip
rule("cumprod", "x", "dim", x=lambda F, g, x, dim: _cumprod(F, g, x, dim))


def _others(F, x, dim):
    """For each element the product of all others along ``dim``; right also where some are zero."""
    return F.mul(_product_before(F, x, dim), F.flip(_product_before(F, F.flip(x, (dim,)), dim), (dim,)))


def _product_before(F, x, dim):
    n = len(x.shape)
    all_but_last = F.slice(x, (slice(None),) * dim + (slice(0, max(x.shape[dim] - 1, 0)),))
    widths = tuple((int(i == dim and x.shape[dim] > 0), 0) for i in range(n))
    return F.cumprod(F.pad(all_but_last, widths, 1.0), dim)


def _cumprod(F, g, x, dim):
    """The product of those before, times a sum that grows from the end: ``s[i] = g[i] + x[i + 1] s[i + 1]``."""
    lead, n = (slice(None),) * dim, x.shape[dim]
    if not n:
        return F.zeros_like(x)
    sums = [F.slice(g, (*lead, slice(n - 1, n)))]
    for i in reversed(range(n - 1)):
        term = F.mul(F.slice(x, (*lead, slice(i + 1, i + 2))), sums[-1])
        sums.append(F.add(F.slice(g, (*lead, slice(i, i + 1))), term))
    return F.mul(F.cat(sums[::-1], dim), _product_before(F, x, dim))


rule("cumsum", "x", "dim", x=lambda F, g, dim: F.flip(F.cumsum(F.flip(g, (dim,)), dim), (dim,)))
rule(
    "softmax", "x", "dim",
    x=lambda F, g, out, dim: F.sub(F.mul(g, out), F.mul(out, F.sum(F.mul(g, out), (dim,), True))),
)  # fmt: skip
rule(
    "log_softmax", "x", "dim",
    x=lambda F, g, out, dim: F.sub(g, F.mul(F.exp(out), F.sum(g, (dim,), True))),
)  # fmt: skip

nondiff("argmax", "x", "dim keepdim")
nondiff("argmin", "x", "dim keepdim")
nondiff("any", "x", "dims keepdim")
nondiff("all", "x", "dims keepdim")
nondiff("count_nonzero", "x", "dims")
nondiff("argsort", "x", "dim descending stable")
nondiff("topk_order", "x", "dim k largest")
nondiff("largest_of_windows", "x", "places")
