"""``torch.functional``: operations that PyTorch's own documentation also names under this path."""

from .autograd import PUBLIC as _PUBLIC

_NAMES = (
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "broadcast_shapes", "broadcast_tensors", "cartesian_prod",
    "cdist", "chain_matmul", "einsum", "meshgrid", "norm", "split", "stft", "istft", "tensordot", "unique",
    "unique_consecutive", "unravel_index",
)  # fmt: skip

globals().update({name: _PUBLIC[name] for name in _NAMES if name in _PUBLIC})

__all__ = [name for name in _NAMES if name in _PUBLIC]
