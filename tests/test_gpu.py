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
