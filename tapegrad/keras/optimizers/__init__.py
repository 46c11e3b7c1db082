"""Optimizers with Keras's names, arguments, defaults and formulas, and learning rate schedules."""

from . import schedules
from .base import Optimizer
from .methods import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, Nadam, RMSprop, get

__all__ = [
    "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Lion", "Nadam", "Optimizer", "RMSprop", "get",
    "schedules",
]  # fmt: skip
