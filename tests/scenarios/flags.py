"""What requires a gradient, and what is a leaf."""

from .table import Table, leaf, number, tensor

scenario = Table()

# Flags


@scenario(
    (
        [True, True, True, False, False, False, True, True, False, True, True, False, False],
        [True, False, False, True, True, True, False, False, True, False, False, True, True],
    )
)
def what_requires_a_gradient(lib):
    x, k = leaf(lib, 1, 2), lib.tensor([1, 2])
    made = [
        x,
        x * 2,
        x + k,
        x.detach(),
        x > 1,
        x.argmax(),
        x.floor(),
        x.sign(),
        x.long(),
        x.float(),
        x[0],
        k * 2,
        lib.zeros_like(x),
    ]
    return [t.requires_grad for t in made], [t.is_leaf for t in made]


@scenario([0.0, 0.0])
def gradients_of_steps_are_zero_not_missing(lib):
    x = leaf(lib, 1.5, -2.5)
    (x.floor() + x.ceil() + x.sign() + x.round() + x.trunc()).sum().backward()
    return x.grad


@scenario("RuntimeError")
def integers_require_no_gradient(lib):
    lib.tensor([1, 2]).requires_grad_()


@scenario("RuntimeError")
def integers_require_no_gradient_at_birth(lib):
    lib.tensor([1, 2], requires_grad=True)


@scenario(False)
def integers_may_refuse_a_gradient(lib):
    return lib.tensor([1, 2]).requires_grad_(False).requires_grad


@scenario("RuntimeError")
def a_result_cannot_be_switched_off(lib):
    (leaf(lib, 1) * 2).requires_grad_(False)


@scenario(False)
def a_result_may_be_switched_on(lib):
    return (leaf(lib, 1) * 2).requires_grad_().is_leaf


@scenario((False, [6.0, 6.0], [6.0, 6.0]))
def a_leaf_switched_off_and_on(lib):
    x = leaf(lib, 1, 2)
    (x * 2).sum().backward()
    x.requires_grad = False
    y = x * 3
    kept = x.grad
    x.requires_grad = True
    (x * 4).sum().backward()
    return y.requires_grad, kept, x.grad


@scenario(None)
def switching_a_leaf_off_leaves_the_recorded_graph(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    x.requires_grad_(False)
    y.backward()
    return x.grad


@scenario([1.0, 4.0])
def detach_cuts_the_history(lib):
    x = leaf(lib, 1, 2)
    y = x * x
    (y.detach() * x).sum().backward()
    return x.grad


@scenario(([2.0, 4.0], False))
def clone_keeps_the_history(lib):
    x = leaf(lib, 1, 2)
    y = x.clone()
    (y * y).sum().backward()
    return x.grad, y.is_leaf


@scenario(([2.0, 2.0], [5.0, 5.0], True, True))
def a_deep_copy_is_a_leaf_of_its_own(lib):
    import copy

    x = leaf(lib, 1, 2)
    (x * 2).sum().backward()
    y = copy.deepcopy(x)
    (y * 3).sum().backward()
    return x.grad, y.grad, y.is_leaf, y.requires_grad


@scenario("RuntimeError")
def a_result_cannot_be_deep_copied(lib):
    import copy

    copy.deepcopy(leaf(lib, 1, 2) * 2)


@scenario(([10.0, 20.0, 30.0], [20.0, 40.0, 60.0], True, True))
def data_may_be_exchanged(lib):
    x = leaf(lib, 1, 2)
    x.data = tensor(lib, 10, 20, 30)
    (x * x).sum().backward()
    return x, x.grad, x.requires_grad, x.is_leaf


@scenario(([1.0, 1.0], [10.0, 10.0], [3.0, 3.0]))
def a_kept_gradient_is_no_alias_of_the_cotangent(lib):
    x, g = leaf(lib, 1, 2), tensor(lib, 1, 1)
    y = x * 3
    y.retain_grad()
    y.backward(g)
    y.grad.mul_(10)
    return g, y.grad, x.grad


@scenario((8.0, (8.0,)))
def a_kept_gradient_of_a_recorded_backward(lib):
    x = number(lib, 2.0)
    y = x * x
    y.retain_grad()
    (y * y).backward(create_graph=True)
    return y.grad, lib.autograd.grad(y.grad, x)


@scenario(([2.0, 2.0], [6.0, 6.0]))
def a_hook_after_the_gradient_is_kept_and_one_removed(lib):
    x = leaf(lib, 1, 2)
    y = x * 3
    handle = y.register_hook(lambda g: g * 7)
    y.retain_grad()
    y.register_hook(lambda g: g + 1)
    handle.remove()
    y.sum().backward()
    return y.grad, x.grad
