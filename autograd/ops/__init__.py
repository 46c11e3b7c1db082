"""The operations of the public interface, by family."""

from .methods import PUBLIC

__all__ = ["PUBLIC"]
