"""The rows of ``bench.peers`` that JAX, HIPS autograd, MyGrad and tinygrad can express, each in its own style.

A step of training is the one of ``bench.workloads``: the same sizes, losses and Adam. JAX and tinygrad compile the
whole step; HIPS autograd and MyGrad run it operation by operation, with Adam in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from workloads import networks

__all__ = ["build"]

Run = Callable[[], Any]
RATE, BETA1, BETA2, EPS = 0.001, 0.9, 0.999, 1e-8


def build(library: str, what: str, details: Any) -> Run:
    """What is to be timed.

    Args:
        library: "jax", "autograd", "mygrad" or "tinygrad".
        what: "step", "activation" or "chain".
        details: of a step the network and the element type; of an activation its name and the number of elements; of
            a chain its length.

    Raises:
        LookupError: the library has no such thing.
    """
    return {"jax": _jax, "autograd": _hips, "mygrad": _mygrad, "tinygrad": _tinygrad}[library](what, details)


def _data(network: str, dtype: str) -> tuple[list[Any], Any, Any, bool]:
    """Weights and biases in turn, the batch, its targets, and whether it is classified."""
    sizes, rows, classify = networks()[network]
    rng = np.random.default_rng(0)
    params = []
    for wide, narrow in pairwise(sizes):
        bound = wide**-0.5
        params += [rng.uniform(-bound, bound, (wide, narrow)).astype(dtype)]
        params += [rng.uniform(-bound, bound, narrow).astype(dtype)]
    x = rng.standard_normal((rows, sizes[0])).astype(dtype)
    if classify:
        return params, x, rng.integers(0, sizes[-1], rows), True
    return params, x, rng.standard_normal((rows, sizes[-1])).astype(dtype), False


def _loss(xp: Any, params: Any, x: Any, y: Any, classify: bool, hot: Any = None) -> Any:
    """The loss of the network over a namespace like NumPy's; ``hot`` are the targets as rows of zeros and a one."""
    h = x
    for i in range(0, len(params), 2):
        h = xp.matmul(h, params[i]) + params[i + 1]
        h = xp.maximum(h, 0) if i + 2 < len(params) else h
    if not classify:
        return xp.mean((h - y) ** 2)
    h = h - xp.max(h, axis=1, keepdims=True)
    return xp.mean(xp.log(xp.sum(xp.exp(h), axis=1)) - xp.sum(h * hot, axis=1))


def _hot(y: Any, width: int, dtype: str) -> Any:
    return np.eye(width, dtype=dtype)[y]


def _activation(xp: Any, name: str) -> Callable[[Any], Any]:
    return {"relu": lambda x: xp.maximum(x, 0), "sigmoid": lambda x: 1 / (1 + xp.exp(-x)), "tanh": xp.tanh}[name]


