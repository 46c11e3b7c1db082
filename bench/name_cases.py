"""The names that ``bench.names`` measures: what public training scripts call most, at a number of elements.

The builders come of ``bench.name_inputs``. Both files are imported by their bare names: a worker, which runs outside
the repository, has this folder alone on its path.
"""

from __future__ import annotations

from name_inputs import (
    Build,
    affine_grid,
    attention,
    batch,
    both,
    classes,
    clip,
    draw,
    embedding,
    forward,
    from_numpy,
    grid_sample,
    heads,
    images,
    index,
    initial,
    likely,
    loss,
    lstm_cell,
    mask,
    matrix,
    module,
    optimizer,
    orthogonal,
    positive,
    rates,
    sequence,
    side,
    tensor,
    unit,
    vector,
    well_posed,
)

__all__ = ["NAMES", "SIZES"]

SIZES = {"1 k": 1 << 10, "1 M": 1 << 20}


_CREATED: dict[str, Build] = {
    "zeros": draw(lambda tg, n: tg.zeros(n)),
    "ones": draw(lambda tg, n: tg.ones(n)),
    "empty": draw(lambda tg, n: tg.empty(n)),
    "full": draw(lambda tg, n: tg.full((n,), 0.5)),
    "eye": draw(lambda tg, n: tg.eye(side(n))),
    "arange": draw(lambda tg, n: tg.arange(n)),
    "linspace": draw(lambda tg, n: tg.linspace(0, 1, n)),
    "tensor": tensor,
    "from_numpy": from_numpy,
    "randn": draw(lambda tg, n: tg.randn(n)),
    "rand": draw(lambda tg, n: tg.rand(n)),
    "randint": draw(lambda tg, n: tg.randint(0, 100, (n,))),
    "randperm": draw(lambda tg, n: tg.randperm(n)),
    "normal": forward(lambda tg, x: tg.normal(0.0, x), lambda tg, n: tg.rand(n)),
    "randn_like": forward(lambda tg, x: tg.randn_like(x)),
    "ones_like": forward(lambda tg, x: tg.ones_like(x)),
    "zeros_like": forward(lambda tg, x: tg.zeros_like(x)),
    "new_zeros": forward(lambda tg, x: x.new_zeros(x.shape)),
    "multinomial": forward(lambda tg, p: tg.multinomial(p, 4, replacement=True), likely),
    "meshgrid": draw(lambda tg, n: tg.meshgrid(tg.arange(side(n)), tg.arange(side(n)), indexing="ij")),
    "init.normal_": initial("normal_", 0.0, 0.1),
    "init.uniform_": initial("uniform_", -0.1, 0.1),
    "init.xavier_uniform_": initial("xavier_uniform_"),
    "init.zeros_": initial("zeros_"),
    "init.constant_": initial("constant_", 0.5),
    "init.orthogonal_": orthogonal,
    "normal_": forward(lambda tg, x: x.normal_()),
    "uniform_": forward(lambda tg, x: x.uniform_()),
}  # fmt: skip

