"""Linear algebra against PyTorch: values, first and second order; batches, empty and complex matrices."""

import numpy as np
import pytest

import tapegrad as tg

from .matrix_cases import check, torch

pytestmark = pytest.mark.parity


def matrix(*shape, salt=0, kind="f"):
    """Matrices with singular values and eigenvalues well apart."""
    rng = np.random.default_rng([salt, *shape])
    out = rng.standard_normal(shape) * 0.3 + np.eye(*shape[-2:]) * np.arange(1.0, 1.0 + shape[-1])
    return out + 0.3j * rng.standard_normal(shape) if kind == "c" else out


def dense(*shape, salt=5, kind="f"):
    rng = np.random.default_rng([salt, *shape])
    out = rng.standard_normal(shape)
    return out + 1j * rng.standard_normal(shape) if kind == "c" else out


def positive(*shape, kind="f"):
    x = matrix(*shape, kind=kind)
    return x @ np.swapaxes(x, -1, -2).conj() + np.eye(shape[-1])


def triangle(*shape, kind="f"):
    out = np.tril(matrix(*shape, kind=kind))
    diagonal = np.eye(shape[-1], dtype=bool)
    return np.where(diagonal, out.real, out)  # as of Cholesky's factors


KINDS = pytest.mark.parametrize("kind", ["f", "c"])
SQUARES = [(3, 3), (2, 3, 3), (1, 1), (0, 3, 3), (0, 0)]
SHAPES = [(3, 3), (4, 2), (2, 4), (2, 3, 2), (0, 3, 2)]


@KINDS
@pytest.mark.parametrize("shape", SQUARES)
@pytest.mark.parametrize(
    ("name", "kwargs"),
    [("linalg.inv", {}), ("linalg.det", {}), ("logdet", {}), ("linalg.slogdet", {}), ("linalg.inv_ex", {}),
     ("inverse", {}),
     ("linalg.matrix_power", {"n": 3}), ("linalg.matrix_power", {"n": -2}), ("linalg.matrix_power", {"n": 0}),
     ("linalg.matrix_exp", {}), ("linalg.diagonal", {"offset": 1})],
)  # fmt: skip
def test_of_square_matrices(name, kwargs, shape, kind):
    check(name, [matrix(*shape, kind=kind)], kwargs)


@KINDS
@pytest.mark.parametrize("shape", SQUARES)
@pytest.mark.parametrize("upper", [False, True])
def test_cholesky(shape, upper, kind):
    def real_diagonal(package, out):
        factor = out if not isinstance(out, tuple) else out[0]
        return factor if kind == "f" else factor.abs()

    check("linalg.cholesky", [positive(*shape, kind=kind)], {"upper": upper}, post=real_diagonal)
    check("cholesky", [positive(*shape, kind=kind)], {"upper": upper}, post=real_diagonal)
    check("linalg.cholesky_ex", [positive(*shape, kind=kind)], {"upper": upper}, post=real_diagonal)


@KINDS
@pytest.mark.parametrize("upper", [False, True])
def test_cholesky_solvers(upper, kind):
    factor = triangle(2, 3, 3, kind=kind)
    factor = np.swapaxes(factor, -1, -2).conj() if upper else factor
    check("cholesky_solve", [dense(2, 3, 2, kind=kind), factor], {"upper": upper})
    check("cholesky_inverse", [factor], {"upper": upper})


@pytest.mark.parametrize("name", ["linalg.cholesky", "linalg.eigvalsh"])
def test_only_one_triangle_is_read(name):
    x = positive(3, 3)
    x[0, 2] = 77.0
    check(name, [x], orders=0)


@KINDS
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize(
    ("a", "b"), [((3, 3), (3, 3)), ((2, 3, 3), (2, 3, 3)), ((2, 3, 3), (3, 3)), ((0, 3, 3), (0, 3, 3))]
)
def test_solve(a, b, left, kind):
    check("linalg.solve", [matrix(*a, kind=kind), dense(*b, kind=kind)], {"left": left})
    check("linalg.solve_ex", [matrix(*a, kind=kind), dense(*b, kind=kind)], {"left": left})
    for upper in (True, False):
        for unit in (True, False):
            options = {"left": left, "upper": upper, "unitriangular": unit}
            check("linalg.solve_triangular", [matrix(*a, kind=kind), dense(*b, kind=kind)], options)


