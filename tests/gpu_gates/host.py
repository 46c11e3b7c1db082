"""Compile the kernels for the host with g++ and run them there: the same text, the same launches."""

import ctypes
import functools
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tapegrad.backends.cupy_kernels.declare import DECLARED, PREAMBLE, Blocks, Elementwise, source_for

HERE = Path(__file__).parent
FLAGS = ("-std=c++20", "-O1", "-g1", "-pthread", f"-I{HERE}", "-Wno-unused", "-Werror=uninitialized")
UNDEFINED = ("-fsanitize=undefined",)
# what a kernel's parameters may be
KINDS = {"bool": np.bool_, "int": np.int32, "long long": np.int64, "unsigned long long": np.uint64}
TYPES = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
INTEGER = "integer"


def why_not():
    """Why nothing can be compiled for the host, or None."""
    if sys.platform != "linux":
        return "the host's stand-in for CUDA needs Linux"
    return None if shutil.which("g++") else "there is no g++ to compile the kernels for the host with"


@functools.cache
def folder():
    """Where this process compiles to; removed when it ends."""
    made = tempfile.TemporaryDirectory(prefix="gpu-gates-")
    folder.keep = made
    return Path(made.name)


def build(text, name, *flags):
    """Compile C++ text into a file and return its path."""
    target = folder() / name
    source = target.with_suffix(".cpp")
    source.write_text(text, encoding="utf-8")
    done = subprocess.run(["g++", *FLAGS, *flags, "-o", target, source], capture_output=True, text=True)
    if done.returncode:
        raise SyntaxError(f"{name} does not compile for the host:\n{done.stderr[:4000]}")
    return target


def stand_in_for(dtype):
    """The type that the host computes in: g++ knows no 16-bit floats, and one type of integers is enough."""
    dtype = np.dtype(dtype)
    return np.dtype(np.int64) if dtype.kind in "iu" else dtype if dtype in TYPES else np.dtype(np.float32)


# Element-wise kernels


def parameters(declared):
    """The parameters of an element-wise kernel: pairs of C++ type and name, and how many of them are inputs."""
    split = [[p.split() for p in part.split(",")] for part in (declared.inputs, declared.outputs)]
    return [tuple(p) for part in split for p in part], len(split[0])


def loop(declared, kind):
    """A C++ function that runs an element-wise kernel over arrays of one length."""
    found, inputs = parameters(declared)
    element = "long long" if kind == INTEGER else kind
    takes = ", ".join(f"{'const ' if k < inputs else ''}{t}* all_{n}" for k, (t, n) in enumerate(found))
    reads = " ".join(f"const {t} {n} = all_{n}[i];" for t, n in found[:inputs])
    writes = " ".join(f"{t}& {n} = all_{n}[i];" for t, n in found[inputs:])
    return f"""namespace {declared.name}_{kind} {{
typedef {element} T;{PREAMBLE}
extern "C" void {declared.name}_{kind}_loop({takes}, long long n) {{
  for (long long i = 0; i < n; ++i) {{ {reads} {writes} {declared.body}; }}
}}
}}
"""


def elementwise_library(kernels, name="elementwise.so"):
    """A library with element-wise kernels for both types, compiled with UBSan."""
    text = '#include "cuda_host.hpp"\n'
    for kernel in kernels:
        # a body that names no type to compute in serves integers too
        kinds = [*TYPES.values()] + ([] if re.search(r"\bA\b", kernel.body) else [INTEGER])
        text += "".join(loop(kernel, kind) for kind in kinds)
    return ctypes.CDLL(str(build(text, name, "-shared", "-fPIC", *UNDEFINED)))


def run_elementwise(library, declared, arguments):
    """The outputs of an element-wise kernel for NumPy arrays and numbers, broadcast as CuPy does."""
    found, inputs = parameters(declared)
    given = list(arguments[:inputs])
    floats = [x.dtype for x, (t, _) in zip(given, found) if t == "T" and isinstance(x, np.ndarray)]
    assert len(set(floats)) == 1, f"{declared.name}: CuPy wants one type for T, got {floats}"
    wanted = floats[0]
    dtype = stand_in_for(wanted)
    given = [np.asarray(x, dtype if t == "T" else KINDS[t]) for x, (t, _) in zip(given, found)]
    shape = np.broadcast_shapes(*[x.shape for x in given])
    flat = [np.ascontiguousarray(np.broadcast_to(x, shape)) for x in given]
    results = [np.empty(shape, dtype if t == "T" else KINDS[t]) for t, _ in found[inputs:]]
    function = getattr(library, f"{declared.name}_{INTEGER if dtype == np.int64 else TYPES[dtype]}_loop")
    pointers = [ctypes.c_void_p(x.ctypes.data) for x in (*flat, *results)]
    function(*pointers, ctypes.c_longlong(int(np.prod(shape))))
    return [x.astype(wanted) if t == "T" else x for x, (t, _) in zip(results, found[inputs:])]


# Block kernels


def signatures(family):
    """The parameters of every kernel of a family: ``{kernel: [(C++ type, is a pointer), ...]}``."""
    found = {}
    for name, inside in re.findall(r"__global__ void (\w+)\(([^)]*)\)", family.source):
        words = [re.sub(r"\bconst\b|\s+", " ", p).strip() for p in inside.split(",")]
        kinds = [re.fullmatch(r"([\w ]+?)\s*(\*?)\s*\w+", w).groups() for w in words]
        found[name] = [(kind.strip(), star == "*") for kind, star in kinds]
    assert set(found) == set(family.kernels), f"{family.name} declares {family.kernels}, its text has {set(found)}"
    return found


