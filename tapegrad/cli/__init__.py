"""The commands of ``python -m tapegrad``: each function adds one to the parser, with the function that runs it."""

from .info import add_info
from .warmup import add_warmup
from .where import add_where

__all__ = ["COMMANDS"]

COMMANDS = (add_info, add_where, add_warmup)
