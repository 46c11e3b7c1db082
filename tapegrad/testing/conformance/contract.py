"""What the engine asks of a backend beside its primitives: memory, devices, numbers, refusals, training."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import backends, nn, optim
from ...autograd import RULES, P
from ...autograd.tensor import wrap
from .running import close, device_under_test, host, noise, quiet

__all__ = [
    "check_devices", "check_in_place", "check_memory", "check_numbers", "check_refusals", "check_table",
    "check_training", "check_transfers",
]  # fmt: skip

# Numbers that change nothing, which a kernel must not take for an invitation to return its input.
NEUTRAL = {"add": 0.0, "sub": 0.0, "mul": 1.0, "div": 1.0, "pow": 1.0, "maximum": 0.0, "minimum": 2.0}
OTHER_TYPES = ("int64", "int32", "uint8", "bool")


def check_table(backend: str) -> None:
    """The backend is what it was registered as, has every primitive, and tells its versions and settings."""
    made = backends.get(backend)
    assert made.name == backend, f"registered as '{backend}', but its attribute `name` is '{made.name}'"
    missing = [name for name in RULES if not callable(getattr(made, name, None))]
    assert not missing, f"backend '{backend}' lacks the primitives {missing}"
    assert isinstance(made.ndarray, type), f"`ndarray` must be the class of the backend's arrays, not {made.ndarray!r}"
    for what in ("versions", "settings"):
        told = getattr(made, what)()
        assert all(type(x) is str for pair in told.items() for x in pair), f"{what}() must map words to words: {told!r}"
    made.synchronize()


def check_transfers(backend: str, dtype: str) -> None:
    """Arrays come from the host and go back unchanged, whatever their type, shape and layout."""
    with quiet(backend) as running:
        for kind in (dtype, *OTHER_TYPES):
            whole = (noise((4, 6), 3) * 256).astype(np.int64).astype(kind)
            for array in (whole, whole[0], whole[:0], whole[::2, ::3], whole.T, whole[::-1], np.array(whole[1, 1])):
                what = f"a {kind} array of shape {array.shape}, sent to '{backend}'"
                sent = running.from_host(array.copy(order="K"))
                assert type(sent) is running.ndarray, f"{what}: is a {type(sent).__name__} there"
                back = running.to_host(sent)
                assert type(back) is np.ndarray, f"{what} and back: is a {type(back).__name__}"
                assert back.dtype == array.dtype, f"{what} and back: has dtype {back.dtype}"
                np.testing.assert_array_equal(back, array, err_msg=f"{what} and back")
        sent_from = np.ones(3, dtype)
        sent = running.from_host(sent_from)
        sent_from[:] = 2
        if running.device_type != "cpu":
            back = running.to_host(sent)
            assert (back == 1).all(), f"from_host on '{backend}' shares memory with the host's array"
            if back.flags.writeable:
                back[:] = 3
            assert (running.to_host(sent) == 1).all(), f"to_host on '{backend}' shares memory with the host's array"


def check_memory(backend: str, dtype: str) -> None:
    """``owned``, ``shares``, ``assign``, ``accumulate`` and ``normal`` tell and do what the engine relies on."""
    with quiet(backend) as running:
        base = running.from_host(noise((4, 3), 4).astype(dtype))
        copy, row = running.copy(base), running.slice(base, (slice(1, 2),))
        assert running.owned(copy), "owned: says that a copy has no memory of its own"
        assert not running.owned(row), "owned: says that a view has memory of its own"
        assert running.shares(row, base), "shares: says that a view does not share its base's memory"
        assert not running.shares(copy, base), "shares: says that a copy shares the original's memory"
        want = noise((4, 3), 4).copy()
        running.assign(row, running.from_host(np.full((1, 3), 7, dtype)))
        want[1] = 7
        close(running.to_host(base), want, dtype, 0, 0, "assign through a view")
        given = running.from_host(noise((1, 3), 5).astype(dtype))
        running.accumulate(row, given)
        want[1] += noise((1, 3), 5)[0]
        close(running.to_host(base), want, dtype, 4, 0, "accumulate through a view")
        close(running.to_host(given), noise((1, 3), 5), dtype, 0, 0, "accumulate: the value added was written to")
        single = running.from_host(np.array(2, dtype))
        running.accumulate(single, running.from_host(np.array(3, dtype)))
        running.assign(single, running.add(single, running.from_host(np.array(1, dtype))))
        close(running.to_host(single), np.array(6.0), dtype, 0, 0, "accumulate and assign on a 0-d array")
        total = running.normal(running.sum(running.from_host(np.ones(3, dtype)), None, False))
        assert type(total) is running.ndarray, f"normal: gives a {type(total).__name__}"
        assert total.shape == (), f"normal: the sum of everything has shape {total.shape}"


def check_numbers(backend: str, dtype: str) -> None:
    """Python numbers as operands: they do not widen the type, zeros keep their sign, on either side."""
    with quiet(backend) as running:
        x = wrap(running.from_host(np.ones(2, dtype)), device_under_test(running))
        for number in (2, 2.5, 0.0, -0.0, 0, 1e-3, 1e30, float("inf"), float("nan"), True, 2.5, 0.0):
            for out in (P.mul(x, number), P.mul(number, x)):
                got, want = host(out), np.ones(2, dtype) * np.dtype(dtype).type(number)
                what = f"mul: {dtype} times the Python number {number!r} on '{backend}'"
                assert got.dtype == want.dtype, f"{what}: dtype {got.dtype}"
                np.testing.assert_array_equal(got, want, err_msg=what)
                assert (np.signbit(got) == np.signbit(want)).all() or np.isnan(number), f"{what}: wrong sign of zero"
        for name, number in NEUTRAL.items():
            for given in (number, wrap(running.from_host(np.array(number, dtype)), x._device)):
                out = getattr(P, name)(x, given)
                what = f"{name}: by {number!r} on '{backend}'"
                np.testing.assert_array_equal(host(out), host(x), err_msg=what)
                assert not running.shares(out._array, x._array), f"{what}: gives its input back, not a new array"


def check_devices(backend: str) -> None:
    """The backend serves its device, and a tensor there does not mix with one on the host."""
    with quiet(backend) as running:
        where = device_under_test(running)
        assert where.backend.name == backend, f"device '{where}' is run by '{where.backend.name}', not by '{backend}'"
        assert backends.default_device() is where, f"with '{backend}' in use, the default device is not {where}"
        if running.device_type == "cpu":
            return
        here, there = wrap(running.from_host(np.ones(2)), where), wrap(np.ones(2), backends.device_of("cpu"))
        _refused("add", lambda: P.add(here, there), (str(where), "cpu"))
        np.testing.assert_array_equal(host(P.transfer(here, where, there._device, False)), np.ones(2))


def check_refusals(backend: str) -> None:
    """Shapes that do not fit are refused with an error that names the primitive, never computed on."""
    with quiet(backend) as running:
        where = device_under_test(running)
        a, b, c = (wrap(running.from_host(np.ones(s)), where) for s in ((2, 3), (4,), (2, 4)))
        cases = {
            "add": (a, b), "maximum": (a, c), "matmul": (a, c), "linear": (a, c, None, None), "reshape": (a, (4,)),
            "expand": (a, (5, 3)), "slice": (a, (7,)), "cat": ([a, c], 0), "stack": ([a, c], 0),
        }  # fmt: skip
        for name, given in cases.items():
            told = "index" if name == "slice" else name
            _refused(told, lambda name=name, given=given: getattr(P, name)(*given))


def _refused(name: str, call: Any, words: tuple[str, ...] = ()) -> None:
    try:
        out = call()
    except (RuntimeError, IndexError, TypeError) as error:
        text = str(error)
    else:
        raise AssertionError(f"{name}: operands that do not fit are not refused; the result is {host(out)!r}")
    assert all(word in text for word in (name, *words)), f"{name}: the error does not name {(name, *words)}: {text}"


def check_in_place(backend: str, dtype: str) -> None:
    """Writes through views reach the base, and gradients go through them."""
    with quiet(backend) as running:
        start = noise((2, 3), 6).astype(dtype)
        w = wrap(running.from_host(start.copy()), device_under_test(running)).requires_grad_()
        y = w * 2
        y[0].mul_(3)
        y[:, 1] = 0
        (y * y).sum().backward()
        slopes = np.array([[72, 0, 72], [8, 0, 8]])
        close(host(y), start * slopes / np.array([[12], [4]]), dtype, 4, 0, "writes through views of a result")
        close(host(w.grad), start * slopes, dtype, 4, 0, "the gradient through writes to views")
        w.grad = None
        z, c = w * 2, noise((3, 2), 8)
        z.reshape(-1)[::2].mul_(3)
        (z.t() * wrap(running.from_host(c.astype(dtype)), w.device)).sum().backward()  # the cotangent comes transposed
        want = c.T * np.array([[6, 2, 6], [2, 6, 2]])
        close(host(w.grad), want, dtype, 4, 0, "the gradient, in another layout, through a write to a view")


def check_training(backend: str, dtype: str) -> None:
    """A small network trains to the losses that it has on NumPy in float64."""
    found, want = _losses(backend, dtype), _losses("numpy", "float64")
    rtol = 1e-9 if dtype == "float64" else 1e-3
    np.testing.assert_allclose(found, want, rtol=rtol, err_msg=f"losses of ten steps on '{backend}' in {dtype}")
    assert want[-1] < 0.5 * want[0], "the network does not learn"


def _losses(backend: str, dtype: str) -> list[float]:
    with quiet(backend) as running:
        where = device_under_test(running)

        def fixed(*shape: int) -> Any:
            return wrap(running.from_host(noise(shape, 7).astype(dtype)), where)

        model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
        for p in model.parameters():
            p.data = fixed(*p.shape)
        optimizer = optim.Adam(model.parameters(), lr=0.05, weight_decay=0.01)
        x, y = fixed(16, 3), fixed(16, 1)
        losses = []
        for _ in range(10):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses
