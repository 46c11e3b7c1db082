"""Mixed precision against PyTorch: the type of every operator's result, training, `Function`, the scaler."""

import os
import threading
import warnings

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.nn.amp import lists

pytestmark = pytest.mark.parity
torch = pytest.importorskip("torch")
database = pytest.importorskip("torch.testing._internal.common_methods_invocations")

LISTED = {n.rpartition(".")[2] for names in (lists.LOW, lists.WIDE, lists.PROMOTED, lists.PLAIN) for n in names}
# Others that have products within, or of which one form is on a list; TAPEGRAD_DATABASE=all adds everything else
COMPOSED = (
    "corrcoef",
    "cov",
    "einsum",
    "inner",
    "kron",
    "multi_dot",
    "multi_head_attention_forward",
    "norm",
    "pca_lowrank",
    "pinv",
    "constant_pad_nd",
    "functional.pad",
    "softmax",
    "svd_lowrank",
    "tensordot",
    "outer",
    "batch_norm",
    "add",
)

# Operators whose result has another type than PyTorch's, and why.
OTHERWISE = {"linalg.pinv": "PyTorch's ends in a product, and gives bfloat16"}


def ours(value):
    if isinstance(value, torch.Tensor):
        array = value.detach()
        made = tg.tensor((array.float() if array.dtype == torch.bfloat16 else array).numpy())
        return made.to(tg.bfloat16) if array.dtype == torch.bfloat16 else made
    if isinstance(value, torch.dtype):
        return getattr(tg, str(value).split(".")[1])
    if isinstance(value, dict):
        return {k: ours(v) for k, v in value.items()}
    return type(value)(ours(v) for v in value) if type(value) in (list, tuple) else value


def kinds(value):
    if isinstance(value, (tuple, list)):
        return [kinds(v) for v in value]
    return str(value.dtype).split(".")[-1] if hasattr(value, "dtype") else None


def function_of(name):
    owner = tg
    for part in name.split("."):
        owner = getattr(owner, part, None)
        if owner is None:
            return None
    return owner


def operators():
    for op in database.op_db:
        name = op.name.removeprefix("_refs.")
        if op.variant_test_name or name.startswith(("jiterator", "sparse", "torch.ops")) or op.op is None:
            continue
        on_lists = any(name.endswith(word) for word in (*LISTED, *COMPOSED))
        if not (on_lists or os.environ.get("TAPEGRAD_DATABASE") == "all"):
            continue
        yield pytest.param(op, id=op.name)


@pytest.mark.parametrize("kind", ["float32", "bfloat16"])
@pytest.mark.parametrize("op", list(operators()))
def test_type_of_the_result(op, kind):
    function = function_of(op.name)
    kinds_there = getattr(torch, kind)
    if function is None or kinds_there not in op.supported_dtypes("cpu"):
        pytest.skip("not in both")
    try:
        sample = next(iter(op.sample_inputs("cpu", kinds_there)))
        plain = kinds(op(sample.input, *sample.args, **sample.kwargs))
        with torch.autocast("cpu", torch.bfloat16):
            want = kinds(op(sample.input, *sample.args, **sample.kwargs))
    except Exception as error:
        pytest.skip(f"PyTorch: {error}")
    given = [ours(v) for v in (sample.input, *sample.args)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            here = kinds(function(*given, **ours(sample.kwargs)))
    except Exception as error:
        pytest.skip(f"without autocast: {error}")
    if here != plain:
        pytest.skip("another type without autocast too")
    with tg.autocast("cpu", tg.bfloat16), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        got = kinds(function(*given, **ours(sample.kwargs)))
    if op.name in OTHERWISE and kind == "float32":
        assert got != want, f"{op.name} is in OTHERWISE, and alike"
    else:
        assert got == want


def network(lib):
    lib.manual_seed(0)
    nn = lib.nn
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 16),
        nn.LayerNorm(16), nn.GELU(), nn.Dropout(0.0), nn.Linear(16, 3),
    )  # fmt: skip


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_training(backend):
    def run(lib):
        model = network(lib)
        x, y = lib.randn(12, 1, 8, 8), lib.randint(0, 3, (12,))
        optimizer = lib.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        losses = []
        for _ in range(8):
            optimizer.zero_grad()
            with lib.autocast("cpu", dtype=lib.bfloat16):
                out = model(x)
                loss = lib.nn.functional.cross_entropy(out, y)
            assert (out.dtype, loss.dtype) == (lib.bfloat16, lib.float32)
            loss.backward()
            assert {p.grad.dtype for p in model.parameters()} == {lib.float32}
            optimizer.step()
            losses.append(loss.item())
        return losses

    with tg.backends.use(backend):
        got = run(tg)
    want = run(torch)
    np.testing.assert_allclose(got, want, atol=0.03)
    assert got[-1] < got[0] / 4


