"""The base of distributions."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Self

from ...autograd import Size, Tensor, no_grad
from ..warn import users_line
from . import constraints
from .utils import lazy_property

__all__ = ["Distribution", "one_of", "outside"]

Shape = Sequence[int]


class Distribution:
    """A distribution, or a batch of them.

    Samples have the shape ``sample_shape + batch_shape + event_shape``: how many are asked for, how many distributions
    there are, and the shape of one value.

    Args:
        batch_shape, event_shape: the shapes. validate_args: whether parameters and values are checked; None: as
            ``set_default_validate_args`` says, at the start yes, and no under ``python -O``.

    Raises:
        ValueError: a parameter outside of its constraint.

    Attributes:
        arg_constraints: the constraint of each parameter by name.
        support: the constraint of values.
        has_rsample: whether samples have gradients to the parameters.
        has_enumerate_support: whether all values can be listed.
    """

    has_rsample = False
    has_enumerate_support = False
    arg_constraints: Any = {}
    _validate_args: bool = __debug__

    def __init__(self, batch_shape: Shape = (), event_shape: Shape = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = bool(validate_args)
        if self._validate_args:
            self._check_parameters()

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Say whether distributions check their parameters and values where they are not told themselves."""
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args: needs True or False, got {value!r}")
        Distribution._validate_args = bool(value)

    def _check_parameters(self) -> None:
        for name, constraint in self.arg_constraints.items():
            computed = name not in self.__dict__ and isinstance(getattr(type(self), name, None), lazy_property)
            if constraints.is_dependent(constraint) or computed:
                continue
            value = getattr(self, name)
            if not bool(constraint.check(value).all()):
                raise ValueError(
                    f"{self!r}: the parameter {name} of shape {list(value.shape)} must satisfy {constraint!r}, "
                    f"but found invalid values:\n{value}"
                )

    @property
    def batch_shape(self) -> Size:
        """How many distributions there are."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one value."""
        return self._event_shape

    @property
    def support(self) -> Any:
        """The constraint of values."""
        raise outside(self, "support")

    @property
    def mean(self) -> Tensor:
        """The mean, of shape batch + event."""
        raise outside(self, "mean")

    @property
    def mode(self) -> Tensor:
        """The most likely value."""
        raise outside(self, "mode")

    @property
    def variance(self) -> Tensor:
        """The variance, of shape batch + event."""
        raise outside(self, "variance")

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Self:
        """The distribution for a larger batch, as ``Tensor.expand``; no memory is copied.

        Args:
            batch_shape: the new one. _instance: an object of a subclass to fill, made by its own ``expand``.
        """
        made = type(self).__new__(type(self)) if _instance is None else _instance
        size, depth = tuple(batch_shape), len(self._batch_shape)
        for name, value in self.__dict__.items():
            if isinstance(value, Tensor):
                value = value.expand((*size, *value.shape[depth:]))
            elif isinstance(value, Distribution):
                value = value.expand((*size, *value.batch_shape[depth:]))
            made.__dict__[name] = value
        made._batch_shape = Size(size)
        return made

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """An empty object to fill in ``expand``, for classes that write their own."""
        if _instance is None and type(self).__init__ != cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"{type(self).__name__}: a subclass with an __init__ of its own must define expand() itself"
            )
        return type(self).__new__(type(self)) if _instance is None else _instance

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Samples without gradients, of shape sample_shape + batch + event."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Samples with gradients to the parameters."""
        raise outside(self, "rsample")

    def sample_n(self, n: int) -> Tensor:
        """``n`` samples; PyTorch's older name for ``sample((n,))``."""
        warnings.warn("sample_n: use sample((n,))", UserWarning, stacklevel=users_line())
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, at ``value``; of shape sample_shape + batch."""
        raise outside(self, "log_prob")

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of values up to ``value``."""
        raise outside(self, "cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """The value up to which the probability is ``value``: the inverse of ``cdf``."""
        raise outside(self, "icdf")

    def entropy(self) -> Tensor:
        """The entropy in nats, of shape batch."""
        raise outside(self, "entropy")

    def perplexity(self) -> Tensor:
        """The exponential of the entropy."""
        return self.entropy().exp()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values along a new first dimension, of shape values + batch + event.

        Args:
            expand: False leaves the dimensions of the batch at size 1.
        """
        raise outside(self, "enumerate_support")

    def _extended_shape(self, sample_shape: Shape = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _listed(self, values: Tensor, expand: bool) -> Tensor:
        """Values along dimension 0 as ``enumerate_support`` gives them."""
        depth = len(self._batch_shape)
        listed = values.reshape(values.shape[0], *(1,) * depth, *values.shape[1:])
        return listed.expand(values.shape[0], *self._batch_shape, *values.shape[1:]) if expand else listed

    def _validate_sample(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise ValueError(f"{type(self).__name__}: a value must be a tensor, got {type(value).__name__}")
        depth, event = value.ndim - len(self._event_shape), tuple(self._event_shape)
        if depth < 0 or any(have != want for have, want in zip(value.shape[depth:], event)):
            raise ValueError(
                f"{type(self).__name__}: the last dimensions of a value must be {list(event)}, "
                f"got shape {list(value.shape)}"
            )
        for have, want in zip(reversed(value.shape), reversed((*self._batch_shape, *event))):
            if have != want and 1 not in (have, want):
                raise ValueError(
                    f"{type(self).__name__}: a value of shape {list(value.shape)} does not broadcast with "
                    f"batch and event {[*self._batch_shape, *event]}"
                )
        if not bool(self.support.check(value).all()):
            raise ValueError(
                f"{type(self).__name__}: a value must lie within the support {self.support!r}, got:\n{value}"
            )

    def _checked(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return value

    def __repr__(self) -> str:
        shown = []
        for name in self.arg_constraints:
            value = self.__dict__.get(name)
            if isinstance(value, Tensor):
                shown.append(f"{name}: {value if value.numel() == 1 else value.size()}")
        return f"{type(self).__name__}({', '.join(shown)})"


def outside(holder: Any, name: str) -> NotImplementedError:
    """The error of a quantity that a distribution does not have in closed form."""
    return NotImplementedError(f"{type(holder).__name__}: {name} is not defined for this distribution")


def one_of(holder: str, **given: Any) -> str:
    """The name of the one argument that is given.

    Raises:
        ValueError: none or several are.
    """
    found = [name for name, value in given.items() if value is not None]
    if len(found) != 1:
        raise ValueError(f"{holder}: give exactly one of {', '.join(given)}; got {' and '.join(found) or 'none'}")
    return found[0]
