"""Edges of the tape: outputs of steps, and leaves, without the tensors there."""

from __future__ import annotations

from typing import Any, NamedTuple

from .node import Node, shown
from .tensor import Tensor

__all__ = ["GradientEdge", "get_gradient_edge", "node_of"]


class GradientEdge(NamedTuple):
    """An output of a step, or a leaf: what ``backward`` and ``grad`` take in place of a tensor.

    Attributes:
        node: the step, or the leaf's node.
        output_nr: the number of the output.
        ownership_token: what keeps the edge usable; not for users.
    """

    node: Node
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge at which the gradient of a tensor arrives; unlike the tensor it keeps no values alive.

    Raises:
        RuntimeError: the tensor does not require grad.
    """
    node = tensor._current()
    if node is None:
        raise RuntimeError("get_gradient_edge: this tensor does not require grad")
    return GradientEdge(*shown(node), node)


def node_of(edge: GradientEdge) -> Node:
    """The node that stands for an edge."""
    node: Node = edge.node if edge.ownership_token is None else edge.ownership_token
    return node
