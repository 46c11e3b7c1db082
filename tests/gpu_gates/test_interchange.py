"""Memory on a card shared with other libraries, by DLPack and by ``__cuda_array_interface__``; on the stand-in."""

import copy
import pickle

import numpy as np
import pytest

import tapegrad as tg

from . import host, strict

pytestmark = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))
CARD = "strict:0"


@pytest.fixture(autouse=True)
def _default():
    tg.set_default_device(CARD)
    yield
    tg.set_default_device(None)


class Foreign:
    """Another library's array on a card."""

    def __init__(self, array, *, protocol):
        self._array = strict.made(array)
        if protocol == "interface":
            self.__cuda_array_interface__ = self._array.__cuda_array_interface__
        else:
            self.__dlpack__, self.__dlpack_device__ = self._array.__dlpack__, self._array.__dlpack_device__


def test_memory_of_a_tensor_is_shared_through_the_interface():
    x = tg.arange(6.0).reshape(2, 3).t()
    told = x.__cuda_array_interface__
    assert (told["shape"], told["typestr"], told["data"][0]) == ((3, 2), "<f4", x._array.data.ptr)
    with pytest.raises(RuntimeError, match=r"requires grad, which does not travel; use .detach\(\)"):
        tg.ones(2, requires_grad=True).__cuda_array_interface__  # noqa: B018
    here = tg.ones(2, device="cpu")
    assert not hasattr(here, "__cuda_array_interface__")
    with pytest.raises(AttributeError, match="is on the CPU"):
        here.__cuda_array_interface__  # noqa: B018


@pytest.mark.parametrize("take", [tg.as_tensor, tg.asarray])
def test_memory_of_others_is_taken_over_through_the_interface(take):
    memory = np.arange(3, dtype="f4")
    before = strict.COUNTS.to_card, strict.COUNTS.to_host
    x = take(Foreign(memory, protocol="interface"))
    assert (strict.COUNTS.to_card, strict.COUNTS.to_host) == before
    assert str(x.device) == CARD
    memory[0] = 7
    assert x.tolist() == [7.0, 1.0, 2.0]


def test_a_new_tensor_copies_what_it_is_given():
    memory = np.arange(3, dtype="f4")
    x = tg.tensor(Foreign(memory, protocol="interface"), dtype=tg.float64, requires_grad=True)
    memory[0] = 7
    assert x.tolist() == [0.0, 1.0, 2.0]
    assert (x.dtype, x.requires_grad) == (tg.float64, True)
    assert tg.tensor(Foreign(memory, protocol="interface"), device="cpu").tolist() == [7.0, 1.0, 2.0]


def test_dlpack_in_both_directions():
    memory = np.arange(3, dtype="f4")
    x = tg.from_dlpack(Foreign(memory, protocol="dlpack"))
    memory[0] = 7
    assert (str(x.device), x.tolist()) == (CARD, [7.0, 1.0, 2.0])
    assert x.__dlpack_device__() == (2, 0)
    back = strict.STRICT.from_dlpack(x)
    assert back.data.ptr == memory.ctypes.data
    with pytest.raises(BufferError, match="copy=False, but the memory is on strict:0"):
        tg.from_dlpack(Foreign(memory, protocol="dlpack"), device="cpu", copy=False)


def test_the_address_of_memory_and_copies_that_share_it():
    x = tg.arange(6.0).reshape(2, 3)
    assert x.data_ptr() == x._array.data.ptr == x[0].data_ptr() != x[1].data_ptr()
    assert x.is_set_to(x.view(2, 3))
    model = tg.nn.Linear(3, 2)
    twin = copy.deepcopy(model)
    assert str(twin.weight.device) == CARD
    assert twin.weight.data_ptr() != model.weight.data_ptr()
    np.testing.assert_array_equal(twin.weight.detach().cpu().numpy(), model.weight.detach().cpu().numpy())
    again = pickle.loads(pickle.dumps(x))
    assert (str(again.device), again.tolist()) == (CARD, x.tolist())
