"""Limited-memory BFGS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...autograd import PUBLIC, Tensor, enable_grad, no_grad
from ...autograd.ops.complex import view_as_real
from ...autograd.ops.factories import zeros_like
from .checks import check_lr
from .optimizer import Optimizer
from .strong_wolfe import search

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """A quasi-Newton method that needs the last few gradients only (Liu and Nocedal, 1989).

    One call of ``step`` runs up to ``max_iter`` iterations, each of which calls the closure at least once.

    Args:
        params: tensors, in one group.
        lr: the length of a step without line search, the first length tried with one.
        max_iter: the largest number of iterations of a step.
        max_eval: the largest number of calls of the closure; 1.25 times ``max_iter`` where None.
        tolerance_grad: a step ends where no number of the gradient is larger.
        tolerance_change: a step ends where neither a parameter nor the loss changes by more.
        history_size: how many gradients are kept.
        line_search_fn: ``"strong_wolfe"`` or None.

    Raises:
        ValueError: an option out of range, or more than one group. RuntimeError (at the step): another line search.
    """

    _numbers = ()

    def __init__(
        self, params: Iterable[Any], lr: float = 1, max_iter: int = 20, max_eval: int | None = None,
        tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        check_lr(lr)
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        })  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self) -> list[Tensor]:
        return self.param_groups[0]["params"]

    def _gradient(self) -> Tensor:
        """All gradients as one vector; complex ones as pairs."""
        parts = []
        for p in self._params:
            grad = zeros_like(p) if p.grad is None else p.grad
            parts.append((view_as_real(grad) if grad.is_complex() else grad).reshape(-1))
        return PUBLIC["cat"](parts, 0).detach().clone()

    def _go(self, t: float, direction: Tensor) -> None:
        """Move the parameters by ``t`` times a vector."""
        start = 0
        for p in self._params:
            part = view_as_real(p) if p.is_complex() else p
            part.add_(direction[start : start + part.numel()].reshape(part.shape), alpha=t)
            start += part.numel()

    @no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:
        """Minimise the loss along several directions.

        Args:
            closure: forgets the gradients, computes the loss and its gradients, and returns the loss.

        Returns:
            The loss before the step.
        """
        group, state = self.param_groups[0], self.state[self._params[0]]
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError(f"only 'strong_wolfe' is supported as line_search_fn, not {group['line_search_fn']!r}")
        run = enable_grad()(closure)
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = run()
        state["func_evals"] += 1
        grad = self._gradient()
        if float(grad.abs().max()) > group["tolerance_grad"]:
            self._minimise(run, float(first), grad)
        return first

    def _minimise(self, run: Callable[[], Any], loss: float, grad: Tensor) -> None:
        group, state = self.param_groups[0], self.state[self._params[0]]
        lr, smallest = float(group["lr"]), group["tolerance_change"]
        calls = 1
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = state["d"] = self._direction(state, grad, group["history_size"])
            state["prev_flat_grad"], state["prev_loss"] = grad.clone(), loss
            t = lr if state["n_iter"] > 1 else min(1.0, 1.0 / float(grad.abs().sum())) * lr
            slope = float(grad.dot(direction))
            state["t"] = t
            if slope > -smallest:
                break
            last, used = loss, 0
            if group["line_search_fn"] is None:
                self._go(t, direction)
                if iteration < group["max_iter"]:
                    loss, grad, used = float(run()), self._gradient(), 1
            else:
                most = group["max_eval"] - calls
                loss, grad, t, used = search(
                    self._along(run, direction), direction, t, loss, grad, slope, 1e-9, most
                )  # fmt: skip
                self._go(t, direction)
                state["t"] = t
            calls += used
            state["func_evals"] += used
            if (
                calls >= group["max_eval"]
                or float(grad.abs().max()) <= group["tolerance_grad"]
                or float((direction * t).abs().max()) <= smallest
                or abs(loss - last) < smallest
            ):
                break

    def _along(self, run: Callable[[], Any], direction: Tensor) -> Callable[[float], tuple[float, Tensor]]:
        """Loss and gradient at a distance along a direction; the parameters come back after each look."""
        start = [p.clone() for p in self._params]

        def at(t: float) -> tuple[float, Tensor]:
            self._go(t, direction)
            loss = float(run())
            grad = self._gradient()
            for p, before in zip(self._params, start, strict=True):
                p.copy_(before)
            return loss, grad

        return at

    def _direction(self, state: dict[str, Any], grad: Tensor, most: int) -> Tensor:
        """Remember the last step, and multiply the gradient by the inverse Hessian as the memory knows it."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return -grad
        changes, steps, inverses = state["old_dirs"], state["old_stps"], state["ro"]
        change, step = grad - state["prev_flat_grad"], state["d"] * float(state["t"])
        product = float(change.dot(step))
        if product > 1e-10:
            if len(changes) == most:
                for memory in (changes, steps, inverses):
                    memory.pop(0)
            changes.append(change)
            steps.append(step)
            inverses.append(1 / product)
            state["H_diag"] = product / float(change.dot(change))
        shares = state.setdefault("al", [None] * most)
        q = -grad
        for i in reversed(range(len(changes))):
            shares[i] = float(steps[i].dot(q)) * float(inverses[i])
            q.add_(changes[i], alpha=-shares[i])
        q = q * float(state["H_diag"])
        for i in range(len(changes)):
            q.add_(steps[i], alpha=shares[i] - float(changes[i].dot(q)) * float(inverses[i]))
        return q
