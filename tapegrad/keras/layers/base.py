"""What all layers share: building from a shape, weights in Keras's layout, names, saved form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np

from ...autograd import Tensor, get_default_dtype, no_grad
from ...autograd.ops.create import tensor
from ...nn import Module
from .. import activations, initializers, regularizers

__all__ = ["Input", "InputLayer", "Layer", "Shape", "Weight", "clear_names", "name_for"]

Shape = tuple[int | None, ...]

_COUNTS: Counter[str] = Counter()


def clear_names() -> None:
    """Count layers and models from the beginning again."""
    _COUNTS.clear()


def name_for(cls: type) -> str:
    """The next free name for a class: Dense -> dense, dense_1 …; MaxPooling2D -> max_pooling2d; LSTM -> lstm."""
    words = re.findall(r"[A-Z]+(?![a-z])(?:\d+[A-Z]?)?|[A-Z][a-z]*(?:\d+[A-Z]?)?", cls.__name__)
    stem = "_".join(words).lower() or cls.__name__.lower()
    _COUNTS[stem] += 1
    return stem if _COUNTS[stem] == 1 else f"{stem}_{_COUNTS[stem] - 1}"


def _same(*arrays: np.ndarray) -> np.ndarray:
    return arrays[0]


def _alone(array: np.ndarray) -> tuple[np.ndarray, ...]:
    return (array,)


class Weight:
    """One weight as Keras counts and lays it out, over one or more of the tensors underneath.

    Args:
        name: "kernel", "bias" ….
        tensors: what holds the numbers.
        shape: in Keras's layout.
        read: from the tensors' arrays to Keras's.
        write: from Keras's array to the tensors'.
        learned: whether training moves it (else a statistic).
    """

    def __init__(
        self, name: str, tensors: tuple[Tensor, ...], shape: tuple[int, ...],
        read: Callable[..., np.ndarray] = _same, write: Callable[[np.ndarray], tuple[np.ndarray, ...]] = _alone,
        learned: bool = True,
    ) -> None:  # fmt: skip
        self.name, self.tensors, self.shape, self.learned = name, tensors, tuple(shape), learned
        self._read, self._write = read, write

    def numpy(self) -> np.ndarray:
        """A copy in Keras's layout."""
        return np.array(self._read(*[t.detach().cpu().numpy() for t in self.tensors]))

    def assign(self, value: Any) -> None:
        """Set it from an array in Keras's layout.

        Raises:
            ValueError: another shape.
        """
        array = np.asarray(value)
        if array.shape != self.shape:
            raise ValueError(f"{self.name}: its shape is {self.shape}, the value's {array.shape}")
        with no_grad():
            for into, part in zip(self.tensors, self._write(array), strict=True):
                into.copy_(tensor(np.ascontiguousarray(part), dtype=into.dtype))

    @property
    def trainable(self) -> bool:
        """Whether training moves it."""
        return self.learned and any(t.requires_grad for t in self.tensors)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """Its bytes in memory."""
        return self.size * int(self.tensors[0].element_size())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def __repr__(self) -> str:
        return f"<Weight {self.name} shape={self.shape} trainable={self.trainable}>"


