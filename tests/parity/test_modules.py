"""Every module of PyTorch's own module database: built, printed, saved, run and differentiated by both libraries.

One test a module and backend (Numba in float32, NumPy in float64) runs up to ten of its samples in training and in
evaluation, and two in float16 and bfloat16; all of them with ``TAPEGRAD_ALL_SAMPLES=1`` in the environment. What falls
short stands in ``SHORTFALLS``, with the reason; a module in it that passes fails the test, so that the table stays
exact.
"""

from __future__ import annotations

import copy
import os
import warnings

import numpy as np
import pytest

import tapegrad as tg

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_modules import module_db

HALF = {torch.float16: 0.01, torch.bfloat16: 0.05}  # how far results in these types may lie apart
MODULES = {info.name: info for info in module_db}

# These PyTorch 2.13 does not compute in float16 and bfloat16 on the CPU; ours does.
NO_HALF_THERE = {
    "nn.AvgPool3d", "nn.CTCLoss", "nn.LPPool3d", "nn.LocalResponseNorm", "nn.MultiLabelMarginLoss",
    "nn.MultiMarginLoss",
}  # fmt: skip

# Modules of the database that fall short, and why.
SHORTFALLS: dict[str, str] = {}


def translated(value, shared=None):
    """A value of PyTorch's as ours: tensors, modules, functions, dtypes, and containers of them."""
    shared = {} if shared is None else shared
    if id(value) in shared:
        return shared[id(value)]
    if isinstance(value, torch.Tensor):
        numbers = value.detach().float() if value.dtype in HALF else value.detach()  # NumPy has no bfloat16
        made = tg.tensor(numbers.numpy().copy()).to(translated(value.dtype)).requires_grad_(value.requires_grad)
    elif isinstance(value, torch.nn.Module):
        made = module_of(value)
    elif isinstance(value, torch.dtype):
        made = getattr(tg, str(value).removeprefix("torch."))
    elif isinstance(value, torch.device):
        made = str(value)
    elif isinstance(value, (tuple, list)):
        made = type(value)([translated(v, shared) for v in value])
    elif isinstance(value, dict):
        made = {k: translated(v, shared) for k, v in value.items()}
    elif callable(value):
        made = getattr(tg.nn.functional, value.__name__, value)
    else:
        return value
    shared[id(value)] = made
    return made


def module_of(theirs):
    """An encoder layer of ours with the sizes and parameters of one of PyTorch's."""
    assert isinstance(theirs, torch.nn.TransformerEncoderLayer)
    width, heads = theirs.self_attn.embed_dim, theirs.self_attn.num_heads
    made = tg.nn.TransformerEncoderLayer(
        width, heads, theirs.linear1.out_features, theirs.dropout.p, batch_first=theirs.self_attn.batch_first,
        norm_first=theirs.norm_first, bias=theirs.linear1.bias is not None, activation=translated(theirs.activation),
        dtype=translated(theirs.linear1.weight.dtype),
    )  # fmt: skip
    made.load_state_dict({k: translated(v) for k, v in theirs.state_dict().items()})
    return made


def leaves(value):
    """The tensors in what a module gave, in order."""
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in leaves(part)]
    return [value] if isinstance(value, (tg.Tensor, torch.Tensor)) else []


def near(ours, theirs, what, tol):
    assert tuple(ours.shape) == tuple(theirs.shape), f"{what}: shape {ours.shape}, not {theirs.shape}"
    assert name_of(ours.dtype) == name_of(theirs.dtype), f"{what}: type {ours.dtype}, not {theirs.dtype}"
    most = tol
    if theirs.dtype in HALF:
        ours, theirs = ours.float(), theirs.float()
        most = tol * max(1.0, float(theirs.abs().nan_to_num().max()) if theirs.numel() else 1.0)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=tol, atol=most, err_msg=what)


def name_of(dtype):
    return str(dtype).split(".")[1]


def printed(module):
    return repr(module).replace("tapegrad.", "torch.")


def same_state(ours, theirs, what, tol):
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other), f"{what}: keys {list(mine)}, not {list(other)}"
    for key in other:
        near(mine[key], other[key], f"{what} {key}", tol)


def backward(lib, outputs, inputs, module):
    """Gradients of all inputs that want one, and of the parameters, of a weighted sum of the outputs."""
    total = 0
    for out in leaves(outputs):
        if out.requires_grad:
            weights = np.cos(np.arange(out.numel())).reshape(tuple(out.shape))
            total = total + (out * lib.tensor(weights).to(out.dtype)).sum()
    if not isinstance(total, lib.Tensor):
        return []
    total.backward()
    return [x.grad for x in (*inputs, *module.parameters())]


