"""tapegrad.testing.assert_close: what it lets pass is what PyTorch lets pass."""

import math

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.testing import assert_close

nan, inf = math.nan, math.inf


def passes(compare, *arguments, **options):
    """Whether a comparison passes; an error other than AssertionError is raised."""
    try:
        compare(*arguments, **options)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(
    ("dtype", "off", "expected"),
    [
        ("float64", 1.5e-7, True), ("float64", 2.5e-7, False), ("float32", 1.1e-5, True), ("float32", 1.2e-5, False),
        ("float16", 9e-4, True), ("float16", 3e-3, False), ("bfloat16", 0.0078125, True), ("bfloat16", 0.03125, False),
        ("complex64", 1.1e-5, True), ("complex128", 3e-7, False), ("int64", 0, True), ("int64", 1, False),
    ],
)  # fmt: skip
def test_the_tolerance_follows_the_dtype(dtype, off, expected):
    kind = getattr(tg, dtype)
    assert passes(assert_close, tg.tensor([1 + off], dtype=kind), tg.tensor([1], dtype=kind)) is expected


def test_large_integers_are_compared_exactly():
    a, b = tg.tensor([2**60]), tg.tensor([2**60 + 1])
    assert_close(a, a.clone())
    with pytest.raises(AssertionError):
        assert_close(a, b)


@pytest.mark.parametrize(
    ("a", "b", "options", "message"),
    [
        (tg.ones(2), tg.ones(3), {}, r"the shapes differ: \(2,\), expected \(3,\)"),
        (tg.ones(2), tg.ones(2, dtype=tg.float64), {}, "the dtypes differ: float32, expected float64"),
        (tg.ones(2, 3), tg.ones(3, 2).t(), {"check_stride": True}, r"the strides differ: \(3, 1\), expected \(1, 2\)"),
        (tg.ones(2), np.ones(2, "f"), {"allow_subclasses": False}, "the classes differ: Tensor, expected ndarray"),
        ([1.0], [1.0, 2.0], {}, "the lengths differ: 1, expected 2"),
        ({"a": 1}, {"b": 1}, {}, r"the keys differ: \[\"'a'\", \"'b'\"\] are in one only"),
        ([{"w": tg.ones(2)}], [{"w": tg.zeros(2)}], {}, r"in item \[0\]\['w'\]"),
        (None, 1, {}, "None, expected 1"), (1, 1.0, {}, "the types differ: int 1, expected float 1.0"),
        (nan, nan, {}, "1 of 1 elements .* differ"), (inf, -inf, {}, "1 of 1 elements .* differ"),
        (tg.tensor([[1.0, 2.0], [3.0, 5.0]]), tg.tensor([[1.0, 2.0], [3.0, 4.0]]), {},
         r"1 of 4 elements \(25.0%\) .*\nlargest absolute difference 1 \(.*\) at index \(1, 1\): 5.0, expected 4.0"),
    ],
)  # fmt: skip
def test_what_differs_is_told(a, b, options, message):
    with pytest.raises(AssertionError, match=message):
        assert_close(a, b, **options)


def test_what_is_close_passes():
    assert_close(tg.ones(2, requires_grad=True), np.ones(2, "f"))
    assert_close(tg.ones(2), tg.ones(2, dtype=tg.float64), check_dtype=False)
    assert_close([nan, {"a": (inf, None)}], [nan, {"a": [inf, None]}], equal_nan=True)
    assert_close(tg.zeros(0, 3), tg.zeros(0, 3))
    assert_close(tg.ones(2), tg.ones(2) * 1.4, rtol=0.3, atol=0.0)


def test_the_message_may_be_replaced():
    with pytest.raises(AssertionError, match=r"^not the same$"):
        assert_close(1, 2, msg="not the same")
    with pytest.raises(AssertionError, match=r"^layer 3: 1 of 1 elements"):
        assert_close(1, 2, msg=lambda text: f"layer 3: {text}")


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"give both rtol and atol or neither, got rtol=0.1, atol=None"):
        assert_close(1.0, 1.0, rtol=0.1)
    with pytest.raises(TypeError, match="cannot compare str with str"):
        assert_close("a", "a")


VALUES = (0.0, -0.0, 1.0, 1 + 1e-6, 1 + 1e-5, 1 + 1e-4, -1.0, 1e-6, 9e-6, 2e-5, 1e20, 1e20 * (1 + 2e-6), inf, -inf, nan)


@pytest.mark.parity
@pytest.mark.parametrize("options", [{}, {"equal_nan": True}, {"rtol": 0.0, "atol": 0.0}, {"rtol": 1e-5, "atol": 0.0}])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "complex64"])
def test_pytorch_decides_likewise(dtype, options):
    torch = pytest.importorskip("torch")
    for a in VALUES:
        for b in VALUES:
            ours = [tg.tensor([v, 3.0], dtype=getattr(tg, dtype)) for v in (a, b)]
            theirs = [torch.tensor([v, 3.0], dtype=getattr(torch, dtype)) for v in (a, b)]
            expected = passes(torch.testing.assert_close, *theirs, **options)
            assert passes(assert_close, *ours, **options) is expected, (a, b)
