"""Recurrent layers step by step, for activations that the layers of ``nn`` do not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...autograd import Tensor
from ...autograd.ops.pieces import stack
from ...nn import functional as F

__all__ = ["unroll"]

Function = Callable[[Tensor], Tensor]


def unroll(cell: Any, x: Tensor, activation: Function, gate: Function) -> Tensor:
    """The states after each step, (batch, steps, units).

    Args:
        cell: an ``RNN``, ``LSTM`` or ``GRU`` of ``nn`` with one layer, whose weights are taken.
        x: (batch, steps, features).
        activation: of the state.
        gate: of the gates.
    """
    bias = (cell.bias_ih_l0, cell.bias_hh_l0) if cell.bias else (None, None)
    inputs = F.linear(x, cell.weight_ih_l0, bias[0])
    h = x.detach().new_zeros((x.shape[0], cell.hidden_size))
    c, states = h, []
    for part in inputs.unbind(1):
        recurrent = F.linear(h, cell.weight_hh_l0, bias[1])
        if cell.mode == "LSTM":
            i, f, g, o = (part + recurrent).chunk(4, -1)
            c = gate(f) * c + gate(i) * activation(g)
            h = gate(o) * activation(c)
        elif cell.mode == "GRU":
            (r, z, n), (r_h, z_h, n_h) = part.chunk(3, -1), recurrent.chunk(3, -1)
            keep = gate(z + z_h)
            h = keep * h + (1.0 - keep) * activation(n + gate(r + r_h) * n_h)
        else:
            h = activation(part + recurrent)
        states.append(h)
    return stack(states, 1)
