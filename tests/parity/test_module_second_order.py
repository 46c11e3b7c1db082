"""Second derivatives of every module of PyTorch's own module database, with respect to inputs and parameters.

One test a module runs up to four of its samples, in training and in evaluation where they differ, in float64.
``TAPEGRAD_ALL_SAMPLES=1`` in the environment runs all. Where PyTorch has no second derivative, ours are compared with
finite differences of the first.
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

from .test_modules import MODULES, leaves, translated  # noqa: E402

# Of these PyTorch 2.13 has no second derivative on the CPU.
NONE_THERE = frozenset({"nn.CTCLoss", "nn.MultiLabelMarginLoss", "nn.MultiMarginLoss"})


def built(lib, info, sample, training):
    """The module of a sample and its arguments, in float64."""
    convert = copy.deepcopy if lib is torch else translated
    lib.manual_seed(7)
    kind = info.module_cls if lib is torch else getattr(tg.nn, info.module_cls.__name__)
    module = kind(*convert(sample.constructor_input.args), **convert(sample.constructor_input.kwargs))
    given = sample.forward_input
    args, kwargs = (given.args, given.kwargs) if lib is torch else translated((given.args, given.kwargs))
    return module.to(lib.float64).train(training), args, kwargs


def bent(lib, outputs):
    """A number made of all outputs, not linear in any."""
    total = 0.0
    for out in leaves(outputs):
        if out.requires_grad:
            weights = lib.arange(1.0, out.numel() + 1, dtype=lib.float64).cos().reshape(out.shape)
            total = total + (weights * out + 0.5 * out * out).sum()
    return total


def orders(lib, info, sample, training):
    """The first and second derivatives by all inputs and parameters; zeros where there are none."""
    module, args, kwargs = built(lib, info, sample, training)
    given = [x for x in leaves([args, list(kwargs.values())]) if x.requires_grad]
    lib.manual_seed(11)
    total = bent(lib, module(*args, **kwargs))
    given += module.parameters()  # now that a lazy one has them
    if not isinstance(total, lib.Tensor) or not given:
        return [], []
    first = lib.autograd.grad(total, given, create_graph=True, allow_unused=True, materialize_grads=True)
    slope = bent(lib, first)
    if not isinstance(slope, lib.Tensor):
        return list(first), []
    return list(first), list(lib.autograd.grad(slope, given, allow_unused=True, materialize_grads=True))


def near(ours, theirs, what):
    assert len(ours) == len(theirs), f"{what}: {len(ours)} of them, not {len(theirs)}"
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        a, b = a.detach().numpy(), b.detach().numpy()
        np.testing.assert_allclose(
            a, b, rtol=1e-7, atol=1e-8 * max(1.0, np.abs(b).max(initial=0.0)), err_msg=f"{what} {i}"
        )


def problems(name):
    """What is wrong with a module: a list of lines, empty where all is well."""
    info, found = MODULES[name], []
    for training in (True, False) if info.train_and_eval_differ else (True,):
        torch.manual_seed(5)
        samples = info.module_inputs_func(
            info, device="cpu", dtype=torch.float64, requires_grad=True, training=training
        )
        samples = [s for s in samples if s.forward_input is not None]
        most = len(samples) if os.environ.get("TAPEGRAD_ALL_SAMPLES") else 4
        for sample in [samples[i * len(samples) // most] for i in range(most)] if len(samples) > most else samples:
            try:
                (by_differences if name in NONE_THERE else by_pytorch)(info, sample, training)
            except AssertionError as error:
                found.append(f"{'train' if training else 'eval'} {sample.desc}: {error}")
    return found


def by_pytorch(info, sample, training):
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):  # the one that can be differentiated twice
        theirs = orders(torch, info, sample, training)
    for what, a, b in zip(("first", "second"), orders(tg, info, sample, training), theirs, strict=True):
        near(a, b, what)


def by_differences(info, sample, training):
    module, args, kwargs = built(tg, info, sample, training)
    x, step = args[0].detach(), 1e-6
    direction = tg.arange(1.0, x.numel() + 1, dtype=tg.float64).sin().reshape(x.shape)

    def slope(t):
        moved = (x + t * direction).requires_grad_()
        given = moved.log_softmax(-1) if info.name == "nn.CTCLoss" else moved  # through which alone its gradient is one
        total = bent(tg, module(given, *args[1:], **kwargs))
        return bent(tg, tg.autograd.grad(total, moved, create_graph=True)), moved

    here, at = slope(0.0)
    found = (tg.autograd.grad(here, at)[0] * direction).sum().item()
    difference = (slope(step)[0] - slope(-step)[0]).item() / (2 * step)
    assert found == pytest.approx(difference, rel=1e-5, abs=1e-5)
    with pytest.raises(RuntimeError, match="derivative for"):
        orders(torch, info, sample, training)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", MODULES)
def test_module(name, backend):
    with tg.backends.use(backend), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = problems(name)
    assert not found, "\n".join(found[:4])