def family_text(family, dtype):
    """C++ with ``NAME_TYPE_run(grid x, grid y, block x, block y, arguments)`` for each kernel of a family."""
    kind = TYPES[np.dtype(dtype)]
    body = source_for(family, dtype).replace('extern "C" __global__', "static")
    runs = ""
    for name, found in signatures(family).items():
        values = ", ".join(f"*({t}{'*' if star else ''}*)a[{k}]" for k, (t, star) in enumerate(found))
        runs += (
            f'extern "C" bool {name}_{kind}_run(unsigned gx, unsigned gy, unsigned bx, unsigned by, void** a) {{\n'
            f"  return host::launch({{gx, gy}}, {{bx, by}}, [=] {{ {name}({values}); }});\n}}\n"
        )
    return f"namespace {family.name}_{kind} {{\n{body}{runs}}}\n"


def families():
    return list(dict.fromkeys(d for d in DECLARED.values() if isinstance(d, Blocks)))


def block_text(kernels):
    return '#include "cuda_host.hpp"\n' + "".join(family_text(f, dtype) for f in kernels for dtype in TYPES)


def block_library(kernels, name="blocks.so"):
    """A library with families of block kernels for both types, compiled with UBSan."""
    return ctypes.CDLL(str(build(block_text(kernels), name, "-shared", "-fPIC", *UNDEFINED)))


def checked(family, name, dtype, arguments):
    """The values of a block kernel's arguments as they lie in memory; a wrong type, which a card would misread, raises.

    Arrays are given as NumPy arrays, None is a null pointer.
    """
    wide = np.float64 if dtype == np.float64 else np.float32
    kinds = {**KINDS, "T": np.dtype(dtype).type, "A": wide}
    found = signatures(family)[name]
    assert len(found) == len(arguments), f"{name} takes {len(found)} arguments, got {len(arguments)}"
    values = []
    for (kind, star), x in zip(found, arguments):
        if star:
            assert x is None or isinstance(x, np.ndarray), f"{name}: {type(x).__name__} for {kind}*"
            fits = x is None or (x.dtype == kinds[kind] and x.flags.c_contiguous)
            assert fits, f"{name}: {x.dtype} for {kind}*"
            values.append(np.array(0 if x is None else x.ctypes.data, np.uint64))
        else:
            fits = isinstance(x, np.generic) and x.dtype == kinds[kind]
            assert fits, f"{name}: {x!r} for {kind}"
            values.append(np.array(x))
    return values


def run_block(library, family, name, dtype, grid, block, arguments):
    """Launch a block kernel on the host."""
    values = checked(family, name, dtype, arguments)
    grid, block = (*grid, 1)[:2], (*block, 1)[:2]
    assert block[0] * block[1] <= 1024, block
    assert grid[1] <= 65535, grid
    pointers = (ctypes.c_void_p * len(values))(*[v.ctypes.data for v in values])
    function = getattr(library, f"{name}_{TYPES[np.dtype(dtype)]}_run")
    function.restype = ctypes.c_bool
    assert function(*map(ctypes.c_uint, (*grid, *block)), pointers), f"{name}: not every thread reaches each barrier"


class HostBuilder:
    """Builds the kernels for the host; takes the place of CupyBuilder.

    Args:
        inside: gives the NumPy array within an array of the stand-in (anything else as it is).
        around: makes an array of the stand-in of a NumPy array.
    """

    def __init__(self, inside, around):
        self.inside, self.around = inside, around
        self.launches = []  # what was launched: (family, kernel, type, grid, block, arguments)

    @functools.cached_property
    def loops(self):
        return elementwise_library([d for d in DECLARED.values() if isinstance(d, Elementwise)])

    @functools.cached_property
    def blocks(self):
        return block_library(families())

    def elementwise(self, kernel):
        inputs = parameters(kernel)[1]

        def call(*arguments):
            given, outs = arguments[:inputs], arguments[inputs:]
            assert all(isinstance(x, (int, float, np.generic)) or self.inside(x) is not x for x in given), (
                f"{kernel.name}: CuPy takes its own arrays and numbers, got {[type(x).__name__ for x in given]}"
            )
            results = run_elementwise(self.loops, kernel, [self.inside(x) for x in given])
            for out, result in zip(outs, results):
                assert (out.shape, out.dtype) == (result.shape, result.dtype), f"{kernel.name}: unfit output"
                self.inside(out)[...] = result
            return outs[0] if outs else self.around(results[0])

        return call

    def block(self, family, name, dtype):
        def call(grid, block, arguments):
            plain = [self.inside(x) for x in arguments]
            wide = stand_in_for(dtype)
            if wide != dtype:
                assert name not in ("sgd", "rmsprop", "adam"), "the table of addresses is of 16-bit numbers"
                copies = [x.astype(wide) if isinstance(x, np.ndarray) and x.dtype == dtype else x for x in plain]
                run_block(self.blocks, family, name, wide, grid, block, copies)
                for x, copied in zip(plain, copies):
                    if copied is not x:
                        x[...] = copied
                return
            self.launches.append((family, name, dtype, grid, block, plain))
            run_block(self.blocks, family, name, dtype, grid, block, plain)

        return call
