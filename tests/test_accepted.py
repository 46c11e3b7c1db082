"""What PyTorch scripts may say and what changes nothing: compilers, switches, wrappers; and event files."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import nn

ROOT = Path(__file__).parents[1]


def test_compile_gives_back_what_it_is_given():
    def double(x):
        return x * 2

    net = nn.Linear(2, 2)
    assert tg.compile(double) is double
    assert tg.compile(net, mode="max-autotune", fullgraph=True, dynamic=False, backend="eager") is net
    assert tg.compile(options={"trace.enabled": True}, disable=True)(double) is double
    assert list(tg.compile(net).state_dict()) == ["weight", "bias"]
    assert net.compile(mode="default") is None
    assert tg.compiler.disable(double) is tg.compiler.disable()(double) is double
    assert not tg.compiler.is_compiling()
    with tg.compiler.set_stance("force_eager"):
        assert tg.compile(double)(2) == 4
    with pytest.raises(RuntimeError, match="unknown mode 'fast'"):
        tg.compile(double, mode="fast")
    with pytest.raises(RuntimeError, match="either mode or options"):
        tg.compile(double, mode="default", options={})
    with pytest.raises(TypeError, match="int"):
        tg.compile(3)
    with pytest.raises(RuntimeError, match="unknown mode"):
        net.compile(mode="fast")


def test_determinism():
    try:
        tg.use_deterministic_algorithms(True, warn_only=True)
        assert tg.are_deterministic_algorithms_enabled()
        assert tg.is_deterministic_algorithms_warn_only_enabled()
        tg.set_deterministic_debug_mode("error")
        assert tg.get_deterministic_debug_mode() == 2
        with pytest.raises(RuntimeError, match="'always'"):
            tg.set_deterministic_debug_mode("always")
    finally:
        tg.use_deterministic_algorithms(False)
    assert not tg.are_deterministic_algorithms_enabled()
    assert tg.set_flush_denormal(True) is False
    tg.set_warn_always(True)
    assert tg.is_warn_always_enabled()
    tg.set_warn_always(False)


def test_devices_that_no_backend_serves():
    for module in (tg.mps, tg.xpu):
        assert not module.is_available()
        assert module.device_count() == 0
        module.synchronize()
        module.empty_cache()
        module.manual_seed(1)
    with pytest.raises(RuntimeError, match="mps"):
        tg.device("mps")
    assert not any(m.is_available() for m in (tg.backends.mkl, tg.backends.mkldnn, tg.backends.openmp))
    assert tg.get_default_device() == tg.zeros(1).device


def test_types_of_a_card():
    kind = tg.cuda.FloatTensor
    assert repr(kind) == "<class 'tapegrad.cuda.FloatTensor'>"
    assert not isinstance(tg.zeros(2), kind)
    assert isinstance(tg.zeros(2), tg.FloatTensor)
    if not tg.cuda.is_available():
        with pytest.raises(tg.backends.BackendError):
            kind(2)
    else:
        assert isinstance(kind([1.0, 2.0]), kind)


def test_parallel_runs_where_the_model_is():
    net, x = nn.Linear(2, 3), tg.ones(4, 2)
    assert tg.equal(nn.parallel.data_parallel(net, x), net(x))
    assert tg.equal(nn.parallel.data_parallel(net, (x,), device_ids=["cpu"]), net(x))
    with pytest.raises(ValueError, match="one device"):
        nn.parallel.data_parallel(net, x, device_ids=[0, 1])


def test_versions():
    assert tg.version.cuda is None or float(tg.version.cuda) >= 11
    assert (tg.version.hip, tg.version.debug) == (None, False)
    with pytest.raises(AttributeError, match="opencl"):
        _ = tg.version.opencl


def test_distributions_are_loaded_when_asked_for():
    code = (
        "import sys, tapegrad as tg; assert 'tapegrad.distributions' not in sys.modules; "
        "print(tg.distributions.Normal(0., 1.))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.stdout == "Normal(loc: 0.0, scale: 1.0)\n", done.stderr


class Recorded:
    """In the place of tensorboardX's writer: keeps the calls."""

    def __init__(self, logdir, comment, purge_step, max_queue, flush_secs, filename_suffix):
        self.logdir, self.calls = logdir, []

    def __getattr__(self, name):
        return lambda *args, **kwargs: self.calls.append((name, args, kwargs))


def test_the_writer_hands_on_numbers_and_arrays(monkeypatch):
    class Package:
        SummaryWriter = Recorded

    monkeypatch.setitem(sys.modules, "tensorboardX", Package)
    from tapegrad.utils.tensorboard import SummaryWriter

    with SummaryWriter(Path("runs") / "a", comment="b") as writer:
        assert writer.log_dir == writer.get_logdir() == str(Path("runs") / "a")
        writer.add_scalar("loss", tg.tensor(2.5, requires_grad=True), 3, new_style=True)
        writer.add_scalars("two", {"a": tg.tensor(1), "b": 2.0}, global_step=tg.tensor(4))
        writer.add_histogram("w", tg.ones(2, 3))
        writer.add_hparams({"lr": 0.1}, {"acc": tg.tensor(0.5)}, run_name="r", hparam_domain_discrete=None)
        with pytest.raises(RuntimeError, match="to_dot"):
            writer.add_graph(nn.Linear(1, 1), tg.ones(1, 1))
    (scalar, scalars, histogram, hparams, closed) = writer._writer.calls
    assert scalar == ("add_scalar", ("loss", 2.5, 3), {})
    assert scalars == ("add_scalars", ("two", {"a": 1, "b": 2.0}), {"global_step": 4})
    assert isinstance(histogram[1][1], np.ndarray)
    assert hparams == ("add_hparams", ({"lr": 0.1}, {"acc": 0.5}), {"name": "r"})
    assert closed[0] == "close"


def test_without_tensorboardx(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    from tapegrad.utils.tensorboard.writer import SummaryWriter

    with pytest.raises(ImportError, match=r"tapegrad\[tensorboard\]"):
        SummaryWriter()


def test_event_files(tmp_path):
    pytest.importorskip("tensorboardX")
    from tapegrad.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(tmp_path / "logs")
    for step in range(3):
        writer.add_scalar("loss", tg.tensor(1.0 / (step + 1)), step)
    writer.add_histogram("w", tg.randn(100), 0)
    writer.add_text("note", "seen")
    writer.add_image("picture", tg.rand(3, 4, 5), 0)
    writer.close()
    (file,) = (tmp_path / "logs").iterdir()
    values = [(e.step, v.tag, v.simple_value) for e in events(file.read_bytes()) for v in e.summary.value]
    losses = [(step, round(value, 4)) for step, tag, value in values if tag == "loss"]
    assert losses == [(0, 1.0), (1, 0.5), (2, 0.3333)]
    assert {tag for _, tag, _ in values} == {"loss", "w", "note/text_summary", "picture"}


def events(data):
    """The events of a file: each lies between its length with a checksum and a checksum."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        yield event_pb2.Event.FromString(data[12 : 12 + size])
        data = data[16 + size :]
