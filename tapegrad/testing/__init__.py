"""Helpers for tests: comparing results, and certifying a backend."""

from .certify import backend_conformance
from .comparison import assert_close

__all__ = ["assert_close", "backend_conformance"]
