"""Each primitive as a NumPy expression.

An entry is a text in which ``{0}``, ``{1}`` ... stand for the arguments of the kernel, or a function that writes the
text from the arguments: the attribute ``t`` of what it is given holds their texts, ``v`` their values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["TEMPLATES", "Given", "index_text", "literal", "steps_text"]


class Given(NamedTuple):
    """The arguments of one call: as texts and as values."""

    t: list[str]
    v: tuple[Any, ...]


Template = str | Callable[[Given], str]


def literal(value: Any) -> str:
    """A plain attribute as Python text."""
    if isinstance(value, float):
        return {"inf": "np.inf", "-inf": "-np.inf", "nan": "np.nan"}.get(repr(value), repr(value))
    if isinstance(value, slice):
        return f"slice({', '.join(literal(x) for x in (value.start, value.stop, value.step))})"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(literal, value)) + ("," if len(value) == 1 else "") + ")"
    if hasattr(value, "itemsize") and hasattr(value, "name"):  # an element type
        return f"np.{value.name}" if value.name != "bool" else "bool"
    return repr(value)


def index_text(index: tuple[Any, ...], arrays: list[str] | None = None) -> str:
    """An index as it stands between brackets; a 1-tuple in it is the number of an array."""
    parts = []
    for part in index:
        if isinstance(part, slice):
            start, stop, step = ("" if x is None else str(x) for x in (part.start, part.stop, part.step))
            parts.append(f"{start}:{stop}" + (f":{step}" if step else ""))
        elif isinstance(part, tuple) and arrays is not None:
            parts.append(arrays[part[0]])
        else:
            parts.append("..." if part is Ellipsis else literal(part))
    return ", ".join(parts) or "..."


def steps_text(steps: tuple[tuple[str, tuple[Any, ...]], ...]) -> str:
    """The steps of a view as a function of an array."""
    text = "a"
    for name, attributes in steps:
        name = "restride" if name == "as_strided" else name
        text = write(name, Given([text, *map(literal, attributes)], (None, *attributes)))
    return f"lambda a: {text}"


def write(name: str, given: Given) -> str:
    """The expression of one call.

    Raises:
        RuntimeError: the primitive has no template, and its kernel is more than an expression.
    """
    template = TEMPLATES.get(name)
    if template is None:
        from .derived import derived  # which imports this module

        return derived(name, given)
    return template.format(*given.t) if isinstance(template, str) else template(given)


def _axes(dims: Any) -> str:
    return literal(dims[0] if isinstance(dims, tuple) and len(dims) == 1 else dims)


def _reduction(function: str) -> Template:
    def text(given: Given) -> str:
        parts = [given.t[0]]
        parts += [f"axis={_axes(given.v[1])}"] if given.v[1] is not None else []
        parts += ["keepdims=True"] if len(given.v) > 2 and given.v[-1] else []
        return f"np.{function}({', '.join(parts)})"

    return text


def _var(given: Given) -> str:
    axis = "" if given.v[1] is None else f", axis={_axes(given.v[1])}"
    return f"np.var({given.t[0]}{axis}, ddof={given.t[2]}{', keepdims=True' if given.v[3] else ''})"


def _permute(given: Given) -> str:
    return f"{given.t[0]}.T" if given.v[1] == (1, 0) else f"{given.t[0]}.transpose({given.t[1]})"


def _slice(given: Given) -> str:
    whole = given.v[1] and all(isinstance(i, int) for i in given.v[1])  # a full index gives a number, not a view
    return f"{given.t[0]}[{index_text((*given.v[1], ...) if whole else given.v[1])}]"


def _cast(given: Given) -> str:
    real = ".real" if getattr(given.v[0], "dtype", given.v[1]).kind == "c" and given.v[1].kind not in "cb" else ""
    return f"{given.t[0]}{real}.astype({given.t[1]})"


def _linear(given: Given) -> str:
    x, w, b, act = given.t
    text = f"{x} @ {w}.T" if b == "None" else f"{x} @ {w}.T + {b}"
    return {"'relu'": f"np.maximum({text}, 0)", "'tanh'": f"np.tanh({text})", "'sigmoid'": f"sigmoid({text})"}.get(
        act, text
    )


def _places(given: Given, arrays: int, places: int) -> str:
    return index_text(given.v[places], given.t[arrays].strip("[]").split(", ") if given.v[arrays] else [])


def _binary(function: str) -> str:
    return f"np.{function}({{0}}, {{1}})"


TEMPLATES: dict[str, Template] = {
    **{name: f"np.{name}({{0}})" for name in (
        "abs", "sign", "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "square", "sin", "cos", "tan", "sinh",
        "cosh", "tanh", "floor", "ceil", "trunc", "isnan", "isinf", "isfinite", "logical_not", "signbit", "conj",
        "zeros_like", "reciprocal",
    )},
    **{name: f"np.{function}({{0}})" for name, function in {
        "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
        "atanh": "arctanh", "round": "rint", "bitwise_not": "invert", "sgn": "sign", "nonzero": "argwhere",
    }.items()},
    **{name: _binary(name) for name in (
        "maximum", "minimum", "fmod", "remainder", "floor_divide", "logical_and", "logical_or", "logical_xor",
        "bitwise_and", "bitwise_or", "bitwise_xor", "hypot", "logaddexp", "copysign", "nextafter", "gcd", "lcm",
    )},
    **{name: f"{{0}} {sign} {{1}}" for name, sign in {
        "add": "+", "sub": "-", "mul": "*", "div": "/", "matmul": "@", "eq": "==", "ne": "!=", "lt": "<", "le": "<=",
        "gt": ">", "ge": ">=",
    }.items()},
    **{name: f"{name}({{0}})" for name in (
        "sigmoid", "erf", "erfc", "erfinv", "lgamma", "gelu", "gelu_tanh", "exponent",
    )},
    **{name: _reduction(name) for name in ("sum", "mean", "any", "all", "prod", "argmax", "argmin", "count_nonzero")},
    "neg": "-{0}", "pow": "power({0}, {1})", "atan2": "np.arctan2({0}, {1})", "rsqrt": "1 / np.sqrt({0})",
    "xlogy": "xlogy({0}, {1})", "bitwise_left_shift": "shift_left({0}, {1})",
    "bitwise_right_shift": "shift_right({0}, {1})", "polygamma": "polygamma({0}, {1})",
    # Activations and choices
    "relu": "np.maximum({0}, 0)", "leaky_relu": "np.where({0} > 0, {0}, {0} * {1})", "silu": "{0} * sigmoid({0})",
    "softplus": "softplus({0}, {1}, {2})", "clamp": "np.clip({0}, {1}, {2})", "where": "np.where({0}, {1}, {2})",
    "elu": "np.where({0} > 0, {0} * {3}, np.expm1(np.minimum({0}, 0) * {2}) * {1})",
    "hardtanh": "np.clip({0}, {1}, {2})", "threshold": "np.where({0} <= {1}, {2}, {0})",
    "hardshrink": "np.where(np.abs({0}) <= {1}, 0, {0})",
    "softshrink": "np.sign({0}) * np.maximum(np.abs({0}) - {1}, 0)",
    "layer_norm": "layer_norm({0}, {1}, {2}, {3}, {4})",
    "batch_moments": "batch_moments({0})", "batch_norm": "batch_norm({0}, {1}, {2}, {3}, {5})",
    "conv": "conv({0}, {1}, {2}, {3}, {4}, {5}, {6})", "conv_back": "conv_back({0}, {1}, {2}, {3}, {4}, {5}, {6})",
    "grid_sample": "grid_sample({0}, {1}, {2}, {3}, {4})",
    "resample": "resample({0}, {1}, {2}, {3}, {4})", "conv_weight": "conv_weight({0}, {1}, {2}, {3}, {4}, {5}, {6})",
    # Types, places and memory
    "cast": _cast, "copy": "{0}.copy()", "transfer": "{0}", "overwrite": "np.broadcast_to({1}, {0}.shape).copy()",
    # Products and losses
    "linear": _linear, "mse": "np.mean(np.square({0} - {1}))", "softmax_xent": "cross_entropy({0}, {1}, {2})",
    "nll": "nll({0}, {1}, {2}, {3}, {4})", "huber": "huber({0}, {1}, {2})", "bce": "bce({0}, {1})",
    "bce_logits": "bce_logits({0}, {1})",
    "recurrent": f"recurrent({', '.join(f'{{{i}}}' for i in range(11))})",
    "out_of_range": "np.any((({0} < 0) | ({0} >= {1})) & ({0} != {2}))",
    # Reductions and scans
    "amax": _reduction("max"), "amin": _reduction("min"), "var": _var,
    "logsumexp": "logsumexp({0}, {1}, {2})", "softmax": "softmax({0}, {1})", "log_softmax": "log_softmax({0}, {1})",
    "cumsum": "np.cumsum({0}, axis={1}, dtype={0}.dtype)", "cumprod": "np.cumprod({0}, axis={1}, dtype={0}.dtype)",
    "argsort": "argsort({0}, {1}, {2})", "topk_order": "np.take(argsort({0}, {1}, {3}), np.arange({2}), {1})",
    "largest_of_windows": "largest_of_windows({0}, {1})", "cummax": "running({0}, {1}, np.greater_equal)",
    "cummin": "running({0}, {1}, np.less_equal)", "logcumsumexp": "np.logaddexp.accumulate({0}, axis={1})",
    "searchsorted": "searchsorted({0}, {1}, {2})",
    # Shapes and views
    "reshape": "{0}.reshape({1})", "permute": _permute, "expand": "np.broadcast_to({0}, {1})", "slice": _slice,
    "unslice": lambda given: f"unslice({given.t[0]}, {given.t[1]}, np.s_[{index_text(given.v[2])}])",
    "diagonal": "diagonal({0}, {1}, {2}, {3})", "undiagonal": "undiagonal({0}, {1}, {2}, {3}, {4})",
    "view_as_real": "view_as_real({0})", "view_as_complex": "view_as_complex({0})",
    "view_scatter": lambda given: f"write_through({given.t[0]}, {given.t[1]}, {steps_text(given.v[2])})",
    "zero_view": lambda given: f"write_through({given.t[0]}, 0, {steps_text(given.v[1])})",
    "windows": "windows({0}, {1}, {2}, {3})", "unwindows": "unwindows({0}, {1}, {2}, {3}, {4})",
    **{name: f"restride({', '.join(f'{{{i}}}' for i in range(6))})" for name in ("as_strided", "restride")},
    "unstrided": f"unstrided({', '.join(f'{{{i}}}' for i in range(7))})",
    # Joins and rearrangements
    "cat": "np.concatenate({0}, {1})", "stack": "np.stack({0}, {1})", "flip": "np.flip({0}, {1})",
    "roll": "np.roll({0}, {1}, {2})", "tril": "np.tril({0}, {1})", "triu": "np.triu({0}, {1})",
    "pad": lambda given: (
        f"np.pad({given.t[0]}, {given.t[1]}, constant_values={given.t[2]})" if given.v[1] else f"{given.t[0]}.copy()"
    ),
    # Gathers and scatters
    "index": lambda given: f"{given.t[0]}[{_places(given, 1, 2)}]",
    "unindex": lambda given: f"add_at({given.t[0]}, {given.t[3]}, np.s_[{_places(given, 1, 2)}])",
    "index_put": lambda given: (
        f"put({given.t[0]}, np.s_[{_places(given, 2, 3)}], {given.t[1]}, {given.t[4]})"
    ),
    "gather": "{0}[along({1}, {2})]", "ungather": "add_at({0}, {2}, along({1}, {3}))",
    "scatter_add": "scatter({0}, {1}, {2}, {3}, np.add.at)",
    "scatter": "scatter({0}, {1}, {2}, {3}, np.ndarray.__setitem__)",
    "scatter_amax": "scatter({0}, {1}, {2}, {3}, np.maximum.at)",
    "scatter_amin": "scatter({0}, {1}, {2}, {3}, np.minimum.at)",
    "take": "{0}[{1}]",
    "untake": lambda given: (
        f"add_at({given.t[0]}, {literal((given.v[2], *given.v[0].shape[given.v[1].ndim:]))}, {given.t[1]})"
    ),
}  # fmt: skip
