"""One line that certifies a backend."""

from __future__ import annotations

from collections.abc import Sequence

from .. import backends

__all__ = ["backend_conformance"]


def backend_conformance(backend: str, *, dtypes: Sequence[str] = ("float32", "float64")) -> type:
    """A class of pytest tests that certify a backend: every primitive, in every type, to second order.

    In a test file of the backend's own package::

        from tapegrad.testing import backend_conformance

        TestMine = backend_conformance("mine")

    Each test is called after the primitive, so ``pytest -k softmax`` runs those of one. The truth is NumPy in float64,
    itself held against other ways to compute, and finite differences. Beside the primitives come the optimizer
    updates, views and writes in place, transfers, and a small network that must train to NumPy's losses.

    Args:
        backend: the name under which the backend is registered.
        dtypes: the types to test; leave out ``"float64"`` where the device has none.

    Returns:
        A class for pytest to collect: give it a name that begins with ``Test``. Where the backend cannot run on this
        machine, it has one test, skipped with the reason.

    Raises:
        ImportError: pytest is not installed.
        BackendError: no backend of this name is registered.
    """
    try:
        import pytest  # noqa: F401
    except ImportError as error:
        raise ImportError("backend_conformance: needs pytest, which is not installed: pip install pytest") from error
    from .conformance.suite import ConformanceSuite, unusable

    reason = backends.status(backend)
    if reason is not None:
        return unusable(f"backend '{backend}' is not usable here: {reason}")
    return type("ConformanceSuite", (ConformanceSuite,), {"backend": backend, "dtypes": tuple(dtypes)})
