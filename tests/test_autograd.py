"""The engine: backward, grad, hooks, grad modes, higher orders, memory and threads."""

import gc
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import tapegrad as tg
from tapegrad.autograd import nondiff, rule
from tapegrad.autograd.node import Node

from .scenarios import flags, grads, hooks, modes, orders, roots, saved
from .scenarios.table import Table

ROOT = Path(__file__).resolve().parents[1]
TABLE = Table.of(roots, grads, hooks, orders, flags, modes, saved)


@TABLE.parameters()
def test_scenario(name, library):
    TABLE.check(name, library)


# What PyTorch cannot tell: the texts of errors, and what stays in memory


def error_of(name):
    """The error that a scenario of the table ends in, on tapegrad."""
    with pytest.raises((RuntimeError, TypeError, ValueError)) as caught:
        TABLE.rows[name][0](tg)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a_second_backward", ["MulBackward0", "second time", "retain_graph=True"]),
        ("grad_frees_as_well", ["MulBackward0", "retain_graph=True"]),
        ("a_saved_input_changed", ["mul:", "in place", "version 0", "now at 1", "clone()"]),
        ("a_saved_output_changed", ["exp:", "in place", "clone()"]),
        ("a_saved_value_changed_and_the_graph_recorded", ["mul:", "in place"]),
        ("a_root_that_is_a_vector_needs_a_gradient", ["backward:", "float64[2]", "gradient=", ".sum()"]),
        ("a_root_without_history", ["backward:", "float64[]", "does not require grad"]),
        ("a_gradient_of_the_wrong_shape", ["backward:", "float64[3]", "float64[2]"]),
        ("fewer_gradients_than_roots", ["backward: 2 tensors but 1 gradients"]),
        ("grad_unused", ["grad: inputs[1]", "allow_unused=True"]),
        ("grad_by_what_needs_none", ["grad: inputs[0]", "float64[2]", "does not require grad"]),
        ("assigned_gradient_of_another_shape", ["grad:", "(3,)", "(2,)"]),
        ("assigned_gradient_of_another_type", ["grad:", "float32", "float64"]),
        ("integers_require_no_gradient", ["requires_grad", "int64", ".float()"]),
        ("a_result_cannot_be_switched_off", ["requires_grad", "leaf", "detach()"]),
        ("a_result_cannot_be_deep_copied", ["deepcopy", "clone()"]),
        ("a_hook_on_what_needs_no_gradient", ["register_hook", "does not require grad"]),
        ("keeping_the_gradient_of_a_constant", ["retain_grad", "does not require grad"]),
    ],
)
def test_errors_name_the_operation_and_the_way_out(name, parts):
    text = error_of(name)
    assert [p for p in parts if p not in text] == [], text


