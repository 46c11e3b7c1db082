"""Weighted sums of places along the middle axis of (rows, places, columns).

Arrays are C-contiguous, of float32 or float64.
"""

from numba import float32, float64, int64, void

from .cache import on_first_use, typed

__all__ = ["NAMES"]


def _resample(x, starts, places, weights, out):
    """The sums of ``weights[k] x[a, places[k], b]`` over ``k`` from ``starts[j]`` to ``starts[j + 1]``."""
    columns = x.shape[2]
    for a in range(x.shape[0]):
        if columns == 1:
            row, result = x[a].reshape(x.shape[1]), out[a].reshape(out.shape[1])
            for j in range(result.size):
                total = out.dtype.type(0)
                for k in range(starts[j], starts[j + 1]):
                    total += weights[k] * row[places[k]]
                result[j] = total
            continue
        for j in range(out.shape[1]):
            line, k, stop = out[a, j], starts[j], starts[j + 1]
            if stop - k < 2:
                factor = weights[k] if stop > k else x.dtype.type(0)
                first = x[a, places[k] if stop > k else 0]
                for b in range(columns):
                    line[b] = factor * first[b] if stop > k else x.dtype.type(0)
                continue
            first, second, p, q = x[a, places[k]], x[a, places[k + 1]], weights[k], weights[k + 1]
            for b in range(columns):
                line[b] = p * first[b] + q * second[b]
            for i in range(k + 2, stop):
                more, factor = x[a, places[i]], weights[i]
                for b in range(columns):
                    line[b] += factor * more[b]


_KERNELS = {"resample": _resample}

NAMES = tuple(_KERNELS)


def _make(name):
    signatures = [
        void(kind[:, :, ::1], int64[::1], int64[::1], kind[::1], kind[:, :, ::1]) for kind in (float32, float64)
    ]
    return typed(_KERNELS[name], signatures)


__getattr__ = on_first_use(globals(), _make)
