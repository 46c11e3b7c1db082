"""``torch.jit``: accepted as PyTorch has it; functions and modules run as they stand, compiled and recorded nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from .module import Module

__all__ = [
    "Attribute", "Final", "ScriptModule", "annotate", "export", "freeze", "ignore", "interface", "is_scripting",
    "is_tracing", "onednn_fusion_enabled", "optimize_for_inference", "script", "script_if_tracing", "script_method",
    "set_fusion_strategy", "trace", "trace_module", "unused",
]  # fmt: skip

T = TypeVar("T")


def _called(name: str, obj: Any) -> Any:
    if not callable(obj):
        raise TypeError(f"jit.{name}: needs a function, a class or a module, got {type(obj).__name__}")
    return obj


def script(
    obj: Any, optimize: Any = None, _frames_up: int = 0, _rcb: Any = None, example_inputs: Any = None,
) -> Any:  # fmt: skip
    """The function, class or module itself.

    Raises:
        TypeError: ``obj`` cannot be called.
    """
    return _called("script", obj)


def trace(
    func: Any, example_inputs: Any = None, optimize: Any = None, check_trace: bool = True, check_inputs: Any = None,
    check_tolerance: float = 1e-5, strict: bool = True, _force_outplace: bool = False, _module_class: Any = None,
    _compilation_unit: Any = None, example_kwarg_inputs: Any = None, _store_inputs: bool = True,
) -> Any:  # fmt: skip
    """The function or module itself: its Python branches stay alive, and it is not run with the examples.

    Raises:
        TypeError: ``func`` cannot be called.
    """
    return _called("trace", func)


def trace_module(mod: Module, inputs: Any, *args: Any, **kwargs: Any) -> Module:
    """The module itself."""
    return mod


def freeze(mod: Module, preserved_attrs: Any = None, optimize_numerics: bool = True) -> Module:
    """The module itself.

    Raises:
        RuntimeError: it is in training mode.
    """
    if mod.training:
        raise RuntimeError("jit.freeze: call .eval() on the module first")
    return mod


def optimize_for_inference(mod: Module, other_methods: Any = None) -> Module:
    """The module itself."""
    return mod


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """A decorator, with or without arguments, that changes nothing."""
    return drop if callable(drop) else lambda fn: fn


def unused(fn: T) -> T:
    """The function itself."""
    return fn


export = script_method = script_if_tracing = interface = unused


def annotate(the_type: Any, the_value: T) -> T:
    """The value."""
    return the_value


def Attribute(value: T, type: Any) -> T:
    """The value."""
    return value


def is_scripting() -> bool:
    """False: the code runs in Python."""
    return False


is_tracing: Callable[[], bool] = is_scripting
onednn_fusion_enabled: Callable[[], bool] = is_scripting


def set_fusion_strategy(strategy: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Accepted; there is no compiler that would fuse."""
    return strategy


class ScriptModule(Module):
    """A module; its methods run as they stand."""
