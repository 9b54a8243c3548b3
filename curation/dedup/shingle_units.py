"""The hash of every word, or character, of a text, lower-cased: what shingles are made of.

Words are those of `curation.text`, found faster: symbols are passed over, case is folded while a
word is hashed, and what a byte is stands in the bits of 64-bit numbers, one for 64 bytes, so that
the borders of words come out of a few operations on them.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.dedup.byte_masks import BLOCK, count_bits, lowest_bit, within
from curation.jit import kernel, leaf
from curation.text import (
    DIGITS,
    EIGHT,
    HIGH,
    LETTERS,
    LOW,
    MIX_A,
    NO,
    ONE,
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

# Kinds of a character, besides LETTERS and DIGITS: what it is to marks that join words.
ALONE, APOSTROPHE, SPACE, MARK = 8, 16, 32, 64

# Of each block of 64 bytes: which are of letters, of digits; join letters, digits, both; are of
# words though they join nothing; begin a word whatever is before them.
IS_LETTER, IS_DIGIT, JOINS_LETTERS, JOINS_DIGITS, JOINS_BOTH, IN_WORD, NEW_WORD, WIDTH = range(8)

AT_ONCE = 8  # bits of which places are written without a look at how many there are
FOLD = LOW << np.uint64(5)  # makes letters of ASCII small, and keeps apart what else words hold
CODES = 0x110000


class Tables(NamedTuple):
    """What the kernels know of characters."""

    kinds: Bytes  # (0x110000,)
    lower: npt.NDArray[np.uint32]  # (0x110000,) the small letter of each code point


class Room(NamedTuple):
    """Room for any one text; memory is taken as it is filled."""

    masks: npt.NDArray[np.uint64]  # (blocks, 8)
    starts: Offsets  # of words
    stops: Offsets
    lower: Bytes  # one word in small letters, or the last block of the buffer
    units: Hashes
    hashes: Hashes  # of shingles, and eight more


@functools.cache
def tables() -> Tables:
    """The tables of characters."""
    flags = text.character_table()
    words = np.where(flags & (text.ALPHA | text.MARK), LETTERS, DIGITS)
    words = np.where(flags & text.ALONE, ALONE, words)
    kinds = np.where(flags & text.WORD, words, 0)
    for flag, kind in ((text.SPACE, SPACE), (text.MARK, MARK), (text.APOSTROPHE, APOSTROPHE)):
        kinds |= np.where(flags & flag, kind, 0)
    return Tables(kinds.astype(np.uint8), _small_letters())


def _small_letters() -> npt.NDArray[np.uint32]:
    codes = np.arange(CODES, dtype="<u4")
    codes[0xD800:0xE000] = ord(" ")  # surrogates cannot occur
    every = pa.scalar(codes.tobytes().decode("utf-32-le"))
    return np.frombuffer(pc.utf8_lower(every).as_py().encode("utf-32-le"), np.uint32)


@kernel
def room_for(offsets: Offsets) -> Room:
    """Room for the longest text."""
    most = 0
    for doc in range(len(offsets) - 1):
        most = max(most, offsets[doc + 1] - offsets[doc])
    words = most // 2 + 4 * AT_ONCE  # a word takes two bytes, with what parts it from the next
    return Room(
        np.empty((most // BLOCK + 2, WIDTH), np.uint64),
        np.empty(words, np.int64),
        np.empty(words, np.int64),
        np.empty(2 * most + BLOCK, np.uint8),  # some small letters take a byte more
        np.empty(most + 1, np.uint64),
        np.empty(most + 8, np.uint64),
    )


@leaf
def find_words(data: Bytes, start: int, end: int, tables: Tables, room: Room) -> int:
    """Writes the hashes of the words of data[start:end] to `units`; returns their number."""
    if _classify(data, start, end, room.lower, room.masks):
        _classify_wide(data, start, end, tables.kinds, room.masks)
    count = _bound(room.masks, start, end, room.starts, room.stops)
    for i in range(count):
        first, last = room.starts[i], room.stops[i]
        value, every = _hash(data, np.uint64(first), np.uint64(last), FOLD)
        if every & HIGH:
            value = _hash_wide(data, first, last, tables.lower, room.lower)
        room.units[i] = value
    return count


@leaf
def _classify(data: Bytes, start: int, end: int, last: Bytes, masks: npt.NDArray[np.uint64]) -> bool:
    """Fills `masks` where bytes are ASCII; whether any is not. One block more has no bits."""
    every, block = NO, 0
    for at in range(start, end, BLOCK):
        if at + BLOCK <= len(data):
            every |= _classify_block(data, at, min(end - at, BLOCK), masks, block)
        else:
            for i in range(BLOCK):
                last[i] = data[at + i] if at + i < end else 0
            every |= _classify_block(last, 0, BLOCK, masks, block)
        block += 1
    for i in range(WIDTH):
        masks[block, i] = NO
    return bool(every != NO)


@leaf
def _classify_block(
    data: Bytes, at: int, size: int, masks: npt.NDArray[np.uint64], block: int
) -> np.uint64:
    """The masks of one block, and that of bytes that are not ASCII, for the first `size` bytes."""
    place, valid = np.uint64(at), ~NO >> np.uint64(BLOCK - size)
    stops, commas = within(data, place, 0x2E, 0x2E, 0), within(data, place, 0x2C, 0x2C, 0)
    masks[block, IS_LETTER] = within(data, place, 0x61, 0x7A, 0x20) & valid
    masks[block, IS_DIGIT] = within(data, place, 0x30, 0x39, 0) & valid
    masks[block, JOINS_LETTERS] = (stops | within(data, place, 0x27, 0x27, 0)) & valid
    masks[block, JOINS_DIGITS] = (stops | commas) & valid
    masks[block, JOINS_BOTH] = within(data, place, 0x5F, 0x5F, 0) & valid
    masks[block, IN_WORD] = masks[block, NEW_WORD] = NO
    return within(data, place, 0x80, 0xFF, 0) & valid


@leaf
def _classify_wide(data: Bytes, start: int, end: int, kinds: Bytes, masks: Masks) -> None:
    """Adds longer characters to `masks`."""
    at, stop, before = _next_wide(data, start, end), start, np.uint8(0)
    while at < end:
        code, size = decode(data, at)
        kind, following = kinds[code], at + size
        if at > stop:
            before = kinds[data[at - 1]]
        if kind & MARK:
            kind = np.uint8(ALONE if before & ALONE else LETTERS)
        else:
            if kind & APOSTROPHE and before & LETTERS and following < end:
                joins = kinds[decode(data, following)[0]] & LETTERS
                kind = np.uint8(JOINED if joins else 0)
            _set(masks, NEW_WORD, at - start, 1 if (kind | before) & ALONE else 0)
        if following < end and data[following] < 0x80:
            _set(masks, NEW_WORD, following - start, 1 if kind & ALONE else 0)
        _set(masks, IS_LETTER, at - start, size if kind & LETTERS else 0)
        _set(masks, IS_DIGIT, at - start, size if kind & DIGITS else 0)
        _set(masks, IN_WORD, at - start, size if kind & (ALONE | JOINED) else 0)
        before, stop = kind, following
        at = _next_wide(data, following, end)


@leaf
def _set(masks: Masks, column: int, at: int, size: int) -> None:
    """Sets the bits of `size` bytes from `at` on."""
    block, bits = at >> 6, (ONE << np.uint64(size)) - ONE
    place = np.uint64(at & 63)
    masks[block, column] |= bits << place
    masks[block + 1, column] |= (bits >> ONE) >> (np.uint64(63) - place)


@leaf
def _next_wide(data: Bytes, at: int, end: int) -> int:
    """Where the next byte is that is not ASCII; `end` or more if there is none."""
    while at + 8 <= len(data) and at < end:
        high = load(data, np.uint64(at)) & HIGH
        if high:
            return at + (lowest_bit(high) >> 3)
        at += 8
    while at < end and data[at] < 0x80:
        at += 1
    return at


@leaf
def _bound(masks: Masks, start: int, end: int, starts: Offsets, stops: Offsets) -> int:
    """Fills `starts` and `stops`; the number of words."""
    begun, ended, carries = 0, 0, (NO, NO, NO)
    for block in range((end - start) // BLOCK + 1):
        words, carries = _words(masks, block, carries)
        new, before = masks[block, NEW_WORD], (words << ONE) | carries[2]
        carries = (carries[0], carries[1], words >> LAST)
        at = start + block * BLOCK
        begun = _write_places(words & (~before | new), at, starts, begun)
        ended = _write_places(before & (~words | new), at, stops, ended)
    return begun