@pytest.mark.parametrize(("a", "b"), [((3, 3), (3,)), ((2, 3, 3), (2, 3)), ((2, 3, 3), (3,))])
def test_solve_with_vectors(a, b):
    check("linalg.solve", [matrix(*a), dense(*b)])


@KINDS
@pytest.mark.parametrize("shape", SHAPES)
def test_lu(shape, kind):
    x = matrix(*shape, kind=kind)[..., ::-1, :].copy()  # with something to swap
    check("linalg.lu", [x])
    check("linalg.lu_factor", [x])
    check("linalg.lu_factor_ex", [x])


@KINDS
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
def test_lu_solve(left, adjoint, kind):
    x = matrix(2, 3, 3, kind=kind)[..., ::-1, :].copy()
    packed, pivots = torch.linalg.lu_factor(torch.tensor(x))
    arrays = [packed.numpy(), pivots.numpy(), dense(2, 3, 3, kind=kind)]
    check("linalg.lu_solve", arrays, {"left": left, "adjoint": adjoint})
    check("lu_unpack", arrays[:2])


@KINDS
@pytest.mark.parametrize("shape", SHAPES)
def test_qr(shape, kind):
    check("linalg.qr", [matrix(*shape, kind=kind)])
    check("linalg.qr", [matrix(*shape, kind=kind)], {"mode": "r"}, orders=0)
    check("linalg.qr", [matrix(*shape, kind=kind)], {"mode": "complete"}, orders=0 if shape[-2] > shape[-1] else 2)
    check("geqrf", [matrix(*shape, kind=kind)], orders=0)


@KINDS
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 3), (3, 2)])
def test_reflections(shape, kind):
    packed, factors = torch.geqrf(torch.tensor(matrix(*shape, kind=kind)))
    a, tau = packed.numpy(), factors.numpy()
    check("linalg.householder_product", [a, tau], rtol=1e-6)
    m = shape[-2]
    lead = shape[:-2]
    for transpose in (False, True):
        check("ormqr", [a, tau, dense(*lead, m, 2, kind=kind)], {"left": True, "transpose": transpose}, orders=1)
        check("ormqr", [a, tau, dense(*lead, 2, m, kind=kind)], {"left": False, "transpose": transpose}, orders=1)


@KINDS
@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("shape", [(5, 5), (2, 4, 4), (1, 1), (0, 3, 3)])
def test_ldl(shape, hermitian, kind):
    x = dense(*shape, kind=kind)
    x = x + (np.swapaxes(x, -1, -2).conj() if hermitian else np.swapaxes(x, -1, -2))
    check("linalg.ldl_factor", [x], {"hermitian": hermitian}, orders=0)
    check("linalg.ldl_factor_ex", [x], {"hermitian": hermitian}, orders=0)
    packed, pivots = torch.linalg.ldl_factor(torch.tensor(x), hermitian=hermitian)
    right = dense(*shape[:-1], 2, kind=kind)
    check("linalg.ldl_solve", [packed.numpy(), pivots.numpy(), right], {"hermitian": hermitian}, orders=0)


def sizes_of_eigenvectors(package, out):
    values, vectors = out
    return values, vectors.abs() ** 2


@KINDS
@pytest.mark.parametrize("shape", SQUARES)
def test_eigh(shape, kind):
    x = positive(*shape, kind=kind)
    check("linalg.eigh", [x], post=sizes_of_eigenvectors, rtol=1e-6)
    check("linalg.eigh", [x], {"UPLO": "U"}, post=sizes_of_eigenvectors, rtol=1e-6)
    check("linalg.eigvalsh", [x], rtol=1e-6)


def in_order(package, values, vectors=None):
    """Eigenvalues by real parts, so that the order of the algorithm does not count."""
    order = package.argsort(values.real, -1)
    values = package.gather(values, -1, order)
    if vectors is None:
        return values
    return values, package.gather(vectors.abs() ** 2, -1, order.unsqueeze(-2).expand(vectors.shape))


@KINDS
@pytest.mark.parametrize("shape", SQUARES)
def test_eig(shape, kind):
    x = matrix(*shape, kind=kind)
    check("linalg.eig", [x], post=lambda package, out: in_order(package, *out), rtol=1e-6)
    check("linalg.eigvals", [x], post=lambda package, out: in_order(package, out), rtol=1e-6)


