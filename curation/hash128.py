"""128-bit hashes of byte strings: MurmurHash3_x64_128 with seed 0 (Appleby, SMHasher).

For what is taken as equal because its hashes are. Of n different texts some two agree with
probability n^2 / 2^129: 1.5e-19 for the 10^10 documents of a large crawl, 1.5e-15 for 10^12 lines.
It is fast and has no known weakness on data as found; it is not made to withstand someone who
constructs two texts of equal hash.
"""

from __future__ import annotations

import numpy as np

from curation.jit import kernel, leaf
from curation.text import EIGHT, NO, Bytes, Hashes, Offsets, load, load_last, mix

_C1, _C2 = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
_ADD_1, _ADD_2 = np.uint64(0x52DCE729), np.uint64(0x38495AB5)
_FIVE, _BLOCK, _BITS = np.uint64(5), np.uint64(16), np.uint64(64)
_R27, _R31, _R33 = np.uint64(27), np.uint64(31), np.uint64(33)


@leaf
def _rotate(value: np.uint64, by: np.uint64) -> np.uint64:
    return (value << by) | (value >> (_BITS - by))


@leaf
def _low(data: Bytes, at: np.uint64, stop: np.uint64) -> np.uint64:
    """data[at:stop], of 1 to 8 bytes, in the lowest bytes of a word; len(data) >= 8."""
    return load_last(data, at, stop) >> ((EIGHT + at - stop) << np.uint64(3))


@leaf
def hash128(data: Bytes, start: int, stop: int) -> tuple[np.uint64, np.uint64]:
    """The two halves of the hash of data[start:stop]; len(data) >= 8."""
    at, end = np.uint64(start), np.uint64(stop)
    size = end - at
    first, second = NO, NO
    while at + _BLOCK <= end:
        first ^= _rotate(load(data, at) * _C1, _R31) * _C2
        first = (_rotate(first, _R27) + second) * _FIVE + _ADD_1
        second ^= _rotate(load(data, at + EIGHT) * _C2, _R33) * _C1
        second = (_rotate(second, _R31) + first) * _FIVE + _ADD_2
        at += _BLOCK
    if at + EIGHT < end:
        second ^= _rotate(_low(data, at + EIGHT, end) * _C2, _R33) * _C1
    if at < end:
        first ^= _rotate(_low(data, at, min(at + EIGHT, end)) * _C1, _R31) * _C2
    first ^= size
    second ^= size
    first += second
    second += first
    first, second = mix(first), mix(second)
    first += second
    return first, second + first


@kernel
def hash_rows128(data: Bytes, offsets: Offsets) -> Hashes:
    """(n, 2) the halves of the hash of each text."""
    out = np.empty((len(offsets) - 1, 2), np.uint64)
    for row in range(len(out)):
        out[row, 0], out[row, 1] = hash128(data, offsets[row], offsets[row + 1])
    return out
