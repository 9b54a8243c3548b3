"""Where the words of a text begin and end: those of `curation.text`, found 64 bytes at a time.

What a byte is stands in the bits of 64-bit numbers, one number for 64 bytes, so that the borders
come out of a few operations on them. Symbols are passed over.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.jit import leaf
from curation.shingling.byte_masks import BLOCK, count_bits, lowest_bit, within
from curation.text import DIGITS, HIGH, LETTERS, NO, ONE, Bytes, Offsets, decode, load

# Kinds of a character, besides LETTERS and DIGITS: what it is to marks that join words.
ALONE, APOSTROPHE, SPACE, MARK, JOINED = 8, 16, 32, 64, 128

# Of each block of 64 bytes: which are of letters, of digits; join letters, digits, both; are of
# words though nothing joins them; begin a word whatever is before them; are of capitals that are
# not ASCII.
IS_LETTER, IS_DIGIT, JOINS_LETTERS, JOINS_DIGITS, JOINS_BOTH, IN_WORD, NEW_WORD, CAPITAL = range(8)
COLUMNS = 8

AT_ONCE = 8  # places that are written without a look at how many there are
CODES = 0x110000
LAST = np.uint64(BLOCK - 1)

Masks = npt.NDArray[np.uint64]  # (blocks, COLUMNS), the first for what is before the text
SmallLetters = npt.NDArray[np.uint32]  # (0x110000,) of each code point


class Characters(NamedTuple):
    """What the kernels know of characters."""

    kinds: Bytes  # (0x110000,)
    lower: SmallLetters


class Bounds(NamedTuple):
    """Room for what is found in any one text; memory is taken as it is filled."""

    masks: Masks
    starts: Offsets  # of words
    stops: Offsets
    last: Bytes  # the last block of the buffer, filled up


@functools.cache
def characters() -> Characters:
    """The tables of characters."""
    flags = text.character_table()
    words = np.where(flags & (text.ALPHA | text.MARK), LETTERS, DIGITS)
    words = np.where(flags & text.ALONE, ALONE, words)
    kinds = np.where(flags & text.WORD, words, 0)
    for flag, kind in ((text.SPACE, SPACE), (text.MARK, MARK), (text.APOSTROPHE, APOSTROPHE)):
        kinds |= np.where(flags & flag, kind, 0)
    lower = _small_letters()  # of letters that Python's Unicode does not know yet, as well
    return Characters(kinds.astype(np.uint8)[lower], lower)


def _small_letters() -> SmallLetters:
    codes = np.arange(CODES, dtype="<u4")
    codes[0xD800:0xE000] = ord(" ")  # surrogates cannot occur
    every = pa.scalar(codes.tobytes().decode("utf-32-le"))
    return np.frombuffer(pc.utf8_lower(every).as_py().encode("utf-32-le"), np.uint32)


@leaf
def find_bounds(data: Bytes, start: int, end: int, chars: Characters, out: Bounds) -> int:
    """Fills `starts` and `stops` of the words of data[start:end]; returns their number."""
    if _classify(data, start, end, out.last, out.masks):
        _classify_wide(data, start, end, chars, out.masks)
    return _bound(out.masks, start, end, out.starts, out.stops)


@leaf
def has_wide_capital(masks: Masks, first: int, last: int) -> bool:
    """Whether bytes first to last - 1 of the text may hold a capital that is not ASCII."""
    place = first & 63
    if place + last - first > 63:
        return True
    within_word = (ONE << np.uint64(last - first)) - ONE
    return bool((masks[(first >> 6) + 1, CAPITAL] >> np.uint64(place)) & within_word)


@leaf
def _classify(data: Bytes, start: int, end: int, last: Bytes, masks: Masks) -> bool:
    """Fills `masks` where bytes are ASCII; whether any is not."""
    every, block = NO, 1
    _clear(masks, 0)
    for at in range(start, end, BLOCK):
        if at + BLOCK <= len(data):
            every |= _classify_block(data, at, min(end - at, BLOCK), masks, block)
        else:
            for i in range(BLOCK):
                last[i] = data[at + i] if at + i < end else 0
            every |= _classify_block(last, 0, BLOCK, masks, block)
        block += 1
    _clear(masks, block)
    _clear(masks, block + 1)
    return bool(every != NO)


@leaf
def _clear(masks: Masks, block: int) -> None:
    for column in range(COLUMNS):
        masks[block, column] = NO


@leaf
def _classify_block(data: Bytes, at: int, size: int, masks: Masks, block: int) -> np.uint64:
    """Fills the masks of a block of `size` bytes; which of them are not ASCII."""
    place, valid = np.uint64(at), ~NO >> np.uint64(BLOCK - size)
    stops, commas = within(data, place, 0x2E, 0x2E, 0), within(data, place, 0x2C, 0x2C, 0)
    masks[block, IS_LETTER] = within(data, place, 0x61, 0x7A, 0x20) & valid
    masks[block, IS_DIGIT] = within(data, place, 0x30, 0x39, 0) & valid
    masks[block, JOINS_LETTERS] = (stops | within(data, place, 0x27, 0x27, 0)) & valid
    masks[block, JOINS_DIGITS] = (stops | commas) & valid
    masks[block, JOINS_BOTH] = within(data, place, 0x5F, 0x5F, 0) & valid
    masks[block, IN_WORD] = masks[block, NEW_WORD] = masks[block, CAPITAL] = NO
    wide = within(data, place, 0x80, 0xFF, 0)
    return wide & valid


@leaf
def _classify_wide(data: Bytes, start: int, end: int, chars: Characters, masks: Masks) -> None:
    """Adds longer characters to `masks`."""
    kinds = chars.kinds
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
        _set(masks, CAPITAL, at - start, size if chars.lower[code] != code else 0)
        before, stop = kind, following
        at = _next_wide(data, following, end)


@leaf
def _set(masks: Masks, column: int, at: int, size: int) -> None:
    """Sets the bits of `size` bytes from `at` on."""
    block, bits = (at >> 6) + 1, (ONE << np.uint64(size)) - ONE
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
    begun, ended, carry = 0, 0, NO
    for block in range(1, (end - start) // BLOCK + 2):
        words, new = _words(masks, block), masks[block, NEW_WORD]
        before = (words << ONE) | carry
        carry = words >> LAST
        at = start + (block - 1) * BLOCK
        begun = _write_places(words & (~before | new), at, starts, begun)
        ended = _write_places(before & (~words | new), at, stops, ended)
    return begun


@leaf
def _words(masks: Masks, block: int) -> np.uint64:
    """Which bytes of a block belong to words."""
    letters = _joined(masks, block, IS_LETTER)
    digits = _joined(masks, block, IS_DIGIT)
    joined = masks[block, JOINS_LETTERS] & letters[0] & letters[1]
    joined |= masks[block, JOINS_DIGITS] & digits[0] & digits[1]
    either = (letters[0] | digits[0]) & (letters[1] | digits[1])
    joined |= masks[block, JOINS_BOTH] & either
    joined |= masks[block, IS_LETTER] | masks[block, IS_DIGIT] | masks[block, IN_WORD]
    return np.uint64(joined)


@leaf
def _joined(masks: Masks, block: int, column: int) -> tuple[np.uint64, np.uint64]:
    """Whether the byte before each of a block is of a class, and the byte after."""
    bits = masks[block, column]
    before = (bits << ONE) | (masks[block - 1, column] >> LAST)
    return before, (bits >> ONE) | (masks[block + 1, column] << LAST)


@leaf
def _write_places(bits: np.uint64, base: int, out: Offsets, count: int) -> int:
    """Writes where bits are set to out[count:]; how many are written by then.

    More than there are, where that saves a branch that would be mispredicted.
    """
    found = count_bits(bits)
    for _ in range(2):
        for i in range(AT_ONCE):
            out[count + i] = base + lowest_bit(bits)
            bits &= bits - ONE
        if found <= AT_ONCE:
            return count + found
        count, found = count + AT_ONCE, found - AT_ONCE
    for i in range(found):
        out[count + i] = base + lowest_bit(bits)
        bits &= bits - ONE
    return count + found
