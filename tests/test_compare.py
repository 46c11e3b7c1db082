"""Backend bisect: planted faults are found under their name and line, and nothing is reported where there are none."""

import inspect

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.autograd import RULES, P
from tapegrad.autograd.tensor import wrap
from tapegrad.backends import get
from tapegrad.backends.registry import PRIMITIVES
from tapegrad.testing.conformance.running import attributes, differentiates, map_arrays, place, wanting
from tapegrad.testing.conformance.samples import SAMPLES

F = tg.nn.functional
VALUES = np.random.default_rng(5).normal(size=4096).astype(np.float32)


def leaf(*shape, at=0):
    size = int(np.prod(shape))
    return tg.tensor(VALUES[at : at + size].reshape(shape).copy(), requires_grad=True)


def scaled(result, before):
    return (result * (1 + 1e-3)).astype(result.dtype)


def one_element(result, before):
    """The largest, so that the fault does not drown in the rounding of its neighbours."""
    made = result.copy()
    worst = np.unravel_index(np.argmax(np.abs(made)), made.shape)
    made[worst] *= 1 + 1e-3
    return made


def plant(monkeypatch, backend, name, fault):
    """Let a kernel of the backend return faulty numbers, or leave them in the arrays that it updates."""
    fused = name.endswith("_vjp")
    real = getattr(type(backend) if fused else backend, name)

    def wrong(*args):
        if name.endswith("_update"):
            before = [p.copy() for p in args[0]]
            real(*args)
            for p, old in zip(args[0], before, strict=True):
                p[...] = old + fault(p - old, None)
            return None
        out = real(*args)
        if type(out) is tuple:
            first = next(i for i, o in enumerate(out) if o is not None)
            return (*out[:first], fault(np.asarray(out[first]), None), *out[first + 1 :])
        return fault(np.asarray(out), None)

    monkeypatch.setattr(type(backend) if fused else backend, name, wrong, raising=False)


# What is planted, the program, the direction, the line to blame, the step and the number of the input whose gradient it
# is.
FAULTS = []


def fault(name, direction, line, step=None, gradient_of=None):
    def note(program):
        FAULTS.append(pytest.param(name, program, direction, line, step, gradient_of, id=name + "-" + direction))
        return program

    return note


@fault("mul", "forward", "y = leaf(5) * leaf(5, at=9)")
def product():
    y = leaf(5) * leaf(5, at=9)
    y.sum().backward()


@fault("exp", "forward", "y = x.exp()")
def exponential():
    x = leaf(40)
    y = x.exp()
    (y * 2).sum().backward()


@fault("sigmoid", "forward", "y = leaf(3, 4).sigmoid()")
def gate():
    y = leaf(3, 4).sigmoid()
    y.sum().backward()


@fault("matmul", "forward", "y = leaf(3, 4) @ leaf(4, 5)")
def matrices():
    y = leaf(3, 4) @ leaf(4, 5)
    y.sum().backward()


@fault("softmax", "forward", "y = (leaf(3, 4) * 2).softmax(1)")
def weights():
    y = (leaf(3, 4) * 2).softmax(1)
    y[0].sum().backward()


@fault("sum", "forward", "y = x.sum(1)")
def rows():
    x = leaf(6, 7)
    y = x.sum(1)
    y.mean().backward()


@fault("cat", "forward", "y = tg.cat([x, x * 2])")
def joined():
    x = leaf(6)
    y = tg.cat([x, x * 2])
    (y * y).mean().backward()


@fault("gather", "forward", "y = x.gather(1, tg.tensor([[0], [2]]))")
def picked():
    x = leaf(2, 3)
    y = x.gather(1, tg.tensor([[0], [2]]))
    (y * y).mean().backward()


@fault("cumsum", "forward", "y = leaf(9).cumsum(0)")
def running():
    y = leaf(9).cumsum(0)
    (y * y).mean().backward()


