"""The CuPy backend's code on the strict stand-in: conformance, products, several cards, memory, waits, late errors."""

import importlib.util
import inspect
import math
from pathlib import Path

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import backends, nn
from tapegrad.backends import cudnn, mps
from tapegrad.backends.errors import OutOfMemoryError
from tapegrad.backends.settings import matmul as settings
from tapegrad.testing import backend_conformance

from . import host, nvrtc, strict, strict_backend, strict_names

with strict_backend.registered():
    Suite = backend_conformance("strict")


class TestStrict(Suite):
    """The conformance suite."""

    def pytest_generate_tests(self, metafunc):
        if hasattr(super(), "pytest_generate_tests"):  # else there is one test, which says why there are no others
            with strict_backend.registered():
                super().pytest_generate_tests(metafunc)


del Suite
needs_host = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))


@pytest.fixture(autouse=True)
def _no_undefined_behaviour(capfd):
    yield
    said = capfd.readouterr().err
    assert "runtime error" not in said, said


@pytest.fixture
def backend():
    return backends.device_of("strict:0").backend


# The stand-in itself


def test_the_stand_in_refuses_what_cupy_refuses():
    x = strict.made(np.ones(3))
    for use in (np.asarray, np.array, lambda v: np.ones(3) + v, lambda v: v + np.ones(3), lambda v: v[np.array([0])]):
        with pytest.raises(TypeError):
            use(x)
    with pytest.raises(NotImplementedError):
        strict.STRICT.maximum.reduce(x)
    with pytest.raises(AttributeError):
        x.flags.writeable  # noqa: B018
    assert type(x.sum()) is type(x[0]) is strict.ndarray


def test_the_stand_in_has_what_cupy_has_and_no_more():
    x = strict.made(np.array([1.0, 4.0, 2.0]))
    assert strict.STRICT.logaddexp2(x, x).a.tolist() == [2, 5, 3]
    assert strict.STRICT.interp(strict.made(np.array([0.5])), x, x).a.shape == (1,)
    assert strict.STRICT.linalg.norm(x).a == np.sqrt(21)
    assert type(x.std()) is strict.ndarray
    for use in (
        lambda: strict.STRICT.spacing(x),  # in NumPy only
        lambda: strict.STRICT.linalg.eig_nonsense,
        lambda: x.resize(3),
        lambda: x.to_device("cpu"),
    ):
        with pytest.raises(AttributeError, match="no attribute"):
            use()
    with pytest.raises(TypeError):
        strict.STRICT.interp(np.zeros(1), x, x)  # an array of NumPy's
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        strict.STRICT.median(x, keep_dims=True)


def test_the_stand_in_takes_the_arguments_that_cupy_takes():
    for name, function in strict.FUNCTIONS.items():
        taken = list(strict_names.signature_of(name).parameters)
        mine = list(inspect.signature(function).parameters)
        if "args" not in taken:
            assert [p for p in mine if p not in taken] == [], f"{name}: cupy's parameters are {taken}"
            assert mine == [p for p in taken if p in mine], f"{name}: in another order than cupy's {taken}"
    mine = {n for n in vars(strict.ndarray) if not n.startswith("__")} - {"a", "card"}
    assert {n for n in mine if f"ndarray.{n}" not in strict_names.NAMES} == set()


@pytest.mark.skipif(nvrtc.why_not() is not None, reason=str(nvrtc.why_not()))
def test_the_list_of_the_stand_in_is_what_cupy_says():
    import cupy

    path = Path(__file__).parents[1] / "tools" / "cupy_names.py"
    spec = importlib.util.spec_from_file_location("cupy_names", path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.TARGET.read_text(encoding="utf-8") == tool.text(), f"run: python tests/tools/{path.name}"
    for name, (kind, numbers) in strict_names.NAMES.items():
        theirs = getattr(np, name, None)
        if kind == "ufunc" and isinstance(theirs, np.ufunc):
            assert [str(theirs.nin), str(theirs.nout)] == numbers[:2]
    assert issubclass(cupy.cuda.memory.OutOfMemoryError, MemoryError)
    assert "allocating 5 bytes" in str(cupy.cuda.memory.OutOfMemoryError(5, 7))


# Matrix products: the layouts that cuBLAS is given


MATRICES = {
    "plain": lambda x: x,
    "transposed": lambda x: np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2),
    "rows of a wider one": lambda x: np.concatenate([x, x], -1)[..., : x.shape[-1]],
    "every second column": lambda x: np.repeat(x, 2, -1)[..., ::2],
    "backwards": lambda x: np.ascontiguousarray(x[..., ::-1, :])[..., ::-1, :],
    "one for all": lambda x: np.broadcast_to(x[:1], x.shape),
}


