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

from . import planted_faults
from .planted_faults import FAULTS, VALUES, exponential, leaf, one_element, plant, scaled, squashed

F = tg.nn.functional


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
        assert found.file == planted_faults.__file__
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
