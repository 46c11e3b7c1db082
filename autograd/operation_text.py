"""The Python text of an operation that records: what a rule says, written out for its inputs and attributes.

The text is short on the fast path (tensors of one type on one device, nothing to look up); everything else is a call of
a function off that path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .rule import Rule

__all__ = [
    "BOTH_TENSORS", "SOMETIMES_VIEWS", "TENSOR_FIRST", "entry", "function", "parameters", "signature", "takes_out",
    "write",
]  # fmt: skip

# Views where the memory of the input allows it, else copies.
SOMETIMES_VIEWS = ("reshape", "as_strided", "view_as_complex")

# Pairs of which both must be tensors, or at least the first
BOTH_TENSORS = frozenset(
    {"atan2", "gcd", "hypot", "igamma", "igammac", "lcm", "logaddexp", "logical_and", "logical_or", "logical_xor",
     "nextafter"}
)  # fmt: skip
TENSOR_FIRST = BOTH_TENSORS | {"copysign", "eq", "fmod", "ge", "gt", "le", "lt", "ne"}
_IS_NUMBER = "{0} is float or {0} is int"

# Whose results lie row by row in memory whatever the input's order, as PyTorch's do; kernels may do otherwise.
ROW_BY_ROW = frozenset({
    "all", "amax", "amin", "any", "cat", "count_nonzero", "cummax", "cummin", "cumprod", "cumsum", "index",
    "layer_norm", "log_softmax", "logsumexp", "mean", "prod", "roll", "softmax", "stack", "sum", "tril", "triu", "var",
})  # fmt: skip


def function(parameters: str, body: str) -> str:
    """The text of a function that makes the operation for a rule and its number."""
    return f"def make(RULE, INDEX):\n    def operation({parameters}):\n        {body}\n\n    return operation\n"


def parameters(rule: Rule) -> tuple[str, ...]:
    """The names that the operation takes: inputs, then attributes."""
    return (*rule.inputs, *rule.attrs)


def takes_out(rule: Rule) -> bool:
    """Whether the operation has PyTorch's argument ``out``."""
    return rule.public and rule.kind is not None


def signature(rule: Rule) -> str:
    """What stands between the parentheses of the operation."""
    return ", ".join([*parameters(rule), *(["out=None"] if takes_out(rule) else [])])


def write(rule: Rule) -> str:
    """The whole text."""
    lines = []
    if takes_out(rule):
        lines += ["if out is not None:", f"    return into(RULE, out, ({', '.join(rule.inputs)},))"]
    lines += _operands(rule)
    lines += _run(rule)
    lines += _wrap(rule)
    if rule.differentiable:
        lines += _remember(rule)
        lines.append("return y")
    else:
        lines.append("return y if INFERRING is None else inferred(y)")
    return function(signature(rule), "\n        ".join(lines))


def _arrays(rule: Rule) -> list[str]:
    return [f"x{k}" for k in range(len(rule.inputs))]


def _given(rule: Rule) -> str:
    """The inputs and the attributes as two tuples, for the functions that run off the fast path."""
    return f"({', '.join(rule.inputs)},), ({', '.join(rule.attrs)}{',' if rule.attrs else ''})"


def _slow(rule: Rule) -> str:
    return f"slow(RULE, {_given(rule)})"


def _operands(rule: Rule) -> list[str]:
    """Read the raw arrays and the device; leave the fast path where types, dtypes or devices differ."""
    if rule.kind is None:
        return _plain_operands(rule)
    a = rule.inputs[0]
    if len(rule.inputs) == 1:
        lines = [
            "try:",
            f"    x0 = {a}._array; dev = {a}._device",
            "except AttributeError:",
            f"    return {_slow(rule)}",
        ]
        if rule.unfit:  # integers have no node, and a node is read faster than a kind
            test = f"x0.dtype.kind in '{rule.unfit}'"
            test = test if "c" in rule.unfit else f"{a}._node is None and {test}"
            lines += [f"if {test}:", f"    return {_slow(rule)}"]
        return lines
    if len(rule.inputs) != 2:
        return [
            "if not same(RULE, " + ", ".join(rule.inputs) + "):",
            f"    return {_slow(rule)}",
            *_plain_operands(rule),
        ]
    b = rule.inputs[1]
    return [
        f"ta = type({a})",
        f"tb = type({b})",
        "# whether an operand is a plain number",
        f"na = {_IS_NUMBER.format('ta') if rule.name not in TENSOR_FIRST else 'False'}",
        f"nb = {_IS_NUMBER.format('tb') if rule.name not in BOTH_TENSORS else 'False'}",
        "try:",
        "    if nb:",
        f"        x0 = {a}._array; dev = {a}._device; x1 = dev.scalars[x0.dtype][{b}]",
        "    elif na:",
        f"        x1 = {b}._array; dev = {b}._device; x0 = dev.scalars[x1.dtype][{a}]",
        "    else:",
        f"        x0 = {a}._array; x1 = {b}._array; dev = {a}._device; dtype = x0.dtype",
        f"        if {b}._device is not dev or (dtype is not x1.dtype and dtype != x1.dtype)"
        + (f" or dtype.kind in '{rule.unfit}'" if rule.unfit else "")
        + ":",
        f"            return {_slow(rule)}",
        "except (AttributeError, KeyError):",
        f"    return {_slow(rule)}",
    ]


