"""Keras's way to say it, over ``tapegrad.nn``: see docs/keras.md for what is there and where it differs."""

from . import (
    activations,
    callbacks,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    saving,
    utils,
)
from .layers import Input, Layer
from .sequential import Sequential

__all__ = [
    "Input", "Layer", "Sequential", "activations", "callbacks", "initializers", "layers", "losses", "metrics", "models",
    "optimizers", "regularizers", "saving", "utils",
]  # fmt: skip
