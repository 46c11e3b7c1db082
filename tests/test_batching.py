"""Every primitive under vmap: its conformance samples, batched, give what a loop over the batch gives."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import backends
from tapegrad.autograd import RULES, P, Tensor
from tapegrad.autograd.batching.backend import REFUSED, RULED
from tapegrad.testing.conformance.running import attributes, close, flatten, quiet, wanting, weights
from tapegrad.testing.conformance.samples import SAMPLES, plain
from tapegrad.testing.conformance.samples.inputs import LARGE
from tapegrad.testing.conformance.suite import samples_of

SIZE = 3
ROOM = 4096  # epsilons: iterations until all elements have converged take more steps in a batch
BATCHABLE = sorted(set(RULES) - set(REFUSED))


def small(sample):
    arrays = [x for x in flatten(sample.inputs) if isinstance(x, np.ndarray)]
    return arrays and all(x.size <= 400 for x in arrays) and LARGE > 400


def variants(array, salt):
    """Three arrays like ``array`` with other values, of the same kind: its elements in another order."""
    flat = np.asarray(array).reshape(-1)
    made = [array] + [np.roll(flat, k + salt).reshape(array.shape) for k in range(1, SIZE)]
    return [np.array(m, order="C") for m in made]


def batches(sample):
    """Per input array its elements of the batch; of integers (indices) no permutation may leave the range."""
    made = []
    for k, x in enumerate(flatten(sample.inputs)):
        made.append(variants(x, k) if isinstance(x, np.ndarray) else None)
    return made


def choices(count):
    """Which of the arrays are batched: all, each one alone, all but each one."""
    everything = (True,) * count
    alone = [tuple(i == k for i in range(count)) for k in range(count)]
    others = [tuple(i != k for i in range(count)) for k in range(count)] if count > 1 else []
    return list(dict.fromkeys([everything, *alone, *(o for o in others if any(o))]))


def nested(flat, like):
    """Flat values in the structure of a sample's inputs, where variadic ones are lists."""
    it = iter(flat)
    return [[next(it) for _ in x] if isinstance(x, list) else next(it) for x in like]


def call(name, sample, values):
    return getattr(P, name)(*nested(values, sample.inputs), *attributes(sample, backends.device_of("cpu")))


def tensors_of(arrays):
    return [a if not isinstance(a, np.ndarray) else tg.from_numpy(np.array(a)) for a in arrays]


def dims_and_arguments(sample, rows, chosen):
    dims, arguments, at = [], [], 0
    for row, x in zip(rows, flatten(sample.inputs), strict=True):
        if row is None:
            dims.append(None)
            arguments.append(x)
            continue
        batched, at = chosen[at], at + 1
        dims.append(0 if batched else None)
        arguments.append(np.stack(row) if batched else row[0])
    return dims, arguments


@pytest.mark.parametrize("name", BATCHABLE)
def test_a_batch_gives_what_a_loop_gives(name):
    rule, checked = RULES[name], 0
    if name not in SAMPLES and not plain(rule):
        pytest.skip("without samples, which the conformance suite asks for")
    with quiet("numpy"):
        for sample in samples_of(name):
            if not small(sample) or (name == "batch_norm" and sample.attrs[0]):  # whose moments follow from the input
                continue
            rows = batches(sample)
            arrays = sum(r is not None for r in rows)
            for chosen in choices(arrays):
                if masks_are_batched(name, sample, chosen):
                    continue
                dims, arguments = dims_and_arguments(sample, rows, chosen)
                try:
                    loop = [call(name, sample, tensors_of(pick(rows, sample, dims, i))) for i in range(SIZE)]
                except (RuntimeError, IndexError, ValueError):
                    continue  # the reordered values do not suit the primitive
                out = tg.vmap(lambda *xs, sample=sample: call(name, sample, xs), tuple(dims))(*tensors_of(arguments))
                what = f"{name} {sample!r} batched {chosen}"
                each, room = np.stack([y.numpy() for y in loop]), (ROOM + 4 * sample.rtol, ROOM + 4 * sample.atol)
                close(out.numpy(), each, kind_of(out), *room, what)
                if rule.differentiable and sample.gradient:
                    compare_gradients(name, sample, rows, dims, arguments, out, what)
                checked += 1
    assert checked, f"{name}: no sample could be batched"


def kind_of(out):
    return {"f": out._array.dtype.name, "c": "float64"}.get(out._array.dtype.kind, "float64")


def masks_are_batched(name, sample, chosen):
    """Whether a mask that selects elements would be batched: that is refused."""
    if name not in ("index", "unindex", "index_put"):
        return False
    arrays = [x for x in flatten(sample.inputs) if isinstance(x, np.ndarray)]
    first = 2 if name == "index_put" else 1
    return any(c and x.dtype.kind == "b" for x, c in list(zip(arrays, chosen, strict=True))[first:])


