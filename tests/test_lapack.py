"""Inverses by the LAPACK library that NumPy brings, and without it."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.backends import lapack


def matrices(shape, dtype):
    x = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    return x + shape[-1] * np.eye(shape[-1], dtype=dtype)


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
@pytest.mark.parametrize("shape", [(31, 31), (32, 32), (3, 40, 40), (0, 33, 33)])
def test_inverses(shape, dtype, there, monkeypatch):
    if not there:
        monkeypatch.setattr(lapack, "_functions", lambda kind: None)
    x = matrices(shape, dtype)
    given = x.copy()
    out = tg.inverse(tg.from_numpy(x)).numpy()
    assert out.dtype == dtype
    np.testing.assert_array_equal(x, given)
    tolerance = np.finfo(dtype).eps * 64
    np.testing.assert_allclose(out @ x, np.broadcast_to(np.eye(shape[-1]), shape), atol=tolerance)
    turned = tg.inverse(tg.from_numpy(x).mT).numpy()
    np.testing.assert_allclose(turned, out.swapaxes(-1, -2), atol=tolerance)


@pytest.mark.parametrize("n", [3, 40])
def test_a_singular_matrix_is_refused(n):
    x = tg.eye(n).repeat(2, 1, 1)
    x[1, -1, -1] = 0
    with pytest.raises(tg.linalg.LinAlgError, match="singular"):
        tg.inverse(x)
