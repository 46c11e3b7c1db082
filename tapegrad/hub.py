"""``torch.hub``: weights from the network. Models and their code (``torch.hub.load``) need PyTorch."""

from .nn.saving.download import *  # noqa: F403
from .nn.saving.download import __all__

__all__ = list(__all__)
