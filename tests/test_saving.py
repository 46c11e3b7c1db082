"""Saving and loading: nothing of a file is run, damage is told, and a killed program leaves the old file."""

import io
import os
import pickle
import stat
import subprocess
import sys
import textwrap
import zipfile

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.serialization import add_safe_globals, clear_safe_globals, get_unsafe_globals_in_checkpoint, safe_globals

RAN = []


def remember(*args):
    """What a hostile file would call."""
    RAN.append(args)
    return {}


class Hostile:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


class Mine:
    def __init__(self):
        self.value = 3


def archive(text, **entries):
    """A file with this pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("archive/data.pkl", text)
        for name, content in entries.items():
            out.writestr(f"archive/data/{name}", content)
    file.seek(0)
    return file


def raw(*parts):
    return b"\x80\x02" + b"".join(parts) + b"."


CALLS = [
    (os.system, "echo"), (eval, "1"), (exec, "1"), (getattr, "", "join"), (remember, 1), (__import__, "os"),
    (open, "x"),
    (subprocess.Popen, "true"),
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0].__name__)
@pytest.mark.parametrize("protocol", range(6))
def test_a_hostile_pickle_is_refused_by_name(call, protocol):
    RAN.clear()
    text = pickle.dumps({"a": [Hostile(*call)]}, protocol)
    name = call[0].__name__
    for file in (archive(text), archive(pickle.dumps(Hostile(*call), protocol))):
        with pytest.raises(pickle.UnpicklingError, match=rf"weights_only=True refuses '.*{name}'"):
            tg.load(file)
        file.seek(0)
        assert any(found.endswith(name) for found in get_unsafe_globals_in_checkpoint(file))
    assert not RAN
    if protocol >= 1:
        file = archive(pickle.dumps(Hostile(remember, 5), protocol))
        assert tg.load(file, weights_only=False) == {}
        assert RAN == [(5,)]


UNSAFE = {
    "sets attributes of a function": raw(b"ctorch._utils\n_rebuild_tensor_v2\n}X\x01\x00\x00\x00aK\x01sb"),
    "sets attributes of a class": raw(b"ctorch\nTensor\nN}X\x03\x00\x00\x00addccollections\nOrderedDict\ns\x86b"),
    "hides a method of a dict": raw(b"ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemsccollections\nCounter\nsb"),
    "calls a number": raw(b"K\x01)R"),
    "calls a method of a tensor": raw(b"ctorch\nTensor.numpy\n)R"),
    "makes an instance by inst": raw(b"(icollections\nOrderedDict\n"),
    "makes an instance of a function": raw(b"ctorch._utils\n_rebuild_tensor_v2\n)\x81"),
    "an extension": raw(b"\x82\x01"),
    "appends to a tensor's class": raw(b"ctorch\nTensor\nK\x01a"),
    "sets items of a function": raw(b"ctorch._utils\n_rebuild_tensor_v2\nK\x01K\x01s"),
    "encodes by a module of its choice": raw(b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R"),
    "large memory": raw(b"c__builtin__\nbytearray\n\x8a\x06\x00\x00\x00\x00\x00\x01\x85R"),
    "an empty stack": raw(b"R"),
    "no memo": raw(b"h\x07"),
    "no end": b"\x80\x02K\x01",
    "protocol 9": b"\x80\x09K\x01.",
    "not a pickle": b"\xff\xfe",
    "a tuple of nothing": raw(b"\x86"),
    "an unhashable key": raw(b"}]K\x01s"),
}


@pytest.mark.parametrize("what", UNSAFE)
def test_what_else_a_pickle_may_not_do(what):
    with pytest.raises((pickle.UnpicklingError, RuntimeError)):
        tg.load(archive(UNSAFE[what]))


@pytest.mark.parametrize(
    "place", [(0, (3,), (1,)), (2, (1,), (1,)), (0, (2, 2), (1, 1)), (-1, (1,), (1,)), (0, (1,), (-1,)),
              (0, (-1,), (1,)),
              (0, (2,), (2**62,)), (0, (2,), ()), (0.5, (1,), (1,)), (True, (1,), (1,))],
)  # fmt: skip
def test_a_tensor_cannot_look_beyond_its_memory(place):
    written = io.BytesIO()
    tg.save(tg.ones(2), written)
    with zipfile.ZipFile(written) as file:
        text = file.read("archive/data.pkl")
    start = text.index(b"QK\x00") + 1
    before, after = text[:start], text[text.index(b"\x89c") :]
    numbers = b"".join(pickle.dumps(part, 2)[2:-1] for part in place)
    with pytest.raises((RuntimeError, pickle.UnpicklingError)):
        tg.load(archive(before + numbers + after, **{"0": bytes(8)}))


def test_trusted_classes():
    file = io.BytesIO()
    tg.save(Mine(), file)
    for trust in (Mine, (Mine, f"{Mine.__module__}.Mine")):
        file.seek(0)
        with pytest.raises(pickle.UnpicklingError, match=r"refuses '.*Mine'"):
            tg.load(file)
        file.seek(0)
        with safe_globals([trust]):
            assert tg.load(file).value == 3
    add_safe_globals([Mine])
    file.seek(0)
    assert tg.load(file).value == 3
    clear_safe_globals()
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError):
        tg.load(file)


@pytest.fixture(scope="module")
def small():
    file = io.BytesIO()
    tg.save({"a": tg.arange(4.0), "b": [tg.ones(2, dtype=tg.int64), "text"]}, file)
    return file.getvalue()


def content(data):
    found = tg.load(io.BytesIO(data))
    return found["a"].tolist(), str(found["a"].dtype), found["b"][0].tolist(), found["b"][1]


def test_every_truncated_file_is_an_error(small):
    with pytest.raises(EOFError, match="empty"):
        tg.load(io.BytesIO())
    for length in range(4, len(small), 3):
        with pytest.raises(RuntimeError, match=r"damaged.*cut off"):
            tg.load(io.BytesIO(small[:length]))


def test_every_flipped_bit_is_an_error_or_without_effect(small):
    whole, silent = content(small), 0
    rng = np.random.RandomState(0)
    for place in range(len(small)):
        changed = bytearray(small)
        changed[place] ^= 1 << rng.randint(8)
        try:
            found = content(bytes(changed))
        except (RuntimeError, pickle.UnpicklingError):
            continue
        assert found == whole, place
        silent += 1
    # Padding, dates, permissions and the like mean nothing; the rest, three quarters of a file so small, is checked.
    assert silent < len(small)
    with zipfile.ZipFile(io.BytesIO(small)) as file:
        for entry in ("archive/data.pkl", "archive/data/0", "archive/data/1"):
            data = file.read(entry)
            begins = small.index(data, file.getinfo(entry).header_offset + 30 + len(entry))
            for place in range(begins, begins + len(data)):
                changed = bytearray(small)
                changed[place] ^= 1
                with pytest.raises(RuntimeError, match="damaged"):
                    content(bytes(changed))


def test_other_files_are_told():
    for data, text in ((b"hello, world", "no file of"), (pickle.dumps([1]), "no file of")):
        with pytest.raises(RuntimeError, match=text):
            tg.load(io.BytesIO(data))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("code/constants.pkl", "x")
    file.seek(0)
    with pytest.raises(RuntimeError, match="TorchScript"):
        tg.load(file)
    with pytest.raises(AttributeError, match="path or"):
        tg.save([], 3)
    with pytest.raises(AttributeError, match="path or"):
        tg.load(3)
    with pytest.raises(FileNotFoundError):
        tg.load("/nowhere/at/all.pt")


def test_writing_is_all_or_nothing(tmp_path):
    path = tmp_path / "model.pt"
    tg.save({"a": 1}, path)
    old = path.read_bytes()
    with pytest.raises((AttributeError, pickle.PicklingError)):
        tg.save({"a": tg.ones(3), "b": lambda: 0}, path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["model.pt"]
    if os.name == "posix":
        path.chmod(0o600)
        link = tmp_path / "latest.pt"
        link.symlink_to(path)
        tg.save({"a": 2}, link)
        assert link.is_symlink()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert tg.load(str(path)) == {"a": 2}
        umask = os.umask(0o027)
        try:
            tg.save(1, tmp_path / "new.pt")
        finally:
            os.umask(umask)
        assert stat.S_IMODE((tmp_path / "new.pt").stat().st_mode) == 0o640


KILLED = """
import os, signal, sys
import tapegrad as tg
from tapegrad.nn.saving import archive

