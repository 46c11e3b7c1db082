"""``python -m tapegrad warmup``: compile the kernels of the Numba backend before they are needed."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, TypeVar

from .. import backends

__all__ = ["add_warmup"]

T = TypeVar("T")
DTYPES = ("float32", "float64")
MODULES = (
    "ufuncs", "rows", "reductions", "normalize", "batch_norm", "convolve", "grid", "places", "recurrent", "resample",
    "select", "filling", "draws", "rejection_draws", "small",
)  # fmt: skip
WHOLE = ("team.lead", "team.serve", "allocator.empty", "products.rows", "products.columns")
"""Of the modules that compile what they have when they are imported."""


def add_warmup(commands: Any) -> None:
    """Add the command to argparse's ``commands``."""
    parser = commands.add_parser(
        "warmup",
        help="compile the kernels of the Numba backend, all or those of a manifest, and keep them",
        description="Compile the kernels of the Numba backend and keep them in the cache folder, so that later "
        "programs load them. A program that runs with TAPEGRAD_MANIFEST=FILE writes down the kernels that it used.",
    )
    parser.add_argument("--manifest", metavar="FILE", help="only the kernels that this file lists")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    reason = backends.status("numba")
    if reason is not None:
        print(f"warmup: backend 'numba' is not usable here: {reason}", file=sys.stderr)
        return 1
    start = time.perf_counter()
    try:
        count = _from_manifest(options.manifest) if options.manifest else _everything()
    except (OSError, ValueError) as error:
        print(f"warmup: {error}", file=sys.stderr)
        return 1
    from ..backends.numba_kernels.cache import folder

    print(f"{count} kernels ready in {folder()} after {time.perf_counter() - start:.1f} s")
    return 0


def _from_manifest(path: str) -> int:
    from ..backends.numba_kernels import manifest

    kernels = manifest.read(path)
    for name, signatures in _progress(kernels.items(), lambda item: item[0]):
        manifest.prepare(name, signatures)
    return len(kernels)


def _everything() -> int:
    """Run every primitive that has kernels on the samples that the backend is tested on, and every optimizer."""
    from ..backends.numba_backend import NumbaBackend
    from ..backends.numba_kernels import manifest
    from ..backends.numpy_backend import NumpyBackend
    from ..testing.conformance.samples import SAMPLES

    modules = {name: import_module("..backends.numba_kernels." + name, __package__) for name in MODULES}
    for name in _progress(
        [f"{module}.{kernel}" for module in MODULES for kernel in modules[module].NAMES]
        + [f"parts.{m}_{kernel}_{t}" for m in ("rows", "normalize") for kernel in modules[m].PARTS for t in DTYPES]
        + list(WHOLE)
    ):
        manifest.prepare(name, [])
    own = [
        name for name in SAMPLES
        if any(getattr(NumbaBackend, n, None) is not getattr(NumpyBackend, n, None) for n in (name, name + "_vjp"))
    ]  # fmt: skip
    for name in _progress(own):
        _exercise(name)
    for act in _progress(["plain", "relu", "tanh", "sigmoid"], lambda act: f"linear.{act}"):
        _layer(act)
    for name, options in _progress(list(_optimizers()), lambda item: item[0]):
        _step(name, options)
    return len(manifest.used())


def _exercise(name: str) -> None:
    """One primitive forward and backward, on all its samples."""
    from ..testing.conformance.running import cotangent_of, differentiates, quiet, run
    from ..testing.conformance.samples import SAMPLES

    for dtype in DTYPES:
        for sample in SAMPLES[name]:
            with quiet("numba") as backend:
                out, _, wanted = run(name, sample, dtype, backend, differentiates(name, sample))
                if wanted:
                    out.backward(cotangent_of(out))


def _layer(act: str) -> None:
    """A linear layer that is too large for the kernels of small ones, forward and backward."""
    from .. import ones
    from ..autograd import P

    for dtype in DTYPES:
        x, w, b = (ones(*shape, dtype=dtype, requires_grad=True) for shape in ((32, 256), (256, 256), (256,)))
        P.linear(x, w, b, None if act == "plain" else act).sum().backward()


def _optimizers() -> Iterator[tuple[str, dict[str, Any]]]:
    """The optimizers, and the options that choose another kernel."""
    from .. import optim

    for name, made in vars(optim).items():
        if isinstance(made, type) and issubclass(made, optim.Optimizer) and made is not optim.Optimizer:
            yield name, {}
    yield from (("SGD", {"momentum": 0.9}), ("Adam", {"amsgrad": True}))


def _step(name: str, options: dict[str, Any]) -> None:
    """One step of an optimizer, after clipping."""
    from .. import ones, optim
    from ..nn.utils import clip_grad_norm_

    for dtype in DTYPES:
        weight = ones(3, 3, dtype=dtype, requires_grad=True)
        weight.grad = weight.detach().clone()
        clip_grad_norm_([weight], 1.0)
        getattr(optim, name)([weight], lr=0.1, **options).step(weight.sum)


def _progress(items: Iterable[T], label: Callable[[T], str] = str) -> Iterable[T]:
    """The items, with a bar where tqdm is installed, else a line for each that takes a second or more."""
    try:
        from tqdm import tqdm
    except ImportError:
        for item in items:
            start = time.perf_counter()
            yield item
            if time.perf_counter() - start >= 1:
                print(f"  {label(item)}", file=sys.stderr)
        return
    bar = tqdm(list(items), unit="kernel")
    for item in bar:
        bar.set_postfix_str(label(item), refresh=True)
        yield item
