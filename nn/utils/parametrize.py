"""Parametrizations: a parameter that is computed anew, from other parameters, whenever it is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from ...autograd import Tensor, no_grad
from ..container import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "transfer_parametrizations_and_params", "type_before_parametrizations",
]  # fmt: skip


class _Cache:
    """What has been computed within ``cached()``: how many of these are open, and values by module and name."""

    depth = 0
    values: dict[tuple[int, str], Tensor] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Within this context each parametrized tensor is computed once, when it is first read."""
    _Cache.depth += 1
    try:
        yield
    finally:
        _Cache.depth -= 1
        if not _Cache.depth:
            _Cache.values = {}


def _add(module: Module, name: str, value: Tensor) -> None:
    if isinstance(value, Parameter):
        module.register_parameter(name, value)
    else:
        module.register_buffer(name, value)


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, and what it is computed from.

    Args:
        modules: the parametrizations, the first one applied first.
        original: the parameter or buffer; what ``right_inverse`` makes of it is kept.
        unsafe: whether the result may have another shape or element type.

    Raises:
        ValueError: no parametrizations, or results that do not fit. RuntimeError: ``right_inverse`` failed to fit.

    Attributes:
        original: what the first parametrization is applied to; where that takes several tensors ``original0``,
            ``original1``, ... stand for it.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        with no_grad():
            new = self._inverted(original)
        self._check_kind(new)
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        shape, dtype = original.shape, original.dtype
        if self.is_tensor:
            if new.dtype != original.dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype: "
                    f"original.dtype: {original.dtype}, right_inverse(original).dtype: {new.dtype}"
                )
            original.data = new
            _add(self, "original", original)
        else:
            for i, part in enumerate(new):
                if not isinstance(part, Tensor):
                    raise ValueError(
                        f"'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got element "
                        f"{i} of the sequence with type {type(part).__name__}."
                    )
                learned = isinstance(original, Parameter)
                _add(self, f"original{i}", Parameter(part, original.requires_grad) if learned else part)
        if not unsafe:
            self._check(self.forward(), shape, dtype)

    def _check_kind(self, new: Any) -> None:
        if not isinstance(new, (Tensor, Sequence)):
            raise ValueError(
                f"'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got "
                f"{type(new).__name__}"
            )

    def _inverted(self, value: Any) -> Any:
        """What the parametrizations would have to be applied to, to give ``value``."""
        for module in reversed(list(self)):
            if not hasattr(module, "right_inverse"):
                return value
            try:
                value = module.right_inverse(value)
            except NotImplementedError:  # it says that it has none
                return value
        return value

    def _check(self, value: Any, shape: Any, dtype: Any) -> None:
        if not isinstance(value, Tensor):
            raise ValueError(f"A parametrization must return a tensor. Got {type(value).__name__}.")
        if value.dtype != dtype:
            raise ValueError(
                "Registering a parametrization may not change the dtype of the tensor, unless `unsafe` flag is "
                f"enabled. original.dtype: {dtype}, parametrized dtype: {value.dtype}"
            )
        if value.shape != shape:
            raise ValueError(
                "Registering a parametrization may not change the shape of the tensor, unless `unsafe` flag is "
                f"enabled. original.shape: {shape}, parametrized shape: {value.shape}"
            )

    def _originals(self) -> list[Tensor]:
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value: Tensor) -> None:
        """Set what the tensor is computed from, so that it becomes ``value``.

        Raises:
            RuntimeError: a parametrization has no ``right_inverse``. ValueError: what it gives does not fit.
        """
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement right_inverse, so the tensor "
                        "cannot be assigned to"
                    )
                value = module.right_inverse(value)
            new = [value] if self.is_tensor else list(value)
            if len(new) != self.ntensors:
                raise ValueError(
                    f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence of "
                    f"length {len(new)}."
                )
            for old, part in zip(self._originals(), new, strict=True):
                if part.dtype != old.dtype:
                    raise ValueError(f"right_inverse gave {part.dtype} where {old.dtype} is kept")
                old.data = part

    def forward(self) -> Tensor:
        first, *others = self._modules.values()
        value = first(*self._originals())
        for module in others:
            value = module(value)
        return value


# The class of a parametrized module


def _read(module: Module, name: str) -> Tensor:
    made: Tensor
    if not _Cache.depth:
        made = module.parametrizations[name]()
        return made
    key = (id(module), name)
    if key not in _Cache.values:
        _Cache.values[key] = module.parametrizations[name]()
    return _Cache.values[key]


