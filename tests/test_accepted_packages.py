"""Packages of PyTorch's that scripts import: ``jit``, ``hub``, ``distributed``, the choice of attention kernels."""

import hashlib

import pytest

import tapegrad as tg
from tapegrad import nn
from tapegrad.autograd.variable import Variable
from tapegrad.nn.utils.clip_grad import clip_grad_norm_
from tapegrad.utils.data.distributed import DistributedSampler


def test_paths():
    assert Variable is tg.autograd.Variable
    assert clip_grad_norm_ is nn.utils.clip_grad_norm_


def test_jit_gives_back_what_it_is_given():
    net = nn.Linear(2, 2)

    @tg.jit.script
    def double(x):
        return x * 2

    @tg.jit.ignore(drop=True)
    def triple(x):
        return x * 3

    assert (double(2), triple(2), tg.jit.ignore(double)(1), tg.jit.annotate(int, 4)) == (4, 6, 2, 4)
    assert tg.jit.script(net) is tg.jit.trace(net, tg.ones(1, 2)) is tg.jit.trace_module(net, {}) is net
    assert not tg.jit.is_scripting()
    assert not tg.jit.is_tracing()
    with pytest.raises(TypeError, match="int"):
        tg.jit.script(3)
    with pytest.raises(RuntimeError, match="eval"):
        tg.jit.freeze(net)
    assert tg.jit.freeze(net.eval()) is net


def test_a_group_of_one_process(monkeypatch):
    from tapegrad import distributed as dist

    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.delenv("RANK", raising=False)
    assert dist.is_available()
    assert not dist.is_initialized()
    with pytest.raises(ValueError, match="not been initialized"):
        dist.get_rank()
    with pytest.raises(ValueError, match="not been initialized"):
        nn.parallel.DistributedDataParallel(nn.Linear(2, 2))
    with pytest.raises(RuntimeError, match="one process here, got world_size=2, rank=1"):
        dist.init_process_group("nccl", world_size=2, rank=1)
    dist.init_process_group("nccl")
    try:
        assert (dist.get_rank(), dist.get_world_size(), dist.get_backend()) == (0, 1, "nccl")
        with pytest.raises(ValueError, match="already"):
            dist.init_process_group()
        net = nn.parallel.DistributedDataParallel(nn.Linear(2, 2), find_unused_parameters=True)
        assert list(net.state_dict()) == ["module.weight", "module.bias"]
        with net.no_sync():
            net(tg.ones(1, 2)).sum().backward()
        grad = net.module.bias.grad
        assert dist.all_reduce(grad, op=dist.ReduceOp.SUM) is None
        assert dist.all_reduce(grad, async_op=True).wait()
        assert grad.tolist() == [1, 1]
        out, whole = [tg.zeros(2)], tg.zeros(1, 2)
        dist.all_gather(out, grad)
        dist.all_gather_into_tensor(whole, grad * 2)
        assert (out[0].tolist(), whole.tolist()) == ([1, 1], [[2, 2]])
        assert sorted(DistributedSampler(range(5))) == [0, 1, 2, 3, 4]
    finally:
        dist.destroy_process_group()
    assert not dist.is_initialized()


def test_weights_from_the_network(tmp_path, monkeypatch):
    net = nn.Linear(3, 2)
    tg.save(net.state_dict(), tmp_path / "source.pt")
    content = (tmp_path / "source.pt").read_bytes()
    url = (tmp_path / "source.pt").as_uri()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    assert tg.hub.get_dir() == str(tmp_path / "home" / "hub")
    name = f"net-{hashlib.sha256(content).hexdigest()[:8]}.pt"
    loaded = tg.hub.load_state_dict_from_url(url, file_name=name, check_hash=True)
    assert loaded["weight"].tolist() == net.weight.tolist()
    assert [p.name for p in (tmp_path / "home" / "hub" / "checkpoints").iterdir()] == [name]
    (tmp_path / "source.pt").unlink()
    from tapegrad.utils.model_zoo import load_url

    assert load_url(url, file_name=name)["bias"].tolist() == net.bias.tolist()  # not downloaded again
    (tmp_path / "source.pt").write_bytes(content + b"altered")
    with pytest.raises(RuntimeError, match="invalid hash"):
        tg.hub.load_state_dict_from_url(url, str(tmp_path / "other"), file_name=name, check_hash=True)
    assert list((tmp_path / "other").iterdir()) == []


def test_choice_of_attention_kernels():
    from tapegrad.nn.attention import SDPBackend, sdpa_kernel

    cuda = tg.backends.cuda
    with sdpa_kernel([SDPBackend.MATH]):
        assert cuda.math_sdp_enabled()
        assert not cuda.flash_sdp_enabled()
        with cuda.sdp_kernel(enable_math=False):
            assert not cuda.math_sdp_enabled()
            assert cuda.mem_efficient_sdp_enabled()
    assert cuda.flash_sdp_enabled()
    cuda.enable_flash_sdp(False)
    assert not cuda.flash_sdp_enabled()
    cuda.enable_flash_sdp(True)
    with pytest.raises(AssertionError, match="SDPBackend"), sdpa_kernel("math"):
        pass
