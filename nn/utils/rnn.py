"""Sequences of different lengths as one batch: packed, and padded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ...autograd import P, Tensor
from ...autograd.ops.create import tensor
from ...autograd.ops.factories import full
from ...autograd.ops.pieces import stack
from ...backends import dtypes
from ..functional import pad

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
    "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip


def _indices(values: Sequence[int], device: Any = None) -> Tensor:
    return tensor(list(values), dtype=dtypes.of("int64"), device=device)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes one, (n,) int64; None of None."""
    if permutation is None:
        return None
    found = [0] * permutation.numel()
    for place, value in enumerate(permutation.tolist()):
        found[value] = place
    return _indices(found, permutation.device)


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences without padding: first the first step of all of them, the longest first, then the second steps ...

    Made by ``pack_padded_sequence`` and ``pack_sequence``; read by the recurrent layers.

    Attributes:
        data: (steps of all sequences together, ...).
        batch_sizes: (longest,), int64 on the CPU, how many sequences have each step.
        sorted_indices, unsorted_indices: how the sequences were sorted by length, and back; None where they were.

    Raises:
        ValueError: batch sizes that are not on the CPU.
    """

    __slots__ = ()

    def __new__(
        cls, data: Tensor, batch_sizes: Tensor | None = None, sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:  # fmt: skip
        if batch_sizes is None:  # the two of them as a pair
            data, batch_sizes = data
        assert batch_sizes is not None
        if batch_sizes.device.type != "cpu":
            raise ValueError(f"batch_sizes should always be on CPU. Instead got device {batch_sizes.device}")
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _mapped(self, change: Callable[[Tensor], Tensor], place: Callable[[Tensor], Tensor]) -> PackedSequence:
        data = change(self.data)
        if data is self.data:
            return self
        order = [None if indices is None else place(indices) for indices in self[2:]]
        return PackedSequence(data, self.batch_sizes, *order)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequences on another device, or of another element type."""
        moved = self.data.to(*args, **kwargs)
        return self._mapped(lambda _: moved, lambda indices: indices.to(moved.device))

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequences on a CUDA device."""
        return self.to(self.data.cuda(*args, **kwargs).device)

    def cpu(self) -> PackedSequence:
        """The sequences on the CPU."""
        return self.to("cpu")

    def _typed(self, name: str) -> PackedSequence:
        return self.to(dtype=dtypes.of(name))

    def double(self) -> PackedSequence:
        """The sequences as float64."""
        return self._typed("float64")

    def float(self) -> PackedSequence:
        """The sequences as float32."""
        return self._typed("float32")

    def half(self) -> PackedSequence:
        """The sequences as float16."""
        return self._typed("float16")

    def long(self) -> PackedSequence:
        """The sequences as int64."""
        return self._typed("int64")

    def int(self) -> PackedSequence:
        """The sequences as int32."""
        return self._typed("int32")

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a CUDA device."""
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        """Whether the data is in pinned memory."""
        return self.data.is_pinned()

    def pin_memory(self) -> PackedSequence:
        """The sequences in pinned memory."""
        return self._mapped(lambda data: data.pin_memory(), lambda indices: indices)


def _lengths(lengths: Any) -> list[int]:
    return [int(n) for n in (lengths.tolist() if isinstance(lengths, Tensor) else lengths)]


