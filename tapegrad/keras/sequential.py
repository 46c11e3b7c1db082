"""Sequential: layers one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import Tensor, get_default_dtype
from ..autograd.ops.create import tensor
from . import layers as known_layers
from .layers.base import InputLayer, Layer, Shape, Weight
from .table import write
from .training import Trainer

__all__ = ["Sequential"]


class Sequential(Trainer, Layer):
    """A model of layers, each fed with the result of the one before.

    Args:
        layers: the layers in order; an ``Input`` may come first and builds them at once, else the first data does.
        trainable: whether training moves the weights.
        name: shown for it.

    >>> from tapegrad.keras import Input, Sequential
    >>> from tapegrad.keras.layers import Dense
    >>> model = Sequential([Input(shape=(4,)), Dense(8, activation="relu"), Dense(1)])
    >>> model.count_params()
    49
    """

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(name=name, trainable=trainable)
        self.stack: list[Layer] = []
        self.input_layer: InputLayer | None = None
        self._reset_training()
        for layer in layers or ():
            self.add(layer)

    # The list of layers

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without an ``Input``."""
        return list(self.stack)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this place.

        Raises:
            ValueError: there is none.
        """
        found = [x for x in self.stack if x.name == name] if index is None else self.stack[index : index + 1]
        if not found:
            raise ValueError(f"no layer name={name!r} index={index!r}; the layers are {[x.name for x in self.stack]}")
        return found[0]

    def add(self, layer: Any) -> None:
        """Put a layer behind the others; in a built model it is built at once.

        Raises:
            TypeError: not a layer of ``tapegrad.keras.layers``. ValueError: an ``Input`` that is not first, or a name
                twice.
        """
        if not isinstance(layer, Layer):
            raise TypeError(
                f"Sequential.add: needs a layer of tapegrad.keras.layers, got {type(layer).__name__}; "
                "modules of tapegrad.nn go into tapegrad.nn.Sequential"
            )
        if isinstance(layer, InputLayer):
            if self.stack or self.input_layer is not None:
                raise ValueError("Sequential.add: an Input must come first, and alone")
            self.input_layer, self.given_shape = layer, layer.given_shape
            return
        if any(layer.name == other.name for other in self.stack):
            raise ValueError(f"Sequential.add: there is a layer called {layer.name!r} already; give another name=")
        if not self.stack and self.given_shape is None and layer.given_shape is not None:
            self.given_shape = layer.given_shape
        if not self.stack:
            self.takes = layer.takes
        self.stack.append(layer)
        self.add_module(layer.name.replace(".", "_"), layer)
        if self.built:
            self.output_shape = layer.ensure_built(self.output_shape)
        elif self.given_shape is not None:
            self.ensure_built(self.given_shape)
        self._forget_optimizer()

    def pop(self) -> Layer | None:
        """Take the last layer away; returns it, or None where there is none."""
        if not self.stack:
            return None
        layer = self.stack.pop()
        delattr(self, layer.name.replace(".", "_"))
        if self.built:
            self.output_shape = self.stack[-1].output_shape if self.stack else self.input_shape
            self.built = bool(self.stack)
        self._forget_optimizer()
        return layer

    # Building and running

    def build(self, input_shape: Any = None) -> None:
        """Make all weights for inputs of this shape, whose first entry is the batch."""
        if input_shape is None:
            raise ValueError(f"{self.name}.build: give the shape of the input, such as (None, 784)")
        if not self.stack:
            raise ValueError(f"{self.name}: there are no layers yet; add one first")
        shape: Shape = (None, *tuple(input_shape)[1:])
        if self.given_shape is not None and not _fits(self.given_shape, shape):
            raise ValueError(f"{self.name}: declared for inputs {self.given_shape}, but given {shape}")
        self.input_shape, step = shape, shape
        for layer in self.stack:
            step = layer.ensure_built(step)
        self.built, self.output_shape = True, step
        if not self._trainable:
            self.trainable = False

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        for layer in self.stack:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def call(self, inputs: Tensor) -> Tensor:
        for layer in self.stack:
            inputs = layer(inputs)
        return inputs

    def _input(self, x: Any) -> Tensor:
        """A batch where the weights are, of the type that the first layer wants; builds the model."""
        if not self.built:
            self.ensure_built(x.shape if hasattr(x, "shape") else np.shape(x))
        first = next(self.parameters(), None)
        place = None if first is None else first.device
        made = x if isinstance(x, Tensor) else tensor(x, device=place)
        if place is not None:
            made = made.to(device=place)
        return made if self.takes == "int" or made.dtype == get_default_dtype() else made.to(get_default_dtype())

    # Weights

    @property
    def weights(self) -> list[Weight]:
        """All weights of all layers."""
        return [w for layer in self.stack for w in layer.weights]

    @property
    def trainable(self) -> bool:
        """Whether training moves the weights; setting it sets it for all layers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.__dict__["_trainable"] = bool(value)
        if self.built:
            for layer in self.stack:
                if not value or not layer._trainable:
                    layer.trainable = value

    def penalties(self) -> list[Tensor]:
        """What the layers' regularisers add to the loss."""
        return [p for layer in self.stack for p in layer.penalties()]

    def summary(self, line_length: int | None = None, print_fn: Any = None) -> None:
        """Print the layers with their shapes and numbers of weights, as Keras does.

        Args:
            line_length: columns; without as many as the terminal has, 88 at most.
            print_fn: is given the text in place of ``print``.
        """
        (print_fn or print)(write(self, line_length))

    # Saved form

    def get_config(self) -> dict[str, Any]:
        """Name and layers, as JSON can hold them."""
        shape = self.input_shape or self.given_shape
        return {
            "name": self.name, "build_input_shape": None if shape is None else list(shape),
            "layers": [{"class_name": type(x).__name__, "config": x.get_config()} for x in self.stack],
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, type] | None = None) -> Sequential:
        """The model that ``get_config`` described, with new weights.

        Raises:
            ValueError: a layer's class is unknown.
        """
        made = cls(name=config.get("name"))
        for entry in config["layers"]:
            made.add(_layer_of(entry, custom_objects or {}))
        if config.get("build_input_shape"):
            made.ensure_built(config["build_input_shape"])
        return made

    def save(self, filepath: Any, overwrite: bool = True) -> None:
        """Write architecture, weights and optimizer to one file; see ``saving.save_model``."""
        from .saving import save_model

        save_model(self, filepath, overwrite)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights as safetensors; see ``saving.save_weights``."""
        from .saving import save_weights

        save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: Any) -> None:
        """Read what ``save_weights`` or ``save`` wrote; see ``saving.load_weights``."""
        from .saving import load_weights

        load_weights(self, filepath)

    def to_json(self) -> str:
        """The architecture as JSON."""
        import json

        return json.dumps({"class_name": "Sequential", "config": self.get_config()})


def _fits(declared: Shape, given: Shape) -> bool:
    return len(declared) == len(given) and all(d is None or d == g for d, g in zip(declared[1:], given[1:]))


def _layer_of(entry: dict[str, Any], custom: dict[str, type]) -> Layer:
    name = entry["class_name"]
    if name == "Sequential":
        return Sequential.from_config(entry["config"], custom)
    cls: Any = custom.get(name) or (getattr(known_layers, name, None) if name in known_layers.__all__ else None)
    if cls is None or not issubclass(cls, Layer):
        raise ValueError(f"unknown layer class {name!r}; hand it over in custom_objects={{{name!r}: ...}}")
    made: Layer = cls.from_config(entry["config"])
    return made
