"""Recurrent layers on the Numba backend: what lies between the matrix products of a step by kernels."""

from __future__ import annotations

from typing import Any

from .array.recurrent import RecurrentMixin
from .memory import ready as ready_memory
from .numba_elementwise import LARGE, Kernels

__all__ = ["NumbaRecurrent"]

kernels = Kernels("numba_kernels.recurrent")


def _step(name: str) -> Any:
    """The method ``name`` of :class:`RecurrentMixin` by the kernel of the same name."""
    plain, kernel = getattr(RecurrentMixin, name), name.removeprefix("_")

    def step(self: Any, *arrays: Any) -> None:
        if arrays[0].dtype.char in "fd":
            getattr(kernels, kernel)(*arrays)
        else:
            plain(self, *arrays)

    return step


class NumbaRecurrent(RecurrentMixin):
    """Recurrent layers; the base class walks the steps."""

    _rnn_tanh, _rnn_tanh_back = _step("_rnn_tanh"), _step("_rnn_tanh_back")
    _rnn_relu, _rnn_relu_back = _step("_rnn_relu"), _step("_rnn_relu_back")
    _gru, _gru_back = _step("_gru"), _step("_gru_back")
    _lstm, _lstm_back = _step("_lstm"), _step("_lstm_back")

    def recurrent(self, x: Any, *given: Any) -> tuple[Any, Any]:
        if x.size >= LARGE:
            ready_memory()
        return super().recurrent(x, *given)
