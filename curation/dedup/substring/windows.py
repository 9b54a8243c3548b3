"""Windows of a fixed number of bytes, found again wherever the same bytes stand.

Hashing and comparing every window of a corpus would take more room than the corpus. Winnowing
(Schleimer et al. 2003, SIGMOD, section 3) selects few places: of the fingerprints of the `width`
bytes that begin at each place in a window, the smallest is its *anchor*, the last one if several
are. Equal windows have equal anchors at the same distance, whatever surrounds them. Windows that
follow one another and have the same anchor are a *run*, 2 / (min_bytes - width + 2) of them per
byte of random text. So

* a window whose anchor's fingerprint occurs once in the corpus occurs once itself;
* if all runs of a fingerprint have the same bytes, the first run holds the first copies of all;
* only the windows of other runs must be looked at one by one.

Places are bytes of the corpus: texts in corpus order, one after the other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curation.jit import kernel, leaf
from curation.text import EIGHT, MIX_A, MIX_B, SEED, Bytes, Offsets, load, load_last, mix

Records = npt.NDArray[np.uint64]  # (n, fields)
Int = int | np.int64  # the same in kernels

BASE = np.uint64(0xD1342543DE82EF95)  # odd, of the rolling fingerprint modulo 2^64
OTHER_SEED, OTHER_SHIFT = np.uint64(0xA0761D6478BD642F), np.uint64(31)
SHIFT = np.uint64(33)
COUNT_BITS = 16
COUNT_SHIFT, COUNT_MASK = np.uint64(COUNT_BITS), np.uint64((1 << COUNT_BITS) - 1)
MAX_BYTES = (1 << COUNT_BITS) - 1  # of a window, so that its run can be counted


def anchor_width(min_bytes: int) -> int:
    """Bytes of an anchor: half a window, for few runs of which few are alike by chance."""
    return min_bytes // 2


def runs_per_byte(min_bytes: int) -> float:
    """Runs that random text has per byte (Schleimer et al. 2003, theorem 1)."""
    return 2 / (min_bytes - anchor_width(min_bytes) + 2)


@leaf
def pack(place: Int, count: Int) -> np.uint64:
    """Where `count` windows begin that follow one another, in one number that sorts by place."""
    return np.uint64(place) << COUNT_SHIFT | np.uint64(count)


@leaf
def place_of(packed: np.uint64) -> Int:
    """The place of `pack`."""
    return np.int64(packed >> COUNT_SHIFT)


@leaf
def count_of(packed: np.uint64) -> Int:
    """The count of `pack`."""
    return np.int64(packed & COUNT_MASK)


@leaf
def hash_128(data: Bytes, start: Int, stop: Int) -> tuple[np.uint64, np.uint64]:
    """Two independent hashes of data[start:stop]; start < stop, len(data) >= 8."""
    at, end = np.uint64(start), np.uint64(stop)
    one, two = SEED * (end - at), OTHER_SEED ^ (end - at)
    while at + EIGHT < end:
        word = load(data, at)
        one, two = (one ^ word) * MIX_A, (two ^ word) * MIX_B
        one, two = one ^ (one >> SHIFT), two ^ (two >> OTHER_SHIFT)
        at += EIGHT
    word = load_last(data, at, end)
    return mix(one ^ word), mix((two ^ word) * MIX_B)


@kernel
def find_runs(
    data: Bytes,
    offsets: Offsets,
    base: int,
    min_bytes: int,
    width: int,
    row: int,
    at: int,
    out: Records,
    n: int,
) -> tuple[int, int, int]:
    """Appends the runs of texts to out[n:], from window `at` of text `row`, until `out` is full.

    A record is (anchor, hash, hash, `pack`) of a run, the hashes those of all its bytes. `offsets`
    say where each text begins in `data`, `base` is the place of `data[0]`.

    Returns:
        (row, window, records): where to go on; the row after the last if nothing is left.
    """
    span = min_bytes - width + 1  # anchors to choose from
    mask = 1
    while mask < span:
        mask *= 2
    ring, mask = np.empty(mask, np.uint64), mask - 1
    lead = _power(width)
    while row < len(offsets) - 1:
        start, stop = offsets[row], offsets[row + 1]
        at, n = _runs_of(data, start + at, stop, base, min_bytes, width, lead, ring, mask, out, n)
        if at < stop:
            return row, at - start, n
        row, at = row + 1, 0
    return row, 0, n


@leaf
def _power(exponent: int) -> np.uint64:
    """What the first of `exponent` bytes is multiplied by once they have rolled on."""
    value = np.uint64(1)
    for _ in range(exponent):
        value *= BASE
    return value


@leaf
def _runs_of(
    data: Bytes,
    first: int,
    stop: int,
    base: int,
    min_bytes: int,
    width: int,
    lead: np.uint64,
    ring: Records,
    mask: int,
    out: Records,
    n: int,
) -> tuple[int, int]:
    """Appends the runs of data[first:stop]; (where the first one that found no room begins, n)."""
    if stop - first < min_bytes:
        return stop, n
    span, value = min_bytes - width + 1, np.uint64(0)
    for i in range(first, first + width):
        value = value * BASE + np.uint64(data[i])
    best, best_at, anchor, begin, mark = value, first, -1, first, np.uint64(0)
    for i in range(first, stop - width + 1):
        ring[i & mask] = value
        if value <= best:
            best, best_at = value, i
        window = i - span + 1
        if window >= first:
            if best_at < window:
                best, best_at = _last_smallest(ring, mask, window, i)
            if best_at != anchor:
                if anchor >= 0:
                    if n == len(out):
                        return begin, n
                    _append(data, base, begin, window, min_bytes, mark, out, n)
                    n += 1
                anchor, begin, mark = best_at, window, best
        if i + width < stop:
            value = value * BASE + np.uint64(data[i + width]) - np.uint64(data[i]) * lead
    if n == len(out):
        return begin, n
    _append(data, base, begin, stop - min_bytes + 1, min_bytes, mark, out, n)
    return stop, n + 1


@leaf
def _last_smallest(ring: Records, mask: int, first: int, last: int) -> tuple[np.uint64, int]:
    """The smallest value of [first, last], and its last place."""
    best, best_at = ring[first & mask], first
    for i in range(first + 1, last + 1):
        value = ring[i & mask]
        if value <= best:
            best, best_at = value, i
    return best, best_at


@leaf
def _append(
    data: Bytes,
    base: int,
    begin: int,
    end: int,
    min_bytes: int,
    anchor: np.uint64,
    out: Records,
    n: int,
) -> None:
    """Writes the run of the windows that begin in [begin, end)."""
    out[n, 0] = mix(anchor)
    out[n, 1], out[n, 2] = hash_128(data, begin, end - 1 + min_bytes)
    out[n, 3] = pack(base + begin, end - begin)


@kernel
def hash_windows(
    data: Bytes,
    base: int,
    min_bytes: int,
    runs: npt.NDArray[np.uint64],
    run: int,
    at: int,
    out: Records,
    n: int,
) -> tuple[int, int, int]:
    """Appends (hash, hash, `pack`) of every window of `runs`, from window `at` of the run `run`.

    Returns:
        (run, window, records): where to go on; the run after the last if nothing is left.
    """
    while run < len(runs):
        place, count = place_of(runs[run]), count_of(runs[run])
        while at < count:
            if n == len(out):
                return run, at, n
            start = place + at - base
            out[n, 0], out[n, 1] = hash_128(data, start, start + min_bytes)
            out[n, 2] = pack(place + at, 1)
            n, at = n + 1, at + 1
        run, at = run + 1, 0
    return run, 0, n
