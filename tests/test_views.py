"""Views: shared memory, shared versions, and one history for a base and all that looks at it."""

import numpy as np
import pytest

import tapegrad as tg

from .scenarios import view_writes, views
from .scenarios.table import Table

TABLE = Table.of(views, view_writes)


@TABLE.parameters()
def test_scenario(name, library):
    TABLE.check(name, library)


def test_errors_name_the_operation_and_the_way_out():
    x = tg.zeros(3, 1, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"add_: a view of a leaf that requires grad .* no_grad\(\).* clone\(\)"):
        x.t().add_(1)
    with pytest.raises(RuntimeError, match=r"add_: the tensor float32\[3, 2\] is expanded.*clone\(\)"):
        x.clone().expand(3, 2).add_(1)
    with pytest.raises(RuntimeError, match=r"view: shape \[6\] does not fit the strides .*\[3, 2\].* reshape\(\)"):
        tg.zeros(2, 3).t().view(6)
    with pytest.raises(RuntimeError, match=r"reshape: shape \[4, 2\] is invalid for 3 elements of shape \[3, 1\]"):
        x.reshape(4, 2)


def test_a_view_shares_numpy_memory():
    array = np.arange(6.0).reshape(2, 3)
    x = tg.from_numpy(array)
    x.t()[1].mul_(10)
    assert array.tolist() == [[0, 10, 2], [3, 40, 5]]
    assert x[0].numpy().base is not None
