"""One step of recurrent layers, forth and back: what lies between two matrix products.

All arrays are C-contiguous, of float32 or float64; what each holds stands at the methods of
:class:`..array.recurrent.RecurrentMixin` whose place the kernels take. Gates go in runs of their own, so that a loop
knows few arrays and becomes vector code; its index starts at 0, or Numba allows for negative ones.
"""

from numba import float32, float64, void

from .cache import on_first_use, typed
from .pointers import wide_vectors
from .scalar import sigmoid, tanh

__all__ = ["NAMES"]


def _rnn_tanh(gates, old, bias, h):
    wide_vectors()
    for k in range(gates.shape[0]):
        row, other, out = gates[k], old[k], h[k]
        for j in range(row.size):
            row[j] = tanh(row[j] + other[j] + bias[j])
        out[:] = row


def _rnn_relu(gates, old, bias, h):
    zero = gates.dtype.type(0)
    for k in range(gates.shape[0]):
        row, other, out = gates[k], old[k], h[k]
        for j in range(row.size):
            z = row[j] + other[j] + bias[j]
            row[j] = zero if z < zero else z
        out[:] = row


def _gru(gates, old, bias, h, kept):
    wide_vectors()
    size = h.shape[1]
    last, extra = bias[2 * size : 3 * size], bias[3 * size :]
    for k in range(h.shape[0]):
        row, other, state, own = gates[k], old[k], h[k], kept[k]
        for j in range(2 * size):
            row[j] = sigmoid(row[j] + other[j] + bias[j])
        r, z, new, behind = row[:size], row[size : 2 * size], row[2 * size :], other[2 * size :]
        for j in range(size):
            own[j] = behind[j] + extra[j]
        for j in range(size):
            new[j] = tanh(new[j] + last[j] + r[j] * own[j])
        for j in range(size):
            state[j] = new[j] + z[j] * (state[j] - new[j])


def _lstm(gates, old, bias, h, memory, before, bent):
    wide_vectors()
    size = memory.shape[1]
    bias_new, bias_o = bias[2 * size : 3 * size], bias[3 * size :]
    for k in range(h.shape[0]):
        row, other, out, c, last, curve = gates[k], old[k], h[k], memory[k], before[k], bent[k]
        i, f, new, o = row[:size], row[size : 2 * size], row[2 * size : 3 * size], row[3 * size :]
        old_new, old_o = other[2 * size : 3 * size], other[3 * size :]
        for j in range(2 * size):
            row[j] = sigmoid(row[j] + other[j] + bias[j])
        for j in range(size):
            new[j] = tanh(new[j] + old_new[j] + bias_new[j])
        for j in range(size):
            o[j] = sigmoid(o[j] + old_o[j] + bias_o[j])
        last[:] = c
        for j in range(size):
            c[j] = f[j] * c[j] + i[j] * new[j]
        for j in range(size):
            curve[j] = tanh(c[j])
        for j in range(size):
            out[j] = o[j] * curve[j]


def _rnn_tanh_back(g, gates, slopes):
    one = g.dtype.type(1)
    for k in range(g.shape[0]):
        top, row, out = g[k], gates[k], slopes[k]
        for j in range(row.size):
            out[j] = top[j] * (one - row[j] * row[j])


def _rnn_relu_back(g, gates, slopes):
    zero = g.dtype.type(0)
    for k in range(g.shape[0]):
        top, row, out = g[k], gates[k], slopes[k]
        for j in range(row.size):
            out[j] = zero if row[j] <= zero else top[j]


def _gru_back(g, gates, slopes, kept, past, of_old):
    size, one = past.shape[1], g.dtype.type(1)
    for k in range(g.shape[0]):
        top, row, own, state, out, other = g[k], gates[k], kept[k], past[k], slopes[k], of_old[k]
        r, z, new = row[:size], row[size : 2 * size], row[2 * size :]
        of_r, of_z, of_new, scaled = out[:size], out[size : 2 * size], out[2 * size :], other[2 * size :]
        for j in range(size):
            of_z[j] = top[j] * (state[j] - new[j]) * (z[j] * (one - z[j]))
        for j in range(size):
            of_new[j] = top[j] * (one - z[j]) * (one - new[j] * new[j])
        for j in range(size):
            of_r[j] = of_new[j] * own[j] * (r[j] * (one - r[j]))
        for j in range(size):
            scaled[j] = of_new[j] * r[j]
        other[: 2 * size] = out[: 2 * size]
        for j in range(size):
            top[j] *= z[j]


def _lstm_back(g, gates, slopes, before, bent, of_memory):
    size, one = before.shape[1], g.dtype.type(1)
    for k in range(g.shape[0]):
        top, row, last, curve, of_c, out = g[k], gates[k], before[k], bent[k], of_memory[k], slopes[k]
        i, f, new, o = row[:size], row[size : 2 * size], row[2 * size : 3 * size], row[3 * size :]
        of_i, of_f, of_new, of_o = out[:size], out[size : 2 * size], out[2 * size : 3 * size], out[3 * size :]
        for j in range(size):
            of_c[j] += top[j] * o[j] * (one - curve[j] * curve[j])
        for j in range(size):
            of_i[j] = of_c[j] * new[j] * (i[j] * (one - i[j]))
        for j in range(size):
            of_f[j] = of_c[j] * last[j] * (f[j] * (one - f[j]))
        for j in range(size):
            of_new[j] = of_c[j] * i[j] * (one - new[j] * new[j])
        for j in range(size):
            of_o[j] = top[j] * curve[j] * (o[j] * (one - o[j]))
        for j in range(size):
            of_c[j] *= f[j]


# name -> its function
_KERNELS = {
    f.__name__[1:]: f
    for f in (_rnn_tanh, _rnn_relu, _gru, _lstm, _rnn_tanh_back, _rnn_relu_back, _gru_back, _lstm_back)
}
NAMES = tuple(_KERNELS)


def _make(name):
    function = _KERNELS[name]
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    signatures = [void(*[kind[::1] if n == "bias" else kind[:, ::1] for n in names]) for kind in (float32, float64)]
    return typed(function, signatures)


__getattr__ = on_first_use(globals(), _make)
