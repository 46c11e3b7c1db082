"""PyTorch's own optimizer database: the same trajectories, errors, texts and states for every option in it."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import tapegrad as tg

pytestmark = pytest.mark.parity
torch = pytest.importorskip("torch")
database = pytest.importorskip("torch.testing._internal.common_optimizers")

STEPS = 6
INFOS = {info.optim_cls.__name__: info for info in database.optim_db}
OPTIONS = [
    pytest.param(name, entry.kwargs, id=f"{name}-{entry.desc}")
    for name, info in INFOS.items()
    for entry in info.optim_inputs_func(device="cpu")
]
SWITCHES = {"foreach": {"foreach": True}, "fused": {"fused": True}}


def ours(value):
    """PyTorch's tensors as tensors of this library, containers and all."""
    if isinstance(value, torch.Tensor):
        return tg.tensor(value.detach().numpy())
    if isinstance(value, dict):
        return {k: ours(v) for k, v in value.items()}
    return type(value)(ours(v) for v in value) if isinstance(value, (list, tuple)) else value


def theirs(value):
    """The other way round."""
    if isinstance(value, tg.Tensor):
        return torch.tensor(value.detach().numpy())
    if isinstance(value, dict):
        return {k: theirs(v) for k, v in value.items()}
    return type(value)(theirs(v) for v in value) if isinstance(value, (list, tuple)) else value


class Problem:
    """A small network and data, the same under both libraries; ``loss`` has gradients that change from step to step."""

    def __init__(self, lib, name, dtype):
        rng = np.random.default_rng(7)
        draw = lambda *shape: (
            rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if dtype.startswith("complex") else 0)
        )
        make = lambda a: lib.tensor(np.asarray(a).astype(dtype))
        shapes = [(6, 4), (3, 6)] if name == "Muon" else [(6, 4), (6,), (3, 6), ()]
        self.params = [make(draw(*s) * 0.5).requires_grad_() for s in shapes]
        self.x, self.y = make(draw(8, 4)), make(draw(8, 3))
        self.lib, self.sparse = lib, name == "SparseAdam" and lib is torch
        # Line searches magnify rounding where a loss is not convex; least squares are.
        self.convex, self.v = name == "LBFGS", self.params[-2].detach()

    def closure(self, optimizer):
        def run():
            optimizer.zero_grad()
            w, *between, v = self.params[:3] if len(self.params) > 2 else self.params
            h = self.x @ w.T
            for b in between:
                h = h + b
            out = (h if self.convex else h.tanh()) @ (self.v if self.convex else v).T
            if len(self.params) > 3:
                out = out + self.params[3] if self.convex else out * self.params[3]
            d = out - self.y
            loss = (d * d.conj()).real.mean() if d.is_complex() else (d * d).mean()
            loss.backward()
            if self.sparse:
                for p in self.params:
                    if p.dim():
                        p.grad = p.grad.to_sparse()
            return loss

        return run


def fitting(lib, options):
    return ours(options) if lib is tg else copy.deepcopy(options)


def without_scalar(problem, name):
    if name == "SparseAdam":  # PyTorch has no sparse scalars
        problem.params = problem.params[:3]
    return problem


def trajectory(lib, name, options, dtype="float32"):
    problem = without_scalar(Problem(lib, name, dtype), name)
    options = {"max_iter": 3, **options} if name == "LBFGS" else options  # six steps end before the minimum
    optimizer = getattr(lib.optim, name)(problem.params, **fitting(lib, options))
    run = problem.closure(optimizer)
    rows = []
    for _ in range(STEPS):
        if name == "LBFGS":
            optimizer.step(run)
        else:
            run()
            optimizer.step()
        rows.append([p.detach().numpy().copy() for p in problem.params])
    return rows, optimizer, problem


def alike(got, want, tolerance=1e-4):
    for n, (a, b) in enumerate(zip(got, want, strict=True)):
        for i, (p, q) in enumerate(zip(a, b, strict=True)):
            np.testing.assert_allclose(p, q, rtol=tolerance, atol=tolerance, err_msg=f"step {n + 1}, parameter {i}")


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


def test_names_of_parameters():
    def run(lib):
        lib.manual_seed(0)
        model = lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.Linear(3, 1))
        optimizer = lib.optim.SGD(model[0].named_parameters(), lr=0.1)
        optimizer.add_param_group({"params": list(model[1].named_parameters()), "lr": 0.5})
        state = optimizer.state_dict()
        again = lib.optim.SGD([{"params": model[0].named_parameters()}, {"params": model[1].named_parameters()}], lr=1)
        nameless = {**state, "param_groups": [{k: v for k, v in g.items() if k != "param_names"}
                                              for g in state["param_groups"]]}  # fmt: skip
        again.load_state_dict(nameless)
        return repr(optimizer), repr(again), state["param_groups"], again.state_dict()["param_groups"]

    assert run(tg) == run(torch)


def test_hooks_around_steps_and_states():
    def run(lib):
        said = []
        from_lib = __import__(f"{lib.__name__}.optim.optimizer", fromlist=["x"])
        p = lib.ones(2, requires_grad=True)
        optimizer = lib.optim.Adam([p], lr=0.1)
        say = lambda word: lambda *args: said.append((word, len(args), type(args[0]).__name__))
        handles = [
            optimizer.register_step_pre_hook(say("before")),
            optimizer.register_step_post_hook(say("after")),
            from_lib.register_optimizer_step_pre_hook(say("before all")),
            from_lib.register_optimizer_step_post_hook(say("after all")),
            optimizer.register_state_dict_pre_hook(say("reading")),
            optimizer.register_state_dict_post_hook(say("read")),
            optimizer.register_state_dict_pre_hook(say("first of all"), prepend=True),
            optimizer.register_load_state_dict_pre_hook(say("loading")),
            optimizer.register_load_state_dict_post_hook(say("loaded")),
        ]
        (p * 2).sum().backward()
        optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
        for handle in handles:
            handle.remove()
        optimizer.step()
        extra = optimizer.register_state_dict_post_hook(lambda o, s: {**s, "more": 1})
        said.append(optimizer.state_dict()["more"])
        extra.remove()
        changed = optimizer.register_step_pre_hook(lambda o, args, kwargs: ((args[0], lambda: 5), kwargs))
        said.append(optimizer.step(lambda: 4))
        changed.remove()
        optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
        with pytest.raises(RuntimeError, match="must return None or a tuple"):
            optimizer.step()
        return said

    assert run(tg) == run(torch)