def _property(name: str) -> property:
    def read(self: Module) -> Tensor:
        return _read(self, name)

    def write(self: Module, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(read, write)


def _set(self: Any, name: str, value: Any) -> None:
    if isinstance(value, Parameter) and name in type(self)._parametrized:
        raise KeyError(f"attribute '{name}' already exists: it is computed by its parametrizations; assign a Tensor")
    super(type(self), self).__setattr__(name, value)


def _refuse(self: Any, protocol: Any = None) -> Any:
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(); save that, or take the "
        "parametrizations away with remove_parametrizations"
    )


def _become(module: Module, names: Sequence[str]) -> None:
    """Give a module the class that computes the tensors of these names."""
    base = type_before_parametrizations(module)
    if names:
        fields: dict[str, Any] = {name: _property(name) for name in names}
        fields |= {"_parametrized": tuple(names), "__setattr__": _set, "__reduce_ex__": _refuse}
        fields["__module__"] = base.__module__
        module.__class__ = type(f"Parametrized{base.__name__}", (base,), fields)
    else:
        module.__class__ = base


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module has parametrizations, of this name if one is given."""
    held = module._modules.get("parametrizations")
    if not isinstance(held, ModuleDict) or not hasattr(type(module), "_parametrized"):
        return False
    return len(held) > 0 if tensor_name is None else tensor_name in held


def type_before_parametrizations(module: Module) -> type:
    """The class of a module, as if it had no parametrizations."""
    kind = type(module)
    return kind.__bases__[0] if "_parametrized" in kind.__dict__ else kind


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let a parameter or buffer be computed by ``parametrization`` whenever it is read.

    Args:
        module: whose tensor it is.
        tensor_name: its name there.
        parametrization: a module whose forward gives the tensor; its ``right_inverse``, where it has one, gives what
            to apply it to, from the tensor (several tensors are possible). Upon others, it is applied after them.
        unsafe: skip the checks of shape and element type.

    Returns:
        The module, which from now on has a class of its own.

    Raises:
        ValueError: no tensor of this name, or results that do not fit.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        held: ParametrizationList = module.parametrizations[tensor_name]
        if unsafe:
            held.unsafe = True
        else:
            before = getattr(module, tensor_name)
            held._check(parametrization(before), before.shape, before.dtype)
        if hasattr(parametrization, "right_inverse"):
            value = getattr(module, tensor_name)
            with no_grad():
                try:
                    value = parametrization.right_inverse(value)
                except NotImplementedError:
                    pass
                else:
                    if len(held) and not isinstance(value, Tensor):
                        raise ValueError("only the first parametrization may be computed from several tensors")
                    held.right_inverse(value)
        held.append(parametrization)
        return module
    if tensor_name not in module._parameters and tensor_name not in module._buffers:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    made = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
    made.train(module.training)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.parametrizations = ModuleDict()
    module.parametrizations[tensor_name] = made
    _become(module, list(module.parametrizations))
    return module


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a parametrized tensor a plain parameter or buffer again.

    Args:
        module: whose tensor it is.
        tensor_name: its name there.
        leave_parametrized: it keeps the value that was computed; else it becomes what it was computed from.

    Raises:
        ValueError: no parametrized tensor of this name, or several tensors that it was computed from although
            ``leave_parametrized=False``.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    held: ParametrizationList = module.parametrizations[tensor_name]
    if not leave_parametrized and not held.is_tensor:
        raise ValueError(
            f"remove_parametrizations: '{tensor_name}' is computed from {held.ntensors} tensors, so it can only be "
            "left parametrized (leave_parametrized=True)"
        )
    value = held._originals()[0]
    if leave_parametrized:
        with no_grad():
            computed = getattr(module, tensor_name)
        if held.is_tensor:
            value.data = computed
        else:
            value = Parameter(computed) if isinstance(value, Parameter) else computed
    del module.parametrizations[tensor_name]
    _become(module, list(module.parametrizations))
    if not len(module.parametrizations):
        del module.parametrizations
    _add(module, tensor_name, value)
    return module


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Give another module copies of the parametrizations of one, and of what is computed by them.

    Raises:
        ValueError: a module without such parametrizations.
    """
    if not is_parametrized(from_module):
        raise ValueError(f"The module {from_module} from which parametrizations are transferred has none")
    names = list(from_module.parametrizations) if tensor_name is None else [tensor_name]
    for name in names:
        if not is_parametrized(from_module, name):
            raise ValueError(f"Module {from_module} does not have a parametrization on {name}")
        if not is_parametrized(to_module, name):
            if not hasattr(to_module, name):
                _add(to_module, name, deepcopy(from_module.parametrizations[name]._originals()[0]))
            for parametrization in from_module.parametrizations[name]:
                register_parametrization(to_module, name, deepcopy(parametrization), unsafe=True)
        source, target = (m.parametrizations[name]._originals() for m in (from_module, to_module))
        for old, new in zip(target, source, strict=True):
            old.data = new.detach().clone()
    return to_module
