"""Window functions: what ``tapegrad.signal.windows`` offers, and PyTorch's older ``hann_window`` and its kin."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ...backends import dtypes
from ..promote import get_default_dtype
from ..rule import P
from ..tensor import Tensor
from . import factories
from .bessel import i0
from .factories import into

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming", "hann",
    "kaiser", "nuttall",
]  # fmt: skip


def _places(name: str, M: int, sym: bool, dtype: Any, device: Any) -> Tensor:
    """The places 0 to M - 1, in float64.

    Raises:
        ValueError: M is negative, or a type that is neither float32 nor float64.
    """
    if M < 0:
        raise ValueError(f"{name}: the length must not be negative, got {M}")
    kind = get_default_dtype() if dtype is None else dtypes.of(dtype)
    if kind not in (dtypes.float32, dtypes.float64):
        raise ValueError(f"{name}: dtype must be float32 or float64, got {kind.name}")
    return factories.arange(M, dtype=dtypes.float64, device=device)


def _span(M: int, sym: bool) -> int:
    """How many steps lie between the first place and its mirror image; 1 for a window of one place."""
    return max(M - 1 if sym else M, 1)


def _made(x: Tensor, dtype: Any, requires_grad: bool) -> Tensor:
    made = x.to(get_default_dtype() if dtype is None else dtype)
    return made.requires_grad_() if requires_grad else made


def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``exp(-abs(n - center) / tau)``; ``center`` only of a periodic one (``sym=False``).

    Args:
        M: how many places. sym: whether the window is symmetric, as filters want it, or periodic, as spectra do.
    """
    n = _places("exponential", M, sym, dtype, device)
    if tau <= 0:
        raise ValueError(f"exponential: tau must be positive, got {tau}")
    if sym and center is not None:
        raise ValueError("exponential: a symmetric window has its centre in the middle; leave center away")
    middle = _span(M, sym) / 2 if center is None else center
    middle = 0.0 if M == 1 and center is None else middle
    return _made(P.exp(P.mul(P.abs(P.sub(n, middle)), -1 / tau)), dtype, requires_grad)


def cosine(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``sin(pi (n + 1/2) / M)``, or over M + 1 for a periodic one."""
    n = _places("cosine", M, sym, dtype, device)
    width = M if sym or M == 1 else M + 1
    return _made(P.sin(P.mul(P.add(n, 0.5), math.pi / max(width, 1))), dtype, requires_grad)


def gaussian(
    M: int, *, std: float = 1.0, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``exp(-((n - middle) / std)**2 / 2)``."""
    n = _places("gaussian", M, sym, dtype, device)
    if std <= 0:
        raise ValueError(f"gaussian: std must be positive, got {std}")
    middle = 0.0 if M == 1 else _span(M, sym) / 2
    return _made(P.exp(P.mul(P.square(P.sub(n, middle)), -0.5 / std**2)), dtype, requires_grad)


def kaiser(
    M: int, *, beta: float = 12.0, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``i0(beta sqrt(1 - ((n - middle) / middle)**2)) / i0(beta)``."""
    n = _places("kaiser", M, sym, dtype, device)
    if beta < 0:
        raise ValueError(f"kaiser: beta must not be negative, got {beta}")
    if M == 1:
        return _made(P.add(n, 1.0), dtype, requires_grad)
    middle = _span(M, sym) / 2
    inside = P.clamp(P.sub(1.0, P.square(P.mul(P.sub(n, middle), 1 / middle))), 0.0, None)
    whole = i0(factories.full((), float(beta), dtype=dtypes.float64, device=device))
    return _made(P.div(i0(P.mul(P.sqrt(inside), float(beta))), whole), dtype, requires_grad)


def general_cosine(
    M: int, *, a: Sequence[float], sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The sum of ``(-1)**k a[k] cos(2 pi k n / N)``, N being M - 1, or M for a periodic one."""
    n = _places("general_cosine", M, sym, dtype, device)
    if not isinstance(a, (list, tuple)):
        raise TypeError(f"general_cosine: a must be a list of numbers, got {type(a).__name__}")
    if not a:
        raise ValueError("general_cosine: a must not be empty")
    if M == 1:
        return _made(P.add(n, 1.0), dtype, requires_grad)
    angle = P.mul(n, 2 * math.pi / _span(M, sym))
    total = P.mul(n, 0.0)
    for k, weight in enumerate(a):
        total = P.add(total, P.mul(P.cos(P.mul(angle, float(k))), (-1) ** k * float(weight)))
    return _made(total, dtype, requires_grad)


def general_hamming(
    M: int, *, alpha: float = 0.54, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``alpha - (1 - alpha) cos(2 pi n / N)``."""
    return general_cosine(M, a=[alpha, 1 - alpha], sym=sym, dtype=dtype, device=device, requires_grad=requires_grad)


def hamming(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Hamming's window: ``general_hamming`` of 0.54."""
    return general_hamming(M, sym=sym, dtype=dtype, device=device, requires_grad=requires_grad)


def hann(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Hann's window: ``general_hamming`` of 0.5."""
    return general_hamming(M, alpha=0.5, sym=sym, dtype=dtype, device=device, requires_grad=requires_grad)


def blackman(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Blackman's window: ``general_cosine`` of 0.42, 0.5, 0.08."""
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, dtype=dtype, device=device, requires_grad=requires_grad)


def nuttall(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Nuttall's window: ``general_cosine`` of four terms."""
    a = [0.3635819, 0.4891775, 0.1365995, 0.0106411]
    return general_cosine(M, a=a, sym=sym, dtype=dtype, device=device, requires_grad=requires_grad)


def bartlett(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Bartlett's window: a triangle from 0 to 1 and back."""
    n = _places("bartlett", M, sym, dtype, device)
    if M == 1:
        return _made(P.add(n, 1.0), dtype, requires_grad)
    return _made(P.sub(1.0, P.abs(P.sub(P.mul(n, 2 / _span(M, sym)), 1.0))), dtype, requires_grad)


# PyTorch's older names


def bartlett_window(window_length: int, periodic: bool = True, *, out: Tensor | None = None, **options: Any) -> Tensor:
    """Bartlett's window. Args: options: ``dtype``, ``device``, ``requires_grad``."""
    return into(out, bartlett(window_length, sym=not periodic, **options))


def blackman_window(window_length: int, periodic: bool = True, *, out: Tensor | None = None, **options: Any) -> Tensor:
    """Blackman's window. Args: options: ``dtype``, ``device``, ``requires_grad``."""
    return into(out, blackman(window_length, sym=not periodic, **options))


def hann_window(window_length: int, periodic: bool = True, *, out: Tensor | None = None, **options: Any) -> Tensor:
    """Hann's window. Args: options: ``dtype``, ``device``, ``requires_grad``."""
    return into(out, hann(window_length, sym=not periodic, **options))


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *, out: Tensor | None = None,
    **options: Any,
) -> Tensor:  # fmt: skip
    """``alpha - beta cos(2 pi n / N)``. Args: options: ``dtype``, ``device``, ``requires_grad``."""
    return into(out, general_cosine(window_length, a=[alpha, beta], sym=not periodic, **options))


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, out: Tensor | None = None, **options: Any
) -> Tensor:
    """Kaiser's window. Args: options: ``dtype``, ``device``, ``requires_grad``."""
    return into(out, kaiser(window_length, sym=not periodic, beta=beta, **options))


OLDER: dict[str, Callable[..., Any]] = {
    "bartlett_window": bartlett_window, "blackman_window": blackman_window, "hamming_window": hamming_window,
    "hann_window": hann_window, "kaiser_window": kaiser_window,
}  # fmt: skip
