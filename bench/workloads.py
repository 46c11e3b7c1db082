"""What is measured, written as a user of the library writes it.

Every function takes the library as ``tg``, tapegrad or PyTorch, and returns a function of no arguments to be timed.
Numbers are float32 and, without a word about devices, lie where the library makes its tensors by default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

__all__ = [
    "CHAIN", "LARGE_STEPS", "OPTIMIZERS", "STEPS", "activation", "add", "chain", "copy_to_device", "copy_to_host",
    "cross_entropy", "exp", "inference", "layer_norm", "loss", "matmul", "mlp_step", "multiply_add", "networks",
    "optimizer_step", "perceptron_step", "reduction", "small", "softmax", "step_of", "training_step",
]  # fmt: skip

Run = Callable[[], Any]

# name -> the sizes of the layers, the rows of a batch, and whether it classifies (cross-entropy) or fits (MSE)
STEPS = {
    "2-16-16-1": ((2, 16, 16, 1), 32, False),
    "64-128-64-10": ((64, 128, 64, 10), 64, True),
    "784-128-64-10": ((784, 128, 64, 10), 64, True),
}
LARGE_STEPS = {
    "784-512-512-10": ((784, 512, 512, 10), 512, True),
    "1024-2048-2048-1000": ((1024, 2048, 2048, 1000), 256, True),
}
# name -> the class, and its settings beside the learning rate
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {}),
    "SGD with momentum": ("SGD", {"momentum": 0.9}),
    "RMSprop": ("RMSprop", {}),
    "Adam": ("Adam", {}),
    "AdamW": ("AdamW", {}),
}
CHAIN = "chain-100"
REPEATS = 16
CLASSES = 10
BATCH = 64


def networks() -> dict[str, tuple[tuple[int, ...], int, bool]]:
    """``STEPS`` and ``LARGE_STEPS`` together."""
    return STEPS | LARGE_STEPS


def _timed(function: Callable[..., Any], inputs: Sequence[Any], backward: bool) -> Run:
    """A call of ``function``; with ``backward`` the gradient of its first input too, for a cotangent of ones."""
    if not backward:
        return lambda: function(*inputs)
    x = inputs[0].requires_grad_()
    out = function(*inputs).detach()
    cotangent = out * 0 + 1

    def run() -> None:
        x.grad = None
        function(*inputs).backward(cotangent)

    return run


def _rows(count: int) -> tuple[int, int]:
    """The shape of about ``count`` numbers, in rows of 100 and from 100,000 on of 1,000."""
    width = 1000 if count >= 100_000 else 100
    return max(1, count // width), width


def matmul(tg: Any, size: int) -> Run:
    """The product of two square matrices."""
    a, b = tg.randn(size, size), tg.randn(size, size)
    return lambda: a @ b


def add(tg: Any, count: int) -> Run:
    """The sum of two vectors."""
    a, b = tg.randn(count), tg.randn(count)
    return lambda: a + b


def exp(tg: Any, count: int) -> Run:
    """The exponential of a vector."""
    x = tg.randn(count)
    return lambda: tg.exp(x)


def multiply_add(tg: Any, count: int) -> Run:
    """Two operations on three vectors."""
    a, b, c = tg.randn(count), tg.randn(count), tg.randn(count)
    return lambda: a * b + c


def reduction(tg: Any, name: str, dim: int | None, count: int) -> Run:
    """A reduction of a matrix: of all its numbers, or along ``dim``."""
    function, x = getattr(tg, name), tg.randn(*_rows(count))
    return (lambda: function(x)) if dim is None else (lambda: function(x, dim=dim))


def softmax(tg: Any, count: int, backward: bool = False) -> Run:
    """The softmax of every row of a matrix."""
    return _timed(lambda x: tg.softmax(x, dim=-1), [tg.randn(*_rows(count))], backward)


def activation(tg: Any, name: str, count: int, backward: bool = False) -> Run:
    """An activation of a vector; GELU in its form with tanh as ``gelu``, in its exact form as ``gelu_erf``."""
    functions = tg.nn.functional
    known = {"gelu": lambda x: functions.gelu(x, approximate="tanh"), "gelu_erf": functions.gelu}
    function = known[name] if name in known else getattr(functions, name)
    return _timed(function, [tg.randn(count)], backward)


def layer_norm(tg: Any, count: int, backward: bool = False) -> Run:
    """The layer norm of every row of a matrix, without weights."""
    rows, width = _rows(count)
    return _timed(lambda x: tg.nn.functional.layer_norm(x, (width,)), [tg.randn(rows, width)], backward)


def small(tg: Any, function: Callable[[Any, Any], Any]) -> Run:
    """An operation on matrices of 8 rows and columns, ``REPEATS`` times, and backward through all of them at once.

    So what it costs to begin a backward, in PyTorch several times the cost of the operation, counts little.
    """
    x, y = tg.randn(8, 8).requires_grad_(), tg.randn(8, 8)
    cotangents = [function(x, y).detach() * 0 + 1] * REPEATS

    def run() -> None:
        x.grad = None
        tg.autograd.backward([function(x, y) for _ in range(REPEATS)], cotangents)

    return run


def loss(tg: Any, name: str, count: int, backward: bool = False) -> Run:
    """A loss that compares two vectors, averaged."""
    return _timed(getattr(tg.nn.functional, name), [tg.randn(count), tg.rand(count)], backward)


def cross_entropy(tg: Any, count: int, backward: bool = False) -> Run:
    """The cross-entropy of a matrix of logits, a row an example."""
    rows, classes = _rows(count)
    return _timed(tg.nn.functional.cross_entropy, [tg.randn(rows, classes), tg.randint(0, classes, (rows,))], backward)


def optimizer_step(tg: Any, name: str, count: int) -> Run:
    """One step of an optimizer for ten parameters that hold ``count`` numbers together."""
    parameters = [tg.randn(count // 10).requires_grad_() for _ in range(10)]
    for parameter in parameters:
        parameter.grad = tg.randn(count // 10)
    kind, settings = OPTIMIZERS[name]
    return _optimizer(tg, kind, parameters, 1e-6, **settings).step


def _adam(tg: Any, parameters: Any, rate: float) -> Any:
    return _optimizer(tg, "Adam", parameters, rate)


def _optimizer(tg: Any, kind: str, parameters: Any, rate: float, **settings: Any) -> Any:
    """An optimizer, in PyTorch's fastest form."""
    if tg.__name__ == "torch" and kind != "RMSprop":  # of which PyTorch has no fused one
        settings["fused"] = True
    return getattr(tg.optim, kind)(parameters, lr=rate, **settings)


