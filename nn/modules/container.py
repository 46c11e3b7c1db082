"""Containers, under PyTorch's path."""

from .. import container, parameter_containers
from ..container import *
from ..parameter_containers import *

__all__ = [*container.__all__, *parameter_containers.__all__]
