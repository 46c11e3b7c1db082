"""Complex numbers against PyTorch: values, gradients of first and second order, in place, and what is refused."""

import numpy as np
import pytest

import tapegrad as tg

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

RNG = np.random.default_rng(0)
A, B = (RNG.standard_normal((3, 4)) + 1j * RNG.standard_normal((3, 4)) for _ in range(2))

ELEMENTWISE = (
    "abs acos acosh angle asin asinh atan atanh conj cos cosh exp expm1 log log10 log1p log2 neg reciprocal rsqrt sgn "
    "sigmoid sin sinh sqrt square tan tanh"
).split()

PROGRAMS = {
    "add": lambda t, a, b: a + b,
    "sub": lambda t, a, b: a - b,
    "mul": lambda t, a, b: a * b,
    "div": lambda t, a, b: a / b,
    "pow": lambda t, a, b: a**b,
    "pow 3": lambda t, a, b: a**3,
    "pow 2": lambda t, a, b: a**2,
    "pow 1/2": lambda t, a, b: a**0.5,
    "pow 0": lambda t, a, b: a**0,
    "2 pow": lambda t, a, b: 2.0**a,
    "by a number": lambda t, a, b: a * (2 + 1j),
    "1 over": lambda t, a, b: 1 / a,
    "real": lambda t, a, b: a.real,
    "imag": lambda t, a, b: a.imag,
    "conj times": lambda t, a, b: a.conj() * b,
    "size squared": lambda t, a, b: (a * a.conj()).real,
    "sum": lambda t, a, b: a.sum(1),
    "mean": lambda t, a, b: a.mean(0),
    "prod": lambda t, a, b: a.prod(1),
    "cumsum": lambda t, a, b: a.cumsum(1),
    "var": lambda t, a, b: a.var(1),
    "std": lambda t, a, b: a.std(0),
    "norm": lambda t, a, b: t.norm(a),
    "matmul": lambda t, a, b: a @ b.T,
    "matrix and vector": lambda t, a, b: a @ b[0],
    "adjoint": lambda t, a, b: t.adjoint(a) @ b,
    "H": lambda t, a, b: a @ b.H,
    "mH": lambda t, a, b: a @ b.mH,
    "outer": lambda t, a, b: t.outer(a[0], b[1]),
    "dot": lambda t, a, b: t.dot(a[0], b[1]),
    "linear": lambda t, a, b: t.nn.functional.linear(a, b),
    "index": lambda t, a, b: a[[0, 2, 2], 1:],
    "gather": lambda t, a, b: a.gather(1, t.tensor([[0, 1], [1, 1], [2, 0]])),
    "cat": lambda t, a, b: t.cat([a, b]),
    "stack": lambda t, a, b: t.stack([a, b]),
    "where": lambda t, a, b: t.where(a.real > 0, a, b),
    "flip": lambda t, a, b: a.flip(0),
    "tril": lambda t, a, b: a.tril(),
    "expand": lambda t, a, b: a[:, None].expand(3, 2, 4) * b[:, None],
    "diagonal": lambda t, a, b: a.diagonal(),
    "roll": lambda t, a, b: a.roll(1, 0),
    "lerp": lambda t, a, b: t.lerp(a, b, 0.3),
    "addcmul": lambda t, a, b: t.addcmul(a, b, a, value=1j),
    "view_as_real": lambda t, a, b: t.view_as_real(a),
    "view_as_complex": lambda t, a, b: t.view_as_complex(t.view_as_real(a) * 2),
    "softmax of parts": lambda t, a, b: t.view_as_real(a).softmax(-1),
    "complex": lambda t, a, b: t.complex(a.real * b.imag, a.abs()),
    "polar": lambda t, a, b: t.polar(a.abs(), b.angle()),
    "real beside complex": lambda t, a, b: a + b.real,
    "complex beside real": lambda t, a, b: a.imag * b,
    "cast": lambda t, a, b: a.real.to(a.dtype) * b,
    "mul_": lambda t, a, b: _after(a * 1, lambda c: c.mul_(b)),
    "real.mul_": lambda t, a, b: _after(a * 1, lambda c: c.real.mul_(2)),
    "imag.copy_": lambda t, a, b: _after(a * 1, lambda c: c.imag.copy_(b.real)),
    "imag =": lambda t, a, b: _after(a * 1, lambda c: setattr(c, "imag", b.abs())),
    "setitem": lambda t, a, b: _after(a * 1, lambda c: c.__setitem__((0,), b[0])),
    "sgn twice": lambda t, a, b: a.sgn() * b.sgn(),
}
PROGRAMS |= {name: lambda t, a, b, name=name: getattr(t, name)(a) for name in ELEMENTWISE}


def _after(c, change):
    change(c)
    return c


