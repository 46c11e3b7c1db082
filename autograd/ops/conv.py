"""Convolutions, and windows as columns."""

from __future__ import annotations

import math
from typing import Any

from ..names import named
from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from ..views import own
from .args import check_tensor, not_for
from .shape import contiguous
from .shape import pad as constant_pad
from .spatial import EVERYTHING, sizes, with_batch

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "convolution", "fold", "unfold",
]  # fmt: skip

Ints = tuple[int, ...]


# Windows over several dimensions


def _reach(kernel: Ints, dilation: Ints) -> Ints:
    """How many places a kernel spans along each dimension."""
    return tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))


def _windows(x: Tensor, kernel: Ints, stride: Ints, dilation: Ints) -> Tensor:
    """(C, N, *size) -> (C, *kernel, N, *count): a view of every window. Rows of the last dimension stay rows."""
    for i, (k, span) in enumerate(zip(kernel, _reach(kernel, dilation), strict=True)):
        x = P.windows(x, 2 + 2 * i, span, stride[i])
        last = x.ndim - 1
        if k != span:
            x = P.slice(x, (*(EVERYTHING,) * last, slice(None, None, dilation[i])))
        x = P.permute(x, (*range(1 + i), last, *range(1 + i, last)))
    return x


def _laid(x: Tensor, kernel: Ints, stride: Ints, dilation: Ints) -> Tensor:
    """(C, *kernel, N, *count) -> (C, N, *size): every window added in its place, the transpose of ``_windows``."""
    for i in reversed(range(len(kernel))):
        last, span = x.ndim - 1, (kernel[i] - 1) * dilation[i] + 1
        x = P.permute(x, (*range(1 + i), *range(2 + i, last + 1), 1 + i))
        if kernel[i] != span:
            wide = (*x._array.shape[:-1], span)
            x = P.unslice(x, wide, (*(EVERYTHING,) * last, slice(None, None, dilation[i])))
        shape, dim = x._array.shape, 2 + 2 * i
        size = (shape[dim] - 1) * stride[i] + span if shape[dim] else 0
        x = P.unwindows(x, (*shape[:dim], size, *shape[dim + 1 : -1]), dim, span, stride[i])
    return x


def _cropped(x: Tensor, padding: Ints) -> Tensor:
    if not any(padding):
        return x
    shape = x._array.shape
    return P.slice(x, (EVERYTHING, EVERYTHING, *(slice(p, n - p) for p, n in zip(padding, shape[2:], strict=True))))


def _padded(x: Tensor, before: Ints, after: Ints) -> Tensor:
    if not any(before) and not any(after):
        return x
    widths = [w for pair in zip(reversed(before), reversed(after), strict=True) for w in pair]
    return constant_pad(x, widths)


# Checks


def _check(name: str, input: Tensor, weight: Tensor, bias: Any, n: int, groups: int, transposed: bool) -> None:
    check_tensor(name, "weight", weight)
    if weight.ndim != n + 2:
        raise RuntimeError(f"{name}: weight must have {n + 2} dimensions, got {describe(weight)}")
    if groups <= 0:
        raise RuntimeError(f"{name}: groups must be positive, got {groups}")
    kernel = weight._array.shape[2:]
    if 0 in kernel:
        raise RuntimeError(f"{name}: the kernel of weight {describe(weight)} has no elements")
    out = weight._array.shape[1] * groups if transposed else weight._array.shape[0]
    channels = weight._array.shape[0] if transposed else weight._array.shape[1] * groups
    if weight._array.shape[0] % groups or weight._array.shape[0] < groups:
        raise RuntimeError(f"{name}: the first size of weight {describe(weight)} must be a multiple of groups={groups}")
    if input._array.shape[1] != channels:
        raise RuntimeError(
            f"{name}: weight {describe(weight)} with groups={groups} asks for {channels} channels, input has "
            f"{input._array.shape[1]} in {describe(input)}"
        )
    if weight._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"{name}: input {describe(input)} and weight {describe(weight)} must have one type; "
            f"use weight.to('{input.dtype.name}')"
        )
    if bias is not None:
        check_tensor(name, "bias", bias)
        if bias._array.shape != (out,) or bias._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"{name}: bias must be {input.dtype.name} of shape [{out}], one for each channel of the result, "
                f"got {describe(bias)}"
            )


