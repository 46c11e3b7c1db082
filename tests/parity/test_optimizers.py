"""PyTorch's own optimizer database: the same trajectories, errors, texts and states for every option in it."""

import copy
import pickle

import pytest

import tapegrad as tg

from .optimizer_runs import INFOS, OPTIONS, STEPS, Problem, alike, fitting, ours, theirs, trajectory, without_scalar

pytestmark = pytest.mark.parity
torch = pytest.importorskip("torch")
database = pytest.importorskip("torch.testing._internal.common_optimizers")


@pytest.fixture(params=["numpy", "numba"])
def backend(request):
    with tg.backends.use(request.param):
        yield request.param


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_trajectory(name, options, backend):
    alike(trajectory(tg, name, options)[0], trajectory(torch, name, options)[0])


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_trajectory_in_double_precision(name, options):
    got, want = (trajectory(lib, name, options, "float64")[0] for lib in (tg, torch))
    alike(got, want, 1e-4 if name in ("LBFGS", "Muon") else 1e-6)


@pytest.mark.parametrize(("name", "options"), [p for p in OPTIONS if INFOS[p.values[0]].supports_complex])
def test_trajectory_of_complex_parameters(name, options):
    dtype = "complex128" if name == "LBFGS" else "complex64"  # line searches magnify rounding
    alike(*(trajectory(lib, name, options, dtype)[0] for lib in (tg, torch)))


@pytest.mark.parametrize("switch", ["foreach", "fused", "capturable"])
@pytest.mark.parametrize("name", INFOS)
def test_ways_to_run_a_step_are_accepted_and_change_nothing(name, switch):
    info = INFOS[name]
    if not (info.has_capturable_arg if switch == "capturable" else switch in info.supported_impls):
        with pytest.raises(TypeError):
            trajectory(torch, name, {switch: True})
        with pytest.raises(TypeError):
            trajectory(tg, name, {switch: True})
        return
    alike(trajectory(tg, name, {switch: True})[0], trajectory(tg, name, {})[0], 0)


@pytest.mark.parametrize("name", [n for n, info in INFOS.items() if "differentiable" in info.supported_impls])
def test_a_differentiable_step_is_refused_in_so_many_words(name):
    with pytest.raises(RuntimeError, match=f"{name}: differentiable=True is not possible"):
        trajectory(tg, name, {"differentiable": True})


def errors():
    for name, info in INFOS.items():
        for entry in info.optim_error_inputs_func(device="cpu", dtype=torch.float32):
            given = entry.optimizer_error_input
            if "parse params" in str(entry.error_regex) or "Sparse params" in str(entry.error_regex):
                continue
            if "dense parameter" in entry.error_regex:  # there are no sparse tensors here
                continue
            yield pytest.param(name, given, entry, id=f"{name}-{entry.error_regex[:40]}")


@pytest.mark.parametrize(("name", "given", "entry"), list(errors()))
def test_error(name, given, entry):
    params = [tg.nn.Parameter(tg.randn(2, 3))] if given.params is None else parameters(given.params)
    regex = entry.error_regex.replace("..", ".")
    make = lambda: getattr(tg.optim, name)(params, **ours(given.kwargs))
    if entry.error_type is UserWarning:
        with pytest.warns(UserWarning, match=regex):
            make()
        return
    if entry.error_on is database.OptimizerErrorEnum.CONSTRUCTION_ERROR:
        with pytest.raises(entry.error_type, match=regex):
            make()
        return
    optimizer = make()
    with pytest.raises(entry.error_type, match=regex):
        optimizer.step()


def parameters(value, known=None):
    """The parameters of an error case: one tensor stays one tensor, and gradients come along."""
    known = {} if known is None else known
    if isinstance(value, torch.Tensor):
        if id(value) not in known:
            made = known[id(value)] = tg.nn.Parameter(ours(value))
            if value.grad is not None:
                made.grad = ours(value.grad)
        return known[id(value)]
    if isinstance(value, dict):
        return {k: parameters(v, known) for k, v in value.items()}
    return type(value)(parameters(v, known) for v in value) if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("name", INFOS)
def test_text(name):
    made = [trajectory(lib, name, {})[1] for lib in (tg, torch)]
    assert repr(made[0]) == repr(made[1])