class Layer(Module):
    """Base of all layers: a subclass defines ``call`` and, where it has weights, ``build``.

    Args:
        name: unique in its model; made from the class by default.
        trainable: whether training moves the weights.
        input_shape: without the batch; builds the layer at once.
        input_dim: the same for one dimension.
        dtype: None or the default element type; another one is not possible.
        kwargs: what no layer knows is refused.

    Raises:
        TypeError: an unknown argument. ValueError: another element type.

    Attributes:
        built: whether the weights are there.
        output_shape: with None for the batch, once built.
    """

    # What the layer wants of the data of a model's input: "float", or "int" for an embedding.
    takes: Any = "float"

    def __init__(
        self, name: str | None = None, trainable: bool = True, input_shape: Any = None, input_dim: int | None = None,
        dtype: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        if dtype is not None and str(dtype).removeprefix("tapegrad.") != str(get_default_dtype().numpy):
            raise ValueError(
                f"{type(self).__name__}: dtype={dtype!r} is not possible for one layer; "
                "tapegrad.set_default_dtype sets that of all"
            )
        if kwargs:
            raise TypeError(f"{type(self).__name__}: unknown argument {next(iter(kwargs))!r}")
        self.name = name or name_for(type(self))
        self.built = False
        self.input_shape: Shape | None = None
        self.output_shape: Shape | None = None
        self._weights: list[Weight] = []
        self._penalties: list[tuple[Weight, Any]] = []
        self._trainable = trainable
        if input_dim is not None:
            input_shape = (input_dim,)
        self.given_shape: Shape | None = None if input_shape is None else (None, *input_shape)

    # What a subclass defines

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of this shape, whose first entry, the batch, is None."""

    def call(self, inputs: Any) -> Any:
        """The layer's function; ``self.training``, or an argument ``training``, says whether it is training."""
        raise NotImplementedError(f"{type(self).__name__} does not define call(inputs)")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the result for inputs of this shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the layer again, as JSON can hold them."""
        return {"name": self.name, "trainable": self._trainable}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The layer that ``get_config`` described."""
        return cls(**config)

    # Building and running

    def ensure_built(self, input_shape: Any) -> Shape:
        """Build once; returns the output's shape."""
        shape: Shape = (None, *tuple(input_shape)[1:])
        if not self.built:
            self.build(shape)
            self.built, self.input_shape = True, shape
            self.trainable = self._trainable
            self.output_shape = tuple(self.compute_output_shape(shape))
            return self.output_shape
        return tuple(self.compute_output_shape(shape))

    def forward(self, inputs: Any, training: bool | None = None) -> Any:
        if training is not None and training != self.training:
            was = [(module, module.training) for module in self.modules()]
            self.train(training)
            try:
                return self.forward(inputs)
            finally:
                for module, mode in was:
                    module.training = mode
        inputs = self._input(inputs)
        if not self.built:
            self.ensure_built(inputs.shape)
        call: Any = self.call
        return call(inputs, training=self.training) if self._told else call(inputs)

    def _input(self, inputs: Any) -> Tensor:
        return inputs if isinstance(inputs, Tensor) else tensor(np.asarray(inputs))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._told = "training" in signature(cls.call).parameters

    # Whether ``call`` takes the argument ``training``, as a layer of the user's own may.
    _told = False

    # Weights

    def add_weight(
        self, shape: Any, initializer: Any = "glorot_uniform", name: str = "weight", trainable: bool = True
    ) -> Tensor:
        """A parameter of a layer of the user's own, used as ``self.<name>``; a layer's ``build`` calls this.

        Returns:
            The parameter.
        """
        from ...nn import Parameter

        made = Parameter(tensor(initializers.get(initializer)(tuple(shape))), requires_grad=trainable)
        self.register_parameter(name, made)
        self._weights.append(Weight(name, (made,), tuple(shape), learned=trainable))
        return made

    def _own(self, weight: Weight, initializer: Any, regularizer: Any = None) -> None:
        """Count a weight, draw it, and note its penalty."""
        weight.assign(initializer(weight.shape))
        self._weights.append(weight)
        if regularizer is not None:
            self._penalties.append((weight, regularizer))

    @property
    def weights(self) -> list[Weight]:
        """All weights, learned ones and statistics."""
        return list(self._weights)

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights that training moves."""
        return [w for w in self.weights if w.trainable]

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The weights that it does not."""
        return [w for w in self.weights if not w.trainable]

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights in Keras's layout."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Set all weights from arrays in Keras's layout.

        Raises:
            ValueError: another number of arrays, or another shape.
        """
        own, given = self.weights, list(weights)
        if len(own) != len(given):
            raise ValueError(f"{self.name}.set_weights: the layer has {len(own)} weights, got {len(given)} arrays")
        for w, value in zip(own, given, strict=True):
            if np.shape(value) != w.shape:
                raise ValueError(f"{self.name}.set_weights: {w.name} has shape {w.shape}, got {np.shape(value)}")
        for w, value in zip(own, given, strict=True):
            w.assign(value)

    @property
    def trainable(self) -> bool:
        """Whether training moves the weights; can be set."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.__dict__["_trainable"] = bool(value)
        for w in self._weights:
            if w.learned:
                for t in w.tensors:
                    t.requires_grad_(bool(value))

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "trainable":  # the module's own table of attributes would pass the property by
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        for weight in self.__dict__.get("_weights", ()):
            if weight.name == name:  # layer.kernel, layer.bias ...
                return weight
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    @property
    def losses(self) -> list[Tensor]:
        """What the regularisers add to the loss, each by itself."""
        return self.penalties()

    def count_params(self) -> int:
        """The number of elements in all weights.

        Raises:
            ValueError: the layer is not built.
        """
        if not self.built:
            raise ValueError(f"{self.name}: not built yet, so its weights cannot be counted; call it or give a shape")
        return sum(w.size for w in self.weights)

    def penalties(self) -> list[Tensor]:
        """What the regularisers add to the loss."""
        return [sum((penalty(t) for t in w.tensors), start=tensor(0.0)) for w, penalty in self._penalties]

    def extra_repr(self) -> str:
        return f"name={self.name!r}"


class InputLayer(Layer):
    """Holds the shape of the data; ``Input`` makes it."""

    def __init__(self, shape: Any = None, batch_size: int | None = None, dtype: Any = None, name: Any = None) -> None:
        super().__init__(name)
        if shape is None:
            raise ValueError("Input: give shape=, the shape of one example, such as (784,)")
        self.shape, self.batch_size, self.dtype = tuple(shape), batch_size, dtype
        self.given_shape = (None, *self.shape)

    def call(self, inputs: Tensor) -> Tensor:
        return inputs

    def get_config(self) -> dict[str, Any]:
        dtype = None if self.dtype is None else str(self.dtype)
        return {"shape": list(self.shape), "batch_size": self.batch_size, "dtype": dtype, "name": self.name}


def Input(shape: Any = None, batch_size: int | None = None, dtype: Any = None, name: str | None = None) -> InputLayer:
    """The shape of one example, as the first entry of a ``Sequential``.

    Args:
        shape: without the batch, such as (784,) or (28, 28, 1).
        batch_size, dtype: kept, and count for nothing.
        name: of the layer.

    Raises:
        ValueError: no shape.
    """
    return InputLayer(shape, batch_size, dtype, name)


def saved(thing: Any) -> Any:
    """An initialiser or regulariser as JSON can hold it; None stays None."""
    if thing is None:
        return None
    if not hasattr(thing, "get_config"):
        raise ValueError(f"{thing!r} cannot be saved: it has no get_config(); use a named initializer or regularizer")
    return {"class_name": type(thing).__name__, "config": thing.get_config()}


class Weighted(Layer):
    """A layer with a kernel, a bias and an activation: what ``Dense`` and ``Conv2D`` share."""

    def __init__(
        self, activation: Any = None, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)

    def pre_activation(self, inputs: Tensor) -> Tensor:
        """The result before the activation."""
        raise NotImplementedError(f"{type(self).__name__} does not define pre_activation(inputs)")

    def call(self, inputs: Tensor) -> Tensor:
        return self.activation(self.pre_activation(inputs))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "activation": activations.name_of(self.activation), "use_bias": self.use_bias,
            "kernel_initializer": saved(self.kernel_initializer), "bias_initializer": saved(self.bias_initializer),
            "kernel_regularizer": saved(self.kernel_regularizer), "bias_regularizer": saved(self.bias_regularizer),
        }  # fmt: skip
