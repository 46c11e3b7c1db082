"""PyTorch's own operator database, and how one of its names is judged here.

The database (``torch.testing._internal``) makes inputs for every operator, and inputs that it must refuse. A name is
called in both libraries, each sample of it in one of the ``MODES``. Values are compared by their distance from what
PyTorch computes in float64, gradients likewise, of the sum of the results with fixed weights; element types, shapes
and the number of results must be PyTorch's.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import warnings

import numpy as np

import tapegrad

__all__ = ["LEFT_OUT", "MODES", "entries", "judge", "names", "on"]

MODES = ("float32", "float64", "complex64", "int64", "bool", "strided", "in place", "refusals")

# Names that are not judged, by how they begin, and why
LEFT_OUT = {
    "torch.ops.": "PyTorch's inner operators", "_": "private", "jiterator": "compiles CUDA code of the user",
    "sparse.": "sparse tensors", "to_sparse": "sparse tensors", "hash_tensor": "a checksum of PyTorch's own",
    "special.": "orthogonal polynomials and further Bessel functions", "nn.functional.fractional": "draws its regions",
}  # fmt: skip
SPECIAL = frozenset(
    """airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 chebyshev_polynomial hermite_polynomial laguerre_polynomial
    legendre_polynomial modified_bessel scaled_modified_bessel shifted_chebyshev spherical_bessel zeta""".split()
)
# Left out one by one: what they give is no tensor of these types, not determined, or judged under another name
SINGLE = frozenset(
    """as_strided as_strided_copy bfloat16 cauchy cdouble cfloat chalf exponential geometric linalg.eig linalg.lstsq
    linalg.pinv log_normal max_pool2d_with_indices_backward native_dropout_backward
    nn.functional.multi_head_attention_forward normal pca_lowrank sgn slice svd_lowrank uniform zero_""".split()
)
# Of these only types and shapes: what is in the memory, or drawn, is left open
OPEN = frozenset(
    """bernoulli empty empty_like empty_permuted empty_strided multinomial new_empty new_empty_strided
    nn.functional.alpha_dropout nn.functional.dropout nn.functional.dropout2d nn.functional.dropout3d
    nn.functional.feature_alpha_dropout nn.functional.rrelu rand_like randint randint_like randn randn_like resize_
    resize_as_""".split()
)
# Of these the signs of vectors are left open: the database says what is determined
SIGNS = frozenset({"svd", "linalg.svd", "linalg.eigh"})
# Of equal elements any index will do: the name, and which argument its `dim` is
TIES = {"sort": 0, "argsort": 0, "mode": 0, "topk": 1, "kthvalue": 1}

# Names that the database calls with arguments in an order of its own
REORDERED = {
    "where": lambda x, condition, other: tapegrad.where(condition, x, other),
    "einsum": lambda operands, equation: tapegrad.einsum(equation, *operands),
    "polygamma": lambda x, n: tapegrad.polygamma(n, x),
    "special.polygamma": lambda x, n: tapegrad.special.polygamma(n, x),
    "nn.functional.embedding": lambda weight, index, **options: tapegrad.nn.functional.embedding(
        index, weight, **options
    ),
}


_place = "cpu"  # where the tensors of this library lie


@contextlib.contextmanager
def on(device):
    """Within it, names are judged with the tensors of this library on ``device``."""
    global _place
    before, _place = _place, device
    try:
        yield
    finally:
        _place = before


class Unfit(Exception):
    """A sample that cannot be said here: a sparse tensor, a generator, a memory format."""


@functools.cache
def entries():
    """The database's entries by name; a name may have several."""
    from torch.testing._internal.common_methods_invocations import op_db

    found = {}
    for op in op_db:
        if not _left_out(op.name):
            found.setdefault(op.name, []).append(op)
    return found


def _left_out(name):
    if name in SINGLE or (name.startswith("special.") and any(name[8:].startswith(s) for s in SPECIAL)):
        return True
    private = name.startswith("_") and not name.startswith("__")
    return private or any(name.startswith(p) for p in LEFT_OUT if p not in ("_", "special."))


@functools.cache
def names(mode):
    """The names that a mode concerns, sorted."""
    return sorted(name for name, ops in entries().items() if any(_concerns(op, mode) for op in ops))


def _concerns(op, mode):
    import torch

    if mode == "refusals":
        return op.error_inputs_func is not None
    if mode == "in place" and op.inplace_variant is None:
        return False
    return _dtype(torch, mode) in op.supported_dtypes("cpu")


def _dtype(torch, mode):
    return getattr(torch, mode if mode in MODES[:5] else "float32")


def judge(name, mode, count=None):
    """What differs from PyTorch: a line, or None.

    Args:
        count: how many samples of each entry, spread over those there are; None for all.
    """
    import torch

    for op in entries()[name]:
        if not _concerns(op, mode):
            continue
        function = _function(op, mode)
        if function is None:
            return "missing"
        for number, sample in enumerate(_samples(torch, op, mode, count)):
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                try:
                    wrong = (_refused if mode == "refusals" else _compared)(torch, op, function, sample, mode)
                except Unfit:
                    continue
            if wrong is not None:
                return f"{op.variant_test_name or 'sample'} {number}: {wrong}"
    return None


