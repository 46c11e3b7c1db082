"""The kinks and extremes: one table, from which ``docs/kinks.md`` is written and the tests are made.

From the repository root, ``python -m tests.parity.kinks`` writes the page (PyTorch must be installed).
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from types import SimpleNamespace

PAGE = Path(__file__).resolve().parents[2] / "docs" / "kinks.md"
inf, nan = math.inf, math.nan
BIG = [-1000.0, 0.0, 1000.0]

# what the point is -> the expression, of `lib`, `F` and the inputs, and the inputs
KINKS: dict[str, tuple[str, dict[str, list]]] = {
    "the norm at 0": ("lib.norm(x)", {"x": [0.0, 0.0]}),
    "the 1-norm at 0": ("lib.norm(x, 1)", {"x": [0.0, 2.0, -2.0]}),
    "the 3-norm at 0": ("lib.norm(x, 3)", {"x": [0.0, 0.0]}),
    "the 3-norm with a 0": ("lib.norm(x, 3)", {"x": [0.0, 2.0, -1.0]}),
    "the inf-norm at a tie": ("lib.norm(x, inf)", {"x": [2.0, -2.0, 1.0]}),
    "the -1-norm with a 0": ("lib.norm(x, -1)", {"x": [1.0, 0.0]}),
    "the 0-norm": ("lib.norm(x, 0)", {"x": [0.0, 2.0]}),
    "a distance of 0": ("lib.dist(x, y)", {"x": [1.0, 2.0], "y": [1.0, 2.0]}),
    "max, several alike": ("x.max()", {"x": [1.0, 3.0, 3.0]}),
    "max along a dim, several alike": ("x.max(0).values", {"x": [1.0, 3.0, 3.0]}),
    "min along a dim, several alike": ("x.min(0).values", {"x": [1.0, 3.0, 1.0]}),
    "amax, several alike": ("lib.amax(x, 0)", {"x": [1.0, 3.0, 3.0]}),
    "amin, several alike": ("lib.amin(x, 0)", {"x": [1.0, 3.0, 1.0]}),
    "max of a NaN": ("x.max()", {"x": [1.0, nan, 3.0]}),
    "max along a dim of a NaN": ("x.max(0).values", {"x": [1.0, nan, 3.0]}),
    "amax of a NaN": ("lib.amax(x, 0)", {"x": [1.0, nan, 3.0]}),
    "maximum at a tie": ("lib.maximum(x, y)", {"x": [2.0, 1.0], "y": [2.0, 3.0]}),
    "minimum at a tie": ("lib.minimum(x, y)", {"x": [2.0, 1.0], "y": [2.0, 3.0]}),
    "maximum of a NaN": ("lib.maximum(x, y)", {"x": [nan, 1.0], "y": [2.0, nan]}),
    "fmax at a tie": ("lib.fmax(x, y)", {"x": [2.0, nan, 1.0], "y": [2.0, 3.0, nan]}),
    "fmin at a tie": ("lib.fmin(x, y)", {"x": [2.0, nan, 1.0], "y": [2.0, 3.0, nan]}),
    "aminmax, several alike": ("sum(lib.aminmax(x))", {"x": [1.0, 3.0, 3.0, 1.0]}),
    "relu at 0": ("lib.relu(x)", {"x": [0.0, -0.0, 1.0]}),
    "leaky_relu at 0": ("F.leaky_relu(x, 0.25)", {"x": [0.0, -0.0, 1.0]}),
    "abs at 0": ("lib.abs(x)", {"x": [0.0, -0.0, -2.0]}),
    "sign": ("lib.sign(x)", {"x": [0.0, 2.0, -2.0]}),
    "clamp at its edges": ("lib.clamp(x, -1.0, 1.0)", {"x": [-1.0, 1.0, -2.0, 2.0, 0.0]}),
    "clamp of a NaN": ("lib.clamp(x, -1.0, 1.0)", {"x": [nan, 0.5]}),
    "clamp by tensors, at the edge": (
        "lib.clamp(x, low, high)",
        {"x": [-1.0, 1.0, -2.0, 2.0, 0.0], "low": [-1.0] * 5, "high": [1.0] * 5},
    ),
    "clamp by crossed tensors": ("lib.clamp(x, low, high)", {"x": [0.0, 3.0], "low": [2.0, 2.0], "high": [1.0, 1.0]}),
    "clamp_min at its edge": ("lib.clamp_min(x, 1.0)", {"x": [1.0, 0.0, 2.0]}),
    "sqrt at 0": ("lib.sqrt(x)", {"x": [0.0, 4.0]}),
    "sqrt below 0": ("lib.sqrt(x)", {"x": [-1.0, 4.0]}),
    "rsqrt at 0": ("lib.rsqrt(x)", {"x": [0.0, 4.0]}),
    "reciprocal at 0": ("lib.reciprocal(x)", {"x": [0.0, 4.0]}),
    "log at 0": ("lib.log(x)", {"x": [0.0, 1.0]}),
    "log1p at -1": ("lib.log1p(x)", {"x": [-1.0, 0.0]}),
    "asin at its ends": ("lib.asin(x)", {"x": [-1.0, 1.0]}),
    "acos at its ends": ("lib.acos(x)", {"x": [-1.0, 1.0]}),
    "atanh at its ends": ("lib.atanh(x)", {"x": [-1.0, 1.0]}),
    "acosh at 1": ("lib.acosh(x)", {"x": [1.0, 2.0]}),
    "x**2 at 0": ("x**2", {"x": [0.0, -1.0]}),
    "x**1 at 0": ("x**1", {"x": [0.0, -1.0]}),
    "x**0 at 0": ("x**0", {"x": [0.0, -1.0]}),
    "x**0.5 at 0": ("x**0.5", {"x": [0.0, 4.0]}),
    "x**-1 at 0": ("x**-1", {"x": [0.0, 4.0]}),
    "x**y at 0": ("lib.pow(x, y)", {"x": [0.0, 0.0, 0.0, 2.0], "y": [0.0, 1.0, 2.0, 0.0]}),
    "0**y": ("lib.pow(0.0, y)", {"y": [0.0, 1.0, 2.0]}),
    "x**y of a negative x": ("lib.pow(x, y)", {"x": [-2.0, -1.0], "y": [2.0, 3.0]}),
    "softplus far out": ("F.softplus(x)", {"x": BIG}),
    "softplus at its threshold": ("F.softplus(x)", {"x": [20.0, 20.5]}),
    "sigmoid far out": ("lib.sigmoid(x)", {"x": BIG}),
    "logsigmoid far out": ("F.logsigmoid(x)", {"x": BIG}),
    "tanh far out": ("lib.tanh(x)", {"x": BIG}),
    "silu far out": ("F.silu(x)", {"x": BIG}),
    "gelu far out": ("F.gelu(x)", {"x": BIG}),
    "gelu (tanh) far out": ("F.gelu(x, approximate='tanh')", {"x": BIG}),
    "erf far out": ("lib.erf(x)", {"x": BIG}),
    "exp far out": ("lib.exp(x)", {"x": BIG}),
    "expm1 far out": ("lib.expm1(x)", {"x": BIG}),
    "logsumexp with -inf": ("lib.logsumexp(x, 0)", {"x": [-inf, 1.0, 2.0]}),
    "logsumexp of -inf only": ("lib.logsumexp(x, 0)", {"x": [-inf, -inf]}),
    "logsumexp with inf": ("lib.logsumexp(x, 0)", {"x": [inf, 1.0]}),
    "softmax with -inf": ("w @ lib.softmax(x, 0)", {"x": [-inf, 1.0, 2.0]}),
    "softmax of -inf only": ("w @ lib.softmax(x, 0)", {"x": [-inf, -inf, -inf]}),
    "softmax far out": ("w @ lib.softmax(x, 0)", {"x": BIG}),
    "log_softmax far out": ("w @ lib.log_softmax(x, 0)", {"x": BIG}),
    "logcumsumexp with -inf": ("lib.logcumsumexp(x, 0)", {"x": [-inf, 1.0, 2.0]}),
    "logaddexp of -inf": ("lib.logaddexp(x, y)", {"x": [-inf, 1.0, 800.0], "y": [2.0, -inf, -800.0]}),
    "std of one element": ("lib.std(x)", {"x": [2.0]}),
    "var of one element": ("lib.var(x)", {"x": [2.0]}),
    "std of equal elements": ("lib.std(x)", {"x": [2.0, 2.0]}),
    "var of equal elements": ("lib.var(x)", {"x": [2.0, 2.0]}),
    "population std of one element": ("lib.std(x, unbiased=False)", {"x": [2.0]}),
    "median, several alike": ("lib.median(x)", {"x": [3.0, 1.0, 3.0, 4.0]}),
    "median along a dim, several alike": ("lib.median(x, 0).values", {"x": [3.0, 1.0, 3.0, 4.0]}),
    "nanmedian": ("lib.nanmedian(x)", {"x": [3.0, nan, 1.0]}),
    "sort, several alike": ("w4 @ lib.sort(x, stable=True).values", {"x": [3.0, 1.0, 3.0, 1.0]}),
    "topk, several alike": ("lib.topk(x, 1).values", {"x": [1.0, 4.0, 3.0]}),
    "cummax, several alike": ("lib.cummax(x, 0).values", {"x": [1.0, 3.0, 3.0, 2.0]}),
    "prod with one 0": ("lib.prod(x)", {"x": [2.0, 0.0, 3.0]}),
    "prod with two 0": ("lib.prod(x)", {"x": [2.0, 0.0, 0.0]}),
    "prod along a dim with one 0": ("lib.prod(x, 0)", {"x": [2.0, 0.0, 3.0]}),
    "cumprod with one 0": ("lib.cumprod(x, 0)", {"x": [2.0, 0.0, 3.0]}),
    "cumprod with two 0": ("lib.cumprod(x, 0)", {"x": [2.0, 0.0, 0.0, 3.0]}),
    "atan2 at 0": ("lib.atan2(y, x)", {"y": [0.0, 1.0], "x": [0.0, 0.0]}),
    "hypot at 0": ("lib.hypot(x, y)", {"x": [0.0, 3.0], "y": [0.0, 0.0]}),
    "where with NaN in the other branch": ("lib.where(x > 0, x, x * nan)", {"x": [1.0, 2.0]}),
    "where with sqrt in the other branch": ("lib.where(x > 0, lib.sqrt(x), x)", {"x": [0.0, 4.0]}),
    "huber at its corner": ("F.huber_loss(x, y, reduction='sum')", {"x": [0.0, 1.0, -1.0, 2.0], "y": [0.0] * 4}),
    "smooth_l1 at its corner": (
        "F.smooth_l1_loss(x, y, reduction='sum')",
        {"x": [0.0, 1.0, -1.0, 2.0], "y": [0.0] * 4},
    ),
    "l1_loss at 0": ("F.l1_loss(x, y, reduction='sum')", {"x": [0.0, 1.0], "y": [0.0, 0.0]}),
    "xlogy at 0": ("lib.xlogy(x, y)", {"x": [0.0, 0.0, 1.0], "y": [0.0, 2.0, 0.0]}),
    "x / 0": ("x / y", {"x": [1.0, 0.0, -1.0], "y": [0.0, 0.0, 0.0]}),
    "the slope of floor": ("lib.floor(x)", {"x": [0.5, 1.0]}),
    "the slope of round": ("lib.round(x)", {"x": [0.5, 1.5]}),
    "the slope of trunc": ("lib.trunc(x)", {"x": [0.5, -1.0]}),
    "frac": ("lib.frac(x)", {"x": [0.5, -1.0]}),
    "fmod": ("lib.fmod(x, y)", {"x": [4.0, -4.5], "y": [2.0, 2.0]}),
    "remainder": ("lib.remainder(x, y)", {"x": [4.0, -4.5], "y": [2.0, 2.0]}),
    "copysign of 0": ("lib.copysign(x, y)", {"x": [0.0, 2.0, -2.0], "y": [-1.0, -0.0, 0.0]}),
    "sinc at 0": ("lib.sinc(x)", {"x": [0.0, 0.5]}),
    "logit at its ends": ("lib.logit(x)", {"x": [0.0, 1.0, 0.5]}),
    "logit outside of its domain": ("lib.logit(x)", {"x": [-0.5, 1.5, 0.5]}),
    "logit, limited": ("lib.logit(x, 0.125)", {"x": [0.0, 0.125, 0.5]}),
    "nan_to_num": ("lib.nan_to_num(x)", {"x": [nan, inf, -inf, 1.0]}),
    "nansum": ("lib.nansum(x)", {"x": [nan, 1.0]}),
    "erfinv at its ends": ("lib.erfinv(x)", {"x": [-1.0, 0.0, 1.0]}),
    "lgamma at 0": ("lib.lgamma(x)", {"x": [0.0, 1.0]}),
    "digamma at 0 and at infinity": ("lib.digamma(x)", {"x": [0.0, inf, -inf, nan]}),
    "kthvalue, none alike": ("lib.kthvalue(x, 2, 0).values", {"x": [3.0, 1.0, 2.0]}),
    "kthvalue of a NaN": ("lib.kthvalue(x, 3, 0).values", {"x": [nan, 1.0, 2.0]}),
    "mode, several alike": ("lib.mode(x, 0).values", {"x": [1.0, 2.0, 2.0, 1.0]}),
    "cummin, several alike": ("lib.cummin(x, 0).values", {"x": [2.0, 2.0, 1.0, 1.0]}),
    "the quotient rounded down": ("lib.div(x, y, rounding_mode='floor')", {"x": [1.0, 5.0], "y": [2.0, 2.0]}),
    "the quotient rounded toward 0": ("lib.div(x, y, rounding_mode='trunc')", {"x": [-1.0, 5.0], "y": [2.0, 2.0]}),
    "elu at 0 and far out": ("F.elu(x)", {"x": [0.0, 1.0, -1000.0]}),
    "hardtanh at its edges": ("F.hardtanh(x)", {"x": [-1.0, 1.0, 0.0]}),
    "relu6 at its edges": ("F.relu6(x)", {"x": [0.0, 6.0, 3.0]}),
    "hardswish at its edges": ("F.hardswish(x)", {"x": [-3.0, 3.0, 0.0]}),
    "softshrink at its edges": ("F.softshrink(x)", {"x": [0.5, -0.5, 1.0]}),
    "hardshrink at its edges": ("F.hardshrink(x)", {"x": [0.5, -0.5, 1.0]}),
    "threshold at its edge": ("F.threshold(x, 1.0, 5.0)", {"x": [1.0, 2.0]}),
    "max_pool, several alike": ("F.max_pool1d(x.reshape(1, 1, -1), 2)", {"x": [1.0, 1.0, nan, 2.0]}),
    "normalize of 0": ("F.normalize(x, dim=0)", {"x": [0.0, 0.0]}),
    "cosine_similarity of 0": ("F.cosine_similarity(x, y, dim=0)", {"x": [0.0, 0.0], "y": [1.0, 0.0]}),
    "pdist of equal rows": ("F.pdist(x.reshape(2, 1))", {"x": [1.0, 1.0]}),
    "cdist of equal rows": ("lib.cdist(x.reshape(1, 2), y.reshape(1, 2))", {"x": [1.0, 2.0], "y": [1.0, 2.0]}),
    "cdist of order inf, a tie": (
        "lib.cdist(x.reshape(1, 2), y.reshape(1, 2), inf)",
        {"x": [1.0, 1.0], "y": [0.0, 2.0]},
    ),
    "the largest of several NaN": ("x.max(0).values", {"x": [nan, nan, 1.0]}),
    "the smallest of a NaN": ("lib.amin(x)", {"x": [nan, 1.0]}),
}  # fmt: skip


def answer(name, lib, dtype):
    """The value and the gradients at a kink, as flat lists of Python numbers."""
    text, inputs = KINKS[name]
    leaves = {k: lib.tensor(v, dtype=dtype, requires_grad=True) for k, v in inputs.items()}
    weights = {"w": lib.tensor([1.0, 2.0, 4.0], dtype=dtype), "w4": lib.tensor([1.0, 2.0, 4.0, 8.0], dtype=dtype)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = eval(text, {"lib": lib, "F": lib.nn.functional, "inf": inf, "nan": nan, **weights, **leaves})
        out.sum().backward()
    rows = [out.detach(), *(x * 0 if x.grad is None else x.grad for x in leaves.values())]
    return SimpleNamespace(names=list(leaves), rows=[r.detach().double().reshape(-1).tolist() for r in rows])


def _numbers(values):
    return ", ".join(f"{v + 0.0:.4g}" for v in values)


def page(ours, theirs):
    """The text of the page, from the answers of both libraries by name."""
    lines = [
        "# Gradients at kinks and extremes",
        "",
        (
            "What the derivative of a function is where it has none, or where numbers overflow: the same as in "
            "PyTorch, on every backend. The table is written by `tests/parity/kinks.py`, and "
            "`tests/parity/test_kinks.py` compares each line with PyTorch on NumPy and Numba, in float32 and float64. "
            "The gradients are those of the sum of the result (`w` stands for the weights 1, 2, 4, and `w4` for "
            "1, 2, 4, 8)."
        ),
        "",
        "| Where | Expression | At | Gradient | PyTorch's |",
        "|---|---|---|---|---|",
    ]
    for name, (text, inputs) in KINKS.items():
        at = "; ".join(f"{k} = {_numbers(v)}" for k, v in inputs.items())
        columns = []
        for answers in (ours, theirs):
            pairs = zip(answers[name].names, answers[name].rows[1:], strict=True)
            columns.append("; ".join(f"{k}: {_numbers(v)}" for k, v in pairs))
        lines.append(f"| {name} | `{text}` | {at} | {columns[0]} | {columns[1]} |")
    return "\n".join(lines) + "\n" + OTHERWISE + "\n"


OTHERWISE = """
## Where PyTorch has something else

- `kthvalue` and `topk` of several alike: here the first ones in their order. PyTorch's come from a partial sort that
  keeps no order, and depend on what else the tensor holds.
- `floor_divide` and `//`: the slope is 0 here; PyTorch's backward is an error. (`div(..., rounding_mode='floor')` has
  the slope 0 in both.)
- The derivative of `digamma` at -1, -2, ... is infinite here. PyTorch's formula divides by a sine that is not quite 0
  there and gives 6.6e32 in float64, 1.3e15 in float32.
- `det` of a singular matrix: the matrix of cofactors here, as the formula says. PyTorch divides by a pivot that is 0 or
  nearly so, and gives 0 or numbers of no meaning.
- Complex powers of tensors: `0 ** 0` is 1 here as it is for real numbers; PyTorch's logarithm makes it NaN.
- `cumprod` over inf and 0: here NaN only where the products themselves are NaN.
""".rstrip()


def write():
    import torch

    import tapegrad

    both = [{name: answer(name, lib, lib.float64) for name in KINKS} for lib in (tapegrad, torch)]
    PAGE.write_text(page(*both), "utf-8")


if __name__ == "__main__":
    write()
