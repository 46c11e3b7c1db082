"""Compile the kernels for a card that is not there: NVRTC needs no driver and no GPU.

The text of an element-wise kernel is the one that CuPy itself would hand to NVRTC, by private functions of the release
that pyproject.toml names (`gpu-gates`).
"""

import functools
import re
from importlib.util import find_spec

import numpy as np

from tapegrad.backends.cupy_kernels.declare import DECLARED, PREAMBLE, Elementwise, source_for

PINNED = "14.2.0"
# what calls a float64 unit, or converts to or from float64; loads and moves of a parameter do not count
FLOAT64 = re.compile(r"^\s*(?:@\S+\s+)?(?:\w+\.)+f64\b.*$|^\s*(?:@\S+\s+)?\w+(?:\.\w+)*\.f64\.\w+.*$", re.MULTILINE)


@functools.cache
def why_not():
    """Why nothing can be compiled here, or None."""
    if find_spec("cupy") is None:
        return f"cupy is not installed: pip install '.[gpu-gates]' brings CuPy {PINNED} with NVRTC"
    try:
        import cupy
        from cupy.cuda import nvrtc

        nvrtc.getVersion()
    except (ImportError, RuntimeError) as error:
        return f"NVRTC cannot be loaded: {str(error).splitlines()[0]}"
    if cupy.__version__ != PINNED:
        return f"CuPy {cupy.__version__} is installed; these tests use private functions of {PINNED}"
    return None


def options(target):
    """The options with which CuPy compiles, for ``sm_90`` (machine code) or ``compute_90`` (PTX)."""
    from cupy._core import core

    return (
        *core.assemble_cupy_compiler_options(()),
        "-ftz=true",
        f"-arch={target}",
        "--device-as-default-execution-space",
    )


def compile_text(text, target):
    """The machine code or the PTX of CUDA C++; a text that does not compile raises with NVRTC's words."""
    from cupy.cuda import compiler

    method = "cubin" if target.startswith("sm_") else "ptx"
    made, _ = compiler._NVRTCProgram(text, "kernel.cu", method=method).compile(options(target))
    return made if method == "cubin" else made.decode() if isinstance(made, bytes) else made


def elementwise_text(kernel, dtype, strided=False):
    """What CuPy makes of an element-wise kernel whose type T is ``dtype``; ``strided``: of arrays with gaps, in 2-d."""
    import cupy
    from cupy._core import _carray, _kernel, core

    made = cupy.ElementwiseKernel(kernel.inputs, kernel.outputs, kernel.body, "gate_" + kernel.name, preamble=PREAMBLE)
    kinds = [
        np.dtype(bool if p.split()[0] == "bool" else dtype) for p in f"{kernel.inputs}, {kernel.outputs}".split(", ")
    ]
    types = made._decide_params_type(tuple(kinds[: made.nin]), tuple(kinds[made.nin :]))[2]
    ndim = 2 if strided else 1
    infos = [_kernel._ArgInfo(1, cupy.ndarray, kind, ndim, not strided, True) for kind in kinds]
    infos.append(_kernel._ArgInfo(2, _carray.Indexer, None, ndim, True, True))
    text = _kernel._get_elementwise_kernel_code(
        tuple(infos), types, made.params, made.operation, made.name, made.preamble, **made.kwargs
    )
    return "".join(f"#include <{header}>\n" for header in core._cupy_header_list) + text


def texts(dtype, strided=False):
    """The texts of all declared kernels for one type, by name; a family of block kernels is one text."""
    found = {}
    for name, declared in DECLARED.items():
        if isinstance(declared, Elementwise):
            found[name] = elementwise_text(declared, dtype, strided)
        elif not strided:
            found[declared.name] = source_for(declared, dtype)
    return found


def float64_instructions(ptx):
    """The instructions of a PTX text that compute in float64, or convert to or from it."""
    return [line.strip() for line in ptx.splitlines() if re.search(r"\.f64\b", line) and not _moves(line)]


def _moves(line):
    return re.match(r"\s*(?:\.reg|\.param|\.func|ld\.param|st\.param)\b", line) is not None
