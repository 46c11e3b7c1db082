"""`autograd.grad`, and the modes."""

from ..scenarios.table import leaf, number, tensor
from .tape_programs import Programs, attempt

program = Programs()


# grad


@program
def unused_inputs(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    z = (x * x).sum()
    return (
        attempt(lambda: lib.autograd.grad(z, [x, y], retain_graph=True)),
        lib.autograd.grad(z, [x, y], retain_graph=True, allow_unused=True),
        lib.autograd.grad(z, [x, y], retain_graph=True, materialize_grads=True),
        lib.autograd.grad(z, [x, y], retain_graph=True, materialize_grads=True, allow_unused=True),
        attempt(lambda: lib.autograd.grad(z, [x, y], materialize_grads=True, allow_unused=False)),
    )


@program
def zeros_for_unused_inputs_are_plain(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    found = lib.autograd.grad((x * x).sum(), [x, y], create_graph=True, materialize_grads=True)
    return [g.requires_grad for g in found], found


@program
def inputs_without_gradient(lib):
    x, y = leaf(lib, 1, 2), tensor(lib, 3, 4)
    z = (x * y).sum()
    return (
        attempt(lambda: lib.autograd.grad(z, y, allow_unused=True)),
        attempt(lambda: lib.autograd.grad(z, [x, y], materialize_grads=True)),
    )


@program
def duplicated_inputs(lib):
    x = leaf(lib, 1, 2)
    y = x * x
    return lib.autograd.grad(y.sum(), [x, x, y, x])


@program
def duplicated_inputs_share_no_memory(lib):
    x = leaf(lib, 1, 2)
    a, b = lib.autograd.grad((x * x).sum(), [x, x])
    return a, b


@program
def duplicated_outputs(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    return lib.autograd.grad([y, y], x)


@program
def an_input_that_is_an_output(lib):
    x = leaf(lib, 1, 2)
    y = x * x
    g = tensor(lib, 3, 4)
    return lib.autograd.grad([x, y], [x, y], [g, g]), lib.autograd.grad(x, x, g), lib.autograd.grad(y, y, g)


@program
def an_input_that_is_a_part_of_an_output(lib):
    x = leaf(lib, 1, 2)
    y = x * x
    z = y * 3
    return lib.autograd.grad([z.sum(), y.sum()], [y, x], retain_graph=True), lib.autograd.grad(z.sum(), z)


@program
def cotangents_in_lists(lib):
    x = leaf(lib, 1, 2)
    v = tensor(lib, 1, 10)
    return (
        lib.autograd.grad(x * x, x, v), lib.autograd.grad([x * x], [x], [v]), lib.autograd.grad((x * x,), (x,), (v,)),
        lib.autograd.grad([x * x, x.sum()], x, [v, None]),
        attempt(lambda: lib.autograd.grad([x * x, x.sum()], x, [None, None])),
    )  # fmt: skip


@program
def a_broadcast_cotangent_of_grad(lib):
    x = leaf(lib, 1, 2)
    return [attempt(lambda: lib.autograd.grad(x * x, x, lib.ones(s, dtype=lib.float64))) for s in ((), (1, 2))]  # noqa: B023


@program
def gradients_of_the_type_of_the_input(lib):
    x, y = leaf(lib, 1, 2, dtype="float32"), leaf(lib, 3, 4)
    found = lib.autograd.grad((x * y).sum(), [x, y])
    return [g.dtype for g in found]


@program
def grad_of_a_real_input_of_a_complex_function(lib):
    x, z = leaf(lib, 1, 2), lib.tensor([1j, 2 - 1j], dtype=lib.complex128, requires_grad=True)
    found = lib.autograd.grad((x * z).abs().sum(), [x, z])
    return found[0], found[0].dtype, found[1].real, found[1].imag


@program
def grad_leaves_kept_gradients_alone(lib):
    x = leaf(lib, 1, 2)
    y = x * 2
    y.retain_grad()
    found = lib.autograd.grad((y * y).sum(), x)
    return found, y.grad, x.grad


@program
def grad_under_no_grad(lib):
    x = leaf(lib, 1, 2)
    y = (x**3).sum()
    with lib.no_grad():
        found = lib.autograd.grad(y, x, retain_graph=True)
        y.backward(create_graph=True)
    return found, found[0].requires_grad, x.grad.requires_grad


@program
def grad_without_inputs(lib):
    x = leaf(lib, 1, 2)
    return attempt(lambda: lib.autograd.grad((x * x).sum(), []))


@program
def grad_by_a_view_taken_later(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    return attempt(lambda: lib.autograd.grad(y, x[0])), attempt(
        lambda: lib.autograd.grad(y, x.view(2), allow_unused=True)
    )


@program
def grad_by_a_tensor_written_since(lib):
    x = leaf(lib, 1, 2)
    y = x * 1
    z = y * 3
    y.add_(1)
    return attempt(lambda: lib.autograd.grad(z.sum(), y)), lib.autograd.grad((y * 2).sum(), y)


@program
def third_order(lib):
    x = number(lib, 2.0)
    y = x**5
    for _ in range(3):
        (y,) = lib.autograd.grad(y, x, create_graph=True)
    return y, y.requires_grad


@program
def numbers_without_dimensions(lib):
    x, y = number(lib, 2.0), number(lib, 3.0)
    z = x * y + x / y
    found = lib.autograd.grad(z, [x, y], create_graph=True)
    return found, [list(g.shape) for g in found], lib.autograd.grad(found[0], y)


# Modes


@program
def a_decorated_generator(lib):
    x, seen = leaf(lib, 1, 2), []

    @lib.no_grad()
    def numbers():
        got = yield (x * 1).requires_grad
        seen.append((got, (x * 1).requires_grad))
        try:
            yield lib.is_grad_enabled()
        except KeyError:
            yield "caught"
        return "end"

    running = numbers()
    answers = [next(running), lib.is_grad_enabled(), running.send(5), (x * 1).requires_grad, running.throw(KeyError())]
    try:
        next(running)
    except StopIteration as stop:
        answers.append(stop.value)
    return answers, seen, lib.is_grad_enabled()


@program
def a_closed_generator(lib):
    seen = []

    @lib.no_grad()
    def numbers():
        try:
            yield 1
            yield 2
        finally:
            seen.append(lib.is_grad_enabled())

    running = numbers()
    next(running)
    running.close()
    return seen, lib.is_grad_enabled()


@program
def nested_generators_and_modes(lib):
    @lib.enable_grad()
    def inner():
        yield lib.is_grad_enabled()

    @lib.no_grad()
    def outer():
        yield lib.is_grad_enabled()
        yield from inner()
        yield lib.is_grad_enabled()

    with lib.set_grad_enabled(True):
        return list(outer()), lib.is_grad_enabled()


@program
def a_mode_after_an_error(lib):
    def fail():
        with lib.no_grad():
            raise ValueError

    return attempt(fail), lib.is_grad_enabled()


@program
def decorators_keep_names(lib):
    @lib.no_grad()
    def named():
        """Words."""

    return named.__name__, named.__doc__