def _pads(name: str, padding: Any, kernel: Ints, stride: Ints, dilation: Ints) -> tuple[Ints, ...]:
    """The places to add before and after, of each dimension."""
    n = len(kernel)
    if not isinstance(padding, str):
        return tuple((p, p) for p in sizes(name, "padding", padding, n, low=0))
    if padding == "valid":
        return ((0, 0),) * n
    if padding != "same":
        raise RuntimeError(f"{name}: padding must be 'valid', 'same' or numbers, got {padding!r}")
    if any(s != 1 for s in stride):
        raise RuntimeError(f"{name}: padding='same' needs stride 1, got {stride}")
    total = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
    return tuple((t // 2, t - t // 2) for t in total)


# Convolution


def _convolve(
    name: str, n: int, input: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    x, alone = with_batch(name, input, n)
    _check(name, x, weight, bias, n, groups, False)
    kernel = weight._array.shape[2:]
    stride, dilation = sizes(name, "stride", stride, n), sizes(name, "dilation", dilation, n)
    padding = _pads(name, padding, kernel, stride, dilation)
    whole = [have + sum(p) for have, p in zip(x._array.shape[2:], padding, strict=True)]
    if any(s > have for s, have in zip(_reach(kernel, dilation), whole, strict=True)):
        raise RuntimeError(
            f"{name}: a kernel of {list(kernel)} with dilation {list(dilation)} does not fit into the padded size "
            f"{whole} of input {describe(input)}"
        )
    return _finished(P.conv(x, weight, bias, stride, padding, dilation, groups), alone)


def _finished(out: Tensor, alone: bool) -> Tensor:
    return named(own(P.reshape(out, out._array.shape[1:])) if alone else out, "ConvolutionBackward0")


@not_for("b")
def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """The cross-correlation of sequences with filters.

    Args:
        input: (N, C, L), or (C, L).
        weight: (O, C / groups, K), of the type of ``input``.
        bias: (O,), or None.
        stride: how far apart the windows begin.
        padding: zeros at both ends; "same" keeps the length, "valid" adds none.
        dilation: how far apart the places of one window lie.
        groups: into how many parts, independent of each other, the channels are split.

    Returns:
        (N, O, L'), L' = (L + 2 padding - dilation (K - 1) - 1) // stride + 1.

    Raises:
        RuntimeError: shapes or types that do not fit.
    """
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@not_for("b")
def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """The cross-correlation of images (N, C, H, W) with filters (O, C / groups, KH, KW); see ``conv1d``."""
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@not_for("b")
def conv3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """The cross-correlation of volumes (N, C, D, H, W) with filters (O, C / groups, KD, KH, KW); see ``conv1d``."""
    return _convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def _transposed(
    name: str, n: int, input: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, output_padding: Any,
    groups: int, dilation: Any,
) -> Tensor:  # fmt: skip
    x, alone = with_batch(name, input, n)
    _check(name, x, weight, bias, n, groups, True)
    kernel = weight._array.shape[2:]
    stride, dilation = sizes(name, "stride", stride, n), sizes(name, "dilation", dilation, n)
    padding = sizes(name, "padding", padding, n, low=0)
    extra = sizes(name, "output_padding", output_padding, n, low=0)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise RuntimeError(
            f"{name}: output_padding must be smaller than stride or dilation, got {list(extra)}, {list(stride)}, "
            f"{list(dilation)}"
        )
    size, spans = x._array.shape[2:], _reach(kernel, dilation)
    full = [(have - 1) * s + k + e for have, s, k, e in zip(size, stride, spans, extra, strict=True)]
    if any(f - 2 * p <= 0 for f, p in zip(full, padding, strict=True)):
        raise RuntimeError(f"{name}: padding {list(padding)} leaves nothing of the size {full} of the result")
    result = tuple(f - 2 * p for f, p in zip(full, padding, strict=True))
    around = tuple((p, p) for p in padding)
    out = P.conv_back(x, weight, result, stride, around, dilation, groups)
    if bias is not None:
        out = P.add(out, P.reshape(bias, (out._array.shape[1], *(1,) * n)))
    return _finished(out, alone)


@not_for("b")
def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """The transpose of ``conv1d``: what its cotangent of the input is made of.

    Args:
        input: (N, C, L), or (C, L).
        weight: (C, O / groups, K), of the type of ``input``.
        bias: (O,), or None.
        stride, padding, dilation, groups: of the convolution that is transposed.
        output_padding: places added at the end of the result.

    Returns:
        (N, O, L'), L' = (L - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1.

    Raises:
        RuntimeError: shapes or types that do not fit.
    """
    return _transposed("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@not_for("b")
def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """The transpose of ``conv2d``; see ``conv_transpose1d``."""
    return _transposed("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@not_for("b")
def conv_transpose3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """The transpose of ``conv3d``; see ``conv_transpose1d``."""
    return _transposed("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def convolution(
    input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int,
) -> Tensor:  # fmt: skip
    """A convolution, or a transposed one, over as many dimensions as ``weight`` has beside its channels."""
    check_tensor("convolution", "weight", weight)
    n = weight.ndim - 2
    if transposed:
        return _transposed("convolution", n, input, weight, bias, stride, padding, output_padding, groups, dilation)
    return _convolve("convolution", n, input, weight, bias, stride, padding, dilation, groups)


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """``conv1d`` of sequences (T, N, C) with filters (K, C, O)."""
    check_tensor("conv_tbc", "input", input)
    check_tensor("conv_tbc", "weight", weight)
    if input.ndim != 3 or weight.ndim != 3:
        raise RuntimeError(f"conv_tbc: needs 3 dimensions, got {describe(input)} and {describe(weight)}")
    out = conv1d(P.permute(input, (1, 2, 0)), P.permute(weight, (2, 1, 0)), bias, padding=pad)
    return contiguous(P.permute(out, (2, 0, 1)))


# Windows as columns, and back


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Every window of an image as a column.

    Args:
        input: (N, C, H, W), or (C, H, W).

    Returns:
        (N, C times the places of a window, number of windows).

    Raises:
        RuntimeError: no window fits.
    """
    x, alone = with_batch("unfold", input, 2)
    if 0 in x._array.shape[1:]:
        raise RuntimeError(f"unfold: only the batch may be empty, got {describe(input)}")
    kernel, dilation = sizes("unfold", "kernel_size", kernel_size, 2), sizes("unfold", "dilation", dilation, 2)
    stride, padding = sizes("unfold", "stride", stride, 2), sizes("unfold", "padding", padding, 2, low=0)
    x = _padded(x, padding, padding)
    if any(s > have for s, have in zip(_reach(kernel, dilation), x._array.shape[2:], strict=True)):
        raise RuntimeError(f"unfold: a window of {list(kernel)} does not fit into {describe(input)} with its padding")
    batch, channels, *size = x._array.shape
    view = _windows(P.reshape(x, (batch * channels, 1, *size)), kernel, stride, dilation)
    out = P.reshape(view, (batch, channels * math.prod(kernel), math.prod(view._array.shape[-2:])))
    return named(P.reshape(out, out._array.shape[1:]) if alone else out, "Im2ColBackward0")


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The transpose of ``unfold``: columns added up where the windows of an image lie.

    Args:
        input: (N, C times the places of a window, number of windows), or without N.
        output_size: height and width of the image.

    Returns:
        (N, C, H, W), or without N.

    Raises:
        RuntimeError: the columns are not those of such an image.
    """
    check_tensor("fold", "input", input)
    if input.ndim not in (2, 3) or 0 in input._array.shape[-2:]:
        raise RuntimeError(f"fold: input must be (N, columns, windows) or (columns, windows), got {describe(input)}")
    size, kernel = sizes("fold", "output_size", output_size, 2), sizes("fold", "kernel_size", kernel_size, 2)
    dilation, stride = sizes("fold", "dilation", dilation, 2), sizes("fold", "stride", stride, 2)
    padding = sizes("fold", "padding", padding, 2, low=0)
    *lead, rows, columns = input._array.shape
    whole = [n + 2 * p for n, p in zip(size, padding, strict=True)]
    spans = _reach(kernel, dilation)
    count = [(n - k) // s + 1 for n, k, s in zip(whole, spans, stride, strict=True)]
    if rows % math.prod(kernel) or min(count) < 1 or columns != math.prod(count):
        raise RuntimeError(
            f"fold: an image of {list(size)} with kernel_size {list(kernel)}, dilation {list(dilation)}, padding "
            f"{list(padding)} and stride {list(stride)} has {count[0]} x {count[1]} windows of a multiple of "
            f"{math.prod(kernel)} places; got {describe(input)}"
        )
    channels = rows // math.prod(kernel)
    batch = math.prod(lead)
    view = P.reshape(input, (batch * channels, *kernel, 1, *count))
    out = _laid(view, kernel, stride, dilation)
    missing = tuple(n - have for n, have in zip(whole, out._array.shape[2:], strict=True))
    out = _cropped(_padded(out, (0, 0), missing), padding)
    return named(own(P.reshape(out, (*lead, channels, *size)), input), "Col2ImBackward0")
