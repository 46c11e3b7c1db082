"""Values changed after they were saved."""

from .table import Table, leaf, tensor

scenario = Table()

# Values changed after they were saved


@scenario("RuntimeError")
def a_saved_input_changed(lib):
    x, w = leaf(lib, 1, 2), tensor(lib, 3, 4)
    y = (x * w).sum()
    w.add_(1)
    y.backward()


@scenario([1.0, 1.0])
def an_input_changed_that_was_not_saved(lib):
    x, w = leaf(lib, 1, 2), tensor(lib, 3, 4)
    y = (x + w).sum()
    w.add_(1)
    y.backward()
    return x.grad


@scenario("RuntimeError")
def a_saved_output_changed(lib):
    x = leaf(lib, 1, 2)
    y = x.exp()
    y.add_(1)
    y.sum().backward()


@scenario([2.0, 2.0])
def an_output_changed_that_was_not_saved(lib):
    x = leaf(lib, 1, 2)
    y = x * 2
    y.add_(1)
    y.sum().backward()
    return x.grad


@scenario("RuntimeError")
def a_saved_leaf_changed_under_no_grad(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    with lib.no_grad():
        x.add_(1)
    y.backward()


@scenario("RuntimeError")
def a_saved_value_changed_through_detach(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    x.detach().add_(1)
    y.backward()


@scenario([4.0, 6.0])
def a_saved_value_changed_through_data_is_not_noticed(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    x.data.add_(1)
    y.backward()
    return x.grad


@scenario("RuntimeError")
def a_saved_value_changed_through_a_view(lib):
    x, w = leaf(lib, 1, 2), tensor(lib, 3, 4)
    y = (x * w).sum()
    w[0] = 5
    y.backward()


@scenario("RuntimeError")
def a_saved_value_changed_and_the_graph_recorded(lib):
    x, w = leaf(lib, 1, 2), tensor(lib, 3, 4)
    y = (x * w).sum()
    w.add_(1)
    lib.autograd.grad(y, x, create_graph=True)


@scenario([3.0, 4.0])
def only_the_saved_side_counts(lib):
    x, w = leaf(lib, 1, 2), tensor(lib, 3, 4)
    y = x.clone()
    z = (y * w).sum()
    y.add_(1)
    z.backward()
    return x.grad


@scenario.parameters()
def test_scenario(name, library):
    scenario.check(name, library)
