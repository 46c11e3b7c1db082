"""``torch.utils.tensorboard`` over tensorboardX (the extra ``tensorboard``)."""

from ...nn.event_files import SummaryWriter

__all__ = ["SummaryWriter"]
