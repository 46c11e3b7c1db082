"""Modules that PyTorch's database leaves out, or options of which it has no sample: how to build them and their input.

A case is ``(build(lib), inputs(lib))``; both libraries run it from the same seed.
"""

from __future__ import annotations


def image(lib, *shape):
    return lib.randn(*(shape or (2, 4, 6, 6)), requires_grad=True)


def bags(lib):
    return lib.tensor([1, 2, 4, 5, 4, 3, 2, 9]), lib.tensor([0, 4])


def pooled(lib, n):
    """What a max pooling gave, and where it was."""
    x = lib.randn(2, 3, *(6,) * n)
    return getattr(lib.nn.functional, f"max_pool{n}d")(x, 2, return_indices=True)


def packed(lib, sorted_already=False):
    lengths = [5, 3, 2] if sorted_already else [2, 5, 3]
    rows = [lib.randn(n, 4) for n in lengths]
    return (lib.nn.utils.rnn.pack_sequence(rows, enforce_sorted=sorted_already),)


def start(lib, layers, batch, *widths):
    states = tuple(lib.randn(layers, batch, w, requires_grad=True) for w in widths)
    return states if len(states) > 1 else states[0]


CASES = {
    "conv same": (lambda nn: nn.Conv2d(4, 6, 3, padding="same", dilation=2), image),
    "conv reflect": (lambda nn: nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect"), image),
    "conv same circular": (lambda nn: nn.Conv2d(4, 6, (2, 3), padding="same", padding_mode="circular"), image),
    "conv replicate groups": (lambda nn: nn.Conv2d(4, 6, 3, padding=2, padding_mode="replicate", groups=2), image),
    "conv no bias": (lambda nn: nn.Conv1d(4, 6, 3, stride=2, bias=False), lambda lib: image(lib, 2, 4, 9)),
    "conv transposed": (
        lambda nn: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), image,
    ),
    "conv transposed size": (
        lambda nn: nn.ConvTranspose2d(4, 6, 3, stride=2), lambda lib: (image(lib), [14, 13]),
    ),
    "batch norm": (lambda nn: nn.BatchNorm2d(4), image),
    "batch norm cumulative": (lambda nn: nn.BatchNorm2d(4, momentum=None), image),
    "batch norm no stats": (lambda nn: nn.BatchNorm2d(4, track_running_stats=False), image),
    "batch norm no bias": (lambda nn: nn.BatchNorm2d(4, bias=False), image),
    "sync batch norm": (lambda nn: nn.SyncBatchNorm(4), image),
    "converted": (
        lambda nn: nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))), image,
    ),
    "lazy batch norm": (lambda nn: nn.LazyBatchNorm2d(), image),
    "lazy instance norm": (lambda nn: nn.LazyInstanceNorm2d(), image),
    "lazy linear": (lambda nn: nn.LazyLinear(3), lambda lib: image(lib, 5, 7)),
    "lazy model": (lambda nn: nn.Sequential(nn.LazyConv2d(3, 3), nn.Flatten(), nn.LazyLinear(2, bias=False)), image),
    "instance norm affine": (lambda nn: nn.InstanceNorm2d(4, affine=True, track_running_stats=True), image),
    "group norm no bias": (lambda nn: nn.GroupNorm(2, 4, bias=False), image),
    "layer norm plain": (lambda nn: nn.LayerNorm([6, 6], elementwise_affine=False), image),
    "cross map": (lambda nn: nn.CrossMapLRN2d(3, k=2), image),
    "rms norm": (lambda nn: nn.RMSNorm(6, eps=1e-3), image),
    "dropout": (lambda nn: nn.Dropout(0.3), image),
    "dropout 1": (lambda nn: nn.Dropout1d(0.3), lambda lib: image(lib, 2, 4, 6)),
    "dropout 2": (lambda nn: nn.Dropout2d(0.3), image),
    "dropout 3": (lambda nn: nn.Dropout3d(0.3), lambda lib: image(lib, 2, 4, 2, 3, 3)),
    "alpha dropout": (lambda nn: nn.AlphaDropout(0.3), image),
    "feature alpha dropout": (lambda nn: nn.FeatureAlphaDropout(0.3), image),
    "rrelu": (lambda nn: nn.RReLU(0.1, 0.4), image),
    "prelu": (lambda nn: nn.PReLU(4, 0.1), image),
    "hardsigmoid": (lambda nn: nn.Hardsigmoid(), image),
    "hardswish in place": (lambda nn: nn.Sequential(nn.Conv2d(4, 4, 1), nn.Hardswish(True)), image),
    "relu6 in place": (lambda nn: nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU6(True)), image),
    "threshold": (lambda nn: nn.Threshold(0.1, 20), image),
    "softmax 2d": (lambda nn: nn.Softmax2d(), image),
    "unpool 1": (lambda nn: nn.MaxUnpool1d(2), lambda lib: pooled(lib, 1)),
    "unpool 2": (lambda nn: nn.MaxUnpool2d(2, stride=2), lambda lib: pooled(lib, 2)),
    "unpool 3": (lambda nn: nn.MaxUnpool3d(2), lambda lib: pooled(lib, 3)),
    "pool indices": (lambda nn: nn.MaxPool2d(2, return_indices=True, ceil_mode=True), image),
    "adaptive pool indices": (lambda nn: nn.AdaptiveMaxPool2d((3, None), return_indices=True), image),
    "pixel shuffle": (lambda nn: nn.PixelShuffle(2), image),
    "pixel unshuffle": (lambda nn: nn.PixelUnshuffle(2), image),
    "channel shuffle": (lambda nn: nn.ChannelShuffle(2), image),
    "upsample": (lambda nn: nn.Upsample(scale_factor=2, mode="bilinear"), image),
    "upsample pair": (lambda nn: nn.Upsample(scale_factor=(2, 1.5), mode="bicubic", align_corners=True), image),
    "upsample nearest": (lambda nn: nn.UpsamplingNearest2d(size=(3, 9)), image),
    "upsample bilinear": (lambda nn: nn.UpsamplingBilinear2d(scale_factor=2), image),
    "unfold": (lambda nn: nn.Unfold(3, padding=1, stride=2), image),
    "fold": (lambda nn: nn.Fold((4, 5), 2), lambda lib: image(lib, 2, 12, 12)),
    "flatten": (lambda nn: nn.Flatten(2), image),
    "unflatten": (lambda nn: nn.Unflatten(1, (2, 2)), image),
    "cosine": (lambda nn: nn.CosineSimilarity(), lambda lib: (image(lib), image(lib))),
    "distance": (lambda nn: nn.PairwiseDistance(3.0, keepdim=True), lambda lib: (image(lib, 3, 5), image(lib, 3, 5))),
    "triplet": (lambda nn: nn.TripletMarginLoss(swap=True), lambda lib: tuple(image(lib, 3, 5) for _ in range(3))),
    "triplet distance": (
        lambda nn: nn.TripletMarginWithDistanceLoss(margin=2.0), lambda lib: tuple(image(lib, 3, 5) for _ in range(3)),
    ),
    "nll 2d": (
        lambda nn: nn.NLLLoss2d(), lambda lib: (image(lib).log_softmax(1), lib.randint(0, 4, (2, 6, 6))),
    ),
    "adaptive softmax": (
        lambda nn: nn.AdaptiveLogSoftmaxWithLoss(16, 20, [4, 10], div_value=2.0, head_bias=True),
        lambda lib: (image(lib, 8, 16), lib.tensor([0, 3, 4, 9, 10, 19, 2, 11])),
    ),
    "embedding": (
        lambda nn: nn.Embedding(10, 3, padding_idx=-1, scale_grad_by_freq=True),
        lambda lib: lib.tensor([[1, 9], [1, 2]]),
    ),
    "embedding norm": (lambda nn: nn.Embedding(10, 3, max_norm=1.0), lambda lib: lib.tensor([[1, 4], [5, 2]])),
    "bag sum": (lambda nn: nn.EmbeddingBag(10, 3, mode="sum"), bags),
    "bag mean": (lambda nn: nn.EmbeddingBag(10, 3, padding_idx=4), bags),
    "bag max": (lambda nn: nn.EmbeddingBag(10, 3, mode="max", norm_type=1.0), bags),
    "bilinear": (lambda nn: nn.Bilinear(3, 4, 5), lambda lib: (image(lib, 6, 3), image(lib, 6, 4))),
    "attention kdim": (
        lambda nn: nn.MultiheadAttention(8, 2, kdim=4, vdim=6, add_bias_kv=True, add_zero_attn=True, batch_first=True),
        lambda lib: (image(lib, 3, 5, 8), image(lib, 3, 7, 4), image(lib, 3, 7, 6)),
    ),
    "decoder": (
        lambda nn: nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, 0.0), 2, nn.LayerNorm(8)),
        lambda lib: (image(lib, 5, 3, 8), image(lib, 7, 3, 8), lib.nn.Transformer.generate_square_subsequent_mask(5)),
    ),
    "encoder dropout": (lambda nn: nn.TransformerEncoderLayer(8, 2, 16, 0.2), lambda lib: image(lib, 5, 3, 8)),
    "transformer": (
        lambda nn: nn.Transformer(8, 2, 1, 2, 16, 0.0, "gelu", batch_first=True, norm_first=True),
        lambda lib: (image(lib, 3, 5, 8), image(lib, 3, 4, 8)),
    ),
    "rnn relu": (lambda nn: nn.RNN(4, 3, 2, "relu"), lambda lib: image(lib, 5, 2, 4)),
    "rnn batch first": (lambda nn: nn.RNN(4, 3, batch_first=True), lambda lib: image(lib, 5, 2, 4)),
    "lstm deep": (
        lambda nn: nn.LSTM(4, 3, 2, bidirectional=True, bias=False),
        lambda lib: (image(lib, 5, 2, 4), start(lib, 4, 2, 3, 3)),
    ),
    "lstm projected": (
        lambda nn: nn.LSTM(4, 5, 2, proj_size=2, bidirectional=True),
        lambda lib: (image(lib, 5, 2, 4), start(lib, 4, 2, 2, 5)),
    ),
    "lstm dropout": (lambda nn: nn.LSTM(4, 3, 3, dropout=0.4), lambda lib: image(lib, 5, 2, 4)),
    "lstm alone": (lambda nn: nn.LSTM(4, 3), lambda lib: image(lib, 5, 4)),
    "gru deep": (
        lambda nn: nn.GRU(4, 3, 2, bidirectional=True, batch_first=True),
        lambda lib: (image(lib, 2, 5, 4), start(lib, 4, 2, 3)),
    ),
    "rnn packed": (lambda nn: nn.RNN(4, 3, 2), packed),
    "lstm packed": (lambda nn: nn.LSTM(4, 3, 2, bidirectional=True), packed),
    "lstm packed sorted": (lambda nn: nn.LSTM(4, 5, proj_size=2, bidirectional=True), lambda lib: packed(lib, True)),
    "lstm packed start": (
        lambda nn: nn.LSTM(4, 3, bidirectional=True), lambda lib: (*packed(lib), start(lib, 2, 3, 3, 3)),
    ),
    "gru packed": (
        lambda nn: nn.GRU(4, 3, bidirectional=True), lambda lib: (*packed(lib), start(lib, 2, 3, 3)),
    ),
    "rnn cell": (lambda nn: nn.RNNCell(4, 3, nonlinearity="relu"), lambda lib: image(lib, 5, 4)),
    "lstm cell": (
        lambda nn: nn.LSTMCell(4, 3, bias=False),
        lambda lib: (image(lib, 5, 4), (lib.randn(5, 3, requires_grad=True), lib.randn(5, 3))),
    ),
    "gru cell alone": (lambda nn: nn.GRUCell(4, 3), lambda lib: (image(lib, 4), image(lib, 3))),
    "module list": (lambda nn: nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 3)]), None),
    "module dict": (lambda nn: nn.ModuleDict({"b": nn.Linear(2, 2), "a": nn.ReLU()}), None),
    "data parallel": (lambda nn: nn.DataParallel(nn.Linear(4, 3)), lambda lib: image(lib, 5, 4)),
    "weight norm": (lambda nn: nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), lambda lib: image(lib, 5, 4)),
    "weight norm whole": (
        lambda nn: nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 3, 2), dim=None), image,
    ),
    "spectral norm": (lambda nn: nn.utils.parametrizations.spectral_norm(nn.Conv2d(4, 3, 2)), image),
    "spectral norm transposed": (
        lambda nn: nn.utils.parametrizations.spectral_norm(nn.ConvTranspose2d(4, 3, 2), n_power_iterations=3), image,
    ),
    "orthogonal": (lambda nn: nn.utils.parametrizations.orthogonal(nn.Linear(4, 3)), lambda lib: image(lib, 5, 4)),
    "orthogonal tall": (lambda nn: nn.utils.parametrizations.orthogonal(nn.Linear(3, 4)), lambda lib: image(lib, 5, 3)),
    "orthogonal square": (
        lambda nn: nn.utils.parametrizations.orthogonal(nn.Linear(4, 4)), lambda lib: image(lib, 5, 4),
    ),
    "orthogonal cayley": (
        lambda nn: nn.utils.parametrizations.orthogonal(nn.Linear(4, 3), orthogonal_map="cayley"),
        lambda lib: image(lib, 5, 4),
    ),
    "orthogonal plain": (
        lambda nn: nn.utils.parametrizations.orthogonal(nn.Linear(4, 3), use_trivialization=False),
        lambda lib: image(lib, 5, 4),
    ),
    "old weight norm": (lambda nn: nn.utils.weight_norm(nn.Linear(4, 3)), lambda lib: image(lib, 5, 4)),
    "old weight norm removed": (
        lambda nn: nn.utils.remove_weight_norm(nn.utils.weight_norm(nn.Linear(4, 3), dim=None)),
        lambda lib: image(lib, 5, 4),
    ),
    "old spectral norm": (lambda nn: nn.utils.spectral_norm(nn.Conv2d(4, 3, 2)), image),
    "old spectral norm removed": (
        lambda nn: nn.utils.remove_spectral_norm(nn.utils.spectral_norm(nn.Linear(4, 3))), lambda lib: image(lib, 5, 4),
    ),
}  # fmt: skip
