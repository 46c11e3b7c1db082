"""Rules of the steps of recurrent layers: what becomes of gates and state."""

from __future__ import annotations

from ..rule import rule

__all__: list[str] = []


def _part(F, x, k, size):
    return F.slice(x, (slice(None), slice(k * size, (k + 1) * size)))


def _flat(F, s):
    """The slope of the sigmoid, told from its value."""
    return F.mul(s, F.sub(1, s))


# gates (N, 4 H): input, forget, cell, output. c' = sigmoid(f) c + sigmoid(i) tanh(g); h' = sigmoid(o) tanh(c').
# The result (2, N, H) is h' and c' (Hochreiter and Schmidhuber, 1997).
rule(
    "lstm_step", "gates memory", typed="gates memory", residual=True, fresh=True, public=False,
    all=lambda F, g, gates, memory, res, need: _lstm(F, g, gates, memory, need),
)  # fmt: skip


def _lstm(F, g, gates, c, need):
    size = c.shape[1]
    i, f, o = (F.sigmoid(_part(F, gates, k, size)) for k in (0, 1, 3))
    new = F.tanh(_part(F, gates, 2, size))
    t = F.tanh(F.add(F.mul(f, c), F.mul(i, new)))
    of_h, of_c = F.slice(g, (0,)), F.slice(g, (1,))
    of_c = F.add(of_c, F.mul(F.mul(of_h, o), F.sub(1, F.square(t))))
    parts = (
        F.mul(F.mul(of_c, new), _flat(F, i)),
        F.mul(F.mul(of_c, c), _flat(F, f)),
        F.mul(F.mul(of_c, i), F.sub(1, F.square(new))),
        F.mul(F.mul(of_h, t), _flat(F, o)),
    )
    return F.cat(list(parts), 1) if need[0] else None, F.mul(of_c, f) if need[1] else None


# x and old (N, 3 H), of the input and of the state: reset, update, new. n = tanh(x_n + sigmoid(r) old_n); the result
# (N, H) is n + sigmoid(z) (h - n) (Cho et al., 2014).
rule(
    "gru_step", "x old h", typed="x old h", residual=True, fresh=True, public=False,
    all=lambda F, g, x, old, h, res, need: _gru(F, g, x, old, h, need),
)  # fmt: skip


def _gru(F, g, x, old, h, need):
    size = h.shape[1]
    r, z = (F.sigmoid(F.add(_part(F, x, k, size), _part(F, old, k, size))) for k in (0, 1))
    kept = _part(F, old, 2, size)
    new = F.tanh(F.add(_part(F, x, 2, size), F.mul(r, kept)))
    of_new = F.mul(F.mul(g, F.sub(1, z)), F.sub(1, F.square(new)))
    of_z = F.mul(F.mul(g, F.sub(h, new)), _flat(F, z))
    of_r = F.mul(F.mul(of_new, kept), _flat(F, r))
    return (
        F.cat([of_r, of_z, of_new], 1) if need[0] else None,
        F.cat([of_r, of_z, F.mul(of_new, r)], 1) if need[1] else None,
        F.mul(g, z) if need[2] else None,
    )
