"""Anomaly mode: NaN and memory changed behind the tape's back, named by the forward line; else as in PyTorch."""

import gc
import warnings
import weakref

import pytest

import tapegrad as tg
from tapegrad.autograd import engine, node, record

from . import shared_memory

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]
HERE = __file__


def outcome(lib, program, *modes):
    """What a program raises in both libraries' words: the error's first line, and the warnings' first sentences."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            program(lib, *modes)
            raised = None
        except RuntimeError as error:
            raised = str(error).splitlines()[0]
    told = [str(w.message).split(" (Triggered")[0] for w in caught if w.category is UserWarning]
    return raised, [text.split(":\n")[0] for text in told], told


def bad_root(lib):
    with lib.autograd.detect_anomaly():
        x = lib.tensor([-1.0, 2.0], requires_grad=True)
        y = lib.sqrt(x)
        (y * 0).sum().backward()


def forward_outside(lib):
    x = lib.tensor([-1.0, 2.0], requires_grad=True)
    y = lib.sqrt(x)
    with lib.autograd.detect_anomaly():
        (y * 0).sum().backward()


def second_output(lib):
    a = lib.tensor([1.0], requires_grad=True)
    b = lib.tensor([0.0], requires_grad=True)
    with lib.autograd.detect_anomaly():
        y = a / b
        (y * 0).sum().backward()


def unchecked(lib):
    with lib.autograd.detect_anomaly(check_nan=False):
        bad = lib.tensor([-1.0], requires_grad=True)
        (bad.sqrt() * 0).sum().backward()
        assert bool(bad.grad.isnan())


def in_place(lib):
    with lib.autograd.set_detect_anomaly(True):
        x = lib.tensor([1.0], requires_grad=True)
        y = x.exp()
        y.mul_(2)
        y.sum().backward()


def in_a_second_backward(lib):
    with lib.autograd.detect_anomaly():
        x = lib.tensor([0.0], requires_grad=True)
        (g,) = lib.autograd.grad((x.sqrt() * x).sum(), x, create_graph=True)
        g.sum().backward()


def nan_from_outside(lib):
    with lib.autograd.detect_anomaly():
        x = lib.tensor([1.0], requires_grad=True)
        (x * 2).backward(lib.tensor([float("nan")]))


def complex_numbers(lib):
    with lib.autograd.detect_anomaly():
        x = lib.tensor([0j], requires_grad=True)
        (x.log() * 0).abs().sum().backward()


def switched_off_again(lib):
    with lib.autograd.set_detect_anomaly(True), lib.autograd.set_detect_anomaly(False):
        x = lib.tensor([-1.0], requires_grad=True)
        (x.sqrt() * 0).sum().backward()


PLAIN = [
    bad_root, forward_outside, second_output, unchecked, in_place, nan_from_outside, complex_numbers,
    switched_off_again, in_a_second_backward,
]  # fmt: skip


@pytest.mark.parametrize("program", PLAIN, ids=lambda p: p.__name__)
def test_as_in_pytorch(program):
    ours, theirs = outcome(tg, program), outcome(torch, program)
    if program is in_place:  # the error has words of its own
        assert None not in (ours[0], theirs[0])
    else:
        assert ours[0] == theirs[0]
    assert ours[1] == theirs[1]


@pytest.mark.parametrize(("program", "line"), [(bad_root, "y = lib.sqrt(x)"), (second_output, "y = a / b")])
def test_the_forward_line_is_named(program, line):
    (_, _, told), (_, _, theirs) = outcome(tg, program), outcome(torch, program)
    assert line in told[-1]
    assert line in theirs[-1]
    with pytest.raises(RuntimeError, match="The forward call: File") as caught:
        program(tg)
    named = str(caught.value).splitlines()[1]
    number = next(i for i, text in enumerate(open(HERE), 1) if text.strip() == line)
    assert f'"{HERE}", line {number}: {line}' in named


def test_the_line_is_the_users_also_through_a_module():
    model = tg.nn.Sequential(tg.nn.Linear(2, 2), tg.nn.ReLU())
    with tg.autograd.set_detect_anomaly(True):
        x = tg.tensor([[float("inf"), 1.0]], requires_grad=True)
        y = model(x)  # inf * 0 in the backward of the weights
        with pytest.raises(RuntimeError, match=r"Function '\w+' returned nan values in its \dth output") as caught:
            (y * 0).sum().backward()
    assert "y = model(x)" in str(caught.value)


def test_a_step_of_a_backward_names_both_forward_lines():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with tg.autograd.set_detect_anomaly(True):
            x = tg.tensor([1.0], requires_grad=True)
            y = x.log()
            (g,) = tg.autograd.grad(y * 2, x, create_graph=True)
            h = g * 0
            h.register_hook(lambda g: g * float("nan"))
            with pytest.raises(RuntimeError, match="returned nan"):
                h.backward()
            with pytest.raises(RuntimeError, match="Function 'DivBackward0' returned nan"):
                tg.autograd.grad(g, x, tg.tensor([float("nan")]))
    assert "y = x.log()" in str(told[-1].message)
    assert "(g,) = tg.autograd.grad(y * 2, x, create_graph=True)" in str(told[-1].message)


def test_an_error_in_a_hook_comes_with_the_forward_line():
    def hook(g):
        raise ValueError("no")

    x = tg.ones(2, requires_grad=True)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with tg.autograd.set_detect_anomaly(True):
            y = x.tanh()
            y.register_hook(hook)
            with pytest.raises(ValueError, match="no"):
                y.sum().backward()
    assert "y = x.tanh()" in str(told[0].message)


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("check_nan", [True, False])
def test_state(mode, check_nan):
    for lib in (tg, torch):
        before = (lib.is_anomaly_enabled(), lib.is_anomaly_check_nan_enabled())
        with lib.autograd.set_detect_anomaly(mode, check_nan):
            assert (lib.is_anomaly_enabled(), lib.is_anomaly_check_nan_enabled()) == (mode, check_nan)
            with lib.autograd.detect_anomaly(), lib.autograd.set_detect_anomaly(False):
                assert not lib.is_anomaly_enabled()
            assert (lib.is_anomaly_enabled(), lib.is_anomaly_check_nan_enabled()) == (mode, check_nan)
        assert (lib.is_anomaly_enabled(), lib.is_anomaly_check_nan_enabled()) == before == (False, True)
    with pytest.raises(TypeError, match="must be bools"):
        tg.set_anomaly_enabled("yes")


def test_in_vmap():
    with tg.autograd.set_detect_anomaly(True):
        grads = tg.func.vmap(tg.func.grad(lambda x: (x * x).sum()))(tg.ones(3, 2))
        assert grads.tolist() == [[2.0, 2.0]] * 3
        with pytest.raises(RuntimeError, match="returned nan values"):
            tg.func.vmap(tg.func.grad(lambda x: (x.sqrt() * 0).sum()))(-tg.ones(3, 2))


def test_saved_tensors_hooks_keep_what_they_like():
    with tg.autograd.set_detect_anomaly(True):
        with tg.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
            x = tg.ones(3, requires_grad=True)
            y = (x.exp() * x).sum()
        x.detach().numpy()[0] = 5
        y.backward()
    assert x.grad.tolist() == pytest.approx([2 * 2.718281828] * 3)


def test_off_nothing_stays():
    counter = record.GLOBALS["ticket"]
    with pytest.raises(RuntimeError):
        bad_root(tg)
    assert record.GLOBALS["ticket"] is node.ticket is counter
    assert engine.check is None
    x = tg.ones(2, requires_grad=True)
    assert type((x * 2).grad_fn.seq) is int


def test_what_is_remembered_is_freed_with_the_step():
    gc.disable()
    try:
        with tg.autograd.set_detect_anomaly(True):
            y = tg.ones(2, requires_grad=True) * 2
            seen = weakref.ref(y.grad_fn)
            del y
        assert seen() is None
    finally:
        gc.enable()


# Memory shared with the user


def run(name, write, mode):
    shared_memory.rng = shared_memory.np.random.default_rng(1)
    tg.manual_seed(0)
    with tg.autograd.set_detect_anomaly(mode):
        steps = shared_memory.PROGRAMS[name]()
        loss, leaves = next(steps)
        if write:
            next(steps, None)
        loss.backward()
    return [x.grad.numpy() for x in leaves]


def test_the_corpus_is_large():
    assert len(shared_memory.PROGRAMS) >= 30


@pytest.mark.parametrize("name", shared_memory.PROGRAMS)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_shared_memory(name, backend):
    with tg.backends.use(backend):
        plain, watched = run(name, False, False), run(name, False, True)  # nothing is reported without the write
        for a, b in zip(plain, watched, strict=True):
            assert a.tobytes() == b.tobytes()
        with pytest.raises(RuntimeError, match="behind the tape's back") as caught:
            run(name, True, True)
        assert any(what in str(caught.value) for what in ("its argument", "its result", "save_for_backward"))
        assert f'"{shared_memory.__file__}", line' in str(caught.value)


@pytest.mark.parametrize("name", shared_memory.PROGRAMS)
def test_each_write_would_change_a_gradient(name):
    """Else the corpus proves nothing."""
    try:
        changed = run(name, True, False)
    except (IndexError, RuntimeError):
        return
    assert any(a.tobytes() != b.tobytes() for a, b in zip(run(name, False, False), changed, strict=True))


def test_writes_that_the_tape_sees_are_its_own_to_judge():
    with tg.autograd.set_detect_anomaly(True):
        w = tg.ones(3, requires_grad=True)
        y = w * 2
        y.add_(1)  # saved by nothing
        z = y.exp().clone()
        z.mul_(2)
        z.sum().backward()
        optimizer = tg.optim.SGD([w], lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            (w * w).sum().backward()
            optimizer.step()


def test_a_kept_tape_is_verified_at_every_backward():
    a = tg.ones(3).numpy()
    w = tg.ones(3, requires_grad=True)
    with tg.autograd.set_detect_anomaly(True):
        loss = (w * tg.from_numpy(a)).sum()
        loss.backward(retain_graph=True)
        a[0] = 2
        with pytest.raises(RuntimeError, match="behind the tape's back"):
            loss.backward()
