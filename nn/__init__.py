"""Modules: layers, losses, containers, and what trains them."""

from . import catalogue, data, functional, init, modules, optim, parallel, parameter, utils
from .catalogue import *
from .mlp import MLP
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter
from .perceptron import Perceptron

__all__ = [
    *catalogue.__all__, "Buffer", "MLP", "Parameter", "Perceptron", "UninitializedBuffer", "UninitializedParameter",
    "data", "functional", "init", "modules", "optim", "parallel", "parameter", "utils",
]  # fmt: skip
