"""Whether two results differ by more than rounding explains.

A result that cancels (a sum near zero) is rounding noise however right both backends are, so no fixed tolerance can
tell a fault of one in a thousand from it. Where elements differ by more than the tolerance, the noise is therefore
measured: the same call in float64, and again on inputs shaken by one unit in the last place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Difference", "differ", "noise_of", "shaken", "to_arrays", "widened"]

SHAKES = 4  # how often the noise is sampled
LEEWAY = 16  # how many times the sampled noise two results may be apart

# dtype's letter -> tolerance relative to each element, where none is given, and to the largest one
TOLERANCES = {
    "f": (1e-5, 1e-6), "F": (1e-5, 1e-6), "d": (1e-12, 1e-13), "D": (1e-12, 1e-13),
    "e": (4e-3, 8e-3), "E": (3e-2, 6e-2),
}  # fmt: skip

# dtype's letter -> two units in the last place, by which memory may be apart that was updated twice
ROUNDED = {"f": 2.5e-7, "F": 2.5e-7, "d": 5e-16, "D": 5e-16, "e": 2e-3, "E": 1.6e-2}


@dataclass(frozen=True)
class Difference:
    """By how much two arrays differ: in words, and where they are comparable, as numbers at the worst element."""

    text: str
    absolute: float = float("nan")
    relative: float = float("nan")
    index: tuple[int, ...] = ()


def to_arrays(value: Any) -> list[Any]:
    """A result as a flat list of arrays and None."""
    if isinstance(value, (tuple, list)):
        return [a for v in value for a in to_arrays(v)]
    return [None if value is None else np.asarray(value)]


def differ(
    a: Any, b: Any, rtol: float | None, atol: float, noise: Callable[[], Any], moved: Any = None
) -> Difference | None:
    """How the results ``a`` and ``b`` differ beyond rounding, or None.

    Args:
        a: of the first backend, a NumPy array or None.
        b: of the second.
        rtol: relative tolerance; None chooses by dtype.
        atol: absolute tolerance.
        noise: gives what rounding alone may do to each element, or None; called only where it matters.
        moved: of memory that was updated, by how much: the relative tolerance is then of this.
    """
    if a is None or b is None:
        return (
            None if a is b else Difference(f"the {'first' if a is None else 'second'} gives None, the other a gradient")
        )
    if a.shape != b.shape:
        return Difference(f"the shapes are {list(a.shape)} and {list(b.shape)}")
    if {a.dtype.char, b.dtype.char} == {"E", "f"}:  # a formula may widen bfloat16, which the leaf rounds again
        narrow = a.dtype if a.dtype.char == "E" else b.dtype
        a, b = a.astype(narrow), b.astype(narrow)
    if a.dtype != b.dtype:
        return Difference(f"the dtypes are {a.dtype} and {b.dtype}")
    if a.dtype.kind not in "fcV":
        return _of_exact(a, b)
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    x, y = a.astype(wide), b.astype(wide)
    with np.errstate(all="ignore"):
        same = (x == y) | (np.isnan(x) & np.isnan(y))
        if same.all():
            return None
        error = np.where(same, 0.0, np.abs(x - y))
        size = np.abs(x if moved is None else moved)
        scale = np.max(size, where=np.isfinite(size), initial=0.0)
        relative, floor = TOLERANCES.get(a.dtype.char, TOLERANCES["f"])
        floor = floor * scale if moved is None else ROUNDED.get(a.dtype.char, 2.5e-7) * np.abs(x)
        allowed = atol + (relative if rtol is None else rtol) * size + floor
        bad = ~(error <= allowed)
        if not bad.any():
            return None
        shaky = noise()
        if shaky is not None and np.shape(shaky) == error.shape:
            bad &= ~(error <= LEEWAY * shaky + (0.0 if moved is None else floor))
    return _worst(x, y, error, bad) if bad.any() else None


def _of_exact(a: Any, b: Any) -> Difference | None:
    bad = a != b
    if not bad.any():
        return None
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    return Difference(f"{int(bad.sum())} of {a.size} elements: {a[index]} and {b[index]} at {list(index)}", index=index)


def _worst(x: Any, y: Any, error: Any, bad: Any) -> Difference:
    with np.errstate(all="ignore"):
        relative = error / np.maximum(np.abs(x), np.finfo(np.float64).tiny)
        rank = np.where(bad, np.where(np.isnan(relative), np.inf, relative), -1.0)
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(rank)), rank.shape))
    return Difference(
        f"{int(bad.sum())} of {x.size} elements; the worst at {list(index)}: {x[index]:.9g} and {y[index]:.9g}, "
        f"{float(relative[index]):.2g} apart in proportion, {float(error[index]):.2g} in size",
        float(error[index]), float(relative[index]), index,
    )  # fmt: skip


def noise_of(
    run: Callable[[list[Any]], list[Any]], args: list[Any], backends: int, wide: bool = False
) -> Callable[[int], Any]:
    """What rounding does to the results of a call.

    Args:
        run: ``run([which, *args])`` makes the call on the backend number ``which``; its results as flat arrays.
        args: of the call.
        backends: how many there are. The noise of the quietest counts: a fault of the other is no noise.
        wide: compute in float64 on the shaken inputs too, so that only how they were shaken is noise.

    Returns:
        A function from the number of a result to its noise, or None where it cannot be told.
    """
    found: list[list[Any]] = []

    def measured(k: int) -> Any:
        if not found:
            found.extend(_noise(run, which, args, wide) for which in range(backends))
        quiet = None
        for noises in found:
            if k < len(noises) and noises[k] is not None:
                quiet = noises[k] if quiet is None else np.minimum(quiet, noises[k])
        return quiet

    return measured


def _noise(run: Callable[[list[Any]], list[Any]], which: int, args: list[Any], wide: bool) -> list[Any]:
    """For each result of one backend the largest distance from the float64 result, over several shaken inputs."""
    rng = np.random.default_rng(0)
    worst: list[Any] = []
    with np.errstate(all="ignore"):
        try:
            exact = run([which, *(widened(x) for x in args)])
            for _ in range(SHAKES):
                off = [
                    None if e is None or s is None or e.shape != s.shape or s.dtype.kind not in "fcV"
                    else np.nan_to_num(np.abs(s.astype(e.dtype) - e), nan=0.0, posinf=0.0)
                    for e, s in zip(exact, run([which, *(shaken(x, rng, wide) for x in args)]), strict=True)
                ]  # fmt: skip
                worst = (
                    off
                    if not worst
                    else [None if a is None or b is None else np.maximum(a, b) for a, b in zip(worst, off)]
                )
        except (ValueError, TypeError, IndexError, RuntimeError, ZeroDivisionError):
            return []  # float64 is not for every kernel
    return worst


def widened(x: Any) -> Any:
    """An argument with its floating arrays in float64."""
    if isinstance(x, (list, tuple)):
        return type(x)(widened(v) for v in x)
    if isinstance(x, np.ndarray) and x.dtype.kind in "fcV":
        return x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)
    return x


def shaken(x: Any, rng: np.random.Generator, wide: bool) -> Any:
    """An argument with each floating element moved by one unit in the last place; in float64 if ``wide``."""
    if isinstance(x, (list, tuple)):
        return type(x)(shaken(v, rng, wide) for v in x)
    if isinstance(x, np.ndarray) and x.dtype.kind in "fcV":
        eps = {"e": 2**-10, "E": 2**-7}.get(x.dtype.char) or float(np.finfo(x.dtype).eps)
        moved = widened(x) * (1 + eps * rng.choice((-1.0, 1.0), x.shape))
        return moved if wide else moved.astype(x.dtype)
    return x