def pick(rows, sample, dims, i):
    made = []
    for row, x, dim in zip(rows, flatten(sample.inputs), dims, strict=True):
        made.append(x if row is None else row[0] if dim is None else row[i])
    return made


def compare_gradients(name, sample, rows, dims, arguments, out, what):
    """Gradients inside the map (a tape over batched tensors) and outside of it (a map on the tape)."""
    wanted = wanting(name, list(sample.inputs))
    at = [k for k, w in enumerate(wanted) if w]
    if not at or out._array.dtype.kind not in "fc":
        return
    g = weights(out.numpy()[0], 1).astype(out._array.dtype)
    cotangent = tg.from_numpy(np.asarray(g))

    def slopes(*xs):
        xs = list(xs)
        for k in at:
            xs[k] = xs[k].detach().requires_grad_()
        return tg.autograd.grad(call(name, sample, xs), [xs[k] for k in at], cotangent, materialize_grads=True)

    loop = [slopes(*tensors_of(pick(rows, sample, dims, i))) for i in range(SIZE)]
    batch = tensors_of(arguments)
    inside = tg.vmap(lambda *xs: lifted(slopes, xs, at), tuple(dims))(*batch)
    for k in at:
        batch[k] = batch[k].requires_grad_()
    mapped = tg.vmap(lambda *xs: call(name, sample, xs), tuple(dims))(*batch)
    outside = tg.autograd.grad(mapped, [batch[k] for k in at], cotangent.expand(mapped.shape), materialize_grads=True)
    for j, k in enumerate(at):
        each = np.stack([row[j].numpy() for row in loop])
        rtol = 256 + 16 * max(sample.rtol, sample.atol)
        kind = kind_of(inside[j])
        close(inside[j].numpy(), each, kind, rtol, rtol, f"gradient {k} inside of {what}")
        want = each if dims[k] == 0 else each.sum(0)
        close(outside[j].numpy(), want, kind, rtol, rtol, f"gradient {k} outside of {what}")


def lifted(slopes, xs, at):
    """The gradients of a function of batched tensors; what is not batched is brought to the level by a batched zero."""
    level = next(x for x in xs if isinstance(x, Tensor) and x._device.depth)
    zero = level.new_zeros(()).to("bool")
    return slopes(*[P.where(zero, x, x) if k in at else x for k, x in enumerate(xs)])


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_primitive_without_a_rule_says_so(name):
    assert name not in RULED


def test_every_primitive_has_a_rule_or_is_refused():
    ruled = {r.name for r in RULES.values() if r.kind is not None} | set(RULED)
    assert sorted(set(RULES) - ruled) == sorted(REFUSED)


# It batches: the number of kernels that run does not depend on the size of the batch


class Counted:
    """Counts how often the kernels of the CPU run."""

    def __enter__(self):
        self.device, self.count = backends.device_of("cpu"), 0
        self.kernels = list(self.device.kernels)

        def counting(kernel):
            def run(*args):
                self.count += 1
                return kernel(*args)

            return run

        self.device.kernels[:] = [counting(k) for k in self.kernels]
        return self

    def __exit__(self, *exc):
        self.device.kernels[:] = self.kernels


def programs():
    def net(w, x):
        return tg.softmax(tg.tanh(w @ x) * 2 + x.sum(), 0)[1:].prod()

    w = tg.randn(4, 3)
    yield "values", lambda x: tg.vmap(lambda v: net(w, v))(x)
    yield "gradients of every sample", lambda x: tg.vmap(tg.func.grad(net), (None, 0))(w, x)
    yield "hessians", lambda x: tg.vmap(tg.func.hessian(lambda v: net(w, v)))(x)
    yield "nested", lambda x: tg.vmap(lambda a: tg.vmap(lambda b: (a * b).sum())(x))(x)
    yield "writes", lambda x: tg.vmap(lambda v: v.clone().mul_(2)[tg.tensor([0, 2])])(x)
    yield "jacobian", lambda x: tg.func.jacrev(lambda v: (v @ w.T).tanh())(x)
    yield "columns", lambda x: tg.func.jacfwd(lambda v: (v @ w.T).tanh())(x)


@pytest.mark.parametrize(("name", "program"), list(programs()), ids=[n for n, _ in programs()])
def test_a_larger_batch_takes_no_more_kernels(name, program):
    counts = []
    for size in (2, 7):
        with Counted() as counted:
            program(tg.randn(size, 3))
        counts.append(counted.count)
    assert counts[0] == counts[1] > 0, f"{name}: {counts}"