def _batch_sizes(lengths: Sequence[int]) -> list[int]:
    """How many of some lengths, the largest first, exceed 0, 1, 2, ..."""
    sizes, count = [], len(lengths)
    for step in range(lengths[0]):
        while lengths[count - 1] <= step:
            count -= 1
        sizes.append(count)
    return sizes


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Take the padding away.

    Args:
        input: (T, N, ...), or (N, T, ...) with ``batch_first``.
        lengths: of each sequence, N numbers, on the CPU.
        enforce_sorted: the lengths decrease already; else the sequences are sorted.

    Raises:
        RuntimeError: lengths that are not N positive numbers up to T, or that increase although they must not.
    """
    counts = _lengths(lengths)
    batch, longest = input.shape[:2] if batch_first else (input.shape[1], input.shape[0])
    if len(counts) != batch:
        raise RuntimeError(f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} ({batch=})")
    if min(counts) <= 0:
        raise RuntimeError("Length of all samples has to be greater than 0, but found an element in 'lengths' <= 0")
    if max(counts) > longest:
        raise RuntimeError(f"Expected all lengths to be at most {longest}, the steps of the input; got {max(counts)}")
    order = list(range(batch))
    if not enforce_sorted:
        order.sort(key=lambda i: -counts[i])
    elif counts != sorted(counts, reverse=True):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement"
        )
    sizes = _batch_sizes([counts[i] for i in order])
    places = [
        (order[k] * longest + step if batch_first else step * batch + order[k])
        for step, size in enumerate(sizes) for k in range(size)
    ]  # fmt: skip
    flat = input.reshape(input.shape[0] * input.shape[1], *input.shape[2:])
    data = flat.index_select(0, _indices(places, input.device))
    return PackedSequence(data, _indices(sizes), None if enforce_sorted else _indices(order, input.device))


def _sequence_lengths(sizes: Sequence[int]) -> list[int]:
    """The lengths, the largest first, of sequences with these batch sizes."""
    counts = [0] * (sizes[0] if sizes else 0)
    for size in sizes:
        for k in range(size):
            counts[k] += 1
    return counts


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """Add padding again.

    Args:
        sequence: what ``pack_padded_sequence`` or a recurrent layer gave.
        padding_value: what is put behind the shorter ones.
        total_length: how many steps the result has; as the longest has, for None.

    Returns:
        (T, N, ...), or (N, T, ...) with ``batch_first``; and the lengths, (N,) int64.

    Raises:
        ValueError: a total length below the longest.
    """
    sizes = [int(n) for n in sequence.batch_sizes.tolist()]
    longest = len(sizes)
    if total_length is not None and total_length < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {longest}"
        )
    steps, batch = longest if total_length is None else total_length, sizes[0]
    order = range(batch) if sequence.unsorted_indices is None else sequence.unsorted_indices.tolist()
    starts = [sum(sizes[:step]) for step in range(longest)]
    data = sequence.data
    nothing = data.shape[0]  # the number of the row of padding, which is put behind the others

    def row(step: int, k: int) -> int:
        return starts[step] + k if step < longest and k < sizes[step] else nothing

    if batch_first:
        places, lead = [row(step, k) for k in order for step in range(steps)], (batch, steps)
    else:
        places, lead = [row(step, k) for step in range(steps) for k in order], (steps, batch)
    blank = full((1, *data.shape[1:]), padding_value, dtype=data.dtype, device=data.device)
    padded = P.cat([data, blank], 0).index_select(0, _indices(places, data.device))
    counts = _sequence_lengths(sizes)
    return padded.reshape(*lead, *data.shape[1:]), _indices([counts[k] for k in order])


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (length, ...) as one tensor.

    Args:
        sequences: tensors that differ in their first size alone.
        padding_value: what is put behind (or, ``padding_side="left"``, before) the shorter ones.

    Returns:
        (T, N, ...), or (N, T, ...) with ``batch_first``.

    Raises:
        RuntimeError: no sequences, or another side.
    """
    if padding_side not in ("left", "right"):
        raise RuntimeError(f'Expected `padding_side` to be one of "left" or "right", got {padding_side!r}')
    several = list(sequences)
    if not several:
        raise RuntimeError("pad_sequence: received an empty list of sequences")
    longest = max(s.shape[0] for s in several)

    def padded(s: Tensor) -> Tensor:
        short = longest - s.shape[0]
        ends = (short, 0) if padding_side == "left" else (0, short)
        return pad(s, (*(0, 0) * (s.ndim - 1), *ends), "constant", padding_value) if short else s

    return stack([padded(s) for s in several], 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences that ``pad_sequence`` has put together, from their lengths."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [row[:n] for row, n in zip(padded_sequences.unbind(0), _lengths(lengths), strict=True)]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (length, ...) as a packed one; see ``pack_padded_sequence``."""
    lengths = [s.shape[0] for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that ``pack_sequence`` has put together."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
