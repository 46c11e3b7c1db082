"""Leaves, and what `.grad` holds."""

from ..scenarios.table import leaf, tensor
from .tape_programs import Programs, attempt

program = Programs()


# Leaves


@program
def leaves_and_results(lib):
    x = leaf(lib, 1, 2)
    made = [
        x,
        x * 1,
        x.detach(),
        x.clone(),
        x.data,
        lib.tensor([1.0]),
        lib.tensor([1.0]) * 2,
        x[0],
        x.view(2),
        x.double(),
    ]
    return [(t.is_leaf, t.requires_grad, t.grad_fn is None) for t in made]


@program
def requires_grad_of_integers(lib):
    x = lib.tensor([1, 2])

    def assign():
        x.requires_grad = True

    return (
        attempt(x.requires_grad_), attempt(assign), attempt(lambda: lib.ones(2, dtype=lib.int64, requires_grad=True)),
        attempt(lambda: lib.tensor([True], requires_grad=True)), x.requires_grad_(False) is x,
    )  # fmt: skip


@program
def requires_grad_of_results(lib):
    y = leaf(lib, 1, 2) * 2

    def assign():
        y.requires_grad = False

    return attempt(lambda: y.requires_grad_(False)), attempt(assign), y.requires_grad_(True) is y, y.is_leaf


@program
def requires_grad_of_a_view_of_a_constant(lib):
    base = tensor(lib, 1, 2, 3)
    part = base[:2].requires_grad_()
    (part * part).sum().backward()
    return part.grad, base.requires_grad, part.is_leaf


@program
def a_leaf_made_under_no_grad(lib):
    with lib.no_grad():
        x = leaf(lib, 1, 2)
        y = x * 2
    return x.requires_grad, y.requires_grad, y.is_leaf, (x * 2).requires_grad


@program
def writing_into_a_leaf(lib):
    x = leaf(lib, 1, 2)
    answers = [attempt(lambda: x.add_(1)), attempt(lambda: x[0].mul_(2)), attempt(lambda: x.view(2).zero_())]
    with lib.no_grad():
        x.add_(1)
    return answers, x, x.is_leaf, x._version


# .grad


@program
def gradient_of_a_result(lib):
    x = leaf(lib, 1, 2)
    y = x * 2
    y.sum().backward()
    return y.grad, x.grad


@program
def gradient_of_a_result_before_backward(lib):
    return (leaf(lib, 1) * 2).grad


@program
def gradient_of_a_constant(lib):
    return tensor(lib, 1).grad, (tensor(lib, 1) * 2).grad


@program
def kept_gradients(lib):
    x = leaf(lib, 1, 2)
    y = x * 2
    before = y.retains_grad
    y.retain_grad()
    y.retain_grad()
    (y * y).sum().backward()
    return before, y.retains_grad, y.grad, x.retains_grad


@program
def kept_gradients_accumulate(lib):
    x = leaf(lib, 1, 2)
    y = x * 2
    y.retain_grad()
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    return y.grad, x.grad


@program
def keeping_on_a_leaf_and_on_a_constant(lib):
    x = leaf(lib, 1)
    return attempt(x.retain_grad), x.retains_grad, attempt(tensor(lib, 1).retain_grad)


@program
def a_kept_gradient_written_in_place_afterwards(lib):
    x = leaf(lib, 1, 2)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    return y.grad, x.grad


@program
def assigned_gradients(lib):
    x = leaf(lib, 1, 2)

    def assign(value):
        x.grad = value
        return "done"

    number = lib.tensor(1.0, dtype=lib.float64)
    wrong = [tensor(lib, 1, 2, 3), number, lib.tensor([1.0, 2.0]), lib.tensor([1, 2]), 3.0, [1.0, 2.0]]
    answers = [attempt(lambda: assign(value)) for value in wrong]  # noqa: B023
    return answers, assign(tensor(lib, 5, 6)), x.grad, assign(None), x.grad


@program
def a_gradient_assigned_to_itself(lib):
    x = leaf(lib, 1, 2)

    def assign():
        x.grad = x

    return attempt(assign)


@program
def a_deleted_gradient(lib):
    x = leaf(lib, 1, 2)
    (x * 2).sum().backward()
    del x.grad
    return x.grad


@program
def a_gradient_assigned_to_a_constant(lib):
    x = tensor(lib, 1, 2)
    x.grad = tensor(lib, 3, 4)
    return x.grad, x.requires_grad


@program
def keeping_through_writes(lib):
    x = leaf(lib, 1, 2, 3)
    y = x * 1
    part = y[:2]
    y.retain_grad()
    part.retain_grad()
    part.mul_(5)
    moved = y.retains_grad, part.retains_grad
    y.add_(1)
    (y * y).sum().backward()
    return moved, y.grad, part.grad, y.retains_grad, x.grad


@program
def kept_gradients_before_a_write(lib):
    x = leaf(lib, 1, 2)
    y = x * 1
    y.retain_grad()
    y.sum().backward()
    first = y.grad
    y.mul_(2)
    return first, y.grad, y.retains_grad
