"""What is measured, written as a user of the library writes it.

Every function takes the library as ``tg``, tapegrad or PyTorch, and returns a function of no arguments to be timed.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

__all__ = ["STEPS", "activation", "activation_with_backward", "matmul", "training_step"]

# name -> the sizes of the layers, the rows of a batch, and whether it classifies (cross-entropy) or fits (MSE)
STEPS = {
    "2-16-16-1": ((2, 16, 16, 1), 32, False),
    "64-128-64-10": ((64, 128, 64, 10), 32, True),
    "784-128-64-10": ((784, 128, 64, 10), 64, True),
}


def matmul(tg: Any, size: int) -> Callable[[], Any]:
    """The product of two square float32 matrices."""
    a, b = tg.randn(size, size), tg.randn(size, size)
    return lambda: a @ b


def activation(tg: Any, name: str, count: int) -> Callable[[], Any]:
    """An activation of ``count`` float32 numbers."""
    function, x = _function(tg, name), tg.randn(count)
    return lambda: function(x)


def activation_with_backward(tg: Any, name: str, count: int) -> Callable[[], Any]:
    """The same, and the gradient of its input."""
    function, x, g = _function(tg, name), tg.randn(count, requires_grad=True), tg.ones(count)

    def run() -> None:
        x.grad = None
        function(x).backward(g)

    return run


def _function(tg: Any, name: str) -> Callable[[Any], Any]:
    functions = tg.nn.functional
    return (lambda x: functions.gelu(x, approximate="tanh")) if name == "gelu" else getattr(functions, name)


def training_step(tg: Any, name: str) -> Callable[[], Any]:
    """One step of training with Adam for the network ``name`` of ``STEPS``, on one fixed batch; returns the loss."""
    sizes, rows, classify = STEPS[name]
    tg.manual_seed(0)
    layers: list[Any] = []
    for wide, narrow in pairwise(sizes):
        layers += [tg.nn.Linear(wide, narrow), tg.nn.ReLU()]
    model = tg.nn.Sequential(*layers[:-1])
    loss_fn = tg.nn.CrossEntropyLoss() if classify else tg.nn.MSELoss()
    optimizer = tg.optim.Adam(model.parameters(), lr=0.001)
    inputs = tg.randn(rows, sizes[0])
    targets = tg.randint(0, sizes[-1], (rows,)) if classify else tg.randn(rows, sizes[-1])

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    return step