@KINDS
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("full", [False, True])
def test_svd(shape, full, kind):
    k = min(shape[-2:])

    def no_phases(package, out):
        u, s, vh = out
        return u[..., :k].abs() ** 2, s, vh[..., :k, :].abs() ** 2, (u[..., :k] * s.unsqueeze(-2)) @ vh[..., :k, :]

    check("linalg.svd", [matrix(*shape, kind=kind)], {"full_matrices": full}, post=no_phases, rtol=1e-6)
    check("linalg.svdvals", [matrix(*shape, kind=kind)], rtol=1e-6)


def test_full_svd_has_whole_bases():
    for shape in ((4, 2), (2, 4), (2, 5, 3)):
        u, _, vh = tg.linalg.svd(tg.tensor(matrix(*shape)))
        for basis in (u.numpy(), vh.numpy()):
            np.testing.assert_allclose(
                basis @ np.swapaxes(basis, -1, -2), np.broadcast_to(np.eye(basis.shape[-1]), basis.shape), atol=1e-12
            )


def test_equal_singular_values_do_no_harm_where_only_they_count():
    x = np.eye(3)
    check("linalg.svdvals", [x], orders=1)
    check("linalg.eigvalsh", [x], orders=1)


@KINDS
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 3, 4), (0, 3, 2)])
def test_pinv(shape, kind):
    check("linalg.pinv", [matrix(*shape, kind=kind)], rtol=1e-6)
    check("pinverse", [matrix(*shape, kind=kind)], rtol=1e-6)


def test_pinv_of_a_matrix_without_full_rank():
    x = np.outer(np.arange(1.0, 4), np.arange(2.0, 6))
    check("linalg.pinv", [x], {"rtol": 1e-10}, orders=0)
    check("linalg.matrix_rank", [x])


@pytest.mark.parametrize("driver", ["gels", "gelsy", "gelsd", "gelss"])
@pytest.mark.parametrize(("a", "b"), [((4, 2), (4, 3)), ((2, 3, 3), (2, 3, 1)), ((2, 4), (2, 1))])
def test_lstsq(a, b, driver):
    check("linalg.lstsq", [matrix(*a), dense(*b)], {"driver": driver}, orders=1, rtol=1e-6)


ORDERS = ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]


@KINDS
@pytest.mark.parametrize("ord", ORDERS)
@pytest.mark.parametrize("keepdim", [False, True])
def test_matrix_norms(ord, keepdim, kind):
    for shape, dim in (((3, 2), (0, 1)), ((2, 3, 4), (-2, -1)), ((2, 3, 4), (2, 0))):
        check("linalg.matrix_norm", [dense(*shape, kind=kind)], {"ord": ord, "dim": dim, "keepdim": keepdim}, rtol=1e-6)
        check("linalg.norm", [dense(*shape, kind=kind)], {"ord": ord, "dim": dim, "keepdim": keepdim}, rtol=1e-6)
    if ord != "fro":
        orders = int(ord in ("nuc", 2, -2))  # of the others PyTorch cannot differentiate a stack
        check("linalg.cond", [matrix(2, 3, 3, kind=kind)], {"p": ord}, rtol=1e-6, orders=orders)


@KINDS
@pytest.mark.parametrize("ord", [0, 0.5, 1, 2, 3.5, np.inf, -np.inf, -1])
def test_vector_norms(ord, kind):
    for dim in (None, 0, (0, 2), -1):
        check("linalg.vector_norm", [dense(2, 3, 4, kind=kind)], {"ord": ord, "dim": dim})


@KINDS
def test_products(kind):
    a, b, c = dense(2, 3, kind=kind), dense(3, 4, kind=kind), dense(4, 2, kind=kind)
    for package_arrays in ([a, b, c], [a[0], b, c], [a, b, c[:, 0]], [a[0], b, c[:, 0]]):
        ours = tg.linalg.multi_dot([tg.tensor(np.array(x)) for x in package_arrays]).numpy()
        np.testing.assert_allclose(ours, np.linalg.multi_dot(package_arrays), rtol=1e-12)
    check("linalg.vecdot", [dense(2, 3, kind=kind), dense(3, kind=kind, salt=8)])
    check("linalg.cross", [dense(2, 3, kind=kind), dense(1, 3, kind=kind, salt=8)])
    check("linalg.vander", [dense(2, 3, kind=kind)], {"N": 4})
    check("linalg.tensorinv", [dense(2, 3, 6, kind=kind)], {"ind": 2})
    check("linalg.tensorsolve", [dense(2, 3, 6, kind=kind), dense(2, 3, kind=kind, salt=3)])
    check("triangular_solve", [dense(3, 2, kind=kind), matrix(3, 3, kind=kind)], {"upper": False, "transpose": True})


