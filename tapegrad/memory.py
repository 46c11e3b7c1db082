"""CPU memory: what arrays hold, a limit to it, and what is kept for the next ones (``tapegrad.backends.memory``)."""

from .backends.memory import MemoryLimitError, Report, empty_cache, report, reset_peak, set_limit

__all__ = ["MemoryLimitError", "Report", "empty_cache", "report", "reset_peak", "set_limit"]
