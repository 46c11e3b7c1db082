"""Worker processes of a loader: what goes wrong is told, nothing hangs, nobody is left behind."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.nn.data import transfer
from tapegrad.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the tests' datasets are forked")


class Range(Dataset):
    """Numbers; at the third one ``do`` happens."""

    def __init__(self, do=None, size=12):
        self.do, self.size = do, size

    def __len__(self):
        return self.size

    def __getitem__(self, i):
        if i == 3 and self.do is not None:
            self.do()
        return i


class Awkward(Exception):
    def __init__(self, one, two):
        super().__init__(one, two)


def batches(do=None, **options):
    return [batch.tolist() for batch in DataLoader(Range(do), 2, num_workers=2, **options)]


def fail(error):
    def do():
        raise error

    return do


def test_an_exception_comes_with_the_workers_traceback():
    for error, kind in (
        (ValueError("bad example"), ValueError),
        (Awkward(1, 2), RuntimeError),
        (KeyError("a\nb"), KeyError),
    ):
        with pytest.raises(
            kind, match=r"(?s)DataLoader worker process 1.*Original Traceback.*in do\n.*raise error"
        ) as caught:
            batches(fail(error))
        assert f"Caught {type(error).__name__}" in str(caught.value)

    class Local(Exception):
        pass

    with pytest.raises(RuntimeError, match=r"(?s)Original Traceback.*Local: here"):
        batches(fail(Local("here")))
    with pytest.raises(RuntimeError, match=r"(?s)worker process 0.*cannot begin"):
        batches(worker_init_fn=lambda number: fail(RuntimeError("cannot begin"))() if number == 0 else None)


def test_one_can_go_on_after_an_exception():
    iterator = iter(DataLoader(Range(fail(ValueError("x"))), 2, num_workers=2))
    found = []
    while True:
        try:
            found.append(next(iterator).tolist())
        except ValueError:
            found.append("error")
        except StopIteration:
            break
    assert found == [[0, 1], "error", [4, 5], [6, 7], [8, 9], [10, 11]]


def test_a_batch_that_cannot_be_pickled_is_told():
    with pytest.raises(Exception, match=r"(?s)worker process.*pickle.*local object"):
        batches(collate_fn=lambda batch: lambda: 0)


@pytest.mark.parametrize(
    ("do", "text"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "killed by signal: SIGKILL"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "killed by signal: SIGSEGV"),
        (lambda: os._exit(3), "exit code 3"),
    ],
)
def test_a_worker_that_dies_is_told_by_pid(do, text):
    begin = time.monotonic()
    with pytest.raises(RuntimeError, match=rf"worker 1 \(pid \d+\).*{text}"):
        batches(do)
    assert time.monotonic() - begin < 4


def test_time_is_up():
    with pytest.raises(RuntimeError, match=r"timed out after 0.3 seconds"):
        batches(lambda: time.sleep(1.2), timeout=0.3)


def test_order_and_prefetching():
    class Slow(Range):
        def __getitem__(self, i):
            time.sleep(0.05 * (i % 3 == 0))
            return i

    for options in ({}, {"prefetch_factor": 1}, {"prefetch_factor": 5}, {"persistent_workers": True}):
        loader = DataLoader(Slow(), 1, num_workers=3, **options)
        assert [int(b) for b in loader] == list(range(12))
    loose = [int(b) for b in DataLoader(Slow(), 1, num_workers=3, in_order=False)]
    assert sorted(loose) == list(range(12))


def test_in_order_false_does_not_wait_for_a_slow_worker():
    class Uneven(Range):
        def __getitem__(self, i):
            time.sleep(0.4 * (i == 0))
            return i

    assert int(next(iter(DataLoader(Uneven(), 1, num_workers=2, in_order=False)))) == 1
    assert int(next(iter(DataLoader(Uneven(), 1, num_workers=2)))) == 0


def pids(loader):
    return {int(p) for batch in loader for p in batch}


def test_persistent_workers_stay():
    class Pid(Range):
        def __getitem__(self, i):
            return os.getpid()

    kept = DataLoader(Pid(), 2, num_workers=2, persistent_workers=True)
    assert pids(kept) == pids(kept)
    new = DataLoader(Pid(), 2, num_workers=2)
    assert not pids(new) & pids(new)
    for _ in range(3):  # given up in the middle, and begun anew
        assert next(iter(kept)) is not None
    alive = pids(kept)
    assert len(list(kept)) == 6
    del kept
    assert not [p for p in alive if running(p)]


def running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"  # not one that nobody has asked after
    except FileNotFoundError:
        return not os.path.isdir("/proc/self")


def test_workers_leave_when_the_loader_is_given_up():
    class Pid(Range):
        def __getitem__(self, i):
            return os.getpid()

    before = len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0
    for _ in range(3):
        iterator = iter(DataLoader(Pid(), 2, num_workers=2))
        pid = int(next(iterator)[0])
        del iterator
        assert not running(pid)
    if before:
        assert len(os.listdir("/dev/fd")) <= before + 1


def test_large_and_small_arrays_arrive_writable():
    class Arrays(Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return {
                "large": tg.full((300, 1000), float(i)), "small": np.arange(3) + i,
                "half": tg.ones(70000, dtype=tg.bfloat16),
                "odd": np.full(33, i, np.uint8), "empty": tg.zeros(0, 2), "number": tg.tensor(i),
                "order": np.ones((200, 300)).T,
                "gaps": tg.ones(10)[::3], "needs": tg.ones(2, requires_grad=True),
            }  # fmt: skip

    for i, found in enumerate(DataLoader(Arrays(), None, num_workers=2)):
        expected = Arrays()[i]
        for name, value in expected.items():
            assert found[name].shape == value.shape
            assert found[name].tolist() == value.tolist()
            if name != "needs":
                found[name][...] = 1
        assert found["needs"].requires_grad
        assert found["half"].dtype is tg.bfloat16


@pytest.mark.skipif(not transfer.SHARES, reason="shared memory without a name is Linux's")
def test_shared_memory_goes_with_the_last_array():
    def mapped():
        with open("/proc/self/maps") as file:
            return sum("tapegrad-batch" in line for line in file)

    class Wide(Range):
        def __getitem__(self, i):
            return np.full(100000, i, np.float32)

    kept = []
    for batch in DataLoader(Wide(size=4), 1, num_workers=2):
        kept.append(batch[0, :10])
        del batch
    assert mapped() == 4
    assert [float(x[0]) for x in kept] == [0, 1, 2, 3]
    kept.clear()
    assert mapped() == 0


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_ways_to_start(method, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import tapegrad as tg\n"
        "from tapegrad.utils.data import DataLoader, TensorDataset\n"
        "if __name__ == '__main__':\n"
        f"    loader = DataLoader(TensorDataset(tg.arange(6)), 2, num_workers=1, multiprocessing_context={method!r})\n"
        "    print([b.tolist() for b, in loader])\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, env=environment())
    assert done.stdout == "[[0, 1], [2, 3], [4, 5]]\n", done.stderr


def environment():
    return os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


def test_no_deadlock_after_kernels_and_matrix_products_ran_on_threads():
    before = tg.get_num_threads()
    tg.set_num_threads(2)
    try:
        x = tg.rand(1200, 1200)
        (x @ x).exp().sum()

        class Busy(Range):
            def __getitem__(self, i):
                y = tg.rand(400, 400, requires_grad=True)
                (y @ y).tanh().sum().backward()
                return tg.get_num_threads()

        found = list(DataLoader(Busy(), 2, num_workers=2, timeout=60))
        assert all(b.tolist() == [1, 1] for b in found)
        assert tg.get_num_threads() == 2
    finally:
        tg.set_num_threads(before)


def test_loaders_inside_each_other():
    inner = DataLoader(Range(), 4, num_workers=1, persistent_workers=True)
    for _ in DataLoader(Range(), 6, num_workers=2):
        assert len(list(inner)) == 3


def test_an_iterable_dataset_that_fails():
    class Stream(IterableDataset):
        def __iter__(self):
            yield get_worker_info().id
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match=r"(?s)Original.*in the middle"):
        list(DataLoader(Stream(), 2, num_workers=1))


SCRIPT = """
import os, sys, time
from tapegrad.utils.data import DataLoader, Dataset

class Slow(Dataset):
    def __len__(self):
        return 100
    def __getitem__(self, i):
        if i > 3 and sys.argv[1] == "busy":
            time.sleep(60)
        return os.getpid()

for number, batch in enumerate(DataLoader(Slow(), 2, num_workers=2)):
    print(int(batch[0]), flush=True)
    if number and sys.argv[1] == "idle":
        time.sleep(60)
"""


@pytest.mark.parametrize(
    ("end", "workers"), [(signal.SIGINT, "busy"), (signal.SIGINT, "idle"), (signal.SIGKILL, "idle")]
)
def test_the_parents_end_is_the_workers_end(end, workers):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, workers],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    pids = [int(process.stdout.readline()) for _ in range(2)]
    assert all(map(running, pids))
    time.sleep(0.2)
    process.send_signal(end)
    begin = time.monotonic()
    process.wait(20)
    while any(map(running, pids)) and time.monotonic() - begin < 4:
        time.sleep(0.01)
    left = [pid for pid in pids if running(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left
    text = process.communicate()[1]
    if end == signal.SIGINT:
        assert text.rstrip().endswith("KeyboardInterrupt")
        assert text.count("Traceback") == 1  # the workers say nothing
