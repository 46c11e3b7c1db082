"""Methods of Tensor that are no operations of the package: operators, casts, filling, questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...backends import dtypes
from .. import hooks, printing, record
from ..backward import tensor_backward
from ..batching.randomness import draw
from ..grad_mode import is_inference
from ..layouts import strided as strided_layout
from ..names import named
from ..node import shown
from ..placing import filled
from ..promote import fitting
from ..rule import P
from ..tensor import Tensor
from ..writes import overwrite, write
from . import arith, create, factories, histograms, index, interop, linalg, move, pinned, shape, shared
from .memory_order import CHANNELS_LAST, in_memory_order, is_in_order, strides_of
from .sources import source_of

__all__ = ["METHODS"]


def _cast(dtype: dtypes.dtype) -> Callable[[Tensor], Tensor]:
    return lambda self: move.to(self, dtype=dtype)


def _zero_(input: Tensor) -> Tensor:
    """Set every element to 0."""
    return input if filled(input, 0) else _filled(write("zero_", input, overwrite, 0), "ZeroBackward0")


def _fill_(self: Tensor, value: Any) -> Tensor:
    """Set every element to ``value``, a number or a tensor without dimensions.

    Raises:
        RuntimeError: a tensor with dimensions, or a number that the type cannot hold.
    """
    if not isinstance(value, Tensor):
        value = fitting("fill_", value, self.dtype)
        if type(value) is float and self._array.dtype.char in "fd" and filled(self, value):
            return self
    elif value.ndim:
        raise RuntimeError(f"fill_: value must be a number or have no dimensions, got shape {list(value.shape)}")
    return _filled(write("fill_", self, overwrite, value), f"FillBackward{3 if isinstance(value, Tensor) else 2}")


def _filled(target: Tensor, name: str) -> Tensor:
    return target if target._view is not None else named(target, name)


def _uniform_(self: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with uniform random numbers between ``a`` and ``b``."""
    draws, kind = source_of(self, generator).uniform, self._array.dtype
    make = in_memory_order(self, lambda s: draws(s, a, b, dtype=kind))
    made = draw("uniform_", self._array.shape, lambda s: create.finish(make(s), None, self.device, False))
    return write("uniform_", self, overwrite, made)


def _normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with normal random numbers."""
    draws, kind = source_of(self, generator).normal, self._array.dtype
    dense = self.is_contiguous()
    make = in_memory_order(self, lambda s: draws(s, mean, std, dtype=kind, contiguous=dense))
    made = draw("normal_", self._array.shape, lambda s: create.finish(make(s), None, self.device, False))
    return write("normal_", self, overwrite, made)


def _new(self: Tensor, *args: Any, device: Any = None) -> Tensor:
    """A tensor of this type and device from sizes or data, as PyTorch's constructors of old."""
    made: Tensor = record.GLOBALS["legacy"]("new", args, self.dtype, self._device if device is None else device)
    return made


