"""Finding the n-grams of the index in documents."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from curation.decontaminate.index import (
    MIN_WORDS,
    Searcher,
    bit_of,
    find_gram,
    key_of,
    shift_of,
    value_of,
)
from curation.decontaminate.passages import Numbers
from curation.jit import kernel, leaf
from curation.shingling.hashing import Room, find_words, room_for
from curation.shingling.word_bounds import Characters, characters
from curation.text import MIX_B, NO, ONE, Bytes, Hashes, Offsets, buffers


class Hits(NamedTuple):
    """N-grams of the index in documents, in the order of documents and words."""

    row: Numbers
    word: Numbers  # the first word's place in the document
    start: Numbers  # bytes of the document's text
    stop: Numbers
    gram: Numbers


def find_hits(texts: pa.ChunkedArray | pa.Array, searcher: Searcher) -> Hits:
    """Every place of `texts` where an n-gram of the index stands."""
    data, offsets = buffers(texts)
    return _scan(data, offsets, characters(), searcher)


@kernel
def _scan(data: Bytes, offsets: Offsets, chars: Characters, searcher: Searcher) -> Hits:
    room, n = room_for(offsets), 0
    n_gram = int(searcher.n_gram[0])
    places = np.empty(len(room.bounds.starts), np.int64)
    out = _room_for_hits(1024)
    for row in range(len(offsets) - 1):
        count = find_words(data, offsets[row], offsets[row + 1], chars, room)
        wanted = n + count * (n_gram - MIN_WORDS + 1)
        if wanted > len(out.row):
            out = _more(out, wanted)
        n = _search(room, count, row, offsets[row], n_gram, searcher, places, out, n)
    return Hits(
        out.row[:n].copy(),
        out.word[:n].copy(),
        out.start[:n].copy(),
        out.stop[:n].copy(),
        out.gram[:n].copy(),
    )


@kernel
def _room_for_hits(size: int) -> Hits:
    return Hits(
        np.empty(size, np.int32),
        np.empty(size, np.int32),
        np.empty(size, np.int32),
        np.empty(size, np.int32),
        np.empty(size, np.int32),
    )


@kernel
def _more(out: Hits, wanted: int) -> Hits:
    rest = _room_for_hits(wanted)
    return Hits(
        np.concatenate((out.row, rest.row)),
        np.concatenate((out.word, rest.word)),
        np.concatenate((out.start, rest.start)),
        np.concatenate((out.stop, rest.stop)),
        np.concatenate((out.gram, rest.gram)),
    )


@leaf
def _search(
    room: Room,
    count: int,
    row: int,
    base: int,
    n_gram: int,
    searcher: Searcher,
    places: Offsets,
    out: Hits,
    n: int,
) -> int:
    """Writes the hits of one document to `out` from `n` on; returns how many there are then."""
    found = _likely(room.units, count, MIN_WORDS, NO, searcher.prefixes, places)
    for i in range(found):
        n = _search_short(room, count, places[i], row, base, n_gram, searcher, out, n)
    found = _likely(room.units, count, n_gram, key_of(NO, n_gram), searcher.filter, places)
    for i in range(found):
        key = key_of(value_of(room.units, places[i], n_gram), n_gram)
        n = _add(room, places[i], n_gram, row, base, find_gram(searcher, key), out, n)
    return n


@leaf
def _likely(
    units: Hashes, count: int, width: int, salt: np.uint64, bits: Hashes, places: Offsets
) -> int:
    """Writes where the bit of a run of `width` words is set to `places`; returns their number.

    Without branches, so that bits are fetched side by side.
    """
    value, power, shift, found = NO, ONE, shift_of(bits), np.int64(0)
    for i in range(min(width - 1, count)):
        value = value * MIX_B + units[i]
        power *= MIX_B
    for i in range(count - width + 1):
        value = value * MIX_B + units[i + width - 1]
        places[found] = i
        found += np.int64(bit_of(bits, value + salt, shift))
        value -= units[i] * power
    return int(found)


@leaf
def _search_short(
    room: Room,
    count: int,
    first: int,
    row: int,
    base: int,
    n_gram: int,
    searcher: Searcher,
    out: Hits,
    n: int,
) -> int:
    """Looks up what begins at a word and is shorter than an n-gram."""
    value = value_of(room.units, first, MIN_WORDS - 1)
    for size in range(MIN_WORDS, min(n_gram, count - first + 1)):
        value = value * MIX_B + room.units[first + size - 1]
        n = _add(room, first, size, row, base, find_gram(searcher, key_of(value, size)), out, n)
    return n


@leaf
def _add(
    room: Room, first: int, size: int, row: int, base: int, gram: int, out: Hits, n: int
) -> int:
    if gram < 0:
        return n
    out.row[n], out.word[n], out.gram[n] = row, first, gram
    out.start[n] = room.bounds.starts[first] - base
    out.stop[n] = room.bounds.stops[first + size - 1] - base
    return n + 1
