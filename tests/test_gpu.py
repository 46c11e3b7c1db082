"""What only a CUDA device can show: transfers, mixed devices, a training run, memory and streams."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import nn

REASON = tg.backends.status("cupy")
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(REASON is not None, reason=f"no CUDA device: {REASON}")]


def losses(device):
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 5)).to(device)
    x, y = tg.randn(64, 20).to(device), tg.randint(0, 5, (64,)).to(device)
    optimizer, criterion = tg.optim.Adam(model.parameters(), lr=0.01), nn.CrossEntropyLoss()
    out = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        out.append(loss.item())
    return out


def test_training_gives_the_losses_of_the_cpu():
    np.testing.assert_allclose(losses("cuda"), losses("cpu"), rtol=1e-3, atol=1e-3)


def test_round_trip_keeps_values_and_history():
    x = tg.randn(3, 4, requires_grad=True)
    y = (x.cuda() * 2).cpu()
    y.sum().backward()
    np.testing.assert_array_equal(y.detach().numpy(), x.detach().numpy() * 2)
    np.testing.assert_array_equal(x.grad.numpy(), np.full((3, 4), 2, np.float32))


def test_mixed_devices_are_an_error_that_names_both():
    with pytest.raises(RuntimeError, match=r"(?s)cuda:0.*cpu|cpu.*cuda:0"):
        tg.ones(2) + tg.ones(2, device="cuda")


def test_the_switch_puts_new_tensors_on_the_device():
    with tg.backends.use("cupy"):
        assert str(tg.zeros(2).device) == "cuda:0"
    assert str(tg.zeros(2).device) == "cpu"


def test_memory_is_counted():
    cuda = tg.backends.cuda
    before = cuda.memory_allocated()
    kept = tg.zeros(1 << 20, device="cuda")
    assert cuda.memory_allocated() - before >= 4 << 20
    assert cuda.mem_get_info()[0] <= cuda.mem_get_info()[1]
    del kept


def test_random_numbers_of_the_device():
    tg.manual_seed(4)
    first = [tg.rand(10_001, device="cuda"), tg.randn(10_001, device="cuda"), tg.randint(-3, 9, (50,), device="cuda"),
             tg.randperm(100, device="cuda"), tg.zeros(7, device="cuda").exponential_(),
             tg.multinomial(tg.ones(5, device="cuda"), 3), tg.randn(20, dtype=tg.bfloat16, device="cuda")]  # fmt: skip
    tg.manual_seed(4)
    assert tg.rand(10_001, device="cuda").tolist() == first[0].tolist()
    uniform, normal = (x.cpu().numpy().astype(float) for x in first[:2])
    assert 0 <= uniform.min() < uniform.max() < 1
    np.testing.assert_allclose([uniform.mean(), uniform.var()], [0.5, 1 / 12], atol=0.015)
    np.testing.assert_allclose([normal.mean(), normal.var()], [0, 1], atol=0.06)
    assert sorted(first[3].tolist()) == list(range(100))
    half = tg.rand(100_000, dtype=tg.float16, device="cuda").float()
    assert float(half.max()) < 1  # rounding does not reach the bound that is excluded


def test_what_solvers_cannot_solve_is_told():
    for use in (
        lambda: tg.linalg.solve(tg.zeros(2, 2, device="cuda"), tg.ones(2, device="cuda")),
        lambda: tg.linalg.solve(tg.zeros(3, 2, 2, device="cuda"), tg.ones(3, 2, 1, device="cuda")),
        lambda: tg.linalg.inv(tg.zeros(2, 2, device="cuda")),
        lambda: tg.linalg.cholesky(-tg.eye(2, device="cuda")),
        lambda: tg.linalg.cholesky(-tg.eye(2, device="cuda").expand(3, 2, 2)),
    ):
        with pytest.raises(tg.linalg.LinAlgError):
            use()
    assert tg.linalg.det(tg.zeros(2, 2, device="cuda")).item() == 0


def test_streams_and_pinned_copies():
    x = tg.randn(1 << 20).pin_memory()
    side, done = tg.cuda.Stream(), tg.cuda.Event()
    with tg.cuda.stream(side):
        assert tg.cuda.current_stream() == side
        y = x.to("cuda", non_blocking=True) * 2
        done.record()
    tg.cuda.current_stream().wait_event(done)
    back = y.to("cpu", non_blocking=True)
    tg.cuda.synchronize()
    np.testing.assert_array_equal(back.numpy(), x.numpy() * 2)
    assert side.query()
    assert done.query()


def test_memory_is_shared_with_cupy():
    import cupy

    x = tg.arange(6.0, device="cuda").reshape(2, 3)
    for seen in (cupy.from_dlpack(x), cupy.asarray(x)):
        assert seen.data.ptr == x.data_ptr()
    mine = cupy.arange(3, dtype=cupy.float32)
    for taken in (tg.from_dlpack(mine), tg.as_tensor(mine)):
        assert taken.data_ptr() == mine.data.ptr
    np.testing.assert_array_equal(tg.as_tensor(mine).cpu().numpy(), [0, 1, 2])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int64", "complex64", "bool"])
def test_types_that_the_conformance_suite_leaves_out(dtype):
    x = tg.tensor([[1, 0, 3], [2, 1, 0]]).to(getattr(tg, dtype))
    uses = [lambda v: v + v, lambda v: v * v, lambda v: v.t(), lambda v: v.sum(0), lambda v: tg.where(v == v, v, v),
            lambda v: tg.logical_and(v, v), lambda v: tg.logical_not(v), lambda v: tg.cat([v, v]),
            lambda v: v[tg.tensor([1, 0], device=v.device)]]  # fmt: skip
    if x.dtype.is_floating_point:
        uses += [lambda v: v.sign(), lambda v: tg.xlogy(v, v + 1), lambda v: v.cummax(1).values, lambda v: v.softmax(1),
                 lambda v: v.sort(1).values, lambda v: nn.functional.gelu(v), lambda v: v @ v.t()]  # fmt: skip
    for use in uses:
        here, there = use(x), use(x.cuda())
        assert here.dtype is there.dtype
        np.testing.assert_allclose(
            there.cpu().to(tg.complex64).numpy(), here.to(tg.complex64).numpy(), rtol=2e-2, atol=2e-2
        )
