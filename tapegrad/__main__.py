"""The command line: ``python -m tapegrad info``, ``python -m tapegrad where tanh``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import __version__
from .cli import COMMANDS

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: its name and arguments; None for those of the program.

    Returns:
        The exit code: 0, or 1 where the command could not answer.

    Raises:
        SystemExit: the arguments make no sense (code 2), or ask for help (code 0).
    """
    parser = argparse.ArgumentParser(
        prog="python -m tapegrad", description="What tapegrad is, and where its parts are."
    )
    parser.add_argument("--version", action="version", version=f"tapegrad {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(commands)
    options = parser.parse_args(argv)
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main())
