"""PyTorch's own optimizer database, and the runs that tests of optimizers compare: one small problem under both."""

import copy

import numpy as np
import pytest

import tapegrad as tg

torch = pytest.importorskip("torch")
database = pytest.importorskip("torch.testing._internal.common_optimizers")

__all__ = ["INFOS", "OPTIONS", "STEPS", "Problem", "alike", "fitting", "ours", "theirs", "trajectory", "without_scalar"]

STEPS = 6
INFOS = {info.optim_cls.__name__: info for info in database.optim_db}
OPTIONS = [
    pytest.param(name, entry.kwargs, id=f"{name}-{entry.desc}")
    for name, info in INFOS.items()
    for entry in info.optim_inputs_func(device="cpu")
]


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
