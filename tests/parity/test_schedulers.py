"""Learning rate schedulers and averages of weights against PyTorch: curves of sixty epochs, states, warnings."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import tapegrad as tg

pytestmark = pytest.mark.parity
torch = pytest.importorskip("torch")

EPOCHS = 60


class Halving:
    """A factor that is an object with a state."""

    def __init__(self, rate=0.9):
        self.rate = rate

    def __call__(self, epoch):
        return self.rate**epoch


def loss_of(epoch):
    return 1 / (1 + min(epoch, 15)) + 0.3 * ((epoch * 7) % 3 == 0)


SCHEDULERS = {
    "lambda": lambda s, o: s.LambdaLR(o, lambda n: 0.95**n),
    "lambda each": lambda s, o: s.LambdaLR(o, [lambda n: n // 3, Halving()]),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda n: 0.9 + 0.05 * (n % 2)),
    "multiplicative each": lambda s, o: s.MultiplicativeLR(o, [Halving(0.99), lambda n: 0.95]),
    "step": lambda s, o: s.StepLR(o, 7, gamma=0.5),
    "multistep": lambda s, o: s.MultiStepLR(o, [5, 5, 20, 33], gamma=0.3),
    "constant": lambda s, o: s.ConstantLR(o, factor=0.25, total_iters=9),
    "constant default": lambda s, o: s.ConstantLR(o),
    "linear": lambda s, o: s.LinearLR(o, start_factor=0.2, end_factor=0.7, total_iters=25),
    "linear default": lambda s, o: s.LinearLR(o),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.93),
    "polynomial": lambda s, o: s.PolynomialLR(o, total_iters=40, power=2.5),
    "polynomial default": lambda s, o: s.PolynomialLR(o),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 13, eta_min=0.001),
    "cosine long": lambda s, o: s.CosineAnnealingLR(o, 80),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 7, T_mult=2, eta_min=0.01),
    "restarts even": lambda s, o: s.CosineAnnealingWarmRestarts(o, 10),
    "cyclic": lambda s, o: s.CyclicLR(o, 0.01, 0.2, step_size_up=5),
    "cyclic each": lambda s, o: s.CyclicLR(o, [0.01, 0.02], [0.2, 0.3], step_size_up=5, step_size_down=8),
    "cyclic 2": lambda s, o: s.CyclicLR(o, 0.01, 0.2, step_size_up=4, mode="triangular2", cycle_momentum=False),
    "cyclic exp": lambda s, o: s.CyclicLR(o, 0.01, 0.2, step_size_up=4, mode="exp_range", gamma=0.95),
    "cyclic own": lambda s, o: s.CyclicLR(o, 0.01, 0.2, step_size_up=4, scale_fn=Halving(), scale_mode="iterations"),
    "cyclic function": lambda s, o: s.CyclicLR(o, 0.01, 0.2, step_size_up=4, scale_fn=lambda n: 1 / n),
    "one cycle": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=61),
    "one cycle linear": lambda s, o: s.OneCycleLR(o, [0.5, 0.1], epochs=9, steps_per_epoch=7, anneal_strategy="linear"),
    "one cycle three": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=70, three_phase=True, pct_start=0.4),
    "one cycle without": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=70, cycle_momentum=False, div_factor=5.0),
    "sequential": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 6), s.ExponentialLR(o, 0.9), s.CosineAnnealingLR(o, 10)], [6, 30]
    ),
    "sequential warmup": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 50)], milestones=[5]
    ),
    "sequential deep": lambda s, o: s.SequentialLR(
        o, [s.SequentialLR(o, [s.LinearLR(o), s.StepLR(o, 4)], [4]), s.ExponentialLR(o, 0.95)], [20]
    ),
    "chained": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 5), s.ExponentialLR(o, 0.95)]),
    "chained more": lambda s, o: s.ChainedScheduler(
        [s.MultiStepLR(o, [10, 20]), s.StepLR(o, 7, 0.7), s.CosineAnnealingLR(o, 30)], optimizer=o
    ),
    "plateau": lambda s, o: s.ReduceLROnPlateau(o, patience=3),
    "plateau all": lambda s, o: s.ReduceLROnPlateau(
        o, mode="max", factor=0.5, patience=2, threshold=0.01, threshold_mode="abs", cooldown=4, min_lr=[0.001, 0.02]
    ),
    "plateau rel max": lambda s, o: s.ReduceLROnPlateau(o, mode="max", factor=0.7, patience=1, eps=0.01, min_lr=0.01),
    "plateau abs min": lambda s, o: s.ReduceLROnPlateau(o, factor=0.7, patience=4, threshold_mode="abs"),
    "swa": lambda s, o: swa(o).SWALR(o, swa_lr=0.05),
    "swa linear": lambda s, o: swa(o).SWALR(o, swa_lr=[0.05, 0.3], anneal_epochs=20, anneal_strategy="linear"),
    "swa at once": lambda s, o: swa(o).SWALR(o, swa_lr=0.05, anneal_epochs=0),
}


def library_of(optimizer):
    return torch if type(optimizer).__module__.startswith("torch") else tg


def swa(optimizer):
    return library_of(optimizer).optim.swa_utils


def optimizer_of(lib, kind="SGD", lr=0.1, second=0.3):
    p, q = (lib.ones(2, requires_grad=True) for _ in range(2))
    options = {"momentum": 0.9} if kind == "SGD" else {}
    number = lib.tensor if isinstance(lr, str) else float
    return getattr(lib.optim, kind)(
        [{"params": [p]}, {"params": [q], "lr": number(float(second))}], lr=number(float(lr)), **options
    )


def options_of(optimizer):
    return [
        [float(g["lr"]), float(g.get("momentum", 0)), *(float(b) for b in g.get("betas", ()))]
        for g in optimizer.param_groups
    ]


def advance(scheduler, optimizer, epoch, rows):
    optimizer.step()
    if "ReduceLROnPlateau" in type(scheduler).__name__:
        scheduler.step(loss_of(epoch))
    else:
        scheduler.step()
    rows.append(options_of(optimizer))
    np.testing.assert_array_equal([float(v) for v in scheduler.get_last_lr()], [r[0] for r in rows[-1]])


def curve(lib, name, kind="SGD", lr=0.1, second=0.3):
    optimizer = optimizer_of(lib, kind, lr, second)
    scheduler = SCHEDULERS[name](lib.optim.lr_scheduler, optimizer)
    rows = [options_of(optimizer)]
    for epoch in range(EPOCHS):
        advance(scheduler, optimizer, epoch, rows)
    return rows, scheduler, optimizer


@pytest.mark.parametrize(
    ("name", "kind"),
    [*((n, "SGD") for n in SCHEDULERS), *((n, "Adam") for n in SCHEDULERS if "cycl" in n)],  # which set betas too
)
def test_curve(name, kind):
    got, want = (curve(lib, name, kind)[0] for lib in (tg, torch))
    np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_curve_of_tensor_learning_rates(name):
    """The groups' tensors stay the same tensors."""
    got, _, mine = curve(tg, name, lr="0.1", second="0.3")
    np.testing.assert_allclose(got, curve(torch, name, lr="0.1", second="0.3")[0], rtol=2e-5, atol=1e-7)
    assert all(isinstance(g["lr"], tg.Tensor) for g in mine.param_groups)


