"""Rules of views by stride, of combining by largest and smallest, and of looking up."""

from __future__ import annotations

from ..rule import nondiff, rule

__all__: list[str] = []

rule(
    "windows", "x", "dim size step", view=True,
    x=lambda F, g, x_shape, dim, size, step: F.unwindows(g, x_shape, dim, size, step),
)  # fmt: skip
rule("unwindows", "x", "shape dim size step", x=lambda F, g, dim, size, step: F.windows(g, dim, size, step))

# strides and start say how x lies in memory: a cotangent lies otherwise
rule(
    "as_strided", "x", "size stride offset strides start", view=True,
    x=lambda F, g, x_shape, size, stride, offset, strides, start: F.unstrided(
        g, x_shape, size, stride, offset, strides, start
    ),
)  # fmt: skip
rule(
    "restride", "x", "size stride offset strides start",
    x=lambda F, g, x_shape, size, stride, offset, strides, start: F.unstrided(
        g, x_shape, size, stride, offset, strides, start
    ),
)  # fmt: skip
rule(
    "unstrided", "x", "shape size stride offset strides start",
    x=lambda F, g, size, stride, offset, strides, start: F.restride(g, size, stride, offset, strides, start),
)  # fmt: skip

# Whatever equals the result shares the cotangent evenly.
for name in ("scatter_amax", "scatter_amin"):
    rule(
        name, "x index value", "dim", typed="x value",
        all=lambda F, g, x, index, value, out, dim, x_dtype, need: _extreme(F, g, x, index, value, out, dim, x_dtype),
    )  # fmt: skip


def _extreme(F, g, x, index, value, out, dim, dtype):
    hit = F.cast(F.eq(x, out), dtype)
    hits = F.cast(F.eq(value, F.gather(out, index, dim)), dtype)
    share = F.div(g, F.scatter_add(hit, index, hits, dim))
    zero = F.zeros_like(g)
    at = F.gather(share, index, dim)
    return F.where(F.gt(hit, 0), share, zero), None, F.where(F.gt(hits, 0), at, F.zeros_like(at))


nondiff("searchsorted", "line values", "right")