def _plain_operands(rule: Rule) -> list[str]:
    lines = []
    for k, name in enumerate(rule.inputs):
        if name == rule.variadic:
            lines.append(f"x{k} = [t._array for t in {name}]")
        elif name in rule.optional:
            lines.append(f"x{k} = None if {name} is None else {name}._array")
        else:
            lines.append(f"x{k} = {name}._array")
    first = rule.inputs[0]
    lines.append(f"dev = {first}[0]._device" if first == rule.variadic else f"dev = {first}._device")
    given = f"({', '.join(rule.inputs)},)"
    lines = ["try:", *("    " + line for line in lines), "except AttributeError:"]
    lines.append(f"    raise not_tensors(RULE, {given}) from None")
    tests = [_unless_none(rule, n, f"{n}._device is not dev") for n in rule.inputs[1:] if n != rule.variadic]
    if rule.variadic:
        tests.append(f"any([t._device is not dev for t in {rule.variadic}])")
    if tests:
        lines += [f"if {' or '.join(tests)}:", f"    return elsewhere(RULE, {_given(rule)})"]
    if rule.typed:
        places = [rule.inputs.index(n) for n in rule.typed]
        lines.append(f"dtype = x{places[0]}.dtype")
        tests = [
            _unless_none(rule, rule.inputs[k], f"x{k}.dtype is not dtype and x{k}.dtype != dtype") for k in places[1:]
        ]
        lines += [f"if {' or '.join(tests)}:", f"    raise mixed_types(RULE, {given})"]
    return lines


def _unless_none(rule: Rule, name: str, test: str) -> str:
    return f"({name} is not None and {test})" if name in rule.optional else test


def _run(rule: Rule) -> list[str]:
    call = f"dev.kernels[INDEX]({', '.join([*_arrays(rule), *rule.attrs])})"
    lines = [
        "try:",
        f"    {'out, res' if rule.residual else 'out'} = {call}",
        "except RuntimeWarning:  # where warnings are errors",
        f"    {'out, res' if rule.residual else 'out'} = quietly({call.replace('(', ', ', 1)}",
        "except (ValueError, TypeError, IndexError, OverflowError) as error:",
        f"    raise failure(RULE, error, {_given(rule)}) from error",
        "if type(out) is not ndarray:",
        f"    out = {'target' if rule.name == 'transfer' else 'dev'}.backend.normal(out)",
    ]
    if rule.name in ROW_BY_ROW:
        some = "dims is not None and " if "dims" in rule.attrs and rule.name != "roll" else ""
        kept = "row_by_row(out, dev)" if rule.name in ("cat", "roll") else "dev.backend.copy(out)"
        if rule.name == "stack":
            kept = "as_stacked(out, x0, dev)"
        elif rule.name == "index":
            kept = "as_indexed(out, x0, x1, places, dev)"
        lines += [f"if {some}not out.flags.c_contiguous:", f"    out = {kept}"]
    return lines


