"""On what the figures were measured."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tapegrad import backends
from tapegrad.cli.info import collect

from .contenders import versions

__all__ = ["describe", "facts", "stem"]


def facts(names: Sequence[str]) -> dict[str, Any]:
    """Processor, threads, cards, and the versions of everything that the contenders ``names`` stand on."""
    found = collect()
    packages: dict[str, str] = {}
    for name in names:
        packages |= versions(name)
    settings = {
        name: {setting: value for setting, value in of["settings"].items() if "folder" not in setting}
        for name, of in found["backends"].items()
        if of["usable"] and name in names
    }
    return {
        "processor": found["processor"],
        "threads": found["threads"],
        "gpus": [re.sub(r"^(.+, .+), ([\d.]+)$", r"\1, driver \2", card) for card in found["gpus"]],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": packages,
        "settings": settings,
        "unusable": {name: of["why_not"] for name, of in found["backends"].items() if not of["usable"]},
    }


def describe(found: dict[str, Any]) -> str:
    """The ``facts`` in two lines."""
    threads = found["threads"]
    limits = "".join(f", {k}={v}" for k, v in threads.items() if k.isupper())
    return "\n".join([
        f"{found['processor']}, {threads['usable']} of {threads['processors']} processors{limits}"
        + "".join(f", {gpu}" for gpu in found["gpus"]),
        f"{found['system']}, Python {found['python']}, "
        + ", ".join(f"{package} {version}" for package, version in found["versions"].items()),
    ])  # fmt: skip


def stem(found: dict[str, Any]) -> str:
    """The name of a record without its ending: the date, and the card, or the processor where no card is usable."""
    name = backends.cuda.get_device_name() if backends.cuda.is_available() else found["processor"]
    return f"{datetime.now(UTC):%Y-%m-%d}-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
