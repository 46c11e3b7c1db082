"""Layers, activations and losses as functions."""

from __future__ import annotations

from typing import Any

from ..autograd import P, Tensor
from ..autograd.batching.level import everything, place_of
from ..autograd.batching.randomness import draw
from ..autograd.names import step
from ..autograd.ops import reduce
from ..autograd.ops.activation import (
    celu,
    celu_,
    elu,
    elu_,
    glu,
    gumbel_softmax,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    hardtanh_,
    leaky_relu_,
    mish,
    prelu,
    relu6,
    relu_,
    rrelu,
    rrelu_,
    selu,
    selu_,
    softmin,
    softshrink,
    softsign,
    tanhshrink,
    threshold,
    threshold_,
    warn_no_dim,
)
from ..autograd.ops.args import check_tensor, not_for
from ..autograd.ops.attention import scaled_dot_product_attention
from ..autograd.ops.avg_pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
)
from ..autograd.ops.conv import (
    conv1d,
    conv2d,
    conv3d,
    conv_tbc,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    fold,
    unfold,
)
from ..autograd.ops.create import from_numpy
from ..autograd.ops.distance import bilinear, cosine_similarity, pairwise_distance, pdist
from ..autograd.ops.dropout import alpha_dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from ..autograd.ops.embedding import embedding, embedding_bag
from ..autograd.ops.fractional_pool import (
    fractional_max_pool2d,
    fractional_max_pool2d_with_indices,
    fractional_max_pool3d,
    fractional_max_pool3d_with_indices,
)
from ..autograd.ops.grid import affine_grid, grid_sample
from ..autograd.ops.max_pool import (
    adaptive_max_pool1d,
    adaptive_max_pool1d_with_indices,
    adaptive_max_pool2d,
    adaptive_max_pool2d_with_indices,
    adaptive_max_pool3d,
    adaptive_max_pool3d_with_indices,
    max_pool1d,
    max_pool1d_with_indices,
    max_pool2d,
    max_pool2d_with_indices,
    max_pool3d,
    max_pool3d_with_indices,
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
)
from ..autograd.ops.memory_order import in_memory_order, row_by_row
from ..autograd.ops.multi_head import multi_head_attention_forward
from ..autograd.ops.normalize import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    normalize,
    rms_norm,
)
from ..autograd.ops.padding import pad_by_index
from ..autograd.ops.pixels import channel_shuffle, native_channel_shuffle, pixel_shuffle, pixel_unshuffle
from ..autograd.ops.resample import interpolate, upsample, upsample_bilinear, upsample_nearest
from ..autograd.ops.shape import pad as _pad
from ..autograd.promote import describe
from ..autograd.tensor import wrap
from ..autograd.writes import write
from .class_losses import cross_entropy, nll_loss
from .ctc import ctc_loss
from .grouped import grouped_mm
from .likelihood_losses import gaussian_nll_loss, kl_div, linear_cross_entropy, poisson_nll_loss
from .loss_functions import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    huber_loss,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)
from .margin_losses import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "affine_grid", "alpha_dropout", "avg_pool1d",
    "avg_pool2d", "avg_pool3d", "batch_norm", "bilinear", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "celu", "celu_", "channel_shuffle", "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d",
    "conv_transpose2d", "conv_transpose3d", "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "ctc_loss",
    "dropout", "dropout1d", "dropout2d", "dropout3d", "elu", "elu_", "embedding", "embedding_bag",
    "feature_alpha_dropout", "fold", "fractional_max_pool2d", "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d", "fractional_max_pool3d_with_indices", "gaussian_nll_loss", "gelu", "glu", "grid_sample",
    "group_norm", "grouped_mm", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_",
    "hinge_embedding_loss", "huber_loss", "instance_norm", "interpolate", "kl_div", "l1_loss", "layer_norm",
    "leaky_relu", "leaky_relu_", "linear", "linear_cross_entropy", "local_response_norm", "log_softmax", "logsigmoid",
    "lp_pool1d", "lp_pool2d", "lp_pool3d", "margin_ranking_loss", "max_pool1d", "max_pool1d_with_indices", "max_pool2d",
    "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices", "max_unpool1d", "max_unpool2d", "max_unpool3d",
    "mish", "mse_loss", "multi_head_attention_forward", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "native_channel_shuffle", "nll_loss", "normalize", "one_hot", "pad",
    "pairwise_distance", "pdist", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "prelu", "relu", "relu6",
    "relu_", "rms_norm", "rrelu", "rrelu_", "scaled_dot_product_attention", "selu", "selu_", "sigmoid", "silu",
    "smooth_l1_loss", "soft_margin_loss", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh",
    "tanhshrink", "threshold", "threshold_", "triplet_margin_loss", "triplet_margin_with_distance_loss", "unfold",
    "upsample", "upsample_bilinear", "upsample_nearest",
]  # fmt: skip


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``.

    Args:
        input: (..., in_features).
        weight: (out_features, in_features), or (in_features,).
        bias: (out_features,), or None.

    Returns:
        (..., out_features).

    Raises:
        RuntimeError: sizes, types or devices that do not fit.
    """
    if isinstance(weight, Tensor) and weight._array.ndim == 1:
        out = P.matmul(input, weight[:, None])[..., 0]
        return out if bias is None else out + bias
    if bias is not None and isinstance(bias, Tensor) and bias._array.shape != weight._array.shape[:1]:
        if bias._array.size != 1:
            raise RuntimeError(
                f"linear: bias must have shape [{weight._array.shape[0]}] for weight {describe(weight)}, "
                f"got {describe(bias)}"
            )
        return P.add(P.linear(input, weight, None, None), bias)
    return P.linear(input, weight, bias, None)


# Activations


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(input, 0)``."""
    return write("relu_", input, P.relu) if inplace else P.relu(input)


