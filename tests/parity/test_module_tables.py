"""What a module holds, against PyTorch: tables written to, attributes in the place of others, copies, loading."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections import OrderedDict

import numpy as np
import pytest

import tapegrad as tg

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


def net(lib):
    class Net(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.bn, self.empty = lib.nn.Linear(3, 2), lib.nn.BatchNorm1d(2), None
            self.register_buffer("shift", lib.zeros(2))
            self.register_buffer("other", lib.ones(1), persistent=False)

        def forward(self, x):
            return self.fc(x) + self.shift

    return Net()


def after(change):
    """A case: what can be seen of a net that was changed."""

    def run(lib):
        m = net(lib)
        made = change(lib, m)
        held = [[n for n, _ in named()] for named in (m.named_parameters, m.named_buffers, m.named_children)]
        return [made, m, held, list(m.state_dict()), m(lib.ones(4, 3)) if callable(getattr(m, "fc", None)) else None]

    return run


def loaded(change, **options):
    def run(lib):
        state = net(lib).state_dict()
        change(lib, state)
        m = net(lib)
        result = m.load_state_dict(state, **options)
        return [str(result), list(result.missing_keys), list(result.unexpected_keys), *m.state_dict().values()]

    return run


def half(lib):
    return lib.nn.Parameter(lib.full((2, 3), 0.5))


def uninitialised(lib):
    class Early(lib.nn.Module):
        def __init__(self):
            self.fc = lib.nn.Linear(1, 1)

    return Early()


def seen_registrations(lib):
    table, seen = lib.nn.modules.module, []
    handles = [
        getattr(table, f"register_module_{kind}_registration_hook")(
            lambda m, name, value, kind=kind: seen.append((kind, type(m).__name__, name))
        )
        for kind in ("parameter", "buffer", "module")
    ]
    try:
        net(lib)
    finally:
        for h in handles:
            h.remove()
    net(lib)
    return seen


def replaced_block(lib):
    class Layer(lib.nn.TransformerEncoderLayer):
        def _sa_block(self, x, attn_mask, key_padding_mask, is_causal=False):
            return x * 0.5

        def _ff_block(self, x):
            return super()._ff_block(x) + 1

    return Layer(4, 2, 8, 0.0, batch_first=True)(lib.ones(1, 2, 4))


def super_init(lib):
    class Other:
        def __init__(self, **kwargs):
            self.given = kwargs

    class Both(lib.nn.Module, Other):
        call_super_init = True

        def __init__(self):
            super().__init__(a=3)

    return Both().given


def own_state(lib):
    class Kept(lib.nn.Linear):
        def __getstate__(self):
            state = super().__getstate__() if hasattr(lib.nn.Module, "__getstate__") else dict(self.__dict__)
            return {**state, "note": "copied"}

    return copy.deepcopy(Kept(2, 2)).note


def row(lib, *names):
    return lib.nn.Sequential(*[getattr(lib.nn, n)() for n in names])


CASES = {
    "submodule written": after(lambda lib, m: m._modules.update(fc=lib.nn.Linear(3, 2, bias=False))),
    "submodule set": after(lambda lib, m: m._modules.__setitem__("fc", lib.nn.Linear(3, 2))),
    "submodule popped": after(lambda lib, m: m._modules.pop("fc")),
    "parameter written": after(lambda lib, m: m.fc._parameters.__setitem__("weight", half(lib))),
    "tensor as parameter": after(lambda lib, m: m.fc._parameters.__setitem__("weight", lib.ones(2, 3))),
    "parameter deleted": after(lambda lib, m: (m.fc._parameters.pop("weight"), m.fc.weight)),
    "buffer written": after(lambda lib, m: m._buffers.__setitem__("shift", lib.ones(2))),
    "all cleared": after(lambda lib, m: (m._modules.clear(), hasattr(m, "bn"))),
    "int for a buffer": after(lambda lib, m: setattr(m, "shift", 3)),
    "int for a module": after(lambda lib, m: setattr(m, "fc", 3)),
    "tensor for a module": after(lambda lib, m: setattr(m, "fc", lib.ones(1))),
    "module for a parameter": after(lambda lib, m: setattr(m.fc, "weight", lib.nn.ReLU())),
    "tensor for a parameter": after(lambda lib, m: setattr(m.fc, "weight", lib.ones(2, 3))),
    "buffer for a parameter": after(lambda lib, m: setattr(m.fc, "weight", lib.nn.Buffer(lib.ones(2, 3)))),
    "parameter for a buffer": after(lambda lib, m: setattr(m, "shift", lib.nn.Parameter(lib.ones(2)))),
    "module for nothing": after(lambda lib, m: setattr(m, "empty", lib.nn.ReLU())),
    "nothing for a module": after(lambda lib, m: setattr(m, "fc", None)),
    "set below a parameter": after(lambda lib, m: m.set_submodule("fc.weight", lib.nn.ReLU())),
    "name no string": after(lambda lib, m: m.register_buffer(3, lib.ones(1))),
    "empty name": after(lambda lib, m: m.add_module("", lib.nn.ReLU())),
    "to integers": after(lambda lib, m: m.to(lib.int64)),
    "before init": uninitialised,
    "arguments of init": lambda lib: lib.nn.Module(3),
    "further base class": super_init,
    "registrations": seen_registrations,
    "state of one's own": own_state,
    "channels last": lambda lib: list(
        lib.nn.Sequential(lib.nn.Conv2d(3, 4, 3)).to(memory_format=lib.channels_last)[0].weight.stride()
    ),
    "copy without gradient": lambda lib: [
        (m := net(lib))(lib.ones(3, 3)).sum().backward(), [p.grad is None for p in copy.deepcopy(m).parameters()],
    ][1],
    "copy reads its own": lambda lib: [
        m := copy.deepcopy(net(lib)), m._modules.__setitem__("fc", lib.nn.Identity()), m(lib.ones(1, 2)),
    ][2],
    "pickled reads its own": lambda lib: [
        m := pickle.loads(pickle.dumps(row(lib, "ReLU", "Tanh"))), m._modules.__setitem__("0", lib.nn.ELU()), m,
        m(-lib.ones(1, 2)),
    ][2:],
    "hooks cleared": lambda lib: [
        m := net(lib), m.register_forward_hook(lambda *a: 1 / 0), len(m._forward_hooks), m._forward_hooks.clear(),
        m(lib.ones(1, 3)), m.register_forward_pre_hook(lambda *a: 1 / 0),
        setattr(m, "_forward_pre_hooks", OrderedDict()), m(lib.ones(1, 3)),
    ][4::3],
    "replaced blocks": replaced_block,
    "by position": lambda lib: list(net(lib).state_dict({}, "a.", False)),
    "one number for none": loaded(lambda lib, s: s.update({"bn.num_batches_tracked": lib.tensor([4])})),
    "not a tensor": loaded(lambda lib, s: s.update({"fc.weight": [1]})),
    "missing": loaded(lambda lib, s: (s.pop("fc.weight"), s.pop("shift")), strict=False),
    "several wrongs": loaded(lambda lib, s: (s.pop("shift"), s.update({"z": 1, "fc.bias": lib.ones(9)}))),
    "shapes, not strict": loaded(lambda lib, s: s.update({"fc.bias": lib.ones(9)}), strict=False),
    "assigned": loaded(lambda lib, s: s.update({"fc.weight": lib.ones(2, 3, dtype=lib.float64)}), assign=True),
    "added": lambda lib: row(lib, "ReLU") + row(lib, "Tanh"),
    "added to": lambda lib: row(lib, "ReLU").__iadd__(row(lib, "Tanh")),
    "added wrong": lambda lib: row(lib, "ReLU") + lib.nn.Tanh(),
    "repeated": lambda lib: [row(lib, "ReLU", "Tanh") * 2, 3 * row(lib, "ReLU"), row(lib, "ELU").__imul__(2)],
    "repeated by nothing": lambda lib: row(lib, "ReLU") * 0,
    "repeated by half": lambda lib: row(lib, "ReLU") * 0.5,
    "popped": lambda lib: [m := row(lib, "ReLU", "Tanh"), m.pop(0)],
    "popped of a list": lambda lib: [m := lib.nn.ModuleList(row(lib, "ReLU", "Tanh")), m.pop(-1)],
    "inserted nowhere": lambda lib: row(lib, "ReLU").insert(5, lib.nn.Tanh()),
    "cleared": lambda lib: [m := lib.nn.ModuleDict({"a": lib.nn.ReLU()}), m.clear(), hasattr(m, "a")],
}  # fmt: skip


def plain(value):
    """A value for comparison: tensors as NumPy arrays, modules as their text."""
    if isinstance(value, (tg.Tensor, torch.Tensor)):
        return np.asarray(value.detach().numpy()).copy()
    if isinstance(value, (tg.nn.Module, torch.nn.Module)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def outcome(lib, run):
    lib.manual_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(run(lib))
        except Exception as error:
            return type(error).__name__


def alike(ours, theirs):
    if isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            alike(a, b)
    elif isinstance(theirs, np.ndarray):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        np.testing.assert_allclose(ours, theirs, 1e-5, 1e-5)
    else:
        assert ours == theirs


@pytest.mark.parametrize("name", CASES)
def test_like_pytorch(name):
    alike(outcome(tg, CASES[name]), outcome(torch, CASES[name]))


def test_a_module_is_freed_without_the_collector():
    import gc
    import weakref

    gc.disable()
    try:
        m = net(tg)
        seen = weakref.ref(m)
        del m
        assert seen() is None
    finally:
        gc.enable()
