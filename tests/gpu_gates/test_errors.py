"""The words for what CuPy refuses: the operation and its operands, and no guess where the reason is another."""

import pytest

import tapegrad as tg
from tapegrad import backends

from . import host

pytestmark = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))
CARD = "strict:0"


@pytest.fixture
def refuse(monkeypatch):
    """Lets the kernel of a primitive on the card raise an error."""

    def exchange(name, error):
        def kernel(*arguments):
            raise error

        where = backends.device_of(CARD)
        kernels = list(where.kernels)
        kernels[backends.registry.PRIMITIVES[name]] = kernel
        monkeypatch.setattr(where, "kernels", kernels)

    return exchange


# What CuPy 14 says, and what is made of it
WORDS = [
    (TypeError("Wrong type (float32) of arguments for cupy_exp"), RuntimeError,
     "exp: not defined for float32 tensors"),
    (TypeError("cupy.add.at only supports int32, int64, float16, float32, float64, uint32, uint64"), RuntimeError,
     "exp: not defined for float32 tensors"),
    (TypeError("Unsupported type <class 'numpy.ndarray'>"), TypeError,
     r"exp\(input=float32\[2\] on strict:0\): Unsupported type <class 'numpy.ndarray'>"),
    (TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct one."), TypeError,
     r"exp\(input=float32\[2\] on strict:0\): Implicit conversion"),
    (TypeError("Type is mismatched. T float32 float64"), TypeError,
     r"exp\(.*\): the element types must be the same; .*T float32 float64"),
    (TypeError("Wrong number of arguments for exp"), TypeError, r"exp\(.*\): Wrong number of arguments"),
    (ValueError("operands could not be broadcast together with shapes (2,) (3,)"), RuntimeError,
     r"exp\(.*\): the shapes do not broadcast"),
    (ValueError("Shape mismatch: (2,) and (3,)"), RuntimeError, r"exp\(.*\): the shapes do not broadcast"),
    (IndexError("Index 5 is out of bounds for axis 0 with size 2"), IndexError, r"exp\(.*\): Index 5 is out of bounds"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "kind", "words"), WORDS, ids=[str(e)[:20] for e, *_ in WORDS])
def test_what_a_kernel_refuses_is_told_with_the_operation(error, kind, words, refuse):
    x = tg.ones(2, device=CARD)
    refuse("exp", error)
    with pytest.raises(kind, match=words) as caught:
        x.exp()
    assert type(caught.value) is kind
    assert caught.value.__cause__ is error


def test_an_operation_with_attributes_tells_the_type_that_it_lacks(refuse):
    x = tg.ones(2, 3, dtype="int64", device=CARD)
    refuse("cumsum", TypeError("Wrong type (int64) of arguments for cupy_cumsum"))
    with pytest.raises(RuntimeError, match="cumsum: not defined for int64 tensors; convert with"):
        x.cumsum(0)


def test_of_a_condition_beside_values_the_values_are_told(refuse):
    x = tg.ones(2, device=CARD)
    refuse("where", TypeError("Wrong type (bool, float32, float32) of arguments for cupy_where"))
    with pytest.raises(RuntimeError, match="where: not defined for float32 tensors"):
        tg.where(x > 0, x, x)


def test_a_type_that_the_card_has_no_loop_for():
    with pytest.raises(RuntimeError, match="floor: not defined for complex64 tensors"):
        tg.ones(2, dtype=tg.complex64, device=CARD).floor()