def run(code):
    """Run a program in a process of its own: one that overflows the C stack takes its process along."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


LONG = 200_000
CHAIN = f"import tapegrad as tg\nx = tg.ones(1, requires_grad=True)\ny = x\nfor _ in range({LONG}):\n    y = y * 1.0\n"


def test_a_long_chain_runs_backward_and_is_freed():
    assert run(CHAIN + "y.sum().backward()\nprint(x.grad.item())\ndel y\nprint('freed')") == "1.0\nfreed"


def test_a_long_chain_is_freed_unused():
    assert run(CHAIN + "del y\nprint('freed')") == "freed"


def test_a_long_chain_gives_one_gradient():
    assert run(CHAIN + "g, = tg.autograd.grad(y.sum(), x)\nprint(g.item())") == "1.0"


def test_a_long_chain_recorded():
    chain = CHAIN.replace(str(LONG), str(LONG // 10))
    code = (
        chain
        + "g, = tg.autograd.grad((y * y).sum(), x, create_graph=True)\nprint(tg.autograd.grad(g.sum(), x)[0].item())"
    )
    assert run(code + "\ndel g, y\nprint('freed')") == "2.0\nfreed"


def test_a_long_chain_of_views_and_writes():
    code = (
        CHAIN.replace("tg.ones(1", "tg.ones(2")
        .replace("y = x\n", "y = x * 1\n")
        .replace("y = y * 1.0", "y[0].mul_(1.0)")
    )
    code = code.replace(str(LONG), "5000")
    assert run(code + "y.sum().backward()\nprint(x.grad.tolist())\ndel y\nprint('freed')") == "[1.0, 1.0]\nfreed"


@pytest.fixture
def alive():
    """How many tape nodes came to life since; with the cyclic collector off, as what only it would free is a leak."""
    gc.collect()
    gc.disable()
    before = {id(o) for o in gc.get_objects() if type(o) is Node}
    yield lambda: sum(type(o) is Node and id(o) not in before for o in gc.get_objects())
    gc.enable()


def programs():
    """Programs that leave nothing behind but the nodes of the leaf that they are given."""

    def forward(x):
        return (x * x).sum()

    def backward(x):
        ((x * 2).exp() / (x + 1)).sum().backward()

    def kept(x):
        y = (x * x).sum()
        y.backward(retain_graph=True)
        return y

    def hooked(x):
        y = x * 3
        y.register_hook(lambda g: g * 2)
        y.retain_grad()
        (y * y).sum().backward()

    def twice(x):
        (g,) = tg.autograd.grad((x.tanh() * x).sum(), x, create_graph=True)
        return tg.autograd.grad(g.sum(), x)

    def penalty(x):
        (g,) = tg.autograd.grad(x.softmax(0)[0], x, create_graph=True)
        (g * g).sum().backward()

    def views(x):
        y = x.clone()
        a, b = y[:2], y.reshape(1, 3)
        a.mul_(2)
        b[0, 1] = 5.0
        b.t()[2].add_(x[0])
        y.exp_()
        (a.sum() + b.sum()).backward()

    def failing(x):
        y = x * x
        with pytest.raises(RuntimeError):
            y.backward()

    def joined(x):
        tg.cat([x, tg.stack([x, x]).sum(0)])[tg.tensor([0, 0, 5])].sum().backward()

    return [forward, backward, kept, hooked, twice, penalty, views, failing, joined]


@pytest.mark.parametrize("program", programs(), ids=lambda p: p.__name__)
def test_nothing_is_left_to_the_cyclic_collector(program, alive):
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    assert alive() == 1
    program(x)
    assert alive() == 1
    del x
    assert alive() == 0


def test_backward_frees_what_was_saved_while_the_root_lives():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    middle = x * 2
    saved = weakref.ref(middle._array)
    y = middle.exp().square().sum()
    del middle
    z = (x * 2).square()
    again = weakref.ref(z.grad_fn.saved[0][0])
    z = z.sum()
    assert again() is not None
    y.backward()
    z.backward()
    assert saved() is None
    assert again() is None


def test_gradients_share_no_memory():
    x, g = tg.tensor([1.0, 2.0], requires_grad=True), tg.ones(2)
    y = x * 1
    z = y + 1
    found = tg.autograd.grad(z, [z, y, x], g)
    for i, slope in enumerate(found):
        slope.add_(i + 1)
    assert [v.tolist() for v in (g, *found)] == [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0]]


def test_threads_run_their_own_graphs():
    def work(seed):
        x = tg.tensor([1.0, seed], dtype=tg.float64, requires_grad=True)
        for _ in range(200):
            y = x
            for _ in range(5):
                y = y * x
            y.sum().backward()
        return x.grad.tolist()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, [1.0, 1.5, 2.0, 0.5] * 2))
    for seed, (one, other) in zip([1.0, 1.5, 2.0, 0.5] * 2, found):
        assert one == 200 * 6
        assert other == pytest.approx(200 * 6 * seed**5)


@pytest.mark.parametrize("name", ["y", "out", "g"])
def test_a_rule_may_not_take_the_names_of_the_written_code(name):
    with pytest.raises(ValueError, match=f"rule: 'twisted' may not call an input or attribute \\['{name}'\\]"):
        rule("twisted", f"x {name}")
    assert "twisted" not in tg.autograd.RULES


def test_a_primitive_has_one_rule():
    with pytest.raises(ValueError, match="the primitive 'tanh' has a rule already"):
        nondiff("tanh", "x")


def test_an_operation_is_written_at_its_first_call():
    code = (
        "import tapegrad as tg\n"
        "before = tg.mul.__code__.co_filename\n"
        "held = tg.Tensor.mul\n"
        "x = tg.ones(2, requires_grad=True)\n"
        "held(x, x).sum().backward()\n"
        "print(before, held is tg.mul, held.__code__.co_filename != before, x.grad.tolist())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "<tapegrad first call> True True [2.0, 2.0]"
