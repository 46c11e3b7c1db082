"""The functions of convolutions, normalisation and resampling that an exported script brings along."""

from __future__ import annotations

__all__ = ["LAYERS"]

LAYERS: list[str] = []
LAYERS.append('''
def batch_moments(x):
    """The mean and the variance of every channel."""
    axes = (0, *range(2, x.ndim))
    return np.stack([x.mean(axis=axes), x.var(axis=axes)])
''')
LAYERS.append('''
def batch_norm(x, moments, weight, bias, eps):
    """x less the mean and over the deviation of its channel, times weight, plus bias."""
    shape, out = (-1, *(1,) * (x.ndim - 2)), x
    if moments is not None:
        mean, variance = moments.reshape(2, *shape)
        out = (x - mean) / np.sqrt(variance + np.asarray(eps, x.dtype))
    out = out if weight is None else out * weight.reshape(shape)
    return out if bias is None else out + bias.reshape(shape)
''')
LAYERS.append('''
def windows_of(x, kernel, stride, padding, dilation):
    """(N, C, *size) -> (C, *kernel, N, *count): a view of every window."""
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    count = [(n - (k - 1) * d - 1) // s + 1 for n, k, d, s in zip(x.shape[2:], kernel, dilation, stride)]
    batch, channel, *steps = x.strides
    inside, apart = [s * d for s, d in zip(steps, dilation)], [s * t for s, t in zip(steps, stride)]
    shape = (x.shape[1], *kernel, x.shape[0], *count)
    return np.lib.stride_tricks.as_strided(x, shape, (channel, *inside, batch, *apart))
''')
LAYERS.append('''
def conv(x, w, b, stride, padding, dilation, groups):
    """The cross-correlation of images (N, C, ...) with filters (O, C / groups, ...), plus b (O,) or None."""
    view = windows_of(x, w.shape[2:], stride, padding, dilation)
    batch, count = x.shape[0], view.shape[-len(stride):]
    rows = int(np.prod(w.shape[1:]))
    out = w.reshape(groups, -1, rows) @ view.reshape(groups, rows, batch * int(np.prod(count)))
    out = out.reshape(w.shape[0], batch, *count).swapaxes(0, 1)
    return out if b is None else out + b.reshape(-1, *(1,) * len(stride))
''')
LAYERS.append('''
def conv_back(g, w, size, stride, padding, dilation, groups):
    """The transpose of conv, to images of a size."""
    filters, channels, *kernel = w.shape
    batch, count = g.shape[0], g.shape[2:]
    columns, rows = batch * int(np.prod(count)), channels * int(np.prod(kernel))
    spread = w.reshape(groups, filters // groups, rows).swapaxes(1, 2) @ g.swapaxes(0, 1).reshape(
        groups, filters // groups, columns
    )
    spread = spread.reshape(groups * channels, *kernel, batch, *count).swapaxes(0, len(kernel) + 1)
    whole = [n + sum(p) for n, p in zip(size, padding)]
    out = np.zeros((batch, groups * channels, *whole), g.dtype)
    for place in np.ndindex(*kernel):
        cut = [slice(k * d, k * d + (q - 1) * s + 1, s) for k, d, q, s in zip(place, dilation, count, stride)]
        out[(slice(None), slice(None), *cut)] += spread[(slice(None), *place)]
    return out[(slice(None), slice(None), *[slice(p[0], p[0] + n) for p, n in zip(padding, size)])]
''')
LAYERS.append('''
def conv_weight(x, g, kernel, stride, padding, dilation, groups):
    """The cotangent of filters of a size."""
    view = windows_of(x, kernel, stride, padding, dilation)[(..., *[slice(0, n) for n in g.shape[2:]])]
    columns, channels = g.shape[0] * int(np.prod(g.shape[2:])), x.shape[1] // groups
    given = g.swapaxes(0, 1).reshape(groups, g.shape[1] // groups, columns)
    rows = view.reshape(groups, channels * int(np.prod(kernel)), columns)
    return (given @ rows.swapaxes(1, 2)).reshape(g.shape[1], channels, *kernel)
''')
LAYERS.append('''
def resample(x, dim, starts, places, weights):
    """Sums of what x has along dim: of places[starts[j]:starts[j + 1]], times the weights."""
    x = np.moveaxis(x, dim, 0)
    out = np.zeros((len(starts) - 1, *x.shape[1:]), x.dtype)
    for j in range(len(out)):
        for k in range(starts[j], starts[j + 1]):
            out[j] += x[places[k]] * x.dtype.type(weights[k]) if weights else x[places[k]]
    return np.moveaxis(out, 0, dim)
''')
LAYERS.append('''
def placed(x, size, padding, corners):
    """Where to look instead where that lies outside."""
    if padding == "zeros":
        return x
    if padding == "reflection":
        low, span = (0.0, size - 1) if corners else (-0.5, size)
        if span <= 0:
            return x * 0
        far = np.abs(x - low)
        turns = np.floor(far / span)
        rest = far - turns * span
        x = np.where(turns % 2 != 0, span - rest, rest) + low
    return np.clip(x, 0, size - 1)
''')
LAYERS.append('''
def looks(x, size, mode, padding, corners):
    """Where to look along one dimension, and how much each of that counts."""
    if mode == "nearest":
        return [(np.round(placed(x, size, padding, corners)), 1)]
    if mode == "bilinear":
        x = placed(x, size, padding, corners)
        low = np.floor(x)
        return [(low, 1 - (x - low)), (low + 1, x - low)]
    low, a = np.floor(x), -0.75
    t, found = x - low, []
    for k, d in enumerate((t + 1, t, 1 - t, 2 - t)):
        weight = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a if k in (0, 3) else ((a + 2) * d - (a + 3)) * d * d + 1
        found.append((placed(low + (k - 1), size, padding, corners), weight))
    return found
''')
LAYERS.append('''
def grid_sample(x, grid, mode, padding, corners):
    """Images (N, C, *size) at the places of grid (N, *count, dimensions), from -1 to 1."""
    batch, channels, *size = x.shape
    flat = np.pad(x.reshape(batch, channels, -1), ((0, 0), (0, 0), (0, 1)))
    axes = []
    for i, n in enumerate(size):
        u = grid[..., len(size) - 1 - i].reshape(batch, -1) + 1
        axes.append(looks(u * ((n - 1) / 2) if corners else (u * n - 1) / 2, n, mode, padding, corners))
    total = 0
    for which in np.ndindex(*map(len, axes)):
        index, inside, weight = 0, True, 1
        for (places, factor), n in zip([a[k] for a, k in zip(axes, which)], size):
            here = (places >= 0) & (places <= n - 1)
            index, inside, weight = index * n + np.where(here, places, 0).astype(int), inside & here, weight * factor
        index = np.where(inside, index, flat.shape[2] - 1)[:, None]
        part = np.take_along_axis(flat, np.broadcast_to(index, (batch, channels, index.shape[2])), 2)
        total = total + (part if mode == "nearest" else part * weight[:, None])
    return total.reshape(batch, channels, *grid.shape[1:-1])
''')
