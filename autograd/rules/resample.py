"""The rule of weighted sums of places along an axis: its derivative is another such sum."""

from __future__ import annotations

from functools import lru_cache

from ..rule import rule

__all__: list[str] = []


@lru_cache(maxsize=256)
def _turned(size, starts, places, weights):
    """The sums that each place takes part in, as sums of these."""
    found: list[list[tuple[int, float]]] = [[] for _ in range(size)]
    for j in range(len(starts) - 1):
        for k in range(starts[j], starts[j + 1]):
            found[places[k]].append((j, weights[k] if weights else 1.0))
    begins = [0]
    for terms in found:
        begins.append(begins[-1] + len(terms))
    every = [term for terms in found for term in terms]
    return tuple(begins), tuple([j for j, _ in every]), tuple([w for _, w in every]) if weights else ()


rule(
    "resample", "x", "dim starts places weights",
    x=lambda F, g, x_shape, dim, starts, places, weights: F.resample(
        g, dim, *_turned(x_shape[dim], starts, places, weights)
    ),
)  # fmt: skip
