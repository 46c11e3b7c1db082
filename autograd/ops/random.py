"""Making tensors at random; the same seed gives the numbers that PyTorch's CPU generator gives."""

from __future__ import annotations

from typing import Any

from ...backends import dtypes
from ...backends.random import Generator, default_generator
from ..tensor import Tensor
from .create import finish
from .factories import into, kind_of, like, named_size, shape_of

__all__ = ["manual_seed", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm"]


def manual_seed(seed: int) -> Generator:
    """Seed the random numbers of the library; the same seed gives the numbers that PyTorch's CPU generator gives."""
    return default_generator.manual_seed(int(seed))


def rand(
    *size: Any, generator: Generator | None = None, out: Tensor | None = None, dtype: Any = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False, **kwargs: Any,
) -> Tensor:  # fmt: skip
    """Uniform random numbers in [0, 1) of shape ``size``."""
    kind = kind_of(dtype, out)
    named = named_size("rand", kwargs)
    shape = shape_of(size if named is None else (named,))
    array = (generator or default_generator).uniform(shape, dtype=kind)
    return into(out, finish(array, None, device, requires_grad))


def randn(
    *size: Any, generator: Generator | None = None, out: Tensor | None = None, dtype: Any = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False, **kwargs: Any,
) -> Tensor:  # fmt: skip
    """Standard normal random numbers of shape ``size``."""
    kind = kind_of(dtype, out)
    named = named_size("randn", kwargs)
    shape = shape_of(size if named is None else (named,))
    array = (generator or default_generator).normal(shape, dtype=kind)
    return into(out, finish(array, None, device, requires_grad))


def rand_like(
    input: Tensor, *, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Uniform random numbers with the shape, type and device of ``input``."""
    _, dtype, device = like(input, dtype, device)
    shape = input._array.shape
    return rand(shape, generator=generator, dtype=dtype, device=device, requires_grad=requires_grad)


def randn_like(
    input: Tensor, *, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Standard normal random numbers with the shape, type and device of ``input``."""
    _, dtype, device = like(input, dtype, device)
    shape = input._array.shape
    return randn(shape, generator=generator, dtype=dtype, device=device, requires_grad=requires_grad)


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
    array = (generator or default_generator).randint(int(low), int(high), shape_of((size,)), dtype=kind)
    return into(out, finish(array, None, device, requires_grad))


def randint_like(
    input: Tensor, low: int, high: Any = None, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Random integers from ``low`` (0 where only one bound is given) with the shape, type and device of ``input``."""
    _, dtype, device = like(input, dtype, device)
    if high is None:
        low, high = 0, low
    return randint(low, high, input._array.shape, dtype=dtype, device=device, requires_grad=requires_grad)


def randperm(
    n: int, *, generator: Generator | None = None, out: Tensor | None = None, dtype: Any = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The numbers 0 .. n-1 in random order."""
    array = (generator or default_generator).randperm(n)
    return into(out, finish(array, dtype or dtypes.int64, device, requires_grad))