def plain(value):
    """A state as what it holds, in types of Python."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value


@pytest.mark.parametrize("name", SCHEDULERS)
def test_state(name):
    mine, other = (curve(lib, name)[1] for lib in (tg, torch))
    assert mine.state_dict() == plain(other.state_dict())


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_state_goes_on_where_it_was_saved(name):
    """Twenty epochs under one library, its state loaded under the other: forty more on the same curve."""
    whole = curve(torch, name)[0]
    for first, second in ((tg, torch), (torch, tg)):
        optimizer = optimizer_of(first)
        scheduler = SCHEDULERS[name](first.optim.lr_scheduler, optimizer)
        for epoch in range(20):
            advance(scheduler, optimizer, epoch, [])
        again = optimizer_of(second)
        resumed = SCHEDULERS[name](second.optim.lr_scheduler, again)
        again.load_state_dict(optimizer.state_dict())
        resumed.load_state_dict(copy.deepcopy(scheduler.state_dict()))
        rows = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for epoch in range(20, EPOCHS):
                advance(resumed, again, epoch, rows)
        np.testing.assert_allclose(rows, whole[21:], rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("name", [n for n in SCHEDULERS if not n.startswith(("sequential", "chained", "plateau"))])
def test_an_epoch_asked_for(name):
    def run(lib):
        optimizer = optimizer_of(lib)
        scheduler = SCHEDULERS[name](lib.optim.lr_scheduler, optimizer)
        rows = []
        for epoch in (3, 17, 4, 40):
            optimizer.step()
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                scheduler.step(epoch)
            rows.append([*options_of(optimizer), [float(len(said)), float(scheduler.last_epoch)]])
        return [[*a, *b, *c] for a, b, c in rows]

    np.testing.assert_allclose(run(tg), run(torch), rtol=1e-7, atol=1e-12)


def test_a_fraction_of_an_epoch():
    def run(lib):
        optimizer = optimizer_of(lib)
        scheduler = lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 3, T_mult=2)
        rows = []
        for i in range(80):
            scheduler.step(i / 7)
            rows.append([*scheduler.get_last_lr(), scheduler.T_cur, scheduler.T_i])
        return rows

    np.testing.assert_allclose(run(tg), run(torch), rtol=1e-7)


@pytest.mark.parametrize("name", ["step", "cosine", "linear", "one cycle", "cyclic", "swa", "lambda"])
def test_going_on_from_an_epoch(name):
    make = {
        "step": lambda s, o: s.StepLR(o, 7, gamma=0.5, last_epoch=20),
        "cosine": lambda s, o: s.CosineAnnealingLR(o, 13, last_epoch=20),
        "linear": lambda s, o: s.LinearLR(o, 0.5, total_iters=30, last_epoch=20),
        "one cycle": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=61, last_epoch=20),
        "cyclic": lambda s, o: s.CyclicLR(o, 0.01, 0.2, step_size_up=5, last_epoch=20),
        "swa": lambda s, o: swa(o).SWALR(o, 0.05, last_epoch=20),
        "lambda": lambda s, o: s.LambdaLR(o, lambda n: 0.9**n, last_epoch=20),
    }[name]

    def run(lib):
        optimizer = optimizer_of(lib)
        with pytest.raises(KeyError, match=r"'initial_lr' is not specified in param_groups\[0\]"):
            make(lib.optim.lr_scheduler, optimizer_of(lib))
        for group, first in zip(optimizer.param_groups, (0.2, 0.4), strict=True):
            group |= {"initial_lr": first, "max_lr": 0.5, "min_lr": 0.001, "max_momentum": 0.95, "base_momentum": 0.8}
        scheduler = make(lib.optim.lr_scheduler, optimizer)
        rows = []
        for epoch in range(10):
            advance(scheduler, optimizer, epoch, rows)
        return rows

    np.testing.assert_allclose(run(tg), run(torch), rtol=1e-7)


def heard(run):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        run()
    assert all(w.filename == __file__ or "torch" in w.filename for w in said)  # a warning points at the user's line
    return [(w.category, str(w.message).split(".")[0][:40]) for w in said]


def test_warnings():
    def run(lib):
        s = lib.optim.lr_scheduler
        optimizer = optimizer_of(lib)
        scheduler = s.StepLR(optimizer, 2)
        found = [
            heard(scheduler.step),
            heard(scheduler.step),
            heard(scheduler.get_lr),
            heard(lambda: scheduler.step(5)),
        ]
        other = optimizer_of(lib)
        late = s.ExponentialLR(other, 0.9)
        other.step = lambda: None
        return [*found, heard(late.step), heard(lambda: s.ReduceLROnPlateau(other).step(1.0, epoch=3))]

    assert run(tg) == run(torch)


def test_refusals():
    def run(lib):
        s, optimizer = lib.optim.lr_scheduler, optimizer_of(lib)
        without = lib.optim.Adadelta([lib.ones(1, requires_grad=True)])
        found = []
        for attempt in (
            lambda: s.StepLR(3, 1),
            lambda: s.LambdaLR(optimizer, [abs]),
            lambda: s.MultiplicativeLR(optimizer, [3, 4]),
            lambda: s.ConstantLR(optimizer, 1.5),
            lambda: s.LinearLR(optimizer, 0.0),
            lambda: s.LinearLR(optimizer, end_factor=2.0),
            lambda: s.SequentialLR(optimizer, [], []),
            lambda: s.SequentialLR(optimizer, [s.ConstantLR(optimizer)], [3]),
            lambda: s.SequentialLR(optimizer, [s.ConstantLR(optimizer_of(lib))], []),
            lambda: s.SequentialLR(optimizer, [s.ReduceLROnPlateau(optimizer)], []),
            lambda: s.SequentialLR(optimizer, [3], []),
            lambda: s.ChainedScheduler([]),
            lambda: s.ChainedScheduler([s.ReduceLROnPlateau(optimizer)]),
            lambda: s.ReduceLROnPlateau(optimizer, factor=1.0),
            lambda: s.ReduceLROnPlateau(optimizer, mode="mid"),
            lambda: s.ReduceLROnPlateau(optimizer, threshold_mode="mid"),
            lambda: s.ReduceLROnPlateau(optimizer, min_lr=[1, 2, 3]),
            lambda: s.ReduceLROnPlateau(3),
            lambda: s.CyclicLR(optimizer, 0.1, 0.2, mode="up"),
            lambda: s.CyclicLR(optimizer, [0.1], 0.2),
            lambda: s.CyclicLR(without, 0.1, 0.2),
            lambda: s.CosineAnnealingWarmRestarts(optimizer, 0),
            lambda: s.CosineAnnealingWarmRestarts(optimizer, 3, T_mult=0),
            lambda: s.CosineAnnealingWarmRestarts(optimizer, 3).step(-1),
            lambda: s.OneCycleLR(optimizer, 0.1),
            lambda: s.OneCycleLR(optimizer, 0.1, total_steps=-3),
            lambda: s.OneCycleLR(optimizer, 0.1, epochs=2, steps_per_epoch=0),
            lambda: s.OneCycleLR(optimizer, 0.1, total_steps=3, pct_start=1.5),
            lambda: s.OneCycleLR(optimizer, 0.1, total_steps=3, anneal_strategy="up"),
            lambda: s.OneCycleLR(without, 0.1, total_steps=3),
            lambda: [c.step() for c in [s.OneCycleLR(optimizer, 0.1, total_steps=2)] * 4],
            lambda: lib.optim.swa_utils.SWALR(optimizer, 0.1, anneal_strategy="up"),
            lambda: lib.optim.swa_utils.SWALR(optimizer, 0.1, anneal_epochs=-1),
            lambda: lib.optim.swa_utils.get_ema_avg_fn(1.5),
            lambda: lib.optim.swa_utils.get_ema_multi_avg_fn(-1),
            lambda: lib.optim.swa_utils.AveragedModel(lib.nn.Linear(1, 1), avg_fn=abs, multi_avg_fn=abs),
        ):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with pytest.raises(Exception) as error:
                    attempt()
            found.append((error.type, str(error.value)[:20]))
        return found

    for got, want in zip(run(tg), run(torch), strict=True):
        assert got == want


def test_schedulers_are_pickled_with_their_optimizer():
    for name in ("step", "cosine", "cyclic", "one cycle", "plateau", "swa"):
        rows, scheduler, optimizer = curve(tg, name)
        again, other = pickle.loads(pickle.dumps((scheduler, optimizer)))
        assert again.optimizer is other
        assert again.state_dict().keys() == scheduler.state_dict().keys()
        assert options_of(other) == rows[-1]


def test_every_scheduler_of_pytorch_is_here():
    import inspect

    for module in ("lr_scheduler", "swa_utils"):
        mine, other = (getattr(lib.optim, module) for lib in (tg, torch))
        assert set(other.__all__) <= set(mine.__all__)
        for name in other.__all__:
            describe = lambda f: [(p.name, p.default) for p in inspect.signature(f).parameters.values()]
            assert describe(getattr(mine, name)) == describe(getattr(other, name)), name


# Averages of weights


def averaged(lib, steps=4, **options):
    lib.manual_seed(3)
    make = lambda: lib.nn.Sequential(lib.nn.Linear(4, 5), lib.nn.BatchNorm1d(5), lib.nn.ReLU(), lib.nn.Linear(5, 2))
    model = make()
    options = {k: v(lib.optim.swa_utils) if callable(v) else v for k, v in options.items()}
    mean = lib.optim.swa_utils.AveragedModel(model, **options)
    optimizer = lib.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        x = lib.randn(16, 4)
        optimizer.zero_grad()
        (model(x) ** 2).mean().backward()
        optimizer.step()
        mean.update_parameters(model)
    return mean


AVERAGES = {
    "equal": {},
    "equal one by one": {"avg_fn": lambda u: u.get_swa_avg_fn()},
    "equal lists": {"multi_avg_fn": lambda u: u.get_swa_multi_avg_fn()},
    "exponential": {"multi_avg_fn": lambda u: u.get_ema_multi_avg_fn(0.9)},
    "exponential one by one": {"avg_fn": lambda u: u.get_ema_avg_fn(0.9)},
    "own": {"avg_fn": lambda u: lambda mean, p, n: 0.5 * mean + 0.5 * p},
}


@pytest.mark.parametrize("buffers", [False, True])
@pytest.mark.parametrize("name", AVERAGES)
def test_averaged_model(name, buffers):
    mine = averaged(tg, use_buffers=buffers, **AVERAGES[name])
    if name == "equal lists" and buffers:  # PyTorch's divides integers, and fails
        assert int(mine.module[1].num_batches_tracked) == 1
        return
    other = averaged(torch, use_buffers=buffers, **AVERAGES[name])
    assert repr(mine) == repr(other)
    got, want = mine.state_dict(), other.state_dict()
    assert list(got) == list(want)
    for key in want:
        np.testing.assert_allclose(got[key].numpy(), want[key].numpy(), rtol=1e-5, atol=1e-6, err_msg=key)
    mine.load_state_dict({k: tg.tensor(v.numpy()) for k, v in want.items()})
    assert int(mine.n_averaged) == 4


def test_update_bn():
    def run(lib):
        mean = averaged(lib)
        mean.eval()
        lib.manual_seed(5)
        batches = [lib.randn(8, 4) for _ in range(3)]
        lib.optim.swa_utils.update_bn([(b, 0) for b in batches], mean)
        norm = mean.module[1]
        assert not mean.training
        return norm.running_mean.numpy(), norm.running_var.numpy(), norm.momentum, int(norm.num_batches_tracked)

    for got, want in zip(run(tg), run(torch), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
