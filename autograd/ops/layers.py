"""The functions of layers that PyTorch has in its main namespace too, there with the signatures of its kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from ..writes import write
from . import activation, avg_pool, conv, distance, dropout, embedding, grid, max_pool, normalize, pixels
from .args import check_tensor

__all__ = ["FUNCTIONS", "METHODS"]


# Normalisation: the parameters in another order, and a switch for cuDNN, which counts for nothing


def _layer_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Tensor:  # fmt: skip
    return normalize.layer_norm(input, normalized_shape, weight, bias, eps)


def _group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Tensor:  # fmt: skip
    return normalize.group_norm(input, num_groups, weight, bias, eps)


def _batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    return normalize.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def _instance_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    return normalize.instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )  # fmt: skip


# Embedding: the table first, and -1 for no padding


def _embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Tensor:
    padding = None if padding_idx < 0 else padding_idx
    return embedding.embedding(indices, weight, padding, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)


# Dropout: `train` in place of `training`, and without defaults


def _dropout(input: Tensor, p: float, train: bool) -> Tensor:
    check_tensor("dropout", "input", input)
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout: the probability must lie between 0 and 1, got {p}")
    return dropout.scaled_dropout("dropout", input, p) if train and p and input._array.size else input


def _alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    return dropout.alpha_dropout(input, p, train)


def _feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    return dropout.feature_alpha_dropout(input, p, train)


def _in_place(name: str, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def operation(input: Tensor, p: float, train: bool) -> Tensor:
        made = function(input, p, train)
        return input if made is input else write(name, input, lambda _: made)

    operation.__name__ = operation.__qualname__ = name
    operation.__doc__ = f"``{name[:-1]}`` in place."
    return operation


# Pooling: the indices always, or never


def _max_pool(n: int) -> Callable[..., Tensor]:
    function = getattr(max_pool, f"max_pool{n}d")

    def operation(
        input: Tensor, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
    ) -> Tensor:
        made: Tensor = function(input, kernel_size, stride, padding, dilation, ceil_mode)
        return made

    operation.__name__ = operation.__qualname__ = f"max_pool{n}d"
    operation.__doc__ = function.__doc__
    return operation


def _adaptive_max_pool1d(input: Tensor, output_size: Any) -> Any:
    return max_pool.adaptive_max_pool1d(input, output_size, True)


def _known_as(name: str, function: Callable[..., Any], like: Callable[..., Any]) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = like.__doc__
    return function


DROPOUTS: dict[str, Callable[..., Tensor]] = {
    "dropout": _known_as("dropout", _dropout, dropout.scaled_dropout),
    "alpha_dropout": _known_as("alpha_dropout", _alpha_dropout, dropout.alpha_dropout),
    "feature_alpha_dropout": _known_as(
        "feature_alpha_dropout", _feature_alpha_dropout, dropout.feature_alpha_dropout
    ),
    "feature_dropout": dropout.feature_dropout,
}  # fmt: skip

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(conv, name) for name in conv.__all__ if name not in ("fold", "unfold")},
    **{name: getattr(distance, name) for name in distance.__all__},
    **{name: getattr(pixels, name) for name in pixels.__all__},
    **{name: getattr(normalize, name) for name in (
        "native_batch_norm", "native_group_norm", "native_layer_norm", "rms_norm")},
    **{name: getattr(activation, name) for name in (
        "celu_", "hardshrink", "prelu", "rrelu_", "selu_", "threshold_")},
    "celu": activation.celu, "selu": activation.selu, "rrelu": activation.rrelu, "threshold": activation.threshold,
    "layer_norm": _known_as("layer_norm", _layer_norm, normalize.layer_norm),
    "group_norm": _known_as("group_norm", _group_norm, normalize.group_norm),
    "batch_norm": _known_as("batch_norm", _batch_norm, normalize.batch_norm),
    "instance_norm": _known_as("instance_norm", _instance_norm, normalize.instance_norm),
    "embedding": _known_as("embedding", _embedding, embedding.embedding),
    "embedding_renorm_": embedding.embedding_renorm_,
    **DROPOUTS,
    **{name + "_": _in_place(name + "_", function) for name, function in DROPOUTS.items()},
    **{f"max_pool{n}d": _max_pool(n) for n in (1, 2, 3)},
    "max_pool1d_with_indices": max_pool.max_pool1d_with_indices,
    "avg_pool1d": avg_pool.avg_pool1d, "adaptive_avg_pool1d": avg_pool.adaptive_avg_pool1d,
    "adaptive_max_pool1d": _known_as("adaptive_max_pool1d", _adaptive_max_pool1d, max_pool.adaptive_max_pool1d),
    "grid_sampler": grid.grid_sampler, "grid_sampler_2d": grid.grid_sampler, "grid_sampler_3d": grid.grid_sampler,
    "affine_grid_generator": grid.affine_grid_generator,
}  # fmt: skip

METHODS: dict[str, Callable[..., Any]] = {"hardshrink": activation.hardshrink, "prelu": activation.prelu}
