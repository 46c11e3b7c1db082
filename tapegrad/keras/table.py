"""A model's table of layers in Keras's look."""

from __future__ import annotations

import shutil
from typing import Any

from ..autograd import Tensor

__all__ = ["write"]


def _size(n: int) -> str:
    """Bytes as 404.00 B, 3.95 KB, 1.20 MB ….

    >>> _size(404), _size(4048)
    ('404.00 B', '3.95 KB')
    """
    value = float(n)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1024:
            return f"{value:.2f} {unit}"
        value /= 1024
    return f"{value:.2f} TB"


def _cell(text: str, width: int) -> list[str]:
    """The lines of a cell: broken between words; a longer word is cut."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word if len(word) <= width else word[: width - 1] + "…")
    return lines


def _row(cells: tuple[str, str, str], widths: list[int], bar: str) -> str:
    columns = [_cell(text, width - 2) for text, width in zip(cells, widths, strict=True)]
    lines = []
    for i in range(max(map(len, columns))):
        name, shape, count = (column[i] if i < len(column) else "" for column in columns)
        lines.append(
            f"{bar} {name:<{widths[0] - 2}} {bar} {shape:<{widths[1] - 2}} {bar} {count:>{widths[2] - 2}} {bar}"
        )
    return "\n".join(lines)


def _widths(total: int) -> list[int]:
    """How wide the three columns are, of ``total`` with the four bars: 45, 35 and 20 %, as Keras makes them fit."""
    first, second = int(0.45 * total), int(0.8 * total)
    return [first - 1, second - first - 2, total - second - 1]


def _rule(left: str, line: str, middle: str, right: str, widths: list[int]) -> str:
    return left + middle.join(line * w for w in widths) + right


def _describe(layer: Any) -> tuple[str, str, str]:
    shape = "?" if layer.output_shape is None else str(tuple(layer.output_shape))
    count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
    return f"{layer.name} ({type(layer).__name__})", shape, count


def write(model: Any, line_length: int | None = None) -> str:
    """The table as a text.

    Args:
        model: a ``Sequential``.
        line_length: columns, at least 40; those of the terminal without, 88 at most.
    """
    total = max(line_length or min(88, shutil.get_terminal_size().columns - 4), 40)
    widths = _widths(total)
    lines = [
        f'Model: "{model.name}"', _rule("┏", "━", "┳", "┓", widths),
        _row(("Layer (type)", "Output Shape", "Param #"), widths, "┃"), _rule("┡", "━", "╇", "┩", widths),
    ]  # fmt: skip
    rows = [_row(_describe(layer), widths, "│") for layer in model.layers]
    lines.append(("\n" + _rule("├", "─", "┼", "┤", widths) + "\n").join(rows))
    lines.append(_rule("└", "─", "┴", "┘", widths))
    learned, fixed = model.trainable_weights, model.non_trainable_weights
    # The optimizer has its step count and its learning rate besides what it keeps for each weight.
    inner = None if model.optimizer is None else model.optimizer.inner
    kept = 0 if inner is None else 2 + sum(t.numel() for slots in inner.state.values() for t in _arrays(slots))
    size = int(next((w.tensors[0].element_size() for w in learned + fixed), 4))
    counts = [
        (title, sum(w.size for w in weights), sum(w.nbytes for w in weights))
        for title, weights in (("Total", learned + fixed), ("Trainable", learned), ("Non-trainable", fixed))
    ]
    counts[0] = ("Total", counts[0][1] + kept, counts[0][2] + kept * size)
    if kept:
        counts.append(("Optimizer", kept, kept * size))
    lines += [f" {title} params: {count:,} ({_size(memory)})" for title, count, memory in counts]
    return "\n".join(line for line in lines if line)


def _arrays(slots: dict[str, Any]) -> list[Any]:
    """What an optimizer keeps for a weight, but for the count of steps."""
    return [t for name, t in slots.items() if isinstance(t, Tensor) and name != "step"]