@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell", "attention", "encoder"])
def test_layers(name):
    def run(lib):
        lib.manual_seed(1)
        x = lib.randn(5, 2, 4)
        make = {
            "attention": lambda: lib.nn.MultiheadAttention(4, 2),
            "encoder": lambda: lib.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0),
        }.get(name, lambda: getattr(lib.nn, name)(4, 3))
        module = make()
        x = x[0] if name.endswith("Cell") else x
        with lib.autocast("cpu"):
            out = module(x, x, x) if name == "attention" else module(x)
        flat = [t for t in (out if isinstance(out, tuple) else (out,)) if t is not None]
        flat = [t for v in flat for t in (v if isinstance(v, tuple) else (v,))]
        sum(t.float().sum() for t in flat).backward()
        grads = [p.grad for p in module.parameters()]
        return [str(t.dtype).split(".")[1] for t in flat], [t.detach().float().numpy() for t in (*flat, *grads)]

    (types, values), (wanted, others) = run(tg), run(torch)
    assert types == wanted
    for a, b in zip(values, others, strict=True):
        np.testing.assert_allclose(a, b, atol=0.05, rtol=0.05)


def test_settings_and_nesting():
    def run(lib):
        said = []
        show = lambda: said.append(
            (lib.is_autocast_enabled("cpu"), lib.is_autocast_enabled(), lib.is_autocast_cache_enabled(),
             str(lib.get_autocast_dtype("cpu")).split(".")[1])
        )  # fmt: skip
        a = lib.ones(3, 3)
        product = lambda: said.append(str((a @ a).dtype).split(".")[1])
        show()
        with lib.autocast("cpu", dtype=lib.float16, cache_enabled=False):
            show()
            product()
            with lib.autocast("cpu", enabled=False):
                show()
                product()
                with lib.autocast("cpu", lib.bfloat16):
                    show()
                    product()
            product()
            thread = threading.Thread(target=lambda: (show(), product()))
            thread.start()
            thread.join()
        show()
        product()

        @lib.autocast("cpu")
        def decorated():
            product()

        decorated()
        with lib.amp.autocast("cpu"), pytest.raises(KeyError), lib.amp.autocast("cpu"):
            raise KeyError
        product()
        with lib.autocast("cpu"):
            out = lib.ones(3, 3)
            said.append(lib.matmul(a, a, out=out).dtype == lib.float32)
            said.append((a.double() @ a.double()).dtype == lib.float64)
            said.append((a.long() @ a.long()).dtype == lib.int64)
            said.append((a @ a.bfloat16()).dtype == lib.bfloat16)
            said.append(a.clone().addmm_(a, a).dtype == lib.float32)
            said.append(lib.cat([a, a.bfloat16()]).dtype == lib.float32)
            said.append((a + a.bfloat16()).dtype == lib.float32)
            said.append(lib.nn.functional.softmax(a.bfloat16(), 0).dtype == lib.bfloat16)
        for attempt in (lambda: lib.autocast(3), lambda: lib.autocast("toaster"), lambda: lib.autocast("cpu")(3)):
            with pytest.raises((ValueError, RuntimeError, TypeError)) as error:
                attempt()
            said.append(error.type)
        return said

    assert run(tg) == run(torch)


def test_parameters_are_cast_once():
    w, x = tg.ones(3, 3, requires_grad=True), tg.ones(3, 3)
    with tg.autocast("cpu"):
        with tg.no_grad():
            x @ w
        a, b = x @ w, x @ w
    assert a.grad_fn.next_functions[1][0] is b.grad_fn.next_functions[1][0]
    (a.sum() + b.sum()).backward()
    assert w.grad.tolist() == [[6.0] * 3] * 3
    with tg.autocast("cpu", cache_enabled=False):
        a, b = x @ w, x @ w
    assert a.grad_fn.next_functions[1][0] is not b.grad_fn.next_functions[1][0]


def test_functions_are_themselves_while_autocast_is_off():
    from tapegrad.nn.amp import casting

    listed = casting._exchanges()
    assert len(listed) > 80
    with tg.autocast("cpu"):
        assert all(f.__code__ is under for f, under, _ in listed)
        with tg.autocast("cpu", enabled=False):
            assert all(f.__code__ is own for f, _, own in listed)
    assert all(f.__code__ is own for f, _, own in listed)
    assert not casting.ACTIVE


