"""Convolutions of images without columns: sums over shifted lines.

Images are first laid out in ``lines``: padded with zeros, several of them one below the other, and with a stride apart
by the remainder of their rows and columns, so that every tap of a filter reads one contiguous line. What a line gives
beyond the places that are wanted is dropped.

All arrays are C-contiguous, of float32 or float64. ``spread`` says how lines are laid out: images together, step down
and across, zeros above and to the left, rows and columns of an image in a line, remainders down and across, length of
a channel.
"""

from numba import float32, float64, int64, void

from .cache import on_first_use, typed
from .compiled import helper
from .tiles import COLUMNS, ROWS, TAIL, VECTOR, dot_tile, tap_tile

__all__ = ["NAMES"]

_CHUNK = 2048  # places whose products are added up in registers, few enough to lie in the nearest cache

_TAPS = 96  # whose places lie in the nearest cache for all rows

_inline = helper(forceinline=True, error_model="numpy")


@_inline
def _lay(x, first, images, begin, channels, spread, lines):
    """Lay out some channels of some images."""
    together, down, across, above, left, rows, columns, remainders, beside, pitch = spread
    height, width = x.shape[2], x.shape[3]
    for c in range(channels):
        for a in range(remainders):
            for b in range(beside):
                low = max(-((b - left) // across), 0)
                high = min((width - 1 + left - b) // across + 1, columns)
                for k in range(images):
                    start = c * pitch + ((a * beside + b) * together + k) * rows * columns
                    for m in range(rows):
                        i = m * down + a - above
                        if i < 0 or i >= height:
                            continue
                        row, line = x[first + k, begin + c, i], lines[start + m * columns : start + (m + 1) * columns]
                        if across == 1:
                            shift = b - left
                            for j in range(low, high):
                                line[j] = row[j + shift]
                        else:
                            for j in range(low, high):
                                line[j] = row[j * across + b - left]


def _pack(weights, picked, step, groups, rows, packed):
    """Order the weights as tiles read them: by block of rows, tap and row; missing rows are zero."""
    taps, blocks = picked.size, -(-rows // ROWS)
    of_group = weights.size // groups
    place = 0
    for group in range(groups):
        for block in range(blocks):
            for t in range(taps):
                for r in range(ROWS):
                    row = block * ROWS + r
                    packed[place] = weights[group * of_group + row * step + picked[t]] if row < rows else 0
                    place += 1


def _convolve(x, packed, bias, offsets, parts, spread, down, across, groups, start, stop, lines, sums, out):
    """Each part of ``out``: taps, rows from and to, columns from and to, shifts of the result."""
    spread = (
        spread[0], spread[1], spread[2], spread[3], spread[4], spread[5], spread[6], spread[7], spread[8], spread[9],
    )  # fmt: skip
    together, plane, columns = spread[0], spread[5] * spread[6], spread[6]
    channels, rows = x.shape[1] // groups, out.shape[1] // groups
    blocks, taps, width = -(-rows // ROWS), offsets.size, x.itemsize
    wide, narrow = COLUMNS * VECTOR // width, TAIL * VECTOR // width
    like = lines[0]
    for first in range(start, stop, together):
        images = min(together, stop - first)
        for group in range(groups):
            _lay(x, first, images, group * channels, channels, spread, lines)
            for part in range(parts.shape[0]):
                t, count = parts[part, 0], parts[part, 1]
                top, bottom, left, right = parts[part, 2], parts[part, 3], parts[part, 4], parts[part, 5]
                if top >= bottom or left >= right:
                    continue
                begin = top * columns + left
                size = (images - 1) * plane + (bottom - 1) * columns + right - begin
                pitch = size + wide + narrow
                p = 0
                while p < size:
                    rest = size - p
                    for tap in range(0, max(count, 1), _TAPS):
                        source = lines.ctypes.data + (begin + p) * width
                        steps, several = offsets.ctypes.data + (t + tap) * 8, min(_TAPS, count - tap)
                        for block in range(blocks):
                            at = group * blocks + block
                            factors = packed.ctypes.data + (at * taps + t + tap) * ROWS * width
                            added = bias.ctypes.data + at * ROWS * width
                            target = sums.ctypes.data + (block * ROWS * pitch + p) * width
                            if rest > 2 * narrow:
                                if tap:
                                    tap_tile(like, source, steps, factors, several, added, target, pitch, COLUMNS, 0)
                                else:
                                    tap_tile(like, source, steps, factors, several, added, target, pitch, COLUMNS, 1)
                            elif tap == 0:  # of little, all taps at once
                                tap_tile(like, source, steps, factors, count, added, target, pitch, TAIL, 1)
                    p += wide if rest > 2 * narrow else narrow
                up, aside = parts[part, 6], parts[part, 7]
                for k in range(images):
                    for row in range(rows):
                        target = out[first + k, group * rows + row]
                        for m in range(top, bottom):
                            at = row * pitch + k * plane + m * columns - begin
                            line = target[m * down + up]
                            if across == 1:
                                for j in range(left, right):
                                    line[j + aside] = sums[at + j]
                            else:
                                for j in range(left, right):
                                    line[j * across + aside] = sums[at + j]


def _correlate(x, g, offsets, spread, laid, groups, start, stop, lines, given, out):
    """Add to ``out``, (groups, rows, taps), what the images from ``start`` to ``stop`` give; rows fill tiles."""
    spread = (
        spread[0], spread[1], spread[2], spread[3], spread[4], spread[5], spread[6], spread[7], spread[8], spread[9],
    )  # fmt: skip
    laid = (laid[0], laid[1], laid[2], laid[3], laid[4], laid[5], laid[6], laid[7], laid[8], laid[9])
    together, plane, pitch = spread[0], spread[5] * spread[6], laid[9]
    channels, rows = x.shape[1] // groups, g.shape[1] // groups
    taps, width = out.shape[2], x.itemsize
    lanes, like = VECTOR // width, lines[0]
    for first in range(start, stop, together):
        images = min(together, stop - first)
        for group in range(groups):
            if images < together:
                given[:] = 0
            _lay(x, first, images, group * channels, channels, spread, lines)
            _lay(g, first, images, group * rows, rows, laid, given)
            size = (images - 1) * plane + g.shape[2] * spread[6]
            for p in range(0, size, _CHUNK):
                count = -(-min(_CHUNK, size - p) // lanes)
                for row in range(0, out.shape[1], ROWS):
                    for t in range(0, taps, COLUMNS):
                        dot_tile(
                            like, lines.ctypes.data + p * width, offsets.ctypes.data + t * 8,
                            given.ctypes.data + (row * pitch + p) * width, pitch, count,
                            out.ctypes.data + ((group * out.shape[1] + row) * taps + t) * width, taps, COLUMNS,
                        )  # fmt: skip


def _numbers(kind, n):
    return [kind[::1], kind[:, ::1], kind[:, :, ::1], kind[:, :, :, ::1]][n - 1]


_KERNELS = {
    "pack": (_pack, lambda v, f: (v, int64[::1], int64, int64, int64, v)),
    "convolve": (
        _convolve,
        lambda v, f: (
            f, v, v, int64[::1], int64[:, ::1], int64[::1], int64, int64, int64, int64, int64, v, v, f,
        ),
    ),
    "correlate": (
        _correlate,
        lambda v, f: (f, f, int64[::1], int64[::1], int64[::1], int64, int64, int64, v, v, _numbers(v.dtype, 3)),
    ),
}  # fmt: skip

NAMES = tuple(_KERNELS)


def _make(name):
    function, arguments = _KERNELS[name]
    signatures = [void(*arguments(kind[::1], kind[:, :, :, ::1])) for kind in (float32, float64)]
    return typed(function, signatures)


__getattr__ = on_first_use(globals(), _make)
