"""Module: parameters, buffers and submodules under one roof, with a forward step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

from ..autograd import Tensor, no_grad
from . import compiling
from .call_hooks import REGISTERED
from .hookable import Hookable
from .members import Members
from .movable import Movable
from .parameter import Buffer, Parameter, Uninitialized
from .state import Stateful

__all__ = ["Module"]


class Module(Hookable, Stateful, Movable):
    """Base of all layers and models: subclass it, assign submodules and parameters, define ``forward``.

    Parameters, buffers and submodules are kept in tables of their own, and also as plain attributes, so that reading
    ``self.weight`` costs what reading any attribute costs.
    """

    training: bool
    call_super_init = False  # whether ``__init__`` goes on to further base classes, with its arguments
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Any]  # Module, or None for one that could be there
    _non_persistent: set[str]

    if TYPE_CHECKING:  # what is registered under a name of the user's has no type that could be known

        def __getattr__(self, name: str) -> Any: ...

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if (args or kwargs) and not self.call_super_init:
            what = f"got an unexpected keyword argument '{next(iter(kwargs))}'" if kwargs else (
                f"takes 1 positional argument but {len(args) + 1} were given"
            )  # fmt: skip
            raise TypeError(f"{type(self).__name__}.__init__() {what}")
        fields = self.__dict__
        fields["training"] = True
        fields["_parameters"], fields["_buffers"], fields["_modules"] = Members(self), Members(self), Members(self)
        fields["_non_persistent"], fields["_hooks"] = set(), None
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass defines it.

        Raises:
            NotImplementedError: the subclass does not.
        """
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooked:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    # Attributes

    def __setattr__(self, name: str, value: Any) -> None:
        if "_parameters" not in self.__dict__:
            if isinstance(value, (Parameter, Buffer, Module)):
                raise AttributeError(f"{type(self).__name__}: call super().__init__() before assigning '{name}'")
            object.__setattr__(self, name, value)
        elif isinstance(value, Parameter):
            self._place(self._parameters, name, value)
        elif name in self._parameters:
            self._replace(self._parameters, name, value, (), "parameter", "Parameter")
        elif isinstance(value, Module):
            self._place(self._modules, name, value)
        elif name in self._modules:
            self._replace(self._modules, name, value, (), "submodule", "Module")
        elif isinstance(value, Buffer):
            self._place(self._buffers, name, value)
            (self._non_persistent.discard if value.persistent else self._non_persistent.add)(name)
        elif name in self._buffers:
            self._replace(self._buffers, name, value, Tensor, "buffer", "Tensor")
        else:
            if name == "forward":  # a forward of the instance's own must not be bypassed by a fused step
                self.__dict__["_hooked"] = True
            object.__setattr__(self, name, value)

    def _replace(self, table: dict[str, Any], name: str, value: Any, kind: Any, what: str, wanted: str) -> None:
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{type(self).__name__}: '{name}' is a {what}; assign a {wanted} or None, not "
                            f"{type(value).__name__}")  # fmt: skip
        self._place(table, name, value)

    def _place(self, table: dict[str, Any], name: str, value: Any) -> None:
        """Put a value into a table, and so among the attributes."""
        for kind, other in (("parameter", self._parameters), ("buffer", self._buffers), ("module", self._modules)):
            if other is not table:
                if name in other:
                    del other[name]
            elif REGISTERED[kind] and value is not None:
                for hook in list(REGISTERED[kind].values()):
                    changed = hook(self, name, value)
                    value = value if changed is None else changed
        table[name] = value

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._non_persistent.discard(name)
                return
        object.__delattr__(self, name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or None for one that could be there.

        Raises:
            TypeError: not a Parameter, or the name no string. KeyError: it is taken, empty, or has a dot.
        """
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"register_parameter: '{name}' must be a Parameter or None, not {type(param).__name__}")
        self._check_name("register_parameter", name, "_parameters")
        self._place(self._parameters, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the module's state but is not learned.

        Raises:
            TypeError: not a Tensor, or the name no string. KeyError: it is taken, empty, or has a dot.
        """
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer: '{name}' must be a Tensor or None, not {type(tensor).__name__}")
        self._check_name("register_buffer", name, "_buffers")
        self._place(self._buffers, name, tensor)
        (self._non_persistent.discard if persistent else self._non_persistent.add)(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Another name of ``add_module``."""
        self.add_module(name, module)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under a name that need not be a Python identifier.

        Raises:
            TypeError: not a Module, or the name no string. KeyError: it is taken, empty, or has a dot.
        """
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"add_module: '{name}' must be a Module or None, not {type(module).__name__}")
        self._check_name("add_module", name, "_modules")
        self._place(self._modules, name, module)

    def _check_name(self, what: str, name: str, table: str) -> None:
        if table not in self.__dict__:
            raise AttributeError(f"{what}: call super().__init__() of {type(self).__name__} before adding '{name}'")
        if not isinstance(name, str):
            raise TypeError(f"{what}: the name must be a string, not {type(name).__name__}")
        if not name or "." in name:
            raise KeyError(f"{what}: the name {name!r} must not be empty nor have a dot")
        if hasattr(self, name) and name not in getattr(self, table):
            raise KeyError(f"{what}: attribute '{name}' already exists")

    # Walking the tree

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """The module and all below it, with dotted names."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """The module and all below it."""
        return (m for _, m in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct submodules with their names."""
        seen: set[Module] = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """The direct submodules."""
        return (m for _, m in self.named_children())

    def _named_members(
        self, table: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        owners = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for owner, module in owners:
            for name, value in getattr(module, table).items():
                if value is None or (remove_duplicate and id(value) in seen):
                    continue
                seen.add(id(value))
                yield f"{owner}.{name}" if owner else name, value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with dotted names; a shared one appears once."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, for an optimizer."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with dotted names."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The submodule of a dotted name.

        Raises:
            AttributeError: there is none.
        """
        module = self
        for part in target.split(".") if target else ():
            child = module._modules.get(part)
            if child is None:
                raise AttributeError(f"{type(module).__name__} has no submodule '{part}' (looking for '{target}')")
            module = child
        return module

    def _member(self, target: str, table: str, what: str) -> Any:
        path, _, name = target.rpartition(".")
        found = getattr(self.get_submodule(path), table).get(name)
        if found is None:
            raise AttributeError(f"{type(self).__name__} has no {what} '{target}'")
        return found

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of a dotted name.

        Raises:
            AttributeError: there is none.
        """
        made: Parameter = self._member(target, "_parameters", "parameter")
        return made

    def get_buffer(self, target: str) -> Tensor:
        """The buffer of a dotted name.

        Raises:
            AttributeError: there is none.
        """
        made: Tensor = self._member(target, "_buffers", "buffer")
        return made

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a submodule at a dotted name.

        Args:
            target: the name; all but its last part must be there.
            module: what is put there.
            strict: the last part must be there too.

        Raises:
            ValueError: an empty name, or no module. AttributeError: a part is missing.
        """
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"set_submodule: '{target}' must be a Module, not {type(module).__name__}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict or (hasattr(parent, name) and name not in parent._modules):
            parent.get_submodule(name)
        setattr(parent, name, module)

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn`` on every submodule, then on the module itself."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Taken as in PyTorch, with the arguments of ``tapegrad.compile``; the module runs as it stands."""
        compiling.compile(self, *args, **kwargs)

    # Mode

    def train(self, mode: bool = True) -> Self:
        """Set training mode, here and below."""
        if not isinstance(mode, bool):
            raise ValueError("train: mode must be a bool")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode, here and below."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether the parameters are learned."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the parameters, or set them to zero."""
        for p in self.parameters():
            if p.grad is not None:
                if set_to_none:
                    p.grad = None
                else:
                    p.grad = p.grad.detach()
                    p.grad.zero_()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the data of every parameter, its gradient and every buffer by ``fn`` of it."""
        with no_grad():
            for module in self.modules() if recurse else [self]:
                for p in module._parameters.values():
                    if isinstance(p, Uninitialized):
                        p.move(fn)
                    elif p is not None:
                        grad = p.grad
                        p.data = fn(p.data)
                        if grad is not None:
                            p.grad = fn(grad)
                for name, buffer in module._buffers.items():
                    if isinstance(buffer, Uninitialized):
                        buffer.move(fn)
                    elif buffer is not None:
                        module._place(module._buffers, name, fn(buffer))
        return self

    # Text

    def extra_repr(self) -> str:
        """What ``repr`` writes between the parentheses; a subclass may define it."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        own = self.extra_repr().split("\n") if self.extra_repr() else []
        children = [f"({name}): " + repr(m).replace("\n", "\n  ") for name, m in self._modules.items()]
        if not children and len(own) <= 1:
            return f"{self._get_name()}({''.join(own)})"
        return f"{self._get_name()}(\n  " + "\n  ".join(own + children) + "\n)"

    def __getstate__(self) -> dict[str, Any]:
        return {key: dict(value) if type(value) is Members else value for key, value in self.__dict__.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for table in ("_parameters", "_buffers", "_modules"):
            self.__dict__[table] = Members(self, state.get(table))
