"""gradcheck and gradgradcheck: the same verdicts as PyTorch's on right and wrong functions, in all modes."""

import warnings

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import nn
from tapegrad.autograd.gradcheck import GradcheckError

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

LIBRARIES = [pytest.param(tg, id="tapegrad"), pytest.param(torch, id="torch")]


def leaf(lib, *values, dtype="float64"):
    return lib.tensor(values, dtype=getattr(lib, dtype), requires_grad=True)


def custom(lib, forward, backward, *, materialize=True):
    """An operation of (ctx, *inputs), with a backward that may be wrong."""

    def forward_(ctx, *inputs):
        ctx.save_for_backward(*inputs)
        ctx.set_materialize_grads(materialize)
        return forward(*inputs)

    made = type(
        "Custom", (lib.autograd.Function,), {"forward": staticmethod(forward_), "backward": staticmethod(backward)}
    )
    return made.apply


def half_wrong(lib):
    return custom(lib, lambda a, b: a * b, lambda ctx, g: (g * ctx.saved_tensors[1], g * ctx.saved_tensors[0] * 1.5))


def one_element_wrong(lib):
    def backward(ctx, g):
        grad = g * 2
        grad[1] = grad[1] * 1.01
        return grad

    return custom(lib, lambda a: a * 2, backward)


def unsteady(lib):
    calls = []

    def backward(ctx, g):
        calls.append(None)
        return g * 2 + 1e-9 * len(calls) * g

    return custom(lib, lambda a: a * 2, backward)


def ignores_the_cotangent(lib):
    return custom(lib, lambda a: a.sum(), lambda ctx, g: lib.ones_like(ctx.saved_tensors[0]))


def needs_both(lib, materialize):
    return custom(lib, lambda a: (a * 2, a * 3), lambda ctx, g, h: g * 2 + h * 3, materialize=materialize)


def changing_shape(lib):
    calls = []

    def function(a):
        calls.append(None)
        return (a * 2)[None] if len(calls) % 2 else a * 2

    return function


def complex_half(lib):
    """Right in the real part of its output, wrong in the imaginary one."""

    def backward(ctx, g):
        return lib.complex(g.real * 2, g.imag * 3)

    return custom(lib, lambda a: a * 2, backward)


# name -> (function of the library, its inputs, what both messages contain; None where the check succeeds)
CASES = {
    "right": (lambda t: lambda a: a.exp() * a.sin(), lambda t: leaf(t, 1, 2), None),
    "two inputs and outputs": (
        lambda t: lambda a, b: (a * b, a.sin(), b.sum()), lambda t: (leaf(t, 1, 2), leaf(t, 3, 4)), None,
    ),
    "one input needs none": (
        lambda t: lambda a, k, b: a * k * b, lambda t: (leaf(t, 1, 2), t.tensor([2.0, 3.0]), leaf(t, 3, 4)), None,
    ),
    "not a tensor among the inputs": (lambda t: lambda a, k: a**k, lambda t: (leaf(t, 1, 2), 3), None),
    "an unused input": (lambda t: lambda a, b: a * a, lambda t: (leaf(t, 1, 2), leaf(t, 3, 4)), None),
    "a single number": (lambda t: lambda a: a * a, lambda t: t.tensor(2.0, dtype=t.float64, requires_grad=True), None),
    "no elements": (lambda t: lambda a: a * a, lambda t: t.zeros(0, 2, dtype=t.float64, requires_grad=True), None),
    "an output that is an input": (lambda t: lambda a: (a, a * a), lambda t: leaf(t, 1, 2), None),
    "a list as output": (lambda t: lambda a: [a * 2, a * a], lambda t: leaf(t, 1, 2), None),
    "an output without gradient": (lambda t: lambda a: (a * a, a.argmax(), a.detach()), lambda t: leaf(t, 1, 2), None),
    "indices only": (lambda t: lambda a: a.argmax(), lambda t: leaf(t, 1, 2), None),
    "not contiguous": (lambda t: lambda a: a * a, lambda t: leaf(t, 1, 2, 3, 4).reshape(2, 2).t(), None),
    "a part of memory": (lambda t: lambda a: a * a, lambda t: leaf(t, 1, 2, 3, 4)[::2], None),
    "a result as input": (lambda t: lambda a: a * a, lambda t: leaf(t, 1, 2) * 3, None),
    "complex": (
        lambda t: lambda a, b: a * b.conj(),
        lambda t: (leaf(t, 1 + 2j, 2j, dtype="complex128"), leaf(t, 3, 4 - 1j, dtype="complex128")), None,
    ),
    "complex to real": (lambda t: lambda a: a.abs(), lambda t: leaf(t, 1 + 2j, 2j, dtype="complex128"), None),
    "real to complex": (lambda t: lambda a: t.complex(a, a * a), lambda t: leaf(t, 1, 2), None),
    "wrong in one input": (
        half_wrong, lambda t: (leaf(t, 1, 2), leaf(t, 3, 4)), "Jacobian mismatch for output 0 with respect to input 1",
    ),
    "wrong in one element": (
        one_element_wrong, lambda t: leaf(t, 1, 2, 3), "Jacobian mismatch for output 0 with respect to input 0",
    ),
    "wrong in the imaginary part": (
        complex_half, lambda t: leaf(t, 1 + 2j, 2j, dtype="complex128"), "imaginary part of complex outputs only",
    ),
    "a second output wrong": (
        lambda t: lambda a: (a * a, one_element_wrong(t)(a)), lambda t: leaf(t, 1, 2, 3), "mismatch for output 1",
    ),
    "detached": (
        lambda t: lambda a: a.detach() * 2, lambda t: leaf(t, 1, 2), "expected to be zero",
    ),
    "partly detached": (lambda t: lambda a: a.detach() * a, lambda t: leaf(t, 1, 2), "Jacobian mismatch"),
    "unsteady": (unsteady, lambda t: leaf(t, 1, 2), "Backward is not reentrant"),
    "without the cotangent": (ignores_the_cotangent, lambda t: leaf(t, 1, 2), "not multiplied by grad_output"),
    "missing cotangents as zeros": (lambda t: needs_both(t, True), lambda t: leaf(t, 1, 2), None),
    "no zeros for missing cotangents": (
        lambda t: needs_both(t, False), lambda t: leaf(t, 1, 2), ("undefined output grads", "unsupported operand"),
    ),
}  # fmt: skip
MODES = {
    "slow": {},
    "fast": {"fast_mode": True},
    "batched": {"check_batched_grad": True},
    "types": {"check_grad_dtypes": True},
}
# Custom operations have no rule for vmap.
NOT_BATCHED = {name for name, case in CASES.items() if case[2] is not None} | {"missing cotangents as zeros"}