def _wrap(rule: Rule) -> list[str]:
    lines = ["y = new(Tensor)", "y._array = out", "y._device = dev", "y._node = None"]
    if rule.name == "transfer":
        lines[2] = "y._device = dev = target"
    if not rule.view:
        return [*lines, "y._view = None", "y._cell = [0]"]
    x = rule.inputs[0]
    lines.append("y._view = None")
    if rule.name == "reshape":
        lines += [
            "if not x0.flags.c_contiguous and not dev.backend.shares(x0, out):",
            "    y._cell = [0]",
            "    viewed = False",
            "else:",
            f"    y._cell = {x}._cell",
            "    viewed = True",
        ]
    elif rule.name in SOMETIMES_VIEWS:
        lines += ["viewed = dev.backend.shares(x0, out)", f"y._cell = {x}._cell if viewed else [0]"]
    else:
        lines.append(f"y._cell = {x}._cell")
    return lines


def _remember(rule: Rule) -> list[str]:
    unrecorded = "    return y if INFERRING is None else inferred(y)"
    lines = ["if OFF and get_ident() in OFF:", unrecorded]
    if rule.name == "cast":  # integers have no gradient
        lines = ["if OFF and get_ident() in OFF or out.dtype.kind in 'biu':", unrecorded]
    if rule.name in ("cast", "view_as_complex", "eig"):  # the only ways from real numbers to complex ones
        lines += ["if out.dtype.kind == 'c':", "    expect_complex()"]
    record: list[str] = []
    if rule.view:
        x = rule.inputs[0]
        step = f"(RULE.name, {_tuple(list(rule.attrs))})"
        record = [
            "if v is None:",
            f"    y._view = ({x}, ({step},), {x}._node)",
            "else:",
            f"    y._view = (v[0], (*v[1], {step}), v[2])",
        ]
        unseen = f"y._view = unrecorded({x})"
        if rule.name in SOMETIMES_VIEWS:
            unseen, record = f"if viewed: {unseen}", ["if viewed:", *("    " + r for r in record)]
        lines = [lines[0], "    " + unseen, *lines[1:]]
    lines += _nodes(rule)
    if record:  # reading the node brings the record of a view up to date
        lines += [f"    v = {rule.inputs[0]}._view", *record]
    wanted = [k for k, name in enumerate(rule.inputs) if rule.wants(k) and name != rule.variadic]
    variadic = [k for k, name in enumerate(rule.inputs) if rule.wants(k) and name == rule.variadic]
    tests = [f"n{k} is None" for k in wanted] + [f"not any(n{k})" for k in variadic]
    lines += [f"if {' and '.join(tests)}:", "    return y"]
    edges = [_edge(rule, k, name) for k, name in enumerate(rule.inputs)]
    lines += ["y._node = node = new(Node)", "node.rule = RULE", f"node.edges = ({', '.join(edges)},)"]
    lines += _save(rule, wanted)
    lines.append("node.shapes = " + _shapes(rule))
    lines += ["node.seq = ticket()", "node.device = dev", "node.hooks = node.grad = node.extra = None"]
    return lines


def _edge(rule: Rule, k: int, name: str) -> str:
    several = name == rule.variadic
    if rule.wants(k):
        return f"*n{k}" if several else f"n{k}"
    return f"*[None] * len({name})" if several else "None"


def _nodes(rule: Rule) -> list[str]:
    lines = []
    for k, name in enumerate(rule.inputs):
        if not rule.wants(k):
            continue
        if name == rule.variadic:
            lines.append(f"n{k} = [node_of(t) for t in {name}]")
            continue
        read = [
            f"n{k} = {name}._node",
            f"v = {name}._view",
            "if v is not None and v[0]._node is not v[2]:",
            f"    n{k} = refresh({name})",
        ]
        if name in rule.optional:
            lines += [f"if {name} is None:", f"    n{k} = None", "else:", *("    " + r for r in read)]
        elif rule.kind is not None and len(rule.inputs) == 2:
            lines += [f"if {'nb' if k else 'na'}:", f"    n{k} = None", "else:", *("    " + r for r in read)]
        else:
            lines += read
    return lines


def entry(rule: Rule, name: str) -> str:
    """The text that computes one saved value."""
    if name in ("out", "res", *rule.attrs):
        text = name
    elif name in rule.inputs:
        text = f"x{rule.inputs.index(name)}"
    elif name == "need":
        text = "(" + ", ".join(_need(rule, k) for k in range(len(rule.inputs))) + ",)"
    elif name.endswith(("_shape", "_dtype", "_shapes")):
        of, _, what = name.rpartition("_")
        if what == "shapes":
            text = f"[a.shape for a in x{rule.inputs.index(of)}]"
        else:
            text = f"out.{what}" if of == "out" else f"x{rule.inputs.index(of)}.{what}"
    else:
        raise ValueError(
            f"rule '{rule.name}': a formula asks for '{name}'; known are {rule.inputs}, {rule.attrs}, out, res"
        )
    return text


