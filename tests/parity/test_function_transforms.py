"""A Function inside of vmap and in forward mode, against PyTorch."""

import gc

import pytest

import tapegrad as tg

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


def _cube(lib, scale=1.0, **extra):
    """The cube times ``k``, and a second output; ``scale`` spoils jvp so that it can be told from the transpose."""

    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(x, k=1.0):
            return x**3 * k, x * k

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0])
            ctx.save_for_forward(inputs[0])
            ctx.k = inputs[1]

        @staticmethod
        def backward(ctx, a, b):
            (x,) = ctx.saved_tensors
            return a * 3 * x**2 * ctx.k + b * ctx.k, None

        @staticmethod
        def jvp(ctx, t, _):
            (x,) = ctx.saved_tensors
            return scale * t * 3 * x**2 * ctx.k, scale * t * ctx.k

    for name, value in extra.items():
        setattr(Cube, name, value)
    return Cube


def _row(lib, *shape):
    return lib.arange(1.0, 1 + float(torch.Size(shape).numel())).reshape(shape) / 4


def _flat(value):
    return [n for v in value for n in _flat(v)] if isinstance(value, (tuple, list)) else [value.tolist()]


def _alike(case):
    ours, theirs = _flat(case(tg)), _flat(case(torch))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(torch.tensor(a), torch.tensor(b), rtol=1e-5, atol=1e-6)


def _sum(pair):
    return pair[0].sum() + (pair[1] ** 2).sum()


GENERATED = {
    "vmap": lambda f, L: L.func.vmap(f)(_row(L, 4, 3)),
    "vmap of grad": lambda f, L: L.func.vmap(L.func.grad(lambda r: _sum(f(r))))(_row(L, 4, 3)),
    "grad of vmap": lambda f, L: L.func.grad(lambda x: _sum(L.func.vmap(f)(x)))(_row(L, 4, 3)),
    "grad of vmap of grad": lambda f, L: L.func.grad(
        lambda x: (L.func.vmap(L.func.grad(lambda r: _sum(f(r))))(x) ** 2).sum()
    )(_row(L, 4, 3)),
    "grad of vmap, unmapped": lambda f, L: L.func.grad(lambda x: _sum(L.func.vmap(lambda s: f(x * s))(_row(L, 4))))(
        _row(L, 3)
    ),
    "nested vmap": lambda f, L: L.func.grad(lambda x: _sum(L.func.vmap(L.func.vmap(f))(x)))(_row(L, 2, 3, 2)),
    "jacrev": lambda f, L: L.func.jacrev(lambda r: f(r)[0])(_row(L, 3)),
    "jacrev of jacrev": lambda f, L: L.func.jacrev(L.func.jacrev(lambda r: f(r)[0]))(_row(L, 3)),
    "backward": lambda f, L: (lambda x: L.autograd.grad(_sum(L.func.vmap(f)(x)), x))(_row(L, 4, 3).requires_grad_()),
}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_rule(name):
    _alike(lambda lib: GENERATED[name](lambda r: _cube(lib, generate_vmap_rule=True).apply(r, 2.0), lib))


def test_own_rule_is_used():
    def case(lib):
        seen = []

        def vmap(info, in_dims, x, k):
            seen.append([info.batch_size, info.randomness == "error", in_dims[1] is None])
            return tuple(100 * y for y in made.apply(x, k)), (in_dims[0], in_dims[0])

        made = _cube(lib, vmap=staticmethod(vmap))
        out = lib.func.vmap(made.apply, in_dims=(0, None))(_row(lib, 4, 3), 2.0)
        slope = lib.func.grad(lambda x: _sum(lib.func.vmap(lambda r: made.apply(r, 2.0))(x)))(_row(lib, 4, 3))
        assert seen == [[4, True, True]] * 2
        return [*out, slope]

    _alike(case)


