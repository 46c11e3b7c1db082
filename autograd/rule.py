"""The table of rules: what each primitive takes, and how to differentiate it.

A rule is written once, against a namespace ``F``::

    rule("tanh", "x", x=lambda F, g, out: F.mul(g, F.sub(1, F.square(out))))

On a plain backward ``F`` is a backend, and the formula computes on raw arrays. With ``create_graph`` it is
``P``, the same primitives recording onto the tape, so one formula gives every higher order. The names of a
formula's parameters say what is kept from the forward step: the inputs by name, ``out``, ``res`` (what a kernel
returns beside its result, for its vjp only), attributes, ``x_shape`` and ``x_dtype`` of an input (``xs_shapes`` of a
list), and ``need`` (which inputs want a gradient). A backend's method ``tanh_vjp(self, g, out)`` is the same formula
fused, and takes its place on a plain backward; the formula stays the truth that it is tested against.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from ..backends.registry import declare
from . import record

__all__ = ["RULES", "P", "Rule", "nondiff", "rule"]

# name -> its rule, for every primitive.
RULES: dict[str, Rule] = {}

# kind of an element-wise primitive -> the NumPy kinds of dtypes that the fast path must not run: they are promoted
# ("float", "div") or refused. What NumPy refuses by itself is not listed, so that the common kinds cost no test.
KINDS = {
    "any": "", "bits": "", "where": "", "bool": "",
    "float": "biu", "div": "biu",  # integers become the default dtype
    "floating": "biu",  # no integers
    "real": "c",  # no complex numbers
    "number": "b",  # no bools
    "rounded": "bc",  # neither
}  # fmt: skip

# What the written operations call their own variables, and formulas what they are given.
RESERVED = frozenset(
    {"F", "c", "cell", "dev", "g", "need", "node", "out", "res", "saved", "ta", "tb", "v", "viewed", "y"}
)

# The recording primitives: the namespace ``F`` of a backward that is itself recorded.
P: Any = SimpleNamespace()


class Rule:
    """One primitive: its inputs, attributes and derivatives.

    Attributes:
        name: of the primitive, the same in every backend.
        inputs: names of the tensor inputs. ``x?`` in the declaration marks one that may be None, ``*xs`` a list.
        attrs: names of the plain attributes that follow.
        kind: of an element-wise primitive, which types it takes and how integers are promoted, a key of ``KINDS``;
            else None.
        view: whether the result is a view of the first input.
        vjps: formula per input; of a joint rule, one formula that gives a tuple.
        saves: per formula the names of what it takes after ``F`` and ``g``.
        joint: whether one formula serves all inputs.
        unfit: of an element-wise primitive, the NumPy kinds of dtypes that leave the fast path.
        holomorphic: whether the formulas leave the conjugates of complex numbers to the engine (see `wirtinger`).
        residual: whether the kernel returns ``(out, res)``.
        public: whether it is a PyTorch operation as it stands: a function of the package and a method, in place too.
            So is an element-wise primitive without attributes, unless said otherwise.
        fresh: whether the formulas give arrays of their own, never ``g``, a saved array or a view.
        typed: the inputs that must have one element type.
        only_for: of a joint rule, saved tensors that not every gradient reads: an input that is read for the gradient
            of another one, or the result that is read where an attribute is not None. Else they may be overwritten.
        line: where the rule is written, as ``(file, line)``.
    """

    def __init__(self, name: str, inputs: str, attrs: str, **options: Any) -> None:
        self.name = name
        declared = inputs.split()
        self.inputs = tuple(i.strip("?*") for i in declared)
        self.optional = frozenset(i.strip("?*") for i in declared if i.endswith("?"))
        self.variadic = next((i.strip("*") for i in declared if i.startswith("*")), None)
        self.attrs = tuple(attrs.split())
        if taken := RESERVED & {*self.inputs, *self.attrs}:
            raise ValueError(f"rule: '{name}' may not call an input or attribute {sorted(taken)}; choose another name")
        self.kind: str | None = options.get("kind")
        if self.kind is not None and self.kind not in KINDS:
            raise ValueError(f"rule: '{name}' has kind {self.kind!r}; known are {', '.join(KINDS)}")
        self.unfit = KINDS[self.kind] if self.kind is not None else ""
        self.view: bool = options.get("view", False)
        self.holomorphic: bool = options.get("holomorphic", not self.view)
        self.residual: bool = options.get("residual", False)
        self.public: bool = options.get("public", self.kind is not None and not self.attrs)
        self.fresh: bool = options.get("fresh", False)
        self.typed: tuple[str, ...] = tuple(options.get("typed", "").split())
        self.only_for: dict[str, str] = options.get("only_for", {})
        self.joint = False
        self.vjps: tuple[Any, ...] = ()
        self.saves: tuple[Any, ...] = ()
        self.index = declare(name)
        caller = sys._getframe(2)
        self.line = (caller.f_code.co_filename, caller.f_lineno)

    @property
    def differentiable(self) -> bool:
        """Whether results of this primitive can require a gradient."""
        return bool(self.vjps)

    def wants(self, position: int) -> bool:
        """Whether the input at ``position`` may receive a gradient."""
        return self.differentiable and (self.joint or self.vjps[position] is not None)

    def _register(self) -> Callable[..., Any]:
        if self.name in RULES:
            raise ValueError(f"rule: the primitive '{self.name}' has a rule already")
        RULES[self.name] = self
        operation = record.compile_operation(self)
        setattr(P, self.name, operation)
        return operation


def rule(
    name: str, inputs: str, attrs: str = "", *, all: Callable[..., Any] | None = None, **options: Any
) -> Callable[..., Any]:
    """Declare a differentiable primitive; returns the operation that records it.

    Args:
        name: the primitive's name in the backends.
        inputs: names of its tensor inputs, in order; ``x?`` may be None, ``*xs`` is a list.
        attrs: names of its attributes, in order.
        all: a joint rule: one formula that returns a cotangent (or None) for each input.
        options: a formula per input under the input's name, and ``kind``, ``view``, ``holomorphic``, ``residual``,
            ``fresh``, ``typed``, ``public``, ``only_for``, which ``Rule`` explains.

    Raises:
        ValueError: the name is taken, or a formula names something unknown.
    """
    known = ("kind", "view", "holomorphic", "residual", "fresh", "typed", "public", "only_for")
    own = {k: options.pop(k) for k in list(options) if k not in known}
    made = Rule(name, inputs, attrs, **options)
    if all is not None:
        made.joint = True
        made.vjps, made.saves = (all,), (_parameters(name, all),)
    else:
        if stray := set(own) - set(made.inputs):
            raise ValueError(f"rule: '{name}' has no input {sorted(stray)}; its inputs are {made.inputs}")
        made.vjps = tuple(own.get(i) for i in made.inputs)
        made.saves = tuple(_parameters(name, v) if v else () for v in made.vjps)
    return made._register()


def nondiff(name: str, inputs: str, attrs: str = "", *, kind: str | None = None) -> Callable[..., Any]:
    """Declare a primitive without a derivative (comparisons, indices); its results never require a gradient."""
    return Rule(name, inputs, attrs, kind=kind)._register()


def _parameters(name: str, formula: Callable[..., Any]) -> tuple[str, ...]:
    code = formula.__code__
    names = code.co_varnames[: code.co_argcount]
    if names[:2] != ("F", "g"):
        raise ValueError(f"rule: a formula of '{name}' must begin with F, g; it has {names}")
    return names[2:]
