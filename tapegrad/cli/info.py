"""``python -m tapegrad info``: the backends, and the machine as they see it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from typing import Any

from .. import __file__ as _facade
from .. import __version__, backends

__all__ = ["add_info", "collect"]

THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def add_info(commands: Any) -> None:
    """Add the command to argparse's ``commands``."""
    parser = commands.add_parser("info", help="the backends: usable or why not, versions, threads, GPU, cache folder")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    facts = collect()
    print(json.dumps(facts, indent=2) if options.json else _text(facts))
    return 0


def collect() -> dict[str, Any]:
    """Everything that the command prints, by name."""
    return {
        "tapegrad": __version__,
        "folder": os.path.dirname(os.path.abspath(_facade)),
        "python": f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})",
        "platform": platform.platform(),
        "processor": _processor(),
        "threads": {"processors": os.cpu_count(), "usable": _usable_processors()}
        | {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ},
        "gpus": _gpus(),
        "current": _current(),
        "backends": {name: _backend(name) for name in backends.names()},
    }


def _backend(name: str) -> dict[str, Any]:
    reason = backends.status(name)
    if reason is not None:
        return {"usable": False, "why_not": reason}
    backend = backends.get(name)
    return {
        "usable": True,
        "device": backend.device_type,
        "versions": backend.versions(),
        "settings": backend.settings(),
    }


def _current() -> dict[str, str]:
    try:
        device = backends.default_device()
    except backends.BackendError as error:
        return {"error": str(error).partition("; known are")[0]}
    return {"backend": device.backend.name, "device": str(device)}


def _usable_processors() -> int | None:
    """How many processors this process may use; not every system can tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        models = []
    return models[0] if models else platform.processor() or platform.machine()


def _gpus() -> list[str]:
    """The NVIDIA cards that the driver's own tool lists, whether or not a backend can use them."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return [f"nvidia-smi fails: {error}"]
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def _text(facts: dict[str, Any]) -> str:
    threads, current = facts["threads"], facts["current"]
    settings = "".join(f", {name}={threads[name]}" for name in THREAD_VARIABLES if name in threads)
    lines = [
        f"tapegrad   {facts['tapegrad']}, {facts['folder']}",
        f"Python     {facts['python']}",
        f"platform   {facts['platform']}",
        f"processor  {facts['processor']}",
        f"threads    {threads['usable']} of {threads['processors']} processors{settings}",
        f"GPU        {'; '.join(facts['gpus']) or 'none found'}",
        f"current    {current.get('error') or 'backend {backend}, device {device}'.format(**current)}",
        "",
        "backends",
    ]
    for name, of in facts["backends"].items():
        if not of["usable"]:
            lines.append(f"  {name:8} not usable: {of['why_not']}")
            continue
        versions = ", ".join(f"{package} {version}" for package, version in of["versions"].items())
        lines.append(f"  {name:8} usable for {of['device']}: {versions}")
        lines += [f"  {'':8} {setting}: {value}" for setting, value in of["settings"].items()]
    return "\n".join(lines)
