"""The zip file that holds what is saved, laid out as PyTorch's: ``data.pkl``, and one entry for each memory.

Entries are not compressed, and the memories begin at multiples of 64 bytes, so that they can be mapped.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np

from .damage import broken

__all__ = ["ArchiveReader", "ArchiveWriter"]

ROOT, ALIGNMENT = "archive", 64
HEADER, ZIP64_EXTRA = (
    30,
    20,
)  # bytes: of a local header without name and extra field; of the extra field of large entries
CHUNK = 1 << 30
PADDING_TAG = 0x4246  # that of PyTorch's padding; readers skip fields that they do not know


class ArchiveWriter:
    """Writes the entries one after another.

    Args:
        file: to write to, opened in binary.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True)

    def add(self, name: str, data: Any) -> None:
        """Write an entry: bytes, or an array of uint8 without copying it."""
        entry = zipfile.ZipInfo(f"{ROOT}/{name}")
        data = memoryview(data)
        file: Any = self._zip.fp
        begins = file.tell() + HEADER + len(entry.filename) + 4
        if data.nbytes >= zipfile.ZIP64_LIMIT:
            begins += ZIP64_EXTRA
        gap = -begins % ALIGNMENT
        entry.extra = struct.pack("<HH", PADDING_TAG, gap) + bytes(gap)
        self._zip.writestr(entry, data)

    def __enter__(self) -> ArchiveWriter:
        return self

    def close(self) -> None:
        """Write the directory."""
        self._zip.close()

    def __exit__(self, kind: Any, *error: object) -> None:
        if kind is None:
            self.close()
        else:
            self._zip.fp = None  # or it would be written when the object goes, and fail again


class ArchiveReader:
    """Reads the entries, each checked against its checksum.

    Args:
        file: opened in binary, seekable.
        name: what errors call the file.

    Raises:
        RuntimeError: the file is damaged, or a zip file of something else.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.name = name
        with self._told():
            self._zip = zipfile.ZipFile(file)
        self._file = file
        first = next(iter(self._zip.namelist()), "")
        self._root = first.partition("/")[0]
        if f"{self._root}/data.pkl" not in self._zip.NameToInfo:
            code = f"{self._root}/constants.pkl" in self._zip.NameToInfo or "constants.pkl" in first
            hint = "; it is a TorchScript archive, which only PyTorch runs" if code else ""
            raise RuntimeError(f"load: {name} is a zip file, but has no entry data.pkl{hint}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (
            zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, UnicodeDecodeError, OSError,
            ValueError, RuntimeError,
        ) as error:  # fmt: skip
            raise broken(self.name, str(error) or type(error).__name__) from error

    def has(self, name: str) -> bool:
        """Whether there is such an entry."""
        return f"{self._root}/{name}" in self._zip.NameToInfo

    def read(self, name: str) -> bytes:
        """The bytes of an entry."""
        if not self.has(name):
            raise broken(self.name, f"it has no entry {name}")
        with self._told():
            return self._zip.read(f"{self._root}/{name}")

    def read_array(self, name: str, size: int) -> Any:
        """The bytes of an entry as an array of uint8 with memory of its own.

        Args:
            name: of the entry.
            size: how many bytes it must have.
        """
        begins = self._place(name, size)
        array = np.empty(size, np.uint8)
        with self._told():
            self._file.seek(begins)
            view, filled = memoryview(array.data), 0
            while filled < size:
                count = self._file.readinto(view[filled : filled + CHUNK])  # type: ignore[attr-defined]
                if not count:
                    raise EOFError(f"the entry {name} is cut off")
                filled += count
            if zlib.crc32(view) != self._zip.NameToInfo[f"{self._root}/{name}"].CRC:
                raise ValueError(f"the checksum of the entry {name} is wrong")
        return array

    def map_array(self, name: str, size: int, path: str | os.PathLike[str]) -> Any:
        """The bytes of an entry as an array over the file, read when they are used and written to memory only.

        The checksum is not compared, since that would read them all.
        """
        begins = self._place(name, size)
        if not size:
            return np.empty(0, np.uint8)
        with self._told():
            return np.memmap(path, np.uint8, "c", begins, (size,)).view(np.ndarray)

    def _place(self, name: str, size: int) -> int:
        """Where in the file an entry of so many bytes begins."""
        found = self._zip.NameToInfo.get(f"{self._root}/{name}")
        if found is None or found.file_size != size or found.compress_type != zipfile.ZIP_STORED:
            raise broken(self.name, f"its entry {name} is missing, compressed or has not {size} bytes")
        with self._told():
            self._zip.open(found).close()  # compares the head before the entry with the directory
            self._file.seek(found.header_offset)
            named, extra = struct.unpack("<HH", self._file.read(HEADER)[26:30])
        return found.header_offset + HEADER + int(named) + int(extra)