@fault("linear", "forward", "hidden = layer(leaf(5, 4))")
def layer():
    layer = tg.nn.Sequential(tg.nn.Linear(4, 3), tg.nn.Tanh())
    hidden = layer(leaf(5, 4))
    hidden.mean().backward()


@fault("unslice", "backward", "y = x[1:4] * 2", "slice", 0)
def part():
    x = leaf(6)
    y = x[1:4] * 2
    y.mean().backward()


@fault("unindex", "backward", "y = x[tg.tensor([0, 0, 3])]", "index", None)
def some():
    x = leaf(6)
    y = x[tg.tensor([0, 0, 3])]
    (y * y).mean().backward()


@fault("ungather", "backward", "y = x.gather(1, tg.tensor([[0, 0], [2, 1]]))", "gather", 0)
def gathered():
    x = leaf(2, 3)
    y = x.gather(1, tg.tensor([[0, 0], [2, 1]]))
    (y * y).mean().backward()


@fault("neg", "backward", "y = a - b", "sub", 1)
def difference():
    a, b = leaf(4), leaf(4, at=8)
    y = a - b
    (y * y).mean().backward()


@fault("cos", "backward", "y = leaf(30).sin()", "sin", 0)
def wave():
    y = leaf(30).sin()
    (y * y).mean().backward()


@fault("expand", "backward", "y = x.mean(0)", "mean", 0)
def spread():
    x = leaf(4, 5)
    y = x.mean(0)
    (y * y).max().backward()


@fault("div", "backward", "y = (x * x + 1).log()", "log", 0)
def logarithm():
    x = leaf(7)
    y = (x * x + 1).log()
    y.mean().backward()


@fault("tanh_vjp", "backward", "y = x.tanh()", "tanh", 0)
def squashed():
    x = leaf(3, 5)
    y = x.tanh()
    (y * y).mean().backward()


@fault("square_vjp", "backward", "y = x.square()", "square", 0)
def squared():
    x = leaf(3, 5)
    y = x.square()
    (y * y).mean().backward()


@fault("log_softmax_vjp", "backward", "y = x.log_softmax(1)", "log_softmax", 0)
def logarithms():
    x = leaf(3, 5)
    y = x.log_softmax(1)
    (y * y).mean().backward()


@fault("linear_vjp", "backward", "y = net(x)", "linear", 0)
def network():
    net, x = tg.nn.Sequential(tg.nn.Linear(4, 3), tg.nn.ReLU()), leaf(5, 4)
    y = net(x)
    (y * y).mean().backward()


@fault("softmax_xent_vjp", "backward", "loss = F.cross_entropy(x, tg.tensor([0, 1, 1]))", "softmax_xent", 0)
def classification():
    x = leaf(3, 5)
    loss = F.cross_entropy(x, tg.tensor([0, 1, 1]))
    loss.backward()


@fault("adam_update", "update", "optimizer.step()")
def training():
    w = leaf(4, 5)
    optimizer = tg.optim.Adam([w], lr=1e-3)
    (w * w).mean().backward()
    optimizer.step()


def test_the_faults_are_twenty_and_half_are_in_the_backward():
    places = [p.values[2] for p in FAULTS]
    assert len(FAULTS) >= 20
    assert places.count("backward") >= 10
    assert sum(p.values[0].endswith(("_vjp", "_update")) for p in FAULTS) >= 3


@pytest.mark.parametrize("kind", [scaled, one_element])
@pytest.mark.parametrize(("name", "program", "direction", "line", "step", "gradient_of"), FAULTS)
def test_planted_faults_are_found(monkeypatch, name, program, direction, line, step, gradient_of, kind):
    assert tg.autograd.compare(program, "numpy", "numba")
    plant(monkeypatch, get("numba"), name, kind)
    pairs = [("numpy", "numba"), ("numba", "numpy")]
    for first, second in pairs:
        report = tg.autograd.compare(program, first, second)
        found = report.disagreement
        assert not report, (first, second)
        assert (found.primitive, found.fused) == (name.removesuffix("_vjp"), name.endswith("_vjp"))
        of = None if gradient_of is None else RULES[step].inputs[gradient_of]
        assert (found.direction, found.step, found.gradient_of) == (direction, step, of), str(report)
        assert found.text == line
        lines, start = inspect.getsourcelines(program)
        assert found.file == __file__
        assert start <= found.line < start + len(lines)
        assert found.relative == pytest.approx(1e-3, rel=0.01) or direction == "update"
        for word in (first, second, name, direction, line, "float32["):
            assert word in str(report)


