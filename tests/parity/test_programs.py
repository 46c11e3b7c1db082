"""Random programs of views, writes in place and reads: values, flags, versions, errors and gradients as in PyTorch."""

import math
import random

import numpy as np
import pytest

import tapegrad

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

PROGRAMS, STEPS = 500, 14
SHAPES = ((2, 3), (4,), (3, 2, 2), (2, 2), (), (1, 3), (0, 2))


class Program:
    """One program, made up step by step on PyTorch's tensors and followed on tapegrad's."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.theirs, self.ours, self.log, self.several = [], [], [], set()
        for _ in range(3):
            shape = self.rng.choice(SHAPES)
            values = np.round(np.random.default_rng(self.rng.randrange(10**6)).normal(size=shape), 3)
            leaf = self.rng.random() < 0.75
            for pool, lib in ((self.theirs, torch), (self.ours, tapegrad)):
                pool.append(
                    lib.tensor(values.tolist(), dtype=lib.float64)
                    if values.size
                    else lib.zeros(*shape, dtype=lib.float64)
                )
                if leaf:
                    pool.append(pool[-1].requires_grad_() * 1.5)
        self.leaves = [i for i, t in enumerate(self.theirs) if t.requires_grad and t.is_leaf]

    def step(self):
        """Add one action; what PyTorch refuses is refused here too. True where it was allowed."""
        kinds = ["view"] * 5 + ["hidden_view"] + ["write"] * 5 + ["read"] * 2 + ["unrecorded"]
        action, text = getattr(self, self.rng.choice(kinds))()
        self.log.append(text)
        try:
            made = action(torch, self.theirs)
        except (RuntimeError, IndexError):
            refused = False
            try:
                action(tapegrad, self.ours)
            except (RuntimeError, IndexError):
                refused = True
            assert refused, self.log
            self.log.pop()
            self.compare()
            return False
        also = action(tapegrad, self.ours)
        assert (made is None) == (also is None)
        if made is not None:
            self.theirs.append(made)
            self.ours.append(also)
        self.compare()
        return True

    def compare(self):
        for i, (t, o) in enumerate(zip(self.theirs, self.ours)):
            assert tuple(o.shape) == tuple(t.shape), (i, self.log)
            np.testing.assert_allclose(o.detach().numpy(), t.detach().numpy(), rtol=1e-12, err_msg=f"{i} {self.log}")
            assert o.requires_grad == t.requires_grad, (i, self.log)
            assert leaf_or_not(o) == leaf_or_not(t), (i, self.log)
            assert o.is_inference() or o._version == t._version, (i, self.log)
            assert o._is_view() == t._is_view(), (i, self.log)
            if t._is_view():
                places = [[k for k, x in enumerate(pool) if x is v._base] for pool, v in
                          ((self.theirs, t), (self.ours, o))]  # fmt: skip
                assert places[0] == places[1], (i, self.log)
                if t.numel():
                    steps = [[s for s, n in zip(x.stride(), x.shape) if n > 1] for x in (t, o)]
                    assert steps[0] == steps[1], (i, self.log)

    def pick(self, suits=lambda t: True):
        return self.rng.choice([i for i, t in enumerate(self.theirs) if suits(t)] or [0])

    def view(self):
        i = self.pick()
        t = self.theirs[i]
        n, kind = (
            t.dim(),
            self.rng.choice(
                [
                    "slice",
                    "select",
                    "transpose",
                    "reshape",
                    "unsqueeze",
                    "diagonal",
                    "flatten",
                    "narrow",
                    "expand",
                    "squeeze",
                    "unfold",
                    "as_strided",
                    "split",
                    "unbind",
                    "detach",
                    "T",
                ]
            ),
        )
        d = self.rng.randrange(n) if n else 0
        size = t.shape[d] if n else 0
        start = self.rng.randint(0, size)
        stop, step = self.rng.randint(start, size), self.rng.choice([1, 1, 2])
        window = self.rng.randint(1, max(size, 1))
        lengths, paces = [self.rng.randint(1, 3) for _ in range(2)], [self.rng.randint(1, 3) for _ in range(2)]
        if kind in ("split", "unbind"):
            self.several.add(memory(t))
        factor = self.rng.choice([f for f in range(1, t.numel() + 1) if t.numel() % f == 0] or [1])
        actions = {
            "slice": lambda x: x[(slice(None),) * d + (slice(start, stop, step),)],
            "select": lambda x: x.select(d, start),
            "transpose": lambda x: x.transpose(d, n - 1),
            "reshape": lambda x: x.reshape(factor, -1) if x.numel() else x.reshape(0),
            "unsqueeze": lambda x: x.unsqueeze(d),
            "diagonal": lambda x: x.diagonal(step - 1, 0, n - 1),
            "flatten": lambda x: x.flatten(),
            "narrow": lambda x: x.narrow(d, start, stop - start),
            "expand": lambda x: x.expand(2, *x.shape),
            "squeeze": lambda x: x.squeeze(),
            "unfold": lambda x: x.unfold(d, window, step + 1),
            # where an empty tensor begins in memory is not the same everywhere
            "as_strided": lambda x: x.as_strided(lengths, paces) if x.numel() else x[...],
            "split": lambda x: x.split(1, d)[0],
            "unbind": lambda x: x.unbind(d)[0],
            "detach": lambda x: x.detach(),
            "T": lambda x: x.mT if n >= 2 else x[None],
        }
        return lambda lib, pool: actions[kind](
            pool[i]
        ), f"{len(self.theirs)} = {kind}({i}; {d} {start} {stop} {step} {factor} {window} {lengths} {paces})"

    def write(self, recorded=True):
        # what a write to several elements in one place leaves is not said
        i = self.pick(lambda t: not overlaps(t) and ((recorded and t.requires_grad) or memory(t) not in self.several))
        j = self.pick(lambda t: t.shape == self.theirs[i].shape) if self.rng.random() < 0.7 else self.pick()
        c = round(self.rng.uniform(-2, 2), 2)
        size = self.theirs[i].shape[0] if self.theirs[i].dim() else 0
        places = [self.rng.randrange(size) for _ in range(2)] if size else []

        def index(x, y):
            x[places] = y

        def place(x, y):
            x[: max(size - 1, 1)] = c

        actions = {
            "mul_": lambda x, y: x.mul_(c),
            "add_": lambda x, y: x.add_(y),
            "sub_": lambda x, y: x.sub_(y, alpha=2),
            "copy_": lambda x, y: x.copy_(y),
            "zero_": lambda x, y: x.zero_(),
            "neg_": lambda x, y: x.neg_(),
            "fill_": lambda x, y: x.fill_(c),
            "times": lambda x, y: x.mul_(y.clone()),
            "sin_": lambda x, y: x.sin_(),
            "tanh_": lambda x, y: x.tanh_(),
            "index": lambda x, y: index(x, c),
            "rows": lambda x, y: index(x, y[:1]),
            "place": place,
            "masked": lambda x, y: x.masked_fill_(x > 0.5, c),
            "detached": lambda x, y: x.detach().add_(c),
            "itself": lambda x, y: x.mul_(x),
            "its past": lambda x, y: x.mul_(x.detach()),
            "sigmoid_": lambda x, y: x.sigmoid_(),
            "square_": lambda x, y: x.clamp_(-3, 3).square_(),
            "gt_": lambda x, y: x.gt_(y),
            "eq_": lambda x, y: x.eq_(c),
            "div_": lambda x, y: x.div_(y.cos() + 2),
            "shifted": lambda x, y: x[1:].copy_(x[:-1]),
            "shift": lambda x, y: index(x, x[:1]),
            "row": lambda x, y: x.__setitem__(0, x[-1]),
            "index_fill_": lambda x, y: x.index_fill_(0, x.detach().new_tensor(places[:1]).long(), c),
        }
        # PyTorch counts unrecorded writes to views that were made at once; see docs/views.md
        unfit = {"detached"} if memory(self.theirs[i]) in self.several else set()
        if not self.theirs[i].is_contiguous():  # parts of one memory that PyTorch does not tell from each other
            unfit |= {"shifted", "shift"}
        if memory(self.theirs[j]) == memory(self.theirs[i]) and not self.theirs[j].is_contiguous():
            unfit.add("rows")
        kind = self.rng.choice([k for k in actions if k not in unfit])

        def action(lib, pool):
            actions[kind](pool[i], pool[j])

        return action, f"{kind}({i}, {j}, {c}, {places})"

    def unrecorded(self):
        act, text = self.write(recorded=False)

        def action(lib, pool):
            with lib.no_grad():
                act(lib, pool)

        return action, f"no_grad: {text}"

    def hidden_view(self):
        look, text = self.view()
        mode = self.rng.choice(["no_grad", "inference_mode"])

        def action(lib, pool):
            with getattr(lib, mode)():
                return look(lib, pool)

        return action, f"{mode}: {text}"

    def read(self):
        i = self.pick()
        j = self.pick(lambda t: t.shape == self.theirs[i].shape)
        actions = {
            "add": lambda x, y: x + y,
            "scale": lambda x, y: x * 0.5,
            "sum": lambda x, y: x.sum(),
            "clone": lambda x, y: x.clone(),
            "mul": lambda x, y: x * y,
            "cos": lambda x, y: x.cos(),
            "sigmoid": lambda x, y: x.sigmoid(),
            "mean": lambda x, y: x.sum(0) if x.dim() else x * 1,
        }
        kind = self.rng.choice(list(actions))
        return lambda lib, pool: actions[kind](pool[i], pool[j]), f"{len(self.theirs)} = {kind}({i}, {j})"

    def loss(self, lib, pool):
        total, refused = lib.zeros((), dtype=lib.float64), []
        for i, t in enumerate(pool):
            if i % 2 == 0 or i == len(pool) - 1:
                try:
                    total = total + (t * math.cos(i)).sum()
                except RuntimeError:
                    refused.append(i)
        return total, refused


def memory(t):
    return t.untyped_storage().data_ptr()


def leaf_or_not(t):
    """Whether a tensor is a leaf; "refused" of a view that must not be used any more."""
    try:
        return t.is_leaf
    except RuntimeError:
        return "refused"


def overlaps(t):
    """Whether several elements may lie in one place in memory."""
    reach = 0
    for stride, size in sorted((s, n) for s, n in zip(t.stride(), t.shape) if n > 1):
        if stride <= reach:
            return True
        reach += (size - 1) * stride
    return False


def gradients(program, lib, pool):
    """The gradients of all leaves, or the error's class where a saved value was changed; the views not to be used."""
    loss, refused = program.loss(lib, pool)
    if not loss.requires_grad:
        return None, refused
    try:
        loss.backward()
    except RuntimeError as error:
        return str(error), refused
    return [None if pool[i].grad is None else pool[i].grad.numpy() for i in program.leaves], refused


def run(seed):
    """Run a program; returns how it ended in PyTorch."""
    program = Program(seed)
    program.compare()
    for _ in range(STEPS):
        program.step()
    (theirs, no_use), (ours, of_no_use) = (
        gradients(program, lib, pool) for lib, pool in ((torch, program.theirs), (tapegrad, program.ours))
    )
    assert no_use == of_no_use, program.log
    if isinstance(theirs, str):
        assert "inplace" in theirs, theirs
        assert isinstance(ours, str), (theirs, program.log)
        assert "changed in place" in ours, ours
        return "error"
    assert not isinstance(ours, str), (ours, program.log)
    assert (theirs is None) == (ours is None), program.log
    for i, t, o in zip(program.leaves, theirs or [], ours or []):
        assert (t is None) == (o is None), (i, program.log)
        if t is not None:
            np.testing.assert_allclose(o, t, rtol=1e-10, atol=1e-12, err_msg=f"{i} {program.log}")
    return "gradients" if theirs else "constants"


@pytest.mark.parametrize("batch", range(5))
def test_random_programs(batch):
    size = PROGRAMS // 5
    ends = [run(seed) for seed in range(batch * size, (batch + 1) * size)]
    assert ends.count("gradients") >= size // 2, ends
