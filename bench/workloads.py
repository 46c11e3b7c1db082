"""What is measured, written as a user of the library writes it.

Every function takes the library as ``tg``, tapegrad or PyTorch, and returns a function of no arguments to be timed.
Numbers are float32 and, without a word about devices, lie where the library makes its tensors by default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

__all__ = [
    "CHAIN", "STEPS", "activation", "add", "chain", "copy_to_device", "copy_to_host", "cross_entropy", "exp", "loss",
    "matmul", "mlp_step", "multiply_add", "optimizer_step", "perceptron_step", "reduction", "softmax", "step_of",
    "training_step",
]  # fmt: skip

Run = Callable[[], Any]

# name -> the sizes of the layers, the rows of a batch, and whether it classifies (cross-entropy) or fits (MSE)
STEPS = {
    "2-16-16-1": ((2, 16, 16, 1), 32, False),
    "64-128-64-10": ((64, 128, 64, 10), 32, True),
    "784-128-64-10": ((784, 128, 64, 10), 64, True),
}
CHAIN = "chain-100"
CLASSES = 10
BATCH = 64


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
    """An activation of a vector; GELU in its form with tanh."""
    functions = tg.nn.functional
    function = (lambda x: functions.gelu(x, approximate="tanh")) if name == "gelu" else getattr(functions, name)
    return _timed(function, [tg.randn(count)], backward)


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
    settings = {"lr": 1e-6, "momentum": 0.9} if name == "SGD" else {"lr": 1e-6}
    return getattr(tg.optim, name)(parameters, **settings).step


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
    return _step(tg, (units, units, units, CLASSES), BATCH, True, lambda p: tg.optim.Adam(p, lr=0.0001))


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


def training_step(tg: Any, name: str) -> Run:
    """One step of training with Adam for the network ``name`` of ``STEPS``."""
    return _step(tg, *STEPS[name], lambda p: tg.optim.Adam(p, lr=0.001))


def _step(tg: Any, sizes: Sequence[int], rows: int, classify: bool, optimizer_of: Callable[[Any], Any]) -> Run:
    """One step of training: forward, backward and update, on one fixed batch; the step returns the loss."""
    tg.manual_seed(0)
    layers: list[Any] = []
    for wide, narrow in pairwise(sizes):
        layers += [tg.nn.Linear(wide, narrow), tg.nn.ReLU()]
    model = tg.nn.Sequential(*layers[:-1])
    loss_fn = tg.nn.CrossEntropyLoss() if classify else tg.nn.MSELoss()
    optimizer = optimizer_of(model.parameters())
    inputs = tg.randn(rows, sizes[0])
    targets = tg.randint(0, sizes[-1], (rows,)) if classify else tg.randn(rows, sizes[-1])

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    return step