def test_an_optimizer_of_ones_own():
    def run(lib):
        class Own(lib.optim.Optimizer):
            def __init__(self, params, lr):
                super().__init__(params, {"lr": lr})

            def step(self, closure=None):
                for group in self.param_groups:
                    for p in group["params"]:
                        if p.grad is not None:
                            self.state[p]["n"] = self.state[p].get("n", 0) + 1
                            p.data.add_(p.grad, alpha=-group["lr"])

        p = lib.ones(3, requires_grad=True)
        optimizer = Own([p], 0.1)
        seen = []
        optimizer.register_step_post_hook(lambda *args: seen.append(1))
        (p * p).sum().backward()
        optimizer.step()
        return p.detach().numpy().tolist(), len(seen), optimizer.state_dict(), repr(optimizer)

    assert run(tg) == run(torch)


def test_refusals():
    def run(lib):
        p = lib.ones(2, requires_grad=True)
        p.sum().backward()
        optimizer = lib.optim.SGD([p], lr=0.1)
        found = []
        for attempt in (
            lambda: lib.optim.SGD([], lr=1),
            lambda: lib.optim.SGD({p}, lr=1) and lib.optim.SGD([{"params": {p}}], lr=1),
            lambda: optimizer.add_param_group([p]),
            lambda: optimizer.add_param_group({"params": [p * 2]}),
            lambda: optimizer.load_state_dict({"state": {}, "param_groups": []}),
            lambda: optimizer.load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]}),
            lambda: lib.optim.LBFGS([{"params": [p]}, {"params": []}]),
            lambda: lib.optim.Optimizer([p], {}).step(),
            lambda: lib.optim.SGD([p], lr=0.1, momentum=0, nesterov=True),
            lambda: lib.optim.Adam([p], fused=True, foreach=True),
        ):
            with pytest.raises(Exception) as error:
                attempt()
            found.append(error.type)
        return found

    assert run(tg) == run(torch)


def test_retained_gradients_and_mixed_types():
    def run(lib):
        a = lib.ones(2, requires_grad=True)
        b = a * 3
        b.retain_grad()
        c = lib.full((3,), 2.0, dtype=lib.float64, requires_grad=True)
        optimizer = lib.optim.Adam([b, c], lr=0.01)
        ((b * b).sum() + (c**3).sum()).backward()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            optimizer.step()
        return b.detach().numpy(), c.detach().numpy()

    for got, want in zip(run(tg), run(torch), strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-7)


def test_zero_grad():
    p = tg.ones(2, requires_grad=True)
    optimizer = tg.optim.SGD([p], lr=0.1)
    (p * p).sum().backward()
    kept = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0, 0] == kept.tolist()
    optimizer.zero_grad()
    assert p.grad is None


def test_a_sparse_step_leaves_absent_rows_alone():
    rng = np.random.default_rng(0)
    table = rng.standard_normal((6, 3)).astype("f4")
    results = []
    for lib in (tg, torch):
        p = lib.tensor(table.copy()).requires_grad_()
        optimizer = lib.optim.SparseAdam([p], lr=0.1)
        for rows in ([0, 2, 2], [2, 5], [0]):
            optimizer.zero_grad()
            weight = lib.nn.functional.embedding(lib.tensor(rows), p, **({"sparse": True} if lib is torch else {}))
            (weight**2).sum().backward()
            optimizer.step()
        results.append([p.detach().numpy(), *(optimizer.state[p][k].numpy() for k in ("exp_avg", "exp_avg_sq"))])
    for got, want in zip(*results, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(results[0][0][[1, 3, 4]], table[[1, 3, 4]])


def test_other_parameters_for_a_while():
    def run(lib):
        p, q = lib.ones(2, requires_grad=True), lib.full((2,), 5.0, requires_grad=True)
        optimizer = lib.optim.Adam([p], lr=0.1)
        with pytest.raises(RuntimeError, match="requires initialized optimizer state"):
            with lib.optim.swap_in_optimizer_params_and_state(optimizer, {"p": q}, {}):
                pass
        (p * p).sum().backward()
        optimizer.step()
        state = copy.deepcopy(optimizer.state_dict())
        state["param_groups"][0]["lr"] = 0.5
        for bad in (3, {"state": {}}, {**state, "param_groups": []}, {**state, "state": {7: {}}}):
            with pytest.raises(RuntimeError):
                with lib.optim.swap_in_optimizer_params_and_state(optimizer, {"p": q}, bad):
                    pass
        (q * 3).sum().backward()
        with lib.optim.swap_in_optimizer_params_and_state(optimizer, {"p": q}, state):
            optimizer.step()
        optimizer.step()
        return [[t.detach().numpy() for t in (p, q, state["state"][0]["exp_avg"])]], optimizer.param_groups[0]["lr"]

    (got, rate), (want, other) = run(tg), run(torch)
    alike(got, want, 1e-6)
    assert rate == other


def test_every_optimizer_of_pytorch_is_here():
    assert set(torch.optim.__all__) <= set(tg.optim.__all__)