def _chained(xp: Any, x: Any, length: int) -> Any:
    a, b = np.full(8, 0.9, np.float32), np.full(8, 0.1, np.float32)
    for _ in range(length // 5):
        x = xp.tanh((x * a + b) * 1.01 - b)
    return xp.sum(x)


def _jax(what: str, details: Any) -> Run:
    import jax
    import jax.numpy as jnp

    if what == "step":
        network, dtype = details
        jax.config.update("jax_enable_x64", dtype == "float64")
        params, x, y, classify = _data(network, dtype)
        hot = _hot(y, len(params[-1]), dtype) if classify else None
        slopes = jax.value_and_grad(lambda p: _loss(jnp, p, x, y, classify, hot))

        @partial(jax.jit, donate_argnums=(0, 1, 2))
        def update(params: Any, firsts: Any, seconds: Any, n: Any) -> Any:
            loss, grads = slopes(params)
            firsts = [m + (1 - BETA1) * (g - m) for m, g in zip(firsts, grads)]
            seconds = [BETA2 * v + (1 - BETA2) * g * g for v, g in zip(seconds, grads)]
            root = (1 - BETA2**n) ** 0.5
            params = [
                p - RATE / (1 - BETA1**n) * m / (jnp.sqrt(v) / root + EPS)
                for p, m, v in zip(params, firsts, seconds)
            ]  # fmt: skip
            return loss, params, firsts, seconds

        held = [list(map(jnp.asarray, params)), *[[jnp.zeros(p.shape, p.dtype) for p in params] for _ in range(2)]]
        count = 0

        def step() -> Any:
            nonlocal count
            count += 1
            loss, *held[:] = update(*held, float(count))
            return loss.block_until_ready()

        return step
    if what == "activation":
        name, size = details
        x = jnp.asarray(np.random.default_rng(0).standard_normal(size).astype(np.float32))

        @jax.jit
        def both(x: Any, g: Any) -> Any:
            y, back = jax.vjp(_activation(jnp, name), x)
            return y, back(g)

        return lambda: jax.block_until_ready(both(x, x))
    whole = jax.jit(jax.value_and_grad(lambda x: _chained(jnp, x, details)))
    start = jnp.ones(8)
    return lambda: jax.block_until_ready(whole(start))


def _adam(params: list[Any], grads: list[Any], firsts: list[Any], seconds: list[Any], n: int) -> None:
    for p, g, m, v in zip(params, grads, firsts, seconds):
        m += (1 - BETA1) * (g - m)
        v *= BETA2
        v += (1 - BETA2) * g * g
        p -= RATE / (1 - BETA1**n) * m / (np.sqrt(v) / (1 - BETA2**n) ** 0.5 + EPS)


def _hips(what: str, details: Any) -> Run:
    import autograd.numpy as anp

    import autograd

    if what == "step":
        params, x, y, classify = _data(*details)
        hot = _hot(y, len(params[-1]), details[1]) if classify else None
        slopes = autograd.value_and_grad(lambda p: _loss(anp, p, x, y, classify, hot))
        firsts, seconds = ([np.zeros_like(p) for p in params] for _ in range(2))
        count = 0

        def step() -> Any:
            nonlocal count
            count += 1
            loss, grads = slopes(params)
            _adam(params, grads, firsts, seconds, count)
            return loss

        return step
    if what == "activation":
        name, size = details
        x = np.random.default_rng(0).standard_normal(size).astype(np.float32)

        def both() -> Any:
            back, out = autograd.make_vjp(_activation(anp, name))(x)
            return back(x), out

        return both
    whole, start = autograd.value_and_grad(lambda x: _chained(anp, x, details)), np.ones(8, np.float32)
    return lambda: whole(start)


def _mygrad(what: str, details: Any) -> Run:
    import mygrad

    if what == "step":
        arrays, x, y, classify = _data(*details)
        hot = _hot(y, len(arrays[-1]), details[1]) if classify else None
        params = [mygrad.tensor(p) for p in arrays]
        firsts, seconds = ([np.zeros_like(p) for p in arrays] for _ in range(2))
        count = 0

        def step() -> Any:
            nonlocal count
            count += 1
            loss = _loss(mygrad, params, x, y, classify, hot)
            loss.backward()
            _adam([p.data for p in params], [p.grad for p in params], firsts, seconds, count)
            return loss

        return step
    if what == "activation":
        name, size = details
        x = mygrad.tensor(np.random.default_rng(0).standard_normal(size).astype(np.float32))
        return lambda: _activation(mygrad, name)(x).backward(x.data)
    start = mygrad.tensor(np.ones(8, np.float32))
    return lambda: _chained(mygrad, start, details).backward()


def _tinygrad(what: str, details: Any) -> Run:
    from tinygrad import Tensor, TinyJit
    from tinygrad.helpers import Context
    from tinygrad.nn.optim import Adam

    try:
        Tensor([0.0]).realize()
    except RuntimeError as error:  # it compiles with what it finds on the machine
        raise LookupError(f"tinygrad cannot compute here: {error}") from None
    if what == "step":
        network, dtype = details
        arrays, x, y, classify = _data(network, dtype)
        params = [Tensor(p).is_param_() for p in arrays]
        optimizer, batch, targets = Adam(params, lr=RATE), Tensor(x), Tensor(y)

        @TinyJit
        def step() -> Any:
            optimizer.zero_grad()
            h = batch
            for i in range(0, len(params), 2):
                h = h @ params[i] + params[i + 1]
                h = h.relu() if i + 2 < len(params) else h
            loss = h.sparse_categorical_crossentropy(targets) if classify else (h - targets).square().mean()
            loss.backward()
            return loss.realize(*optimizer.schedule_step())

        def run() -> Any:
            with Context(TRAINING=1):
                return step().item()

        return run
    raise LookupError("tinygrad compiles whole steps; only those are compared")
