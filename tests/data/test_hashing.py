import numpy as np
import pytest

from h2olite.data.hashing import murmur2, slots_of


def twin(key, seed):
    """MurmurHash2 of bytes of any length."""

    def times(number):
        return number * 0x5BD1E995 & 0xFFFFFFFF

    h = seed ^ len(key)
    whole = len(key) - len(key) % 4
    for i in range(0, whole, 4):
        k = times(int.from_bytes(key[i : i + 4], "little"))
        h = times(h) ^ times(k ^ k >> 24)
    if whole < len(key):
        h = times(h ^ int.from_bytes(key[whole:], "little"))
    h = times(h ^ h >> 13)
    return h ^ h >> 15


def test_twin_has_the_published_checksum():
    """SMHasher's: the hash of the hashes of b"", b"\\0", b"\\0\\1", ... with seeds 256, 255, ..."""
    key = bytes(range(256))
    hashes = b"".join(twin(key[:i], 256 - i).to_bytes(4, "little") for i in range(256))
    assert twin(hashes, 0) == 0x27864C1E


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1, 2**32 + 5])
def test_hashes_are_murmurs(seed):
    keys = np.arange(0, 2**32, 1234567, dtype=np.uint32)
    expected = [twin(key.tobytes(), seed % 2**32) for key in keys.astype("<u4")]
    assert murmur2(keys.astype("<u4"), seed).tolist() == expected


@pytest.mark.parametrize("n_slots", [1, 7, 1000])
def test_a_slot_is_the_remainder_of_the_signed_hash_of_the_big_endian_index(n_slots):
    hashes = [twin(k.to_bytes(4, "big"), 11) for k in range(300)]
    expected = [abs(h - 2**32 if h >= 2**31 else h) % n_slots for h in hashes]
    assert slots_of(300, n_slots, 11).tolist() == expected
