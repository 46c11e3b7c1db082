"""The multi-layer perceptron in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .activation import GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh
from .container import Sequential
from .dropout import Dropout
from .linear import Linear
from .module import Module

__all__ = ["MLP"]

ACTIVATIONS: dict[str, Callable[[], Module]] = {
    "relu": ReLU, "leaky_relu": LeakyReLU, "tanh": Tanh, "sigmoid": Sigmoid, "gelu": GELU, "silu": SiLU,
}  # fmt: skip


class MLP(Sequential):
    """Linear layers with an activation (and dropout) after each but the last.

    Args:
        sizes: features of the input, of each hidden layer, and of the output.
        activation: a name ("relu", "leaky_relu", "tanh", "sigmoid", "gelu", "silu") or a function that makes a module.
        dropout: the probability of dropout after each activation.

    Raises:
        ValueError: fewer than two sizes, or an unknown activation.

    >>> MLP([64, 32, 10], activation="tanh")
    MLP(
      (0): Linear(in_features=64, out_features=32, bias=True)
      (1): Tanh()
      (2): Linear(in_features=32, out_features=10, bias=True)
    )
    """

    def __init__(
        self, sizes: Sequence[int], activation: str | Callable[[], Module] = "relu", dropout: float = 0.0
    ) -> None:
        if len(sizes) < 2:
            raise ValueError(f"MLP: sizes must name at least the input and the output, got {list(sizes)}")
        if isinstance(activation, str) and activation not in ACTIVATIONS:
            raise ValueError(f"MLP: unknown activation {activation!r}; use one of {', '.join(ACTIVATIONS)}")
        make = ACTIVATIONS[activation] if isinstance(activation, str) else activation
        layers: list[Module] = []
        for i in range(len(sizes) - 1):
            layers.append(Linear(sizes[i], sizes[i + 1]))
            if i < len(sizes) - 2:
                layers.append(make())
                if dropout:
                    layers.append(Dropout(dropout))
        super().__init__(*layers)