@needs_host
@pytest.mark.parametrize("right", MATRICES)
@pytest.mark.parametrize("left", MATRICES)
def test_batched_products(left, right, backend):
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(6, 3, 4)), rng.normal(size=(6, 4, 5))
    a, b = MATRICES[left](a.astype("f4")), MATRICES[right](b.astype("f4"))
    found = backend.matmul(strict.made(a), strict.made(b))
    np.testing.assert_allclose(found.a, np.matmul(a.astype(float), b), rtol=1e-5, atol=1e-5)


@needs_host
@pytest.mark.parametrize(("left", "right"), [
    ((2, 3, 4, 5), (2, 3, 5, 6)), ((4, 5), (3, 5, 2)), ((3, 4, 5), (5, 2)), ((2, 1, 4, 5), (3, 5, 2)),
    ((7, 1, 1), (7, 1, 1)), ((3, 1, 5), (3, 5, 1)), ((3, 5, 1), (3, 1, 5)), ((0, 2, 3), (0, 3, 2)),
    ((2, 3, 0), (2, 0, 4)), ((2, 0, 3), (2, 3, 4)),
])  # fmt: skip
def test_shapes_of_products(left, right, backend):
    rng = np.random.default_rng(2)
    for dtype, tolerance in (("f8", 1e-12), ("f4", 1e-5), ("f2", 1e-2)):
        a, b = rng.normal(size=left).astype(dtype), rng.normal(size=right).astype(dtype)
        found = backend.matmul(strict.made(a), strict.made(b)).a
        want = np.matmul(a.astype(float), b.astype(float))
        assert found.dtype == a.dtype
        np.testing.assert_allclose(found, want, rtol=tolerance, atol=tolerance)


@needs_host
def test_no_operand_of_a_product_is_copied_that_cublas_can_read(backend, monkeypatch):
    copies = []
    plain = strict.ascontiguousarray
    monkeypatch.setattr(backend.xp, "ascontiguousarray", lambda x: copies.append(x.shape) or plain(x))
    a, b = np.ones((6, 3, 4), "f4"), np.ones((6, 4, 5), "f4")
    for name in ("plain", "transposed", "rows of a wider one", "one for all"):
        backend.matmul(strict.made(MATRICES[name](a)), strict.made(MATRICES[name](b)))
    assert copies == []
    backend.matmul(strict.made(MATRICES["every second column"](a)), strict.made(b))
    assert copies == [(6, 3, 4)]


@needs_host
def test_tf32_is_off_unless_switched_on(backend, monkeypatch):
    a, b = strict.made(np.ones((3, 4), "f4")), strict.made(np.ones((4, 5), "f4"))
    batch = strict.made(np.ones((2, 3, 4), "f4")), strict.made(np.ones((2, 4, 5), "f4"))
    strict.CUBLAS.calls.clear()
    backend.matmul(*batch)
    backend.matmul(a, b)
    assert [call[-1] for call in strict.CUBLAS.calls] == [68]  # two matrices go to CuPy's own matmul
    monkeypatch.setattr(settings, "allow_tf32", True)
    backend.matmul(*batch)
    backend.matmul(a, b)
    backend.matmul(strict.made(np.ones((2, 3, 4))), strict.made(np.ones((2, 4, 5))))
    assert [call[-1] for call in strict.CUBLAS.calls[1:]] == [77, 77, 70]


def test_settings_that_scripts_touch():
    assert backends.cuda.matmul is settings
    assert settings.allow_tf32 is False
    assert isinstance(backends.cuda.is_built(), bool)
    with pytest.raises(AttributeError):
        settings.alow_tf32 = True
    assert (cudnn.benchmark, cudnn.deterministic, cudnn.enabled, cudnn.allow_tf32) == (False, False, True, True)
    assert (cudnn.is_available(), cudnn.version(), mps.is_available(), mps.is_built()) == (False, None, False, False)
    assert backends.cudnn is cudnn
    assert backends.mps is mps


