"""``gradcheck`` and ``gradgradcheck``: the gradients of a function against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..backends.random import Generator
from .backward import grad
from .gradient_checks import Checks, GradcheckError, Settings
from .rule import P
from .slopes import Probe, complex_of, like
from .tensor import Tensor

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False, check_batched_grad: bool = False, check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False, check_backward_ad: bool = True, fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:  # fmt: skip
    """Compare the gradients of ``func`` with central differences.

    They agree where ``|gradient - difference| <= atol + rtol * |difference|``. Of a complex output the real and the
    imaginary part are looked at one after the other; by a complex input ``x + iy`` the gradient of a real function is
    ``d/dx + i d/dy``, as everywhere here. While the differences are taken the memory of the inputs changes, so a
    function may also close over them, as a module does over its parameters.

    Args:
        func: takes the inputs, and returns a tensor or a tuple of them.
        inputs: a tensor or a tuple; checked by those that require grad, which should be float64 or complex128.
        eps: how far the inputs move.
        atol, rtol: the tolerances.
        raise_exception: raise an error that says which gradient is wrong, rather than return False.
        nondet_tol: by how much two runs of the same backward may differ.
        check_undefined_grad: whether backward is also run with the gradient of one output missing, for each in turn.
        check_grad_dtypes: whether gradients must have the type of their inputs.
        check_batched_grad: whether backward must give the same under ``vmap``.
        check_batched_forward_grad: whether forward mode must.
        check_forward_ad: whether forward mode (`func.jvp`) is checked as well.
        check_backward_ad: False checks forward mode only.
        fast_mode: compare one random projection instead of each element: two calls of ``func`` an input instead of
            two an element. A wrong element may be missed where its neighbours are large.
        masked: accepted; concerns sparse tensors, of which there are none.

    Returns:
        Whether all gradients agree.

    Raises:
        GradcheckError: they do not; it names the input, the output, the elements and both values.
        ValueError: no input requires grad.
        RuntimeError: several elements of an input share one place in memory.
        AssertionError: checks that exclude each other, or a function whose outputs change their shape or type.

    >>> import tapegrad as tg
    >>> x = tg.tensor([0.5, 1.5], dtype=tg.float64, requires_grad=True)
    >>> tg.autograd.gradcheck(lambda x: x.exp() * x.sin(), x)
    True
    """
    _expect(check_forward_ad or check_backward_ad, "check_forward_ad or check_backward_ad must be True")
    _expect(check_backward_ad or not check_batched_grad, "check_batched_grad=True needs check_backward_ad=True")
    _expect(
        check_forward_ad or not check_batched_forward_grad,
        "check_batched_forward_grad=True needs check_forward_ad=True",
    )
    settings = Settings(
        eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes, check_batched_grad,
        check_batched_forward_grad, check_forward_ad, check_backward_ad, fast_mode,
    )  # fmt: skip
    given = _as_tuple(inputs)
    return _answer(Checks(Probe(func, given, _wanted(given)), settings), raise_exception)


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5,
    rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
    nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
    check_batched_grad: bool = False, check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True,
    fast_mode: bool = False, masked: bool = False,
) -> bool:  # fmt: skip
    """Compare the second derivatives of ``func`` with central differences of its gradients.

    The gradients are a function of the inputs and of the cotangents they start from; they are checked by both.

    Args:
        func, inputs: as in `gradcheck`.
        grad_outputs: a cotangent for each output that requires grad; drawn between -1 and 1 where None, always the
            same ones.
        gen_non_contig_grad_outputs: whether those that are drawn are not contiguous.
        check_fwd_over_rev: whether forward mode over backward is checked as well.
        check_rev_over_rev: False leaves backward over backward out.

    The other arguments, the result and the errors are those of `gradcheck`.

    >>> import tapegrad as tg
    >>> x = tg.tensor([0.5, 1.5], dtype=tg.float64, requires_grad=True)
    >>> tg.autograd.gradgradcheck(lambda x: x**3, x)
    True
    """
    _expect(check_fwd_over_rev or check_rev_over_rev, "check_fwd_over_rev or check_rev_over_rev must be True")
    _expect(check_rev_over_rev or not check_undefined_grad, "check_undefined_grad=True needs check_rev_over_rev=True")
    _expect(check_rev_over_rev or not check_batched_grad, "check_batched_grad=True needs check_rev_over_rev=True")
    given = _as_tuple(inputs)
    outputs = [y for y in Probe(func, given, []).outputs() if y.requires_grad]
    if not outputs:
        raise GradcheckError("gradgradcheck: no output of func requires grad; is there a detach() too many?")
    if grad_outputs is None:
        cotangents = _drawn(outputs, gen_non_contig_grad_outputs)
    else:
        cotangents = _as_tuple(grad_outputs)
        _expect(
            len(cotangents) == len(outputs),
            f"{len(outputs)} outputs require grad, {len(cotangents)} grad_outputs given",
        )
    wanted = _wanted(given)
    reached = _reached(outputs, [given[i] for i in wanted], cotangents)

    def gradients(*args: Any) -> tuple[Tensor, ...]:
        xs, vs = args[: len(given)], args[len(given) :]
        ys = [y for y in Probe(func, xs, []).outputs() if y.requires_grad]
        found = grad(ys, [xs[i] for i in wanted], vs, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    settings = Settings(
        eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes, check_batched_grad, False,
        check_fwd_over_rev, check_rev_over_rev, fast_mode,
    )  # fmt: skip
    sources = {len(given) + k: f" (grad_outputs[{k}])" for k in range(len(cotangents))}
    results = {k: f" (the gradient by input {wanted[r]})" for k, r in enumerate(reached)}
    args = given + cotangents
    return _answer(Checks(Probe(gradients, args, _wanted(args)), settings, sources, results), raise_exception)


def _reached(outputs: list[Tensor], xs: list[Tensor], cotangents: tuple[Any, ...]) -> list[int]:
    """Which of ``xs`` the outputs depend on."""
    if not xs:
        return []
    found = grad(outputs, xs, [None if v is None else v.detach() for v in cotangents], allow_unused=True)
    return [k for k, g in enumerate(found) if g is not None]


def _drawn(outputs: Iterable[Tensor], gaps: bool) -> tuple[Tensor, ...]:
    """Cotangents for the outputs between -1 and 1; with ``gaps`` they are every second element of a wider memory."""
    stream, made = Generator(), []
    for y in outputs:
        kind = np.dtype(np.complex128 if complex_of(y) else np.float64)
        v = like(y, stream.uniform(y._array.shape, -1, 1, kind))
        made.append((P.slice(P.stack([v, v], y.ndim), (*(slice(None),) * y.ndim, 0)) if gaps else v).requires_grad_())
    return tuple(made)


def _expect(holds: bool, words: str) -> None:
    if not holds:
        raise AssertionError("gradcheck: " + words)


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _wanted(inputs: tuple[Any, ...]) -> list[int]:
    return [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]


def _answer(checks: Checks, raise_exception: bool) -> bool:
    try:
        checks.run()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True
