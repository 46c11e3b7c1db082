"""``export_numpy``: what a function computes, and the gradients of it, as a NumPy script."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...backends import device_of, registry
from ..grad_mode import enable_grad, no_grad
from ..node import Node
from ..origin import Origin, unwatch, watch
from ..promote import describe
from ..pullback import newest_first, pull
from ..tensor import Tensor, wrap
from .script import Line, Script, Variable, array_text
from .tracing import TracingBackend

__all__ = ["export_numpy"]

LITERAL = 1024  # arrays of so many elements stand in the script itself


def export_numpy(fn: Callable[..., Any], *args: Any, npz: str | os.PathLike[str] | None = None) -> str:
    """A script that computes ``fn(*args)`` and its gradients with NumPy alone, one line for each primitive.

    It is the tape written out: the forward as it ran, then the backward from the newest step to the oldest by the
    formulas of the rules, with the cotangent of ``y`` called ``d_y``. Random numbers are constants in it, a branch is
    the one that was taken, and hooks are left out. Run as ``python script.py [INPUTS.npz] [RESULTS.npz]``: it prints
    the value and the gradients, and writes them to RESULTS.npz as ``value`` and under the inputs' names.

    Args:
        fn: a function that returns one number, or a module that does. Parameters of a module, also of one that the
            function refers to, and tensors that it refers to and that require grad, are inputs of the script.
        args: what it is called with. Tensors among them are inputs; of the floating ones there are gradients.
        npz: a file for the inputs of more than 1024 elements, which the script reads from INPUTS.npz; without one they
            all stand in the script.

    Returns:
        The text of the script.

    Raises:
        RuntimeError: the result is not a single number with a gradient, or something is not written: bfloat16,
            matrix decompositions and solvers, Fourier transforms, ``igamma`` and ``ndtri``.
        TypeError: the result is no tensor.

    >>> import tapegrad as tg
    >>> text = tg.autograd.export_numpy(lambda x: (x * x).sum(), tg.tensor([1.0, 2.0]))
    >>> print(text[text.index("# Forward") : text.index("gradients =")].strip())
    # Forward
    mul_1 = x * x  # [2]
    sum_1 = np.sum(mul_1)
    value = sum_1
    <BLANKLINE>
    # Backward
    d_sum_1 = np.ones_like(sum_1)
    # sum_1
    d_mul_1 = np.broadcast_to(d_sum_1, (2,))  # [2]
    # mul_1
    d_x = d_mul_1 * x  # [2]
    d_x_2 = d_mul_1 * x  # [2]
    d_x = d_x + d_x_2  # [2]
    """
    where = device_of("cpu")
    before, kernels = where.backend, list(where.kernels)
    backend = TracingBackend(registry.get("numpy"), Script())
    trace = _Trace(backend, where)
    registry.bind(where, backend)
    watch(trace.made)
    try:
        with enable_grad():
            trace.forward(fn, args)
        with no_grad():
            trace.backward()
    finally:
        unwatch(trace.made)
        registry.bind(where, before)
        where.kernels[: len(kernels)] = kernels
    return trace.text(npz)


class _Trace:
    """One function on its way into a script."""

    def __init__(self, backend: TracingBackend, device: Any) -> None:
        self.script, self.backend, self.device = backend.script, backend, device
        self.names: dict[Node, str] = {}  # a step or leaf -> the variable that holds what it made
        self.leaves: dict[Node, Variable] = {}
        self.gradients: dict[str, Variable] = {}
        self.start = 0  # the first line of the backward
        self.value: Variable

    def made(self, number: Origin, frame: Any) -> None:
        """A step was recorded: note which variable holds its result."""
        node, out = frame.f_locals.get("node"), frame.f_locals.get("out")
        variable = self.backend.known(out)
        if variable is not None:
            self.names[node] = variable.name
        else:  # a write through a view, after which the base has another step
            self.names[node] = next((self.names[e] for e in node.edges or () if e in self.names), node.rule.name)

    # Forward

    def forward(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        names = _argument_names(fn, len(args))
        given = [self._argument(name, x) for name, x in zip(names, args, strict=True)]
        for name, tensor in _referred(fn):
            self._input(name, tensor)
        result = fn(*given)
        if not isinstance(result, Tensor):
            raise TypeError(f"export_numpy: the function must return a Tensor, not {type(result).__name__}")
        root = result._current()
        if result._array.size != 1 or root is None:
            raise RuntimeError(
                "export_numpy: the function must return a single number that depends on a floating input; it returned "
                f"{describe(result)}{'' if root else ' without history'}"
            )
        self.root, self.result = root, result._array

    def _argument(self, name: str, x: Any) -> Any:
        if isinstance(x, Tensor):
            fresh = wrap(np.array(x._device.backend.to_host(x._array)), self.device)
            if fresh._array.dtype.kind in "fcV":
                fresh.requires_grad_()
            self._input(name, fresh)
            return fresh
        if isinstance(x, (list, tuple)):
            several = [self._argument(f"{name}_{i}", v) for i, v in enumerate(x)]
            return type(x)(*several) if hasattr(x, "_fields") else type(x)(several)
        return {k: self._argument(f"{name}_{k}", v) for k, v in x.items()} if isinstance(x, dict) else x

    def _input(self, name: str, tensor: Tensor) -> None:
        if tensor._array.dtype.kind == "V":
            raise RuntimeError(f"export_numpy: '{name}' is {tensor.dtype.name}, which NumPy does not have")
        if tensor._device is not self.device:
            raise RuntimeError(f"export_numpy: '{name}' is on {tensor._device}; call .cpu() first")
        if self.backend.known(tensor._array) is not None:
            return
        before = np.array(tensor._array)  # the function may write into it
        variable = self.script.variable(name, tensor._array, True)
        self.backend.hold(variable)
        variable.start = before  # type: ignore[attr-defined]
        self.script.inputs.append(variable)
        node = tensor._current()
        if node is not None:
            self.names[node], self.leaves[node] = variable.name, variable

    # Backward

    def backward(self) -> None:
        """Walk the tape from the result, and write down what each formula does."""
        script, backend = self.script, self.backend
        value = backend.known(self.result)
        assert value is not None
        self.value, self.start, backend.backward = value, len(script.lines), True
        g = np.ones_like(self.result)
        backend.define(f"d_{self.names[self.root]}", g, f"np.ones_like({value})", fixed=True)
        arrived: dict[Node, Any] = {self.root: g}
        for node in newest_first([self.root]):
            if node.edges is None or node not in arrived:
                continue
            script.lines.append(Line(None, f"# {self.names.get(node, node.name())}"))
            since = len(script.variables)
            cotangents = pull(node, arrived.pop(node), users=True)
            for edge, c in zip(node.edges, cotangents, strict=False):
                if edge is not None and c is not None:
                    self._arrive(arrived, edge, c, since)
        for node, variable in self.leaves.items():
            g = arrived.get(node)
            found = None if g is None else backend.known(g)
            if found is None:
                zero = np.zeros_like(variable.array)
                found = backend.define(f"d_{variable.name}", zero, f"np.zeros_like({variable})", fixed=True)
            self.gradients[variable.name] = found

    def _arrive(self, arrived: dict[Node, Any], edge: Node, c: Any, since: int) -> None:
        """One cotangent of a step; ``since`` is the number of the first variable of the step that gave it."""
        variable, name = self.backend.known(c), f"d_{self.names.get(edge, 'step')}"
        if variable is not None:
            fresh = self.script.free(name)
            if variable.number >= since and not variable.fixed:
                self.script.rename(variable, fresh)
            else:  # the formula passed on what it got
                self.script._taken.discard(fresh)
                c = c[...] if isinstance(c, np.ndarray) else c
                self.backend.define(name, c, str(variable), fixed=True)
        if edge in arrived:
            before = self.backend.known(arrived[edge])
            arrived[edge] = total = edge.device.backend.add(arrived[edge], c)
            made = self.backend.known(total)
            if made is not None and before is not None:
                self.script.rename(made, before.name)
        else:
            arrived[edge] = c

    # Text

    def text(self, npz: str | os.PathLike[str] | None) -> str:
        script = self.script
        lines, live = script.used([self.value, *self.gradients.values()])
        arrays = [*script.inputs, *(v for v in self.backend.constants if v.number in live)]
        large = {} if npz is None else {v.name: _start(v) for v in arrays if v.array.size > LITERAL}
        if npz is not None:
            np.savez(npz, **large)  # type: ignore[arg-type]
        helpers = [line for helper in script.helpers(lines) for line in ["", *helper.splitlines(), ""]]
        code = self._code(lines)
        self._try([*helpers, *code], arrays)
        inputs = ["# Inputs", *([f"data = np.load(sys.argv[1])  # {', '.join(large)}"] if large else [])]
        for v in arrays:
            made = f'data["{v.name}"]' if v.name in large else array_text(_start(v))
            inputs.append(f"{v.name} = {made}  # {list(v.array.shape)}")
        gap = [""] if helpers else []
        return "\n".join([*_head(large), *helpers, *gap, *inputs, *code, *_tail(1 + bool(large))]) + "\n"

    def _code(self, lines: list[Line]) -> list[str]:
        script = self.script
        before = {id(line) for line in script.lines[: self.start]}
        forward = [line for line in lines if id(line) in before]
        backward = [line for line in lines if id(line) not in before]
        pairs = [f'    "{name}": {v.name},' for name, v in self.gradients.items()]
        return [
            "", "# Forward", *script.body(forward), f"value = {self.value.name}",
            "", "# Backward", *script.body(backward), "", "gradients = {", *pairs, "}",
        ]  # fmt: skip

    def _try(self, code: list[str], arrays: list[Variable]) -> None:
        """Run what was written, which must give the numbers of the tape."""
        space: dict[str, Any] = {"np": np, "math": math, **{v.name: np.array(_start(v)) for v in arrays}}
        with np.errstate(all="ignore"):
            exec(compile("\n".join(code), "<script>", "exec"), space)
        for name, v in {"the value": self.value, **self.gradients}.items():
            found = np.asarray(space["value"] if v is self.value else space["gradients"][name])
            tolerance = 1e-2 if found.dtype.itemsize < 4 else 1e-4
            if found.shape != v.array.shape or not np.allclose(found, v.array, tolerance, tolerance, equal_nan=True):
                raise RuntimeError(
                    f"export_numpy: in the script {name} would be another number than on the tape; something that the "
                    "function does has no counterpart in NumPy, such as a write through as_strided() or .data"
                )


def _start(variable: Variable) -> np.ndarray:
    """What an input held before the function ran."""
    return getattr(variable, "start", variable.array)


def _head(large: dict[str, np.ndarray]) -> list[str]:
    usage = "python SCRIPT INPUTS.npz [RESULTS.npz]" if large else "python SCRIPT [RESULTS.npz]"
    return [
        '"""A function and its gradients in NumPy, written by tapegrad from the tape of one run.', "",
        f"Usage: {usage}", "", "d_y is the gradient of the value with respect to y.", '"""', "",
        "import math", "import sys", "", "import numpy as np", "",
    ]  # fmt: skip


