"""Backend bisect: which primitive is the first on which two backends disagree."""

from .compare import compare
from .report import Disagreement, Report

__all__ = ["Disagreement", "Report", "compare"]
