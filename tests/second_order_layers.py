"""Layers, activations and losses of `second_order`: lines of expressions, and the larger inputs that they take."""

from __future__ import annotations

import numpy as np

__all__ = ["INPUTS", "WRITTEN"]

RNG = np.random.default_rng(5)


def apart(*shape: int) -> list[object]:
    """Numbers around zero, each at least 0.04 from zero and from every other, so that no maximum or kink is near."""
    values = RNG.permutation(np.prod(shape)) - np.prod(shape) / 2 + 0.5
    return (np.round(values * 0.08, 3)).reshape(shape).tolist()


INPUTS = {
    "signal": apart(1, 2, 6), "kernel": apart(2, 2, 3), "image": apart(1, 2, 4, 4), "filter": apart(2, 2, 2, 2),
    "block": apart(1, 1, 2, 4, 4), "cube": apart(1, 1, 2, 2, 2), "grid": (np.array(apart(1, 2, 2, 2)) * 0.9).tolist(),
    "queries": apart(1, 2, 2), "keys": apart(1, 3, 2), "factors": apart(2, 3, 2), "many": apart(1, 4, 2, 2),
    "pair": [0.7, -1.3],
}  # fmt: skip

WRITTEN = """
F.celu(a) | F.elu(a) | F.selu(a) | F.mish(a) | F.hardshrink(a) * b | F.hardsigmoid(a) * b | F.hardswish(a) | F.hardtanh(a) * b
F.relu6(a) * b | F.softmin(a, 1) | F.softshrink(a) * b | F.softsign(a) | F.tanhshrink(a) | F.threshold(a, 0.5, 2.0) * b | F.prelu(a, n)
F.glu(s * m) | F.rrelu(a, training=False) * b | F.normalize(a) | F.pairwise_distance(a, b) | F.pdist(a) | F.cosine_similarity(a, b)
F.alpha_dropout(a * b, 0.5, False) | F.dropout1d(signal * signal, 0.5, False) | F.dropout2d(image * image, 0.5, False)
F.dropout3d(block * block, 0.5, False) | F.feature_alpha_dropout(image * image, 0.5, False)
F.conv1d(signal, kernel, pair) | F.conv2d(image, filter, stride=2, padding=1) | F.conv3d(block, cube) | F.conv_transpose1d(signal, kernel)
F.conv_transpose2d(image, filter, stride=2) | F.conv_transpose3d(block, cube) | F.bilinear(a, b, factors.transpose(1, 2).reshape(2, 3, 2) @ s[:, [0, 1, 0]])
F.avg_pool1d(signal * signal, 2) | F.avg_pool2d(image * image, 2) | F.avg_pool3d(block * block, 2) | F.max_pool1d(signal * signal * signal, 2)
F.max_pool2d(image ** 3, 2) | F.max_pool3d(block ** 3, 2) | F.adaptive_avg_pool1d(signal ** 2, 3) | F.adaptive_avg_pool2d(image ** 2, 2)
F.adaptive_avg_pool3d(block ** 2, 2) | F.adaptive_max_pool1d(signal ** 3, 3) | F.adaptive_max_pool2d(image ** 3, 2)
F.adaptive_max_pool3d(block ** 3, 2) | F.fractional_max_pool2d(image ** 3, 2, 2, _random_samples=halves(lib, image, 2))
F.fractional_max_pool3d(block ** 3, (1, 2, 2), (1, 2, 2), _random_samples=halves(lib, block, 3)) | F.lp_pool1d(signal ** 2, 2, 2) | F.lp_pool2d(image ** 2, 2, 2) | F.lp_pool3d(block ** 2, 2, 2)
F.batch_norm(a, None, None, training=True) | F.layer_norm(a, (3,), x, y) | F.rms_norm(a, (3,), x) | F.group_norm(image, 2)
F.instance_norm(image) | F.local_response_norm(signal, 2) | F.channel_shuffle(many * many, 2) | F.native_channel_shuffle(many * many, 2)
F.pixel_shuffle(many * many, 2) | F.pixel_unshuffle(image * image, 2) | F.fold(many.reshape(1, 4, 4) ** 2, (3, 3), 2)
F.embedding(lib.tensor([1, 0, 1]), a * b) | F.embedding_bag(lib.tensor([[1, 0], [1, 1]]), a * b)
F.affine_grid(a[None] * b, [1, 1, 2, 2], align_corners=False) | F.grid_sample(image, grid, align_corners=False)
F.interpolate(image ** 2, scale_factor=2, mode='bilinear') | F.interpolate(signal ** 2, size=4) | F.upsample(image ** 2, scale_factor=2)
F.upsample_bilinear(image ** 2, scale_factor=2) | F.upsample_nearest(image ** 2, scale_factor=2)
F.scaled_dot_product_attention(queries, keys, keys * n) | F.kl_div(a, v) | F.poisson_nll_loss(a, p) | F.gaussian_nll_loss(a, b, p)
F.cosine_embedding_loss(a, b, lib.tensor([1, -1]), margin=-0.9) | F.hinge_embedding_loss(a * b, lib.tensor([[1, -1, 1], [1, 1, -1]]), margin=3.0)
F.margin_ranking_loss(x * y, y, lib.tensor([1, -1, 1]), margin=9.0) | F.multi_margin_loss(a * b, lib.tensor([0, 2]), p=2)
F.multilabel_margin_loss(a * b, lib.tensor([[0, 2, -1], [1, -1, 0]])) | F.multilabel_soft_margin_loss(a, v) | F.soft_margin_loss(a, lib.tensor([[1.0, -1.0, 1.0], [1.0, 1.0, -1.0]], dtype=lib.float64))
F.triplet_margin_loss(a, b, p, margin=9.0) | F.triplet_margin_with_distance_loss(a, b, p, margin=9.0)
lib.affine_grid_generator(a[None] * b, [1, 1, 2, 2], False) | lib.convolution(signal, kernel, pair, [1], [0], [1], False, [0], 1)
lib.feature_dropout(image * image, 0.5, False) | lib.grid_sampler(image, grid, 0, 0, False) | lib.grid_sampler_2d(image, grid, 0, 0, False)
lib.grid_sampler_3d(block, (lib.cat([grid, grid[..., :1] * n], -1)[:, None]), 0, 0, False)
lib.max_pool1d_with_indices(signal ** 3, 2) | lib.native_layer_norm(a, (3,), x, y, 1e-5)[0] | lib.native_batch_norm(a, x, y, None, None, True, 0.1, 1e-5)[0]
lib.native_group_norm(image, pair, pair, 1, 2, 16, 2, 1e-5)
F.conv_tbc(t, cube[0, 0], pair) | F.ctc_loss(keys.transpose(0, 1).log_softmax(-1), lib.tensor([[1]]), lib.tensor([3]), lib.tensor([1]))
F.max_unpool1d(signal[:, :, :2] ** 2, lib.tensor([[[0, 3], [1, 2]]]), 2) | F.max_unpool2d(image[:, :, :2, :2] ** 2, lib.tensor([[[[0, 3], [9, 14]], [[1, 2], [8, 15]]]]), 2)
F.max_unpool3d(block[:, :, :1, :2, :2] ** 2, lib.tensor([[[[[0, 3], [9, 30]]]]]), 2) | F.linear_cross_entropy(a, b, lib.tensor([1, 0]))
F.grouped_mm(s, queries.transpose(1, 2), offs=lib.tensor([2])) | F.grouped_mm(a, b.T, offs=lib.tensor([1, 3])) | F.grouped_mm(queries, keys.transpose(1, 2))
F.multi_head_attention_forward(queries.transpose(0, 1), keys.transpose(0, 1), keys.transpose(0, 1) * n, 2, 1, factors.reshape(6, 2), None, None, None, False, 0.0, s, None, training=False, need_weights=False)[0]
"""  # noqa: E501
