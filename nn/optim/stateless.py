"""An optimizer over other parameters and another state for a while."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...autograd import Tensor
from .optimizer import Optimizer

__all__ = ["swap_in_optimizer_params_and_state"]

NAME = "swap_in_optimizer_params_and_state"


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer, swapin_parameters: dict[str, Tensor], swapin_optim_state: dict[str, Any]
) -> Iterator[None]:
    """Let an optimizer work on other parameters with another state; at the end its own come back.

    Args:
        optimizer: has made a step.
        swapin_parameters: tensors in the order of the optimizer's own, by any names.
        swapin_optim_state: as `Optimizer.state_dict` gives it. Its tensors are changed in place.

    Raises:
        RuntimeError: a state of another form, or other numbers of groups or parameters.
    """
    if not optimizer.state:
        raise RuntimeError(f"{NAME} requires initialized optimizer state.")
    if not isinstance(swapin_optim_state, dict) or not isinstance(swapin_optim_state.get("state"), dict):
        raise RuntimeError(f"{NAME} requires a dictionary as optimizer.state_dict() gives it, with 'state'.")
    groups = swapin_optim_state.get("param_groups")
    if not isinstance(groups, list) or len(groups) != len(optimizer.param_groups):
        raise RuntimeError(f"{NAME} requires as many param_groups as the optimizer has: {len(optimizer.param_groups)}.")
    counts = [len(g["params"]) for g in groups]
    if counts != [len(g["params"]) for g in optimizer.param_groups] or sum(counts) != len(swapin_parameters):
        raise RuntimeError(f"{NAME} requires the explicit parameter state to match optimizer.param_groups ordering.")
    states = swapin_optim_state["state"]
    if extra := set(states) - {k for g in groups for k in g["params"]}:
        raise RuntimeError(f"{NAME} requires 'state' to be keyed only by packed parameter ids; got {sorted(extra)!r}.")
    own_state, own_groups = optimizer.state, [dict(g) for g in optimizer.param_groups]
    try:
        others = iter(swapin_parameters.values())
        optimizer.state = defaultdict(dict)
        for live, given in zip(optimizer.param_groups, groups, strict=True):
            live.update({k: v for k, v in given.items() if k != "params"})
            live["params"] = [next(others) for _ in given["params"]]
            for p, k in zip(live["params"], given["params"], strict=True):
                optimizer.state[p] = optimizer._plain(dict(states.get(k, {})))
        yield
    finally:
        for live, own in zip(optimizer.param_groups, own_groups, strict=True):
            live.clear()
            live.update(own)
        optimizer.state = own_state
