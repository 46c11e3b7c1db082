"""Functions for the tests, made for either library."""

__all__ = ["cube", "make", "pairwise"]


def cube(lib):
    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x * x

    return Cube


def make(lib, forward, backward, setup=None):
    body = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    if setup is not None:
        body["setup_context"] = staticmethod(setup)
    return type("Made", (lib.autograd.Function,), body)


def pairwise(lib, **flags):
    def forward(ctx, x, y, k):
        ctx.save_for_backward(x, y)
        ctx.k = k
        for name, value in flags.items():
            getattr(ctx, name)(value)
        return x * y, x + y * k

    def backward(ctx, g, h):
        x, y = ctx.saved_tensors
        pairwise.seen = (g is None, h is None, ctx.needs_input_grad)
        a = y * g if g is not None else 0
        b = x * g if g is not None else 0
        return (a + h if h is not None else a), (b + h * ctx.k if h is not None else b), None

    return make(lib, forward, backward)