def test_what_was_planted_is_gone():
    """The comparisons above ran while kernels were exchanged; the device must not have kept those."""
    assert tg.ones(1).exp().item() == pytest.approx(np.e, rel=1e-6)
    device = tg.backends.device_of("cpu")
    assert device.kernels == [device.backend.kernel(name) for name in PRIMITIVES]


def test_what_is_wrong_in_only_one_type_is_found(monkeypatch):
    """The noise is measured in float64: what is right there must not excuse float32."""
    backend = get("numba")
    real = backend.exp

    def wrong(x):
        return real(x) * np.float32(1.001) if x.dtype == np.float32 else real(x)

    monkeypatch.setattr(backend, "exp", wrong)
    for pair in (("numpy", "numba"), ("numba", "numpy")):
        assert tg.autograd.compare(exponential, *pair).disagreement.primitive == "exp"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda x: np.tanh(x).astype(np.float64), "the dtypes are float32 and float64"),
        (lambda x: np.tanh(x)[:1], r"the shapes are \[3, 5\] and \[1, 5\]"),
        (lambda x: np.tanh(x) * np.float32(np.nan), "nan"),
        (lambda x: 1 / 0, "numba raises ZeroDivisionError"),
    ],
)
def test_other_disagreements(monkeypatch, wrong, words):
    monkeypatch.setattr(get("numba"), "tanh", wrong, raising=False)
    with pytest.raises(AssertionError, match=words):
        assert tg.autograd.compare(squashed), str(tg.autograd.compare(squashed))


# Clean programs


def mlp(dtype, optimizer=tg.optim.AdamW):
    tg.manual_seed(0)
    model = tg.nn.Sequential(
        tg.nn.Linear(20, 32), tg.nn.ReLU(), tg.nn.Dropout(0.2), tg.nn.Linear(32, 32), tg.nn.GELU(),
        tg.nn.Linear(32, 4), tg.nn.Tanh(), tg.nn.Linear(4, 4),
    ).to(dtype)  # fmt: skip
    steps = optimizer(model.parameters(), lr=0.01)
    x, y = tg.randn(64, 20).to(dtype), tg.randint(0, 4, (64,))

    def step():
        steps.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        steps.step()
        return loss

    return model, steps, step


def tour(dtype):
    def step():
        x = leaf(6, 8).detach().to(dtype).requires_grad_()
        y = x * 2
        y[1:3] = y[3:5].exp()
        y[:, 0].mul_(0.5)
        y.view(48)[::5].add_(1)
        z = y.T[tg.tensor([0, 3, 3])].flip(0)
        z = tg.cat([z, y[:4].T.reshape(4, 8)[:3, :6]], 1)
        total = z.sum() + z.mean(0).amax() + z.var(1).sum() + z.cumsum(1).std() + z.softmax(0).logsumexp(1).prod()
        total = total + tg.where(z > 0, z, z * 0.1).norm() + z.sort(1)[0][:, 0].sum() + z.max(0)[0].mean()
        total.backward()
        assert x.grad is not None

    return step