def _samples(torch, op, mode, count):
    torch.manual_seed(11)
    if mode == "refusals":
        return [e.sample_input for e in op.error_inputs("cpu")]
    given = op.sample_inputs("cpu", _dtype(torch, mode), requires_grad=_has_gradient(torch, op, mode))
    some = list(itertools.islice(given, None if count is None else 10 * count))
    chosen = some if count is None else some[:: max(1, len(some) // count)]
    return [s.noncontiguous() for s in chosen] if mode == "strided" else chosen


def _has_gradient(torch, op, mode):
    dtype = _dtype(torch, mode)
    fits = op.supports_autograd and (dtype.is_floating_point or dtype.is_complex)
    fits = fits and dtype in op.supported_backward_dtypes("cpu")
    return bool(fits and (mode != "in place" or op.supports_inplace_autograd))


def _function(op, mode):
    """The function of this library: of the package, else a method or a property of Tensor."""
    if mode == "in place":
        own = getattr(tapegrad.Tensor, getattr(op.inplace_variant, "__name__", ""), None)
        layer = getattr(tapegrad.nn.functional, op.name.rpartition(".")[2], None)
        return own or (layer and (lambda *args, **options: layer(*args, **options, inplace=True)))
    if op.name in REORDERED:
        return REORDERED[op.name]
    found = tapegrad
    for part in op.name.split("."):
        found = getattr(found, part, None)
    if callable(found):
        return found
    method = getattr(tapegrad.Tensor, op.name, None)
    return method if method is None or callable(method) else method.__get__


def _here(torch, x, leaves):
    """An argument of PyTorch as one of this library; tensors with their strides. Leaves are collected in pairs."""
    if isinstance(x, torch.Tensor):
        if x.layout != torch.strided or x.is_conj() or x.is_neg() or x.dtype in (torch.bfloat16, torch.complex32):
            raise Unfit
        kept = torch.empty(0, dtype=x.dtype).set_(x.detach().untyped_storage()).numpy().copy()
        made = tapegrad.from_numpy(kept).as_strided(tuple(x.shape), x.stride(), x.storage_offset()).detach()
        made = made if _place == "cpu" else made.to(_place)
        if x.requires_grad:
            leaves.append((x, made.requires_grad_()))
        return made
    if isinstance(x, torch.dtype):
        if not hasattr(tapegrad, str(x).removeprefix("torch.")):
            raise Unfit
        return getattr(tapegrad, str(x).removeprefix("torch."))
    if isinstance(x, torch.device):
        return _place
    if isinstance(x, (torch.layout, torch.memory_format, torch.Generator)):
        raise Unfit
    return _within(x, lambda v: _here(torch, v, leaves))


def _exact(torch, x, leaves):
    """The same argument in float64 or complex128."""
    if isinstance(x, torch.Tensor):
        kind = {torch.float32: torch.float64, torch.complex64: torch.complex128}.get(x.dtype, x.dtype)
        made = x.detach().to(kind, copy=True)
        if x.requires_grad:
            leaves.append(made.requires_grad_())
        return made
    return torch.float64 if x is torch.float32 else _within(x, lambda v: _exact(torch, v, leaves))


def _within(x, change):
    if isinstance(x, dict):
        return {k: change(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        parts = [change(v) for v in x]
        return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts) if isinstance(x, tuple) else parts
    return x


def _refused(torch, op, function, sample, mode):
    given = _tried(lambda: [_here(torch, x, []) for x in (sample.input, sample.args, sample.kwargs)])
    if given is None or "out" in sample.kwargs:  # more dimensions than NumPy has, or a type that is not here
        raise Unfit
    try:
        op.op(sample.input, *sample.args, **sample.kwargs)
        return None
    except Exception as error:
        theirs = f"{type(error).__name__}: {error}"
    try:
        function(given[0], *given[1], **given[2])
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, NotImplementedError) as error:
        return None if len(str(error)) > 10 else f"an error without words: {error!r}"
    return f"accepted; PyTorch: {theirs:.80}"


def _results(x):
    """The tensors and numbers of a result, in order."""
    if isinstance(x, (list, tuple)):
        return [leaf for part in x for leaf in _results(part)]
    return [x] if hasattr(x, "shape") or isinstance(x, (bool, int, float, complex)) else []


def _array(x):
    if isinstance(x, tapegrad.Tensor):
        x = x.detach().cpu()
    if hasattr(x, "resolve_conj"):
        x = x.detach().resolve_conj().resolve_neg().numpy()
    return np.asarray(x)


def _compared(torch, op, function, sample, mode):
    leaves, fine = [], []
    if sample.kwargs.get("dropout_p"):  # drawn
        raise Unfit
    try:
        given = [_here(torch, x, leaves) for x in (sample.input, sample.args, sample.kwargs)]
        exact = [_exact(torch, x, fine) for x in (sample.input, sample.args, sample.kwargs)]
        call = op.inplace_variant if mode == "in place" else op.op
        fresh = (lambda x: x.clone()) if mode == "in place" else (lambda x: x)
        finish = sample.output_process_fn_grad if op.name in SIGNS else (lambda x: x)
        want = _results(finish(call(fresh(sample.input), *sample.args, **sample.kwargs)))
    except Unfit:
        raise
    except Exception:  # PyTorch refuses the sample in this mode
        raise Unfit from None
    limit = _tried(lambda: _results(finish(call(fresh(exact[0]), *exact[1], **exact[2]))))
    try:
        got = _results(finish(function(fresh(given[0]), *given[1], **given[2])))
    except Exception as error:
        return f"{type(error).__name__}: {error!s:.120}"
    if len(got) != len(want):
        return f"{len(got)} results, PyTorch has {len(want)}"
    limit = limit if limit is not None and len(limit) == len(want) else want
    got, want, limit = (_chosen(torch, op, sample, list(r)) for r in (got, want, limit))
    for a, b, c in zip(got, want, limit, strict=True):
        if wrong := _apart(_array(a), _array(b), _array(c), op.name in OPEN):
            return wrong
    if not leaves or op.name in OPEN:
        return None
    return _gradients(torch, got, want, limit, leaves, fine)


def _chosen(torch, op, sample, results):
    """Indices of chosen elements as the elements that they choose."""
    if op.name not in TIES or not sample.input.ndim:
        return results
    index, at, options = torch.as_tensor(_array(results[-1])), TIES[op.name], sample.kwargs
    dim = options.get("dim", sample.args[at] if len(sample.args) > at else -1)
    dim = -1 if isinstance(dim, bool) else dim
    index = index if index.ndim == sample.input.ndim else index.unsqueeze(dim)
    return [*results[:-1], torch.take_along_dim(sample.input.detach(), index, dim)]


def _tried(compute):
    with contextlib.suppress(Exception):
        return compute()
    return None


def _apart(got, want, limit, open_values=False, tolerance=1e-4):
    """How two arrays differ; ``limit`` is PyTorch's result in float64."""
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype}{list(got.shape)}, PyTorch has {want.dtype}{list(want.shape)}"
    if open_values or not want.size:
        return None
    if want.dtype.kind not in "fc":
        return None if np.array_equal(got, want) else "other values"
    limit = want if limit.shape != want.shape or limit.dtype.kind not in "fc" else limit
    finite = np.isfinite(want)
    if not np.array_equal(got[~finite], want[~finite], equal_nan=True) or not np.isfinite(got[finite]).all():
        return "NaN or infinity elsewhere"
    if not finite.any():
        return None
    wide = np.complex128 if want.dtype.kind == "c" else np.float64
    noise = np.abs(want[finite].astype(wide) - limit[finite])
    tolerance = tolerance * 1e-4 if want.dtype.itemsize >= (16 if want.dtype.kind == "c" else 8) else tolerance
    size = max(float(np.abs(want[finite]).max()), 1e-6)
    allowed = tolerance * size + 10 * float(noise[np.isfinite(noise)].max(initial=0.0))
    error = float(np.abs(got[finite].astype(wide) - want[finite]).max())
    return None if error <= allowed else f"off by {error:.1e} where the largest is {size:.1e}"


def _loss(results, weights, number):
    total = 0
    for y, w in zip(results, weights, strict=True):
        if w is not None:
            total = total + (y * number(w, y)).sum()
    return total.real if total.is_complex() else total


def _gradients(torch, got, want, limit, leaves, fine):
    weights = [
        torch.randn(y.shape, dtype=y.dtype) if isinstance(y, torch.Tensor) and y.requires_grad else None for y in want
    ]
    if all(w is None for w in weights):
        return None
    xs = [x for x, _ in leaves]
    theirs = _tried(lambda: torch.autograd.grad(_loss(want, weights, lambda w, y: w), xs, allow_unused=True))
    if theirs is None:
        return None
    exact = _tried(lambda: torch.autograd.grad(_loss(limit, weights, lambda w, y: w.to(y.dtype)), fine,
                                               allow_unused=True)) or theirs  # fmt: skip
    try:
        _loss(got, weights, lambda w, y: tapegrad.from_numpy(w.numpy()).to(y.device)).backward()
    except Exception as error:
        return f"backward: {type(error).__name__}: {error!s:.120}"
    for (_, leaf), a, c in zip(leaves, theirs, exact, strict=True):
        b = leaf.grad
        if a is None or b is None:
            one = a if b is None else b
            if one is not None and np.any(_array(one)):
                return "a gradient is missing " + ("here" if b is None else "in PyTorch")
            continue
        if wrong := _apart(_array(b), _array(a), _array(a if c is None else c), tolerance=3e-4):
            return f"gradient {wrong}"
    return None
