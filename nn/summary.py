"""A model as a table: layers, shapes, parameters, multiplications, memory; laid out as torchinfo does."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ..autograd import Tensor, no_grad
from ..autograd.ops.create import tensor
from ..autograd.tree import flatten
from ..backends import dtypes
from ..backends.random import Generator
from .module import Module

__all__ = ["ModelSummary", "summary"]

TITLES = {
    "input_size": "Input Shape", "output_size": "Output Shape", "num_params": "Param #", "params_percent": "Param %",
    "kernel_size": "Kernel Shape", "mult_adds": "Mult-Adds", "trainable": "Trainable",
}  # fmt: skip
# Rows of a weight that is used at each place of the result, not once for an example.
_CONVOLUTIONS, _RECURRENT = ("Conv",), ("RNN", "LSTM", "GRU")


class Row:
    """One call of a module (or one module, where nothing is run)."""

    def __init__(self, module: Module, name: str, depth: int, repeated: bool) -> None:
        self.module, self.name, self.depth, self.repeated = module, name, depth, repeated
        self.index = 0
        self.input_shape: list[int] | None = None
        self.output_shape: list[int] | None = None
        self.output_bytes = 0
        self.children: list[Row] = []
        self.own = sum(p.numel() for p in module.parameters(recurse=False))
        self.all = sum(p.numel() for p in module.parameters())

    def walk(self) -> Iterator[Row]:
        """The row and all below it, in their order on the page."""
        yield self
        for child in self.children:
            yield from child.walk()

    def mult_adds(self) -> int:
        """Multiplications with the module's own parameters, biases among them."""
        out = self.output_shape
        if self.children or not self.own or not out:
            return 0
        kind = type(self.module).__name__
        if any(word in kind for word in _RECURRENT):
            times = math.prod(out[:2])
        elif any(word in kind for word in _CONVOLUTIONS):
            times = out[0] * math.prod(out[2:])
        else:
            times = out[0]
        return self.own * times

    def hidden(self) -> int:
        """Parameters of submodules that stand in no row below, because nothing called them."""
        shown = {
            p for row in self.walk() if row is not self for p in row.module.parameters(recurse=bool(not row.children))
        }
        return sum(p.numel() for p in self.module.parameters() if p not in shown) - self.own


