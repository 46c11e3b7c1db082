"""The rule of recurrent layers: one layer in one direction, all steps at once."""

from __future__ import annotations

from ..rule import rule

__all__: list[str] = []

# The rows of x are the steps one after another, `sizes` of them (never increasing), walked from the last one where
# `reverse`. The result holds h after each step, then the last h of each sequence and an LSTM's last memory.
#   RNN   h' = tanh or relu (W_ih x + b_ih + W_hh h + b_hh)                            (Elman, 1990)
#   GRU   r, z = sigmoid(...), n = tanh(x_n + r (W_hn h + b_hn)), h' = n + z (h - n)   (Cho et al., 2014)
#   LSTM  i, f, o = sigmoid(...), n = tanh(...), c' = f c + i n, h' = o tanh(c'), or W_hr of that
#                                                                         (Hochreiter and Schmidhuber, 1997)
rule(
    "recurrent", "x h memory? w_ih w_hh b_ih? b_hh? w_hr?", "mode sizes reverse",
    typed="x h memory w_ih w_hh b_ih b_hh w_hr", residual=True, fresh=True,
    all=lambda F, g, x, h, memory, w_ih, w_hh, b_ih, b_hh, w_hr, mode, sizes, reverse, res, need: _back(
        F, g, x, w_ih, w_hh, w_hr, mode, sizes, need,
        _forth(F, _cut(F, F.linear(x, w_ih, b_ih, None), sizes), h, memory, w_hh, b_hh, w_hr, mode, sizes, reverse),
    ),
)  # fmt: skip


def _cut(F, x, sizes):
    """The rows of each step.

    Halved again and again: the gradient of a slice has the size of what it is cut from, so to cut all steps from the
    whole would cost the square of their number.
    """
    if len(sizes) == 1:
        return [x]
    half = len(sizes) // 2
    at = sum(sizes[:half])
    left, right = F.slice(x, (slice(0, at),)), F.slice(x, (slice(at, x.shape[0]),))
    return [*_cut(F, left, sizes[:half]), *_cut(F, right, sizes[half:])]


def _first(F, x, n):
    return x if x is None or x.shape[0] == n else F.slice(x, (slice(0, n),))


def _joined(F, made, x, n):
    """What a step made of the first rows, above the rows of those that do not have the step."""
    return made if made is None or x.shape[0] == n else F.cat([made, F.slice(x, (slice(n, x.shape[0]),))], 0)


def _part(F, x, k, size):
    return F.slice(x, (slice(None), slice(k * size, (k + 1) * size)))


def _forth(F, gates, h, memory, w_hh, b_hh, w_hr, mode, sizes, reverse):
    """Of each step its number, the state that it began with and its gates, in the order in which they are walked."""
    walked = []
    for t in reversed(range(len(sizes))) if reverse else range(len(sizes)):
        n = sizes[t]
        now, c = _first(F, h, n), _first(F, memory, n)
        made, c, inner = STEPS[mode](F, gates[t], F.linear(now, w_hh, b_hh, None), now, c)
        if w_hr is not None:
            made = F.linear(made, w_hr, None, None)
        walked.append((t, now, inner))
        h, memory = _joined(F, made, h, n), _joined(F, c, memory, n)
    return walked