def test_functions_of_ones_own():
    def run(lib):
        said = []
        amp = lib.amp

        class Product(lib.autograd.Function):
            @staticmethod
            @amp.custom_fwd(device_type="cpu")
            def forward(ctx, a, b):
                ctx.save_for_backward(a, b)
                said.append((lib.is_autocast_enabled("cpu"), (a @ b).dtype == lib.bfloat16))
                return a @ b

            @staticmethod
            @amp.custom_bwd(device_type="cpu")
            def backward(ctx, g):
                a, b = ctx.saved_tensors
                said.append((lib.is_autocast_enabled("cpu"), (a @ b).dtype == lib.bfloat16))
                return g.float() @ b.T, a.T @ g.float()

        class Wide(lib.autograd.Function):
            @staticmethod
            @amp.custom_fwd(device_type="cpu", cast_inputs=lib.float32)
            def forward(ctx, a):
                said.append((lib.is_autocast_enabled("cpu"), a.dtype == lib.float32))
                return a * 2

            @staticmethod
            @amp.custom_bwd(device_type="cpu")
            def backward(ctx, g):
                said.append(lib.is_autocast_enabled("cpu"))
                return g * 2

        a, b = lib.ones(2, 2, requires_grad=True), lib.ones(2, 2, requires_grad=True)
        with lib.autocast("cpu"):
            out = Product.apply(a, b)
            wide = Wide.apply(a.bfloat16())
        (out.float().sum() + wide.sum()).backward()
        Product.apply(a, b).sum().backward()
        return said, a.grad.numpy().tolist()

    assert run(tg) == run(torch)


def test_scaler():
    def run(lib):
        w = lib.full((3,), 2.0, requires_grad=True)
        optimizer = lib.optim.SGD([w], lr=0.01, momentum=0.5)
        scaler = lib.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=3)
        rows = []
        for n in range(12):
            optimizer.zero_grad()
            factor = float("inf") if n in (4, 9) else 1.0
            loss = (w * w).sum() * factor
            scaler.scale(loss).backward()
            if n % 2:
                scaler.unscale_(optimizer)
                rows.append(w.grad.numpy().copy())
            scaler.step(optimizer)
            scaler.update()
            rows.append(w.detach().numpy().copy())
            rows.append(np.array([scaler.get_scale(), scaler.state_dict()["_growth_tracker"]]))
        scaler.update(64.0)
        other = lib.amp.GradScaler("cpu")
        other.load_state_dict(scaler.state_dict())
        assert other.state_dict() == scaler.state_dict()
        many = scaler.scale([w, (w, w)])
        rows += [many[0].detach().numpy(), many[1][1].detach().numpy(), np.array(sorted(scaler.state_dict().values()))]
        return rows

    for got, want in zip(run(tg), run(torch), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_scaler_refuses():
    def run(lib):
        w = lib.ones(2, requires_grad=True)
        optimizer = lib.optim.SGD([w], lr=0.1)
        scaler = lib.amp.GradScaler("cpu")
        found = []

        def attempt(run):
            with pytest.raises((AssertionError, RuntimeError, ValueError)) as error:
                run()
            found.append((error.type, str(error.value)[:30]))

        attempt(lambda: scaler.step(optimizer))
        attempt(lambda: scaler.unscale_(optimizer))
        attempt(lambda: scaler.update())
        scaler.scale(w.sum()).backward()
        attempt(lambda: scaler.update())
        attempt(lambda: scaler.step(optimizer, closure=lambda: 0))
        scaler.unscale_(optimizer)
        attempt(lambda: scaler.unscale_(optimizer))
        scaler.step(optimizer)
        attempt(lambda: scaler.step(optimizer))
        attempt(lambda: scaler.unscale_(optimizer))
        attempt(lambda: scaler.load_state_dict({}))
        attempt(lambda: lib.amp.GradScaler("cpu", growth_factor=1.0))
        attempt(lambda: lib.amp.GradScaler("cpu", backoff_factor=1.0))
        attempt(lambda: scaler.scale(3))
        half = lib.ones(2, dtype=lib.float16, requires_grad=True)
        halves = lib.optim.SGD([half], lr=0.1)
        scaler.update()
        scaler.scale(half.sum()).backward()
        attempt(lambda: scaler.unscale_(halves))
        return found

    assert run(tg) == run(torch)


@pytest.mark.skipif(tg.cuda.is_available() or torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_cuda():
    def heard(run):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            value = run()
        assert all(w.filename == __file__ for w in said) or value[0] is torch
        return [(w.category, str(w.message).replace("torch.", "")[:21]) for w in said], value[1:]

    def run(lib):
        def scaler(make):
            made = make()
            w = lib.ones(1, requires_grad=True)
            optimizer = lib.optim.SGD([w], lr=0.1)
            made.scale(w.sum()).backward()
            made.unscale_(optimizer)
            made.step(optimizer)
            made.update()
            return lib, made.is_enabled(), made.get_scale(), made.state_dict(), w.item()

        def block(make):
            with make():
                return lib, str((lib.ones(2, 2) @ lib.ones(2, 2)).dtype).split(".")[1], lib.is_autocast_enabled()

        return [
            heard(lambda: scaler(lib.amp.GradScaler)),
            heard(lambda: scaler(lib.cuda.amp.GradScaler)),
            heard(lambda: scaler(lambda: lib.amp.GradScaler(enabled=False))),
            heard(lambda: block(lambda: lib.autocast("cuda"))),
            heard(lambda: block(lib.cuda.amp.autocast)),
            heard(lambda: block(lambda: lib.autocast("cpu", dtype=lib.float32))),
            heard(lambda: block(lambda: lib.autocast("cuda", enabled=False))),
        ]

    assert run(tg) == run(torch)
