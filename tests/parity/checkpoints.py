"""The module of checkpoints of either library."""

import tapegrad as tg

__all__ = ["checkpoint"]


def checkpoint(lib):
    """The module, which PyTorch does not import by itself."""
    if lib is tg:
        return tg.utils.checkpoint
    import torch.utils.checkpoint

    return torch.utils.checkpoint
