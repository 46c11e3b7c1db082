"""The multi-layer perceptron in one line."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from .activation import GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh
from .batch_norm import BatchNorm1d
from .container import Sequential
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm, RMSNorm

__all__ = ["MLP"]

ACTIVATIONS: dict[str, Callable[[], Module]] = {
    "relu": ReLU, "leaky_relu": LeakyReLU, "tanh": Tanh, "sigmoid": Sigmoid, "gelu": GELU, "silu": SiLU,
}  # fmt: skip
NORMS: dict[str, Callable[[int], Module]] = {"batch": BatchNorm1d, "layer": LayerNorm, "rms": RMSNorm}


class MLP(Sequential):
    """Linear layers with an activation (and a normalisation before it, dropout behind it) after each but the last.

    Args:
        sizes: features of the input, of each hidden layer, and of the output.
        activation: a name ("relu", "leaky_relu", "tanh", "sigmoid", "gelu", "silu") or a function that makes a module.
        dropout: the probability of dropout after each activation.
        norm: a name ("batch", "layer", "rms") or a function that makes a module from the number of features; None for
            no normalisation.

    Raises:
        ValueError: fewer than two sizes, or an unknown activation or normalisation.

    >>> MLP([64, 32, 10], activation="tanh")
    MLP(
      (0): Linear(in_features=64, out_features=32, bias=True)
      (1): Tanh()
      (2): Linear(in_features=32, out_features=10, bias=True)
    )
    """

    def __init__(
        self, sizes: Sequence[int], activation: str | Callable[[], Module] = "relu", dropout: float = 0.0,
        norm: str | Callable[[int], Module] | None = None,
    ) -> None:  # fmt: skip
        if len(sizes) < 2:
            raise ValueError(f"MLP: sizes must name at least the input and the output, got {list(sizes)}")
        if isinstance(activation, str) and activation not in ACTIVATIONS:
            raise ValueError(f"MLP: unknown activation {activation!r}; use one of {', '.join(ACTIVATIONS)}")
        make = ACTIVATIONS[activation] if isinstance(activation, str) else activation
        if isinstance(norm, str) and norm not in NORMS:
            raise ValueError(f"MLP: unknown norm {norm!r}; use one of {', '.join(NORMS)}, or None")
        normalise = NORMS[norm] if isinstance(norm, str) else norm
        layers: list[Module] = []
        for i in range(len(sizes) - 1):
            layers.append(Linear(sizes[i], sizes[i + 1]))
            if i < len(sizes) - 2:
                if normalise is not None:
                    layers.append(normalise(sizes[i + 1]))
                layers.append(make())
                if dropout:
                    layers.append(Dropout(dropout))
        super().__init__(*layers)

    def __getitem__(self, index: int | slice) -> Any:
        """A layer; or a ``Sequential`` of several, whose sizes are no longer those of an MLP."""
        if isinstance(index, slice):
            return Sequential(OrderedDict(list(self._modules.items())[index]))
        return super().__getitem__(index)
