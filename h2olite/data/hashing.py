"""Few inputs for many levels: the indicator of each level is hashed to one of a fixed number of slots."""

from __future__ import annotations

import numpy as np

_MULTIPLIER = np.uint32(0x5BD1E995)


def slots_of(n_indicators: int, n_slots: int, seed: int) -> np.ndarray:
    """The slot of each indicator, as H2O's max_categorical_features assigns them; int32, shape (n_indicators,).

    Indicator k gets slot abs(h mod n_slots), where h is the signed 32-bit hash of k's four bytes, the highest first.
    """
    hashes = murmur2(np.arange(n_indicators, dtype=">u4"), seed).view(np.int32).astype(np.int64)
    return (np.abs(hashes) % n_slots).astype(np.int32)


def murmur2(keys: np.ndarray, seed: int) -> np.ndarray:
    """MurmurHash2 of keys of four bytes each, in the byte order they have in memory; uint32, one hash a key.

    seed : only its low 32 bits are used.

    References
    ----------
    A. Appleby (2008), MurmurHash2.
    """
    k = keys.view("<u4").astype(np.uint32) * _MULTIPLIER
    k = (k ^ k >> np.uint32(24)) * _MULTIPLIER
    h = np.full_like(k, seed & 0xFFFFFFFF ^ keys.itemsize) * _MULTIPLIER ^ k
    h = (h ^ h >> np.uint32(13)) * _MULTIPLIER
    return h ^ h >> np.uint32(15)
