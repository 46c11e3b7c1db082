"""TensorBoard's event files, written without TensorBoard.

A file is a row of records ``length (u64), crc(length), bytes, crc(bytes)`` (TFRecord), each holding one message
``Event`` in Protocol Buffers' encoding: 1 wall_time (double), 2 step (varint), 3 file_version (string), 5 summary; a
summary repeats 1 value; a value has 1 tag (string) and 2 simple_value (float).
"""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import IO, Any

from .base import Callback, Logs

__all__ = ["EventFile", "TensorBoard"]


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """The CRC-32 of Castagnoli.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(n: int) -> bytes:
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes([*out, n])


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes, a string or a message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


class EventFile:
    """One file of scalars.

    Args:
        folder: made where it is missing.
    """

    _count = 0

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)
        EventFile._count += 1
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{EventFile._count}"
        self.path = os.path.join(folder, name)
        self._file: IO[bytes] = open(self.path, "wb")
        self._write(_field(3, b"brain.Event:2"))

    def _write(self, rest: bytes) -> None:
        event = b"\x09" + struct.pack("<d", time.time()) + rest
        length = struct.pack("<Q", len(event))
        self._file.write(length + _masked(length) + event + _masked(event))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Add a number."""
        entry = _field(1, tag.encode()) + b"\x15" + struct.pack("<f", value)
        self._write(b"\x10" + _varint(step) + _field(5, _field(1, entry)))

    def flush(self) -> None:
        """Make what was added readable."""
        self._file.flush()

    def close(self) -> None:
        """End the file."""
        self._file.close()


class TensorBoard(Callback):
    """Writes loss and metrics for TensorBoard: under ``train`` and ``validation``, with ``epoch_`` before the names.

    Args:
        log_dir: folder for the files.
        update_freq: "epoch"; "batch" or a number of batches also writes ``batch_`` numbers.
        histogram_freq: must be 0: histograms are not written.
        kwargs: ``write_graph``, ``write_images``, ``write_steps_per_second``, ``profile_batch``, ``embeddings_freq``
            and ``embeddings_metadata`` count for nothing here.

    Raises:
        ValueError: histograms are asked for. TypeError: another argument.
    """

    def __init__(
        self, log_dir: Any = "logs", histogram_freq: int = 0, update_freq: Any = "epoch", **kwargs: Any
    ) -> None:
        super().__init__()
        known = {"write_graph", "write_images", "write_steps_per_second", "profile_batch", "embeddings_freq",
                 "embeddings_metadata"}  # fmt: skip
        if set(kwargs) - known:
            raise TypeError(f"TensorBoard: unknown argument {sorted(set(kwargs) - known)[0]!r}")
        if histogram_freq:
            raise ValueError("TensorBoard: histograms are not written here; leave histogram_freq=0")
        self.log_dir = os.fspath(log_dir)
        self.every = 0 if update_freq == "epoch" else 1 if update_freq == "batch" else int(update_freq)
        self._files: dict[str, EventFile] = {}
        self._step = 0

    def _to(self, part: str) -> EventFile:
        if part not in self._files:
            self._files[part] = EventFile(os.path.join(self.log_dir, part))
        return self._files[part]

    def on_train_begin(self, logs: Logs = None) -> None:
        self._step = 0

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._step += 1
        if self.every and self._step % self.every == 0:
            for name, value in (logs or {}).items():
                self._to("train").scalar(f"batch_{name}", value, self._step - 1)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        for name, value in (logs or {}).items():
            held = name.startswith("val_")
            self._to("validation" if held else "train").scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)
        self._to("train").scalar("epoch_learning_rate", self.model.optimizer.learning_rate, epoch)
        for file in self._files.values():
            file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()
