"""The small functions that an exported script brings along, each in the script only where it is used."""

from __future__ import annotations

from .layer_helpers import LAYERS

__all__ = ["HELPERS", "needed"]

# name -> its text
HELPERS: dict[str, str] = {}


def _add(text: str) -> None:
    """Put a function into the table, under the name in its first line."""
    text = text.strip("\n")
    HELPERS[text[4 : text.index("(")]] = text


def needed(used: set[str]) -> list[str]:
    """The texts of the functions ``used`` and of those that they call, in the order of the table."""
    found: set[str] = set()
    stack = list(used)
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack.extend(other for other in HELPERS if other != name and f"{other}(" in HELPERS[name])
    return [text for name, text in HELPERS.items() if name in found]


_add('''
def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    tail = np.exp(-np.abs(x))
    return np.where(np.real(x) >= 0, 1 / (1 + tail), tail / (1 + tail)) if np.isrealobj(x) else 1 / (1 + np.exp(-x))
''')
_add('''
def softplus(x, beta, threshold):
    """log(1 + exp(beta * x)) / beta, and x itself past the threshold."""
    smooth = (np.maximum(x * beta, 0) + np.log1p(np.exp(-np.abs(x * beta)))) / beta
    return np.where(x * beta > threshold, x, smooth)
''')
_add('''
def layer_norm(x, weight, bias, rank, eps):
    """x less its mean and over its deviation along the last axes, times weight, plus bias."""
    axes = tuple(range(-rank, 0))
    centred = x - np.mean(x, axis=axes, keepdims=True)
    out = centred / np.sqrt(np.mean(np.square(centred), axis=axes, keepdims=True) + eps)
    out = out if weight is None else out * weight
    return out if bias is None else out + bias
''')
_add('''
def erf(x):
    """The error function, which NumPy lacks."""
    return np.vectorize(math.erf, otypes=[x.dtype])(x)
''')
_add('''
def erfc(x):
    """1 - erf(x)."""
    return np.vectorize(math.erfc, otypes=[x.dtype])(x)
''')
_add('''
def erfinv(x):
    """The inverse of erf: a closed form (Winitzki, 2008) and three steps of Halley's method."""

    def one(v):
        if abs(v) >= 1:
            return math.copysign(math.inf, v) if abs(v) == 1 else math.nan
        a = abs(v)
        log = math.log1p(-a) + math.log1p(a)
        middle = 2 / (math.pi * 0.147) + log / 2
        y = math.sqrt(max(math.sqrt(middle * middle - log / 0.147) - middle, 0))
        for _ in range(3):
            wrong = math.erf(y) - a if a < 0.5 else (1 - a) - math.erfc(y)
            step = wrong * math.sqrt(math.pi) / 2 * math.exp(y * y)
            y -= step / (1 + y * step)
        return math.copysign(y, v)

    return np.vectorize(one, otypes=[x.dtype])(x)
''')
_add('''
def lgamma(x):
    """log(abs(gamma(x)))."""

    def one(v):
        return math.inf if math.isinf(v) or (v <= 0 and v == math.floor(v)) else math.lgamma(v)

    return np.vectorize(one, otypes=[x.dtype])(x)
''')
_add('''
def polygamma(x, n):
    """The derivative of order n of digamma, of positive x: by recurrence and an asymptotic series."""
    z, total = x.astype(np.float64), 0.0
    for _ in range(20):
        total = total - (1 / z if n == 0 else (-1.0) ** n * math.factorial(n) / z ** (n + 1))
        z = z + 1
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66)
    if n == 0:
        total = total + np.log(z) - 0.5 / z - sum(b / (2 * k * z ** (2 * k)) for k, b in enumerate(bernoulli, 1))
    else:
        tail = math.factorial(n - 1) / z**n + math.factorial(n) / (2 * z ** (n + 1))
        for k, b in enumerate(bernoulli, 1):
            tail = tail + b * math.factorial(2 * k + n - 1) / (math.factorial(2 * k) * z ** (2 * k + n))
        total = total + (-1.0) ** (n + 1) * tail
    return total.astype(x.dtype)
''')
_add('''
def gelu(x):
    """x times the normal distribution function."""
    return x * (0.5 * (1 + erf(x * math.sqrt(0.5))))
''')
_add('''
def gelu_tanh(x):
    """gelu, approximated by tanh."""
    return x * (0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))))
''')
_add('''
def xlogy(a, b):
    """a * log(b), and 0 where a is 0."""
    return np.where((a == 0) & ~np.isnan(b), np.zeros_like(a * b), a * np.log(b))
''')
_add('''
def power(a, b):
    """a ** b, also of integers with negative exponents: rounded toward zero."""
    if np.result_type(a, b).kind not in "iu":
        return np.power(a, b)
    inverse = np.where(a == 1, 1, np.where(a == -1, 1 - 2 * (b & 1), 0))
    return np.where(b < 0, inverse, np.power(a, np.maximum(b, 0))).astype(np.result_type(a, b))
''')
_add('''
def shift_left(a, b):
    """a << b, and 0 where b is out of range."""
    fits = (b >= 0) & (b < 8 * np.result_type(a, b).itemsize)
    return np.where(fits, np.left_shift(a, np.where(fits, b, 0)), 0).astype(np.result_type(a, b))
''')
_add('''
def shift_right(a, b):
    """a >> b, and nothing but the sign where b is out of range."""
    kind = np.result_type(a, b)
    last = 8 * kind.itemsize - 1
    fits = (b >= 0) & (b <= last)
    moved = np.right_shift(a, np.where(fits, b, last))
    return (moved if kind.kind == "i" else np.where(fits, moved, 0)).astype(kind)
''')
_add('''
def exponent(x):
    """The power of two of each number."""
    return np.where(np.isfinite(x), np.frexp(x)[1], 0).astype(np.int32)
''')
_add('''
def softmax(x, axis):
    """exp(x) / sum(exp(x)) along an axis."""
    weights = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return weights / np.sum(weights, axis=axis, keepdims=True)
''')
_add('''
def log_softmax(x, axis):
    """log(softmax(x))."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
''')
_add('''
def logsumexp(x, axis, keepdims):
    """log(sum(exp(x))) along axes."""
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis=axis)
''')
_add('''
def cross_entropy(x, target, ignore):
    """The mean over rows of -log(softmax(x))[target]; rows with the target `ignore` do not count."""
    kept = target != ignore
    shifted = x - np.max(x, axis=1, keepdims=True)
    picked = shifted[np.arange(len(x)), np.where(kept, target, 0)] - np.log(np.sum(np.exp(shifted), axis=1))
    return -np.sum(np.where(kept, picked, np.zeros_like(picked))) / np.sum(kept).astype(x.dtype)
''')
_add('''
def recurrent_step(mode, gates, old, h, c):
    """The next h and c of a recurrent layer, from the gates of the input and of the state."""
    if mode == "GRU":
        (i, j, n), (k, l, m) = np.split(gates, 3, 1), np.split(old, 3, 1)
        new = np.tanh(n + sigmoid(i + k) * m)
        return new + sigmoid(j + l) * (h - new), c
    if mode != "LSTM":
        return (np.tanh(gates + old) if mode == "RNN_TANH" else np.maximum(gates + old, 0)), c
    i, f, new, o = np.split(gates + old, 4, 1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(new)
    return sigmoid(o) * np.tanh(c), c
''')
_add('''
def recurrent(x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, mode, sizes, reverse):
    """One recurrent layer over steps of so many rows of x: h after each, the last h of all sequences, the last c."""
    h, c, stops, made = h.copy(), None if c is None else c.copy(), np.cumsum(sizes), [None] * len(sizes)
    for t in range(len(sizes))[:: -1 if reverse else 1]:
        n = sizes[t]
        gates, old = x[stops[t] - n : stops[t]] @ w_ih.T, h[:n] @ w_hh.T
        if b_ih is not None:
            gates, old = gates + b_ih, old + b_hh
        made[t], memory = recurrent_step(mode, gates, old, h[:n], None if c is None else c[:n])
        h[:n] = made[t] = made[t] if w_hr is None else made[t] @ w_hr.T
        if c is not None:
            c[:n] = memory
    made += [h]
    size = len(w_hh) // {"GRU": 3, "LSTM": 4}.get(mode, 1)
    made = np.pad(np.concatenate(made), ((0, 0), (0, size - h.shape[1])))
    return made if c is None else np.concatenate([made, c])
''')
_add('''
def nll(x, target, weight, ignore, reduction):
    """-x at the class of each row, weighted; rows with the target `ignore` do not count."""
    kept = target != ignore
    wanted = np.where(kept, target, 0)
    shares = np.where(kept, np.ones((), x.dtype) if weight is None else weight[wanted], np.zeros((), x.dtype))
    each = np.where(kept, -x[np.arange(len(x)), wanted] * shares, np.zeros((), x.dtype))
    return each if reduction == "none" else np.sum(each) / np.sum(shares) if reduction == "mean" else np.sum(each)
''')
_add('''
def huber(x, target, delta):
    """Half the square of the error up to delta, linear beyond."""
    error = np.abs(x - target)
    return np.where(error <= delta, error * error * 0.5, (error - 0.5 * delta) * delta)
''')
_add('''
def bce(x, target):
    """The cross-entropy of probabilities, with logarithms of at least -100."""
    return (target - 1) * np.maximum(np.log1p(-x), -100) - target * np.maximum(np.log(x), -100)
''')
_add('''
def bce_logits(x, target):
    """The cross-entropy of sigmoid(x)."""
    return (1 - target) * x + (np.maximum(-x, 0) + np.log1p(np.exp(-np.abs(x))))
''')
_add('''
def argsort(x, axis, descending):
    """The order of the elements; equal ones stay in theirs."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    order = np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    return x.shape[axis] - 1 - order
''')
_add('''
def largest_of_windows(x, places):
    """The number of the first largest element of each window of the last dimensions; NaN is largest."""
    size = x.shape[x.ndim - len(places):]
    best = found = None
    for corner in np.ndindex(*[len(lines) for lines in places]):
        part, where = x, 0
        for i, k in enumerate(corner):
            at = np.array(places[i][k])
            part = np.take(part, at, x.ndim - len(size) + i)
            where = where * size[i] + at.reshape((-1,) + (1,) * (len(size) - i - 1))
        if best is None:
            best, found = part, np.zeros(part.shape, np.int64) + where
            continue
        better = (part > best) | (part != part)
        best, found = np.where(better, part, best), np.where(better, where, found)
    return found
''')
_add('''
def running(x, axis, beats):
    """The index of the best element so far along an axis, of the last where several tie; NaN stays."""
    rows = np.moveaxis(x, axis, -1)
    index = np.zeros(rows.shape, np.int64)
    best = rows[..., 0].copy() if rows.shape[-1] else None
    at = np.zeros(rows.shape[:-1], np.int64)
    for k in range(1, rows.shape[-1]):
        now = rows[..., k]
        wins = np.isnan(now) | (beats(now, best) & ~np.isnan(best))
        best, at = np.where(wins, now, best), np.where(wins, k, at)
        index[..., k] = at
    return np.moveaxis(index, -1, axis)
''')
_add('''
def unslice(g, shape, index):
    """Zeros with g at an index: the transpose of slicing."""
    out = np.zeros(shape, g.dtype)
    out[index] = g
    return out
''')
_add('''
def undiagonal(g, shape, offset, axis1, axis2):
    """Zeros with g on a diagonal: the transpose of taking it."""
    out = np.zeros(shape, g.dtype)
    view = np.diagonal(out, offset, axis1, axis2)
    view.flags.writeable = True
    view[...] = g
    return out
''')
_add('''
def diagonal(x, offset, axis1, axis2):
    """A diagonal, as a view that can be written to."""
    view = np.diagonal(x, offset, axis1, axis2)
    view.flags.writeable = x.flags.writeable
    return view
''')
_add('''
def view_as_real(x):
    """Complex numbers as pairs of real ones, over the same memory."""
    part = np.asarray(x).real
    return np.lib.stride_tricks.as_strided(part, (*x.shape, 2), (*x.strides, part.itemsize))
''')
_add('''
def view_as_complex(x):
    """Pairs of real numbers as complex ones, over the same memory where they lie together."""
    x = x if x.strides[-1] == x.itemsize else np.ascontiguousarray(x)
    return x.view(np.result_type(x.dtype, np.complex64))[..., 0]
''')
_add('''
def write_through(base, value, view):
    """A copy of base with a value where a view of it looks."""
    out = np.array(base, order="C")
    seen = view(out)
    if np.may_share_memory(seen, out):
        seen.flags.writeable = True
        seen[...] = value
    else:
        out.reshape(-1)[view(np.arange(out.size).reshape(out.shape))] = value
    return out
''')
_add('''
def add_at(g, shape, index):
    """Zeros with g added at an index: the transpose of indexing by arrays."""
    out = np.zeros(shape, g.dtype)
    np.add.at(out, index, g)
    return out
''')
_add('''
def put(x, index, value, accumulate):
    """A copy of x with a value written, or added, at an index."""
    out = np.array(x)
    if accumulate:
        np.add.at(out, index, value)
    else:
        out[index] = value
    return out
''')
_add('''
def along(index, axis):
    """The full index that reads along one axis by index, and straight along the others."""
    grid = list(np.ogrid[tuple(slice(n) for n in index.shape)]) if index.ndim else []
    if grid:
        grid[axis] = index
    return tuple(grid)
''')
_add('''
def scatter(x, index, value, axis, how):
    """A copy of x, into which how(out, places, value) puts values where along(index, axis) reads."""
    out = np.array(x)
    how(out, along(index, axis), value[tuple(slice(n) for n in index.shape)])
    return out
''')
_add('''
def windows(x, axis, size, step):
    """Every window along an axis, step apart, as a new last axis."""
    if not x.ndim:
        return x.reshape(1)[:size]
    seen = np.lib.stride_tricks.sliding_window_view(x, size, axis, writeable=x.flags.writeable)
    return seen[(slice(None),) * axis + (slice(None, None, step),)]
''')
_add('''
def unwindows(g, shape, axis, size, step):
    """Zeros with every window of g added in its place: the transpose of windows."""
    if not shape:
        return g[0] if size else np.zeros((), g.dtype)
    out = np.zeros(shape, g.dtype)
    last = g.shape[axis] * step - step + 1
    for k in range(size):
        out[(slice(None),) * axis + (slice(k, k + last, step),)] += g[..., k]
    return out
''')
_add('''
def places(shape, strides, start):
    """The place in memory of each element of an array laid out by strides."""
    found = np.full((1,) * len(shape), start)
    for axis, (n, s) in enumerate(zip(shape, strides)):
        found = found + (np.arange(n) * s).reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return found
''')
_add('''
def restride(x, size, stride, offset, strides, start):
    """What a view by strides reads of memory in which x lies by its own strides."""
    have, want = places(x.shape, strides, start), places(size, stride, offset)
    line = np.zeros(max(have.max(initial=0), want.max(initial=0)) + 1, x.dtype)
    count = np.zeros(line.size, x.dtype)
    np.add.at(count, have, 1)
    np.add.at(line, have, x / count[have] if x.dtype.kind in "fc" else x // count[have])
    return line[want]
''')
_add('''
def unstrided(g, shape, size, stride, offset, strides, start):
    """g added up where a view by strides read it: the transpose of restride."""
    have, want = places(shape, strides, start), places(size, stride, offset)
    line = np.zeros(max(have.max(initial=0), want.max(initial=0)) + 1, g.dtype)
    np.add.at(line, want, g)
    count = np.zeros(line.size, g.dtype)
    np.add.at(count, have, 1)
    return line[have] / count[have]
''')
_add('''
def searchsorted(line, values, right):
    """Before which place of a sorted line, or of its row, each value belongs."""
    side = "right" if right else "left"
    if line.ndim == 1:
        return np.searchsorted(line, values, side)
    rows, wanted = line.reshape((-1, line.shape[-1])), values.reshape((-1, values.shape[-1]))
    return np.stack([np.searchsorted(r, w, side) for r, w in zip(rows, wanted)]).reshape(values.shape)
''')

for _text in LAYERS:
    _add(_text)
