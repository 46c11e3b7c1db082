"""The modules under PyTorch's path."""

from .. import catalogue
from ..catalogue import *
from ..lazy import LazyModuleMixin
from ..linear import NonDynamicallyQuantizableLinear
from . import (
    activation,
    batchnorm,
    container,
    conv,
    dropout,
    instancenorm,
    lazy,
    linear,
    loss,
    module,
    normalization,
    padding,
    pooling,
    rnn,
    sparse,
    transformer,
    utils,
)

__all__ = [
    *catalogue.__all__, "LazyModuleMixin", "NonDynamicallyQuantizableLinear",
    "activation", "batchnorm", "container", "conv", "dropout", "instancenorm", "lazy", "linear", "loss", "module",
    "normalization", "padding", "pooling", "rnn", "sparse", "transformer", "utils",
]  # fmt: skip
