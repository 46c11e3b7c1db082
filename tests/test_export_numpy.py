"""The exported script: run without tapegrad, it gives the same value and the same gradients."""

import os
import subprocess
import sys

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.autograd import RULES, P, export_numpy
from tapegrad.autograd.export.helpers import HELPERS, needed
from tapegrad.autograd.export.templates import TEMPLATES
from tapegrad.autograd.tensor import wrap
from tapegrad.testing.conformance.running import attributes, differentiates, map_arrays, place, wanting
from tapegrad.testing.conformance.samples import SAMPLES

F = tg.nn.functional
ALONE = "import runpy, sys; sys.modules['tapegrad'] = None; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], "
ALONE += "run_name='__main__')"


def run(text, folder, *inputs):
    """What the script writes, in a process that cannot import tapegrad."""
    script, results = folder / "script.py", folder / "results.npz"
    script.write_text(text, encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ALONE, str(script), *map(str, inputs), str(results)],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + text
    assert "gradient of" in done.stdout
    with np.load(results) as found:
        return dict(found)


def check(fn, args, folder, leaves, tolerance=1e-6, **options):
    """Compare the script's numbers with those of backward; ``leaves`` are the tensors by the script's names."""
    text = export_numpy(fn, *args, **options)
    assert "tapegrad" not in text.split('"""', 2)[2]
    found = run(text, folder, *options.values())
    fresh = [a.detach().clone().requires_grad_(a.dtype.is_floating_point or a.is_complex()) for a in args]
    for p in leaves.values():
        p.grad = None
    loss = fn(*fresh)
    loss.backward()
    np.testing.assert_allclose(found.pop("value"), loss.detach().numpy(), rtol=tolerance, atol=tolerance)
    wanted = {name: p.grad for name, p in leaves.items()}
    wanted |= {n: a.grad for n, a in zip(names_of(fn), fresh) if isinstance(a, tg.Tensor) and a.requires_grad}
    assert set(found) == set(wanted)
    for name, g in wanted.items():
        assert found[name].shape == tuple(g.shape)
        assert found[name].dtype == g.numpy().dtype
        np.testing.assert_allclose(found[name], g.numpy(), rtol=tolerance, atol=tolerance, err_msg=name)
    return text


def names_of(fn):
    code = getattr(fn, "forward", fn).__code__
    return [n for n in code.co_varnames[: code.co_argcount] if n != "self"]


def parameters(model, prefix=""):
    return {prefix + n.replace(".", "_"): p for n, p in model.named_parameters()}


