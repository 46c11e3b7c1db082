"""What all optimizers share: parameter groups, state, and saving both."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from ...autograd import Tensor, enable_grad, no_grad
from ...autograd.ops.create import tensor
from ...autograd.ops.factories import zeros_like
from ..warn import users_line

__all__ = ["Optimizer"]


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required: Any = _Required()


class Optimizer:
    """Base of all optimizers.

    Args:
        params: tensors, or dictionaries with ``"params"`` and options of their own.
        defaults: the options of groups that do not name them.

    Raises:
        ValueError: no parameters, or one that is in two groups. TypeError: something else than tensors.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError("the optimizer needs an iterable of tensors or dicts, not one Tensor; pass [tensor]")
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own, such as another learning rate.

        Raises:
            TypeError: not a dictionary of tensors. ValueError: a tensor that is in a group already, or not a leaf.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        given = param_group["params"]
        params = [given] if isinstance(given, Tensor) else [p[1] if isinstance(p, tuple) else p for p in given]
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
            if not p.is_leaf:
                raise ValueError("can't optimize a non-leaf Tensor: it is the result of an operation")
        known = {id(p) for g in self.param_groups for p in g["params"]}
        if len({id(p) for p in params}) < len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; each step moves them as often as they "
                "appear",
                stacklevel=users_line(),
            )
        if any(id(p) in known for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        group = {**param_group, "params": params}
        for name, value in self.defaults.items():
            if value is required and name not in group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            group.setdefault(name, value)
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for group in self.param_groups:
            for p in group["params"]:
                node = p._node
                if set_to_none and node is not None:
                    node.grad = None
                elif p.grad is not None:
                    p.grad = None if set_to_none else p.grad.detach().zero_()

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
                self._update(group, moved)
                for p in moved:
                    p._cell[0] += 1
        return loss

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        """Move the parameters of one group that have gradients; every optimizer defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define _update")

    def state_dict(self) -> dict[str, Any]:
        """The state and the groups' options, with numbers in place of parameters, as PyTorch writes them."""
        number: dict[int, int] = {}
        for group in self.param_groups:
            for p in group["params"]:
                number.setdefault(id(p), len(number))
        groups = [{**g, "params": [number[id(p)] for p in g["params"]]} for g in self.param_groups]
        state = {
            number[id(p)]: {k: tensor(float(v)) if k == "step" else v for k, v in s.items()}
            for p, s in self.state.items()
        }
        ordered = [{k: g[k] for k in sorted(g, key=lambda k: k == "params")} for g in groups]
        return {"state": state, "param_groups": ordered}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` gave.

        Raises:
            ValueError: other numbers of groups or parameters.
        """
        groups = state_dict["param_groups"]
        if len(groups) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(groups, self.param_groups, strict=True)):
            raise ValueError("loaded state dict has a parameter group of another size than the optimizer's group")
        by_number: dict[int, Tensor] = {}
        for saved, own in zip(groups, self.param_groups, strict=True):
            by_number.update(zip(saved["params"], own["params"], strict=True))
            own.update({k: deepcopy(v) for k, v in saved.items() if k != "params"})
        self.state = defaultdict(dict)
        for k, s in state_dict["state"].items():
            p = by_number[k]
            self.state[p] = {
                name: int(float(v)) if name == "step"
                else v.detach().clone().to(device=p.device, dtype=p.dtype) if isinstance(v, Tensor) else deepcopy(v)
                for name, v in s.items()
            }  # fmt: skip

    def _slot(self, moved: list[Tensor], name: str) -> list[Any]:
        """The raw arrays of one state of each parameter, made of zeros at first."""
        out = []
        for p in moved:
            state = self.state[p]
            slot = state.get(name)
            if slot is None:
                with no_grad():
                    slot = state[name] = zeros_like(p)
            out.append(slot._array)
        return out

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
        return "\n".join([*lines, ")"])


def check_range(name: str, value: float, low: float = 0.0, high: float | None = None) -> None:
    """Refuse an option outside its range.

    Raises:
        ValueError: outside.
    """
    if value < low or (high is not None and value >= high):
        bounds = f"at least {low}" if high is None else f"in [{low}, {high})"
        raise ValueError(f"Invalid {name}: {value}; it must be {bounds}")


def check_switches(name: str, foreach: bool | None, fused: bool | None, differentiable: bool) -> None:
    """Refuse what the switches for PyTorch's ways to run a step cannot mean; the others are accepted without effect.

    Raises:
        RuntimeError: both of ``foreach`` and ``fused``, or ``differentiable``.
    """
    if fused and differentiable:
        raise RuntimeError(f"{name}: `fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError(f"{name}: `fused` and `foreach` cannot be `True` together.")
    if differentiable:
        raise RuntimeError(
            f"{name}: differentiable=True is not possible: a step writes to leaves and is not recorded; "
            "write the update with operations on tensors instead"
        )


def raw(moved: list[Tensor]) -> tuple[Any, list[Any], list[Any]]:
    """The backend of the parameters, their arrays, and those of their gradients."""
    return (
        moved[0]._device.backend,
        [p._array for p in moved],
        [(p if p._node is None else p._node).grad._array for p in moved],  # type: ignore[union-attr]
    )
