"""Convolutions and batch normalisation where samples of single primitives do not reach: threads, infinities, counts."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import backends
from tapegrad.nn import functional as F

ATTRS = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)  # stride, padding, dilation, groups


@pytest.fixture
def three_threads():
    before = tg.get_num_threads()
    tg.set_num_threads(3)
    yield
    tg.set_num_threads(before)


def test_threads_share_the_images_of_a_convolution(three_threads):
    numba, numpy = backends.get("numba"), backends.get("numpy")
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((26, 8, 32, 31)), rng.standard_normal((8, 8, 3, 3)), rng.standard_normal(8)
    out = numba.conv(x, w, b, *ATTRS)
    np.testing.assert_allclose(out, numpy.conv(x, w, b, *ATTRS), rtol=1e-9, atol=1e-9)
    back = numba.conv_back(out, w, (32, 31), *ATTRS)
    np.testing.assert_allclose(back, numpy.conv_back(out, w, (32, 31), *ATTRS), rtol=1e-9, atol=1e-9)
    slope = numba.conv_weight(x, out, (3, 3), *ATTRS)
    np.testing.assert_allclose(slope, numpy.conv_weight(x, out, (3, 3), *ATTRS), rtol=1e-9, atol=1e-6)
    assert np.array_equal(slope, numba.conv_weight(x, out, (3, 3), *ATTRS))


@pytest.mark.filterwarnings("ignore:invalid value")
def test_an_infinity_stays_with_the_filters_that_see_it():
    x, g = np.ones((3, 1, 4, 5), np.float32), np.ones((3, 1, 4, 5), np.float32)
    x[1, 0, 0, 0], g[:, :, 0, :2] = np.inf, 0
    found = [backends.get(name).conv_weight(x, g, (3, 3), *ATTRS) for name in ("numba", "numpy")]
    assert np.isfinite(found[1]).any()
    np.testing.assert_allclose(*found, rtol=1e-6)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_running_statistics_move_by_their_share(backend):
    with backends.use(backend):
        x = tg.randn(6, 3, 5, generator=tg.Generator().manual_seed(0))
        layer = tg.nn.BatchNorm1d(3, momentum=0.25)
        version = layer.running_mean._version
        layer(x)
        array = x.numpy().astype(np.float64)
        np.testing.assert_allclose(layer.running_mean.numpy(), 0.25 * array.mean((0, 2)), rtol=1e-5, atol=1e-7)
        wanted = 0.75 + 0.25 * array.var((0, 2), ddof=1)
        np.testing.assert_allclose(layer.running_var.numpy(), wanted, rtol=1e-5)
        assert layer.running_mean._version > version
        assert layer.num_batches_tracked.item() == 1
        mean, variance = layer.running_mean.numpy()[:, None], layer.running_var.numpy()[:, None]
        expected = (array - mean) / np.sqrt(variance + 1e-5)
        np.testing.assert_allclose(layer.eval()(x).detach().numpy(), expected, rtol=1e-4, atol=1e-5)


def test_batch_norm_under_vmap_takes_the_statistics_of_each_problem():
    tg.manual_seed(0)
    x, w, b = tg.randn(4, 6, 3, 5), tg.randn(4, 3), tg.randn(4, 3)

    def normed(x, w, b):
        return F.batch_norm(x, None, None, w, b, training=True)

    def loss(x, w, b):
        return (normed(x, w, b) ** 3).sum()

    problems = list(zip(x, w, b, strict=True))
    tg.testing.assert_close(tg.vmap(normed)(x, w, b), tg.stack([normed(*p) for p in problems]))
    slopes = tg.vmap(tg.func.grad(loss, argnums=(0, 1, 2)))(x, w, b)
    for k, slope in enumerate(slopes):
        alone = tg.stack([tg.func.grad(loss, argnums=k)(*p) for p in problems])
        tg.testing.assert_close(slope, alone, rtol=1e-4, atol=1e-4)
