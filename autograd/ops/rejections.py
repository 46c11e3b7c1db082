"""Draws by rejection on the host's generator: Poisson, binomial and gamma numbers."""

from __future__ import annotations

from typing import Any

from ...backends.random import Generator, default_generator
from ..batching.randomness import draw_by
from ..names import named
from ..rule import P
from ..tensor import Tensor
from ..writes import overwrite
from .args import check_tensor
from .create import finish

__all__ = ["binomial", "drawn_gamma", "poisson"]


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Poisson numbers with the rates that ``input`` holds, PyTorch's for the same seed.

    They are drawn on the host, also for a tensor of a card, to which they are then brought. Their gradient is zero.

    Args:
        input: floating, not negative.
        generator: of the host; the default one where none is given.

    Raises:
        RuntimeError: a negative rate, or an integer type.
    """
    check_tensor("poisson", "input", input)
    made = _drawn("poisson", generator, input)
    return named(overwrite(input, made), "PoissonBackward0") if input.requires_grad else made


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of ``count`` throws succeed with probability ``prob`` each, PyTorch's numbers for the same seed.

    They are drawn on the host, also for tensors of a card, to which they are then brought. Their gradient is zero.

    Args:
        count: floating whole numbers, not negative. prob: floating, of the same type; they broadcast.
        generator: of the host; the default one where none is given.

    Raises:
        RuntimeError: a negative count, a probability outside of [0, 1], or two types.
    """
    check_tensor("binomial", "count", count)
    check_tensor("binomial", "prob", prob)
    if count.dtype != prob.dtype:
        raise RuntimeError(
            f"binomial: count and prob must have one type, got {count.dtype.name} and {prob.dtype.name}; "
            "convert the count with .to(prob.dtype)"
        )
    made = _drawn("binomial", generator, count, prob)
    if prob.requires_grad:
        wide = prob if prob._array.shape == made._array.shape else P.expand(prob, made._array.shape)
        return named(overwrite(wide, made), "BinomialBackward0")
    return made


def drawn_gamma(concentration: Tensor, generator: Generator | None = None) -> Tensor:
    """Gamma numbers of rate 1, without a gradient; drawn on the host, brought to the device of ``concentration``."""
    return _drawn("gamma", generator, concentration)


def _drawn(name: str, generator: Generator | None, *parameters: Tensor) -> Tensor:
    draw: Any = getattr(default_generator if generator is None else generator, name)

    def make(*given: Tensor) -> Tensor:
        first = given[0]
        return finish(draw(*(g._device.backend.to_host(g._array) for g in given)), None, first.device, False)

    return draw_by(name, list(parameters), make)
