"""Devices: their names, what may not mix, what travels between them."""

import pickle

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import backends
from tapegrad.backends import device

from .stand_ins import Elsewhere, registry_restored


@pytest.fixture
def box():
    """A device type "box" for one test, on which NumPy computes."""
    with registry_restored():
        backends.register("elsewhere", Elsewhere, device_type="box")
        yield


def test_devices_are_interned():
    assert device("cpu") is device("cpu:0") is device("cpu", 0) is device(device("cpu"))
    assert tg.zeros(1).device is tg.device("cpu")
    assert pickle.loads(pickle.dumps(device("cpu"))) is device("cpu")
    assert (str(device("cpu")), repr(device("cpu"))) == ("cpu", "device(type='cpu')")
    assert len({device("cpu"), device("cpu:0")}) == 1


def test_names_of_another_device_type(box):
    assert device("box") is device("box:0") is device("box", 0)
    assert device("box:1") is not device("box:0")
    assert (str(device("box:1")), repr(device("box:1"))) == ("box:1", "device(type='box', index=1)")
    assert device("box:1") != device("cpu")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tpu", "device: unknown device type 'tpu'; the registered backends serve cpu, cuda"),
        ("cpu:1", "device: there is one cpu device, got index 1"),
        ("cuda:first", "device: invalid device string 'cuda:first'; write 'cpu', 'cuda' or 'cuda:1'"),
    ],
)
def test_devices_that_are_none(name, message):
    with pytest.raises(RuntimeError, match=message):
        tg.zeros(1, device=name)


@pytest.mark.parametrize(
    ("operation", "parts"),
    [
        (lambda a, b: a + b, ["add: input is on cpu, other is on box:0", "other.to('cpu')"]),
        (lambda a, b: b * a, ["mul: input is on box:0, other is on cpu", "other.to('box:0')"]),
        (lambda a, b: a.double() + b, ["add: input is on cpu, other is on box:0", "other.to('cpu')"]),
        (
            lambda a, b: tg.where(a > 0, b, b),
            ["where: condition is on cpu, input is on box:0, other is on box:0", "input.to('cpu')"],
        ),
        (lambda a, b: a @ b, ["matmul: input is on cpu, other is on box:0", "other.to('cpu')"]),
        (lambda a, b: tg.cat([a, b]), ["cat: tensors is on cpu, tensors is on box:0"]),
        (
            lambda a, b: tg.nn.functional.linear(a, tg.zeros(3, 2), b[:1].expand(3)),
            ["linear: input is on cpu, weight is on cpu, bias is on box:0", "bias.to('cpu')"],
        ),
        (lambda a, b: tg.nn.functional.mse_loss(a, b), ["box:0", "cpu"]),
        (lambda a, b: a.add_(b), ["add: input is on cpu, other is on box:0"]),
        (lambda a, b: a == b, ["eq: input is on cpu, other is on box:0"]),
    ],
)
def test_devices_do_not_mix(box, operation, parts):
    a, b = tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0], device="box")
    with pytest.raises(RuntimeError) as caught:
        operation(a, b)
    text = str(caught.value)
    assert [p for p in [*parts, "nothing is copied silently"] if p not in text] == [], text


def test_a_number_on_the_cpu_goes_where_the_others_are(box):
    b, c = tg.tensor([3.0, 4.0], device="box"), tg.tensor(2.0, requires_grad=True)
    for y in (b * c, c * b, tg.where(b > 3, b, c)):
        assert str(y.device) == "box:0"
    (b * c).sum().backward()
    assert c.grad.item() == 7
    assert str(c.grad.device) == "cpu"
    assert (b * tg.tensor(2.0)).tolist() == [6.0, 8.0]
    assert str((c.detach() * b.sum()).device) == "box:0"
    with pytest.raises(RuntimeError, match=r"mul: .*is on cpu, .* is on box:0"):
        tg.ones(2) * b.sum()


def test_gradients_travel_between_devices(box):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = (x * 2).to("box")
    assert not np.shares_memory(y._array, x._array)
    z = (y * y).cpu()
    (g,) = tg.autograd.grad(z.sum(), x, create_graph=True)
    assert [str(t.device) for t in (x, y, z, g)] == ["cpu", "box:0", "cpu", "cpu"]
    assert g.tolist() == [8.0, 16.0]
    assert tg.autograd.grad(g.sum(), x)[0].tolist() == [8.0, 8.0]


