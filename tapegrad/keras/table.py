"""A model's table of layers in Keras's look."""

from __future__ import annotations

from typing import Any

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


def _row(cells: tuple[str, str, str], widths: tuple[int, int, int], bar: str) -> str:
    def cut(text: str, width: int) -> str:
        return text if len(text) <= width else text[: width - 1] + "…"

    name, shape, count = (cut(c, w - 2) for c, w in zip(cells, widths, strict=True))
    return f"{bar} {name:<{widths[0] - 2}} {bar} {shape:<{widths[1] - 2}} {bar} {count:>{widths[2] - 2}} {bar}"


def _rule(left: str, line: str, middle: str, right: str, widths: tuple[int, int, int]) -> str:
    return left + middle.join(line * w for w in widths) + right


def _describe(layer: Any) -> tuple[str, str, str]:
    shape = "?" if layer.output_shape is None else str(tuple(layer.output_shape))
    count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
    return f"{layer.name} ({type(layer).__name__})", shape, count


def write(model: Any, line_length: int | None = None) -> str:
    """The table as a text.

    Args:
        model: a ``Sequential``.
        line_length: columns; 78 without.
    """
    total = max(line_length or 78, 40)
    shape_width, count_width = round((total - 4) * 0.33), round((total - 4) * 0.21)
    widths = (total - 4 - shape_width - count_width, shape_width, count_width)
    lines = [
        f'Model: "{model.name}"', _rule("┏", "━", "┳", "┓", widths),
        _row(("Layer (type)", "Output Shape", "Param #"), widths, "┃"), _rule("┡", "━", "╇", "┩", widths),
    ]  # fmt: skip
    rows = [_row(_describe(layer), widths, "│") for layer in model.layers]
    lines.append(("\n" + _rule("├", "─", "┼", "┤", widths) + "\n").join(rows))
    lines.append(_rule("└", "─", "┴", "┘", widths))
    learned, fixed = model.trainable_weights, model.non_trainable_weights
    for title, weights in (("Total", learned + fixed), ("Trainable", learned), ("Non-trainable", fixed)):
        count, memory = sum(w.size for w in weights), sum(w.nbytes for w in weights)
        lines.append(f" {title} params: {count:,} ({_size(memory)})")
    return "\n".join(line for line in lines if line)