def copy_to_device(tg: Any, count: int, pinned: bool = False) -> Run:
    """A vector from the host's memory, pageable or pinned, to the GPU's."""
    x = tg.randn(count, device="cpu")
    x = x.pin_memory() if pinned else x
    return lambda: x.to("cuda", non_blocking=pinned)


def copy_to_host(tg: Any, count: int) -> Run:
    """A vector from the GPU's memory to the host's."""
    x = tg.randn(count, device="cuda")
    return lambda: x.cpu()


def perceptron_step(tg: Any, units: int) -> Run:
    """One step of training with SGD for one layer of ``units`` inputs and ten classes."""
    return _step(tg, (units, CLASSES), BATCH, True, lambda p: tg.optim.SGD(p, lr=0.001))


def mlp_step(tg: Any, units: int) -> Run:
    """One step of training with Adam for two hidden layers, with ``units`` inputs and in each layer."""
    return _step(tg, (units, units, units, CLASSES), BATCH, True, lambda p: _adam(tg, p, 0.0001))


def chain(tg: Any, length: int) -> Run:
    """Small operations one after the other on eight numbers, and backward through all of them; returns their sum."""
    x, a, b = tg.ones(8).requires_grad_(), tg.full((8,), 0.9), tg.full((8,), 0.1)

    def run() -> Any:
        x.grad = None
        y = x
        for _ in range(length // 5):
            y = ((y * a + b) * 1.01 - b).tanh()
        total = y.sum()
        total.backward()
        return total

    return run


def step_of(tg: Any, name: str) -> Run:
    """What ``bench.step`` measures under a name: a step of training, or for ``CHAIN`` 100 small operations."""
    return chain(tg, 100) if name == CHAIN else training_step(tg, name)


def training_step(tg: Any, name: str, dtype: str = "float32") -> Run:
    """One step of training with Adam for the network ``name`` of ``networks``."""
    return _step(tg, *networks()[name], lambda p: _adam(tg, p, 0.001), dtype)


def inference(tg: Any, name: str) -> Run:
    """The network ``name`` of ``networks`` on a batch of one, without gradients."""
    sizes = networks()[name][0]
    model, x = _network(tg, sizes), tg.randn(1, sizes[0])

    def run() -> Any:
        with tg.no_grad():
            return model(x)

    return run


def _network(tg: Any, sizes: Sequence[int]) -> Any:
    layers: list[Any] = []
    for wide, narrow in pairwise(sizes):
        layers += [tg.nn.Linear(wide, narrow), tg.nn.ReLU()]
    return tg.nn.Sequential(*layers[:-1])


def _step(
    tg: Any, sizes: Sequence[int], rows: int, classify: bool, optimizer_of: Callable[[Any], Any], dtype: str = "float32"
) -> Run:
    """One step of training: forward, backward and update, on one fixed batch; the step returns the loss."""
    tg.manual_seed(0)
    model = _network(tg, sizes).to(getattr(tg, dtype))
    loss_fn = tg.nn.CrossEntropyLoss() if classify else tg.nn.MSELoss()
    optimizer = optimizer_of(model.parameters())
    inputs = tg.randn(rows, sizes[0]).to(getattr(tg, dtype))
    targets = tg.randint(0, sizes[-1], (rows,)) if classify else tg.randn(rows, sizes[-1]).to(inputs.dtype)

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    return step