def _need(rule: Rule, k: int) -> str:
    if not rule.wants(k):
        return "False"
    return f"*[n is not None for n in n{k}]" if rule.inputs[k] == rule.variadic else f"n{k} is not None"


def _cells(rule: Rule, names: tuple[str, ...]) -> list[str]:
    """The texts of the version cells of the saved tensors among ``names``."""
    cells = []
    for name in names:
        if name in rule.only_for:
            other = rule.only_for[name]
            unread = f"n{rule.inputs.index(other)} is None" if other in rule.inputs else f"{other} is None"
            cells.append(f"(CONSTANT if {unread} else {'y' if name == 'out' else name}._cell)")
        elif name == "out":
            cells.append("y._cell")
        elif name in rule.inputs and name == rule.variadic:
            cells.append(f"*[t._cell for t in {name}]")
        elif name in rule.inputs:
            if rule.kind is not None and len(rule.inputs) == 2:
                text = f"CONSTANT if {'nb' if rule.inputs.index(name) else 'na'} else {name}._cell"
            else:
                text = f"CONSTANT if {name} is None else {name}._cell" if name in rule.optional else f"{name}._cell"
            cells.append(f"({text})")
    return cells


def _tuple(parts: list[str]) -> str:
    return "(" + ", ".join(parts) + ("," if len(parts) == 1 else "") + ")"


def _set_cells(cells: list[str]) -> list[str]:
    if not cells:
        return ["node.cells = ()", "node.version = 0"]
    if len(cells) == 1 and not cells[0].startswith("*"):
        if cells[0] == "y._cell":
            return ["node.cells = (y._cell,)", "node.version = y._cell[0]"]
        return [f"c = {cells[0]}", "node.cells = (c,)", "node.version = c[0]"]
    few = len(cells) <= 4 and not any(c.startswith("*") for c in cells)
    version = " + ".join(f"c[{i}][0]" for i in range(len(cells))) if few else "total(c)"
    return [f"node.cells = c = {_tuple(cells)}", f"node.version = {version}"]


def _save(rule: Rule, wanted: list[int]) -> list[str]:
    saved = [_tuple([entry(rule, n) for n in names]) for names in rule.saves]
    if rule.joint:
        return [f"node.saved = {saved[0]}", *_set_cells(_cells(rule, rule.saves[0]))]
    if len(wanted) == 1:
        parts = [saved[k] if k in wanted else "None" for k in range(len(rule.inputs))]
        return [f"node.saved = {_tuple(parts)}", *_set_cells(_cells(rule, rule.saves[wanted[0]]))]
    if not any(rule.saves):
        return [f"node.saved = {_tuple(['()'] * len(rule.inputs))}", "node.cells = ()", "node.version = 0"]
    if len(wanted) == 2:
        i, j = wanted

        def branch(chosen: list[int]) -> list[str]:
            parts = [saved[k] if k in chosen else "None" for k in range(len(rule.inputs))]
            cells = [c for k in chosen for c in _cells(rule, rule.saves[k])]
            return ["    " + line for line in (f"node.saved = {_tuple(parts)}", *_set_cells(cells))]

        return [f"if n{j} is None:", *branch([i]), f"elif n{i} is None:", *branch([j]), "else:", *branch([i, j])]
    lines = ["saved = [None] * " + str(len(rule.inputs)), "c = []"]
    for k in wanted:
        cells = _cells(rule, rule.saves[k])
        lines += [f"if n{k} is not None:", f"    saved[{k}] = {saved[k]}"]
        lines += [f"    c += [{', '.join(cells)}]"] if cells else []
    return [*lines, "node.saved = saved", "node.cells = c", "node.version = total(c)"]


def _shapes(rule: Rule) -> str:
    """What the engine needs to sum a broadcast input's cotangent back to its shape; None where nothing was."""
    if rule.kind is None or len(rule.inputs) < 2:
        return "None"
    if len(rule.inputs) == 2:
        return "None if na or nb or x0.shape == x1.shape else (x0.shape, x1.shape)"
    arrays = _arrays(rule)
    same = " and ".join(f"{a}.shape == out.shape" for a in arrays)
    return f"None if {same} else {_tuple([a + '.shape' for a in arrays])}"