class ModelSummary:
    """What ``summary`` found; its text is the table.

    Attributes:
        rows: the calls in order.
        total_params, trainable_params, non_trainable_params: numbers of elements.
        total_mult_adds: multiplications with parameters in one forward pass.
        total_input, total_output_bytes, total_param_bytes: bytes; of the results of layers with parameters, twice (for
            the gradients).
    """

    def __init__(
        self, root: Row, ran: bool, input_bytes: int, depth: int, col_names: Sequence[str], col_width: int,
        row_settings: Sequence[str],
    ) -> None:  # fmt: skip
        self._root, self._ran, self._depth = root, ran, depth
        self._columns, self._width, self._settings = tuple(col_names), col_width, tuple(row_settings)
        self.rows = list(root.walk())
        counts: Counter[int] = Counter()
        for row in self.rows:
            if row.depth:
                counts[row.depth] += 1
            row.index = counts[row.depth]
        params = list(root.module.parameters())
        self.total_params = sum(p.numel() for p in params)
        self.trainable_params = sum(p.numel() for p in params if p.requires_grad)
        self.non_trainable_params = self.total_params - self.trainable_params
        self.total_input, self.total_mult_adds = input_bytes, sum(row.mult_adds() for row in self.rows)
        leaves = [row for row in self.rows if not row.children and row.own]
        self.total_output_bytes = 2 * sum(row.output_bytes for row in leaves)
        self.total_param_bytes = sum(p.numel() * p.element_size() for p in params)

    def _title(self, row: Row) -> str:
        name = type(row.module).__name__
        if "var_names" in self._settings:
            name += f" ({row.name})"
        if row.depth and "depth" in self._settings:
            name += f": {row.depth}-{row.index}"
        if not row.depth:
            return name
        return "├─" + name if row.depth == 1 else "│    " * (row.depth - 1) + "└─" + name

    def _cell(self, row: Row, column: str) -> str:
        cut = row.depth == self._depth and bool(row.children)
        count = row.all if cut or not row.children else row.own + row.hidden()
        if column in ("input_size", "output_size"):
            shape = row.input_shape if column == "input_size" else row.output_shape
            return "--" if shape is None else str(shape)
        if column == "kernel_size":
            size = getattr(row.module, "kernel_size", None)
            return "--" if size is None else str(list(size) if isinstance(size, (tuple, list)) else size)
        if column == "mult_adds":
            number = sum(r.mult_adds() for r in row.walk()) if cut else row.mult_adds()
            return f"{number:,}" if number else "--"
        if column == "trainable":
            kinds = {p.requires_grad for p in row.module.parameters()}
            return "--" if not kinds else "Partial" if len(kinds) > 1 else str(kinds.pop())
        if column == "params_percent":
            share = "--" if not count else f"{100 * count / self.total_params:.2f}%"
            return "(recursive)" if row.repeated else f"{share:>7}"
        return "--" if not count else "(recursive)" if row.repeated else f"{count:,}"

    def __str__(self) -> str:
        shown = [row for row in self.rows if row.depth <= self._depth]
        titles = [self._title(row) for row in shown]
        first = max(40, max(len(t) for t in titles) + 5)
        line = "=" * (first + self._width * len(self._columns))

        def cells(title: str, texts: list[str]) -> str:
            return " ".join([f"{title:<{first}}", *(f"{t:<{self._width}}" for t in texts)]).rstrip()

        head = "Layer (type" + (" (var_name)" if "var_names" in self._settings else "")
        head += ":depth-idx)" if "depth" in self._settings else ")"
        lines = [line, cells(head, [TITLES[c] for c in self._columns]), line]
        lines += [
            cells(title, [self._cell(row, c) for c in self._columns]) for title, row in zip(titles, shown, strict=True)
        ]
        lines += [
            line, f"Total params: {self.total_params:,}", f"Trainable params: {self.trainable_params:,}",
            f"Non-trainable params: {self.non_trainable_params:,}",
        ]  # fmt: skip
        return "\n".join([*lines, *(self._memory(line) if self._ran else ()), line])

    def _memory(self, line: str) -> list[str]:
        size = 12 if self.total_mult_adds >= 1e12 else 9 if self.total_mult_adds >= 1e9 else 6
        unit = {12: "T", 9: "G", 6: "M"}[size]
        every = (self.total_input, self.total_output_bytes, self.total_param_bytes)
        names = ("Input size", "Forward/backward pass size", "Params size", "Estimated Total Size")
        return [
            f"Total mult-adds ({unit}): {self.total_mult_adds / 10**size:.2f}", line,
            *(f"{name} (MB): {n / 1e6:.2f}" for name, n in zip(names, (*every, sum(every)), strict=True)),
        ]  # fmt: skip

    __repr__ = __str__


def summary(
    model: Module, input_size: Any = None, input_data: Any = None, batch_dim: int | None = None,
    col_names: Sequence[str] | None = None, col_width: int = 25, depth: int = 3, device: Any = None,
    dtypes: Sequence[Any] | None = None, mode: str = "eval", row_settings: Sequence[str] = ("depth",),
    verbose: int = 1, **kwargs: Any,
) -> ModelSummary:  # fmt: skip
    """Print a model's layers with the shapes of their results, their parameters, multiplications and memory.

    Args:
        model: any module.
        input_size: shape of the input with its batch, or a list of shapes; random numbers are run through the model,
            drawn apart, so that a seed of the caller's is not used up. None: nothing is run, only parameters are shown.
        input_data: the input itself, a tuple or list of several, or a dictionary by name.
        batch_dim: put a batch of 1 at this place into the shapes.
        col_names: some of "input_size", "output_size", "num_params", "params_percent", "kernel_size", "mult_adds",
            "trainable".
        col_width: of a column, in characters.
        depth: how deep the modules are shown; what lies below is added up.
        device: where the input is made; where the model's first parameter is without.
        dtypes: of the inputs; the default element type without.
        mode: "eval" or "train", in which the model is run; it is put back after.
        row_settings: some of "depth" (numbers of the rows) and "var_names" (the attributes' names).
        verbose: 0 prints nothing.
        kwargs: handed on to the model's forward.

    Returns:
        The figures, whose text is the table.

    Raises:
        ValueError: both of input_size and input_data, an unknown column, row setting or mode.
    """
    _check(input_size, input_data, col_names, row_settings, mode)
    args, named = _inputs(model, input_size, input_data, batch_dim, device, dtypes)
    ran = bool(args or named or kwargs)
    root = _run(model, args, {**named, **kwargs}, mode) if ran else _tree(model, type(model).__name__, 0, set())
    columns = col_names or (("output_size", "num_params") if ran else ("num_params",))
    sizes = [t.numel() * t.element_size() for t in _tensors((args, named))]
    made = ModelSummary(root, ran, sum(sizes), depth, columns, col_width, row_settings)
    if verbose:
        print(made)
    return made


