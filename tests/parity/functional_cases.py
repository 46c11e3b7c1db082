"""Calls of nn.functional to be made on both libraries: each takes ``F`` and a source of tensors."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from .functional_source import Source

__all__ = ["CASES", "EMPTY", "KINKED", "RANDOM", "REFUSED"]


Case = Callable[[Any, Source], Any]
CASES: dict[str, Case] = {}

# Convolutions
for n, size in ((1, (9,)), (2, (7, 6)), (3, (5, 4, 6))):
    for label, options in {
        "plain": {}, "stride": {"stride": 2, "padding": 1}, "dilation": {"dilation": 2, "padding": 2},
        "same": {"padding": "same", "dilation": 2}, "valid": {"padding": "valid"},
        "groups": {"groups": 2, "stride": 2, "dilation": 1, "padding": 1},
    }.items():  # fmt: skip
        CASES[f"conv{n}d {label}"] = lambda F, x, n=n, size=size, o=options: getattr(F, f"conv{n}d")(
            x(2, 4, *size), x(6, 4 // o.get("groups", 1), *(2,) * n), x(6), **o
        )
    for label, options in {
        "plain": {}, "stride": {"stride": 2, "padding": 1, "output_padding": 1}, "dilation": {"dilation": 2},
        "groups": {"groups": 2, "stride": 2}, "large output padding": {"dilation": 3, "stride": 2, "output_padding": 2},
    }.items():  # fmt: skip
        CASES[f"conv_transpose{n}d {label}"] = lambda F, x, n=n, o=options: getattr(F, f"conv_transpose{n}d")(
            x(2, 4, *(3,) * n), x(4, 6 // o.get("groups", 1), *(2,) * n), x(6), **o
        )
CASES |= {
    "conv2d without a batch": lambda F, x: F.conv2d(x(3, 5, 5), x(2, 3, 3, 3)),
    "conv2d of places": lambda F, x: F.conv2d(x(2, 3, 4, 4), x(5, 3, 1, 1), x(5)),
    "conv2d by channel": lambda F, x: F.conv2d(x(2, 4, 6, 6), x(8, 1, 3, 3), padding=1, groups=4),
    "conv2d uneven": lambda F, x: F.conv2d(x(1, 2, 9, 8), x(3, 2, 3, 2), None, (2, 1), (1, 0), (1, 3)),
    "conv_tbc": lambda F, x: x.lib.conv_tbc(x(7, 2, 3), x(3, 3, 4), x(4), 1),
    "unfold": lambda F, x: F.unfold(x(2, 3, 6, 7), (2, 3), dilation=2, padding=1, stride=(1, 2)),
    "fold": lambda F, x: F.fold(x(2, 12, 9), (5, 6), (2, 2), dilation=2, padding=1, stride=(2, 2)),
    "fold without a batch": lambda F, x: F.fold(x(8, 12), (4, 5), 2),
}

# Pooling
for n, size in ((1, (9,)), (2, (7, 8)), (3, (5, 6, 7))):
    for label, options in {
        "plain": {}, "overlapping": {"stride": 1, "padding": 1}, "ceil": {"stride": 2, "ceil_mode": True},
        "ceil and padding": {"stride": 2, "padding": 1, "ceil_mode": True},
    }.items():  # fmt: skip
        CASES[f"avg_pool{n}d {label}"] = lambda F, x, n=n, size=size, o=options: getattr(F, f"avg_pool{n}d")(
            x(2, 2, *size), 3, **o
        )
        CASES[f"avg_pool{n}d without the padding {label}"] = lambda F, x, n=n, size=size, o=options: getattr(
            F, f"avg_pool{n}d"
        )(x(2, 2, *size), 3, count_include_pad=False, **o)
        CASES[f"max_pool{n}d {label}"] = lambda F, x, n=n, size=size, o=options: getattr(F, f"max_pool{n}d")(
            x(2, 2, *size), 3, return_indices=True, **o
        )
    for label, output in {"one": 1, "even": 3, "uneven": (4, 5, 3)[:n], "larger": 11}.items():
        for kind in ("avg", "max"):
            CASES[f"adaptive_{kind}_pool{n}d {label}"] = lambda F, x, n=n, k=kind, size=size, out=output: getattr(
                F, f"adaptive_{k}_pool{n}d"
            )(x(2, 2, *size), out)
    CASES[f"max_pool{n}d dilated"] = lambda F, x, n=n, size=size: getattr(F, f"max_pool{n}d")(
        x(2, 2, *size), 2, stride=2, padding=1, dilation=2, return_indices=True
    )
    CASES[f"max_unpool{n}d"] = lambda F, x, n=n: getattr(F, f"max_unpool{n}d")(
        *getattr(F, f"max_pool{n}d")(x(2, 2, *(6,) * n), 2, return_indices=True), 2
    )
    CASES[f"lp_pool{n}d"] = lambda F, x, n=n, size=size: getattr(F, f"lp_pool{n}d")(x(2, 2, *size, low=0.2), 3, 2, 2)
CASES |= {
    "avg_pool2d divisor": lambda F, x: F.avg_pool2d(x(2, 2, 6, 6), 2, divisor_override=3),
    "adaptive_avg_pool2d None": lambda F, x: F.adaptive_avg_pool2d(x(2, 2, 6, 5), (None, 3)),
    "adaptive_max_pool2d indices": lambda F, x: F.adaptive_max_pool2d(x(2, 7, 6), (3, 4), return_indices=True),
    "max_pool2d of equals": lambda F, x: F.max_pool2d(x.of(np.ones((1, 1, 6, 6))), 3, 2, 1, return_indices=True),
    "max_pool2d of infinities": lambda F, x: F.max_pool2d(
        x.of(np.full((1, 1, 4, 4), -np.inf)), 3, 2, 1, return_indices=True
    ),
    "max_unpool2d to a size": lambda F, x: F.max_unpool2d(
        *F.max_pool2d(x(1, 2, 5, 5), 2, return_indices=True), 2, output_size=(5, 5)
    ),
}

# Sizes and grids
for mode, n in (("nearest", 1), ("nearest-exact", 2), ("linear", 1), ("bilinear", 2), ("bicubic", 2), ("trilinear", 3),
                ("area", 2), ("nearest", 3)):  # fmt: skip
    for label, options in {"larger": {"size": (7, 9, 8)[:n]}, "smaller": {"size": (3, 2, 4)[:n]},
                           "by a factor": {"scale_factor": 1.7}, "by a recomputed factor": {
                               "scale_factor": 0.6, "recompute_scale_factor": True}}.items():  # fmt: skip
        CASES[f"interpolate {mode} {n} {label}"] = lambda F, x, n=n, mode=mode, o=options: F.interpolate(
            x(2, 2, *(5, 6, 4)[:n]), mode=mode, **o
        )
        if "linear" in mode or mode == "bicubic":
            CASES[f"interpolate {mode} {n} {label}, corners"] = lambda F, x, n=n, mode=mode, o=options: F.interpolate(
                x(2, 2, *(5, 6, 4)[:n]), mode=mode, align_corners=True, **o
            )
        if mode in ("bilinear", "bicubic"):
            CASES[f"interpolate {mode} {label}, smooth"] = lambda F, x, mode=mode, o=options: F.interpolate(
                x(2, 2, 9, 8), mode=mode, antialias=True, **o
            )
for mode, padding, corners in itertools.product(
    ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (False, True)
):
    CASES[f"grid_sample {mode} {padding} {corners}"] = lambda F, x, m=mode, p=padding, c=corners: F.grid_sample(
        x(2, 3, 4, 5), x(2, 3, 4, 2), m, p, c
    )
    if mode != "bicubic":
        CASES[f"grid_sample volume {mode} {padding} {corners}"] = lambda F, x, m=mode, p=padding, c=corners: (
            F.grid_sample(x(2, 2, 3, 4, 5), x(2, 2, 3, 2, 3), m, p, c)
        )
CASES |= {
    "upsample_nearest": lambda F, x: F.upsample_nearest(x(1, 2, 3, 4), scale_factor=2),
    "upsample_bilinear": lambda F, x: F.upsample_bilinear(x(1, 2, 3, 4), size=(5, 7)),
    "affine_grid": lambda F, x: F.affine_grid(x(2, 2, 3), (2, 3, 4, 5), align_corners=False),
    "affine_grid of a volume": lambda F, x: F.affine_grid(x(2, 3, 4), (2, 3, 2, 1, 3), align_corners=True),
    "pixel_shuffle": lambda F, x: F.pixel_shuffle(x(2, 3, 8, 2, 3), 2),
    "pixel_unshuffle": lambda F, x: F.pixel_unshuffle(x(2, 3, 4, 6), 2),
    "channel_shuffle": lambda F, x: F.channel_shuffle(x(2, 6, 2, 2), 3),
}

# Normalisation
CASES |= {
    "layer_norm": lambda F, x: F.layer_norm(x(3, 4, 5), (4, 5), x(4, 5), x(4, 5)),
    "layer_norm far from zero": lambda F, x: F.layer_norm(x(3, 8, low=100, high=101), (8,)),
    "rms_norm": lambda F, x: F.rms_norm(x(3, 4, 5), (5,), x(5)),
    "rms_norm with eps": lambda F, x: F.rms_norm(x(3, 4), (4,), eps=0.1),
    "group_norm": lambda F, x: F.group_norm(x(2, 6, 3, 2), 3, x(6), x(6), 1e-3),
    "instance_norm": lambda F, x: F.instance_norm(x(2, 3, 4, 2), weight=x(3), bias=x(3)),
    "batch_norm": lambda F, x: F.batch_norm(
        x(4, 3), x.plain([0.1, 0.2, 0.3]), x.plain([1, 2, 3]), x(3), x(3), True, 0.2
    ),
    "batch_norm of images": lambda F, x: F.batch_norm(x(2, 3, 2, 2), None, None, x(3), training=True),
    "batch_norm in evaluation": lambda F, x: F.batch_norm(
        x(4, 3, 2), x.plain([0.1, 0.2, 0.3]), x.plain([1, 2, 3]), x(3), x(3)
    ),
    "native_layer_norm": lambda F, x: x.lib.native_layer_norm(x(3, 4), (4,), x(4), x(4), 1e-5),
    "native_group_norm": lambda F, x: x.lib.native_group_norm(x(2, 4, 3), x(4), x(4), 2, 4, 3, 2, 1e-5),
    "native_batch_norm": lambda F, x: x.lib.native_batch_norm(x(5, 3), x(3), x(3), None, None, True, 0.1, 1e-5),
    "local_response_norm": lambda F, x: F.local_response_norm(x(2, 5, 3), 3, 0.5, 0.7, 1.5),
    "normalize": lambda F, x: F.normalize(x(3, 4), dim=0),
    "normalize 1": lambda F, x: F.normalize(x(3, 4), 1.0),
}


def running(F: Any, x: Source) -> Any:
    mean, var = x.plain([0.5, -1.0, 2.0]), x.plain([1.0, 2.0, 0.5])
    F.batch_norm(x(4, 3, 2), mean, var, training=True, momentum=0.3)
    F.instance_norm(x(4, 3, 2), mean, var, momentum=0.2)
    return F.instance_norm(x(4, 3, 2), mean, var, use_input_stats=False), mean, var


CASES["running statistics"] = running

# Activations, off and on their kinks
KINKED = {
    "elu": lambda F, x: F.elu(x, 1.3), "celu": lambda F, x: F.celu(x, 0.7), "selu": lambda F, x: F.selu(x),
    "mish": lambda F, x: F.mish(x), "hardtanh": lambda F, x: F.hardtanh(x, -1.0, 3.0),
    "relu6": lambda F, x: F.relu6(x), "hardsigmoid": lambda F, x: F.hardsigmoid(x),
    "hardswish": lambda F, x: F.hardswish(x), "threshold": lambda F, x: F.threshold(x, 1.0, -7.0),
    "hardshrink": lambda F, x: F.hardshrink(x, 1.0), "softshrink": lambda F, x: F.softshrink(x, 1.0),
    "softsign": lambda F, x: F.softsign(x), "tanhshrink": lambda F, x: F.tanhshrink(x),
    "softmin": lambda F, x: F.softmin(x, 0), "rrelu": lambda F, x: F.rrelu(x),
    "logsigmoid": lambda F, x: F.logsigmoid(x),
}  # fmt: skip
for name, call in KINKED.items():
    CASES[name] = lambda F, x, call=call: call(F, x(5, 4, low=-5, high=8))
    CASES[f"{name} at kinks"] = lambda F, x, call=call: call(F, x.of([-3.0, -1.0, 0.0, 1.0, 3.0, 6.0]))
    CASES[f"{name} far away"] = lambda F, x, call=call: call(F, x.of([-1000.0, 1000.0, 100.0, -80.0]))
for name in ("elu", "celu", "selu", "mish", "hardtanh", "relu6", "hardsigmoid", "hardswish", "rrelu"):
    CASES[f"{name} in place"] = lambda F, x, name=name: getattr(F, name)(x(5, 4) * 2, inplace=True)
CASES |= {
    "threshold in place": lambda F, x: F.threshold(x(5, 4) * 2, 0.5, 0.1, inplace=True),
    "relu_": lambda F, x: F.relu_(x(5, 4) * 2), "leaky_relu_": lambda F, x: F.leaky_relu_(x(5, 4) * 2, 0.2),
    "elu_": lambda F, x: F.elu_(x(5, 4) * 2, 0.5), "hardtanh_": lambda F, x: F.hardtanh_(x(5, 4) * 2),
    "glu": lambda F, x: F.glu(x(3, 6)), "glu 0": lambda F, x: F.glu(x(4, 3), 0),
    "prelu": lambda F, x: F.prelu(x(2, 3, 4), x(3)), "prelu 1": lambda F, x: F.prelu(x(2, 3), x(1)),
    "prelu of a vector": lambda F, x: F.prelu(x.of([-1.0, 0.0, 2.0]), x(1)),
}  # fmt: skip

# Distances and tables
CASES |= {
    "cosine_similarity": lambda F, x: F.cosine_similarity(x(3, 4), x(1, 4), 1),
    "cosine_similarity of zeros": lambda F, x: F.cosine_similarity(x.of(np.zeros((2, 3))), x(2, 3), 1),
    "pairwise_distance": lambda F, x: F.pairwise_distance(x(3, 4), x(3, 4), 3.0, keepdim=True),
    "pdist": lambda F, x: F.pdist(x(4, 3)), "pdist 1": lambda F, x: F.pdist(x(4, 3), 1.0),
    "pdist inf": lambda F, x: F.pdist(x(4, 3), float("inf")),
    "bilinear": lambda F, x: F.bilinear(x(2, 3, 4), x(2, 3, 5), x(6, 4, 5), x(6)),
    "embedding": lambda F, x: F.embedding(x.ints([[1, 0], [3, 3]]), x(4, 3), padding_idx=-1),
    "embedding by frequency": lambda F, x: F.embedding(x.ints([1, 1, 2]), x(4, 3), scale_grad_by_freq=True),
    "embedding of main": lambda F, x: x.lib.embedding(x(4, 3), x.ints([1, 1, 2]), 1),
    "embedding_bag max of equals": lambda F, x: F.embedding_bag(
        x.ints([1, 1, 0, 2, 0]), x(4, 3), x.ints([0, 3, 3]), mode="max"
    ),
    "embedding_bag factors": lambda F, x: F.embedding_bag(
        x.ints([[1, 2], [0, 3]]), x(4, 3), mode="sum", per_sample_weights=x(2, 2), padding_idx=3
    ),
    "embedding_bag last offset": lambda F, x: F.embedding_bag(
        x.ints([1, 2, 3, 0]), x(4, 3), x.ints([0, 1, 4]), mode="mean", include_last_offset=True, padding_idx=2
    ),
}  # fmt: skip


def limited(F: Any, x: Source) -> Any:
    table = x.plain(np.arange(12.0).reshape(4, 3))
    return F.embedding(x.ints([1, 3]), table, max_norm=2.0, norm_type=1.0), table


CASES["embedding with max_norm"] = limited

# Attention
BANNED = np.array([[False, True, False], [True, True, True], [False, False, False], [True, False, True]])
for label, options in {
    "plain": {}, "causal": {"is_causal": True}, "scale": {"scale": 0.3}, "negative scale": {"scale": -0.3},
}.items():  # fmt: skip
    CASES[f"attention {label}"] = lambda F, x, o=options: F.scaled_dot_product_attention(
        x(2, 2, 4, 5), x(2, 2, 3, 5), x(2, 2, 3, 6), **o
    )
CASES |= {
    "attention bool mask": lambda F, x: F.scaled_dot_product_attention(
        x(2, 4, 5), x(2, 3, 5), x(2, 3, 6), attn_mask=x.flags(~BANNED)
    ),
    "attention added mask": lambda F, x: F.scaled_dot_product_attention(
        x(2, 4, 5), x(2, 3, 5), x(2, 3, 6), attn_mask=x(4, 3)
    ),
    "attention grouped": lambda F, x: F.scaled_dot_product_attention(
        x(2, 4, 3, 5), x(2, 2, 3, 5), x(2, 2, 3, 5), enable_gqa=True
    ),
}


def heads(F: Any, x: Source, *, batch: int | None = 2, separate: bool = False, biases: bool = False, mask: str = "",
          padding: str = "", **options: Any) -> Any:  # fmt: skip
    lead = () if batch is None else (batch,)
    q, k, v = x(4, *lead, 6), x(3, *lead, 6), x(3, *lead, 6)
    extra = [x(1, 1, 6), x(1, 1, 6)] if biases else [None, None]
    if separate:
        options |= {"use_separate_proj_weight": True, "q_proj_weight": x(6, 6), "k_proj_weight": x(6, 6),
                    "v_proj_weight": x(6, 6)}  # fmt: skip
    some = BANNED & [True, True, False]
    masks = {"bool": lambda: x.flags(some), "float": lambda: x(4, 3), "": lambda: None,
             "heads": lambda: x.flags(np.broadcast_to(some, (2 * (batch or 1), 4, 3)))}  # fmt: skip
    hidden = [[False, False, True], [False, False, False]][: batch or 1]
    options["attn_mask"] = masks[mask]()
    if padding:
        options["key_padding_mask"] = x.flags(hidden if batch else hidden[0])
    return F.multi_head_attention_forward(
        q, k, v, 6, 2, None if separate else x(18, 6), x(18), *extra, options.pop("zero", False),
        options.pop("drop", 0.0), x(6, 6), x(6), **options,
    )  # fmt: skip


for label, options in {
    "plain": {}, "no weights": {"need_weights": False}, "no batch": {"batch": None},
    "each head": {"average_attn_weights": False}, "separate": {"separate": True}, "biases": {"biases": True},
    "zero place": {"zero": True, "biases": True, "padding": "bool"}, "bool mask": {"mask": "bool"},
    "added mask": {"mask": "float", "need_weights": False}, "mask of heads": {"mask": "heads"},
    "padding": {"padding": "bool"}, "both masks": {"padding": "bool", "mask": "bool", "need_weights": False},
    "both masks, no batch": {"padding": "bool", "mask": "bool", "batch": None},
}.items():  # fmt: skip
    CASES[f"heads {label}"] = lambda F, x, o=options: heads(F, x, **o)

# Losses
SIGNS = [[1, -1, 1], [-1, 1, -1]]
for reduction in ("mean", "sum", "none"):
    CASES |= {f"{name} {reduction}": lambda F, x, call=call, r=reduction: call(F, x, r) for name, call in {
        "margin_ranking_loss": lambda F, x, r: F.margin_ranking_loss(x(4), x(4), x(4), 0.3, reduction=r),
        "hinge_embedding_loss": lambda F, x, r: F.hinge_embedding_loss(x(2, 3), x.plain(SIGNS), 0.8, reduction=r),
        "soft_margin_loss": lambda F, x, r: F.soft_margin_loss(x(2, 3), x.plain(SIGNS), reduction=r),
        "cosine_embedding_loss": lambda F, x, r: F.cosine_embedding_loss(
            x(3, 4), x(3, 4), x.ints([1, -1, 1]), -0.5, reduction=r),
        "triplet_margin_loss": lambda F, x, r: F.triplet_margin_loss(
            x(3, 4), x(3, 4), x(3, 4), 2.0, 3, swap=True, reduction=r),
        "triplet_margin_with_distance_loss": lambda F, x, r: F.triplet_margin_with_distance_loss(
            x(3, 4), x(3, 4), x(3, 4), distance_function=lambda a, b: (a - b).abs().sum(-1), reduction=r),
        "multi_margin_loss": lambda F, x, r: F.multi_margin_loss(
            x(3, 4), x.ints([1, 0, 3]), 2, 0.7, x.plain([1, 2, 3, 4]), reduction=r),
        "multi_margin_loss of a row": lambda F, x, r: F.multi_margin_loss(x(4), x.ints(2), reduction=r),
        "multilabel_margin_loss": lambda F, x, r: F.multilabel_margin_loss(
            x(3, 4), x.ints([[1, 2, -1, 0], [-1, 1, 2, 3], [3, 0, 1, 2]]), reduction=r),
        "multilabel_soft_margin_loss": lambda F, x, r: F.multilabel_soft_margin_loss(
            x(2, 3), x(2, 3, low=0, high=1), x.plain([1, 2, 3]), reduction=r),
        "kl_div": lambda F, x, r: F.kl_div(x(2, 3), x(2, 3, low=0.1), reduction=r),
        "kl_div of logarithms": lambda F, x, r: F.kl_div(x(2, 3), x(2, 3), reduction=r, log_target=True),
        "poisson_nll_loss": lambda F, x, r: F.poisson_nll_loss(x(2, 3), x(2, 3, low=0, high=5), full=True, reduction=r),
        "poisson_nll_loss of means": lambda F, x, r: F.poisson_nll_loss(
            x(2, 3, low=0.1), x(2, 3, low=0, high=5), False, reduction=r),
        "gaussian_nll_loss": lambda F, x, r: F.gaussian_nll_loss(
            x(2, 3), x(2, 3), x.of([[0.5, 1e-9, 1.0], [1.0, 2.0, 3.0]]), full=True, reduction=r),
        "gaussian_nll_loss of rows": lambda F, x, r: F.gaussian_nll_loss(x(2, 3), x(2, 3), x(2, low=1), reduction=r),
        "linear_cross_entropy": lambda F, x, r: F.linear_cross_entropy(
            x(4, 3), x(5, 3), x.ints([0, 1, 4, -100]), linear_bias=x(5), reduction=r, label_smoothing=0.1),
        "ctc_loss": lambda F, x, r: F.ctc_loss(
            F.log_softmax(x(7, 3, 5), 2), x.ints([[1, 1, 2], [3, 4, 0], [2, 0, 0]]), x.ints([7, 5, 6]),
            x.ints([3, 2, 1]), reduction=r),
        "ctc_loss of one line": lambda F, x, r: F.ctc_loss(
            F.log_softmax(x(7, 3, 5), 2), x.ints([1, 2, 3, 1]), (7, 7, 4), (3, 0, 1), blank=4, reduction=r),
        "ctc_loss too long": lambda F, x, r: F.ctc_loss(
            F.log_softmax(x(3, 2, 4), 2), x.ints([[1, 1, 1], [1, 2, 0]]), (3, 3), (3, 2), reduction=r,
            zero_infinity=True),
    }.items()}  # fmt: skip
CASES |= {
    "kl_div batchmean": lambda F, x: F.kl_div(x(4, 3), x(4, 3, low=0.1), reduction="batchmean"),
    "ctc_loss without a batch": lambda F, x: F.ctc_loss(
        F.log_softmax(x(6, 4), 1), x.ints([1, 2, 2]), x.ints(6), x.ints(3)
    ),
    "ctc_loss by itself": lambda F, x: F.ctc_loss(x(5, 2, 4), x.ints([[1, 2], [3, 1]]), (5, 4), (2, 2)),
    "triplet_margin_loss of a row": lambda F, x: F.triplet_margin_loss(x(4), x(4), x(4)),
}

# Nothing in the batch
EMPTY: dict[str, Case] = {
    "conv2d": lambda F, x: F.conv2d(x(0, 3, 5, 5), x(4, 3, 3, 3), x(4), padding=1),
    "conv_transpose2d": lambda F, x: F.conv_transpose2d(x(0, 3, 5, 5), x(3, 4, 3, 3), x(4), stride=2),
    "avg_pool2d": lambda F, x: F.avg_pool2d(x(0, 3, 6, 6), 2, padding=1),
    "max_pool2d": lambda F, x: F.max_pool2d(x(0, 3, 6, 6), 2, return_indices=True),
    "adaptive_avg_pool2d": lambda F, x: F.adaptive_avg_pool2d(x(0, 3, 6, 6), 4),
    "adaptive_max_pool2d": lambda F, x: F.adaptive_max_pool2d(x(0, 3, 6, 6), 4),
    "layer_norm": lambda F, x: F.layer_norm(x(0, 4), (4,), x(4), x(4)),
    "group_norm": lambda F, x: F.group_norm(x(0, 4, 3), 2, x(4), x(4)),
    "interpolate": lambda F, x: F.interpolate(x(0, 2, 3, 3), size=(4, 5), mode="bilinear"),
    "grid_sample": lambda F, x: F.grid_sample(x(0, 2, 3, 3), x(0, 2, 2, 2), align_corners=False),
    "glu": lambda F, x: F.glu(x(0, 4)),
    "cosine_similarity": lambda F, x: F.cosine_similarity(x(0, 4), x(0, 4)),
    "embedding": lambda F, x: F.embedding(x.ints(np.zeros((0,))), x(4, 3)),
    "attention": lambda F, x: F.scaled_dot_product_attention(x(0, 4, 5), x(0, 3, 5), x(0, 3, 5)),
    "unfold": lambda F, x: F.unfold(x(0, 3, 4, 4), 2),
    "hardtanh": lambda F, x: F.hardtanh(x(0, 3)),
}

# The same random numbers
RANDOM: dict[str, Case] = {
    "dropout1d": lambda F, x: F.dropout1d(x(3, 8, 2), 0.4),
    "dropout1d without a batch": lambda F, x: F.dropout1d(x(8, 2), 0.4),
    "dropout2d": lambda F, x: F.dropout2d(x(3, 8, 2, 2), 0.4),
    "dropout3d": lambda F, x: F.dropout3d(x(3, 8, 2, 2, 2), 0.4),
    "dropout2d in place": lambda F, x: F.dropout2d(x(3, 8, 2, 2) * 2, 0.4, inplace=True),
    "alpha_dropout": lambda F, x: F.alpha_dropout(x(5, 7), 0.4, True),
    "feature_alpha_dropout": lambda F, x: F.feature_alpha_dropout(x(3, 8, 2), 0.4, True),
    "dropout everything": lambda F, x: F.dropout2d(x(3, 4, 2, 2), 1.0),
    "dropout nothing": lambda F, x: F.alpha_dropout(x(3, 4), 0.5, False),
    "dropout of main": lambda F, x: x.lib.dropout(x(5, 7), 0.3, True),
    "rrelu": lambda F, x: F.rrelu(x(5, 7), 0.1, 0.6, training=True),
    "gumbel_softmax": lambda F, x: F.gumbel_softmax(x(5, 4), 0.7),
    "gumbel_softmax hard": lambda F, x: F.gumbel_softmax(x(5, 4), hard=True, dim=0),
    "attention": lambda F, x: F.scaled_dot_product_attention(x(2, 4, 5), x(2, 3, 5), x(2, 3, 5), dropout_p=0.4),
    "heads": lambda F, x: heads(F, x, drop=0.4),
}

# What both must refuse, with an error of the same class that names the operation
REFUSED: dict[str, Case] = {
    "conv2d: channels": lambda F, x: F.conv2d(x(1, 3, 5, 5), x(2, 4, 3, 3)),
    "conv2d: kernel": lambda F, x: F.conv2d(x(1, 3, 2, 2), x(2, 3, 3, 3)),
    "conv2d: stride": lambda F, x: F.conv2d(x(1, 3, 5, 5), x(2, 3, 3, 3), stride=0),
    "conv2d: same": lambda F, x: F.conv2d(x(1, 3, 5, 5), x(2, 3, 3, 3), stride=2, padding="same"),
    "conv2d: groups": lambda F, x: F.conv2d(x(1, 4, 5, 5), x(3, 2, 3, 3), groups=2),
    "conv_transpose2d: output_padding": lambda F, x: F.conv_transpose2d(x(1, 3, 5, 5), x(3, 2, 3, 3), output_padding=1),
    "max_pool2d: padding": lambda F, x: F.max_pool2d(x(1, 3, 5, 5), 2, padding=2),
    "avg_pool2d: kernel": lambda F, x: F.avg_pool2d(x(1, 3, 5, 5), 7),
    "layer_norm: shape": lambda F, x: F.layer_norm(x(3, 4), (5,)),
    "group_norm: groups": lambda F, x: F.group_norm(x(3, 4), 3),
    "batch_norm: single": lambda F, x: F.batch_norm(x(1, 4), None, None, training=True),
    "batch_norm: statistics": lambda F, x: F.batch_norm(x(2, 4), None, None),
    "embedding: out of range": lambda F, x: F.embedding(x.ints([4]), x(4, 3)),
    "embedding: negative": lambda F, x: F.embedding(x.ints([-1]), x(4, 3)),
    "glu: odd": lambda F, x: F.glu(x(3, 5)),
    "prelu: channels": lambda F, x: F.prelu(x(2, 3), x(2)),
    "dropout2d: probability": lambda F, x: F.dropout2d(x(2, 3, 2, 2), 1.5),
    "interpolate: size": lambda F, x: F.interpolate(x(1, 2, 3), size=3, scale_factor=2.0),
    "interpolate: corners": lambda F, x: F.interpolate(x(1, 2, 3), size=3, align_corners=True),
    "grid_sample: grid": lambda F, x: F.grid_sample(x(1, 2, 3, 3), x(1, 2, 2, 3)),
    "pixel_shuffle: channels": lambda F, x: F.pixel_shuffle(x(1, 3, 2, 2), 2),
    "triplet_margin_loss: margin": lambda F, x: F.triplet_margin_loss(x(4), x(4), x(4), -1.0),
    "multi_margin_loss: p": lambda F, x: F.multi_margin_loss(x(2, 3), x.ints([0, 1]), 3),
    "bilinear: sizes": lambda F, x: F.bilinear(x(2, 3), x(2, 4), x(2, 4, 4)),
    "pdist: vector": lambda F, x: F.pdist(x(3)),
    "celu: alpha": lambda F, x: F.celu(x(3), 0.0),
}