def _back(F, g, x, w_ih, w_hh, w_hr, mode, sizes, need, walked):
    rows, batch, width = x.shape[0], sizes[0], w_hh.shape[1]
    of_y = _cut(F, F.slice(g, (slice(0, rows), slice(0, width))), sizes)
    of_h = F.slice(g, (slice(rows, rows + batch), slice(0, width)))
    of_memory = F.slice(g, (slice(rows + batch, g.shape[0]),)) if mode == "LSTM" else None
    slopes, of_old, past, bare, tops = ([None] * len(sizes) for _ in range(5))
    for t, now, inner in reversed(walked):
        n, past[t] = sizes[t], now
        tops[t] = top = F.add(_first(F, of_h, n), of_y[t])
        if w_hr is not None:
            bare[t] = F.mul(inner[3], inner[5])
            top = F.matmul(top, w_hr)
        slopes[t], of_old[t], aside, of_c = BACK[mode](F, top, _first(F, of_memory, n), inner)
        below = F.matmul(of_old[t], w_hh)
        of_h = _joined(F, below if aside is None else F.add(below, aside), of_h, n)
        of_memory = _joined(F, of_c, of_memory, n)
    all_slopes, all_old = F.cat(slopes, 0), F.cat(of_old, 0)
    return (
        F.matmul(all_slopes, w_ih) if need[0] else None,
        of_h if need[1] else None,
        of_memory if need[2] else None,
        _product(F, all_slopes, x) if need[3] else None,
        _product(F, all_old, F.cat(past, 0)) if need[4] else None,
        F.sum(all_slopes, (0,), False) if need[5] else None,
        F.sum(all_old, (0,), False) if need[6] else None,
        _product(F, F.cat(tops, 0), F.cat(bare, 0)) if need[7] else None,
    )


def _product(F, slopes, x):
    return F.matmul(F.permute(slopes, (1, 0)), x)


# A step: from the gates of the input and of the state, and the state, to the next h and memory and what the way back
# reads.


def _simple(act):
    def step(F, gates, old, h, memory):
        out = getattr(F, act)(F.add(gates, old))
        return out, None, out

    return step


def _gru(F, gates, old, h, memory):
    size = h.shape[1]
    r, z = (F.sigmoid(F.add(_part(F, gates, k, size), _part(F, old, k, size))) for k in (0, 1))
    kept = _part(F, old, 2, size)
    new = F.tanh(F.add(_part(F, gates, 2, size), F.mul(r, kept)))
    return F.add(new, F.mul(z, F.sub(h, new))), None, (r, z, new, kept, h)


def _lstm(F, gates, old, h, memory):
    size, total = memory.shape[1], F.add(gates, old)
    i, f, o = (F.sigmoid(_part(F, total, k, size)) for k in (0, 1, 3))
    new = F.tanh(_part(F, total, 2, size))
    c = F.add(F.mul(f, memory), F.mul(i, new))
    bent = F.tanh(c)
    return F.mul(o, bent), c, (i, f, new, o, memory, bent)


# The way back through a step: from the cotangents of h and memory to those of both kinds of gates, of the state by
# itself, and of the last memory.


def _flat(F, s):
    """The slope of the sigmoid, told from its value."""
    return F.mul(s, F.sub(1, s))


def _tanh_back(F, g, of_memory, out):
    slopes = F.mul(g, F.sub(1, F.square(out)))
    return slopes, slopes, None, None


def _relu_back(F, g, of_memory, out):
    slopes = F.where(F.le(out, 0), F.zeros_like(g), g)
    return slopes, slopes, None, None


def _gru_back(F, g, of_memory, inner):
    r, z, new, kept, h = inner
    of_new = F.mul(F.mul(g, F.sub(1, z)), F.sub(1, F.square(new)))
    of_z = F.mul(F.mul(g, F.sub(h, new)), _flat(F, z))
    of_r = F.mul(F.mul(of_new, kept), _flat(F, r))
    return F.cat([of_r, of_z, of_new], 1), F.cat([of_r, of_z, F.mul(of_new, r)], 1), F.mul(g, z), None


def _lstm_back(F, g, of_memory, inner):
    i, f, new, o, memory, bent = inner
    of_c = F.add(of_memory, F.mul(F.mul(g, o), F.sub(1, F.square(bent))))
    slopes = F.cat(
        [
            F.mul(F.mul(of_c, new), _flat(F, i)),
            F.mul(F.mul(of_c, memory), _flat(F, f)),
            F.mul(F.mul(of_c, i), F.sub(1, F.square(new))),
            F.mul(F.mul(g, bent), _flat(F, o)),
        ],
        1,
    )
    return slopes, slopes, None, F.mul(of_c, f)


STEPS = {"RNN_TANH": _simple("tanh"), "RNN_RELU": _simple("relu"), "GRU": _gru, "LSTM": _lstm}
BACK = {"RNN_TANH": _tanh_back, "RNN_RELU": _relu_back, "GRU": _gru_back, "LSTM": _lstm_back}
