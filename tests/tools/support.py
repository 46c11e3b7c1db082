"""Writes docs/support.md: what is tested of every primitive and of every operator of PyTorch's database.

The first table is read from the samples of the conformance suite, the second from the operator database and the table
of shortfalls (PyTorch must be installed). Run from the repository root: ``python -m tests.tools.support``. Tests fail
when the page is out of date.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tapegrad import backends
from tapegrad.autograd import RULES
from tapegrad.backends.array import ArrayBackend
from tapegrad.backends.cupy_backend import CupyBackend
from tapegrad.testing.conformance.running import differentiates, flatten
from tapegrad.testing.conformance.suite import samples_of

from ..parity import database
from ..parity.shortfalls import SHORTFALLS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "support.md"
BREAK = "\n## PyTorch's operators\n"
HEAD = """# What is supported

Written by `python -m tests.tools.support` from what the tests run; a test fails when this page is out of date.

## Primitives

Every operation is made of these. Each runs on each backend, which `tests/conformance` tests with the samples of `tapegrad/testing/conformance/samples`: *kernel* is a kernel of the backend's own, *shared* the common one over its array module. Beside float32 and float64, which every sample is run in, *types* are those of samples. *Order* is the highest derivative that is compared with finite differences (0: there is none). On a machine without a GPU the CuPy backend's code runs over a stand-in (`tests/gpu_gates`).

| Primitive | NumPy | Numba | CuPy | Types | Order |
|---|---|---|---|---|---|
"""  # noqa: E501
KINDS = {"c": "complex", "i": "int", "u": "int", "b": "bool"}


def primitives() -> str:
    """The head of the page and the table of primitives; needs no PyTorch."""
    own = _kernels_of(backends.get("numba"))
    lines = []
    for name in sorted(RULES):
        samples = samples_of(name)
        kinds = {KINDS.get(x.dtype.kind) for s in samples for x in flatten(s.inputs) if isinstance(x, np.ndarray)}
        types = ", ".join(["float32", "float64", *sorted(kinds - {None})])
        places = ["shared", "kernel" if name in own else "shared", "kernel" if _cupy_has(name) else "shared"]
        lines.append(f"| `{name}` | {' | '.join(places)} | {types} | {_order(name, samples)} |")
    return HEAD + "\n".join(lines) + "\n"


def _order(name: str, samples: list) -> int:
    if not RULES[name].differentiable:
        return 0
    return 2 if any(s.smooth and differentiates(name, s) for s in samples) else 1


def _kernels_of(backend: object) -> set[str]:
    """The primitives that a backend computes otherwise than NumPy's."""
    plain = backends.get("numpy")

    def function(owner: object, name: str) -> object:
        kernel = getattr(owner, name)
        return getattr(kernel, "__func__", kernel)

    return {name for name in RULES if function(backend, name) is not function(plain, name)}


def _cupy_has(name: str) -> bool:
    return any(name in vars(c) for c in CupyBackend.__mro__ if c not in ArrayBackend.__mro__)


OPERATORS = """
The operators of PyTorch's database, with the inputs that it makes for them: `tests/parity/test_database.py` compares values and, in floating types, gradients (*strided*: the float32 inputs with gaps in memory; *in place*: the forms that end in `_`; *refusals*: inputs that must be refused). ✓ is as in PyTorch, a dot means that PyTorch has no such thing, a number is a note below. *Order* is the highest derivative that tests compare with PyTorch's.

"""  # noqa: E501


def operators() -> str:
    """The table of PyTorch's operators, and the notes; needs PyTorch."""
    notes = sorted({reason for rows in SHORTFALLS.values() for reason in rows.values()})
    modes = {mode: set(database.names(mode)) for mode in database.MODES}
    counts = " | ".join(f"{len(found) - len(SHORTFALLS[mode])}/{len(found)}" for mode, found in modes.items())
    lines = [
        f"| Operator | {' | '.join(modes)} | Order |", "|---" * (len(modes) + 2) + "|",
        f"| names as in PyTorch | {counts} | |",
    ]  # fmt: skip
    for name in sorted(set().union(*modes.values())):
        cells = []
        for mode, found in modes.items():
            reason = SHORTFALLS[mode].get(name)
            cells.append("·" if name not in found else "✓" if reason is None else str(notes.index(reason) + 1))
        lines.append(f"| `{name}` | {' | '.join(cells)} | {_order_of(name)} |")
    table = "\n".join(lines)
    listed = "\n".join(f"{k}. {reason[0].upper()}{reason[1:]}." for k, reason in enumerate(notes, 1))
    gone = "\n".join(f"- `{start}…`: {why}" for start, why in database.LEFT_OUT.items())
    return f"{OPERATORS}{table}\n\nNotes:\n\n{listed}\n\nNot judged, by how the names begin:\n\n{gone}\n"


def _order_of(name: str) -> int:
    from ..second_order import EXPRESSIONS, called
    from ..test_second_order import ELSEWHERE

    if not any(op.supports_autograd for op in database.entries()[name]):
        return 0
    second = ELSEWHERE.union(*map(called, EXPRESSIONS))
    last = name.rpartition(".")[2]
    return 2 if any(last == n for n in second) or name.startswith(("fft.", "linalg.")) else 1


def main() -> None:
    PAGE.write_text(primitives() + BREAK + operators(), encoding="utf-8")


if __name__ == "__main__":
    main()
