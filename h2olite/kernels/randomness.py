"""Random numbers by counting: the same (seed, row, layer, unit) gives the same number in any thread and any order."""

from __future__ import annotations

import numpy as np

from .compiling import kernel

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@kernel
def mix(counter):
    """Scramble 64 bits with the output function of SplitMix64 (Steele, Lea and Flood 2014)."""
    counter = (counter ^ (counter >> np.uint64(30))) * _MIX_1
    counter = (counter ^ (counter >> np.uint64(27))) * _MIX_2
    return counter ^ (counter >> np.uint64(31))


@kernel
def stream(seed, row, layer):
    """The start of the random stream of one row (counted over all training) in one layer."""
    return mix(mix(np.uint64(seed) + np.uint64(row) * _GOLDEN) + np.uint64(layer) * _GOLDEN)


@kernel
def uniform(start, index):
    """The index-th number of a stream, uniform in [0, 1)."""
    bits = mix(start + (np.uint64(index) + np.uint64(1)) * _GOLDEN) >> np.uint64(40)
    return np.float32(np.int32(bits)) * np.float32(2.0**-24)  # a conversion of 64 bits would not be vectorised
