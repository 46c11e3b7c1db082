"""The line that says on what the figures were measured."""

from __future__ import annotations

import platform

from tapegrad.cli.info import collect

from .contenders import versions

__all__ = ["describe"]


def describe(names: list[str]) -> str:
    """Processor, threads, and the versions of everything that the contenders ``names`` stand on."""
    facts = collect()
    threads = facts["threads"]
    limits = "".join(f", {k}={v}" for k, v in threads.items() if k.isupper())
    packages: dict[str, str] = {}
    for name in names:
        packages |= versions(name)
    return "\n".join([
        f"{facts['processor']}, {threads['usable']} of {threads['processors']} processors{limits}"
        + "".join(f", {gpu}" for gpu in facts["gpus"]),
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        + ", ".join(f"{package} {version}" for package, version in packages.items()),
    ])  # fmt: skip
