"""Shingles: the runs of words or characters whose sets tell how alike two texts are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from curation.jit import kernel, leaf
from curation.shingling.hashing import Room, find_chars, find_words, room_for
from curation.shingling.word_bounds import Characters, characters
from curation.text import MIX_B, NO, ONE, Bytes, Hashes, Offsets, buffers, mix

EMPTY = ~NO  # a slot of `_distinct`; a shingle of this hash counts as the one before


@dataclass(frozen=True)
class Shingles:
    """What a shingle is: `n_gram` neighbouring words, or characters.

    Words are those of `curation.text`; both are lower-cased. For characters, white space of any
    length counts as one space, and as none at the ends.
    """

    unit: Literal["word", "char"] = "word"
    n_gram: int = 5

    def __post_init__(self) -> None:
        if self.n_gram < 1:
            raise ValueError(f"'n_gram' of shingles must be at least 1. Got {self.n_gram} instead.")


def shingle_sets(texts: pa.ChunkedArray | pa.Array, shingles: Shingles) -> tuple[Hashes, Offsets]:
    """The distinct 64-bit hashes of each text's shingles, and where each text's begin (n + 1).

    Those of a text ascend. A text of fewer words (or characters) than `n_gram` has one shingle, all
    of it; a text without any has none, and so has a null.
    """
    data, offsets = buffers(texts)
    return _sets(data, offsets, shingles.unit == "word", shingles.n_gram, characters())


@kernel
def _sets(
    data: Bytes, offsets: Offsets, words: bool, n_gram: int, chars: Characters
) -> tuple[Hashes, Offsets]:
    room = room_for(offsets)
    slots, out = np.full(1024, EMPTY, np.uint64), np.empty(1024, np.uint64)
    bounds = np.zeros(len(offsets), np.int64)
    for doc in range(len(offsets) - 1):
        count = find_shingles(data, offsets[doc], offsets[doc + 1], words, n_gram, chars, room)
        first = bounds[doc]
        if first + count > len(out):
            out = np.concatenate((out, np.empty(len(out) + count, np.uint64)))
        if _slots(count) + count > len(slots):
            slots = np.full(_slots(count) + count, EMPTY, np.uint64)
        bounds[doc + 1] = first + _distinct(room.units, count, slots, out, first)
    return out[: bounds[-1]].copy(), bounds


@leaf
def find_shingles(
    data: Bytes, start: int, end: int, words: bool, n_gram: int, chars: Characters, room: Room
) -> int:
    """Writes the hashes of all shingles of data[start:end] to `units`; returns their number."""
    if words:
        count = find_words(data, start, end, chars, room)
    else:
        count = find_chars(data, start, end, chars, room)
    return _combine(room.units, count, n_gram)


@leaf
def _combine(units: Hashes, count: int, n_gram: int) -> int:
    """Puts in place of each unit the hash of it and those after it; returns their number.

    They are values of a polynomial that rolls over the units.
    """
    width = min(n_gram, count)
    value, power = NO, ONE
    for i in range(width - 1):
        value = value * MIX_B + units[i]
        power *= MIX_B
    shingles = count - width + 1 if count else 0
    for i in range(shingles):
        value = value * MIX_B + units[i + width - 1]
        first, units[i] = units[i], value
        value -= first * power
    for i in range(shingles):
        units[i] = mix(units[i])
    return shingles


@leaf
def _slots(count: int) -> int:
    """The smallest power of two that is at least twice `count`, and 16."""
    slots = 16
    while slots < 2 * count:
        slots *= 2
    return slots


@leaf
def _distinct(hashes: Hashes, count: int, slots: Hashes, out: Hashes, at: int) -> int:
    """Writes the distinct of the first `count` hashes to out[at:], ascending; their number.

    By a hash table in the order of the hashes: each goes to the slot that its highest bits name,
    and pushes greater ones on. `slots` are all EMPTY, before and after, and `count` more than
    `_slots` says.
    """
    size = _slots(count)
    shift = np.uint64(64)
    while ONE << (np.uint64(64) - shift) < np.uint64(size):
        shift -= ONE
    last = size
    for i in range(count):
        value = hashes[i] if hashes[i] != EMPTY else EMPTY - ONE
        slot = int(np.int64(value >> shift))
        while slots[slot] < value:
            slot += 1
        if slots[slot] == value:
            continue
        while value != EMPTY:
            slots[slot], value = value, slots[slot]
            slot += 1
        last = max(last, slot)
    found = 0
    for slot in range(last):
        value = slots[slot]
        slots[slot] = EMPTY
        if value != EMPTY:
            out[at + found] = value
            found += 1
    return found


@leaf
def shared(a: Hashes, a0: int, a1: int, b: Hashes, b0: int, b1: int) -> int:
    """How many values a[a0:a1] and b[b0:b1] share; both ascend without repeats."""
    count = 0
    while a0 < a1 and b0 < b1:
        x, y = a[a0], b[b0]
        count += 1 if x == y else 0
        a0 += 1 if x <= y else 0
        b0 += 1 if y <= x else 0
    return count
