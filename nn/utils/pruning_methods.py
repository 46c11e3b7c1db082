"""How the masks of pruning are found; see `prune`."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from ...autograd import Tensor
from ...autograd.ops.factories import ones_like, zeros_like
from ...autograd.ops.random import rand, rand_like
from ..module import Module

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer",
    "RandomStructured", "RandomUnstructured", "methods_of",
]  # fmt: skip


class BasePruningMethod(ABC):
    """How a mask is found; a subclass defines ``compute_mask`` and ``PRUNING_TYPE``.

    Attributes:
        PRUNING_TYPE: "unstructured" (single elements), "structured" (whole slices along ``dim``) or "global". It says
            what a second method still sees of a parameter that is pruned already.
    """

    PRUNING_TYPE: str
    _tensor_name: str

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of a tensor, of its shape; where ``default_mask`` is 0 it must be 0 too."""

    def apply_mask(self, module: Module) -> Tensor:
        """The kept parameter times its mask."""
        original = getattr(module, self._tensor_name + "_orig")
        made: Tensor = getattr(module, self._tensor_name + "_mask").to(original.dtype) * original
        return made

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prune the parameter ``name`` of a module, on top of what has been pruned of it before.

        Args:
            module, name: whose, and which.
            args, kwargs: of the method.
            importance_scores: of the parameter's shape, looked at in its place.

        Returns:
            The method; a ``PruningContainer`` where there was one before.

        Raises:
            AssertionError: scores of another shape.
        """
        new = cls(*args, **kwargs)
        new._tensor_name = name
        earlier = methods_of(module, name)
        original = getattr(module, name + "_orig" if earlier else name)
        if importance_scores is not None and importance_scores.shape != original.shape:
            raise AssertionError(
                f"prune: importance_scores have shape {list(importance_scores.shape)}, '{name}' {list(original.shape)}"
            )
        method: BasePruningMethod = PruningContainer(*earlier.values(), new) if earlier else new
        before = getattr(module, name + "_mask").detach().clone() if earlier else ones_like(original)
        mask = method.compute_mask(original if importance_scores is None else importance_scores, before)
        for key in earlier:
            del module._forward_pre_hooks[key]
        if not earlier:
            delattr(module, name)
            module.register_parameter(name + "_orig", original)
        module.register_buffer(name + "_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """A tensor with zeros where the method prunes it.

        Raises:
            AssertionError: scores of another shape.
        """
        if importance_scores is not None and importance_scores.shape != t.shape:
            raise AssertionError(
                f"prune: importance_scores have shape {list(importance_scores.shape)}, t {list(t.shape)}"
            )
        mask = ones_like(t) if default_mask is None else default_mask
        made: Tensor = t * self.compute_mask(t if importance_scores is None else importance_scores, mask)
        return made

    def remove(self, module: Module) -> None:
        """Make the pruned tensor the parameter again; the hook is left to the caller."""
        name = self._tensor_name
        pruned, original = self.apply_mask(module), module._parameters[name + "_orig"]
        assert original is not None
        delattr(module, name)
        del module._parameters[name + "_orig"], module._buffers[name + "_mask"]
        original.data = pruned.detach()
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Several methods, one after another on one parameter.

    Args:
        args: the methods; of one parameter all.
    """

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        for method in args:
            for one in method if isinstance(method, PruningContainer) else (method,):
                self._tensor_name = getattr(self, "_tensor_name", one._tensor_name)
                self.add_pruning_method(one)

    def add_pruning_method(self, method: BasePruningMethod | None) -> None:
        """Put a method at the end.

        Raises:
            TypeError: no method. ValueError: it is of another parameter.
        """
        if not isinstance(method, BasePruningMethod) and method is not None:
            raise TypeError(f"{type(method).__name__} is not a BasePruningMethod")
        if method is not None:
            name = getattr(self, "_tensor_name", method._tensor_name)
            if method._tensor_name != name:
                raise ValueError(f"a container of methods for '{name}' takes none for '{method._tensor_name}'")
            self._tensor_name = name
            self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, index: Any) -> Any:
        return self._pruning_methods[index]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of the last method on what the earlier ones have left.

        Raises:
            ValueError: an unknown ``PRUNING_TYPE``.
        """
        last = self._pruning_methods[-1]
        left: Any
        if last.PRUNING_TYPE == "unstructured":
            left = default_mask == 1
        elif last.PRUNING_TYPE == "structured":
            dim = last.dim % t.ndim  # type: ignore[attr-defined]
            others = [d for d in range(t.ndim) if d != dim]
            left = (*[slice(None)] * dim, default_mask.sum(others) != 0)
        elif last.PRUNING_TYPE == "global":
            left = (slice(None),) * t.ndim
        else:
            raise ValueError(f"{type(last).__name__}: unknown PRUNING_TYPE {last.PRUNING_TYPE!r}")
        mask = default_mask.detach().clone()
        mask[left] = last.compute_mask(t[left].detach(), default_mask[left]).to(mask.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing, but gives the parameter its mask."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask as it was."""
        return default_mask


