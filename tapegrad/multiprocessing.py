"""``torch.multiprocessing``: Python's own, ``spawn``, and tensors in shared memory (``share_memory_``)."""

import multiprocessing as _python
from multiprocessing import *  # noqa: F403

from .nn import processes as _processes
from .nn.processes import *  # noqa: F403

__all__ = [*_python.__all__, *_processes.__all__]