def verdict(check, *args, **options):
    """True or False, or the text of the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return check(*args, **options)
        except (RuntimeError, TypeError, ValueError, AssertionError) as error:
            return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CASES)
def test_verdicts(name, mode, lib):
    if mode == "batched" and name in NOT_BATCHED:
        pytest.skip("no rule for vmap")
    function, inputs, words = CASES[name]
    got = verdict(lib.autograd.gradcheck, function(lib), inputs(lib), **MODES[mode])
    if words is None:
        assert got is True
    else:
        assert any(part in got for part in ((words,) if isinstance(words, str) else words)), got


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("mode", [*MODES, "forward"])
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[2] is None])
def test_second_order_and_forward_mode(name, mode, lib):
    if mode == "batched" and name in NOT_BATCHED:
        pytest.skip("no rule for vmap")
    function, inputs, _ = CASES[name]
    options = {"check_fwd_over_rev": True} if mode == "forward" else MODES[mode]
    if name not in (
        "missing cotangents as zeros",
        "not a tensor among the inputs",
    ):  # PyTorch asks for a jvp, for tensors
        options_forward = {"check_forward_ad": True, "check_batched_forward_grad": lib is tg}
        assert name == "indices only" or lib.autograd.gradcheck(function(lib), inputs(lib), **options_forward)
    if name not in ("indices only", "missing cotangents as zeros"):
        assert lib.autograd.gradgradcheck(function(lib), inputs(lib), **options) is True


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize(
    ("function", "inputs", "options", "kind"),
    [
        (lambda t: t.sin, lambda t: t.ones(2), {}, "ValueError"),
        (lambda t: t.sin, lambda t: leaf(t, 1)[0].expand(3), {}, "RuntimeError"),
        (lambda t: t.sin, lambda t: leaf(t, 1), {"check_backward_ad": False}, "AssertionError"),
        (
            lambda t: t.sin, lambda t: leaf(t, 1),
            {"check_backward_ad": False, "check_forward_ad": True, "check_batched_grad": True}, "AssertionError",
        ),
        (lambda t: t.sin, lambda t: leaf(t, 1), {"check_batched_forward_grad": True}, "AssertionError"),
        (changing_shape, lambda t: leaf(t, 1), {}, "AssertionError"),
    ],
)  # fmt: skip
def test_refused(function, inputs, options, kind, lib):
    assert verdict(lib.autograd.gradcheck, function(lib), inputs(lib), **options).startswith(kind)


@pytest.mark.parametrize("lib", LIBRARIES)
def test_no_exception_on_demand(lib):
    inputs = (leaf(lib, 1, 2), leaf(lib, 3, 4))
    for fast in (False, True):
        options = {"raise_exception": False, "fast_mode": fast}
        assert lib.autograd.gradcheck(half_wrong(lib), inputs, **options) is False
        assert lib.autograd.gradgradcheck(lambda a: one_element_wrong(lib)(a) ** 3, leaf(lib, 1, 2), **options) is False


@pytest.mark.parametrize("lib", LIBRARIES)
def test_tolerance_of_unsteady_backwards(lib):
    assert lib.autograd.gradcheck(unsteady(lib), leaf(lib, 1, 2), nondet_tol=1e-6)


@pytest.mark.parametrize("lib", LIBRARIES)
def test_single_precision_is_warned_of(lib):
    with pytest.warns(UserWarning, match="Input #1|input #1"):
        lib.autograd.gradcheck(
            lambda a, b: a * b.double(), (leaf(lib, 1), leaf(lib, 2, dtype="float32")), eps=1e-2, rtol=1e-2
        )


# Second order


@pytest.mark.parametrize("lib", LIBRARIES)
def test_a_wrong_second_derivative(lib):
    """Right to first order; the gradient's own derivative is cut off by a detach()."""
    function = custom(lib, lambda a: a**3, lambda ctx, g: g * 3 * ctx.saved_tensors[0].detach() ** 2)
    inputs = leaf(lib, 1, 2)
    assert lib.autograd.gradcheck(function, inputs)
    assert "Jacobian mismatch for output 0" in verdict(lib.autograd.gradgradcheck, function, inputs)


