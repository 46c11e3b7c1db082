"""Datasets, samplers and loaders against PyTorch's: the same batches in the same order, with and without workers."""

import collections
import random
import warnings

import numpy as np
import pytest

import tapegrad
import tapegrad.utils.data as ours

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore:This DataLoader will create")]

LIBRARIES = [torch, tapegrad]
Point = collections.namedtuple("Point", "x y")


class Mine(dict):
    pass


def plain(value):
    """What two libraries can be compared by: types, and numbers without tensors."""
    if isinstance(value, (torch.Tensor, tapegrad.Tensor)):
        return str(value.dtype).rpartition(".")[2], tuple(value.shape), value.tolist()
    if isinstance(value, dict):
        return type(value).__name__, {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return "array", value.tolist()
    return type(value).__name__, value


def both(run):
    """What ``run`` gives with each library, after the same seed."""
    found = []
    for lib in LIBRARIES:
        lib.manual_seed(11)
        random.seed(3)
        np.random.seed(4)
        result = run(lib, lib.utils.data)
        found.append(plain([result, lib.rand(3)]))
    assert found[1] == found[0]
    return found[1]


def squares(lib, data):
    class Squares(data.Dataset):
        def __len__(self):
            return 23

        def __getitem__(self, i):
            return lib.tensor([float(i), float(i * i)]), i % 3

    return Squares()


EXAMPLES = {
    "tensors": lambda lib, i: lib.tensor([i, i + 1]),
    "scalars": lambda lib, i: lib.tensor(float(i)),
    "arrays": lambda lib, i: np.full((2, 2), i, dtype=np.float32),
    "array of no dimension": lambda lib, i: np.array(i),
    "numpy numbers": lambda lib, i: np.float64(i),
    "numpy integers": lambda lib, i: np.int32(i),
    "numpy bools": lambda lib, i: np.bool_(i % 2),
    "floats": lambda lib, i: i / 3,
    "ints": lambda lib, i: i,
    "bools": lambda lib, i: i % 2 == 0,
    "strings": lambda lib, i: f"text {i}",
    "bytes": lambda lib, i: b"%d" % i,
    "dicts": lambda lib, i: {"a": lib.ones(2) * i, "b": {"c": i, "d": [i, "x"]}},
    "own mappings": lambda lib, i: Mine(a=i, b=2.5),
    "ordered": lambda lib, i: collections.OrderedDict(b=i, a=2.5),
    "defaultdict": lambda lib, i: collections.defaultdict(int, b=i, a=2.5),
    "tuples": lambda lib, i: (lib.ones(1), i, (i, "s")),
    "named tuples": lambda lib, i: Point(i, lib.zeros(2)),
    "lists": lambda lib, i: [i, [lib.ones(1)], 2.0],
    "range": lambda lib, i: range(i, i + 3),
    "empty tuples": lambda lib, i: (),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_how_examples_become_a_batch(name):
    make = EXAMPLES[name]
    both(lambda lib, data: data.default_collate([make(lib, i) for i in range(3)]))
    both(lambda lib, data: data.default_convert(make(lib, 2)))
    both(lambda lib, data: list(data.DataLoader([make(lib, i) for i in range(5)], batch_size=2)))
    both(lambda lib, data: list(data.DataLoader([make(lib, i) for i in range(5)], batch_size=None)))


BAD = {
    "none": lambda lib: [None, None], "objects": lambda lib: [object()], "lengths": lambda lib: [[1, 2], [1]],
    "array of strings": lambda lib: [np.array(["a", "b"])], "sets": lambda lib: [{1}],
    "shapes": lambda lib: [lib.ones(2), lib.ones(3)],
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_makes_no_batch(name):
    raised = []
    for lib in LIBRARIES:
        with pytest.raises((TypeError, RuntimeError)) as error:
            lib.utils.data.default_collate(BAD[name](lib))
        raised.append(error.type)
    assert raised[0] is raised[1]


def test_own_functions_for_collate():
    class Word(str):
        pass

    for lib in LIBRARIES:
        collate = lib.utils.data._utils.collate.collate
        functions = {
            Word: lambda batch, *, collate_fn_map=None: "-".join(batch),
            int: lambda b, *, collate_fn_map=None: sum(b),
        }
        assert collate([(Word("a"), 1), (Word("b"), 2)], collate_fn_map=functions) == ["a-b", 3]


SAMPLERS = {
    "sequential": lambda lib, d: d.SequentialSampler(range(7)),
    "random": lambda lib, d: d.RandomSampler(range(50)),
    "random of a generator": lambda lib, d: d.RandomSampler(range(50), generator=lib.Generator().manual_seed(5)),
    "random with replacement": lambda lib, d: d.RandomSampler(range(50), replacement=True, num_samples=71),
    "random of more": lambda lib, d: d.RandomSampler(range(10), num_samples=37),
    "subset": lambda lib, d: d.SubsetRandomSampler([3, 1, 4, 1, 5, 9]),
    "weighted": lambda lib, d: d.WeightedRandomSampler([0.1, 0.9, 0.4, 0, 2.0], 40),
    "weighted without replacement": lambda lib, d: d.WeightedRandomSampler([0.1, 0.9, 0.4, 0.3, 2.0], 4, False),
    "weighted by a tensor": lambda lib, d: d.WeightedRandomSampler(lib.arange(20.0), 9, generator=lib.Generator()),
    "batches": lambda lib, d: d.BatchSampler(d.RandomSampler(range(11)), 4, False),
    "whole batches": lambda lib, d: d.BatchSampler(range(11), 4, True),
    "distributed": lambda lib, d: d.distributed.DistributedSampler(range(11), 3, 1, seed=5),
    "distributed in order": lambda lib, d: d.DistributedSampler(range(11), 3, 2, shuffle=False),
    "distributed, dropping": lambda lib, d: d.DistributedSampler(range(11), 3, 2, drop_last=True),
    "distributed, few": lambda lib, d: d.DistributedSampler(range(2), 5, 4),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers(name):
    def run(lib, data):
        sampler = SAMPLERS[name](lib, data)
        first = list(sampler)
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(3)
        return [first, list(sampler), len(sampler)]

    both(run)


def test_datasets():
    def run(lib, data):
        x, y = lib.arange(6.0), lib.arange(12).reshape(6, 2)
        tensors = data.TensorDataset(x, y)
        joined = tensors + data.TensorDataset(x[:2] + 10, y[:2] + 10)
        stacked = data.StackDataset(tensors, x), data.StackDataset(a=x, b=tensors)
        part = data.Subset(joined, [7, 0, -1])
        return [
            [joined[i] for i in range(-len(joined), len(joined))], [s[1] for s in stacked], [len(s) for s in stacked],
            [part[i] for i in range(3)], list(data.DataLoader(part, 2)), list(data.DataLoader(stacked[0], 4)),
            list(data.DataLoader(stacked[1], 4)), list(data.DataLoader(data.Subset(tensors, [5, 2, 3]), 2)),
            joined.cumulative_sizes,
        ]  # fmt: skip

    both(run)
    for lib in LIBRARIES:
        data = lib.utils.data
        for wrong in (
            lambda d=data: d.ConcatDataset([]), lambda d=data: d.StackDataset(),
            lambda d=data: d.StackDataset([1], a=[1]),
            lambda d=data: d.StackDataset([1], [1, 2]), lambda d=data: d.ConcatDataset([[1], [2]])[-3],
            lambda d=data, t=lib.ones: d.TensorDataset(t(2), t(3)), lambda d=data: d.random_split(range(5), [2, 2]),
            lambda d=data: d.random_split(range(5), [0.5, 0.6]), lambda d=data: d.DistributedSampler(range(3), 2, 2),
            lambda d=data: d.WeightedRandomSampler([1, 2], 0), lambda d=data: d.BatchSampler(range(3), 0, False),
        ):  # fmt: skip
            with pytest.raises((ValueError, AssertionError)):
                wrong()


@pytest.mark.parametrize("lengths", [[20, 3], [0.5, 0.5], [0.2, 0.3, 0.5], [0.9, 0.1], [1.0], [23], [1]])
def test_random_split(lengths):
    def run(lib, data):
        source = range(1) if lengths == [1] else range(23)
        own = data.random_split(source, lengths, generator=lib.Generator().manual_seed(2))
        return [list(part) for part in [*own, *data.random_split(source, lengths)]]

    both(run)


OPTIONS = [
    {}, {"shuffle": True}, {"shuffle": True, "drop_last": True}, {"batch_size": None},
    {"batch_size": None, "shuffle": True},
    {"batch_sampler": [[1, 2], [0], [5, 5]]}, {"sampler": [3, 1, 2]}, {"collate_fn": len, "shuffle": True},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("workers", [0, 2])
def test_loaders(options, workers):
    def run(lib, data):
        options.setdefault("batch_size", 1 if "batch_sampler" in options else 4)
        loader = data.DataLoader(squares(lib, data), num_workers=workers, **options)
        own = data.DataLoader(
            squares(lib, data), num_workers=workers, generator=lib.Generator().manual_seed(1), **options
        )
        return [[list(part) for part in (loader, loader, own)], len(loader)]

    both(run)


def test_a_sampler_that_draws_when_it_begins():
    def run(lib, data):
        class Eager:
            def __iter__(self):
                return iter(lib.randperm(6).tolist())

            def __len__(self):
                return 6

        each = [
            data.DataLoader(range(6), batch_size=None, sampler=Eager(), num_workers=workers) for workers in (0, 2)
        ]  # fmt: skip
        return [list(loader) for loader in [*each, data.DataLoader(range(6), sampler=Eager(), num_workers=2)]]

    both(run)


@pytest.mark.parametrize("persistent", [False, True])
def test_random_numbers_of_workers(persistent):
    def run(lib, data):
        class Noise(data.Dataset):
            def __len__(self):
                return 13

            def __getitem__(self, i):
                info = data.get_worker_info()
                assert info.dataset is self
                assert lib.initial_seed() == info.seed
                return i, lib.rand(2), random.random(), np.random.rand(3), info.id, info.num_workers, info.seed

        started = []
        loader = data.DataLoader(
            Noise(), 2, shuffle=True, num_workers=3, persistent_workers=persistent,
            worker_init_fn=lambda i: started.append(np.random.seed(np.random.randint(9) + i)) or random.random(),
        )  # fmt: skip
        passes = [list(loader), list(loader)]
        next(iter(loader))  # given up in the middle
        return [*passes, list(loader), started]

    both(run)
    assert ours.get_worker_info() is None


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("options", [{}, {"drop_last": True}, {"batch_size": None}], ids=str)
def test_iterable_datasets(options, persistent):
    def run(lib, data):
        class Stream(data.IterableDataset):
            def __init__(self, begin=0):
                self.begin = begin

            def __iter__(self):
                info = data.get_worker_info()
                number = info.id if info else 0
                yield from range(self.begin + 100 * number, self.begin + 100 * number + 5 * (number + 1) + 2)

        chained = data.ChainDataset([Stream(), Stream(1000)]) if options else Stream() + Stream(1000)
        found = [list(data.DataLoader(chained, **{"batch_size": 3, **options}))]
        for workers in (1, 3):
            loader = data.DataLoader(
                chained, num_workers=workers, persistent_workers=persistent, **{"batch_size": 3, **options}
            )
            found += [list(loader), list(loader)]
        return found

    both(run)


def test_lengths_of_iterable_datasets():
    for lib in LIBRARIES:
        data = lib.utils.data

        class Stream(data.IterableDataset):
            def __iter__(self):
                return iter(range(10))

            def __len__(self):
                return 7

        assert len(data.DataLoader(Stream(), 3)) == 3
        assert len(data.DataLoader(Stream(), 3, drop_last=True)) == 2
        assert len(data.DataLoader(Stream(), None)) == 7
        loader = data.DataLoader(Stream())
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            assert sum(1 for _ in loader) == 10  # it has not been asked for its length
            assert not told
            len(loader)
            list(loader)
        assert len(told) == 3


WRONG = [
    {"num_workers": -1}, {"timeout": -1}, {"prefetch_factor": 2}, {"num_workers": 1, "prefetch_factor": -2},
    {"persistent_workers": True}, {"shuffle": True, "sampler": [1]}, {"batch_sampler": [[1]], "batch_size": 2},
    {"batch_size": None, "drop_last": True}, {"multiprocessing_context": "fork"},
    {"num_workers": 1, "multiprocessing_context": "spoon"}, {"batch_size": 0}, {"batch_size": 2.5},
]  # fmt: skip


@pytest.mark.parametrize("options", WRONG, ids=str)
def test_options_that_exclude_each_other(options):
    for lib in LIBRARIES:
        with pytest.raises(ValueError):
            lib.utils.data.DataLoader(range(4), **options)


def test_more_refusals():
    for lib in LIBRARIES:
        data = lib.utils.data
        stream = data.ChainDataset([])
        for options in ({"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}):
            with pytest.raises(ValueError, match="IterableDataset"):
                data.DataLoader(stream, **options)
        loader = data.DataLoader(range(4))
        with pytest.raises(ValueError, match="after DataLoader is initialized"):
            loader.batch_size = 3
        with pytest.raises(TypeError):
            data.DataLoader(range(4), num_workers=1, multiprocessing_context=3)


def test_batches_fetched_at_once():
    def run(lib, data):
        asked = []

        class Batched(data.Dataset):
            def __len__(self):
                return 7

            def __getitem__(self, i):
                raise AssertionError

            def __getitems__(self, indices):
                asked.append(indices)
                return [lib.tensor(i) for i in indices]

        return [list(data.DataLoader(Batched(), 3)), list(data.DataLoader(data.Subset(Batched(), [4, 2, 6]), 2)), asked]

    both(run)


def test_import_paths():
    for lib in LIBRARIES:
        data = lib.utils.data
        assert data.dataloader.DataLoader is data.DataLoader
        assert data.dataloader.default_collate is data._utils.collate.default_collate is data.default_collate
        assert data.dataset.Subset is data.Subset
        assert data.dataset.random_split is data.random_split
        assert data.sampler.WeightedRandomSampler is data.WeightedRandomSampler
        assert data.distributed.DistributedSampler is data.DistributedSampler
        assert data._utils.worker.get_worker_info is data.get_worker_info
        for cls in (data.Dataset, data.DataLoader, data.IterableDataset, data.sampler.Sampler):
            assert cls[int] is not None