def die(self):
    self._zip.fp.flush()
    os.kill(os.getpid(), signal.SIGKILL)

archive.ArchiveWriter.close = die
tg.save({"a": tg.ones(300000)}, sys.argv[1])
"""


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_a_program_killed_while_it_writes_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.pt"
    tg.save({"a": 1}, path)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(path)], timeout=120)
    assert done.returncode == -9
    assert tg.load(path) == {"a": 1}
    half = [name for name in os.listdir(tmp_path) if name != "model.pt"]
    assert len(half) == 1  # what was written is there, under a name that nobody reads
    assert half[0].startswith(".model.pt.")
    assert (tmp_path / half[0]).stat().st_size > 1_000_000


def test_files_that_only_write(tmp_path):
    class Out:
        def __init__(self):
            self.parts = []

        def write(self, data):
            self.parts.append(bytes(data))
            return len(data)

        def flush(self):
            pass

    out = Out()
    tg.save({"a": tg.arange(5)}, out)
    assert tg.load(io.BytesIO(b"".join(out.parts)))["a"].tolist() == [0, 1, 2, 3, 4]
    with open(tmp_path / "x", "wb") as file:
        tg.save([1], file)
    with open(tmp_path / "x", "rb") as file:
        assert tg.load(file) == [1]


def test_views_share_memory_and_versions():
    x = tg.arange(6.0)
    file = io.BytesIO()
    tg.save([x, x[2:], x.reshape(2, 3)], file)
    file.seek(0)
    a, b, c = tg.load(file)
    w = tg.ones(6, requires_grad=True)
    y = (w * a).sum()
    b.add_(1)
    assert c.tolist() == [[0, 1, 3], [4, 5, 6]]
    with pytest.raises(RuntimeError, match="in place"):
        y.backward()