def _orders(t, program, dtype):
    """The result, the gradients, those of a plain backward, and gradients of the gradients."""
    a, b = (t.tensor(x, dtype=getattr(t, dtype)).requires_grad_() for x in (A, B))

    def loss():
        y = program(t, a, b)
        weight = t.tensor(np.random.default_rng(1).standard_normal(tuple(y.shape)))
        total = (y * weight.to((y.real if y.is_complex() else y).dtype)).sum()
        return y, (total * (1 + 0.5j)).real if total.is_complex() else total

    y, total = loss()
    first = t.autograd.grad(total, [a, b], create_graph=True, allow_unused=True)
    loss()[1].backward()
    bent = [g for g in first if g is not None and g.requires_grad]
    second = t.autograd.grad(sum((g.abs() ** 2).sum() for g in bent), [a, b], allow_unused=True) if bent else ()
    return [y, *first, a.grad, b.grad, *second]


@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name, dtype):
    theirs, ours = (_orders(t, PROGRAMS[name], dtype) for t in (torch, tg))
    tolerance = 1e-9 if dtype == "complex128" else 2e-4
    for p, q in zip(theirs, ours, strict=False):
        if p is None or q is None:  # what has no gradient may be None here and zeros there
            assert not any(x.detach().abs().sum() for x in (p, q) if x is not None)
            continue
        p, q = p.detach().resolve_conj().numpy(), q.detach().numpy()
        assert p.dtype == q.dtype
        np.testing.assert_allclose(q, p, rtol=tolerance, atol=tolerance)


def test_parts_are_views():
    z = tg.tensor(A)
    z.real.zero_()
    assert np.array_equal(z.numpy().real, np.zeros(A.shape))
    z.imag = tg.ones(4, dtype=tg.float64)
    assert np.array_equal(z.numpy(), 1j * np.ones(A.shape))
    tg.view_as_real(z)[..., 1] = 3.0
    assert (z == 3j).all()
    pairs = tg.zeros(2, 2)
    tg.view_as_complex(pairs).fill_(1 + 2j)
    assert pairs.tolist() == [[1.0, 2.0], [1.0, 2.0]]


@pytest.mark.parametrize("x", [[-2.0, 0.0, 3.0, float("nan"), float("inf"), -float("inf")], [-1, 0, 2], [True, False]])
def test_angle_of_real_numbers(x):
    p, q = torch.angle(torch.tensor(x)), tg.angle(tg.tensor(x))
    np.testing.assert_array_equal(q.numpy(), p.numpy())
    assert str(q.dtype).split(".")[1] == str(p.dtype).split(".")[1]


def test_gradients_at_zero():
    for name in ("abs", "sgn", "angle"):
        found = []
        for t in (torch, tg):
            z = t.zeros(2, dtype=t.complex64).requires_grad_()
            y = getattr(t, name)(z)
            (y.real if y.is_complex() else y).sum().backward()
            found.append(z.grad.numpy())
        np.testing.assert_array_equal(found[1], found[0], err_msg=name)


REFUSED = {
    "imag of real": lambda t: t.ones(2).imag,
    "view_as_real of real": lambda t: t.view_as_real(t.ones(2)),
    "view_as_complex of three": lambda t: t.view_as_complex(t.ones(2, 3)),
    "view_as_complex of integers": lambda t: t.view_as_complex(t.ones(2, 2, dtype=t.int64)),
    "view_as_complex with gaps": lambda t: t.view_as_complex(t.ones(2, 3).T),
    "complex of two types": lambda t: t.complex(t.ones(2), t.ones(2, dtype=t.float64)),
    "less": lambda t: t.tensor([1j]) < t.tensor([2j]),
    "max": lambda t: t.tensor([1j, 2.0]).max(),
    "relu": lambda t: t.relu(t.tensor([1j])),
    "floor": lambda t: t.floor(t.tensor([1j])),
    "clamp": lambda t: t.tensor([1j]).clamp(0, 1),
    "backward without a gradient": lambda t: (t.ones(1, dtype=t.complex64, requires_grad=True) * 2).sum().backward(),
    "into a real tensor": lambda t: t.ones(2).add_(t.tensor([1j, 2j])),
    "abs_": lambda t: t.tensor([1j]).abs_(),
    "H of a stack": lambda t: t.ones(2, 2, 2).H,
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    for t in (torch, tg):
        with pytest.raises((RuntimeError, TypeError)):
            REFUSED[name](t)


def test_the_kernel_of_view_as_real_reads_nothing_beyond_real_numbers():
    with pytest.raises((RuntimeError, TypeError), match="view_as_real"):
        tg.autograd.P.view_as_real(tg.ones(3))


def test_adam_sees_the_parts():
    """Complex parameters are optimised as pairs of real ones."""
    found = []
    for t in (torch, tg):
        z = t.tensor(A).requires_grad_()
        optimizers = [t.optim.SGD([z], lr=0.1, momentum=0.9), t.optim.Adam([z], lr=0.1), t.optim.RMSprop([z], lr=0.01)]
        for optimizer in optimizers:
            for _ in range(3):
                optimizer.zero_grad()
                ((z * z.conj()).real ** 2).sum().backward()
                optimizer.step()
        found.append(z.detach().numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9)