def _is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements lie in memory side by side, row by row or in a memory format."""
    if memory_format is None or memory_format not in CHANNELS_LAST:
        contiguous: bool = self._array.flags.c_contiguous
        return contiguous
    order = CHANNELS_LAST[memory_format]
    return self._array.ndim == len(order) and is_in_order(self._array, order)


def _swapped(function: Callable[..., Any]) -> Callable[[Tensor, Any], Any]:
    return lambda self, other: function(other, self)


METHODS: dict[str, Any] = {
    "__add__": P.add, "__radd__": interop.or_not_implemented(_swapped(P.add)), "__sub__": P.sub,
    "__rsub__": arith.rsub, "__mul__": P.mul, "__rmul__": interop.or_not_implemented(_swapped(P.mul)),
    "__truediv__": P.div, "__rtruediv__": arith.rdiv,
    "__rdiv__": arith.rdiv,
    "__floordiv__": P.floor_divide, "__rfloordiv__": _swapped(P.floor_divide), "__mod__": P.remainder,
    "__rmod__": _swapped(P.remainder), "__pow__": arith.pow, "__rpow__": _swapped(arith.pow),
    "__matmul__": interop.or_not_implemented(linalg.matmul),
    "__rmatmul__": interop.or_not_implemented(_swapped(linalg.matmul)), "__neg__": P.neg, "__abs__": P.abs,
    "__rand__": _swapped(P.bitwise_and), "__ror__": _swapped(P.bitwise_or), "__rxor__": _swapped(P.bitwise_xor),
    "__lshift__": P.bitwise_left_shift, "__rshift__": P.bitwise_right_shift,
    "__rlshift__": _swapped(P.bitwise_left_shift), "__rrshift__": _swapped(P.bitwise_right_shift),
    "__and__": P.bitwise_and, "__or__": P.bitwise_or, "__xor__": P.bitwise_xor,
    "__getitem__": index.getitem, "__setitem__": index.setitem, "__repr__": printing.text,
    "__iadd__": lambda self, other: self.add_(other),
    "__ilshift__": lambda self, other: self.bitwise_left_shift_(other),
    "__irshift__": lambda self, other: self.bitwise_right_shift_(other),
    "__iand__": lambda self, other: self.bitwise_and_(other), "__ior__": lambda self, other: self.bitwise_or_(other),
    "__ixor__": lambda self, other: self.bitwise_xor_(other), "__imod__": lambda self, other: self.remainder_(other),
    "__ifloordiv__": lambda self, other: self.floor_divide_(other),
    "__isub__": lambda self, other: self.sub_(other), "__imul__": lambda self, other: self.mul_(other),
    "__itruediv__": lambda self, other: self.div_(other), "__ipow__": lambda self, other: self.pow_(other),
    "backward": tensor_backward, "retain_grad": hooks.retain_grad, "register_hook": hooks.register_hook,
    "register_post_accumulate_grad_hook": hooks.register_post_accumulate_grad_hook,
    "zero_": _zero_, "fill_": _fill_, "copy_": pinned.copy_, "uniform_": _uniform_, "normal_": _normal_,
    "type": move.type_,
    "float": _cast(dtypes.float32), "double": _cast(dtypes.float64), "half": _cast(dtypes.float16),
    "bfloat16": _cast(dtypes.bfloat16), "long": _cast(dtypes.int64), "int": _cast(dtypes.int32),
    "short": _cast(dtypes.int16), "byte": _cast(dtypes.uint8), "bool": _cast(dtypes.bool_),
    "type_as": lambda self, other: move.to(self, other.dtype),
    "size": lambda self, dim=None: self.shape if dim is None else self._array.shape[dim],
    "dim": lambda self: self._array.ndim, "numel": lambda self: int(self._array.size),
    "nelement": lambda self: int(self._array.size), "element_size": lambda self: self._array.itemsize,
    "stride": lambda self, dim=None: strides_of(self) if dim is None else strides_of(self)[dim],
    "is_contiguous": _is_contiguous,
    "is_floating_point": lambda self: self.dtype.is_floating_point, "is_complex": lambda self: self.dtype.is_complex,
    "data_ptr": lambda self: move.address(self._array),
    "view_as": lambda self, other: shape.view(self, *other._array.shape),
    "reshape_as": lambda self, other: shape.reshape(self, *other._array.shape),
    "expand_as": lambda self, other: shape.expand(self, *other._array.shape),
    "new_zeros": factories.new_zeros, "new_ones": factories.new_ones, "new_empty": factories.new_empty,
    "new_full": factories.new_full, "new_empty_strided": histograms.new_empty_strided,
    "new_tensor": factories.new_tensor, "new": _new,
    "is_nonzero": interop.METHODS["__bool__"], "is_signed": lambda self: self.dtype.is_signed,
    "ndimension": lambda self: self._array.ndim, "get_device": lambda self: self._device.index or (
        0 if self._device.type == "cuda" else -1),
    "is_inference": is_inference, "is_pinned": pinned.is_pinned,
    "pin_memory": pinned.pin_memory, "is_shared": shared.is_shared,
    "share_memory_": shared.share_memory_, "is_same_size": lambda self, other: self.shape == other.shape,
    "is_set_to": lambda self, tensor: self._array is tensor._array or (
        self.data_ptr() == tensor.data_ptr() and strides_of(self) == strides_of(tensor) and self.shape == tensor.shape),
    "storage_offset": lambda self: move.storage_offset(self),
    "char": _cast(dtypes.int8), "cfloat": _cast(dtypes.complex64), "cdouble": _cast(dtypes.complex128),
    "itemsize": property(lambda self: self._array.itemsize), "nbytes": property(lambda self: self._array.nbytes),
    "layout": property(lambda self: strided_layout), "is_sparse": property(lambda self: False),
    "is_cpu": property(lambda self: self._device.type == "cpu"), "is_quantized": property(lambda self: False),
    "is_meta": property(lambda self: False), "is_mps": property(lambda self: False),
    "retains_grad": property(hooks.retains_grad),
    "T": property(lambda self: named(shape.permute(self, *reversed(range(self.ndim))), "PermuteBackward0")),
    "mT": property(shape.matrix_transpose),
    "is_cuda": property(lambda self: self._device.type == "cuda"),
    "output_nr": property(lambda self: 0 if self.grad_fn is None else shown(self._node)[1]),
    "names": property(lambda self: (None,) * self.ndim), "where": index.where_method,
}  # fmt: skip
