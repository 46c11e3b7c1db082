"""Packed and padded sequences: `nn.utils.rnn` against PyTorch."""

from __future__ import annotations

import pytest

from .module_pairs import all_near, both, flat, near

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


def rows(lib):
    return [lib.arange(float(2 * n)).reshape(n, 2) + 10 * n for n in (2, 4, 1)]


SEQUENCES = {
    "pad": lambda lib, rnn: rnn.pad_sequence(rows(lib)),
    "pad left": lambda lib, rnn: rnn.pad_sequence(rows(lib), True, -1.0, padding_side="left"),
    "unpad": lambda lib, rnn: rnn.unpad_sequence(rnn.pad_sequence(rows(lib)), lib.tensor([2, 4, 1])),
    "pack": lambda lib, rnn: list(rnn.pack_sequence(rows(lib), enforce_sorted=False)),
    "pack padded": lambda lib, rnn: list(
        rnn.pack_padded_sequence(rnn.pad_sequence(rows(lib), True), [2, 4, 1], True, False)
    ),
    "back": lambda lib, rnn: rnn.pad_packed_sequence(rnn.pack_sequence(rows(lib), False)),
    "back longer": lambda lib, rnn: rnn.pad_packed_sequence(rnn.pack_sequence(rows(lib), False), True, -1.0, 6),
    "unpack": lambda lib, rnn: rnn.unpack_sequence(rnn.pack_sequence(rows(lib), False)),
    "typed": lambda lib, rnn: list(rnn.pack_sequence(rows(lib), False).double()),
    "inverse": lambda lib, rnn: rnn.invert_permutation(lib.tensor([2, 0, 1])),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences(name):
    ours, theirs = both(lambda lib: SEQUENCES[name](lib, lib.nn.utils.rnn))
    all_near(flat(ours), flat(theirs), 0)


def test_packing_and_padding_hand_gradients_back():
    def build(lib):
        rnn = lib.nn.utils.rnn
        x = lib.randn(4, 3, 2, requires_grad=True)
        padded, _ = rnn.pad_packed_sequence(rnn.pack_padded_sequence(x, [2, 4, 1], enforce_sorted=False))
        (padded * padded).sum().backward()
        return x.grad

    near(*both(build))
