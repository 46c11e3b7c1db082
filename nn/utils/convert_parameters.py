"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from ...autograd import P, Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def _check_device(name: str, parameters: list[Tensor]) -> None:
    if len({str(p.device) for p in parameters}) > 1:
        raise TypeError(f"{name}: found two parameters on different devices, this is currently not supported.")


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters as one vector, one after another.

    Raises:
        TypeError: parameters on several devices.
    """
    several = list(parameters)
    _check_device("parameters_to_vector", several)
    return P.cat([p.reshape(-1) for p in several], 0)


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give the parameters the values of a vector, as ``parameters_to_vector`` puts them together.

    Raises:
        TypeError: not a tensor, or parameters on several devices.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected a Tensor, but got: {type(vec).__name__}")
    several = list(parameters)
    _check_device("vector_to_parameters", several)
    start = 0
    for p in several:
        stop = start + p.numel()
        p.data = vec[start:stop].reshape(p.shape).data
        start = stop
