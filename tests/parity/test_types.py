"""Promotion, casts, and arithmetic of every element type, against PyTorch."""

# ruff: noqa: B023 - the functions made in loops run at once

import operator
import warnings

import numpy as np
import pytest

import tapegrad

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
    "complex128",
)  # fmt: skip
TOLERANCE = {"float16": 1e-3, "bfloat16": 8e-3, "float32": 2e-6, "complex64": 4e-6}
SCALARS = {"bool": True, "int": 2, "float": 2.5, "complex": 1.5 + 2j}
VALUES = ([3, 0, 5, -7, 1, 2], [2, 3, -2, 2, 1, 4])


def operand(lib, dtype, form, which):
    """Six numbers of a type, or the first of them as a 0-d tensor."""
    values = VALUES[which]
    if dtype == "bool":
        values = [v % 2 == which for v in values]
    elif dtype == "uint8":
        values = [abs(v) for v in values]
    elif dtype.startswith("complex"):
        values = [v + 0.5j for v in values]
    elif "float" in dtype:
        values = [v + 0.25 for v in values]
    return lib.tensor(values if form == "tensor" else values[0], dtype=getattr(lib, dtype))


def answer(function, lib):
    """Dtype, shape and values of a result, or that it is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            out = function(lib)
        except (RuntimeError, TypeError) as error:
            return type(error).__name__ if type(error) is TypeError else "RuntimeError"
    wide = lib.complex128 if out.dtype.is_complex else lib.float64
    return str(out.dtype).rpartition(".")[2], tuple(out.shape), out.detach().to(wide).numpy()


def agree(function, label):
    if "float16" in label and not {"complex", "complex64", "complex128"}.isdisjoint(label):
        return  # to PyTorch this is complex32, which it hardly supports and which is not one of our types
    ours, theirs = answer(function, tapegrad), answer(function, torch)
    assert type(ours) is type(theirs), f"{label}: {ours} against {theirs}"
    if isinstance(ours, str):
        assert ours == theirs, label
        return
    assert ours[:2] == theirs[:2], label
    tolerance = TOLERANCE.get(ours[0], 1e-13)
    np.testing.assert_allclose(ours[2], theirs[2], rtol=tolerance, atol=tolerance / 100, err_msg=str(label))


BINARY = (
    "add", "sub", "mul", "div", "floor_divide", "remainder", "fmod", "pow", "eq", "ne", "lt", "le", "gt", "ge",
    "bitwise_and", "bitwise_or", "bitwise_xor",
)  # fmt: skip
TENSORS_ONLY = ("maximum", "minimum", "atan2", "logical_and", "logical_or", "logical_xor")
OPERATORS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "floor_divide": operator.floordiv, "remainder": operator.mod, "pow": operator.pow, "and": operator.and_,
    "or": operator.or_, "xor": operator.xor, "lt": operator.lt, "eq": operator.eq,
}  # fmt: skip


@pytest.mark.parametrize("name", BINARY + TENSORS_ONLY)
def test_pairs_of_tensors(name):
    for a in DTYPES:
        for b in DTYPES:
            for first in ("tensor", "0-d"):
                for second in ("tensor", "0-d"):
                    agree(
                        lambda lib: getattr(lib, name)(operand(lib, a, first, 0), operand(lib, b, second, 1)),
                        (name, a, first, b, second),
                    )


@pytest.mark.parametrize("name", BINARY)
def test_tensor_and_number(name):
    for a in DTYPES:
        for kind, number in SCALARS.items():
            if name == "pow" and a == "bool" and kind == "bool":
                continue  # PyTorch computes this one pair of bools, of all
            for form in ("tensor", "0-d"):
                agree(lambda lib: getattr(operand(lib, a, form, 0), name)(number), (name, a, form, kind))


@pytest.mark.parametrize("name", OPERATORS)
def test_number_and_tensor(name):
    for a in DTYPES:
        for kind, number in SCALARS.items():
            if a == "bfloat16" and kind == "complex" and name == "div":
                continue  # PyTorch rounds the reciprocal to bfloat16 first
            for form in ("tensor", "0-d"):
                agree(lambda lib: OPERATORS[name](number, operand(lib, a, form, 0)), (name, kind, a, form))


UNARY = (
    "neg", "sign", "square", "sqrt", "rsqrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan",
    "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "floor", "ceil", "trunc", "round",
    "reciprocal", "sigmoid", "relu", "erf", "logical_not", "bitwise_not", "isnan", "isinf", "isfinite",
)  # fmt: skip
REDUCTIONS = ("sum", "mean", "var", "std", "prod", "amax", "amin", "any", "all", "count_nonzero", "norm")
MORE_THAN_PYTORCH = {("floor", "bool"), ("ceil", "bool"), ("trunc", "bool"), ("round", "bool")}


def several(lib, dtype):
    values = [0.5, -0.25, 0.75, 0.0, -1.5, 2.5, 8.0, -3.5]
    if dtype == "bool":
        values = [True, False, True, False, True, True, False, True]
    elif dtype == "uint8":
        values = [0, 1, 2, 200, 255, 7, 8, 9]
    elif "int" in dtype:
        values = [0, 1, 2, -5, 100, 7, -8, 9]
    elif dtype.startswith("complex"):
        values = [v + 0.5j * (-1) ** i for i, v in enumerate(values)]
    return lib.tensor(values, dtype=getattr(lib, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_functions(dtype):
    for name in UNARY:
        if (name, dtype) not in MORE_THAN_PYTORCH:
            agree(lambda lib: getattr(lib, name)(several(lib, dtype)), (name, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_reductions(dtype):
    for name in REDUCTIONS:
        agree(lambda lib: getattr(several(lib, dtype), name)(), (name, dtype))
        agree(lambda lib: getattr(several(lib, dtype).reshape(2, 4), name)(dim=1), (name, dtype, "dim"))


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d != "bool" and not d.startswith("complex")])
def test_other_operations(dtype):
    agree(lambda lib: several(lib, dtype).clamp(0, 2), "clamp")
    agree(lambda lib: several(lib, dtype).clamp(0.5), "clamp by a float")
    agree(lambda lib: several(lib, dtype).cumsum(0), "cumsum")
    agree(lambda lib: several(lib, dtype).reshape(2, 4) @ several(lib, dtype).reshape(4, 2), "matmul")
    agree(lambda lib: lib.where(several(lib, "bool"), several(lib, dtype), 0), "where")
    agree(lambda lib: lib.where(several(lib, "bool"), 1.5, several(lib, dtype)), "where and a float")
    agree(lambda lib: several(lib, dtype).sort()[0], "sort")
    agree(lambda lib: lib.cat([several(lib, dtype), several(lib, "int16")]), "cat")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["gelu", "silu", "softplus", "leaky_relu", "relu", "sigmoid", "softmax"])
def test_half_precision_gradients(dtype, name):
    def gradient(lib):
        x = several(lib, dtype).requires_grad_()
        function = getattr(lib.nn.functional, name)
        out = function(x, dim=0) if name == "softmax" else function(x)
        ((out * 0.3 + x * x).sum() + x.mean() + x.std()).backward()
        assert str(x.grad.dtype).endswith(dtype)
        return x.grad

    ours, theirs = (gradient(lib).to(lib.float64).numpy() for lib in (tapegrad, torch))
    np.testing.assert_allclose(ours, theirs, rtol=4 * TOLERANCE[dtype], atol=2 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_long_half_precision_sums_keep_their_digits(dtype):
    for lib in (tapegrad, torch):
        x = lib.ones(70000, 2, dtype=getattr(lib, dtype)) * 0.5
        assert x[:4096].sum(0).tolist() == [2048.0, 2048.0]
        assert x.mean(0).tolist() == [0.5, 0.5]
        assert (x[:4096, 0] @ x[:4096, 1]).item() == 1024.0


def test_result_type_and_casts():
    for a in DTYPES:
        for b in DTYPES:
            for first in ("tensor", "0-d"):
                for second in ("tensor", "0-d"):
                    found = [
                        str(lib.result_type(operand(lib, a, first, 0), operand(lib, b, second, 1))).rpartition(".")[2]
                        for lib in (tapegrad, torch)
                    ]
                    assert found[0] == found[1].replace("complex32", found[0]), (a, first, b, second)
            for question in ("can_cast", "promote_types"):
                ours, theirs = (
                    str(getattr(lib, question)(getattr(lib, a), getattr(lib, b))).rpartition(".")[2]
                    for lib in (tapegrad, torch)
                )
                assert ours == theirs.replace("complex32", ours), (question, a, b)


def test_in_place_types():
    """A write keeps the type of its target, or is refused."""
    for name in ("add_", "sub_", "mul_", "div_", "pow_", "floor_divide_", "copy_"):
        for a in DTYPES:
            for b in DTYPES:
                if name == "copy_" or not ({a, b} & {"bool"} or "complex64" in (a, b) or "complex128" in (a, b)):
                    agree(
                        lambda lib: getattr(operand(lib, a, "tensor", 1), name)(operand(lib, b, "tensor", 1)),
                        (name, a, b),
                    )


@pytest.mark.parametrize("default", ["float64", "float16", "bfloat16"])
def test_default_dtype(default):
    def types(lib):
        found = [
            lib.tensor(1.0), lib.tensor([1.0, 2]), lib.zeros(2), lib.tensor([1, 2]) / 2, lib.tensor([1, 2]) * 1.5,
            lib.arange(1.0), lib.full((2,), 1.5), lib.tensor([1]).exp(), lib.Tensor([1]),
            lib.tensor([1.0], dtype=lib.float32) * 2.0, lib.linspace(0, 1, 3), lib.eye(2), lib.tensor([]),
        ]  # fmt: skip
        return [str(x.dtype).rpartition(".")[2] for x in found]

    answers = []
    for lib in (tapegrad, torch):
        lib.set_default_dtype(getattr(lib, default))
        try:
            answers.append(types(lib))
        finally:
            lib.set_default_dtype(lib.float32)
    assert answers[0] == answers[1]


def test_default_complex_dtype():
    for lib in (tapegrad, torch):
        assert lib.tensor(1j).dtype is lib.complex64
        lib.set_default_dtype(lib.float64)
        try:
            assert lib.tensor([1j, 1]).dtype is lib.complex128
        finally:
            lib.set_default_dtype(lib.float32)


def test_limits():
    for name in DTYPES:
        ours, theirs = getattr(tapegrad, name), getattr(torch, name)
        kind = "finfo" if theirs.is_floating_point or theirs.is_complex else "iinfo"
        if name == "bool":
            with pytest.raises(TypeError):
                tapegrad.iinfo(ours)
            continue
        assert repr(getattr(tapegrad, kind)(ours)) == repr(getattr(torch, kind)(theirs))
        assert (ours.itemsize, ours.is_signed) == (theirs.itemsize, theirs.is_signed)
        if name in ("bfloat16", "float32", "float64", "complex64", "complex128"):
            assert str(ours.to_complex()).rpartition(".")[2] == str(theirs.to_complex()).rpartition(".")[2]


def test_integer_division():
    a, b = [-7, 7, -7, 7, 0, 2**62 + 1], [2, -2, -2, 2, 5, 3]
    for function in (
        lambda lib: lib.tensor(a) // lib.tensor(b), lambda lib: lib.tensor(a) % lib.tensor(b),
        lambda lib: lib.fmod(lib.tensor(a), lib.tensor(b)), lambda lib: lib.tensor(a) // 2,
        lambda lib: lib.div(lib.tensor(a), lib.tensor(b), rounding_mode="trunc"),
        lambda lib: lib.div(lib.tensor(a), lib.tensor(b), rounding_mode="floor"),
        lambda lib: lib.tensor([-3, -1, 0, 1, 2]) ** lib.tensor([-1, -3, 2, -5, -1]),
        lambda lib: lib.tensor(3) ** 4, lambda lib: lib.tensor([2, 3]) ** 0.5,
    ):  # fmt: skip
        ours, theirs = function(tapegrad), function(torch)
        assert ours.tolist() == theirs.tolist()
        assert str(ours.dtype).rpartition(".")[2] == str(theirs.dtype).rpartition(".")[2]
    for lib in (tapegrad, torch):
        for refused in (
            lambda lib: lib.tensor([1]) // 0, lambda lib: lib.tensor([1]) % 0, lambda lib: lib.fmod(lib.tensor([1]), 0),
            lambda lib: lib.tensor([2]) ** -1, lambda lib: lib.tensor([1]).div_(2), lambda lib: -lib.tensor([True]),
            lambda lib: lib.tensor([True]) - lib.tensor([True]), lambda lib: lib.tensor([1]).add_(1.5),
        ):  # fmt: skip
            with pytest.raises(RuntimeError):
                refused(lib)
