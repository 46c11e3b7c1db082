"""The names that ``bench.names`` measures: what public training scripts call most, at a number of elements.

A builder takes the library, tapegrad or PyTorch, and about how many elements the input is to have, and returns a
function of no arguments to be timed: forward and backward for all inputs and parameters, or forward alone where there
is no gradient. Nothing is imported here: the workers run outside the repository.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["NAMES", "SIZES"]

Run = Callable[[], Any]
Build = Callable[[Any, int], Run]

SIZES = {"1 k": 1 << 10, "1 M": 1 << 20}


def _side(count: int) -> int:
    """The side of a square of about ``count`` elements: 32 and 1,024."""
    return round(count**0.5)


def _images(tg: Any, count: int) -> Any:
    """A leaf of ``count`` elements: 4 channels of 8 x 8 in 4 images, or 16 of 64 x 64 in 16."""
    return (tg.randn(4, 4, 8, 8) if count < 10_000 else tg.randn(count // 65_536, 16, 64, 64)).requires_grad_()


def _sequence(tg: Any, count: int) -> Any:
    """A leaf of ``count`` elements: sequences with 16 features, or with 64."""
    return (tg.randn(8, 8, 16) if count < 10_000 else tg.randn(32, count // 2048, 64)).requires_grad_()


def _matrix(tg: Any, count: int) -> Any:
    return tg.randn(_side(count), _side(count)).requires_grad_()


def _forward(function: Callable[..., Any], make: Callable[[Any, int], Any] = lambda tg, n: tg.randn(n)) -> Build:
    """A call without gradient, of the library and an input."""

    def build(tg: Any, count: int) -> Run:
        x = make(tg, count)
        return lambda: function(tg, x)

    return build


def _draw(function: Callable[[Any, int], Any]) -> Build:
    """A call that makes its result out of a number of elements alone."""
    return lambda tg, count: lambda: function(tg, count)


def _timed(function: Callable[..., Any], inputs: tuple[Any, ...], leaves: list[Any]) -> Run:
    cotangent = function(*inputs).detach() * 0 + 1

    def run() -> None:
        for leaf in leaves:
            leaf.grad = None
        function(*inputs).backward(cotangent)

    return run


def _both(function: Callable[..., Any], *makers: Callable[[Any, int], Any]) -> Build:
    """Forward and backward of a call of the library and the inputs that ``makers`` make; a vector by default."""

    def build(tg: Any, count: int) -> Run:
        made = tuple(make(tg, count) for make in makers or (_vector,))
        return _timed(lambda *inputs: function(tg, *inputs), made, [x for x in made if x.requires_grad])

    return build


def _vector(tg: Any, count: int) -> Any:
    return tg.randn(count).requires_grad_()


def _positive(tg: Any, count: int) -> Any:
    return (tg.rand(count) + 0.5).requires_grad_()


def _module(make: Callable[[Any, Any], Any], given: Callable[[Any, int], Any], first: bool = False) -> Build:
    """Forward and backward of a module that is made for its input, which is a leaf."""

    def build(tg: Any, count: int) -> Run:
        x = given(tg, count)
        module = make(tg, x)
        call = (lambda x: module(x)[0]) if first else module
        return _timed(call, (x,), [x, *module.parameters()])

    return build


def _loss(make: Callable[[Any], Any], given: Callable[[Any, int], Any], target: Callable[[Any, Any], Any]) -> Build:
    """Forward and backward of a loss."""

    def build(tg: Any, count: int) -> Run:
        x = given(tg, count)
        return _timed(make(tg), (x, target(tg, x)), [x])

    return build


def _optimizer(name: str, **settings: Any) -> Build:
    """A step of an optimizer for ten parameters, as it is without further settings."""

    def build(tg: Any, count: int) -> Run:
        parameters = [tg.randn(count // 10).requires_grad_() for _ in range(10)]
        for parameter in parameters:
            parameter.grad = tg.randn(count // 10)
        return getattr(tg.optim, name)(parameters, lr=1e-6, **settings).step

    return build


def _embedding(tg: Any, count: int) -> Run:
    width = 16 if count < 10_000 else 64
    module, index = tg.nn.Embedding(1000, width), tg.randint(0, 1000, (count // width // 4, 4))
    return _timed(module, (index,), [module.weight])


def _lstm_cell(tg: Any, count: int) -> Run:
    cell, x = tg.nn.LSTMCell(_side(count), _side(count)), _matrix(tg, count)
    return _timed(lambda x: cell(x)[0], (x,), [x, *cell.parameters()])


def _attention(tg: Any, count: int) -> Run:
    x = _sequence(tg, count)
    module = tg.nn.MultiheadAttention(x.shape[-1], 4, batch_first=True)
    return _timed(lambda x: module(x, x, x, need_weights=False)[0], (x,), [x, *module.parameters()])


def _heads(tg: Any, count: int) -> Any:
    return (tg.randn(4, 4, 8, 8) if count < 10_000 else tg.randn(8, 8, 256, 64)).requires_grad_()


def _grid_sample(tg: Any, count: int) -> Run:
    x = _images(tg, count)
    grid = tg.rand(x.shape[0], x.shape[2], x.shape[3], 2) * 2 - 1
    return _timed(lambda x: tg.nn.functional.grid_sample(x, grid, align_corners=False), (x,), [x])


def _affine_grid(tg: Any, count: int) -> Run:
    theta = tg.randn(4, 2, 3).requires_grad_()
    shape = (4, 1, _side(count // 4), _side(count // 4))
    return _timed(lambda t: tg.nn.functional.affine_grid(t, shape, align_corners=False), (theta,), [theta])


def _clip(tg: Any, count: int) -> Run:
    parameters = [tg.randn(count // 10).requires_grad_() for _ in range(10)]
    for parameter in parameters:
        parameter.grad = tg.randn(count // 10)
    return lambda: tg.nn.utils.clip_grad_norm_(parameters, 1.0)


def _initial(name: str, *arguments: float) -> Build:
    def build(tg: Any, count: int) -> Run:
        weight, fill = tg.empty(_side(count), _side(count)), getattr(tg.nn.init, name)
        return lambda: fill(weight, *arguments)

    return build


def _orthogonal(tg: Any, count: int) -> Run:
    weight = tg.empty(_side(count) // 4, _side(count) // 4)
    return lambda: tg.nn.init.orthogonal_(weight)


def _from_numpy(tg: Any, count: int) -> Run:
    array = tg.randn(count).numpy()
    return lambda: tg.from_numpy(array)


def _tensor(tg: Any, count: int) -> Run:
    values = tg.randn(count).tolist()
    return lambda: tg.tensor(values)


def _index(high: Callable[[int], int]) -> Callable[[Any, int], Any]:
    return lambda tg, n: tg.randint(0, high(_side(n)), (_side(n), _side(n)))


def _mask(tg: Any, count: int) -> Any:
    return tg.randn(count) > 0


def _batch(tg: Any, count: int) -> Any:
    """16 square matrices of ``count`` elements together."""
    return tg.randn(16, _side(count // 16), _side(count // 16)).requires_grad_()


def _well_posed(tg: Any, count: int) -> Any:
    side = _side(count) // 4
    return (tg.randn(side, side) + side * tg.eye(side)).requires_grad_()


def _classes(tg: Any, x: Any) -> Any:
    return tg.randint(0, x.shape[1], (x.shape[0],))


def _unit(tg: Any, count: int) -> Any:
    return (tg.rand(count) * 0.8 + 0.1).requires_grad_()


def _rates(tg: Any, count: int) -> Any:
    return tg.log_softmax(tg.randn(_side(count), _side(count)), dim=1).detach().requires_grad_()


def _likely(tg: Any, count: int) -> Any:
    return tg.rand(_side(count), _side(count))


_CREATED: dict[str, Build] = {
    "zeros": _draw(lambda tg, n: tg.zeros(n)),
    "ones": _draw(lambda tg, n: tg.ones(n)),
    "empty": _draw(lambda tg, n: tg.empty(n)),
    "full": _draw(lambda tg, n: tg.full((n,), 0.5)),
    "eye": _draw(lambda tg, n: tg.eye(_side(n))),
    "arange": _draw(lambda tg, n: tg.arange(n)),
    "linspace": _draw(lambda tg, n: tg.linspace(0, 1, n)),
    "tensor": _tensor,
    "from_numpy": _from_numpy,
    "randn": _draw(lambda tg, n: tg.randn(n)),
    "rand": _draw(lambda tg, n: tg.rand(n)),
    "randint": _draw(lambda tg, n: tg.randint(0, 100, (n,))),
    "randperm": _draw(lambda tg, n: tg.randperm(n)),
    "normal": _forward(lambda tg, x: tg.normal(0.0, x), lambda tg, n: tg.rand(n)),
    "randn_like": _forward(lambda tg, x: tg.randn_like(x)),
    "ones_like": _forward(lambda tg, x: tg.ones_like(x)),
    "zeros_like": _forward(lambda tg, x: tg.zeros_like(x)),
    "new_zeros": _forward(lambda tg, x: x.new_zeros(x.shape)),
    "multinomial": _forward(lambda tg, p: tg.multinomial(p, 4, replacement=True), _likely),
    "meshgrid": _draw(lambda tg, n: tg.meshgrid(tg.arange(_side(n)), tg.arange(_side(n)), indexing="ij")),
    "init.normal_": _initial("normal_", 0.0, 0.1),
    "init.uniform_": _initial("uniform_", -0.1, 0.1),
    "init.xavier_uniform_": _initial("xavier_uniform_"),
    "init.zeros_": _initial("zeros_"),
    "init.constant_": _initial("constant_", 0.5),
    "init.orthogonal_": _orthogonal,
    "normal_": _forward(lambda tg, x: x.normal_()),
    "uniform_": _forward(lambda tg, x: x.uniform_()),
}  # fmt: skip

_FORWARD: dict[str, Build] = {
    "item": _forward(lambda tg, x: x.item(), lambda tg, n: tg.ones(n).sum()),
    "size": _forward(lambda tg, x: x.size(0)),
    "numel": _forward(lambda tg, x: x.numel()),
    "numpy": _forward(lambda tg, x: x.numpy()),
    "tolist": _forward(lambda tg, x: x.tolist()),
    "detach": _forward(lambda tg, x: x.detach(), _vector),
    "long": _forward(lambda tg, x: x.long()),
    "byte": _forward(lambda tg, x: x.byte(), lambda tg, n: tg.rand(n)),
    "float": _forward(lambda tg, x: x.float(), _mask),
    "eq": _forward(lambda tg, x: x.eq(x), lambda tg, n: tg.randint(0, 9, (n,))),
    "gt": _forward(lambda tg, x: x > 0),
    "argmax": _forward(lambda tg, x: x.argmax(1), _likely),
    "nonzero": _forward(lambda tg, x: tg.nonzero(x), _mask),
    "all": _forward(lambda tg, x: x.all(), lambda tg, n: tg.ones(n).bool()),
    "fill_": _forward(lambda tg, x: x.fill_(0.5)),
    "zero_": _forward(lambda tg, x: x.zero_()),
    "copy_": _forward(lambda tg, x: x[0].copy_(x[1]), lambda tg, n: (tg.randn(n), tg.randn(n))),
    "add_": _forward(lambda tg, x: x[0].add_(x[1], alpha=1e-6), lambda tg, n: (tg.randn(n), tg.randn(n))),
    "clamp_": _forward(lambda tg, x: x.clamp_(-1, 1)),
    "masked_fill_": _forward(
        lambda tg, x: x[0].masked_fill_(x[1], 0.0), lambda tg, n: (tg.randn(n), tg.randn(n) > 0)
    ),
    "round": _both(lambda tg, x: x.round()),
    "clip_grad_norm_": _clip,
    "scatter_": _forward(
        lambda tg, i: tg.zeros(i.shape[0], 10).scatter_(1, i, 1.0), lambda tg, n: tg.randint(0, 10, (n // 10, 1))
    ),
}  # fmt: skip

_ELEMENTS: dict[str, Build] = {
    "add": _both(lambda tg, x, y: x + y, _vector, _vector),
    "mul": _both(lambda tg, x, y: x * y, _vector, _vector),
    "div": _both(lambda tg, x, y: x / y, _vector, _positive),
    "pow": _both(lambda tg, x: x.pow(2)),
    "abs": _both(lambda tg, x: x.abs()),
    "exp": _both(lambda tg, x: tg.exp(x)),
    "log": _both(lambda tg, x: tg.log(x), _positive),
    "log1p": _both(lambda tg, x: tg.log1p(x), _positive),
    "log10": _both(lambda tg, x: tg.log10(x), _positive),
    "sqrt": _both(lambda tg, x: tg.sqrt(x), _positive),
    "sin": _both(lambda tg, x: tg.sin(x)),
    "cos": _both(lambda tg, x: tg.cos(x)),
    "erf": _both(lambda tg, x: tg.erf(x)),
    "tanh": _both(lambda tg, x: tg.tanh(x)),
    "sigmoid": _both(lambda tg, x: tg.sigmoid(x)),
    "clamp": _both(lambda tg, x: x.clamp(-1, 1)),
    "where": _both(lambda tg, m, x, y: tg.where(m, x, y), _mask, _vector, _vector),
    "masked_fill": _both(lambda tg, x, m: x.masked_fill(m, 0.0), _vector, _mask),
    "clone": _both(lambda tg, x: x.clone()),
    "to": _both(lambda tg, x: x.to(tg.float64)),
    "double": _both(lambda tg, x: x.double()),
    "relu": _both(lambda tg, x: tg.nn.functional.relu(x)),
    "nn.ReLU": _module(lambda tg, x: tg.nn.ReLU(), _vector),
    "nn.Tanh": _module(lambda tg, x: tg.nn.Tanh(), _vector),
    "nn.Sigmoid": _module(lambda tg, x: tg.nn.Sigmoid(), _vector),
    "nn.GELU": _module(lambda tg, x: tg.nn.GELU(), _vector),
    "nn.SiLU": _module(lambda tg, x: tg.nn.SiLU(), _vector),
    "nn.LeakyReLU": _module(lambda tg, x: tg.nn.LeakyReLU(0.2), _vector),
    "nn.ELU": _module(lambda tg, x: tg.nn.ELU(), _vector),
    "softplus": _both(lambda tg, x: tg.nn.functional.softplus(x)),
    "nn.Dropout": _module(lambda tg, x: tg.nn.Dropout(0.5), _vector),
    "nn.Dropout2d": _module(lambda tg, x: tg.nn.Dropout2d(0.5), _images),
}

# A view costs nothing itself. It is taken of a product, as in a network, where backward goes on through it; of a leaf,
# backward would measure whether the leaf's gradient is a copy of the cotangent.
_SHAPES: dict[str, Build] = {
    "cat": _both(lambda tg, x, y: tg.cat([x, y], dim=1), _matrix, _matrix),
    "stack": _both(lambda tg, x, y: tg.stack([x, y]), _matrix, _matrix),
    "hstack": _both(lambda tg, x, y: tg.hstack([x, y]), _matrix, _matrix),
    "view": _both(lambda tg, x: (x * 2).view(-1), _matrix),
    "view_as": _both(lambda tg, x: (x * 2).view_as(x), _matrix),
    "reshape": _both(lambda tg, x: (x * 2).reshape(-1), _matrix),
    "flatten": _both(lambda tg, x: tg.flatten(x * 2, 1), _images),
    "ravel": _both(lambda tg, x: (x * 2).ravel(), _matrix),
    "unsqueeze": _both(lambda tg, x: (x * 2).unsqueeze(0), _matrix),
    "squeeze": _both(lambda tg, x: (x * 2).squeeze(), _matrix),
    "transpose": _both(lambda tg, x: (x * 2).transpose(0, 1), _matrix),
    "t": _both(lambda tg, x: (x * 2).t(), _matrix),
    "permute": _both(lambda tg, x: (x * 2).permute(0, 2, 3, 1), _images),
    "contiguous": _both(lambda tg, x: x.t().contiguous(), _matrix),
    "expand": _both(lambda tg, x: x.expand(8, x.shape[0]), lambda tg, n: _vector(tg, n // 8)),
    "repeat": _both(lambda tg, x: x.repeat(2, 2), lambda tg, n: _matrix(tg, n // 4)),
    "split": _both(lambda tg, x: x.split(x.shape[1] // 4, 1)[1], _matrix),
    "x[i]": _both(lambda tg, x: x[1], _matrix),
    "x[:, i:j]": _both(lambda tg, x: x[:, 1:-1], _matrix),
    "x[index]": _both(lambda tg, x, i: x[i], _matrix, lambda tg, n: tg.randint(0, _side(n), (_side(n),))),
    "x[mask]": _both(lambda tg, x, m: x[m], _vector, lambda tg, n: tg.arange(n) % 2 == 0),
    "pad": _both(lambda tg, x: tg.nn.functional.pad(x, (1, 1, 1, 1)), _images),
    "flip": _both(lambda tg, x: x.flip(1), _matrix),
    "roll": _both(lambda tg, x: tg.roll(x, 1, 0), _matrix),
    "tril": _both(lambda tg, x: tg.tril(x), _matrix),
    "triu": _both(lambda tg, x: tg.triu(x), _matrix),
    "diag": _both(lambda tg, x: tg.diag(x), _matrix),
    "gather": _both(lambda tg, x, i: x.gather(1, i), _matrix, _index(lambda side: side)),
    "scatter": _both(lambda tg, x, i, y: x.scatter(1, i, y), _matrix, _index(lambda side: side), _matrix),
    "index_select": _both(
        lambda tg, x, i: tg.index_select(x, 0, i), _matrix, lambda tg, n: tg.randint(0, _side(n), (_side(n),))
    ),
    "index_fill_": _both(
        lambda tg, x, i: x.clone().index_fill_(0, i, 0.0), _matrix, lambda tg, n: tg.arange(_side(n) // 4)
    ),
}  # fmt: skip

_REDUCTIONS: dict[str, Build] = {
    "sum": _both(lambda tg, x: x.sum()),
    "sum of rows": _both(lambda tg, x: x.sum(1), _matrix),
    "sum of columns": _both(lambda tg, x: x.sum(0), _matrix),
    "mean": _both(lambda tg, x: x.mean()),
    "max": _both(lambda tg, x: x.max()),
    "max of rows": _both(lambda tg, x: x.max(1)[0], _matrix),
    "min": _both(lambda tg, x: x.min(1)[0], _matrix),
    "prod": _both(lambda tg, x: x.prod(1), _matrix),
    "std": _both(lambda tg, x: x.std()),
    "var": _both(lambda tg, x: x.var(0), _matrix),
    "norm": _both(lambda tg, x: x.norm()),
    "norm of rows": _both(lambda tg, x: x.norm(dim=1), _matrix),
    "logsumexp": _both(lambda tg, x: x.logsumexp(1), _matrix),
    "cumsum": _both(lambda tg, x: tg.cumsum(x, 1), _matrix),
    "cumprod": _both(lambda tg, x: tg.cumprod(x, 1), _matrix),
    "softmax": _both(lambda tg, x: tg.softmax(x, dim=-1), _matrix),
    "log_softmax": _both(lambda tg, x: tg.log_softmax(x, dim=-1), _matrix),
    "sort": _both(lambda tg, x: x.sort(1)[0], _matrix),
    "topk": _both(lambda tg, x: x.topk(5, 1)[0], _matrix),
    "cosine_similarity": _both(lambda tg, x, y: tg.nn.functional.cosine_similarity(x, y), _matrix, _matrix),
}

_PRODUCTS: dict[str, Build] = {
    "matmul": _both(lambda tg, x, y: x @ y, _matrix, _matrix),
    "bmm": _both(lambda tg, x, y: tg.bmm(x, y), _batch, _batch),
    "dot": _both(lambda tg, x, y: tg.dot(x, y), _vector, _vector),
    "inverse": _both(lambda tg, x: tg.inverse(x), _well_posed),
    "nn.Linear": _module(lambda tg, x: tg.nn.Linear(x.shape[-1], x.shape[-1]), _matrix),
    "nn.Embedding": _embedding,
    "nn.Conv1d": _module(lambda tg, x: tg.nn.Conv1d(x.shape[1], x.shape[1], 3, padding=1), _sequence),
    "nn.Conv2d": _module(lambda tg, x: tg.nn.Conv2d(x.shape[1], x.shape[1], 3, padding=1), _images),
    "nn.ConvTranspose2d": _module(lambda tg, x: tg.nn.ConvTranspose2d(x.shape[1], x.shape[1], 4, 2, 1), _images),
    "nn.MaxPool2d": _module(lambda tg, x: tg.nn.MaxPool2d(2), _images),
    "nn.AvgPool2d": _module(lambda tg, x: tg.nn.AvgPool2d(2), _images),
    "nn.AdaptiveAvgPool2d": _module(lambda tg, x: tg.nn.AdaptiveAvgPool2d(1), _images),
    "nn.PixelShuffle": _module(lambda tg, x: tg.nn.PixelShuffle(2), _images),
    "nn.BatchNorm1d": _module(lambda tg, x: tg.nn.BatchNorm1d(x.shape[1]), _matrix),
    "nn.BatchNorm2d": _module(lambda tg, x: tg.nn.BatchNorm2d(x.shape[1]), _images),
    "nn.LayerNorm": _module(lambda tg, x: tg.nn.LayerNorm(x.shape[-1]), _matrix),
    "nn.GroupNorm": _module(lambda tg, x: tg.nn.GroupNorm(4, x.shape[1]), _images),
    "nn.RNN": _module(lambda tg, x: tg.nn.RNN(x.shape[-1], x.shape[-1], batch_first=True), _sequence, True),
    "nn.LSTM": _module(lambda tg, x: tg.nn.LSTM(x.shape[-1], x.shape[-1], batch_first=True), _sequence, True),
    "nn.GRU": _module(lambda tg, x: tg.nn.GRU(x.shape[-1], x.shape[-1], batch_first=True), _sequence, True),
    "nn.LSTMCell": _lstm_cell,
    "nn.MultiheadAttention": _attention,
    "scaled_dot_product_attention": _both(
        lambda tg, q, k, v: tg.nn.functional.scaled_dot_product_attention(q, k, v), _heads, _heads, _heads
    ),
    "interpolate": _both(lambda tg, x: tg.nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear"), _images),
    "grid_sample": _grid_sample,
    "affine_grid": _affine_grid,
}  # fmt: skip

_LOSSES: dict[str, Build] = {
    "cross_entropy": _loss(lambda tg: tg.nn.CrossEntropyLoss(), _matrix, _classes),
    "nll_loss": _loss(lambda tg: tg.nn.NLLLoss(), _matrix, _classes),
    "mse_loss": _loss(lambda tg: tg.nn.MSELoss(), _vector, lambda tg, x: tg.rand_like(x)),
    "l1_loss": _loss(lambda tg: tg.nn.L1Loss(), _vector, lambda tg, x: tg.rand_like(x)),
    "smooth_l1_loss": _loss(lambda tg: tg.nn.SmoothL1Loss(), _vector, lambda tg, x: tg.rand_like(x)),
    "binary_cross_entropy": _loss(lambda tg: tg.nn.BCELoss(), _unit, lambda tg, x: (tg.rand_like(x) > 0.5).float()),
    "BCEWithLogitsLoss": _loss(lambda tg: tg.nn.BCEWithLogitsLoss(), _vector, lambda tg, x: tg.rand_like(x)),
    "kl_div": _loss(
        lambda tg: tg.nn.KLDivLoss(reduction="batchmean"), _rates, lambda tg, x: tg.softmax(x.detach() * 0, 1)
    ),
}  # fmt: skip

_OPTIMIZERS: dict[str, Build] = {
    "optim.SGD": _optimizer("SGD", momentum=0.9),
    "optim.Adam": _optimizer("Adam"),
    "optim.AdamW": _optimizer("AdamW"),
    "optim.Adadelta": _optimizer("Adadelta"),
    "optim.RMSprop": _optimizer("RMSprop"),
}

NAMES: dict[str, Build] = {
    **_CREATED, **_FORWARD, **_ELEMENTS, **_SHAPES, **_REDUCTIONS, **_PRODUCTS, **_LOSSES, **_OPTIMIZERS,
}  # fmt: skip
"""By name, what is to be timed for a library and a number of elements."""
