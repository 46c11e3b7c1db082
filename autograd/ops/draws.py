"""Draws whose parameters are tensors, and the in-place draws; on the host the numbers are those of PyTorch's CPU
generator, tensors on a card draw from the card's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...backends.random import Generator
from ..batching.randomness import draw, draw_by
from ..names import named
from ..rule import P
from ..tensor import Tensor
from ..writes import overwrite, write
from .args import check_tensor
from .create import finish
from .factories import into, kind_of, shape_of
from .memory_order import in_memory_order
from .sources import source_at, source_of

__all__ = ["METHODS", "bernoulli", "multinomial", "normal"]


def _values(x: Tensor, source: Any) -> Any:
    """The numbers of a tensor where ``source`` computes: on the host for the host's generator."""
    return x._device.backend.to_host(x._array) if isinstance(source, Generator) else x._array


def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: Any = None, out: Tensor | None = None,
    dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Normal random numbers.

    Args:
        mean, std: tensors that broadcast (one of them may be a number), or two numbers together with ``size``.
        size: the shape, where both are numbers.

    Raises:
        RuntimeError: a negative ``std``, or tensors of integers.
    """
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    source = source_of(tensors[0], generator) if tensors else source_at(device, generator)
    if not tensors:
        if size is None:
            raise TypeError("normal: two numbers need the argument 'size'")
        if std < 0:
            raise RuntimeError(f"normal: std must not be negative, got {std}")
        kind = kind_of(dtype, out)
        return into(out, draw("normal", shape_of((size,)), lambda s: finish(
            source.normal(s, float(mean), float(std), dtype=kind), None, device, requires_grad)))  # fmt: skip
    for x in tensors:
        if not x.dtype.is_floating_point:
            raise RuntimeError(f"normal: mean and std must be floating, got {x.dtype.name}; convert with .float()")

    def make(*given: Tensor) -> Tensor:
        arrays = (_values(x, source) for x in given)
        parts = [next(arrays) if isinstance(x, Tensor) else float(x) for x in (mean, std)]
        return finish(source.normal_tensors(*parts), None, given[0].device, False)

    return into(out, _without_gradient(draw_by("normal", tensors, make), tensors, "NormalBackward3"))


def _without_gradient(made: Tensor, parameters: list[Tensor], name: str) -> Tensor:
    """What was drawn, on the tape of its parameters with a gradient of zero, as PyTorch has it."""
    for x in parameters:
        if x.requires_grad and x._array.shape == made._array.shape:
            return named(overwrite(x, made), name)
    return made


def bernoulli(input: Tensor, p: Any = None, *, generator: Any = None, out: Tensor | None = None) -> Tensor:
    """Ones and zeros: ones with the probabilities that ``input`` holds, or everywhere with probability ``p``.

    Raises:
        RuntimeError: a probability outside of [0, 1], or of integer type.
    """
    check_tensor("bernoulli", "input", input)
    if p is not None:
        source, kind = source_of(input, generator), input._array.dtype

        def make(shape: tuple[int, ...]) -> Tensor:
            return finish(source.bernoulli(float(p), shape, kind), None, input.device, False)

        return into(out, draw("bernoulli", input._array.shape, make))
    made = draw_by("bernoulli", [input], lambda x: finish(_thrown(x, generator, x._array.dtype), None, x.device, False))
    return into(out, _without_gradient(made, [input], "BernoulliBackward0"))


def _thrown(p: Tensor, generator: Any, dtype: Any) -> Any:
    if not p.dtype.is_floating_point:
        raise RuntimeError(f"bernoulli: probabilities must be floating, got {p.dtype.name}; convert with .float()")
    source = source_of(p, generator)
    chances = _values(p, source)
    if not bool(((chances >= 0) & (chances <= 1)).all()):
        raise RuntimeError("bernoulli: probabilities must lie between 0 and 1")
    return source.bernoulli_array(chances, dtype)


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None, out: Tensor | None = None
) -> Tensor:
    """Indices drawn with probabilities in proportion to the rows of ``input``.

    Args:
        input: (n,) or (rows, n), floating, not negative; rows need not add up to 1.
        num_samples: how many per row. replacement: whether an index may be drawn again.
    """
    check_tensor("multinomial", "input", input)
    if input.ndim not in (1, 2):
        raise RuntimeError(f"multinomial: input must have 1 or 2 dimensions, got shape {list(input.shape)}")
    source, count = source_of(input, generator), int(num_samples)

    def make(x: Tensor) -> Tensor:
        *rows, n = x._array.shape
        flat = x if len(rows) < 2 else P.reshape(x, (-1, n))
        made = finish(source.multinomial(_values(flat, source), count, bool(replacement)), None, x.device, False)
        return made if flat is x else P.reshape(made, (*rows, count))

    return into(out, draw_by("multinomial", [input], make))


# In place


def _bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Fill with ones of probability ``p`` (a number, or a tensor that broadcasts) and zeros."""
    if isinstance(p, Tensor):
        shape, kind = self._array.shape, self._array.dtype
        chances = p if p._array.shape == shape else P.expand(p.detach(), shape)
        made = draw_by("bernoulli_", [chances], lambda x: finish(_thrown(x, generator, kind), None, x.device, False))
        return write("bernoulli_", self, overwrite, made)
    source = source_of(self, generator)
    return _fill("bernoulli_", self, lambda s: source.bernoulli(float(p), s, self._array.dtype))


def _fill(name: str, target: Tensor, make: Callable[[tuple[int, ...]], Any]) -> Tensor:
    make = in_memory_order(target, make)
    made = draw(name, target._array.shape, lambda s: finish(make(s), None, target.device, False))
    return write(name, target, overwrite, made)


def _random_(self: Tensor, from_: Any = None, to: Any = None, *, generator: Any = None) -> Tensor:
    """Fill with integers from ``from_`` (0) up to but without ``to`` (None: as far as the type counts exactly)."""
    if from_ is not None and to is None:
        from_, to = 0, from_
    source = source_of(self, generator)
    low, high = (None, None) if from_ is None else (int(from_), int(to))
    return _fill("random_", self, lambda s: source.random_(s, low, high, dtype=self._array.dtype))


def _drawn(name: str, **defaults: float) -> Callable[..., Tensor]:
    """The in-place form of a distribution, with its parameters and their defaults."""
    words = tuple(defaults)

    def operation(self: Tensor, *parameters: Any, generator: Any = None, **by_name: Any) -> Tensor:
        given = defaults | dict(zip(words, parameters, strict=False)) | by_name
        if stray := set(given) - set(words):
            raise TypeError(f"{name}_() got an unexpected keyword argument {sorted(stray)[0]!r}")
        values = [float(given[w]) for w in words]
        draws, kind = getattr(source_of(self, generator), name), self._array.dtype
        if name == "geometric":
            return _fill("geometric_", self, lambda s: draws(*values, s, dtype=kind))
        return _fill(name + "_", self, lambda s: draws(s, *values, dtype=kind))

    operation.__name__ = name + "_"
    operation.__doc__ = f"Fill with random numbers of the {name.replace('_', '-')} distribution."
    return operation


METHODS: dict[str, Any] = {
    "bernoulli": bernoulli, "multinomial": multinomial, "bernoulli_": _bernoulli_, "random_": _random_,
    "exponential_": _drawn("exponential", lambd=1.0), "cauchy_": _drawn("cauchy", median=0.0, sigma=1.0),
    "log_normal_": _drawn("log_normal", mean=1.0, std=2.0), "geometric_": _drawn("geometric", p=0.5),
}  # fmt: skip