def _check(input_size: Any, input_data: Any, columns: Any, rows: Any, mode: str) -> None:
    if input_size is not None and input_data is not None:
        raise ValueError("summary: give input_size or input_data, not both")
    for name, given, known in (("col_names", columns or (), TITLES), ("row_settings", rows, ("depth", "var_names"))):
        for entry in given:
            if entry not in known:
                raise ValueError(f"summary: unknown {name} {entry!r}; use some of {', '.join(known)}")
    if mode not in ("eval", "train"):
        raise ValueError(f"summary: mode must be 'eval' or 'train', got {mode!r}")


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in flatten(tree)[0] if isinstance(leaf, Tensor)]


def _inputs(
    model: Module, input_size: Any, input_data: Any, batch_dim: int | None, device: Any, types: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and named arguments for the model."""
    first = next(model.parameters(), None)
    place = device if device is not None else None if first is None else first.device
    if input_data is not None:
        moved = input_data if isinstance(input_data, dict) else (
            tuple(input_data) if isinstance(input_data, (tuple, list)) else (input_data,))  # fmt: skip
        return ((), dict(moved)) if isinstance(moved, dict) else (moved, {})
    if input_size is None:
        return (), {}
    several = bool(len(input_size)) and not hasattr(input_size[0], "__index__")
    shapes = [list(s) for s in (input_size if several else [input_size])]
    draw, made = Generator().manual_seed(0), []
    for i, shape in enumerate(shapes):
        if batch_dim is not None:
            shape.insert(batch_dim if batch_dim >= 0 else len(shape) + batch_dim + 1, 1)
        dtype = types[i] if types is not None else _standard(first)
        made.append(tensor(draw.uniform(tuple(shape)), device=place).to(dtype))
    return tuple(made), {}


def _standard(first: Tensor | None) -> Any:
    return dtypes.of("float32") if first is None or not first.is_floating_point() else first.dtype


def _tree(module: Module, name: str, depth: int, seen: set[int]) -> Row:
    """Rows of a model that is not run: each module once."""
    row = Row(module, name, depth, id(module) in seen)
    seen.add(id(module))
    row.children = [_tree(child, key, depth + 1, seen) for key, child in module.named_children()]
    return row


def _run(model: Module, args: tuple[Any, ...], kwargs: dict[str, Any], mode: str) -> Row:
    """Rows of the calls in one forward pass."""
    calls = _Calls(model)
    training = {m: m.training for m in model.modules()}
    handles = []
    for module in model.modules():
        handles.append(module.register_forward_pre_hook(calls.enter, with_kwargs=True))
        handles.append(module.register_forward_hook(calls.leave))
    try:
        model.train(mode == "train")
        with no_grad():
            model(*args, **kwargs)
    finally:
        for handle in handles:
            handle.remove()
        for module, value in training.items():
            module.training = value
    return calls.root


class _Calls:
    """Turns the calls of modules into rows below their callers' rows."""

    root: Row

    def __init__(self, model: Module) -> None:
        self.paths: dict[Module, list[tuple[str, Module]]] = {model: []}
        self._note(model)
        self.stack: list[Row] = []
        self.seen: set[int] = set()

    def _note(self, module: Module) -> None:
        for name, child in module.named_children():
            if child not in self.paths:
                self.paths[child] = [*self.paths[module], (name, child)]
                self._note(child)

    def enter(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        path = self.paths[module]
        row = Row(module, path[-1][0] if path else type(module).__name__, 0, id(module) in self.seen)
        self.seen.add(id(module))
        if not self.stack:
            self.root = row
        else:
            self._below(self.stack[-1], path).children.append(row)
            row.depth = len(path) if self.stack[-1].depth < len(path) else self.stack[-1].depth + 1
        given = _tensors((args, kwargs))
        row.input_shape = list(given[0].shape) if given else None
        self.stack.append(row)

    def _below(self, caller: Row, path: list[tuple[str, Module]]) -> Row:
        """The caller's row, or that of a list of modules between it and the called one, which nobody calls."""
        for depth, (name, module) in enumerate(path[caller.depth : -1], caller.depth + 1):
            last = caller.children[-1] if caller.children else None
            if last is None or last.module is not module:
                last = Row(module, name, depth, False)
                self.seen.add(id(module))
                caller.children.append(last)
            caller = last
        return caller

    def leave(self, module: Module, args: tuple[Any, ...], output: Any) -> None:
        row = self.stack.pop()
        out = _tensors(output)
        if out:
            row.output_shape, row.output_bytes = list(out[0].shape), out[0].numel() * out[0].element_size()
