"""PyTorch or tapegrad, as the variable TAPEGRAD_PORTED says; and how the scripts beside this file report.

TAPEGRAD_PORTED         torch or tapegrad (default: tapegrad)
TAPEGRAD_PORTED_STEPS   how many steps each script trains (default: 50)
"""

import importlib
import os
import sys
import time
from pathlib import Path

__all__ = ["F", "HISTORY", "STEPS", "data", "nn", "optim", "report", "torch"]

NAME = os.environ.get("TAPEGRAD_PORTED", "tapegrad")
if NAME not in ("torch", "tapegrad"):
    raise SystemExit(f"TAPEGRAD_PORTED is {NAME!r}; it may be 'torch' or 'tapegrad'")
if NAME == "tapegrad":
    sys.path.append(str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed

torch = importlib.import_module(NAME)
nn = importlib.import_module(f"{NAME}.nn")
F = importlib.import_module(f"{NAME}.nn.functional")
optim = importlib.import_module(f"{NAME}.optim")
data = importlib.import_module(f"{NAME}.utils.data")

STEPS = int(os.environ.get("TAPEGRAD_PORTED_STEPS", "50"))
# Of each step: the processor time at its end, in seconds, and its losses.
HISTORY: list[tuple[float, tuple[float, ...]]] = []


def report(step: int, *losses: float) -> None:
    """Prints and remembers the losses of one step; the first and every tenth are printed."""
    HISTORY.append((time.process_time(), losses))
    if step % 10 == 0 or step == 1:
        print(f"step {step:3}   loss " + "   ".join(f"{loss:.6f}" for loss in losses), flush=True)
