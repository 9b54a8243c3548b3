"""The hash of every word, or character, of a text, lower-cased: what shingles are made of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.jit import kernel, leaf
from curation.shingling.byte_masks import BLOCK
from curation.shingling.word_bounds import (
    AT_ONCE,
    COLUMNS,
    SPACE,
    Bounds,
    Characters,
    SmallLetters,
    find_bounds,
    has_wide_capital,
)
from curation.text import (
    EIGHT,
    HIGH,
    LOW,
    MIX_A,
    NO,
    SEED,
    SHIFT,
    Bytes,
    Hashes,
    Offsets,
    decode,
    load,
    load_last,
    mix,
)

BLANK = np.uint64(0x20)
TWO = np.uint64(2)
SMALL = LOW << np.uint64(5)  # set in small letters of ASCII, and in all else of it in words but `_`


class Room(NamedTuple):
    """Room for any one text; memory is taken as it is filled."""

    bounds: Bounds
    lower: Bytes  # one word in small letters
    units: Hashes  # of words or characters, then of shingles; eight more than there can be


@kernel
def room_for(offsets: Offsets) -> Room:
    """Room for the longest text."""
    most = 0
    for doc in range(len(offsets) - 1):
        most = max(most, offsets[doc + 1] - offsets[doc])
    words = most // 2 + 4 * AT_ONCE  # a word takes two bytes, with what parts it from the next
    bounds = Bounds(
        np.empty((most // BLOCK + 4, COLUMNS), np.uint64),
        np.empty(words, np.int64),
        np.empty(words, np.int64),
        np.empty(BLOCK, np.uint8),
    )
    lower = np.empty(2 * most + 8, np.uint8)  # some small letters take a byte more
    return Room(bounds, lower, np.empty(most + 8, np.uint64))


@leaf
def find_words(data: Bytes, start: int, end: int, chars: Characters, room: Room) -> int:
    """Writes the hashes of the words of data[start:end] to `units`; returns their number."""
    bounds = room.bounds
    count = find_bounds(data, start, end, chars, bounds)
    for i in range(count):
        first, last = bounds.starts[i], bounds.stops[i]
        value, every = _hash(data, np.uint64(first), np.uint64(last))
        if every & HIGH and has_wide_capital(bounds.masks, first - start, last - start):
            size = _lower(data, first, last, chars.lower, room.lower)
            value = _hash(room.lower, NO, np.uint64(size))[0]
        room.units[i] = value
    return count


@leaf
def _hash(data: Bytes, start: np.uint64, stop: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The hash of data[start:stop], capitals of ASCII made small, and all bits of its bytes."""
    at = start + EIGHT
    every = load_last(data, start, min(stop, at))
    value = _add(SEED * (stop - start), every)
    while at + EIGHT < stop:
        word = load(data, at)
        value, every = _add(value, word), every | word
        at += EIGHT
    last = load(data, min(max(stop, at) - EIGHT, np.uint64(len(data)) - EIGHT))
    last = last if stop > at else NO  # without a branch: how long a word is cannot be foreseen
    return mix(value ^ _small(last)), every | last


@leaf
def _add(value: np.uint64, word: np.uint64) -> np.uint64:
    value = (value ^ _small(word)) * MIX_A
    return value ^ (value >> SHIFT)


@leaf
def _small(word: np.uint64) -> np.uint64:
    """Sets the bit of small letters in each byte of ASCII; what else words hold stays apart."""
    return word | (SMALL & ~((word & HIGH) >> TWO))


@leaf
def _lower(data: Bytes, at: int, stop: int, table: SmallLetters, out: Bytes) -> int:
    """Writes data[at:stop] in small letters to `out`; how many bytes they take."""
    size = 0
    while at < stop:
        code, step = decode(data, at)
        size = _encode(table[code], out, size)
        at += step
    return size


@leaf
def _encode(code: np.uint32, out: Bytes, at: int) -> int:
    """Writes a code point as UTF-8 at out[at]; returns where the next goes."""
    if code < 0x80:
        out[at] = code
        return at + 1
    if code < 0x800:
        out[at] = 0xC0 | (code >> 6)
        out[at + 1] = 0x80 | (code & 0x3F)
        return at + 2
    if code < 0x10000:
        out[at] = 0xE0 | (code >> 12)
        out[at + 1] = 0x80 | ((code >> 6) & 0x3F)
        out[at + 2] = 0x80 | (code & 0x3F)
        return at + 3
    out[at] = 0xF0 | (code >> 18)
    out[at + 1] = 0x80 | ((code >> 12) & 0x3F)
    out[at + 2] = 0x80 | ((code >> 6) & 0x3F)
    out[at + 3] = 0x80 | (code & 0x3F)
    return at + 4


@leaf
def find_chars(data: Bytes, start: int, end: int, chars: Characters, room: Room) -> int:
    """The same for characters; white space is one space, and none at the ends."""
    at, count, gap = start, 0, False
    while at < end:
        code, size = decode(data, at)
        at += size
        if chars.kinds[code] & SPACE:
            gap = count > 0
            continue
        if gap:
            room.units[count] = mix(SEED + BLANK)
            count, gap = count + 1, False
        room.units[count] = mix(SEED + np.uint64(chars.lower[code]))
        count += 1
    return count
