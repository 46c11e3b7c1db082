"""``torch.distributed`` for one process, so that scripts written for several run alone.

The group has one member: what it reduces, broadcasts or gathers is its own. More processes are refused.
"""

from __future__ import annotations

import os
from typing import Any

from ..autograd import Tensor
from ..autograd.grad_mode import no_grad

__all__ = [
    "GroupMember", "ReduceOp", "Work", "all_gather", "all_gather_into_tensor", "all_gather_object", "all_reduce",
    "barrier", "broadcast", "broadcast_object_list", "destroy_process_group", "gather", "get_backend", "get_rank",
    "get_world_size", "group", "init_process_group", "is_available", "is_gloo_available", "is_initialized",
    "is_mpi_available", "is_nccl_available", "is_torchelastic_launched", "new_group", "reduce",
    "reduce_scatter_tensor", "scatter",
]  # fmt: skip


class ReduceOp:
    """What a reduction does with the members' tensors; of one member it is that member's."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = "SUM", "AVG", "PRODUCT", "MIN", "MAX", "BAND", "BOR", "BXOR"


class GroupMember:
    """The group of all processes: ``WORLD``."""

    WORLD: str | None = None
    NON_GROUP_MEMBER = -100


group = GroupMember


class Work:
    """What a call with ``async_op=True`` gives; it is done."""

    def wait(self, timeout: Any = None) -> bool:
        return True

    def is_completed(self) -> bool:
        return True


def is_available() -> bool:
    """True: a group of one process can be made."""
    return True


def is_initialized() -> bool:
    """Whether ``init_process_group`` was called."""
    return GroupMember.WORLD is not None


def is_torchelastic_launched() -> bool:
    """Whether PyTorch's launcher started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def is_nccl_available() -> bool:
    """False: there is no library for several processes."""
    return False


is_gloo_available = is_mpi_available = is_nccl_available


def init_process_group(
    backend: str | None = None, init_method: str | None = None, timeout: Any = None, world_size: int = -1,
    rank: int = -1, store: Any = None, group_name: str = "", pg_options: Any = None, device_id: Any = None,
) -> None:  # fmt: skip
    """Make the group of this one process.

    Args:
        backend: kept, and answered by ``get_backend``.
        world_size, rank: 1 and 0; -1 for the environment's ``WORLD_SIZE`` and ``RANK``.
        init_method, timeout, store, group_name, pg_options, device_id: accepted; there is nobody to meet.

    Raises:
        RuntimeError: more than one process. ValueError: there is a group already.
    """
    if is_initialized():
        raise ValueError("init_process_group: there is a process group already; destroy_process_group() first")
    size = world_size if world_size >= 0 else int(os.environ.get("WORLD_SIZE", "1"))
    place = rank if rank >= 0 else int(os.environ.get("RANK", "0"))
    if size != 1 or place != 0:
        raise RuntimeError(f"init_process_group: a group has one process here, got world_size={size}, rank={place}")
    GroupMember.WORLD = backend or "gloo"


def destroy_process_group(group: Any = None) -> None:
    """Dissolve the group."""
    GroupMember.WORLD = None


def new_group(*args: Any, **kwargs: Any) -> str:
    """The group of this one process."""
    return _world()


def _world() -> str:
    if GroupMember.WORLD is None:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return GroupMember.WORLD


def get_backend(group: Any = None) -> str:
    """The name that ``init_process_group`` was given."""
    return _world()


def get_rank(group: Any = None) -> int:
    """0, this process."""
    _world()
    return 0


def get_world_size(group: Any = None) -> int:
    """1."""
    _world()
    return 1


def _done(async_op: bool) -> Work | None:
    _world()
    return Work() if async_op else None


def all_reduce(tensor: Tensor, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Work | None:
    """Leave the tensor as it is: the sum, mean or largest of one."""
    return _done(async_op)


def reduce(tensor: Tensor, dst: Any = None, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False,
           group_dst: Any = None) -> Work | None:  # fmt: skip
    """Leave the tensor as it is."""
    return _done(async_op)


def broadcast(tensor: Tensor, src: Any = None, group: Any = None, async_op: bool = False,
              group_src: Any = None) -> Work | None:  # fmt: skip
    """Leave the tensor as it is."""
    return _done(async_op)


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> Work | None:
    """Wait for nobody."""
    return _done(async_op)


def _copy(out: Tensor, tensor: Tensor) -> None:
    with no_grad():
        out.copy_(tensor.reshape(out.shape))


def all_gather(tensor_list: list[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False) -> Work | None:
    """Copy the tensor into the list's only one."""
    done = _done(async_op)
    (out,) = tensor_list
    _copy(out, tensor)
    return done


def gather(tensor: Tensor, gather_list: list[Tensor] | None = None, dst: Any = None, group: Any = None,
           async_op: bool = False, group_dst: Any = None) -> Work | None:  # fmt: skip
    """Copy the tensor into the list's only one."""
    return all_gather(gather_list or [tensor], tensor, group, async_op)


def scatter(tensor: Tensor, scatter_list: list[Tensor] | None = None, src: Any = None, group: Any = None,
            async_op: bool = False, group_src: Any = None) -> Work | None:  # fmt: skip
    """Copy the list's only tensor into ``tensor``."""
    done = _done(async_op)
    (given,) = scatter_list or [tensor]
    _copy(tensor, given)
    return done


def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Copy the tensor into the output."""
    done = _done(async_op)
    _copy(output_tensor, input_tensor)
    return done


def reduce_scatter_tensor(
    output: Tensor, input: Tensor, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """Copy the tensor into the output."""
    return all_gather_into_tensor(output, input, group, async_op)


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Put the object into the list's only place."""
    _world()
    object_list[:] = [obj]


def broadcast_object_list(object_list: list[Any], *args: Any, **kwargs: Any) -> None:
    """Leave the list as it is."""
    _world()