class RandomUnstructured(BasePruningMethod):
    """Prunes elements drawn at random.

    Args:
        amount: how many, or which share of them.
    """

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: float) -> None:
        _check_amount(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask with the drawn elements at 0."""
        return _without(default_mask, rand_like(t), _count(self.amount, t.numel()), largest=True)


class L1Unstructured(BasePruningMethod):
    """Prunes the elements of the smallest absolute values.

    Args:
        amount: how many, or which share of them.
    """

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: float) -> None:
        _check_amount(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask with the smallest elements at 0."""
        return _without(default_mask, t.abs(), _count(self.amount, t.numel()), largest=False)


class RandomStructured(BasePruningMethod):
    """Prunes slices drawn at random.

    Args:
        amount: how many, or which share of them.
        dim: along which dimension they lie.
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        _check_amount(amount)
        self.amount, self.dim = amount, dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask with the drawn slices at 0."""
        size = _slices(t, self.dim)
        count = _count(self.amount, size)
        if count == 0:
            return default_mask
        drawn = rand(size)
        return default_mask * _along(drawn > drawn.kthvalue(count).values, t, self.dim).to(default_mask.dtype)


class LnStructured(BasePruningMethod):
    """Prunes the slices of the smallest norms.

    Args:
        amount: how many, or which share of them.
        n: the order of the norm, as `norm` takes it.
        dim: along which dimension they lie.
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        _check_amount(amount)
        self.amount, self.n, self.dim = amount, n, dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask with the smallest slices at 0."""
        size = _slices(t, self.dim)
        count = _count(self.amount, size)
        if count == 0:
            return default_mask
        norms = t.norm(p=self.n, dim=[d for d in range(t.ndim) if d != self.dim % t.ndim])
        kept = zeros_like(norms, requires_grad=False)
        kept[norms.topk(size - count).indices] = 1
        return default_mask * _along(kept, t, self.dim).to(default_mask.dtype)


class CustomFromMask(BasePruningMethod):
    """Prunes by a given mask.

    Args:
        mask: zeros and ones.
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Both masks together."""
        return default_mask * self.mask.to(default_mask.dtype)


def methods_of(module: Module, name: str) -> dict[int, BasePruningMethod]:
    """The hooks that prune a parameter, by their numbers."""
    hooks = module._forward_pre_hooks
    return {k: h for k, h in hooks.items() if isinstance(h, BasePruningMethod) and h._tensor_name == name}


def _check_amount(amount: Any) -> None:
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"prune: amount must be a number, not {type(amount).__name__}")
    if float(amount) < 0 or (not isinstance(amount, numbers.Integral) and float(amount) > 1):
        raise ValueError(f"prune: amount must be a count, or a share between 0 and 1; got {amount}")


def _count(amount: float, size: int) -> int:
    """How many of ``size`` things an amount is.

    Raises:
        ValueError: more than there are.
    """
    if not isinstance(amount, numbers.Integral):
        return round(float(amount) * size)
    if int(amount) > size:
        raise ValueError(f"prune: amount {amount} is more than there are to prune, {size}")
    return int(amount)


def _slices(t: Tensor, dim: int) -> int:
    """How many slices a tensor has along a dimension.

    Raises:
        ValueError: fewer than two dimensions. IndexError: no such dimension.
    """
    if t.ndim < 2:
        raise ValueError(f"prune: a structured method needs two dimensions or more, got shape {list(t.shape)}")
    if not -t.ndim <= dim < t.ndim:
        raise IndexError(f"prune: dim {dim} is none of the {t.ndim} of shape {list(t.shape)}")
    return t.shape[dim]


def _along(kept: Tensor, t: Tensor, dim: int) -> Tensor:
    """A number for each slice, for all elements of a tensor."""
    shape = [1] * t.ndim
    shape[dim] = t.shape[dim]
    return kept.reshape(shape).expand(t.shape)


def _without(mask: Tensor, scores: Tensor, count: int, *, largest: bool) -> Tensor:
    """A mask with zeros also where the scores are the largest or smallest ``count``."""
    flat = mask.detach().clone().reshape(-1)
    if count:
        flat[scores.detach().reshape(-1).topk(count, largest=largest).indices] = 0
    return flat.reshape(mask.shape)
