"""Writing in place: values, gradients, versions, and what is refused."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.autograd import RULES
from tapegrad.autograd.ops.methods import IN_PLACE

from .scenarios import inplace, inplace_limits
from .scenarios.table import Table, equal

TABLE = Table.of(inplace, inplace_limits)


@TABLE.parameters()
def test_scenario(name, library):
    TABLE.check(name, library)


ROWS = tg.tensor([[2.0, 1.5], [3.0, 0.5]], dtype=tg.float64)
PLACES, PARTS = tg.tensor([[1, 0]]), tg.tensor([[5.0, 6.0]], dtype=tg.float64)
LINE, BATCH = tg.tensor([1.5, 0.5], dtype=tg.float64), tg.stack([ROWS, ROWS * 2])
ARGUMENTS = {
    "addbmm": (BATCH, BATCH),
    "addmm": (ROWS, ROWS),
    "addr": (LINE, LINE),
    "cumprod": (0,),
    "float_power": (3,),
    "heaviside": (ROWS,),
    "ldexp": (ROWS,),
    "logit": (0.3,),
    "mvlgamma": (1,),
    "polygamma": (1,),
    "renorm": (2, 0, 1.0),
    "addcdiv": (ROWS, ROWS),
    "addcmul": (ROWS, ROWS),
    "clamp": (0.6,),
    "clamp_max": (0.7,),
    "clamp_min": (0.7,),
    "cumsum": (0,),
    "lerp": (ROWS, 0.25),
    "masked_fill": (ROWS > 1, 3.0),
    "pow": (3,),
    "index_add": (0, PLACES[0], ROWS),
    "index_copy": (0, PLACES[0], ROWS),
    "index_fill": (0, PLACES[0, :1], 3.0),
    "index_put": ((PLACES[0],), ROWS),
    "index_reduce": (0, PLACES[0], ROWS, "amax"),
    "masked_scatter": (ROWS > 1, ROWS),
    "put": (PLACES, PARTS),
    "scatter": (0, PLACES, PARTS),
    "scatter_add": (0, PLACES, PARTS),
    "scatter_reduce": (0, PLACES, PARTS, "prod"),
}

# Those that take a matrix; the others are in tests/parity/test_functions.py
SQUARE = [name for name in IN_PLACE if name not in ("addmv", "baddbmm", "igamma", "igammac")]
INTEGRAL = (
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "gcd",
    "lcm",
)


def forms(name):
    """An operation in place and out of place, as functions of a tensor."""
    rule = RULES.get(name)
    arguments = ARGUMENTS.get(name, (ROWS,) if rule is not None and len(rule.inputs) == 2 else ())
    if name in INTEGRAL:
        arguments = tuple(a.long() for a in arguments)
    return lambda y: getattr(y, name + "_")(*arguments), lambda x: getattr(x, name)(*arguments)


# What an operation saves and overwrites is kept as a copy of the tensor itself, not of an operand, as in PyTorch.
OF_ITSELF = {
    "mul": lambda y: y.mul_(y),
    "div": lambda y: y.div_(y),
    "mul by its past": lambda y: y.mul_(y.detach()),
    "pow": lambda y: y.pow_(y),
    "atan2": lambda y: y.atan2_(y),
    "a mask of itself": lambda y: y.masked_fill_(y > 1, 2.0).mul_(y),
    "by name": lambda y: y.mul_(other=y),
}


@pytest.mark.parity
@pytest.mark.parametrize("name", OF_ITSELF)
@pytest.mark.parametrize("library", ["tapegrad", "torch"])
def test_an_operand_that_is_overwritten(name, library):
    lib = pytest.importorskip(library)
    x = lib.tensor([0.25, 1.25], requires_grad=True)
    y = OF_ITSELF[name](x * 1)
    with pytest.raises(RuntimeError, match=r"changed in place|inplace operation"):
        y.sum().backward()


@pytest.mark.parity
@pytest.mark.parametrize("library", ["tapegrad", "torch"])
@pytest.mark.parametrize("name", ["gt", "ge", "lt", "le", "eq", "ne"])
def test_a_comparison_in_place_has_zero_gradient(name, library):
    lib = pytest.importorskip(library)
    for seen in (lambda t: t, lambda t: t[1:]):
        x, z = (lib.tensor(v, requires_grad=True) for v in ([0.25, 1.25], [0.75, 0.75]))
        y = x * 1
        getattr(seen(y), name + "_")(seen(z))
        assert y.requires_grad
        y.sum().backward()
        assert seen(x.grad).tolist() == [0.0] * len(seen(x))
        assert z.grad.tolist() == [0.0, 0.0]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", SQUARE)
def test_in_place_equals_out_of_place(name):
    write, compute = forms(name)
    integral = name in INTEGRAL
    x, z = (tg.tensor([[0.25, 1.25], [0.75, 0.5]], dtype=tg.float64) for _ in range(2))
    if integral:
        x, z = x.long(), z.long()
    else:
        x.requires_grad_()
        z.requires_grad_()
    y = x.clone()
    memory = y.data_ptr()
    assert write(y) is y
    assert y.data_ptr() == memory
    assert y._version >= 1
    expected = compute(z)
    assert equal(y.tolist(), expected.to(y.dtype).tolist())
    assert y.requires_grad == (not integral)
    if not integral and not expected.requires_grad:  # such as a comparison
        y.sum().backward()
        assert x.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    elif not integral:
        weights = tg.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=tg.float64)
        (y * weights).sum().backward()
        (expected * weights).sum().backward()
        assert equal(x.grad.tolist(), z.grad.tolist())


# What no gradient reads may be overwritten: (which of x, w, b want one, what is written)
UNREAD = [("x", "y"), ("xwb", "y"), ("x", "x"), ("w", "w"), ("b", "xw"), ("w", "wy")]
READ = [("x", "w"), ("w", "x"), ("xw", "w")]


def linear_then_written(lib, wanted, written):
    leaves = {name: lib.ones(*size) for name, size in {"x": (2, 3), "w": (3, 3), "b": (3,)}.items()}
    at = {n: t.requires_grad_() * 2 if n in wanted else t for n, t in leaves.items()}
    at["y"] = y = lib.nn.functional.linear(at["x"], at["w"], at["b"])
    for name in written:
        at[name].add_(1)
    y.sum().backward()
    return [leaves[name].grad.tolist() for name in wanted]


@pytest.mark.parity
@pytest.mark.parametrize(("wanted", "written"), UNREAD)
def test_what_no_gradient_of_a_linear_layer_reads_may_be_overwritten(wanted, written):
    torch = pytest.importorskip("torch")
    assert linear_then_written(tg, wanted, written) == linear_then_written(torch, wanted, written)


@pytest.mark.parity
@pytest.mark.parametrize(("wanted", "written"), READ)
def test_what_a_gradient_of_a_linear_layer_reads_may_not_be_overwritten(wanted, written):
    for lib in (pytest.importorskip("torch"), tg):
        with pytest.raises(RuntimeError, match=r"changed in place|inplace operation"):
            linear_then_written(lib, wanted, written)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (
            lambda x: x.add_(1),
            r"add_: a leaf that requires grad may not be written in place; .*no_grad\(\).*clone\(\) or detach\(\)",
        ),
        (lambda x: x.__setitem__(0, 1.0), r"setitem: a view of a leaf that requires grad"),
        (
            lambda x: x.clone().add_(tg.ones(2, 3)),
            r"add_: the result has shape \[2, 3\] and cannot be written into float32\[3\]",
        ),
        (
            lambda x: tg.tensor([1, 2]).mul_(1.5),
            r"mul_: a result of type float32 cannot be written into a tensor of type int64",
        ),
        (
            lambda x: x.clone().__setitem__(0, tg.ones(2)),
            r"setitem: the shapes do not broadcast.*float32\[\], float32\[2\]",
        ),
        (lambda x: x.clone().__setitem__(5, 1.0), r"setitem: index 5 is out of range for dim 0 of size 3"),
    ],
)
def test_errors_name_the_operation_and_the_way_out(write, message):
    with pytest.raises((RuntimeError, IndexError), match=message):
        write(tg.ones(3, requires_grad=True))


# Writes without a history go straight into memory


@pytest.mark.parametrize("size", [7, 100_000])
def test_arithmetic_in_place_is_the_arithmetic(size):
    x, y = tg.randn(size), tg.randn(size)
    for name, args, options in (
        ("add_", (y,), {}), ("add_", (y,), {"alpha": 0.3}), ("sub_", (y,), {"alpha": 0.3}), ("mul_", (1.5,), {}),
        ("div_", (y,), {}), ("sub_", (2,), {}), ("add_", (x,), {}), ("clamp_", (-1, 1), {}),
            ("clamp_", (1.0, -1.0), {}),
        ("clamp_", (), {"max": 0.5, "min": -0.5}), ("clamp_", (), {"max": -0.5, "min": 0.5}), ("zero_", (), {}),
        ("fill_", (0.3,), {}), ("copy_", (y,), {}), ("add_", (y[:1],), {}),
    ):  # fmt: skip
        target = x.clone()
        view, version = target[1:3], target._version
        wanted = (
            target * 0 + {"zero_": 0.0, "fill_": 0.3}[name] if name in ("zero_", "fill_")
            else y if name == "copy_" else getattr(tg, name[:-1])(x, *args, **options)
        )  # fmt: skip
        assert getattr(target, name)(*args, **options) is target
        assert target._version == version + 1
        np.testing.assert_array_equal(target.numpy(), wanted.numpy(), err_msg=name)
        np.testing.assert_array_equal(view.numpy(), wanted.numpy()[1:3])


def test_a_quick_write_still_refuses_and_records():
    x, w = tg.randn(4), tg.randn(4).requires_grad_()
    with pytest.raises(RuntimeError, match="leaf"):
        w.add_(x)
    with tg.no_grad():
        w.add_(x, alpha=2.0)
    x.mul_(w)
    x.sum().backward()
    assert w.grad is not None
    y = tg.randn(5)
    with pytest.raises(RuntimeError, match="shares some of its memory"):
        y[1:].copy_(y[:-1])