_FORWARD: dict[str, Build] = {
    "item": forward(lambda tg, x: x.item(), lambda tg, n: tg.ones(n).sum()),
    "size": forward(lambda tg, x: x.size(0)),
    "numel": forward(lambda tg, x: x.numel()),
    "numpy": forward(lambda tg, x: x.numpy()),
    "tolist": forward(lambda tg, x: x.tolist()),
    "detach": forward(lambda tg, x: x.detach(), vector),
    "long": forward(lambda tg, x: x.long()),
    "byte": forward(lambda tg, x: x.byte(), lambda tg, n: tg.rand(n)),
    "float": forward(lambda tg, x: x.float(), mask),
    "eq": forward(lambda tg, x: x.eq(x), lambda tg, n: tg.randint(0, 9, (n,))),
    "gt": forward(lambda tg, x: x > 0),
    "argmax": forward(lambda tg, x: x.argmax(1), likely),
    "nonzero": forward(lambda tg, x: tg.nonzero(x), mask),
    "all": forward(lambda tg, x: x.all(), lambda tg, n: tg.ones(n).bool()),
    "fill_": forward(lambda tg, x: x.fill_(0.5)),
    "zero_": forward(lambda tg, x: x.zero_()),
    "copy_": forward(lambda tg, x: x[0].copy_(x[1]), lambda tg, n: (tg.randn(n), tg.randn(n))),
    "add_": forward(lambda tg, x: x[0].add_(x[1], alpha=1e-6), lambda tg, n: (tg.randn(n), tg.randn(n))),
    "clamp_": forward(lambda tg, x: x.clamp_(-1, 1)),
    "masked_fill_": forward(
        lambda tg, x: x[0].masked_fill_(x[1], 0.0), lambda tg, n: (tg.randn(n), tg.randn(n) > 0)
    ),
    "round": both(lambda tg, x: x.round()),
    "clip_grad_norm_": clip,
    "scatter_": forward(
        lambda tg, i: tg.zeros(i.shape[0], 10).scatter_(1, i, 1.0), lambda tg, n: tg.randint(0, 10, (n // 10, 1))
    ),
}  # fmt: skip

_ELEMENTS: dict[str, Build] = {
    "add": both(lambda tg, x, y: x + y, vector, vector),
    "mul": both(lambda tg, x, y: x * y, vector, vector),
    "div": both(lambda tg, x, y: x / y, vector, positive),
    "pow": both(lambda tg, x: x.pow(2)),
    "abs": both(lambda tg, x: x.abs()),
    "exp": both(lambda tg, x: tg.exp(x)),
    "log": both(lambda tg, x: tg.log(x), positive),
    "log1p": both(lambda tg, x: tg.log1p(x), positive),
    "log10": both(lambda tg, x: tg.log10(x), positive),
    "sqrt": both(lambda tg, x: tg.sqrt(x), positive),
    "sin": both(lambda tg, x: tg.sin(x)),
    "cos": both(lambda tg, x: tg.cos(x)),
    "erf": both(lambda tg, x: tg.erf(x)),
    "tanh": both(lambda tg, x: tg.tanh(x)),
    "sigmoid": both(lambda tg, x: tg.sigmoid(x)),
    "clamp": both(lambda tg, x: x.clamp(-1, 1)),
    "where": both(lambda tg, m, x, y: tg.where(m, x, y), mask, vector, vector),
    "masked_fill": both(lambda tg, x, m: x.masked_fill(m, 0.0), vector, mask),
    "clone": both(lambda tg, x: x.clone()),
    "to": both(lambda tg, x: x.to(tg.float64)),
    "double": both(lambda tg, x: x.double()),
    "relu": both(lambda tg, x: tg.nn.functional.relu(x)),
    "nn.ReLU": module(lambda tg, x: tg.nn.ReLU(), vector),
    "nn.Tanh": module(lambda tg, x: tg.nn.Tanh(), vector),
    "nn.Sigmoid": module(lambda tg, x: tg.nn.Sigmoid(), vector),
    "nn.GELU": module(lambda tg, x: tg.nn.GELU(), vector),
    "nn.SiLU": module(lambda tg, x: tg.nn.SiLU(), vector),
    "nn.LeakyReLU": module(lambda tg, x: tg.nn.LeakyReLU(0.2), vector),
    "nn.ELU": module(lambda tg, x: tg.nn.ELU(), vector),
    "softplus": both(lambda tg, x: tg.nn.functional.softplus(x)),
    "nn.Dropout": module(lambda tg, x: tg.nn.Dropout(0.5), vector),
    "nn.Dropout2d": module(lambda tg, x: tg.nn.Dropout2d(0.5), images),
}

# A view costs nothing itself. It is taken of a product, as in a network, where backward goes on through it; of a leaf,
# backward would measure whether the leaf's gradient is a copy of the cotangent.
_SHAPES: dict[str, Build] = {
    "cat": both(lambda tg, x, y: tg.cat([x, y], dim=1), matrix, matrix),
    "stack": both(lambda tg, x, y: tg.stack([x, y]), matrix, matrix),
    "hstack": both(lambda tg, x, y: tg.hstack([x, y]), matrix, matrix),
    "view": both(lambda tg, x: (x * 2).view(-1), matrix),
    "view_as": both(lambda tg, x: (x * 2).view_as(x), matrix),
    "reshape": both(lambda tg, x: (x * 2).reshape(-1), matrix),
    "flatten": both(lambda tg, x: tg.flatten(x * 2, 1), images),
    "ravel": both(lambda tg, x: (x * 2).ravel(), matrix),
    "unsqueeze": both(lambda tg, x: (x * 2).unsqueeze(0), matrix),
    "squeeze": both(lambda tg, x: (x * 2).squeeze(), matrix),
    "transpose": both(lambda tg, x: (x * 2).transpose(0, 1), matrix),
    "t": both(lambda tg, x: (x * 2).t(), matrix),
    "permute": both(lambda tg, x: (x * 2).permute(0, 2, 3, 1), images),
    "contiguous": both(lambda tg, x: x.t().contiguous(), matrix),
    "expand": both(lambda tg, x: x.expand(8, x.shape[0]), lambda tg, n: vector(tg, n // 8)),
    "repeat": both(lambda tg, x: x.repeat(2, 2), lambda tg, n: matrix(tg, n // 4)),
    "split": both(lambda tg, x: x.split(x.shape[1] // 4, 1)[1], matrix),
    "x[i]": both(lambda tg, x: x[1], matrix),
    "x[:, i:j]": both(lambda tg, x: x[:, 1:-1], matrix),
    "x[index]": both(lambda tg, x, i: x[i], matrix, lambda tg, n: tg.randint(0, side(n), (side(n),))),
    "x[mask]": both(lambda tg, x, m: x[m], vector, lambda tg, n: tg.arange(n) % 2 == 0),
    "pad": both(lambda tg, x: tg.nn.functional.pad(x, (1, 1, 1, 1)), images),
    "flip": both(lambda tg, x: x.flip(1), matrix),
    "roll": both(lambda tg, x: tg.roll(x, 1, 0), matrix),
    "tril": both(lambda tg, x: tg.tril(x), matrix),
    "triu": both(lambda tg, x: tg.triu(x), matrix),
    "diag": both(lambda tg, x: tg.diag(x), matrix),
    "gather": both(lambda tg, x, i: x.gather(1, i), matrix, index(lambda side: side)),
    "scatter": both(lambda tg, x, i, y: x.scatter(1, i, y), matrix, index(lambda side: side), matrix),
    "index_select": both(
        lambda tg, x, i: tg.index_select(x, 0, i), matrix, lambda tg, n: tg.randint(0, side(n), (side(n),))
    ),
    "index_fill_": both(
        lambda tg, x, i: x.clone().index_fill_(0, i, 0.0), matrix, lambda tg, n: tg.arange(side(n) // 4)
    ),
}  # fmt: skip

_REDUCTIONS: dict[str, Build] = {
    "sum": both(lambda tg, x: x.sum()),
    "sum of rows": both(lambda tg, x: x.sum(1), matrix),
    "sum of columns": both(lambda tg, x: x.sum(0), matrix),
    "mean": both(lambda tg, x: x.mean()),
    "max": both(lambda tg, x: x.max()),
    "max of rows": both(lambda tg, x: x.max(1)[0], matrix),
    "min": both(lambda tg, x: x.min(1)[0], matrix),
    "prod": both(lambda tg, x: x.prod(1), matrix),
    "std": both(lambda tg, x: x.std()),
    "var": both(lambda tg, x: x.var(0), matrix),
    "norm": both(lambda tg, x: x.norm()),
    "norm of rows": both(lambda tg, x: x.norm(dim=1), matrix),
    "logsumexp": both(lambda tg, x: x.logsumexp(1), matrix),
    "cumsum": both(lambda tg, x: tg.cumsum(x, 1), matrix),
    "cumprod": both(lambda tg, x: tg.cumprod(x, 1), matrix),
    "softmax": both(lambda tg, x: tg.softmax(x, dim=-1), matrix),
    "log_softmax": both(lambda tg, x: tg.log_softmax(x, dim=-1), matrix),
    "sort": both(lambda tg, x: x.sort(1)[0], matrix),
    "topk": both(lambda tg, x: x.topk(5, 1)[0], matrix),
    "cosine_similarity": both(lambda tg, x, y: tg.nn.functional.cosine_similarity(x, y), matrix, matrix),
}

_PRODUCTS: dict[str, Build] = {
    "matmul": both(lambda tg, x, y: x @ y, matrix, matrix),
    "bmm": both(lambda tg, x, y: tg.bmm(x, y), batch, batch),
    "dot": both(lambda tg, x, y: tg.dot(x, y), vector, vector),
    "inverse": both(lambda tg, x: tg.inverse(x), well_posed),
    "nn.Linear": module(lambda tg, x: tg.nn.Linear(x.shape[-1], x.shape[-1]), matrix),
    "nn.Embedding": embedding,
    "nn.Conv1d": module(lambda tg, x: tg.nn.Conv1d(x.shape[1], x.shape[1], 3, padding=1), sequence),
    "nn.Conv2d": module(lambda tg, x: tg.nn.Conv2d(x.shape[1], x.shape[1], 3, padding=1), images),
    "nn.ConvTranspose2d": module(lambda tg, x: tg.nn.ConvTranspose2d(x.shape[1], x.shape[1], 4, 2, 1), images),
    "nn.MaxPool2d": module(lambda tg, x: tg.nn.MaxPool2d(2), images),
    "nn.AvgPool2d": module(lambda tg, x: tg.nn.AvgPool2d(2), images),
    "nn.AdaptiveAvgPool2d": module(lambda tg, x: tg.nn.AdaptiveAvgPool2d(1), images),
    "nn.PixelShuffle": module(lambda tg, x: tg.nn.PixelShuffle(2), images),
    "nn.BatchNorm1d": module(lambda tg, x: tg.nn.BatchNorm1d(x.shape[1]), matrix),
    "nn.BatchNorm2d": module(lambda tg, x: tg.nn.BatchNorm2d(x.shape[1]), images),
    "nn.LayerNorm": module(lambda tg, x: tg.nn.LayerNorm(x.shape[-1]), matrix),
    "nn.GroupNorm": module(lambda tg, x: tg.nn.GroupNorm(4, x.shape[1]), images),
    "nn.RNN": module(lambda tg, x: tg.nn.RNN(x.shape[-1], x.shape[-1], batch_first=True), sequence, True),
    "nn.LSTM": module(lambda tg, x: tg.nn.LSTM(x.shape[-1], x.shape[-1], batch_first=True), sequence, True),
    "nn.GRU": module(lambda tg, x: tg.nn.GRU(x.shape[-1], x.shape[-1], batch_first=True), sequence, True),
    "nn.LSTMCell": lstm_cell,
    "nn.MultiheadAttention": attention,
    "scaled_dot_product_attention": both(
        lambda tg, q, k, v: tg.nn.functional.scaled_dot_product_attention(q, k, v), heads, heads, heads
    ),
    "interpolate": both(lambda tg, x: tg.nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear"), images),
    "grid_sample": grid_sample,
    "affine_grid": affine_grid,
}  # fmt: skip

_LOSSES: dict[str, Build] = {
    "cross_entropy": loss(lambda tg: tg.nn.CrossEntropyLoss(), matrix, classes),
    "nll_loss": loss(lambda tg: tg.nn.NLLLoss(), matrix, classes),
    "mse_loss": loss(lambda tg: tg.nn.MSELoss(), vector, lambda tg, x: tg.rand_like(x)),
    "l1_loss": loss(lambda tg: tg.nn.L1Loss(), vector, lambda tg, x: tg.rand_like(x)),
    "smooth_l1_loss": loss(lambda tg: tg.nn.SmoothL1Loss(), vector, lambda tg, x: tg.rand_like(x)),
    "binary_cross_entropy": loss(lambda tg: tg.nn.BCELoss(), unit, lambda tg, x: (tg.rand_like(x) > 0.5).float()),
    "BCEWithLogitsLoss": loss(lambda tg: tg.nn.BCEWithLogitsLoss(), vector, lambda tg, x: tg.rand_like(x)),
    "kl_div": loss(
        lambda tg: tg.nn.KLDivLoss(reduction="batchmean"), rates, lambda tg, x: tg.softmax(x.detach() * 0, 1)
    ),
}  # fmt: skip

_OPTIMIZERS: dict[str, Build] = {
    "optim.SGD": optimizer("SGD", momentum=0.9),
    "optim.Adam": optimizer("Adam"),
    "optim.AdamW": optimizer("AdamW"),
    "optim.Adadelta": optimizer("Adadelta"),
    "optim.RMSprop": optimizer("RMSprop"),
}

NAMES: dict[str, Build] = {
    **_CREATED, **_FORWARD, **_ELEMENTS, **_SHAPES, **_REDUCTIONS, **_PRODUCTS, **_LOSSES, **_OPTIMIZERS,
}  # fmt: skip
"""By name, what is to be timed for a library and a number of elements."""
