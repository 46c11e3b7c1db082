"""PyTorch's place of SummaryWriter."""

from ...nn.event_files import SummaryWriter

__all__ = ["SummaryWriter"]