def _tail(results: int) -> list[str]:
    return [
        "", 'if __name__ == "__main__":', '    print("value:", value)',
        "    for name, gradient in gradients.items():", '        print(f"gradient of {name}:\\n{gradient}")',
        f"    if len(sys.argv) > {results}:", f"        np.savez(sys.argv[{results}], value=value, **gradients)",
    ]  # fmt: skip


def _argument_names(fn: Any, count: int) -> list[str]:
    """What a function calls its arguments."""
    try:
        parameters = list(inspect.signature(getattr(fn, "forward", fn)).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "x")
    return names + [f"{rest}_{i}" for i in range(count - len(names))]


def _referred(fn: Any) -> Iterator[tuple[str, Tensor]]:
    """The parameters and buffers of a module, or of those that a function refers to, and the tensors among these."""
    found = {"": getattr(fn, "__self__", fn)}
    function = inspect.unwrap(getattr(fn, "__func__", fn))
    if inspect.isfunction(function):
        seen = inspect.getclosurevars(function)
        found |= {**seen.globals, **seen.nonlocals}
    for name, value in found.items():
        if isinstance(value, Tensor):
            yield name, value
        for kind in ("named_parameters", "named_buffers"):
            for of, tensor in getattr(value, kind, tuple)():
                yield f"{name}_{of}" if name else of, tensor
