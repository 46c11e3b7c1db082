"""What the stand-in for cupy has under `cuda`: cards, their memory, and cuBLAS, on the host."""

import ctypes
from types import SimpleNamespace

import ml_dtypes
import numpy as np

from . import strict_copies as copies
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
        return {
            "name": b"stand-in", "totalGlobalMem": 80 * 2**30, "major": 9, "minor": 0, "multiProcessorCount": 132,
        }  # fmt: skip

    def deviceCanAccessPeer(self, index, peer):
        return int(peer == index + 1)

    def free(self, pointer):
        pass


class Device:
    """A card; as a context it is the current one."""

    def __init__(self, index):
        self.index = index

    def use(self):
        RUNTIME.setDevice(self.index)

    def __enter__(self):
        self._before, RUNTIME.card = RUNTIME.card, self.index

    def __exit__(self, *error):
        RUNTIME.card = self._before


class Stream(copies.Stream):
    """One of CuPy's streams, of the card that was current when it was made."""

    count = 1

    def __init__(self, null=False, non_blocking=False, ptds=False, *, priority=None):
        Stream.count += 1
        super().__init__(Stream.count)
        self.card, self.priority = RUNTIME.card, priority
        assert non_blocking, "a stream that waits for the default stream"

    def use(self):
        assert self.card == RUNTIME.card, "This stream was not created on the current device"
        CHOSEN[RUNTIME.card] = self

    def __enter__(self):
        self.before = current_stream()
        self.use()

    def __exit__(self, *error):
        assert self.card == RUNTIME.card
        CHOSEN[RUNTIME.card] = self.before


Stream.null = STREAM
CHOSEN = {}  # card -> its current stream


def current_stream(device_id=-1):
    return CHOSEN.get(RUNTIME.card if device_id < 0 else device_id, STREAM)


class Event:
    """One of CuPy's events."""

    clock = 0

    def __init__(self, block=False, disable_timing=False, interprocess=False):
        self.timed, self.at, self.mark = not disable_timing, None, None

    def record(self, stream=None):
        Event.clock += 1
        self.at, self.mark = Event.clock, (stream or current_stream()).record()

    @property
    def done(self):
        return self.mark is None or self.mark.done

    def synchronize(self):
        if self.mark is not None:
            self.mark.synchronize()


def elapsed_time(start, end):
    assert start.timed, "an event without timing"
    assert end.timed, "an event without timing"
    return float(end.at - start.at)


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

    def free_all_blocks(self):
        self.emptied = True


RUNTIME, MEMORY, POOL = Runtime(), SimpleNamespace(limit=None), Pool()
ELEMENTS = {0: np.float32, 1: np.float64, 2: np.float16, 14: ml_dtypes.bfloat16}  # of cudaDataType
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
