"""Keras's initialisers: functions of a shape in Keras's layout that give NumPy arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd import get_default_dtype
from ..backends.random import Generator, default_generator

__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "Initializer", "LecunNormal",
    "LecunUniform", "Ones", "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling",
    "Zeros", "constant", "get", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "identity",
    "lecun_normal", "lecun_uniform", "ones", "orthogonal", "random_normal", "random_uniform", "truncated_normal",
    "variance_scaling", "zeros",
]  # fmt: skip


class Initializer:
    """Base: what is given to the constructor is kept in ``config`` and drawn by ``__call__``."""

    def __init__(self, **config: Any) -> None:
        self.config = config
        seed = config.get("seed")
        self.generator = default_generator if seed is None else Generator().manual_seed(int(seed))

    def __call__(self, shape: tuple[int, ...]) -> np.ndarray:
        """An array of this shape, of the default element type."""
        return np.asarray(self.draw(tuple(shape)), get_default_dtype().numpy)

    def draw(self, shape: tuple[int, ...]) -> Any:
        """The numbers; every subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define draw(shape)")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return dict(self.config)


class Constant(Initializer):
    """One number everywhere."""

    def __init__(self, value: float = 0.0) -> None:
        super().__init__(value=value)

    def draw(self, shape: tuple[int, ...]) -> Any:
        return np.full(shape, self.config["value"])


class Zeros(Initializer):
    """Zeros."""

    def draw(self, shape: tuple[int, ...]) -> Any:
        return np.zeros(shape)


class Ones(Initializer):
    """Ones."""

    def draw(self, shape: tuple[int, ...]) -> Any:
        return np.ones(shape)


class RandomNormal(Initializer):
    """Normal with ``mean`` and ``stddev``."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(mean=mean, stddev=stddev, seed=seed)

    def draw(self, shape: tuple[int, ...]) -> Any:
        return self.generator.normal(shape, self.config["mean"], self.config["stddev"], np.dtype("float32"))


class RandomUniform(Initializer):
    """Uniform between ``minval`` and ``maxval``."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        super().__init__(minval=minval, maxval=maxval, seed=seed)

    def draw(self, shape: tuple[int, ...]) -> Any:
        return self.generator.uniform(shape, self.config["minval"], self.config["maxval"], np.dtype("float32"))


class TruncatedNormal(Initializer):
    """Normal, drawn anew beyond two standard deviations."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(mean=mean, stddev=stddev, seed=seed)

    def draw(self, shape: tuple[int, ...]) -> Any:
        return _truncated(self.generator, shape, self.config["mean"], self.config["stddev"])


def _truncated(generator: Any, shape: tuple[int, ...], mean: float, std: float) -> Any:
    return generator.truncated_normal(shape, mean, std, mean - 2 * std, mean + 2 * std, np.dtype("float32"))


# The standard deviation of a standard normal cut off at ±2.
_CUT = 0.87962566103423978


class VarianceScaling(Initializer):
    """Numbers whose variance is ``scale`` over the fan.

    Args:
        scale: the numerator.
        mode: "fan_in", "fan_out" or "fan_avg"; the fans are the last two sizes of the shape times all before them.
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: draws from a generator of its own.

    Raises:
        ValueError: another mode or distribution.
    """

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal", seed: int | None = None
    ) -> None:
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"VarianceScaling: mode must be 'fan_in', 'fan_out' or 'fan_avg', got {mode!r}")
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                "VarianceScaling: distribution must be 'truncated_normal', 'untruncated_normal' or 'uniform', got "
                f"{distribution!r}"
            )
        super().__init__(scale=scale, mode=mode, distribution=distribution, seed=seed)

    def draw(self, shape: tuple[int, ...]) -> Any:
        fan_in, fan_out = _fans(shape)
        mode, kind = self.config["mode"], self.config["distribution"]
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
        variance = self.config["scale"] / max(1.0, fan)
        if kind == "uniform":
            bound = math.sqrt(3 * variance)
            return self.generator.uniform(shape, -bound, bound, np.dtype("float32"))
        if kind == "untruncated_normal":
            return self.generator.normal(shape, 0.0, math.sqrt(variance), np.dtype("float32"))
        return _truncated(self.generator, shape, 0.0, math.sqrt(variance) / _CUT)


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    if len(shape) < 2:
        n = float(shape[0]) if shape else 1.0
        return n, n
    field = math.prod(shape[:-2])
    return float(shape[-2] * field), float(shape[-1] * field)


class _Scaled(VarianceScaling):
    settings: tuple[float, str, str]

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(*self.settings, seed=seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.config["seed"]}


class GlorotUniform(_Scaled):
    """Uniform within ±sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""

    settings = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (fan_in + fan_out)."""

    settings = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform within ±sqrt(6 / fan_in) (He et al., 2015)."""

    settings = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal of variance 2 / fan_in."""

    settings = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform within ±sqrt(3 / fan_in)."""

    settings = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / fan_in."""

    settings = (1.0, "fan_in", "truncated_normal")


class Orthogonal(Initializer):
    """A (semi-)orthogonal matrix times ``gain``; all sizes but the last count as rows (Saxe et al., 2014)."""

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(gain=gain, seed=seed)

    def draw(self, shape: tuple[int, ...]) -> Any:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: needs at least 2 dimensions, got shape {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        flat = self.generator.normal((max(rows, columns), min(rows, columns)), 0.0, 1.0, np.dtype("float64"))
        q, r = np.linalg.qr(flat)
        q = q * np.sign(np.diag(r))
        return self.config["gain"] * (q if rows >= columns else q.T).reshape(shape)


class Identity(Initializer):
    """A matrix with ``gain`` on the diagonal and zeros elsewhere."""

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__(gain=gain)

    def draw(self, shape: tuple[int, ...]) -> Any:
        if len(shape) != 2:
            raise ValueError(f"Identity: needs 2 dimensions, got shape {shape}")
        return self.config["gain"] * np.eye(*shape)


_NAMES: dict[str, type[Any]] = {
    "zeros": Zeros, "ones": Ones, "constant": Constant, "random_normal": RandomNormal, "normal": RandomNormal,
    "random_uniform": RandomUniform, "uniform": RandomUniform, "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling, "glorot_uniform": GlorotUniform, "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform, "he_normal": HeNormal, "lecun_uniform": LecunUniform, "lecun_normal": LecunNormal,
    "orthogonal": Orthogonal, "identity": Identity,
}  # fmt: skip


# The same classes under their small names: initializers.he_normal().
zeros, ones, constant = Zeros, Ones, Constant
random_normal, random_uniform, truncated_normal, variance_scaling = (
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
glorot_uniform, glorot_normal, he_uniform, he_normal = GlorotUniform, GlorotNormal, HeUniform, HeNormal
lecun_uniform, lecun_normal, orthogonal, identity = LecunUniform, LecunNormal, Orthogonal, Identity


def get(identifier: Any) -> Any:
    """An initialiser by its name or class name, from its saved form, or as it is.

    Raises:
        ValueError: an unknown name.
    """
    if isinstance(identifier, dict):
        return type(get(identifier["class_name"]))(**identifier["config"])
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    for name, cls in _NAMES.items():
        if identifier in (name, cls.__name__):
            return cls()
    raise ValueError(f"unknown initializer {identifier!r}; use one of {', '.join(_NAMES)}, or an Initializer")
