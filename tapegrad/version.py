"""``torch.version``: the version of the library, and of the CUDA that CuPy brings."""

from typing import Any

from .backends import versions as _versions
from .backends.versions import debug, git_version, hip, xpu

__all__ = ["cuda", "debug", "git_version", "hip", "xpu"]

cuda: str | None


def __getattr__(name: str) -> Any:
    return getattr(_versions, name)
