"""Seeds and states of the default generator and of the user's own, which cross over to PyTorch and back."""

import pickle

import numpy as np
import pytest

import tapegrad

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity


def same(ours, theirs):
    np.testing.assert_allclose(ours.tolist(), theirs.tolist(), rtol=1e-6, atol=1e-6)


def test_states_cross_over():
    for draw in ("randn(3)", "rand(7)", "randn(40)", "randperm(9)"):
        torch.manual_seed(8)
        eval(f"torch.{draw}")
        state = torch.get_rng_state()
        tapegrad.set_rng_state(tapegrad.from_numpy(state.numpy()))
        expected = [torch.randn(3), torch.rand(5), torch.randint(9, (4,))]
        for ours, theirs in zip([tapegrad.randn(3), tapegrad.rand(5), tapegrad.randint(9, (4,))], expected):
            same(ours, theirs)
        back = tapegrad.get_rng_state()
        assert back.dtype is tapegrad.uint8
        assert back.shape == state.shape == (5056,)
        torch.set_rng_state(torch.from_numpy(back.numpy()))
        same(tapegrad.randn(5), torch.randn(5))


def test_seeds():
    for lib in (torch, tapegrad):
        assert lib.manual_seed(5) is lib.default_generator
        assert lib.initial_seed() == 5 == lib.random.initial_seed()
        made = lib.seed()
        assert made == lib.initial_seed()
        assert lib.seed() != made
        lib.manual_seed(-1)
        assert lib.initial_seed() == 2**64 - 1
        with pytest.raises((RuntimeError, ValueError)):
            lib.manual_seed(2**64)
        for wrong in (lib.zeros(3, dtype=lib.uint8), lib.zeros(5056)):
            with pytest.raises((RuntimeError, TypeError)):
                lib.set_rng_state(wrong)


def fail_inside(lib):
    with lib.random.fork_rng(devices=[]):
        lib.rand(3)
        raise ZeroDivisionError


def test_fork_rng():
    found = []
    for lib in (torch, tapegrad):
        lib.manual_seed(3)
        lib.rand(1)
        with lib.random.fork_rng():
            inside = lib.rand(2).tolist()
            lib.manual_seed(9)
        after = lib.rand(2).tolist()
        with pytest.raises(ZeroDivisionError):
            fail_inside(lib)
        with lib.random.fork_rng(enabled=False):
            kept = lib.rand(1).tolist()
        found.append((inside, after, kept, lib.rand(1).tolist()))
        assert inside == after
    assert found[0] == found[1]


def test_generators():
    found = []
    for lib in (torch, tapegrad):
        g = lib.Generator()
        seeds = [g.initial_seed(), g.manual_seed(4).initial_seed()]
        first = lib.rand(3, generator=g).tolist()
        state = g.get_state()
        assert state.dtype is lib.uint8
        second = lib.rand(3, generator=g).tolist()
        other = g.clone_state()
        g.set_state(state)
        again = lib.rand(3, generator=g).tolist()
        assert again == second
        found.append(
            (
                seeds,
                first,
                second,
                lib.rand(2, generator=other).tolist(),
                str(g.device),
                lib.randn(2, generator=g).tolist(),
            )
        )
        assert g.seed() == g.initial_seed()
    assert found[0][:5] == found[1][:5]
    np.testing.assert_allclose(found[1][5], found[0][5], rtol=1e-6)
    g = tapegrad.Generator().manual_seed(3)
    tapegrad.rand(5, generator=g)
    copied = pickle.loads(pickle.dumps(g))
    assert tapegrad.rand(3, generator=copied).tolist() == tapegrad.rand(3, generator=g).tolist()


DRAWS = """
lib.multinomial(w, 3)
lib.multinomial(w, 8, True)
lib.multinomial(rows, 3)
lib.multinomial(rows, 20, replacement=True)
lib.multinomial(rows.double(), 20, True)
lib.multinomial(rows.double(), 5)
lib.empty(n).exponential_()
lib.empty(n, dtype=lib.float64).exponential_(lambd=2.5)
lib.empty(n).geometric_(0.3)
lib.empty(n, dtype=lib.int64).geometric_(0.3)
lib.empty(n).log_normal_(0.3, std=0.7)
lib.empty(n, dtype=lib.float64).log_normal_()
lib.empty(n).cauchy_(1, 3)
lib.empty(n).random_()
lib.empty(n, dtype=lib.uint8).random_()
lib.empty(n, dtype=lib.int32).random_(5, 100)
lib.empty(n, dtype=lib.int64).random_(2**40)
lib.empty(n, dtype=lib.int64).random_(-5, to=5)
lib.normal(lib.ones(n), 2.0)
lib.normal(0.5, std=lib.arange(float(n)))
lib.normal(lib.zeros(n, 1), lib.ones(3))
lib.normal(2.0, 3.0, (n, 2))
lib.empty(n).normal_(2, 3)
lib.empty(n, dtype=lib.bfloat16).normal_(2, 3)
lib.empty(n).uniform_(-2, 3)
lib.empty(n, 3)[:, 1].exponential_()
lib.empty(n).bernoulli_(0.3)
lib.bernoulli(lib.full((n,), 0.3))
lib.empty(n).exponential_(generator=g)
lib.multinomial(w, 3, generator=g)
""".strip().splitlines()


@pytest.mark.parametrize("expression", DRAWS)
@pytest.mark.parametrize("n", [5, 16, 33, 1000])
def test_draws_and_the_stream_after_them(expression, n):
    if "bernoulli_(0" in expression:
        g = torch.Generator().manual_seed(0)
        torch.empty(4).bernoulli_(0.5, generator=g)
        if torch.rand(1, generator=g) == torch.rand(2, generator=torch.Generator().manual_seed(0))[1]:
            pytest.skip("this PyTorch draws bernoulli_(p) by MKL on this processor")
    found = []
    for lib in (torch, tapegrad):
        lib.manual_seed(5)
        table = np.random.RandomState(0).rand(6, 40).astype(np.float32)
        names = {"lib": lib, "n": n, "w": lib.tensor([0.1, 0.5, 0, 0.2, 0.9]), "rows": lib.tensor(table)}
        x = eval(expression, names | {"g": lib.Generator().manual_seed(6)})
        found.append((str(x.dtype).rpartition(".")[2], tuple(x.shape), x.double().tolist(), lib.rand(1).item()))
    (*kind, values, after), (*our_kind, our_values, our_after) = found
    assert our_kind == kind
    assert our_after == after
    np.testing.assert_allclose(our_values, values, rtol=1e-6, atol=1e-6)
