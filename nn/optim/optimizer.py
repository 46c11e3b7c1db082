"""What all optimizers share: parameter groups, state, and saving both."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from ...autograd import Tensor, enable_grad, get_default_dtype, no_grad
from ...autograd.handles import HookTable, RemovableHandle
from ...autograd.ops.create import tensor
from ...autograd.ops.factories import zeros_like
from ...backends import dtypes
from ..warn import users_line
from .step_hooks import hooked

__all__ = ["Optimizer", "required"]

# The tables of hooks, which are neither copied nor saved.
HOOKS = (
    "_step_pre_hooks", "_step_post_hooks", "_state_dict_pre_hooks", "_state_dict_post_hooks",
    "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
)  # fmt: skip


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required: Any = _Required()


class Optimizer:
    """Base of all optimizers.

    Args:
        params: tensors, pairs of name and tensor, or dictionaries with ``"params"`` and options of their own.
        defaults: the options of groups that do not name them.

    Raises:
        ValueError: no parameters, or one that is in two groups. TypeError: something else than tensors.
    """

    # States of a parameter that are plain numbers here, and tensors without dimensions in a state_dict.
    _numbers: tuple[str, ...] = ("step",)

    _step_pre_hooks: HookTable
    _step_post_hooks: HookTable

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got one "
                f"{type(params).__name__}; pass [tensor]"
            )
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._make_hook_tables()
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = hooked(vars(cls)["step"])  # type: ignore[method-assign]

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if HOOKS[0] not in self.__dict__:
            self._make_hook_tables()

    def _make_hook_tables(self) -> None:
        for name in HOOKS:
            setattr(self, name, HookTable())

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own, such as another learning rate.

        Raises:
            TypeError: not a dictionary of tensors in an order. ValueError: a tensor that is in a group already, or not
                a leaf; names for some parameters only.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        given = param_group["params"]
        if isinstance(given, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but a set has another order in "
                "every run; use a list"
            )
        entries = [given] if isinstance(given, Tensor) else list(given)
        names = [e[0] for e in entries if isinstance(e, tuple)]
        params = param_group["params"] = [e[1] if isinstance(e, tuple) else e for e in entries]
        if names:
            if len(names) < len(params):
                raise ValueError(
                    "all optimizer params should be with/without names. Some param names are missing: "
                    f"{len(names)} of {len(params)} have one"
                )
            param_group["param_names"] = names
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
            if not (p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor: it is the result of an operation")
        for name, value in self.defaults.items():
            if value is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, value)
        self._check_places(param_group)
        self.param_groups.append(param_group)

    def _check_places(self, new: dict[str, Any]) -> None:
        """Refuse parameters that have a place already, and warn of those with two places in the new group."""
        params = new["params"]
        if len({id(p) for p in params}) < len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; each step moves them as often as they "
                "appear",
                stacklevel=users_line(),
            )
        for group in self.param_groups:
            if ("param_names" in new) != ("param_names" in group):
                kind = "with names" if "param_names" in new else "without names"
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param group "
                    f"{kind} to the optimizer"
                )
        known = {id(p) for group in self.param_groups for p in group["params"]}
        if any(id(p) in known for p in params):
            raise ValueError("some parameters appear in more than one parameter group")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for group in self.param_groups:
            for p in group["params"]:
                node = p._node
                if set_to_none and node is not None:
                    node.grad = None
                elif p.grad is not None:
                    p.grad = None if set_to_none else p.grad.detach().zero_()

    @hooked
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move the parameters once.

        Args:
            closure: computes the loss again, where the caller wants it returned.

        Returns:
            What ``closure`` returns, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            moved = [p for p in group["params"] if (p if p._node is None else p._node).grad is not None]
            if moved:
                for several in _alike(moved):
                    self._update(group, several)
                for p in moved:
                    p._cell[0] += 1
        return loss

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        """Move parameters of one group, of one device and type, that have gradients; every optimizer defines it."""
        raise NotImplementedError(f"{type(self).__name__} defines neither step nor _update")

    def state_dict(self) -> dict[str, Any]:
        """The state and the groups' options, with numbers in place of parameters, as PyTorch writes them."""
        for hook in list(self._state_dict_pre_hooks.values()):  # type: ignore[attr-defined]
            hook(self)
        place: dict[int, int] = {}
        start = 0
        for group in self.param_groups:
            for i, p in enumerate(group["params"], start):
                place.setdefault(id(p), i)
            start += len(group["params"])
        groups = [
            {**{k: v for k, v in g.items() if k != "params"}, "params": [place[id(p)] for p in g["params"]]}
            for g in self.param_groups
        ]
        state = {
            place[id(p)] if isinstance(p, Tensor) else p: {
                k: tensor(v, dtype=_scalar_type()) if k in self._numbers else v for k, v in s.items()
            }
            for p, s in self.state.items()
        }
        made = {"state": state, "param_groups": groups}
        for hook in list(self._state_dict_post_hooks.values()):  # type: ignore[attr-defined]
            changed = hook(self, made)
            made = made if changed is None else changed
        return made

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` gave.

        Raises:
            ValueError: other numbers of groups or parameters.
        """
        state_dict = dict(state_dict)
        for hook in list(self._load_state_dict_pre_hooks.values()):  # type: ignore[attr-defined]
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        groups = deepcopy(state_dict["param_groups"])
        if len(groups) != len(self.param_groups):
            raise ValueError(
                "loaded state dict has a different number of parameter groups: "
                f"{len(groups)}, and the optimizer {len(self.param_groups)}"
            )
        place: dict[Any, Tensor] = {}
        for i, (saved, own) in enumerate(zip(groups, self.param_groups, strict=True)):
            if len(saved["params"]) != len(own["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
                    f"group {i} has {len(saved['params'])} parameters, the optimizer's {len(own['params'])}"
                )
            place.update(zip(saved["params"], own["params"], strict=True))
        for saved, own in zip(groups, self.param_groups, strict=True):
            saved["params"] = own["params"]
            if "param_names" in own:
                saved.setdefault("param_names", own["param_names"])
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for k, s in state_dict["state"].items():
            state[place.get(k, k)] = self._fitted(place[k], s) if k in place else s
        self.__setstate__({"state": state, "param_groups": groups})
        for hook in list(self._load_state_dict_post_hooks.values()):  # type: ignore[attr-defined]
            hook(self)

    def _fitted(self, p: Tensor, state: dict[str, Any]) -> dict[str, Any]:
        """A loaded state with its tensors as the parameter's device and type ask for, and its numbers plain."""
        plain = self._plain(state)
        return {k: v if k in self._numbers else _like(p, v) for k, v in plain.items()}

    def _plain(self, state: dict[str, Any]) -> dict[str, Any]:
        """A parameter's state with plain numbers for those that a state_dict has as tensors."""
        made = dict(state)
        for name in self._numbers:
            if name in made:
                made[name] = int(float(made[name])) if name == "step" else float(made[name])
        return made

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return other ``(args, kwargs)``."""
        return self._step_pre_hooks.add(hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return self._step_post_hooks.add(hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before `state_dict` reads the state."""
        return self._state_dict_pre_hooks.add(hook, first=prepend)  # type: ignore[attr-defined]

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before `state_dict` returns; it may return another dictionary."""
        return self._state_dict_post_hooks.add(hook, first=prepend)  # type: ignore[attr-defined]

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before a state is loaded; it may return another dictionary."""
        return self._load_state_dict_pre_hooks.add(hook, first=prepend)  # type: ignore[attr-defined]

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after a state has been loaded."""
        return self._load_state_dict_post_hooks.add(hook, first=prepend)  # type: ignore[attr-defined]

    def _slot(self, moved: list[Tensor], name: str) -> list[Any]:
        """The raw arrays of one state of each parameter, made of zeros at first."""
        state = self.state
        try:
            return [state[p][name]._array for p in moved]
        except (KeyError, AttributeError):  # not there yet, or None
            with no_grad():
                for p in moved:
                    if state[p].get(name) is None:
                        state[p][name] = zeros_like(p)
            return [state[p][name]._array for p in moved]

    def _count(self, moved: list[Tensor]) -> list[int]:
        """The number of this step for each parameter."""
        out = []
        for p in moved:
            state = self.state[p]
            state["step"] = n = state.get("step", 0) + 1
            out.append(n)
        return out

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {k}: {group[k]}" for k in sorted(group) if k != "params"]
            lines.append("")
        return "\n".join([*lines[:-1], ")"])


def _alike(moved: list[Tensor]) -> list[list[Tensor]]:
    """The parameters in lists of one device and element type each."""
    device, dtype = moved[0]._device, moved[0]._array.dtype
    if all([p._device is device and (p._array.dtype is dtype or p._array.dtype == dtype) for p in moved]):
        return [moved]
    kinds: dict[Any, list[Tensor]] = {}
    for p in moved:
        kinds.setdefault((p._device, p._array.dtype), []).append(p)
    return list(kinds.values())


def _like(p: Tensor, value: Any) -> Any:
    """A loaded state with the tensors in it on the parameter's device, and of its type where that is a real one."""
    if isinstance(value, Tensor):
        made = value.detach().clone()
        return made.to(device=p.device, dtype=p.dtype) if p.is_floating_point() else made.to(device=p.device)
    if isinstance(value, dict):
        return {k: _like(p, v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_like(p, v) for v in value)
    return deepcopy(value)


def _scalar_type() -> Any:
    """The type of numbers in a state_dict."""
    return dtypes.of("float64" if get_default_dtype() is dtypes.of("float64") else "float32")
