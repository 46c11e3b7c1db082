"""Shuffling, which goes from place to place and so has no form in whole arrays that comes near a loop."""

import numpy as np
from numba import njit

__all__ = ["shuffle"]


@njit("void(int64[::1], uint64[::1])", cache=True)
def shuffle(line, words):
    """For each place in turn: swap it with the one that its word names among those not before it."""
    n = line.size
    for i in range(words.size):
        j = i + np.int64(np.uint32(words[i]) % np.uint32(n - i))  # Numba would mix the two types as float64
        line[i], line[j] = line[j], line[i]
