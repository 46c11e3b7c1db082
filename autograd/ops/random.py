"""Making tensors at random; the same seed gives the numbers that PyTorch's CPU generator gives."""

from __future__ import annotations

from typing import Any

from ...backends import dtypes
from ...backends.random import Generator, default_generator, seed_devices
from ..batching.randomness import draw
from ..rule import P
from ..tensor import Tensor
from ..types import iinfo
from .create import finish
from .factories import into, kind_of, like, named_size, shape_of
from .memory_order import in_memory_order
from .sources import source_at

__all__ = ["manual_seed", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm"]


def _place(device: Any, out: Tensor | None) -> Any:
    """The device that the user has named, by itself or by ``out``."""
    return out.device if device is None and out is not None else device


def manual_seed(seed: int) -> Generator:
    """Seed the random numbers of the library, on the host and on every device.

    On the host the same seed gives the numbers that PyTorch's CPU generator gives.
    """
    made = default_generator.manual_seed(int(seed))
    seed_devices(made.initial_seed())
    return made


def rand(
    *size: Any, generator: Generator | None = None, out: Tensor | None = None, dtype: Any = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False, **kwargs: Any,
) -> Tensor:  # fmt: skip
    """Uniform random numbers in [0, 1) of shape ``size``."""
    kind = kind_of(dtype, out)
    named = named_size("rand", kwargs)
    shape = shape_of(size if named is None else (named,))
    draws = source_at(_place(device, out), generator).uniform
    return into(out, draw("rand", shape, lambda s: finish(draws(s, dtype=kind), None, device, requires_grad)))


def randn(
    *size: Any, generator: Generator | None = None, out: Tensor | None = None, dtype: Any = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False, **kwargs: Any,
) -> Tensor:  # fmt: skip
    """Standard normal random numbers of shape ``size``."""
    kind = kind_of(dtype, out)
    named = named_size("randn", kwargs)
    shape = shape_of(size if named is None else (named,))
    draws = source_at(_place(device, out), generator).normal
    return into(out, draw("randn", shape, lambda s: finish(draws(s, dtype=kind), None, device, requires_grad)))


def rand_like(
    input: Tensor, *, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Uniform random numbers with the shape, type and device of ``input``."""
    _, dtype, device = like(input, dtype, device)
    draws, kind = source_at(device, generator).uniform, kind_of(dtype, None)
    make = in_memory_order(input, lambda s: draws(s, dtype=kind), memory_format, "rand_like")
    return draw("rand_like", input._array.shape, lambda s: finish(make(s), None, device, requires_grad))


def randn_like(
    input: Tensor, *, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Standard normal random numbers with the shape, type and device of ``input``."""
    _, dtype, device = like(input, dtype, device)
    draws, kind, dense = source_at(device, generator).normal, kind_of(dtype, None), input.is_contiguous()
    make = in_memory_order(input, lambda s: draws(s, dtype=kind, contiguous=dense), memory_format, "randn_like")
    return draw("randn_like", input._array.shape, lambda s: finish(make(s), None, device, requires_grad))


def randint(
    low: int, high: Any = None, size: Any = None, *, generator: Generator | None = None, out: Tensor | None = None,
    dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Random integers from ``low`` (0 where only ``high`` and ``size`` are given) up to but without ``high``."""
    if size is None:
        low, high, size = 0, low, high
    if high is None:
        low, high = 0, low
    if low >= high:
        raise RuntimeError(f"randint: needs low < high, got {low} and {high}")
    kind = dtypes.to_numpy(dtype or dtypes.int64)
    draws = source_at(_place(device, out), generator).randint
    return into(out, draw("randint", shape_of((size,)), lambda s: finish(
        draws(int(low), int(high), s, dtype=kind), None, device, requires_grad)))  # fmt: skip


def randint_like(
    input: Tensor, low: int, high: Any = None, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Random integers from ``low`` (0 where only one bound is given) with the shape, type and device of ``input``."""
    _, dtype, device = like(input, dtype, device)
    if high is None:
        low, high = 0, low
    if low >= high:
        raise RuntimeError(f"randint_like: needs low < high, got {low} and {high}")
    draws, kind = source_at(device, None).randint, dtypes.to_numpy(dtype)
    make = in_memory_order(input, lambda s: draws(int(low), int(high), s, dtype=kind))
    return draw("randint_like", input._array.shape, lambda s: finish(make(s), None, device, requires_grad))


def randperm(
    n: int, *, generator: Generator | None = None, out: Tensor | None = None, dtype: Any = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The numbers 0 .. n-1 in random order.

    Raises:
        RuntimeError: ``n`` is negative, or too large for an integer ``dtype``.
    """
    kind = dtype or dtypes.int64
    if dtypes.to_numpy(kind).kind in "iu" and n > iinfo(kind).max:
        raise RuntimeError(f"randperm: n={n} does not fit {kind}")
    draws = source_at(_place(device, out), generator).randperm

    def make(shape: tuple[int, ...]) -> Tensor:
        count = 1
        for size in shape[:-1]:
            count *= size
        rows = [finish(draws(n), dtype or dtypes.int64, device, requires_grad) for _ in range(count)]
        return rows[0] if shape == (n,) else P.reshape(P.stack(rows, 0), shape)

    return into(out, draw("randperm", (n,), make))
