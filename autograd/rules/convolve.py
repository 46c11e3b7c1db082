"""Rules of convolutions: each of three forms has the other two for its derivatives."""

from __future__ import annotations

from math import prod

from ..rule import rule

__all__: list[str] = []

rule(
    "conv", "input weight bias?", "stride padding dilation groups", typed="input weight bias", fresh=True,
    all=lambda F, g, input, weight, stride, padding, dilation, groups, need: (
        F.conv_back(g, weight, tuple(input.shape[2:]), stride, padding, dilation, groups) if need[0] else None,
        F.conv_weight(input, g, tuple(weight.shape[2:]), stride, padding, dilation, groups) if need[1] else None,
        _sums(F, g) if need[2] else None,
    ),
    only_for={"input": "weight", "weight": "input"},
)  # fmt: skip


def _sums(F, g):
    """The sum of each channel, along contiguous rows first."""
    rows = F.reshape(g, (*g.shape[:2], prod(g.shape[2:])))
    return F.sum(F.sum(rows, (2,), False), (0,), False)


def _first(F, x, shape):
    """The places that a transposed convolution reads; its images may have room for more."""
    return x if tuple(x.shape) == tuple(shape) else F.slice(x, tuple([slice(0, n) for n in shape]))


# The transpose, to images of a size
rule(
    "conv_back", "given weight", "size stride padding dilation groups", typed="given weight", fresh=True,
    given=lambda F, g, given_shape, weight, stride, padding, dilation, groups: _first(
        F, F.conv(g, weight, None, stride, padding, dilation, groups), given_shape
    ),
    weight=lambda F, g, given, weight_shape, stride, padding, dilation, groups: F.conv_weight(
        g, given, weight_shape[2:], stride, padding, dilation, groups
    ),
)  # fmt: skip
# The cotangent of filters of a size
rule(
    "conv_weight", "input given", "kernel stride padding dilation groups", typed="input given", fresh=True,
    input=lambda F, g, input_shape, given, stride, padding, dilation, groups: F.conv_back(
        given, g, input_shape[2:], stride, padding, dilation, groups
    ),
    given=lambda F, g, input, given_shape, stride, padding, dilation, groups: _first(
        F, F.conv(input, g, None, stride, padding, dilation, groups), given_shape
    ),
)  # fmt: skip
