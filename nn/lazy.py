"""Modules that learn the size of their input from the first one they see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor
from .module import Module
from .parameter import Uninitialized

__all__ = ["LazyModuleMixin"]

Base: Any = Module if TYPE_CHECKING else object


class LazyModuleMixin(Base):  # type: ignore[misc]
    """Put before a module class: its parameters may be uninitialized until the first forward pass.

    A class that uses it says in ``initialize_parameters(*inputs)`` how to give them shapes (``materialize``) and
    values, and in ``cls_to_become`` which class the module then turns into; None to stay what it is.
    """

    cls_to_become: type[Module] | None = None

    def _own(self) -> Iterator[tuple[str, Any]]:
        for table in (self._parameters, self._buffers):
            yield from table.items()

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer of the module's own has no shape yet."""
        return any(isinstance(value, Uninitialized) for _, value in self._own())

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters shapes and values, from the arguments of the first forward pass.

        Raises:
            NotImplementedError: the class does not say how.
        """
        raise NotImplementedError(f"{type(self).__name__}: a lazy module must define initialize_parameters(*inputs)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.__dict__.get("_initialized"):
            self.initialize_parameters(*args, **kwargs)
            if self.has_uninitialized_params():
                raise RuntimeError(f"module {type(self).__name__} has not been fully initialized")
            kind: Any = self.cls_to_become
            if kind is not None:
                self.__class__ = kind
                return self(*args, **kwargs)
            self.__dict__["_initialized"] = True
        return super().__call__(*args, **kwargs)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name, value in self._own():
            given = state_dict.get(prefix + name)
            if isinstance(value, Uninitialized) and isinstance(given, Tensor):
                if not isinstance(given, Uninitialized):
                    value.materialize(given.shape)
        super()._load_from_state_dict(state_dict, prefix, *rest)
