"""Mixed precision: ``autocast``, and what a `Function` of one's own says about it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial, wraps
from threading import get_ident, local
from typing import Any

from ...autograd import Tensor
from ...backends import cuda, dtypes
from ..warn import users_line

__all__ = [
    "autocast", "autocast_decrement_nesting", "autocast_increment_nesting", "clear_autocast_cache", "custom_bwd",
    "custom_fwd", "get_autocast_cpu_dtype", "get_autocast_dtype", "get_autocast_gpu_dtype", "is_autocast_available",
    "is_autocast_cache_enabled", "is_autocast_cpu_enabled", "is_autocast_enabled", "set_autocast_cache_enabled",
    "set_autocast_dtype", "set_autocast_enabled",
]  # fmt: skip

DEVICES = ("cpu", "cuda")


class _Mode(local):
    """The settings of a thread."""

    def __init__(self) -> None:
        self.types = {"cpu": dtypes.of("bfloat16"), "cuda": dtypes.of("float16")}
        self.on: set[str] = set()
        self.begun = False  # whether the operations know
        self.caching = True
        self.depth = 0
        self.cache: dict[Any, Any] = {}

    def apply(self) -> None:
        """Let the operations know."""
        if not (self.on or self.begun):
            return
        from .casting import ACTIVE, State, begin, end

        if self.on:
            ACTIVE[get_ident()] = State({d: self.types[d] for d in self.on}, self.cache, self.caching)
        else:
            ACTIVE.pop(get_ident(), None)
        if self.on and not self.begun:
            begin()
        elif self.begun and not self.on:
            end()
        self.begun = bool(self.on)


_mode = _Mode()


def _known(device_type: Any) -> str:
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if device_type not in DEVICES:
        raise RuntimeError(
            f"User specified an unsupported autocast device_type '{device_type}'; expected one of cpu, cuda"
        )
    return device_type


def is_autocast_available(device_type: str) -> bool:
    """Whether ``autocast`` knows this kind of device."""
    return device_type in DEVICES


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether autocast is on in this thread, for CUDA where no kind of device is given."""
    return ("cuda" if device_type is None else _known(device_type)) in _mode.on


def is_autocast_cpu_enabled() -> bool:
    """Whether autocast is on for the CPU in this thread."""
    return "cpu" in _mode.on


def set_autocast_enabled(device_type: str, enabled: bool) -> None:
    """Switch autocast in this thread; ``autocast`` does it for a block."""
    (_mode.on.add if enabled else _mode.on.discard)(_known(device_type))
    _mode.apply()


def get_autocast_dtype(device_type: str) -> Any:
    """The lower type of autocast on a kind of device."""
    return _mode.types[_known(device_type)]


def get_autocast_cpu_dtype() -> Any:
    """The lower type of autocast on the CPU."""
    return _mode.types["cpu"]


def get_autocast_gpu_dtype() -> Any:
    """The lower type of autocast on CUDA."""
    return _mode.types["cuda"]


def set_autocast_dtype(device_type: str, dtype: Any) -> None:
    """Choose the lower type of autocast on a kind of device."""
    _mode.types[_known(device_type)] = dtypes.of(dtype)
    _mode.apply()


def is_autocast_cache_enabled() -> bool:
    """Whether parameters are kept in the lower type while autocast lasts."""
    return _mode.caching


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Choose whether parameters are kept in the lower type while autocast lasts."""
    _mode.caching = enabled
    _mode.apply()


def clear_autocast_cache() -> None:
    """Forget the parameters in the lower type."""
    _mode.cache.clear()


def autocast_increment_nesting() -> int:
    """One more block of autocast; returns how many there are."""
    _mode.depth += 1
    return _mode.depth


def autocast_decrement_nesting() -> int:
    """One block of autocast less; returns how many are left."""
    _mode.depth -= 1
    return _mode.depth


class autocast:  # noqa: N801 - PyTorch's name
    """A block, or a function, in which products run in a lower type and losses in float32, as PyTorch's lists say.

    Tensors of float64 are left alone. Parameters in the lower type are kept until the outermost block ends.

    Args:
        device_type: ``"cpu"`` or ``"cuda"``.
        dtype: bfloat16 or float16; on the CPU bfloat16, on CUDA float16 where None.
        enabled: False switches autocast off within another block.
        cache_enabled: whether to keep parameters in the lower type.

    Raises:
        ValueError: ``device_type`` is no text. RuntimeError: an unknown kind of device.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        self.device = _known(device_type)
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtypes.of(dtype)
        self._cache_enabled = _mode.caching if cache_enabled is None else cache_enabled
        if enabled and device_type == "cuda" and not cuda.is_available():
            warnings.warn("CUDA is not available. Disabling autocast.", UserWarning, stacklevel=users_line())
            enabled = False
        elif enabled and self.fast_dtype.name not in ("bfloat16", "float16"):
            warnings.warn(
                f"In {device_type.upper()} autocast, but the target dtype is not supported. Disabling autocast.\n"
                f"{device_type.upper()} Autocast only supports dtypes of bfloat16, float16 currently.",
                UserWarning,
                stacklevel=users_line(),
            )
            enabled = False
        self._enabled = enabled

    def __enter__(self) -> autocast:
        self.prev_cache_enabled = _mode.caching
        self.prev = self.device in _mode.on
        self.prev_fastdtype = _mode.types[self.device]
        _mode.caching = self._cache_enabled
        _mode.types[self.device] = self.fast_dtype
        autocast_increment_nesting()
        set_autocast_enabled(self.device, self._enabled)
        return self

    def __exit__(self, *exc: object) -> None:
        if autocast_decrement_nesting() == 0:
            clear_autocast_cache()
        _mode.caching = self.prev_cache_enabled
        _mode.types[self.device] = self.prev_fastdtype
        set_autocast_enabled(self.device, self.prev)

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(func):
            raise TypeError(
                f"autocast()(func) requires a callable, but got {type(func).__name__}. Did you mean to use autocast as "
                "a context manager?"
            )

        @wraps(func)
        def run(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return run


def _cast(value: Any, device_type: str, dtype: Any) -> Any:
    if isinstance(value, Tensor):
        fit = value.is_floating_point() and value.device.type == device_type and value.dtype is not dtypes.of("float64")
        return value.to(dtype) if fit else value
    if isinstance(value, Mapping):
        return {k: _cast(v, device_type, dtype) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(v, device_type, dtype) for v in value)
    return value


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str, cast_inputs: Any = None
) -> Callable[..., Any]:
    """Decorate the ``forward`` of a `Function`: say what happens to it under autocast.

    Args:
        fwd: the method.
        device_type: ``"cpu"`` or ``"cuda"``.
        cast_inputs: under autocast, cast floating tensors to this type and run without autocast.
    """
    _known(device_type)
    if fwd is None:
        return partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @wraps(fwd)
    def run(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        ctx._dtype = get_autocast_dtype(device_type)
        on = is_autocast_enabled(device_type)
        ctx._fwd_used_autocast = on and cast_inputs is None
        if cast_inputs is None or not on:
            return fwd(ctx, *args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(ctx, *_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return run


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Callable[..., Any]:
    """Decorate the ``backward`` of a `Function`: run it under autocast where its ``forward`` was."""
    _known(device_type)
    if bwd is None:
        return partial(custom_bwd, device_type=device_type)

    @wraps(bwd)
    def run(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, enabled=ctx._fwd_used_autocast, dtype=ctx._dtype):
            return bwd(ctx, *args, **kwargs)

    return run