def test_the_determinant_of_a_singular_matrix_has_a_gradient():
    x = tg.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=tg.float64, requires_grad=True)
    (slope,) = tg.autograd.grad(tg.linalg.det(x), x)
    np.testing.assert_allclose(slope.numpy(), [[4.0, -2.0], [-2.0, 1.0]], rtol=1e-12)  # the cofactors
    check("linalg.det", [np.zeros((3, 3))], orders=1)


@pytest.mark.parametrize("name", ["inv", "solve", "cholesky", "lu_factor"])
def test_singular_matrices_are_told(name):
    x = [tg.zeros(2, 2)] * (2 if name == "solve" else 1)
    with pytest.raises(tg.linalg.LinAlgError, match=name.split("_")[0]):
        getattr(tg.linalg, name)(*x)
    assert issubclass(tg.linalg.LinAlgError, RuntimeError)


def test_info_says_where():
    x = np.stack([np.eye(3), np.diag([1.0, 0.0, 2.0]), np.diag([1.0, 2.0, -1.0])])
    check("linalg.cholesky_ex", [x], post=lambda package, out: out.info, orders=0)
    check("linalg.inv_ex", [x], post=lambda package, out: out.info, orders=0)
    check("linalg.lu_factor_ex", [x], post=lambda package, out: out.info, orders=0)


@pytest.mark.parametrize("name", ["inv", "det", "eigh", "svd", "qr", "cholesky", "lu", "matrix_exp"])
def test_types_and_shapes_are_refused(name):
    function = getattr(tg.linalg, name)
    with pytest.raises(RuntimeError, match=r"float16\[2, 2\]"):
        function(tg.ones(2, 2, dtype=tg.float16))
    with pytest.raises(RuntimeError, match="at least 2 dimensions"):
        function(tg.ones(2))


def test_results_have_pytorchs_names_and_take_out():
    a = tg.tensor(positive(3, 3))
    assert tg.linalg.eigh(a)._fields == ("eigenvalues", "eigenvectors")
    assert tg.linalg.svd(a)._fields == ("U", "S", "Vh")
    assert tg.linalg.slogdet(a)._fields == ("sign", "logabsdet")
    out = tg.empty(0, dtype=tg.float64)
    assert tg.linalg.inv(a, out=out) is out
    np.testing.assert_allclose(out.numpy(), np.linalg.inv(positive(3, 3)), rtol=1e-12)


def test_vmap_over_a_stack():
    x = tg.tensor(matrix(4, 3, 3))
    np.testing.assert_allclose(tg.vmap(tg.linalg.inv)(x).numpy(), np.linalg.inv(x.numpy()), rtol=1e-10)


LOW_RANK = {
    "svd": lambda lib, x: lib.svd_lowrank(x, q=3),
    "svd of a difference": lambda lib, x: lib.svd_lowrank(x, 3, 1, M=0.3 * x.roll(1, -1)),
    "pca": lambda lib, x: lib.pca_lowrank(x, q=3),
    "pca without a centre": lambda lib, x: lib.pca_lowrank(x, center=False, niter=1),
}


@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (2, 5, 4)])
@pytest.mark.parametrize("case", LOW_RANK)
def test_low_rank(case, shape):
    found = []
    for lib in (torch, tg):
        lib.manual_seed(3)
        x = lib.tensor(dense(*shape), requires_grad=True)
        left, values, right = LOW_RANK[case](lib, x)
        whole = (left * values[..., None, :]) @ right.mT  # whatever the signs of the vectors
        (first,) = lib.autograd.grad((whole**2).sum() + values.sum(), x, create_graph=True)
        (second,) = lib.autograd.grad((first**2).sum(), x)
        found.append([t.detach().numpy() for t in (values, whole, first, second)])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9)


def test_low_rank_refusals():
    for call in (
        lambda lib: lib.pca_lowrank(lib.ones(3, 2), q=4),
        lambda lib: lib.pca_lowrank(lib.ones(3, 2), niter=-1),
    ):
        for lib in (torch, tg):
            with pytest.raises(ValueError, match="non-negative integer"):
                call(lib)
