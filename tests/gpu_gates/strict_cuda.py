"""What the stand-in for cupy has under `cuda`: cards, their memory, and cuBLAS, on the host."""

import ctypes
from types import SimpleNamespace

import numpy as np

from .strict_copies import HOST, STREAM, pointer_attributes


class Counts:
    """What a program does that makes it wait, or copies between host and card."""

    def __init__(self):
        self.waits = self.to_card = self.to_host = 0


COUNTS = Counts()


class OutOfMemoryError(MemoryError):
    """CuPy's error, with its words."""

    def __init__(self, size, total):
        super().__init__(f"Out of memory allocating {size:,} bytes (allocated so far: {total:,} bytes).")


class Runtime:
    """The CUDA runtime of a machine with ``count`` cards."""

    def __init__(self):
        self.card, self.count = 0, 1

    def getDeviceCount(self):
        return self.count

    def getDevice(self):
        return self.card

    def setDevice(self, index):
        assert 0 <= index < self.count
        self.card = index

    def deviceSynchronize(self):
        COUNTS.waits += 1
        STREAM.flush()

    memoryTypeHost = HOST
    pointerGetAttributes = staticmethod(pointer_attributes)

    def memGetInfo(self):
        return 2**30, 80 * 2**30

    def runtimeGetVersion(self):
        return 13000

    driverGetVersion = runtimeGetVersion

    def getDeviceProperties(self, index):
        return {"name": b"stand-in", "totalGlobalMem": 80 * 2**30, "major": 9, "minor": 0}


class Device:
    """A context in which a card is current."""

    def __init__(self, index):
        self.index = index

    def __enter__(self):
        self._before, RUNTIME.card = RUNTIME.card, self.index

    def __exit__(self, *error):
        RUNTIME.card = self._before


class Pool:
    """A memory pool on each card."""

    def __init__(self):
        self.used = {}

    def used_bytes(self):
        return self.used.get(RUNTIME.card, 0)

    def free_bytes(self):
        return 2**28

    def total_bytes(self):
        return self.used_bytes() + self.free_bytes()


RUNTIME, MEMORY, POOL = Runtime(), SimpleNamespace(limit=None), Pool()
ELEMENTS = {0: np.float32, 1: np.float64, 2: np.float16}  # of cudaDataType
COMPUTE = {68: (np.float32, (0, 2, 14)), 70: (np.float64, (1,)), 77: (np.float32, (0,))}  # of cublasComputeType_t


def _number(address, kind):
    """A number in host memory."""
    return np.frombuffer((ctypes.c_char * np.dtype(kind).itemsize).from_address(address), kind)[0]


class Cublas:
    """cuBLAS's strided batches of products, on host memory."""

    def __init__(self):
        self.calls = []

    def gemmStridedBatchedEx(
        self, handle, form_a, form_b, m, n, k, alpha, a, type_a, lda, step_a, b, type_b, ldb, step_b, beta, c, type_c,
        ldc, step_c, count, compute, algorithm,
    ):  # fmt: skip
        self.calls.append((form_a, form_b, m, n, k, lda, step_a, ldb, step_b, ldc, step_c, count, compute))
        wide, fits = COMPUTE[compute]
        assert {type_a, type_b, type_c} <= {type_a} & set(fits), "cuBLAS has no such combination of types"
        assert [_number(alpha, wide), _number(beta, wide)] == [1, 0]
        assert min(m, n, k, count) > 0
        assert max(m, n, k, lda, ldb, ldc, count) < 2**31
        left = self._operand(a, ELEMENTS[type_a], form_a, m, k, lda, step_a, count)
        right = self._operand(b, ELEMENTS[type_b], form_b, k, n, ldb, step_b, count)
        out = self._operand(c, ELEMENTS[type_c], 0, m, n, ldc, step_c, count)
        out[...] = left.astype(wide) @ right.astype(wide)

    def _operand(self, address, kind, form, rows, cols, lead, step, count):
        """A batch of matrices, stored column by column; ``form`` 1: of their transposes."""
        tall, wide = (rows, cols) if form == 0 else (cols, rows)
        assert lead >= max(1, tall), f"leading dimension {lead} of a matrix with {tall} rows"
        size = np.dtype(kind).itemsize
        length = (count - 1) * step + (wide - 1) * lead + tall
        memory = np.frombuffer((ctypes.c_char * (length * size)).from_address(address), kind)
        found = np.lib.stride_tricks.as_strided(
            memory, (count, tall, wide), (step * size, size, lead * size), writeable=True
        )
        return found if form == 0 else found.transpose(0, 2, 1)


CUBLAS = Cublas()
