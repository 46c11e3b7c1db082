"""Rules of views, joins and indices. Each is linear, and each one's transpose is a primitive too."""

from __future__ import annotations

from ..rule import nondiff, rule

__all__: list[str] = []

# Views
rule("reshape", "x", "shape", view=True, x=lambda F, g, x_shape: F.reshape(g, x_shape))
rule("permute", "x", "order", view=True, x=lambda F, g, order: F.permute(g, _inverse(order)))
rule("expand", "x", "shape", view=True, x=lambda F, g, x_shape: _collapse(F, g, x_shape))
rule("slice", "x", "index", view=True, x=lambda F, g, x_shape, index: F.unslice(g, x_shape, index))
rule("unslice", "x", "shape index", x=lambda F, g, index: F.slice(g, index))
rule(
    "diagonal", "x", "offset dim1 dim2", view=True,
    x=lambda F, g, x_shape, offset, dim1, dim2: F.undiagonal(g, x_shape, offset, dim1, dim2),
)  # fmt: skip
rule(
    "undiagonal", "x", "shape offset dim1 dim2",
    x=lambda F, g, offset, dim1, dim2: F.diagonal(g, offset, dim1, dim2),
)  # fmt: skip
# Pairs of real numbers as complex ones, and back
rule("view_as_real", "x", view=True, x=lambda F, g: F.view_as_complex(g))
rule("view_as_complex", "x", view=True, x=lambda F, g: F.view_as_real(g))


def _inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(order)), key=order.__getitem__))


def _collapse(F, g, shape):
    """Sum over the axes that ``expand`` made or stretched."""
    lead = len(g.shape) - len(shape)
    have = g.shape[lead:]
    dims = tuple(range(lead))
    if have != shape:
        dims += tuple([lead + i for i, n in enumerate(shape) if n == 1 and have[i] != 1])
    elif lead:
        return F.sum(g, dims, False)
    return F.reshape(F.sum(g, dims, True), shape) if dims else g


# A write through a view: the base keeps its cotangent outside the view, the written value takes it inside.
rule(
    "view_scatter", "base value", "steps", holomorphic=False,
    base=lambda F, g, steps: F.zero_view(g, steps),
    value=lambda F, g, steps: _walk(F, g, steps),
)  # fmt: skip
rule("zero_view", "x", "steps", holomorphic=False, x=lambda F, g, steps: F.zero_view(g, steps))


def _walk(F, g, steps):
    for name, attributes in steps:
        g = getattr(F, "restride" if name == "as_strided" else name)(g, *attributes)
    return g


# Joins and rearrangements
rule("cat", "*tensors", "dim", all=lambda F, g, need, tensors_shapes, dim: _split(F, g, need, tensors_shapes, dim))
rule(
    "stack", "*tensors", "dim",
    all=lambda F, g, need, dim: tuple(
        F.slice(g, (slice(None),) * dim + (i,)) if wanted else None for i, wanted in enumerate(need)
    ),
)  # fmt: skip


def _split(F, g, need, shapes, dim):
    parts, start = [], 0
    for wanted, shape in zip(need, shapes, strict=True):
        stop = start + shape[dim]
        parts.append(F.slice(g, (slice(None),) * dim + (slice(start, stop),)) if wanted else None)
        start = stop
    return parts


rule("flip", "x", "dims", x=lambda F, g, dims: F.flip(g, dims))
rule("roll", "x", "shifts dims", x=lambda F, g, shifts, dims: F.roll(g, tuple(-s for s in shifts), dims))
rule("tril", "x", "diagonal", x=lambda F, g, diagonal: F.tril(g, diagonal))
rule("triu", "x", "diagonal", x=lambda F, g, diagonal: F.triu(g, diagonal))
rule("pad", "x", "widths value", x=lambda F, g, x_shape, widths: F.slice(g, _inside(x_shape, widths)))


def _inside(shape, widths):
    """The index of what ``pad`` surrounded."""
    return tuple(slice(before, before + n) for n, (before, _) in zip(shape, widths, strict=True))


# Gathers and scatters
rule("index", "x *where", "places", all=lambda F, g, x_shape, where, places, need: (
    F.unindex(g, where, places, x_shape) if need[0] else None, *[None] * len(where)))  # fmt: skip
rule("unindex", "x *where", "places shape", all=lambda F, g, where, places, need: (
    F.index(g, where, places) if need[0] else None, *[None] * len(where)))  # fmt: skip
rule(
    "index_put", "x value *where", "places accumulate",
    all=lambda F, g, value_shape, where, places, accumulate, need: (
        _outside(F, g, where, places, accumulate) if need[0] else None,
        _collapse(F, F.index(g, where, places), value_shape) if need[1] else None,
        *[None] * len(where),
    ),
)  # fmt: skip


def _outside(F, g, where, places, accumulate):
    """The cotangent of what ``index_put`` left standing."""
    return g if accumulate else F.index_put(g, F.zeros_like(F.index(g, where, places)), where, places, False)


rule("gather", "x index", "dim", x=lambda F, g, x_shape, index, dim: F.ungather(g, index, x_shape, dim))
rule("ungather", "x index", "shape dim", x=lambda F, g, index, dim: F.gather(g, index, dim))
rule(
    "scatter_add", "x index value", "dim",
    x=lambda F, g: g,
    value=lambda F, g, index, dim, value_shape: _corner(F, F.gather(g, index, dim), value_shape),
)  # fmt: skip
rule(
    "scatter", "x index value", "dim",
    x=lambda F, g, index, dim: F.scatter(g, index, F.zeros_like(F.gather(g, index, dim)), dim),
    value=lambda F, g, index, dim, value_shape: _corner(F, F.gather(g, index, dim), value_shape),
)  # fmt: skip
rule("take", "x rows", x=lambda F, g, x_shape, rows: F.untake(g, rows, x_shape[0]))
rule("untake", "x rows", "count", x=lambda F, g, rows: F.take(g, rows))
nondiff("nonzero", "x")


def _corner(F, g, shape):
    """A cotangent padded with zeros to ``shape``: of a value larger than its index, only a corner was used."""
    return g if g.shape == shape else F.unslice(g, shape, tuple(slice(n) for n in g.shape))
