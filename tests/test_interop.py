"""Tensors among Python's and NumPy's own objects: protocols, copies, pickles, DLPack, plotting."""

import copy
import pickle

import numpy as np
import pytest

import tapegrad
from tapegrad import tensor


def test_array_protocol_shares_or_copies():
    x = tensor([1.0, 2.0])
    np.asarray(x)[0] = 5
    assert x.tolist() == [5.0, 2.0]
    np.array(x)[0] = 7
    assert x.tolist() == [5.0, 2.0]
    assert np.shares_memory(np.array(x, copy=False), np.asarray(x))
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="copy=False"):
        np.array(x, dtype=np.float64, copy=False)
    with pytest.raises(RuntimeError, match="requires grad"):
        np.asarray(x.clone().requires_grad_())


def test_numpy_operands_keep_the_graph():
    x = tensor([1.0, 2.0], requires_grad=True)
    for y in (np.float64(3.0) * x, x * np.float64(3.0), np.array([3.0, 3.0]) * x, x * np.array([3.0, 3.0])):
        (slope,) = tapegrad.autograd.grad(y.sum(), x)
        assert slope.tolist() == [3.0, 3.0]
        assert slope.dtype is tapegrad.float32
    assert (np.float64(3.0) * x).dtype is tapegrad.float32
    assert (np.array([3.0, 3.0]) * x).dtype is tapegrad.float64
    assert (x - np.array([1.0, 1.0], np.float32)).tolist() == [0.0, 1.0]


def test_ufuncs_answer_with_tensors():
    x = tensor([1.0, 4.0])
    for y in (np.sqrt(x), np.add(x, np.ones(2, np.float32)), np.maximum(x, 2.0), np.multiply(np.ones(2), x)):
        assert isinstance(y, tapegrad.Tensor)
    assert np.sqrt(x).tolist() == [1.0, 2.0]
    assert np.stack([x, x]).shape == (2, 2)


def test_foreign_operands():
    class Reflected:
        def __radd__(self, other):
            return "added"

        def __rmul__(self, other):
            return NotImplemented

    x = tensor([1.0])
    assert x + Reflected() == "added"
    with pytest.raises(TypeError):
        x * Reflected()
    assert (x == None) is False  # noqa: E711
    assert (x != "a") is True
    assert x in [None, x]
    with pytest.raises(TypeError):
        x < "a"  # noqa: B015
    with pytest.raises(RuntimeError, match="'in'"):
        "a" in x  # noqa: B015


def test_one_element_is_a_number():
    assert [10, 20, 30][tensor(1)] == 20
    assert list(range(tensor(3))) == [0, 1, 2]
    assert f"{tensor(2.5):.2f} {tensor(3):d} {tensor([2.5])}" == "2.50 3 tensor([2.5000])"
    assert complex(tensor(1 + 2j)) == 1 + 2j
    assert 1 < tensor(2) < 3
    for refused, kind in (
        (float, ValueError),
        (int, ValueError),
        (bool, RuntimeError),
        (lambda x: x.item(), RuntimeError),
    ):
        with pytest.raises(kind):
            refused(tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="integer"):
        [1, 2][tensor(1.0)]


@pytest.mark.parametrize("dtype", tapegrad.backends.dtypes.DTYPES, ids=str)
def test_pickle_every_type(dtype):
    x = tensor([[1, 0], [1, 1]]).to(dtype)
    y = pickle.loads(pickle.dumps(x.t()))
    assert y.dtype is dtype
    assert y.tolist() == x.t().tolist()
    assert y.device is x.device
    assert (y + y).dtype is dtype


def test_pickles_and_copies():
    x = tensor([1.0, 2.0], requires_grad=True)
    x.note = "kept"
    (x * x).sum().backward()
    for y in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x), copy.copy(x)):
        assert y.requires_grad
        assert y.is_leaf
        assert y.note == "kept"
        assert y.tolist() == [1.0, 2.0]
    assert copy.deepcopy(x).grad.tolist() == [2.0, 4.0]
    assert copy.copy(x).data_ptr() == x.data_ptr()
    assert copy.deepcopy(x).data_ptr() != x.data_ptr()
    shared = copy.deepcopy([x, x])
    assert shared[0] is shared[1]
    with pytest.raises(RuntimeError, match="leaves"):
        copy.deepcopy(x * 2)
    with pytest.warns(UserWarning, match="history"):
        assert pickle.loads(pickle.dumps(x * 2)).is_leaf
    weight = tapegrad.nn.Parameter(tapegrad.ones(2))
    again = pickle.loads(pickle.dumps(weight))
    assert type(again) is tapegrad.nn.Parameter
    assert again.requires_grad
    for name in ("float32", "int8", "bfloat16"):
        dtype = getattr(tapegrad, name)
        assert pickle.loads(pickle.dumps(dtype)) is dtype
    assert pickle.loads(pickle.dumps(tapegrad.device("cpu"))) is tapegrad.device("cpu")
    assert copy.deepcopy(tapegrad.contiguous_format) is tapegrad.contiguous_format