# Waits, late errors, memory, cards


def train_a_step(name, steps=3):
    """Waits for the card, copies to it and from it in a training step, of a network that has been trained a little."""
    device = tg.device(name, 0)
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 8), nn.GELU(), nn.Linear(8, 3)).to(device)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
    x, target = tg.randn(10, 6).to(device), tg.randint(0, 3, (10,)).to(device)
    losses = []
    for _ in range(steps):
        before = strict.COUNTS.waits, strict.COUNTS.to_card, strict.COUNTS.to_host
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        after = strict.COUNTS.waits, strict.COUNTS.to_card, strict.COUNTS.to_host
        losses.append(loss)
    values = [loss.item() for loss in losses]
    assert values == sorted(values, reverse=True)
    return tuple(b - a for a, b in zip(before, after))


@needs_host
def test_a_training_step_does_not_wait_for_the_card():
    waits, to_card, to_host = train_a_step("strict")
    assert (waits, to_host) == (0, 0)
    assert to_card <= 1  # the table of the optimizer's addresses


@needs_host
def test_a_class_out_of_range_is_told_at_the_next_wait(backend):
    device = tg.device("strict", 0)
    x = tg.randn(4, 3).to(device).requires_grad_()
    loss = nn.functional.cross_entropy(x, tg.tensor([0, 1, 9, 2]).to(device))
    loss.backward()
    with pytest.raises(IndexError, match="target 9 in row 2 is out of bounds for 3 classes"):
        loss.item()
    assert math.isnan(loss.item())  # told once; the numbers stay spoilt
    assert np.isnan(x.grad.cpu().numpy()[2]).all()
    loss = nn.functional.cross_entropy(x, tg.tensor([0, 1, 2, 2]).to(device))
    assert math.isfinite(loss.item())
    nn.functional.cross_entropy(x, tg.tensor([0, -1, 2, 2]).to(device))
    with pytest.raises(IndexError, match="target -1 in row 1"):
        backend.synchronize()


@pytest.mark.parametrize("name", ["tril_indices", "triu_indices"])
def test_indices_of_triangles_are_made_on_the_card(backend, name):
    before = strict.COUNTS.to_card
    made = getattr(tg, name)(4, 5, -1, dtype=tg.int32, device=tg.device("strict", 0))
    assert strict.COUNTS.to_card == before
    assert made.tolist() == np.stack(getattr(np, name)(4, -1, 5)).tolist()


@needs_host
@pytest.mark.parametrize("dims", [(4, 3), (4, 3, 2)], ids=["fused", "composed"])
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_the_first_number_beyond_the_classes_is_out_of_range(backend, name, dims):
    device = tg.device("strict", 0)
    loss, x = getattr(nn.functional, name), tg.randn(*dims).to(device)
    classes = np.full((dims[0], *dims[2:]), 2)
    loss(x, tg.tensor(classes).to(device))
    backend.synchronize()  # the last class is one
    classes[1] = 3
    loss(x, tg.tensor(classes).to(device))
    with pytest.raises(IndexError, match=r"target 3 in row 1 is out of bounds for 3|index 3 .* from 0 on there are 3"):
        backend.synchronize()


@needs_host
def test_too_little_memory_is_told_in_full(monkeypatch):
    x = tg.ones(1000, 1000).to("strict:0")
    monkeypatch.setattr(strict.MEMORY, "limit", 1_000_000)
    strict.POOL.used[0] = 70 * 2**30
    for use in (
        lambda: x + x,
        lambda: nn.functional.gelu(x),
        lambda: x.exp(),
        lambda: tg.ones(1000, 1000).to("strict:0"),
    ):
        with pytest.raises(
            OutOfMemoryError, match=r"strict:0 is out of memory: 3.81 MiB asked for; arrays hold 70.00 GiB"
        ):
            use()
    assert issubclass(OutOfMemoryError, RuntimeError)
    strict.POOL.used.clear()