@pytest.mark.parametrize("dtype", [tg.float32, tg.float64, tg.float16, tg.bfloat16], ids=str)
@pytest.mark.parametrize("pair", [("numpy", "numba"), ("numba", "numpy")], ids="-".join)
def test_clean_programs(dtype, pair):
    for step in (mlp(dtype)[2], tour(dtype), mlp(dtype, tg.optim.SGD)[2], mlp(dtype, tg.optim.RMSprop)[2]):
        for _ in range(3):
            report = tg.autograd.compare(step, *pair)
            assert report, str(report)
            assert report.calls["forward"] > 3
            assert report.calls["backward"] > 3
            assert "agree on" in str(report)


def test_sums_that_cancel_are_no_disagreement():
    def step():
        x = leaf(4000)
        both = tg.cat([x, -x])[tg.tensor(np.random.default_rng(0).permutation(8000))]
        ((both * 1000).sum() + (both.reshape(80, 100) @ both.reshape(100, 80)).sum()).backward()

    assert tg.autograd.compare(step), str(tg.autograd.compare(step))
    assert tg.autograd.compare(step, "numba", "numpy")


def test_second_derivatives_are_compared(monkeypatch):
    def step():
        x = leaf(5)
        (slope,) = tg.autograd.grad(x.tanh().sum(), x, create_graph=True)
        slope.square().sum().backward()

    report = tg.autograd.compare(step)
    assert report
    assert report.calls["backward"] > 5
    plant(monkeypatch, get("numba"), "square", scaled)
    found = tg.autograd.compare(step).disagreement
    assert (found.primitive, found.direction, found.step) == ("square", "backward", "tanh")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SAMPLES)
def test_no_sample_of_a_primitive_is_reported(name, dtype):
    device = tg.backends.device_of("cpu")
    for sample in SAMPLES[name]:
        if not differentiates(name, sample):
            continue

        def step(sample=sample):
            raw = map_arrays(lambda a: place(a, dtype, device.backend), sample.inputs)
            wanted = iter(wanting(name, raw))

            def tensor(x):
                want = next(wanted)
                made = wrap(x, device) if isinstance(x, np.ndarray) else x
                return made.requires_grad_() if want else made

            inputs = [[tensor(v) for v in x] if isinstance(x, list) else tensor(x) for x in raw]
            out = getattr(P, name)(*inputs, *attributes(sample, device))
            if out.requires_grad:
                out.backward(tg.tensor(np.resize(VALUES, tuple(out.shape))).to(out.dtype))

        with np.errstate(all="ignore"):
            report = tg.autograd.compare(step)
        assert report, f"{sample}: {report}"


# The state afterwards


def test_the_state_is_as_after_one_ordinary_step_on_the_first_backend():
    def run(through):
        model, optimizer, step = mlp(tg.float32)
        through(step)
        state = [p.detach().numpy().tobytes() for p in model.parameters()]
        state += [s["exp_avg"].numpy().tobytes() for s in optimizer.state.values()]
        return state, tg.rand(3).tolist()

    for name, other in (("numpy", "numba"), ("numba", "numpy")):
        with tg.backends.use(name):
            ordinary = run(lambda step: step())
        assert run(lambda step: tg.autograd.compare(step, name, other)) == ordinary  # noqa: B023


def test_backends_and_tapes_are_as_before():
    device = tg.backends.device_of("cpu")
    before = device.backend
    kept = []

    def step():
        kept.append(tg.tensor([1.0, 2.0], requires_grad=True).tanh())
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        tg.autograd.compare(step, "numpy", "numba")
    assert device.backend is before is get("numba")
    assert device.kernels == [before.kernel(name) for name in PRIMITIVES]
    kept[0].sum().backward()


def test_refusals():
    with pytest.raises(tg.backends.BackendError, match="unknown backend"):
        tg.autograd.compare(exponential, "numpy", "nimba")


def test_a_tolerance_of_ones_own(monkeypatch):
    plant(monkeypatch, get("numba"), "exp", scaled)
    assert not tg.autograd.compare(exponential)
    assert tg.autograd.compare(exponential, rtol=1e-2)
    assert not tg.autograd.compare(exponential, rtol=1e-4)
    assert tg.autograd.compare(exponential, atol=1.0)