@not_for("c")
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``input`` where positive, else ``negative_slope * input``."""
    if inplace:
        return write("leaky_relu_", input, P.leaky_relu, negative_slope)
    return P.leaky_relu(input, negative_slope)


def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-input))``."""
    return P.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return P.tanh(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * sigmoid(input)``."""
    return write("silu_", input, P.silu) if inplace else P.silu(input)


@not_for("c")
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``input * Phi(input)``; ``approximate="tanh"`` takes the formula with a hyperbolic tangent.

    Raises:
        RuntimeError: another approximation.
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return P.gelu(input) if approximate == "none" else P.gelu_tanh(input)


@not_for("c")
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * input)) / beta``, linear where ``beta * input`` exceeds ``threshold``."""
    return P.softplus(input, float(beta), float(threshold))


@step("LogSigmoid")
@not_for("c")
def logsigmoid(input: Tensor) -> Tensor:
    """``log(sigmoid(input))``, without overflow."""
    return P.logsigmoid(input)


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``exp(input) / sum(exp(input))`` along ``dim``, without overflow; ``dtype`` is that of the result."""
    if dim is None:
        warn_no_dim("softmax", _stacklevel)
    return reduce.softmax(input, dim, dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of ``softmax``, computed without taking the logarithm of a small number."""
    if dim is None:
        warn_no_dim("log_softmax", _stacklevel)
    return reduce.log_softmax(input, dim, dtype)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability ``p`` and scale the rest by ``1 / (1 - p)``; the input itself in evaluation.

    On the CPU the random numbers are PyTorch's for the same seed; on a card they come from the card's own generator
    (``tapegrad.cuda.manual_seed``).

    Raises:
        ValueError: a probability outside [0, 1]. TypeError: not a tensor. RuntimeError: a tensor of integers.
    """
    check_tensor("dropout", "input", input)
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: the probability must lie between 0 and 1, got {p}")
    if not training or p == 0:
        return input
    if p == 1:
        scaled = P.mul(input, 0 if input._array.dtype.kind in "biu" else 0.0)
    elif input._array.dtype.kind in "biu":
        raise RuntimeError(f"dropout: needs a floating tensor, got {describe(input)}; convert it with .float()")
    else:
        place, kind = place_of(input._device), input._array.dtype
        make = in_memory_order(input, lambda s: place.backend.dropout_factors(s, p, kind))
        factors = draw("dropout", input._array.shape, lambda s: wrap(make(s), place))
        scaled = P.mul(input, factors)
    return write("dropout_", input, lambda _: scaled) if inplace else scaled


def pad(input: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """Padding; ``pad`` names how many places (before, after) each dimension, from the last one on.

    Args:
        input: any shape; but for constants, one or two dimensions more than are padded.
        pad: a pair of numbers for each padded dimension; negative ones crop.
        mode: "constant"; "reflect" (mirrored at the edge, which is not repeated); "replicate" (the edge repeated);
            "circular" (the other end).
        value: the constant; 0 for None.

    Raises:
        RuntimeError, ValueError: another mode, or more places than the mode can fill.
    """
    if mode == "constant":
        return _pad(input, pad, 0.0 if value is None else value)
    if value not in (None, 0):
        raise ValueError(f"pad: mode {mode!r} takes no value, got {value}")
    return pad_by_index(input, pad, mode)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Class numbers as rows of zeros with a one.

    Args:
        tensor: int64, any shape.
        num_classes: how many; -1 for the largest number plus one.

    Returns:
        int64, with one more dimension.
    """
    if tensor.dtype.name != "int64":
        raise RuntimeError(f"one_hot: needs int64 class numbers, got {describe(tensor)}")
    array = everything(tensor)._array
    if num_classes < 0 and array.size == 0:
        raise RuntimeError("one_hot: num_classes must be given for an empty tensor")
    highest = int(array.max()) if array.size else -1
    classes = highest + 1 if num_classes < 0 else num_classes
    if array.size and (int(array.min()) < 0 or highest >= classes):
        raise RuntimeError(
            f"one_hot: class numbers must lie in 0 .. {classes - 1}, got {int(array.min())} .. {highest}"
        )
    line = from_numpy(_arange(classes)).to(place_of(tensor._device))
    return row_by_row(P.cast(P.eq(P.reshape(tensor, (*tensor._array.shape, 1)), line), array.dtype))


def _arange(n: int) -> Any:
    import numpy as np

    return np.arange(n)
