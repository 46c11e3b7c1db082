"""What a worker knows of itself, under PyTorch's path."""

from ....nn.data.info import WorkerInfo, get_worker_info

__all__ = ["WorkerInfo", "get_worker_info"]
