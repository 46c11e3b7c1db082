"""The modules under PyTorch's path."""

from .. import catalogue
from ..catalogue import *
from ..lazy import LazyModuleMixin
from ..linear import NonDynamicallyQuantizableLinear
from . import (
    activation,
    adaptive,
    batchnorm,
    channelshuffle,
    container,
    conv,
    distance,
    dropout,
    flatten,
    fold,
    instancenorm,
    lazy,
    linear,
    loss,
    module,
    normalization,
    padding,
    pixelshuffle,
    pooling,
    rnn,
    sparse,
    transformer,
    upsampling,
    utils,
)

__all__ = [
    *catalogue.__all__, "LazyModuleMixin", "NonDynamicallyQuantizableLinear",
    "activation", "adaptive", "batchnorm", "channelshuffle", "container", "conv", "distance", "dropout", "flatten",
    "fold", "instancenorm", "lazy", "linear", "loss", "module", "normalization", "padding", "pixelshuffle", "pooling",
    "rnn", "sparse", "transformer", "upsampling", "utils",
]  # fmt: skip