def test_views_and_writes_on_another_device(box):
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], device="box", requires_grad=True)
    y = x * 1
    y[0].mul_(3)
    y.t()[1].copy_(tg.tensor([7.0, 8.0]))
    (y * y).sum().backward()
    assert y.tolist() == [[3.0, 7.0], [9.0 / 3, 8.0]]
    assert x.grad.tolist() == [[18.0, 0.0], [6.0, 0.0]]
    assert str(x.grad.device) == "box:0"
    assert x[tg.tensor([1])].tolist() == [[3.0, 4.0]]


def test_arrays_of_another_device_are_not_handed_out(box):
    x = tg.ones(2, device="box")
    with pytest.raises(TypeError, match=r"numpy: this tensor is on box:0; use .cpu\(\).numpy\(\)"):
        x.numpy()
    assert x.cpu().numpy().tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match=r"grad: assigned has shape \(2,\) on cpu, the tensor \(2,\) on box:0"):
        x.requires_grad_().grad = tg.ones(2)


def test_a_backend_of_another_device_type_sets_the_default_device(box):
    cpu = device("cpu").backend
    with backends.use("elsewhere"):
        assert str(tg.zeros(1).device) == "box:0"
        assert str(backends.default_device()) == "box:0"
        assert tg.zeros(1, device="cpu").device.backend is cpu
        assert str(tg.randn(2, requires_grad=True).exp().device) == "box:0"
    assert str(tg.zeros(1).device) == "cpu"
    assert tg.zeros(1).device.backend is cpu


def test_the_default_device_may_be_set(box):
    tg.set_default_device("box")
    assert str(tg.zeros(1).device) == "box:0"
    assert str(tg.from_numpy(np.zeros(1)).device) == "cpu"
    tg.set_default_device(None)
    assert str(tg.zeros(1).device) == "cpu"


def test_a_device_may_be_named_where_there_is_none():
    assert str(device("cuda")) == ("cuda:0" if not tg.cuda.is_available() else f"cuda:{tg.cuda.current_device()}")
    assert device(0) is device("cuda", 0) is device("cuda:0")
    with pytest.raises(RuntimeError, match="'cuda:0' names an index already; leave out index=1"):
        device("cuda:0", 1)
    with pytest.raises(RuntimeError, match="index of a cuda device must not be negative, got -1"):
        device("cuda", -1)
    for text in ("cuda:", "cuda:-1", "cuda:1:2", "cuda:²"):
        with pytest.raises(RuntimeError, match="invalid device string"):
            device(text)


@pytest.mark.skipif(tg.cuda.is_available(), reason="there is a CUDA device")
def test_questions_about_cuda_are_answered_without_it():
    for at in (tg.cuda, tg.accelerator):
        assert at.memory_allocated() == at.memory_reserved() == at.max_memory_allocated() == 0
        at.reset_peak_memory_stats()
        at.empty_cache()
        at.set_stream(None)
        assert (at.is_available(), at.device_count()) == (False, 0)
    assert tg.cuda.get_rng_state_all() == []
    tg.cuda.set_rng_state_all([])
    assert tg.accelerator.current_accelerator() is None
    assert tg.cuda.seed_all() != tg.cuda.seed_all()
    for use in (
        tg.cuda.current_device, tg.cuda.Stream, tg.cuda.Event, tg.cuda.default_stream, tg.cuda.synchronize,
        lambda: tg.ones(1, device="cuda"), lambda: tg.Generator("cuda") and tg.rand(1, device="cuda"),
    ):  # fmt: skip
        with pytest.raises(backends.BackendError, match="backend 'cupy' is not usable"):
            use()


def test_a_device_as_a_context_and_as_a_decorator(box):
    @device("box")
    def made():
        return tg.zeros(1)

    with device("box:1") as there:
        assert str(tg.zeros(1).device) == str(there) == "box:1"
        with device("cpu"):
            assert str(tg.zeros(1).device) == "cpu"
        assert str(tg.zeros(1).device) == "box:1"
        assert str(made().device) == "box:0"
    assert str(tg.zeros(1).device) == "cpu"
    with pytest.raises(ZeroDivisionError), device("box"):
        1 / 0  # noqa: B018
    assert str(tg.zeros(1).device) == "cpu"


def test_the_precision_of_products():
    assert tg.get_float32_matmul_precision() == "highest"
    try:
        tg.set_float32_matmul_precision("high")
        assert (tg.get_float32_matmul_precision(), backends.cuda.matmul.allow_tf32) == ("high", True)
        with pytest.raises(RuntimeError, match="'low' is not one of"):
            tg.set_float32_matmul_precision("low")
    finally:
        tg.set_float32_matmul_precision("highest")
    assert backends.cuda.matmul.allow_tf32 is False