@pytest.mark.parametrize("name", INFOS)
def test_defaults_and_signature(name):
    import inspect

    mine, other = (getattr(lib.optim, name) for lib in (tg, torch))
    describe = lambda f: [(p.name, p.default, p.kind) for p in inspect.signature(f).parameters.values()]
    assert describe(mine) == describe(other)


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_state_goes_over_both_ways(name, options):
    """Six steps there, its state loaded here and the other way round: six more steps are alike everywhere."""
    _, optimizer, problem = trajectory(tg, name, options)
    _, other, twin = trajectory(torch, name, options)
    state, given = optimizer.state_dict(), other.state_dict()
    assert describe(state) == describe(given)
    assert [list(g) for g in state["param_groups"]] == [list(g) for g in given["param_groups"]]
    for lib, source, text in ((tg, given, ours), (torch, state, theirs)):
        copied = without_scalar(Problem(lib, name, "float32"), name)
        for p, q in zip(copied.params, problem.params if lib is torch else twin.params, strict=True):
            with lib.no_grad():
                p.copy_(text(q.detach()))
        again = getattr(lib.optim, name)(copied.params, **fitting(lib, options))
        again.load_state_dict(text(source))
        origin, start = (optimizer, problem) if lib is torch else (other, twin)
        here, there = copied.closure(again), start.closure(origin)
        before = copy.deepcopy([p.detach().numpy().copy() for p in start.params]), copy.deepcopy(origin.state_dict())
        for _ in range(3):
            for run, o in ((here, again), (there, origin)):
                if name == "LBFGS":
                    o.step(run)
                else:
                    run()
                    o.step()
        alike([[p.detach().numpy() for p in copied.params]], [[p.detach().numpy() for p in start.params]])
        with (torch if lib is tg else tg).no_grad():
            for p, a in zip(start.params, before[0], strict=True):
                p.copy_((torch if lib is tg else tg).tensor(a))
        origin.load_state_dict(before[1])


def describe(state):
    """The keys of a state, and of what kind the values are: tensors by shape and type, lists by what is in them."""
    if hasattr(state, "shape"):
        return tuple(state.shape), str(state.dtype).split(".")[-1]
    if isinstance(state, dict):
        skipped = ("al", "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss", "lr")
        return {k: None if k in skipped else describe(v) for k, v in sorted(state.items(), key=lambda e: str(e[0]))}
    return type(state).__name__


@pytest.mark.parametrize("name", INFOS)
def test_copies_go_on_alike(name):
    _, optimizer, problem = trajectory(tg, name, {})
    given = problem.params, optimizer
    results = []
    for params, o in (copy.deepcopy(given), pickle.loads(pickle.dumps(given)), given):
        assert o.param_groups[0]["params"][0] is params[0]
        problem.params = params
        run = problem.closure(o)
        run()
        o.step(run)
        results.append([p.detach().numpy() for p in params])
    alike(results[:2], results[2:] * 2, 0)


@pytest.mark.parametrize("name", [n for n, info in INFOS.items() if info.supports_param_groups])
def test_groups_have_options_of_their_own(name):
    def run(lib):
        problem = without_scalar(Problem(lib, name, "float32"), name)
        groups = [{"params": problem.params[:1], "lr": 0.05}, {"params": problem.params[1:]}]
        optimizer = getattr(lib.optim, name)(groups[:1], lr=0.01)
        optimizer.add_param_group(groups[1])
        closure = problem.closure(optimizer)
        for n in range(STEPS):
            closure()
            optimizer.step()
            optimizer.param_groups[1]["lr"] = 0.01 * n
        return [[p.detach().numpy().copy() for p in problem.params]], optimizer

    (got, mine), (want, other) = run(tg), run(torch)
    alike(got, want)
    assert repr(mine) == repr(other)


@pytest.mark.parametrize("name", INFOS)
def test_parameters_without_gradient_stay(name):
    problem = Problem(tg, name, "float32")
    optimizer = getattr(tg.optim, name)(problem.params)
    before = [p.detach().clone() for p in problem.params]
    optimizer.step(lambda: tg.tensor(0.0)) if name == "LBFGS" else optimizer.step()
    assert all(bool((a == b).all()) for a, b in zip(before, problem.params, strict=True))