def run_sample(info, sample, dtype, training, tol):
    """One sample, by both libraries; every assertion names what differs."""
    cls, ours_cls = info.module_cls, getattr(tg.nn, info.module_cls.__name__)
    build, call = sample.constructor_input, sample.forward_input
    made = []
    for lib, kind, convert in ((torch, cls, copy.deepcopy), (tg, ours_cls, translated)):
        args, kwargs = convert(build.args), convert(build.kwargs)
        lib.manual_seed(7)
        module = kind(*args, **kwargs).to(getattr(lib, str(dtype).split(".")[1]))
        made.append(module.train(training))
    theirs, ours = made
    assert printed(ours) == printed(theirs)
    if call is None:
        return
    lazy = info.is_lazy
    if not lazy:
        same_state(ours, theirs, "drawn", 1e-6)
    results = []
    shared = {}
    for lib, module, args, kwargs in (
        (torch, theirs, call.args, call.kwargs),
        (tg, ours, translated(call.args, shared), translated(call.kwargs, shared)),
    ):
        lib.manual_seed(11)
        inputs = [x for x in leaves([args, list(kwargs.values())]) if x.requires_grad]
        for x in inputs:
            x.retain_grad()  # some of PyTorch's samples are results
        out = module(*args, **kwargs)
        results.append((out, backward(lib, out, inputs, module)))
    (their_out, their_grads), (our_out, our_grads) = results
    assert printed(ours) == printed(theirs)
    assert len(leaves(our_out)) == len(leaves(their_out))
    for i, (a, b) in enumerate(zip(leaves(our_out), leaves(their_out), strict=True)):
        near(a, b, f"output {i}", tol)
        assert a.requires_grad == b.requires_grad, f"output {i}: requires_grad {a.requires_grad}"
    assert len(our_grads) == len(their_grads)
    for i, (a, b) in enumerate(zip(our_grads, their_grads, strict=True)):
        assert (a is None) == (b is None), f"gradient {i}: {a}, not {b}"
        if b is not None:
            near(a, b, f"gradient {i}", 10 * tol)
    same_state(ours, theirs, "after a step", tol if not lazy else max(tol, 1e-6))
    loaded(ours_cls, build, theirs, call, their_out)


def loaded(cls, build, theirs, call, expected):
    """A state_dict that PyTorch wrote, loaded into a fresh module of ours: the same state again."""
    tg.manual_seed(99)
    fresh = cls(*translated(build.args), **translated(build.kwargs))
    fresh.to(next((translated(v.dtype) for v in theirs.state_dict().values() if v.is_floating_point()), tg.float32))
    keys = fresh.load_state_dict({k: translated(v) for k, v in theirs.state_dict().items()})
    assert str(keys) == "<All keys matched successfully>"
    same_state(fresh, theirs, "loaded", 0)


def chosen(samples, differ):
    """Samples with their numbers: all of them where asked for, else a few that lie evenly among them."""
    several = list(enumerate(samples))
    most = len(several) if os.environ.get("TAPEGRAD_ALL_SAMPLES") else 10 if differ else 3
    return [several[i * len(several) // most] for i in range(most)] if len(several) > most else several


def problems(name, dtype, most=None):
    """What is wrong with a module: a list of lines, empty where all is as in PyTorch."""
    info, found = MODULES[name], []
    tol = HALF.get(dtype, 2e-5 if dtype is torch.float32 else 1e-9)
    for training in (True, False):
        torch.manual_seed(5)
        samples = info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=True, training=training)
        for i, sample in chosen(samples, training or info.train_and_eval_differ)[:most]:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    run_sample(info, sample, dtype, training, tol)
            except Exception as error:
                where = f"{'train' if training else 'eval'} sample {i} {sample.desc}"
                found.append(f"{where}: {type(error).__name__}: {error}")
    return found


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", MODULES)
def test_module(name, backend):
    with tg.backends.use(backend):
        found = problems(name, torch.float32 if backend == "numba" else torch.float64)
    if name in SHORTFALLS:
        assert found, f"{name} passes: take it out of SHORTFALLS"
    else:
        assert not found, "\n".join(found[:4])


@pytest.mark.parametrize("dtype", HALF, ids=name_of)
@pytest.mark.parametrize("name", MODULES)
def test_half_precision(name, dtype):
    found = problems(name, dtype, None if os.environ.get("TAPEGRAD_ALL_SAMPLES") else 2)
    ours = [line for line in found if "not implemented for 'Half'" not in line.replace("BFloat16", "Half")]
    assert not ours, "\n".join(ours[:4])
    assert bool(found) == (name in NO_HALF_THERE)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_ctc_in_half_precision(dtype):
    def slope(lib, kind):
        x = lib.arange(128.0).sin().reshape(8, 2, 8).to(kind).requires_grad_()
        targets = lib.tensor([[1, 2], [3, 3]])
        lib.nn.functional.ctc_loss(x.log_softmax(-1), targets, [8, 8], [2, 2]).backward()
        return x.grad.float().numpy()

    np.testing.assert_allclose(slope(tg, getattr(tg, dtype)), slope(torch, torch.float32), 0.05, 0.01)
