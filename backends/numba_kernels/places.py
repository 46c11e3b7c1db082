"""Reading and adding at places that indices name.

All arrays are C-contiguous; numbers are float32 or float64 and indices int64, where negative ones count from the end.
Each kernel returns whether every index is within bounds; elements of others are left out. Places are taken in order, so
sums do not vary.

- ``gather(x, index, out)``: ``out[a, k, b] = x[a, index[a, k, b], b]``;
- ``add_along(out, index, value)``: adds ``value[a, k, b]`` there;
- ``put_along(out, index, value)``: writes it there;
- ``take_rows(x, rows, out)``: ``out[a, k, b] = x[a, rows[k], b]``;
- ``add_rows(out, rows, value)``: adds ``value[a, k, b]`` there.
"""

from numba import boolean, float32, float64, int64, njit

from .cache import on_first_use

__all__ = ["NAMES"]


def _gather(x, index, out):
    n, fit = x.shape[1], True
    for a in range(index.shape[0]):
        for k in range(index.shape[1]):
            for b in range(index.shape[2]):
                i = index[a, k, b]
                i = i + n if i < 0 else i
                if 0 <= i < n:
                    out[a, k, b] = x[a, i, b]
                else:
                    fit = False
    return fit


def _add_along(out, index, value):
    n, fit = out.shape[1], True
    for a in range(index.shape[0]):
        for k in range(index.shape[1]):
            for b in range(index.shape[2]):
                i = index[a, k, b]
                i = i + n if i < 0 else i
                if 0 <= i < n:
                    out[a, i, b] += value[a, k, b]
                else:
                    fit = False
    return fit


def _put_along(out, index, value):
    n, fit = out.shape[1], True
    for a in range(index.shape[0]):
        for k in range(index.shape[1]):
            for b in range(index.shape[2]):
                i = index[a, k, b]
                i = i + n if i < 0 else i
                if 0 <= i < n:
                    out[a, i, b] = value[a, k, b]
                else:
                    fit = False
    return fit


def _take_rows(x, rows, out):
    n, fit = x.shape[1], True
    for a in range(x.shape[0]):
        for k in range(rows.size):
            i = rows[k]
            i = i + n if i < 0 else i
            if 0 <= i < n:
                for b in range(x.shape[2]):
                    out[a, k, b] = x[a, i, b]
            else:
                fit = False
    return fit


def _add_rows(out, rows, value):
    n, fit = out.shape[1], True
    for a in range(out.shape[0]):
        for k in range(rows.size):
            i = rows[k]
            i = i + n if i < 0 else i
            if 0 <= i < n:
                for b in range(out.shape[2]):
                    out[a, i, b] += value[a, k, b]
            else:
                fit = False
    return fit


def _on_lines(kind):
    return boolean(kind[:, :, ::1], int64[:, :, ::1], kind[:, :, ::1])


def _on_rows(kind):
    return boolean(kind[:, :, ::1], int64[::1], kind[:, :, ::1])


_KERNELS = {
    "gather": (_gather, _on_lines), "add_along": (_add_along, _on_lines), "put_along": (_put_along, _on_lines),
    "take_rows": (_take_rows, _on_rows), "add_rows": (_add_rows, _on_rows),
}  # fmt: skip

NAMES = tuple(_KERNELS)


def _make(name):
    function, arguments = _KERNELS[name]
    kernel = njit([arguments(kind) for kind in (float32, float64)], cache=True, nogil=True)(function)
    kernel.disable_compile()
    return kernel


__getattr__ = on_first_use(globals(), _make)
