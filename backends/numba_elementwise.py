"""placeholder being written"""

__all__ = ["NumbaElementwise"]


class NumbaElementwise:
    pass