class Classifier(tg.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = tg.nn.Linear(4, 8), tg.nn.Linear(8, 3)

    def forward(self, pixels, labels):
        return F.cross_entropy(self.out(self.hidden(pixels).relu()), labels)


def test_mlp(tmp_path):
    tg.manual_seed(0)
    model = Classifier()
    text = check(model, [tg.randn(6, 4), tg.randint(0, 3, (6,))], tmp_path, parameters(model))
    for line in ("d_hidden_weight = ", "d_pixels = ", "pixels @ hidden_weight.T", "# [6, 8]", "def softmax("):
        assert line in text
    for helper in ("erf", "gelu", "unslice"):
        assert f"def {helper}(" not in text


def convolution(x, weight, bias):
    """(N, C, H, W) with (O, C, K, K), no padding, as a matrix product over windows."""
    size = weight.shape[-1]
    seen = x.unfold(2, size, 1).unfold(3, size, 1)  # N C H' W' K K
    n, c, high, wide = seen.shape[:4]
    columns = seen.permute(0, 2, 3, 1, 4, 5).reshape(n * high * wide, c * size * size)
    out = columns @ weight.reshape(weight.shape[0], -1).T + bias
    return out.reshape(n, high, wide, -1).permute(0, 3, 1, 2)


def test_cnn(tmp_path):
    tg.manual_seed(1)
    w1, b1 = tg.randn(4, 1, 3, 3) * 0.3, tg.randn(4)
    w2, b2 = tg.randn(3, 4, 3, 3) * 0.3, tg.randn(3)
    head = tg.randn(3, 3)
    labels = tg.tensor([0, 2])

    def network(images, w1, b1, w2, b2, head):
        h = convolution(F.pad(images, (1, 1, 1, 1)), w1, b1).relu()
        h = h.reshape(2, 4, 4, 2, 4, 2).amax((3, 5))  # pooling
        h = convolution(h, w2, b2).tanh().mean((2, 3))
        return F.cross_entropy(h @ head, labels)

    text = check(network, [tg.randn(2, 1, 8, 8), w1, b1, w2, b2, head], tmp_path, {})
    assert "labels = np.array([0, 2], np.int64)" in text
    assert "np.pad(images" in text


def test_lstm_cell(tmp_path):
    tg.manual_seed(2)

    def cell(x, h, c, w_ih, w_hh, bias):
        total = 0.0
        for t in range(3):
            i, f, g, o = (x[t] @ w_ih + h @ w_hh + bias).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            total = total + (h * h).mean()
        return total

    size = 5
    args = [tg.randn(3, 2, 4), tg.randn(2, size), tg.randn(2, size), tg.randn(4, 4 * size) / 3]
    args += [tg.randn(size, 4 * size) / 3, tg.randn(4 * size)]
    text = check(cell, args, tmp_path, {})
    assert "d_w_hh = d_w_hh + d_w_hh_2" in text


def test_large_inputs_are_read_from_a_file(tmp_path):
    tg.manual_seed(3)
    model = tg.nn.Sequential(tg.nn.Linear(50, 40), tg.nn.Tanh(), tg.nn.Linear(40, 1))

    def loss(x):
        return model(x).square().mean()

    text = check(loss, [tg.randn(30, 50)], tmp_path, parameters(model, "model_"), npz=tmp_path / "inputs.npz")
    assert 'model_0_weight = data["model_0_weight"]' in text
    assert "model_0_bias = np.array([" in text
    assert len(text) < 8000
    whole = export_numpy(loss, tg.randn(30, 50))
    assert "np.load" not in whole


def test_views_writes_in_place_and_indices(tmp_path):
    def program(x, v):
        y = x * 2
        y[1:3] = v.exp()
        y[:, 0].mul_(3)
        y.T[1] += 1
        y.view(-1)[::5].copy_(v[0, 0])
        rows = y[tg.tensor([0, 2, 2])]
        z = tg.where(rows > 0, rows, rows * 0.1).cumsum(1)
        s = z.sum()
        s += z.std()
        return s * z[0, 1] + z.softmax(1).logsumexp(0).prod() + z.sort(1)[0][:, -1].norm() + x.diagonal().sum()

    check(program, [tg.randn(4, 4).double(), tg.randn(2, 4).double()], tmp_path, {}, 1e-12)


def test_an_input_written_in_place_starts_as_it_was(tmp_path):
    def program(x, counts):
        counts.add_(1)
        return (x * counts).sum()

    text = export_numpy(program, tg.ones(2), tg.tensor([1, 2]))
    assert "counts = np.array([1, 2], np.int64)" in text
    assert run(text, tmp_path)["x"].tolist() == [2, 3]


def test_what_the_script_would_get_wrong_is_refused():
    def program(x):
        y = x * 2
        y.as_strided((2,), (2,)).fill_(1.0)
        y.data.mul_(3)
        return (y * y).sum()

    with pytest.raises(RuntimeError, match="another number than on the tape"):
        export_numpy(program, tg.ones(4))


def test_dropout_keeps_its_mask(tmp_path):
    tg.manual_seed(4)

    def program(x):
        return (F.dropout(x, 0.5, True) * x).sum()

    x = tg.randn(20)
    state = tg.get_rng_state() if hasattr(tg, "get_rng_state") else None
    text = export_numpy(program, x)
    found = run(text, tmp_path)
    if state is None:
        tg.manual_seed(4)
        tg.randn(20)
    else:
        tg.set_rng_state(state)
    fresh = x.clone().requires_grad_()
    program(fresh).backward()
    np.testing.assert_allclose(found["x"], fresh.grad.numpy(), rtol=1e-6)


class Cube(tg.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * g


def test_a_function_of_the_users(tmp_path):
    def program(x):
        return (Cube.apply(x) * x).sum()

    check(program, [tg.randn(3).double()], tmp_path, {}, 1e-12)


def test_complex_numbers(tmp_path):
    def program(x):
        return ((x * x).exp() * (2 + 1j)).abs().sum()

    check(program, [tg.randn(3, dtype=tg.complex128) / 2], tmp_path, {}, 1e-12)


@pytest.mark.parametrize("name", ["lambda", "np", "class", "softmax", "é", "x y", "value", "data"])
def test_any_name_of_a_parameter(name, tmp_path):
    class Model:
        weight = tg.ones(2, requires_grad=True)

        def named_parameters(self):
            return [(name, self.weight)]

        def __call__(self, x):
            return (self.weight * x).softmax(0)[0]

    found = run(export_numpy(Model(), tg.tensor([1.0, 2.0])), tmp_path)
    assert len(found) == 3


def test_refusals():
    x = tg.ones(2)
    with pytest.raises(RuntimeError, match="must return a single number"):
        export_numpy(lambda x: x * 2, x)
    with pytest.raises(RuntimeError, match="without history"):
        export_numpy(lambda x: x.detach().sum(), x)
    with pytest.raises(TypeError, match="must return a Tensor, not float"):
        export_numpy(lambda x: 1.0, x)
    with pytest.raises(RuntimeError, match="'x' is bfloat16"):
        export_numpy(lambda x: x.sum(), x.bfloat16())
    assert (x * 2).sum().item() == 4  # the backend is as before
    assert tg.device("cpu").backend.name == "numba"


def test_nothing_changes():
    w = tg.ones(2, requires_grad=True)
    export_numpy(lambda x: (w * x).sum(), tg.ones(2))
    assert w.grad is None


# The table


# What export_numpy does not write, and says so: see its documentation.
UNWRITTEN = frozenset(
    "cholesky cholesky_info cofactor det det_sign eig eigh fft_c2c fft_c2r fft_r2c geqrf igamma igammac inverse ldl "
    "ldl_pivots ldl_solve log_det lu lu_pivots ndtri pinv pivot_order qr_q qr_whole solve solve_triangular svd "
    "svd_rest".split()
)


def test_every_primitive_has_a_template():
    missing = set(RULES) - set(TEMPLATES)  # of an element-wise primitive the kernel tells the expression
    assert sorted(n for n in missing - UNWRITTEN if RULES[n].kind is None or RULES[n].attrs) == []
    assert sorted(set(TEMPLATES) - set(RULES)) == []
    assert sorted(UNWRITTEN - set(RULES)) == []


def test_what_is_not_written_is_refused():
    with pytest.raises(RuntimeError, match="the primitive 'cholesky' has no NumPy template"):
        export_numpy(lambda x: tg.linalg.cholesky(x).sum(), tg.eye(2))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["exp", "log10", "rsqrt", "sigmoid", "silu", "mul", "atan2", "square", "where"])
def test_without_a_template_the_kernel_tells_the_expression(name, monkeypatch):
    monkeypatch.delitem(TEMPLATES, name)
    test_templates_compute_what_the_kernels_do(name)


def test_a_kernel_that_is_no_expression_needs_a_template(monkeypatch):
    monkeypatch.delitem(TEMPLATES, "gather")
    with pytest.raises(RuntimeError, match="'gather' has no NumPy template"):
        export_numpy(lambda x: x.gather(0, tg.tensor([0])).sum(), tg.ones(3))


def test_every_helper_is_used_by_some_template():
    texts = " ".join(t if isinstance(t, str) else " ".join(map(str, t.__code__.co_consts)) for t in TEMPLATES.values())
    texts += " sigmoid( write_through( add_at( put( unslice("
    reached = needed({name for name in HELPERS if f"{name}(" in texts})
    assert len(reached) == len(HELPERS)


def tried(name, sample):
    """The sample's sum as a function, and the arrays that it is of."""
    device = tg.backends.device_of("cpu")
    raw = map_arrays(lambda a: place(a, "float64", device.backend), sample.inputs)
    flags = wanting(name, raw)
    flat = [x for part in raw for x in (part if isinstance(part, list) else [part])]
    tensors = [wrap(x, device) for x in flat if isinstance(x, np.ndarray)]
    wanted = [f for f, x in zip(flags, flat, strict=True) if isinstance(x, np.ndarray)]
    weights = np.random.default_rng(0)

    def function(*given):
        rest = iter([g if f else g.detach() for f, g in zip(wanted, given, strict=True)])
        parts = [
            [next(rest) if isinstance(x, np.ndarray) else x for x in part] if isinstance(part, list)
            else next(rest) if isinstance(part, np.ndarray) else part for part in raw
        ]  # fmt: skip
        out = getattr(P, name)(*parts, *attributes(sample, device))
        numbers = weights.normal(size=tuple(out.shape)).astype(out._array.dtype)
        made = out * wrap(numbers, device)
        return (tg.view_as_real(made) if made.is_complex() else made).sum()

    return function, tensors


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [n for n in SAMPLES if RULES[n].differentiable and n not in UNWRITTEN])
def test_templates_compute_what_the_kernels_do(name):
    """Values and gradients of every sample of every primitive, the script run in this process."""
    compared = 0
    for sample in SAMPLES[name]:
        if not differentiates(name, sample) or not sample.gradient:
            continue
        function, tensors = tried(name, sample)
        if not tensors or sum(t.numel() for t in tensors) > 5000:
            continue
        with np.errstate(all="ignore"):
            try:
                expected = [t.detach().clone().requires_grad_(t.is_floating_point() or t.is_complex()) for t in tensors]
                with tg.backends.use("numpy"):
                    loss = tried(name, sample)[0](*expected)
                    loss.backward()
            except (RuntimeError, IndexError, TypeError):
                continue  # the sample is of an error
            text = export_numpy(function, *tensors)
            space = {"__name__": "script"}
            exec(compile(text, f"<script of {name}>", "exec"), space)
        np.testing.assert_allclose(space["value"], loss.detach().numpy(), rtol=1e-6, atol=1e-9, err_msg=text)
        for k, leaf in enumerate(expected):
            if leaf.requires_grad:
                g = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy()
                found = space["gradients"][f"given_{k}"]
                np.testing.assert_allclose(found, g, rtol=1e-6, atol=1e-9, err_msg=f"{sample}\n{text}")
        compared += 1
    assert compared