@pytest.mark.parametrize("lib", LIBRARIES)
def test_given_cotangents(lib):
    inputs, cotangents = leaf(lib, 1, 2), (leaf(lib, 3, 4), lib.tensor([1.0, 2.0], dtype=lib.float64))
    assert lib.autograd.gradgradcheck(lambda a: (a**3, a.sin()), inputs, cotangents)
    assert lib.autograd.gradgradcheck(lambda a: (a**3, a.sin()), inputs, gen_non_contig_grad_outputs=True)


# What PyTorch does not say or do


def test_the_message_names_the_element_and_both_values():
    a = tg.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=tg.float64, requires_grad=True)

    def backward(ctx, g):
        wrong = g * 2
        wrong[1, 0] *= 1.5
        return wrong

    text = verdict(tg.autograd.gradcheck, custom(tg, lambda a: a * 2, backward), a)
    assert "1 of 16 entries" in text
    assert "output[1, 0] by input[1, 0]: numerical 2, analytical 3" in text


def test_the_message_tells_gradients_and_cotangents():
    a, b = leaf(tg, 1, 2), leaf(tg, 3, 4)
    text = verdict(tg.autograd.gradgradcheck, custom(tg, tg.mul, lambda ctx, g: (g * b, g.detach() * a)), (a, b))
    assert "output 1 (the gradient by input 1) with respect to input 2 (grad_outputs[0])" in text


def test_random_functions_are_recognised():
    text = verdict(
        tg.autograd.gradcheck, lambda a: nn.functional.dropout(a, 0.5), tg.ones(8, dtype=tg.float64).requires_grad_()
    )
    assert "random" in text


def test_overlapping_memory_is_refused():
    x = tg.ones(4, dtype=tg.float64).as_strided((2, 2), (1, 1)).requires_grad_()
    with pytest.raises(RuntimeError, match=r"input #0 overlap.*contiguous"):
        tg.autograd.gradcheck(tg.sin, x)
    assert tg.autograd.gradcheck(tg.sin, tg.ones(8, dtype=tg.float64).as_strided((2, 3), (3, 2)).requires_grad_())


def test_functions_that_close_over_their_inputs():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    x = tg.tensor([[0.5, -1.0]], dtype=tg.float64)
    assert tg.autograd.gradcheck(lambda *_: model(x), tuple(model.parameters()))


def test_nothing_is_left_changed():
    x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)

    def failing(a):
        calls.append(None)
        if len(calls) == 4:
            raise KeyError("on purpose")
        return a * a

    calls = []
    tg.manual_seed(3)
    want = tg.rand(3).tolist()
    tg.manual_seed(3)
    with pytest.raises(KeyError):
        tg.autograd.gradcheck(failing, x)
    assert tg.autograd.gradgradcheck(tg.sin, x, fast_mode=True)
    assert x.tolist() == [1.0, 2.0]
    assert (x._version, x.grad) == (0, None)
    assert tg.rand(3).tolist() == want


def test_fast_mode_calls_the_function_seldom():
    calls = []

    def function(a):
        calls.append(None)
        return a.sin()

    x = tg.tensor(np.linspace(0, 1, 50), requires_grad=True)
    assert tg.autograd.gradcheck(function, x, fast_mode=True)
    assert len(calls) == 3


def test_fast_mode_tells_what_slow_mode_would():
    inputs = (leaf(tg, 1, 2), leaf(tg, 3, 4))
    text = verdict(tg.autograd.gradcheck, half_wrong(tg), inputs, fast_mode=True)
    assert "output[1] by input[1]: numerical 2, analytical 3" in text
    assert "fast mode" in text


@pytest.mark.parametrize("mode", [{"check_batched_grad": True}, {}])
def test_what_vmap_cannot_do_is_told(mode):
    double = custom(tg, lambda a: a * 2, lambda ctx, g: g * float(g.sum().item() * 0 + 2))
    got = verdict(tg.autograd.gradcheck, double, leaf(tg, 1, 2), **mode)
    assert "While computing batched gradients" in got if mode else got is True


def test_the_error_is_where_pytorch_has_it():
    from tapegrad.autograd.gradcheck import gradcheck

    assert gradcheck is tg.autograd.gradcheck
    assert issubclass(GradcheckError, RuntimeError)
