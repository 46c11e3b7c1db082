"""What optimizers are beside their steps, against PyTorch: hooks, groups, names, refusals, classes of one's own."""

import copy
import warnings

import numpy as np
import pytest

import tapegrad as tg

from .optimizer_runs import alike

pytestmark = pytest.mark.parity
torch = pytest.importorskip("torch")


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