def test_a_tensor_that_outlives_its_map_is_refused():
    kept = []
    tg.vmap(lambda x: kept.append(x) or x)(tg.ones(3))
    with pytest.raises(RuntimeError, match="vmap: this tensor belongs to a mapped function that has returned"):
        _ = kept[0] + tg.ones(2)


def test_an_error_leaves_no_level_behind():
    with pytest.raises(ZeroDivisionError):
        tg.vmap(lambda x: 1 / 0)(tg.ones(3))
    assert tg.rand(2).shape == (2,)


@pytest.mark.parametrize(("function", "word"), [
    (lambda x: x.item(), "item"), (lambda x: x if x else -x, "vmap"), (lambda x: float(x) * x, "vmap"),
    (lambda x: x.numpy(), "vmap"), (lambda x: x[None].nonzero(), "nonzero"), (lambda x: x[None][x[None] > 0], "mask"),
    (lambda x: tg.zeros(3).copy_(x), "vmap"),
    (lambda x: x + tg.rand(2), "randomness"), (lambda x: np.asarray(x), "vmap"),
])  # fmt: skip
def test_what_cannot_be_batched_is_refused_by_name(function, word):
    with pytest.raises(RuntimeError, match=word) as raised:
        tg.vmap(function)(tg.ones(3))
    assert "vmap" in str(raised.value)


def test_threads_have_levels_of_their_own():
    from concurrent.futures import ThreadPoolExecutor

    def work(k):
        x = tg.full((4, 3), float(k))
        return tg.vmap(tg.func.grad(lambda v: (v * v).sum()))(x).numpy(), 2 * k

    with ThreadPoolExecutor(4) as pool:
        for got, want in pool.map(work, range(20)):
            np.testing.assert_array_equal(got, np.full((4, 3), float(want)))


def each(function, *args):
    return tg.stack([function(*row) for row in zip(*args, strict=True)])


STRIDED = {
    "overlapping": lambda a: a.as_strided((3, 2), (1, 1)),
    "from an offset": lambda a: a.as_strided((2, 2), (1, 1), 1),
    "of a transpose": lambda a: a.view(2, 2).t().as_strided((2, 2), (1, 2)),
}


@pytest.mark.parametrize("name", STRIDED)
def test_views_by_stride(name):
    x, view = tg.arange(12.0).reshape(3, 4), STRIDED[name]
    assert tg.equal(tg.vmap(view)(x), each(lambda a: view(a.clone()), x))  # offsets count from each element's own start
    loss = lambda a: (view(a) ** 3).sum()
    slopes = each(lambda a: tg.func.grad(loss)(a.clone()), x)
    assert tg.equal(tg.vmap(tg.func.grad(loss))(x), slopes)
    assert tg.equal(tg.func.grad(lambda y: (tg.vmap(view)(y) ** 3).sum())(x), slopes)


def test_a_write_through_a_view_by_stride():
    written = lambda a: (lambda b: (b.as_strided((2,), (2,)).add_(10.0), b)[1])(a.clone())
    x = tg.arange(12.0).reshape(3, 4)
    assert tg.equal(tg.vmap(written)(x), each(written, x))
    with pytest.raises(RuntimeError, match="write through another view"):  # rather than a wrong gradient
        tg.vmap(tg.func.grad(lambda a: (written(a) ** 2).sum()))(x)


def test_a_view_by_stride_stays_in_its_element():
    with pytest.raises(RuntimeError, match="reaches element 4 of a memory of 4"):
        tg.vmap(lambda a: a.as_strided((5,), (1,)))(tg.arange(12.0).reshape(3, 4))


def test_parameters_that_are_batched():
    x, q = tg.arange(12.0).reshape(3, 4), tg.tensor([0.2, 0.5, 0.9])
    assert tg.equal(tg.vmap(tg.quantile)(x, q), each(tg.quantile, x, q))
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        tg.vmap(tg.quantile)(x, q * 2)
    count = lambda a: tg.histc(a, 4, 0.0, 12.0)
    assert tg.equal(tg.vmap(count)(x), each(count, x))
    labels = tg.tensor([[0, 1], [2, 2], [3, 0]])
    code = lambda a: tg.nn.functional.one_hot(a, 4)
    assert tg.equal(tg.vmap(code)(labels), each(code, labels))
    put = lambda a, k: (lambda b: (b.__setitem__((k, slice(None), k), 5.0), b)[1])(a.clone())
    y, k = tg.arange(96.0).reshape(3, 4, 2, 4), tg.tensor([0, 1, 3])
    assert tg.equal(tg.vmap(put)(y, k), each(put, y, k))
