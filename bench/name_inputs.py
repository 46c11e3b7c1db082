"""What the rows of ``bench.name_cases`` are built with: inputs by their number of elements, and what is timed on them.

A builder takes the library, tapegrad or PyTorch, and about how many elements the input is to have, and returns a
function of no arguments to be timed: forward and backward for all inputs and parameters, or forward alone where there
is no gradient. Nothing is imported here: the workers run outside the repository.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = [
    "Build", "affine_grid", "attention", "batch", "both", "classes", "clip", "draw", "embedding", "forward",
    "from_numpy", "grid_sample", "heads", "images", "index", "initial", "likely", "loss", "lstm_cell", "mask",
    "matrix", "module", "optimizer", "orthogonal", "positive", "rates", "sequence", "side", "tensor", "unit",
    "vector", "well_posed",
]  # fmt: skip

Run = Callable[[], Any]
Build = Callable[[Any, int], Run]


def side(count: int) -> int:
    """The side of a square of about ``count`` elements: 32 and 1,024."""
    return round(count**0.5)


def images(tg: Any, count: int) -> Any:
    """A leaf of ``count`` elements: 4 channels of 8 x 8 in 4 images, or 16 of 64 x 64 in 16."""
    return (tg.randn(4, 4, 8, 8) if count < 10_000 else tg.randn(count // 65_536, 16, 64, 64)).requires_grad_()


def sequence(tg: Any, count: int) -> Any:
    """A leaf of ``count`` elements: sequences with 16 features, or with 64."""
    return (tg.randn(8, 8, 16) if count < 10_000 else tg.randn(32, count // 2048, 64)).requires_grad_()


def matrix(tg: Any, count: int) -> Any:
    return tg.randn(side(count), side(count)).requires_grad_()


def forward(function: Callable[..., Any], make: Callable[[Any, int], Any] = lambda tg, n: tg.randn(n)) -> Build:
    """A call without gradient, of the library and an input."""

    def build(tg: Any, count: int) -> Run:
        x = make(tg, count)
        return lambda: function(tg, x)

    return build


def draw(function: Callable[[Any, int], Any]) -> Build:
    """A call that makes its result out of a number of elements alone."""
    return lambda tg, count: lambda: function(tg, count)


def timed(function: Callable[..., Any], inputs: tuple[Any, ...], leaves: list[Any]) -> Run:
    cotangent = function(*inputs).detach() * 0 + 1

    def run() -> None:
        for leaf in leaves:
            leaf.grad = None
        function(*inputs).backward(cotangent)

    return run


def both(function: Callable[..., Any], *makers: Callable[[Any, int], Any]) -> Build:
    """Forward and backward of a call of the library and the inputs that ``makers`` make; a vector by default."""

    def build(tg: Any, count: int) -> Run:
        made = tuple(make(tg, count) for make in makers or (vector,))
        return timed(lambda *inputs: function(tg, *inputs), made, [x for x in made if x.requires_grad])

    return build


def vector(tg: Any, count: int) -> Any:
    return tg.randn(count).requires_grad_()


def positive(tg: Any, count: int) -> Any:
    return (tg.rand(count) + 0.5).requires_grad_()


def module(make: Callable[[Any, Any], Any], given: Callable[[Any, int], Any], first: bool = False) -> Build:
    """Forward and backward of a module that is made for its input, which is a leaf."""

    def build(tg: Any, count: int) -> Run:
        x = given(tg, count)
        module = make(tg, x)
        call = (lambda x: module(x)[0]) if first else module
        return timed(call, (x,), [x, *module.parameters()])

    return build


def loss(make: Callable[[Any], Any], given: Callable[[Any, int], Any], target: Callable[[Any, Any], Any]) -> Build:
    """Forward and backward of a loss."""

    def build(tg: Any, count: int) -> Run:
        x = given(tg, count)
        return timed(make(tg), (x, target(tg, x)), [x])

    return build


def optimizer(name: str, **settings: Any) -> Build:
    """A step of an optimizer for ten parameters, as it is without further settings."""

    def build(tg: Any, count: int) -> Run:
        parameters = [tg.randn(count // 10).requires_grad_() for _ in range(10)]
        for parameter in parameters:
            parameter.grad = tg.randn(count // 10)
        return getattr(tg.optim, name)(parameters, lr=1e-6, **settings).step

    return build


def embedding(tg: Any, count: int) -> Run:
    width = 16 if count < 10_000 else 64
    module, index = tg.nn.Embedding(1000, width), tg.randint(0, 1000, (count // width // 4, 4))
    return timed(module, (index,), [module.weight])


def lstm_cell(tg: Any, count: int) -> Run:
    cell, x = tg.nn.LSTMCell(side(count), side(count)), matrix(tg, count)
    return timed(lambda x: cell(x)[0], (x,), [x, *cell.parameters()])


def attention(tg: Any, count: int) -> Run:
    x = sequence(tg, count)
    module = tg.nn.MultiheadAttention(x.shape[-1], 4, batch_first=True)
    return timed(lambda x: module(x, x, x, need_weights=False)[0], (x,), [x, *module.parameters()])


def heads(tg: Any, count: int) -> Any:
    return (tg.randn(4, 4, 8, 8) if count < 10_000 else tg.randn(8, 8, 256, 64)).requires_grad_()


def grid_sample(tg: Any, count: int) -> Run:
    x = images(tg, count)
    grid = tg.rand(x.shape[0], x.shape[2], x.shape[3], 2) * 2 - 1
    return timed(lambda x: tg.nn.functional.grid_sample(x, grid, align_corners=False), (x,), [x])


def affine_grid(tg: Any, count: int) -> Run:
    theta = tg.randn(4, 2, 3).requires_grad_()
    shape = (4, 1, side(count // 4), side(count // 4))
    return timed(lambda t: tg.nn.functional.affine_grid(t, shape, align_corners=False), (theta,), [theta])


def clip(tg: Any, count: int) -> Run:
    parameters = [tg.randn(count // 10).requires_grad_() for _ in range(10)]
    for parameter in parameters:
        parameter.grad = tg.randn(count // 10)
    return lambda: tg.nn.utils.clip_grad_norm_(parameters, 1.0)


def initial(name: str, *arguments: float) -> Build:
    def build(tg: Any, count: int) -> Run:
        weight, fill = tg.empty(side(count), side(count)), getattr(tg.nn.init, name)
        return lambda: fill(weight, *arguments)

    return build


def orthogonal(tg: Any, count: int) -> Run:
    weight = tg.empty(side(count) // 4, side(count) // 4)
    return lambda: tg.nn.init.orthogonal_(weight)


def from_numpy(tg: Any, count: int) -> Run:
    array = tg.randn(count).numpy()
    return lambda: tg.from_numpy(array)


def tensor(tg: Any, count: int) -> Run:
    values = tg.randn(count).tolist()
    return lambda: tg.tensor(values)


def index(high: Callable[[int], int]) -> Callable[[Any, int], Any]:
    return lambda tg, n: tg.randint(0, high(side(n)), (side(n), side(n)))


def mask(tg: Any, count: int) -> Any:
    return tg.randn(count) > 0


def batch(tg: Any, count: int) -> Any:
    """16 square matrices of ``count`` elements together."""
    return tg.randn(16, side(count // 16), side(count // 16)).requires_grad_()


def well_posed(tg: Any, count: int) -> Any:
    n = side(count) // 4
    return (tg.randn(n, n) + n * tg.eye(n)).requires_grad_()


def classes(tg: Any, x: Any) -> Any:
    return tg.randint(0, x.shape[1], (x.shape[0],))


def unit(tg: Any, count: int) -> Any:
    return (tg.rand(count) * 0.8 + 0.1).requires_grad_()


def rates(tg: Any, count: int) -> Any:
    return tg.log_softmax(tg.randn(side(count), side(count)), dim=1).detach().requires_grad_()


def likely(tg: Any, count: int) -> Any:
    return tg.rand(side(count), side(count))
