"""Fourier transforms of short pieces of a signal."""

from __future__ import annotations

from typing import Any

from ..names import named
from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from ..views import own
from .args import check_tensor
from .fft import fft, ifft, irfft, rfft
from .linear_algebra.checks import real_part, zeros_of
from .padding import pad_by_index
from .shape import pad, transpose

__all__ = ["istft", "stft"]


def _window(name: str, window: Any, x: Tensor, n_fft: int, win_length: int) -> Tensor | None:
    """The window with zeros at either side, of size ``n_fft``; None for ones."""
    if window is None:
        if win_length == n_fft:
            return None
        window = zeros_of(real_part(x.detach()), (win_length,), 1)
    check_tensor(name, "window", window)
    if window.ndim != 1 or window._array.shape[0] != win_length:
        raise RuntimeError(f"{name}: window must be 1-d of size win_length={win_length}, got {describe(window)}")
    before = (n_fft - win_length) // 2
    return pad(window, (before, n_fft - win_length - before)) if win_length < n_fft else window


def _sizes(name: str, n_fft: int, hop_length: int | None, win_length: int | None) -> tuple[int, int]:
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    if n_fft < 1 or hop < 1 or not 0 < length <= n_fft:
        raise RuntimeError(
            f"{name}: needs n_fft > 0, hop_length > 0 and 0 < win_length <= n_fft, got {n_fft}, {hop} and {length}"
        )
    return hop, length


def stft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, pad_mode: str = "reflect", normalized: bool = False,
    onesided: bool | None = None, return_complex: bool | None = None, align_to_window: bool | None = None,
) -> Tensor:  # fmt: skip
    """The Fourier transforms of windows that slide over a signal.

    Args:
        input: (samples,) or (batch, samples).
        n_fft: the size of a transform. hop_length: how far the window moves (n_fft // 4).
        win_length, window: the window's size (n_fft) and values (ones).
        center: whether the first window is centred on the first sample, the signal padded with ``pad_mode``.
        normalized: divide by the root of n_fft.
        onesided: only the first n_fft // 2 + 1 frequencies; the default unless something is complex.
        return_complex: False gives pairs of real numbers; must be said where nothing is complex.

    Returns:
        (batch, frequencies, windows).
    """
    check_tensor("stft", "input", input)
    if input._array.dtype.char not in "fdFD" or input.ndim not in (1, 2):
        raise RuntimeError(f"stft: needs a floating or complex tensor of 1 or 2 dimensions, got {describe(input)}")
    hop, length = _sizes("stft", n_fft, hop_length, win_length)
    given = any(isinstance(x, Tensor) and x._array.dtype.kind == "c" for x in (input, window))
    if return_complex is None and not given:
        raise RuntimeError("stft: return_complex must be given for real inputs: True for a complex result")
    if align_to_window is not None and center:
        raise RuntimeError("stft: align_to_window is only for center=False")
    one = not given if onesided is None else onesided
    if one and given:
        raise RuntimeError("stft: onesided=True needs a real input and window")
    x = P.slice(input, (None,)) if input.ndim == 1 else input
    if center:
        half = n_fft // 2
        x = _padded(x, half, pad_mode)
    size = x._array.shape[1]
    if size < n_fft:
        raise RuntimeError(f"stft: n_fft={n_fft} is larger than the signal, which has {size} samples")
    frames = P.windows(x, 1, n_fft, hop)
    values = _window("stft", window, x, n_fft, length)
    frames = frames if values is None else P.mul(frames, values)
    norm = "ortho" if normalized else None
    out = transpose(rfft(frames, norm=norm) if one else fft(frames, norm=norm), 1, 2)
    out = own(P.slice(out, (0,)) if input.ndim == 1 else out)
    return named(out, "StftBackward0") if return_complex is not False else P.view_as_real(out)


def _padded(x: Tensor, half: int, mode: str) -> Tensor:
    if mode == "constant":
        return pad(x, (half, half))
    return P.slice(pad_by_index(P.slice(x, (None,)), (half, half), mode), (0,))


def istft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, normalized: bool = False, onesided: bool | None = None,
    length: int | None = None, return_complex: bool = False,
) -> Tensor:  # fmt: skip
    """The signal of which ``stft`` gives ``input``: the windows added where they lie, over the sum of their squares.

    Args:
        input: complex, (frequencies, windows) or (batch, frequencies, windows); the others as of ``stft``.
        length: the size of the signal; None for what the windows reach.

    Raises:
        RuntimeError: the sizes do not fit, or the windows leave places that they do not cover.
    """
    check_tensor("istft", "input", input)
    if input._array.dtype.kind != "c" or input.ndim not in (2, 3) or not input._array.size:
        raise RuntimeError(f"istft: needs a complex tensor of 2 or 3 dimensions with elements, got {describe(input)}")
    hop, size = _sizes("istft", n_fft, hop_length, win_length)
    x = P.slice(input, (None,)) if input.ndim == 2 else input
    bins, count = x._array.shape[1:]
    one = bins != n_fft if onesided is None else onesided
    if bins != (n_fft // 2 + 1 if one else n_fft):
        raise RuntimeError(f"istft: {bins} frequencies do not fit n_fft={n_fft} with onesided={one}")
    if return_complex and one:
        raise RuntimeError("istft: a complex signal needs onesided=False")
    values = _window("istft", window, x, n_fft, size)
    if values is not None and values._array.dtype.kind == "c" and not return_complex:
        raise RuntimeError("istft: a complex window needs return_complex=True")
    norm = "ortho" if normalized else None
    turned = transpose(x, 1, 2)
    if return_complex:
        frames = ifft(turned, norm=norm)
    else:
        frames = irfft(turned if one else P.slice(turned, (slice(None), slice(None), slice(0, n_fft // 2 + 1))), n_fft,
                       norm=norm)  # fmt: skip
    whole = n_fft + hop * (count - 1)
    if values is None:
        values = zeros_of(real_part(x.detach()), (n_fft,), 1)
    frames = P.mul(frames, values)
    squares = P.expand(P.slice(P.square(values), (None, None)), (1, count, n_fft))
    batch = x._array.shape[0]
    total = P.unwindows(frames, (batch, whole), 1, n_fft, hop)
    weight = P.unwindows(squares, (1, whole), 1, n_fft, hop)
    start = n_fft // 2 if center else 0
    stop = start + length if length is not None else whole - n_fft // 2 if center else whole
    have = (slice(None), slice(start, min(stop, whole)))
    total, weight = P.slice(total, have), P.slice(weight, have)
    if weight._array.size and float(P.amin(P.abs(weight.detach()), None, False).item()) < 1e-11:
        raise RuntimeError("istft: the windows leave places uncovered: their squares add up to 0 somewhere")
    out = P.div(total, weight)
    if length is not None and stop > whole:
        out = pad(out, (0, stop - whole))
    return P.slice(out, (0,)) if input.ndim == 2 else out
