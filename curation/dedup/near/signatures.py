"""MinHash signatures: texts whose sets of shingles are alike get equal keys in some band.

A signature holds `bands` x `rows` minima, each over all shingles of a text, of another hash of
them; two texts have an equal minimum with the probability of their Jaccard similarity (Broder
1997). Texts are candidates for being duplicates if all minima of any band are equal (Leskovec,
Rajaraman and Ullman, Mining of Massive Datasets, 3.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.jit import kernel, leaf
from curation.shingling.hashing import room_for
from curation.shingling.shingles import Shingles, find_shingles
from curation.shingling.word_bounds import Characters, characters
from curation.text import MIX_A, NO, SEED, SHIFT, Bytes, Hashes, Offsets, buffers, mix

AT_ONCE = 8  # shingles
LANES = 16  # minima are kept in groups of so many
LOW_BITS, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
MOST = np.uint32(0xFFFFFFFF)

Minima = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Banding:
    """How many minima a signature has, and how many must agree: the `rows` of any band.

    `hash_bits` is the width of the hashes of shingles. It matters where different shingles get
    equal hashes. Between two texts of n shingles each that share none, that happens with
    probability n^2 / 2^bits, and then makes a candidate of them with bands / (2n)^rows. So with 32
    bits only the shortest texts are mistaken: of M different texts of one shingle,
    M^2 / 2^33 pairs (116 of a million texts, 1.2 million of 10^8), while of 10^9 texts of 500
    shingles about one pair is (22 bands of 5 rows). With 64 bits it is 2^32 times rarer. Keys have
    64 bits in both cases.
    """

    bands: int
    rows: int
    hash_bits: Literal[32, 64] = 64
    seed: int = 1

    def __post_init__(self) -> None:
        for name, value in (("bands", self.bands), ("rows", self.rows)):
            if value < 1:
                raise ValueError(f"'{name}' of signatures must be at least 1. Got {value} instead.")

    def probability(self, similarity: float) -> float:
        """That two texts of this Jaccard similarity have an equal key: the S-curve."""
        return float(1 - (1 - similarity**self.rows) ** self.bands)

    @property
    def threshold(self) -> float:
        """The similarity at which the probability is one half."""
        return float((1 - 0.5 ** (1 / self.bands)) ** (1 / self.rows))

    def factors(self) -> Minima:
        """One odd number for each minimum, drawn by the seed, and more to fill the last group."""
        size = -(-self.bands * self.rows // LANES) * LANES
        return np.random.SeedSequence(self.seed).generate_state(size, np.uint32) | np.uint32(1)


class Signatures(NamedTuple):
    """One row per text."""

    bands: npt.NDArray[np.uint64]  # (n, bands) keys; no meaning where a text has no shingles
    multiset: npt.NDArray[np.uint64]  # (n, 2): 128 bits, equal if all shingles and repeats are
    counts: npt.NDArray[np.int64]  # (n,) shingles, with repeats


def sign(texts: pa.ChunkedArray | pa.Array, shingles: Shingles, banding: Banding) -> Signatures:
    """The signature of each text; it depends on nothing but the text and the settings.

    Keys of different bands differ, so that keys of all bands can be partitioned together.
    """
    data, offsets = buffers(texts)
    n = len(offsets) - 1
    out = Signatures(
        np.empty((n, banding.bands), np.uint64), np.empty((n, 2), np.uint64), np.empty(n, np.int64)
    )
    words, mask = shingles.unit == "word", np.uint64(2**banding.hash_bits - 1)
    factors, rows = banding.factors(), banding.rows
    _sign(data, offsets, words, shingles.n_gram, mask, characters(), factors, rows, out)
    return out


@kernel
def _sign(
    data: Bytes,
    offsets: Offsets,
    words: bool,
    n_gram: int,
    mask: np.uint64,
    chars: Characters,
    factors: Minima,
    rows: int,
    out: Signatures,
) -> None:
    room = room_for(offsets)
    minima = np.empty(len(factors), np.uint32)
    for doc in range(len(offsets) - 1):
        count = find_shingles(data, offsets[doc], offsets[doc + 1], words, n_gram, chars, room)
        out.counts[doc] = count
        _sum(room.units, count, out.multiset, doc)
        if mask != ~NO:
            _narrow(room.units, count, mask)
        _minimise(room.units, count, factors, minima)
        _band(minima, rows, out.bands, doc)


@leaf
def _sum(hashes: Hashes, count: int, out: Hashes, doc: int) -> None:
    """The hash of a multiset: sums of two functions of each member."""
    one = two = np.uint64(count)
    for i in range(count):
        value = hashes[i]
        one += value
        two += (value ^ (value >> HALF)) * SEED
    out[doc, 0] = mix(one)
    out[doc, 1] = mix(two ^ MIX_A)


@leaf
def _narrow(hashes: Hashes, count: int, mask: np.uint64) -> None:
    """Keeps only the bits of `mask` of each hash."""
    for i in range(count):
        hashes[i] = mix((hashes[i] & mask) + SEED)


@leaf
def _minimise(hashes: Hashes, count: int, factors: Minima, minima: Minima) -> None:
    """The least factor * low + high of the halves of all hashes, for each factor, in 32 bits.

    Each is a uniform hash of a shingle, and any two of a shingle are independent, since its halves
    are. Eight shingles at a time; the last ones may come twice.
    """
    for lane in range(len(minima)):
        minima[lane] = MOST
    for i in range(count, count + AT_ONCE):
        hashes[i] = hashes[max(count - 1, 0)]
    for i in range(0, count, AT_ONCE):
        _lower(_halves(hashes, i), _halves(hashes, i + 4), factors, minima)


@leaf
def _halves(hashes: Hashes, i: int) -> tuple[np.uint32, ...]:
    """The halves of four hashes."""
    a, b, c, d = hashes[i], hashes[i + 1], hashes[i + 2], hashes[i + 3]
    return (
        np.uint32(a),
        np.uint32(a >> HALF),
        np.uint32(b),
        np.uint32(b >> HALF),
        np.uint32(c),
        np.uint32(c >> HALF),
        np.uint32(d),
        np.uint32(d >> HALF),
    )


@leaf
def _lower(
    one: tuple[np.uint32, ...], two: tuple[np.uint32, ...], factors: Minima, minima: Minima
) -> None:
    """Lowers the minima to those of eight shingles: a loop that LLVM turns into vectors."""
    for lane in range(len(minima)):
        factor = factors[lane]
        a = min(np.uint32(factor * one[0] + one[1]), np.uint32(factor * one[2] + one[3]))
        b = min(np.uint32(factor * one[4] + one[5]), np.uint32(factor * one[6] + one[7]))
        c = min(np.uint32(factor * two[0] + two[1]), np.uint32(factor * two[2] + two[3]))
        d = min(np.uint32(factor * two[4] + two[5]), np.uint32(factor * two[6] + two[7]))
        minima[lane] = min(minima[lane], min(min(a, b), min(c, d)))


@leaf
def _band(minima: Minima, rows: int, out: npt.NDArray[np.uint64], doc: int) -> None:
    """The keys of the bands."""
    for band in range(out.shape[1]):
        value = SEED * np.uint64(band + 1)
        for row in range(rows):
            value = (value ^ np.uint64(minima[band * rows + row])) * MIX_A
            value ^= value >> SHIFT
        out[doc, band] = mix(value)