@pytest.fixture
def two_cards(monkeypatch):
    monkeypatch.setattr(strict.RUNTIME, "count", 2)

    class Cards(strict_backend.StrictBackend):
        name = device_type = "cards"

    with strict_backend.registered(Cards):
        yield tg.device("cards", 0), tg.device("cards", 1)
    for key in [k for k in tg.device._known if k[0] == "cards"]:
        del tg.device._known[key]


@needs_host
def test_an_operation_runs_with_its_card_current(two_cards):
    first, second = two_cards
    assert strict.RUNTIME.card == 0
    w = tg.randn(4, 3).to(second).requires_grad_()
    loss = (nn.functional.silu(w @ tg.randn(3, 5).to(second)).softmax(1) * 2 + 1).sum()
    loss.backward()
    assert strict.RUNTIME.card == 0
    assert w.grad._array.card == loss._array.card == 1
    assert tg.ones(2).to(first)._array.card == 0
    moved = w.detach().to(first)
    assert moved._array.card == 0
    np.testing.assert_array_equal(moved.cpu().numpy(), w.detach().cpu().numpy())
    with pytest.raises(RuntimeError, match=r"cards:0.*cards:1|cards:1.*cards:0"):
        moved + w
    with pytest.raises(RuntimeError, match="there are 2 cards"):
        tg.ones(2).to("cards:5")


@needs_host
def test_optimizers_run_on_their_card(two_cards):
    _, second = two_cards
    p = tg.ones(3).to(second).requires_grad_()
    for make in (tg.optim.SGD, tg.optim.Adam, tg.optim.RMSprop):
        optimizer = make([p], lr=0.1)
        (p * p).sum().backward()
        optimizer.step()
    assert p._array.card == 1
    assert strict.RUNTIME.card == 0


@needs_host
def test_on_one_card_nothing_looks_at_the_current_one(backend, monkeypatch):
    def refuse(self):
        raise AssertionError("asked for the current card")

    x = strict.made(np.ones(3, "f4"))
    monkeypatch.setattr(type(strict.RUNTIME), "getDevice", refuse)
    backend.relu(backend.add(x, x))


def test_the_peak_of_memory_is_counted_from_the_reset_on():
    from types import SimpleNamespace

    from tapegrad.backends.cupy_cards import PeakCounter

    used, allocators = {"bytes": 100}, [lambda size: used.__setitem__("bytes", used["bytes"] + size)]
    pool = SimpleNamespace(used_bytes=lambda: used["bytes"], total_bytes=lambda: 9999)
    cuda = SimpleNamespace(
        runtime=type(strict.RUNTIME)(),
        Device=strict.Device,
        get_allocator=lambda: allocators[-1],
        set_allocator=allocators.append,
    )
    counter = PeakCounter(SimpleNamespace(cuda=cuda, get_default_memory_pool=lambda: pool))
    assert counter.peak(0) == 9999
    counter.reset(0)
    assert counter.peak(0) == 100
    allocators[-1](50)
    used["bytes"] = 20
    assert counter.peak(0) == 150
    counter.reset(0)
    assert counter.peak(0) == 20
    assert len(allocators) == 2


@needs_host
def test_float16_and_bfloat16_take_what_cupy_lacks(backend):
    import ml_dtypes

    for dtype in (np.float16, ml_dtypes.bfloat16):
        x = strict.made(np.array([0.5, -2, 0, 3], dtype))
        assert backend.argmax(x, 0, False).a == 3
        assert backend.argsort(x, 0, False, True).a.tolist() == [1, 2, 0, 3]
        assert bool(backend.any(x, None, False).a)
        assert backend.count_nonzero(x, None).a == 3
        target = strict.made(np.zeros(3, dtype))
        backend._add_at(target, (strict.made(np.array([0, 2, 0, 2])),), x)
        assert target.a.astype(float).tolist() == [0.5, 0, 1.0]
    small = strict.made(np.zeros(3, np.int8))
    backend._add_at(small, (strict.made(np.array([1, 1])),), strict.made(np.array([3, 4], np.int8)))
    assert small.a.tolist() == [0, 7, 0]
    both = strict.made(np.zeros(2, np.complex64))
    backend._add_at(both, (strict.made(np.array([1, 1])),), strict.made(np.array([3j, 4], np.complex64)))
    assert both.a.tolist() == [0, 4 + 3j]
