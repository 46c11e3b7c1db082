"""Views that are made while nothing is recorded, or of tensors of inference mode, as PyTorch has them."""

import pytest

import tapegrad

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity


def base_of(lib, kind):
    x = lib.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=kind != "plain")
    return x * 2 if kind == "non-leaf" else x


def made(lib, kind, mode):
    base = base_of(lib, kind)
    with getattr(lib, mode)():
        return base, base[:2]


def weight(lib, count):
    return lib.ones(count, requires_grad=True)


def flags(t):
    return t._is_view(), t.requires_grad, t.is_leaf, t.grad_fn is None, t.is_inference()


def sub(view):
    return view[:1]


def written(lib, base, view):
    view.mul_(2)
    return flags(view), base.requires_grad, base._version


def written_by_a_recorded(lib, base, view):
    view.mul_(weight(lib, 2))


def part_written(lib, base, view):
    part = sub(view)
    part.mul_(2)
    return flags(part), base.requires_grad


def part_written_by_a_recorded(lib, base, view):
    sub(view).mul_(weight(lib, 1))


def written_unrecorded(lib, base, view):
    with lib.no_grad():
        view.mul_(2)
    return view.requires_grad, view._version


def written_unrecorded_then_used(lib, base, view):
    written_unrecorded(lib, base, view)
    return (view * 2).requires_grad


def written_unrecorded_then_its_part_used(lib, base, view):
    part = sub(view)
    written_unrecorded(lib, base, view)
    return (part * 2).requires_grad


def base_written(lib, base, view):
    base.mul_(2)
    return flags(view)


def base_written_by_a_recorded(lib, base, view):
    base.mul_(weight(lib, 4))
    return view.requires_grad


def base_written_by_a_recorded_then_used(lib, base, view):
    base.mul_(weight(lib, 4))
    return (view * 2).requires_grad


def base_written_by_a_recorded_then_viewed(lib, base, view):
    base.mul_(weight(lib, 4))
    return sub(view).requires_grad


def base_written_by_a_recorded_then_written(lib, base, view):
    base.mul_(weight(lib, 4))
    view.mul_(2)


def base_written_unrecorded_then_used(lib, base, view):
    with lib.no_grad():
        base.mul_(2)
    return (view * 2).requires_grad


def used(lib, base, view):
    out = (view * 3).sum() + sub(view).sum()
    if not out.requires_grad:
        return False
    out.backward()
    return view.grad is None, base.is_leaf and base.grad is None


def a_leaf(lib, base, view):
    view.requires_grad_()
    (view * 3).sum().backward()
    return view.is_leaf, view.grad.tolist(), base.is_leaf and base.grad is None


def a_leaf_written(lib, base, view):
    view.requires_grad_().mul_(2)


def detached_in_place(lib, base, view):
    view.detach_()


def turned(lib, base, view):
    view.unsqueeze_(0)
    return flags(view), view._base is base


def split_and_written(lib, base, view):
    with lib.no_grad():
        first, _ = base.split(2)
    first.mul_(2)
    return base.requires_grad


def split_and_written_by_a_recorded(lib, base, view):
    with lib.no_grad():
        first, _ = base.split(2)
    first.mul_(weight(lib, 2))


PROGRAMS = [
    written, written_by_a_recorded, part_written, part_written_by_a_recorded, written_unrecorded,
    written_unrecorded_then_used, written_unrecorded_then_its_part_used, base_written, base_written_by_a_recorded,
    base_written_by_a_recorded_then_used, base_written_by_a_recorded_then_viewed,
    base_written_by_a_recorded_then_written, base_written_unrecorded_then_used, used, a_leaf, a_leaf_written,
    detached_in_place, turned, split_and_written, split_and_written_by_a_recorded,
]  # fmt: skip


def outcome(program, lib, kind, mode):
    base, view = made(lib, kind, mode)
    try:
        return program(lib, base, view)
    except RuntimeError:
        return "refused"


@pytest.mark.parametrize("mode", ["no_grad", "inference_mode"])
@pytest.mark.parametrize("kind", ["plain", "leaf", "non-leaf"])
def test_flags(kind, mode):
    told = []
    for lib in (torch, tapegrad):
        base, view = made(lib, kind, mode)
        part = sub(view)
        told.append((flags(view), flags(part), view._base is base, part._base is base, view.detach()._is_view()))
    assert told[0] == told[1]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
@pytest.mark.parametrize("mode", ["no_grad", "inference_mode"])
@pytest.mark.parametrize("kind", ["plain", "leaf", "non-leaf"])
def test_programs(program, kind, mode):
    assert outcome(program, tapegrad, kind, mode) == outcome(program, torch, kind, mode)


def test_a_view_of_a_tensor_of_inference_mode():
    for lib in (torch, tapegrad):
        with lib.inference_mode():
            x = lib.ones(3)
            assert not x[:1]._is_view()
        assert not x[:1]._is_view()
        assert x[:1].is_inference()


# What operations of several steps hand out: not views of what they made on the way.
RESULTS = {
    "eig": lambda lib, x: lib.linalg.eig(x),
    "eigvals": lambda lib, x: (lib.linalg.eigvals(x),),
    "eigh": lambda lib, x: lib.linalg.eigh(x @ x.T),
    "eigvalsh": lambda lib, x: (lib.linalg.eigvalsh(x @ x.T),),
    "svd": lambda lib, x: lib.linalg.svd(x),
    "svd of old": lambda lib, x: lib.svd(x),
    "svdvals": lambda lib, x: (lib.linalg.svdvals(x),),
    "rfft": lambda lib, x: (lib.fft.rfft(x),),
    "stft": lambda lib, x: (lib.stft(x.reshape(-1), 4, window=lib.ones(4), return_complex=True),),
    "unique": lambda lib, x: lib.unique(x.detach(), return_inverse=True),
}


@pytest.mark.parametrize("kind", ["plain", "leaf"])
@pytest.mark.parametrize("mode", ["no_grad", "enable_grad"])
@pytest.mark.parametrize("name", RESULTS)
def test_results_are_tensors_of_their_own(name, mode, kind):
    found = []
    for lib in (torch, tapegrad):
        x = (lib.arange(16.0).reshape(4, 4).sin() + lib.eye(4)).requires_grad_(kind == "leaf")
        with getattr(lib, mode)():
            made = RESULTS[name](lib, x)
        seen = [(t._is_view(), t._base is None) for t in made]
        for t in made:
            if not t.requires_grad and (t.is_floating_point() or t.is_complex()) and not t._is_view():
                t.mul_(lib.tensor(2.0, requires_grad=True))  # a view made under no_grad refuses this
        found.append((seen, [t.requires_grad for t in made]))
    assert found[0] == found[1]
