"""Declarations of CUDA kernels: text in one table, compiled on the card where and when it is first used.

A declaration needs neither CuPy nor a GPU, so that a machine without one can still compile every kernel, run it on the
host and look at its instructions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

__all__ = ["DECLARED", "FLOATS", "PREAMBLE", "Blocks", "CupyBuilder", "Elementwise", "Kernels", "blocks", "elementwise",
           "source_for"]  # fmt: skip

# element type -> its C++ name, the type to compute in, and what has to be included
FLOATS = {
    np.dtype(np.float32): ("float", "float", ""),
    np.dtype(np.float64): ("double", "double", ""),
    np.dtype(np.float16): ("__half", "float", "#include <cuda_fp16.h>\n"),
    np.dtype(ml_dtypes.bfloat16): ("__nv_bfloat16", "float", "#include <cuda_bf16.h>\n"),
}

# In an element-wise kernel, T is the element type and A the type to compute in.
PREAMBLE = """
template<class S> struct Wide { typedef float type; };
template<> struct Wide<double> { typedef double type; };
typedef Wide<T>::type A;
"""


@dataclass(frozen=True)
class Elementwise:
    """The same statements for every element.

    Attributes:
        name: of the kernel.
        inputs: as CuPy writes them: ``"T x, T slope"``; arrays are broadcast, numbers go along as arguments.
        outputs: likewise.
        body: C++ statements that read the inputs and set the outputs.
    """

    name: str
    inputs: str
    outputs: str
    body: str


@dataclass(frozen=True)
class Blocks:
    """Kernels whose threads work together in blocks.

    Attributes:
        name: of the family.
        source: CUDA C++ for one element type ``T``, computing in ``A``.
        kernels: the names of its ``__global__`` functions.
    """

    name: str
    source: str
    kernels: tuple[str, ...]


# kernel name -> what declares it
DECLARED: dict[str, Elementwise | Blocks] = {}


def _declare(name: str, made: Elementwise | Blocks) -> None:
    if name in DECLARED:
        raise ValueError(f"two kernels are called '{name}'")
    DECLARED[name] = made


def elementwise(name: str, inputs: str, outputs: str, body: str) -> Elementwise:
    """Declare an element-wise kernel; the arguments are those of :class:`Elementwise`."""
    made = Elementwise(name, inputs, outputs, body)
    _declare(name, made)
    return made


def blocks(name: str, source: str, *kernels: str) -> Blocks:
    """Declare a family of block kernels; the arguments are those of :class:`Blocks`."""
    made = Blocks(name, source, kernels)
    for kernel in kernels:
        _declare(kernel, made)
    return made


def source_for(family: Blocks, dtype: Any) -> str:
    """The CUDA C++ text of a family for one element type."""
    element, wide, include = FLOATS[np.dtype(dtype)]
    return f"{include}typedef {element} T;\ntypedef {wide} A;\n{family.source}"


class Kernels:
    """The declared kernels as callables, each built when it is first asked for.

    ``kernels.relu(x)`` runs an element-wise kernel; ``kernels.softmax_rows(dtype)`` gives a block kernel, to be called
    with the grid, the block and the arguments.
    """

    def __init__(self, builder: Any) -> None:
        self._builder = builder

    def __getattr__(self, name: str) -> Any:
        declared = DECLARED.get(name)
        if declared is None:
            raise AttributeError(f"no kernel is called '{name}'")
        made: Any
        if isinstance(declared, Elementwise):
            made = self._builder.elementwise(declared)
        else:
            made = _PerType(self._builder, declared, name).__getitem__
        setattr(self, name, made)
        return made


class _PerType(dict[Any, Callable[..., Any]]):
    """A block kernel by element type."""

    def __init__(self, builder: Any, family: Blocks, name: str) -> None:
        self._make = lambda dtype: builder.block(family, name, dtype)

    def __missing__(self, dtype: Any) -> Callable[..., Any]:
        made = self[dtype] = self._make(dtype)
        return made


class CupyBuilder:
    """Builds kernels with CuPy, which compiles them at their first call on each card and caches them on disk."""

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._modules: dict[Any, Any] = {}

    def elementwise(self, kernel: Elementwise) -> Any:
        """The callable of an element-wise kernel."""
        return self._cupy.ElementwiseKernel(
            kernel.inputs, kernel.outputs, kernel.body, "tapegrad_" + kernel.name, preamble=PREAMBLE
        )

    def block(self, family: Blocks, name: str, dtype: Any) -> Any:
        """The callable of one block kernel for one element type."""
        module = self._modules.get((family.name, dtype))
        if module is None:
            module = self._cupy.RawModule(code=source_for(family, dtype))
            self._modules[family.name, dtype] = module
        return module.get_function(name)