def test_rules_that_do_not_fit():
    both = _cube(tg, generate_vmap_rule=True, vmap=staticmethod(lambda info, dims, x, k: (x, 0)))
    with pytest.raises(RuntimeError, match="not both"):
        tg.func.vmap(both.apply)(_row(tg, 2, 3))
    no_pair = _cube(tg, vmap=staticmethod(lambda info, dims, x, k: x))
    with pytest.raises(RuntimeError, match="out_dims"):
        tg.func.vmap(no_pair.apply)(_row(tg, 2, 3))


FORWARD = {
    "jvp": lambda f, L: L.func.jvp(lambda x: f(x)[0], (_row(L, 3),), (L.ones(3),)),
    "a chain": lambda f, L: L.func.jvp(lambda x: (f(x * 2)[0] * x).exp().sum(), (_row(L, 3) / 4,), (L.ones(3),)),
    "grad of jvp": lambda f, L: L.func.grad(
        lambda x: (L.func.jvp(lambda y: f(y)[0], (x,), (L.ones(3),))[1] ** 2).sum()
    )(_row(L, 3)),
    "jacfwd": lambda f, L: L.func.jacfwd(lambda x: f(x)[0] * x)(_row(L, 3)),
}


@pytest.mark.parametrize("name", FORWARD)
def test_jvp_serves_forward_mode(name):
    """Its derivatives are ten times too large, so that it can be told from the transpose of the backward."""
    _alike(lambda lib: FORWARD[name](_cube(lib, scale=10.0, generate_vmap_rule=True).apply, lib))


def test_jvp_alone_is_transposed():
    made = _cube(tg, backward=tg.autograd.Function.backward)
    x = _row(tg, 3).requires_grad_()
    (slope,) = tg.autograd.grad(_sum(made.apply(x, 2.0)), x, create_graph=True)
    assert tg.allclose(slope, 6 * x**2 + 8 * x)
    assert tg.allclose(tg.autograd.grad(slope.sum(), x)[0], 12 * x + 8)


def test_what_jvp_returns_is_checked():
    made = _cube(tg, jvp=staticmethod(lambda ctx, t, _: t))
    with pytest.raises(RuntimeError, match="1 tangents for 2 outputs"):
        tg.func.jvp(lambda x: made.apply(x)[0], (_row(tg, 3),), (tg.ones(3),))
    made = _cube(tg, jvp=staticmethod(lambda ctx, t, _: (t[:2], t)))
    with pytest.raises(RuntimeError, match="tangent 0"):
        tg.func.jvp(lambda x: made.apply(x)[0], (_row(tg, 3),), (tg.ones(3),))


def test_keyword_arguments_take_their_places():
    def case(lib):
        class Scale(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x, k=2.0):
                ctx.k = k
                return x * k

            @staticmethod
            def backward(ctx, g):
                return g * ctx.k, None

        x = _row(lib, 3).requires_grad_()
        Scale.apply(x, k=5.0).sum().backward()
        with pytest.raises(TypeError):
            Scale.apply(x, nothing=5.0)
        return [x.grad]

    _alike(case)


def test_an_argument_by_name_only_is_refused():
    class Scale(tg.autograd.Function):
        @staticmethod
        def forward(x, *, k=2.0):
            return x * k

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

    with pytest.raises(TypeError, match="by name only"):
        Scale.apply(tg.ones(2), k=3.0)


def test_saved_outputs_and_levels_make_no_cycles():
    class Two(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            out = x * 1, x * 2
            ctx.save_for_backward(*out)
            return out

    def once():
        Two.apply(tg.ones(3, requires_grad=True))
        tg.func.hessian(lambda x: (x**3).sum())(tg.ones(3))
        x, y = tg.ones(3, requires_grad=True), tg.ones(3, requires_grad=True)
        tg.autograd.graph.register_multi_grad_hook([x, y], lambda grads: None)
        (x * y).sum().backward()

    once()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(20):
            once()
        assert len(gc.get_objects()) - before < 20
    finally:
        gc.enable()
