"""Versions under PyTorch's names (``torch.version``)."""

from __future__ import annotations

from importlib.util import find_spec

__all__ = ["cuda", "debug", "git_version", "hip", "xpu"]


def _cuda() -> str | None:
    """The CUDA that CuPy is made for, by the distribution's name; None where it is not installed."""
    if find_spec("cupy") is None:
        return None
    from importlib.metadata import packages_distributions

    names = packages_distributions().get("cupy", [])
    found = [name.removeprefix("cupy-cuda").rstrip("x") for name in names if name.startswith("cupy-cuda")]
    return found[0] if found else None


def __getattr__(name: str) -> str | None:
    if name == "cuda":
        return _cuda()
    raise AttributeError(f"module 'tapegrad.version' has no attribute {name!r}")


cuda: str | None
debug = False
git_version: str | None = None
hip: str | None = None
xpu: str | None = None