def test_dlpack_with_numpy():
    x = tensor([[1.0, 2.0], [3.0, 4.0]])
    view = np.from_dlpack(x.t())
    assert view.tolist() == [[1.0, 3.0], [2.0, 4.0]]
    array = np.arange(4.0)
    y = tapegrad.from_dlpack(array)
    y[0] = 9
    assert array[0] == 9
    assert tapegrad.from_dlpack(array, copy=True).data_ptr() != y.data_ptr()
    assert x.__dlpack_device__() == (1, 0)
    with pytest.raises(BufferError, match="detach"):
        np.from_dlpack(x.requires_grad_())
    with pytest.raises(BufferError, match="negative"):
        tapegrad.from_dlpack(array[::-1])
    with pytest.raises(BufferError, match="stream"):
        y.__dlpack__(stream=1)
    old = tapegrad.from_dlpack(y.__dlpack__())  # the protocol before versions, whose arrays NumPy takes as read-only
    old[1] = 8
    assert array[1] == 8


def test_memory_of_arrays():
    array = np.arange(3.0)
    x = tapegrad.from_numpy(array)
    x.mul_(2)
    assert array.tolist() == [0.0, 2.0, 4.0]
    assert tapegrad.asarray(array).data_ptr() == x.data_ptr()
    assert tapegrad.asarray(array, copy=True).data_ptr() != x.data_ptr()
    with pytest.raises(ValueError, match="copy=False"):
        tapegrad.asarray([1.0], copy=False)
    with pytest.raises(ValueError, match="negative"):
        tapegrad.from_numpy(array[::-1])
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="read-only"):
        tapegrad.from_numpy(array)
    memory = bytearray(8)
    tapegrad.frombuffer(memory, dtype=tapegrad.int16)[1] = 258
    assert bytes(memory) == bytes([0, 0, 2, 1, 0, 0, 0, 0])


def test_out_takes_the_result():
    out = tapegrad.empty(2)
    assert tapegrad.ones(2, out=out) is out
    assert out.tolist() == [1.0, 1.0]
    held = tapegrad.zeros(4, dtype=tapegrad.int64)
    assert tapegrad.arange(4, out=held).tolist() == [0, 1, 2, 3]
    assert tapegrad.arange(3, out=tapegrad.empty(0)).tolist() == [0.0, 1.0, 2.0]
    assert tapegrad.linspace(0, 9, 4, out=held).tolist() == [0, 3, 6, 9]
    with pytest.raises(RuntimeError, match="float32"):
        tapegrad.zeros(4, dtype=tapegrad.float32, out=held)


def test_types_of_old():
    assert repr(tapegrad.FloatTensor) == "<class 'tapegrad.FloatTensor'>"
    assert tensor([1.5]).type("torch.LongTensor").tolist() == [1]
    assert tensor([1.5]).type(tapegrad.IntTensor).dtype is tapegrad.int32
    with pytest.raises(ValueError, match="invalid type"):
        tensor([1.5]).type("torch.OddTensor")
    x = tapegrad.autograd.Variable(tensor([1.0]), requires_grad=True)
    (x * 3).backward()
    assert x.grad.item() == 3.0
    tapegrad.set_default_tensor_type("torch.DoubleTensor")
    try:
        assert tapegrad.Tensor([1]).dtype is tapegrad.float64
    finally:
        tapegrad.set_default_tensor_type(tapegrad.FloatTensor)


def test_subclass():
    class Special(tapegrad.Tensor):
        def double_sum(self):
            return 2 * self.sum()

    x = Special([1.0, 2.0])
    assert isinstance(x, Special)
    assert x.double_sum().item() == 6.0
    y = tensor([1.0], requires_grad=True)
    z = (y * 2).as_subclass(Special)
    z.sum().backward()
    assert y.grad.item() == 2.0


def test_matplotlib_plots_a_tensor():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    (line,) = axes.plot(tapegrad.arange(3), tapegrad.arange(3.0) ** 2)
    axes.hist(tapegrad.arange(5.0))
    axes.imshow(tapegrad.rand(3, 3))
    assert line.get_ydata().tolist() == [0.0, 1.0, 4.0]
    pyplot.close(figure)


def test_numpy_reductions_answer_where_pytorch_refuses():
    t = tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.sum(t).item() == 10.0
    assert np.mean(t, axis=0).tolist() == [2.0, 3.0]
    assert np.sum(t, axis=1, keepdims=True).tolist() == [[3.0], [7.0]]
