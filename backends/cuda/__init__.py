"""CUDA devices: how many, which is current, their memory, streams and events; PyTorch's ``torch.cuda``.

Everything that asks a question answers it without a GPU too; what needs one raises ``BackendError`` with the reason.
"""

from ..attention_kernels import cudnn_sdp_enabled as cudnn_sdp_enabled
from ..attention_kernels import enable_cudnn_sdp as enable_cudnn_sdp
from ..attention_kernels import enable_flash_sdp as enable_flash_sdp
from ..attention_kernels import enable_math_sdp as enable_math_sdp
from ..attention_kernels import enable_mem_efficient_sdp as enable_mem_efficient_sdp
from ..attention_kernels import flash_sdp_enabled as flash_sdp_enabled
from ..attention_kernels import math_sdp_enabled as math_sdp_enabled
from ..attention_kernels import mem_efficient_sdp_enabled as mem_efficient_sdp_enabled
from ..attention_kernels import sdp_kernel as sdp_kernel
from ..errors import OutOfMemoryError
from ..settings import is_built as is_built
from ..settings import matmul as matmul
from .devices import (
    can_device_access_peer,
    current_device,
    device,
    device_count,
    device_of,
    get_device_capability,
    get_device_name,
    get_device_properties,
    init,
    is_available,
    is_bf16_supported,
    is_initialized,
    set_device,
    synchronize,
)
from .memory import (
    empty_cache,
    max_memory_allocated,
    mem_get_info,
    memory_allocated,
    memory_reserved,
    memory_stats,
    reset_max_memory_allocated,
    reset_peak_memory_stats,
)
from .random import generator as generator
from .random import (
    get_rng_state,
    get_rng_state_all,
    initial_seed,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    set_rng_state,
    set_rng_state_all,
)
from .streams import Event, Stream, StreamContext, current_stream, default_stream, set_stream, stream

__all__ = [
    "Event", "OutOfMemoryError", "Stream", "StreamContext", "can_device_access_peer", "current_device",
    "current_stream", "default_stream", "device", "device_count", "device_of", "empty_cache", "get_device_capability",
    "get_device_name", "get_device_properties", "get_rng_state", "get_rng_state_all", "init", "initial_seed",
    "is_available", "is_bf16_supported", "is_initialized", "manual_seed", "manual_seed_all", "max_memory_allocated",
    "mem_get_info", "memory_allocated", "memory_reserved", "memory_stats", "reset_max_memory_allocated",
    "reset_peak_memory_stats", "seed", "seed_all", "set_device", "set_rng_state", "set_rng_state_all", "set_stream",
    "stream", "synchronize",
]  # fmt: skip
