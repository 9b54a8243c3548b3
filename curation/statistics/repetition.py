r"""What Gopher's repetition rules ask of a text (Rae et al. 2021, arXiv 2112.11446, table A1).

All shares of characters are over the code points of the text. Where the paper is silent we count
as datatrove does: a duplicate is every occurrence after the first; duplicated n-grams are counted
without overlap, by the characters of their tokens; the top n-gram counts its tokens and one space
between them, all occurrences. Unlike there, a line of white space is blank: else the `\r` between
the paragraphs of a Windows text would be a line that repeats.

An n-gram can only repeat where the (n-1)-grams it begins and ends with repeat, so each length looks
at the few places that the length before has left: in prose, all of 5 to 10 cost next to nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from curation.jit import kernel, leaf
from curation.statistics.lines import Lines
from curation.text import Bytes, Counts, Hashes, Offsets, Rows, Tokens, count_chars, hash_bytes, mix

COLUMNS = {
    "dup_line_frac": pa.float64(),
    "dup_para_frac": pa.float64(),
    "dup_line_char_frac": pa.float64(),
    "dup_para_char_frac": pa.float64(),
    **{f"top_{n}_gram_char_frac": pa.float64() for n in (2, 3, 4)},
    **{f"dup_{n}_gram_char_frac": pa.float64() for n in (5, 6, 7, 8, 9, 10)},
}


class Grams(NamedTuple):
    """Room to count the n-grams of one text, of one length after the other.

    An n-gram is known by the place of its first occurrence; `word` holds that of single tokens and
    `gram` that of the present length.
    """

    word: Counts
    gram: Counts
    times: Counts  # occurrences, at the first one
    place: Counts  # where n-grams of the present length repeat, ascending
    key: Hashes
    slot: Counts  # an open-addressing table: 1 + place, 0 where free


@kernel
def gram_room(offsets: Offsets) -> Grams:
    """Room for any one text; memory is taken as it is filled."""
    most = 2
    for doc in range(len(offsets) - 1):
        most = max(most, offsets[doc + 1] - offsets[doc] + 2)
    return Grams(
        np.empty(most, np.int32),
        np.empty(most, np.int32),
        np.empty(most, np.int32),
        np.empty(most, np.int32),
        np.empty(most, np.uint64),
        np.empty(table_size(most), np.int32),
    )


@leaf
def table_size(num_items: int) -> int:
    """A power of two that leaves half of the slots free."""
    size = 16
    while size < 2 * num_items:
        size *= 2
    return size


@leaf
def repetition(
    data: Bytes,
    start: int,
    end: int,
    tokens: Tokens,
    num_tokens: int,
    lines: Lines,
    num_lines: int,
    room: Grams,
    row: Rows,
) -> None:
    """Fills a row of `COLUMNS`."""
    chars = count_chars(data, start, end)
    if num_tokens == 0:
        row[:] = 0
        return
    first, last = tokens.start[0], tokens.stop[num_tokens - 1]
    for i in range(2):
        num, dups, dup_chars = _dup_units(data, first, last, lines, num_lines, i == 1, room)
        row[i], row[i + 2] = dups / max(num, 1), dup_chars / chars
    places = _repeated_tokens(tokens, num_tokens, room)
    for n in range(2, 11):
        places = _repeated_grams(places, n, room)
        found = (
            _top(tokens, num_tokens, places, n, room) if n < 5 else _dups(tokens, places, n, room)
        )
        row[2 + n] = found / chars


@leaf
def _dup_units(
    data: Bytes,
    start: int,
    end: int,
    lines: Lines,
    num_lines: int,
    paragraphs: bool,
    room: Grams,
) -> tuple[int, int, int]:
    """(units, repeated units, code points of repeated units) of data[start:end].

    Units are lines that are not blank, or paragraphs: runs of such lines.
    """
    num, dups, dup_chars = 0, 0, 0
    size = table_size(num_lines)
    room.slot[:size] = 0
    line = 0
    while line < num_lines:
        begin, stop = max(lines.start[line], start), min(lines.stop[line], end)
        blank = lines.first[line] == lines.first[line + 1]
        line += 1
        if blank:
            continue
        while paragraphs and line < num_lines and lines.first[line] < lines.first[line + 1]:
            stop = min(lines.stop[line], end)
            line += 1
        room.key[num] = hash_bytes(data, begin, stop)
        if find_or_add(room.key, num, room.slot, size) != num:
            dups += 1
            dup_chars += count_chars(data, begin, stop)
        num += 1
    return num, dups, dup_chars


@leaf
def find_or_add(keys: Hashes, item: int, slots: Counts, size: int) -> int:
    """The first item with the key of `item`, which is added if there is none."""
    mask = np.uint64(size - 1)
    at = keys[item] & mask
    while slots[at]:
        found = int(slots[at]) - 1
        if keys[found] == keys[item]:
            return found
        at = (at + np.uint64(1)) & mask
    slots[at] = item + 1
    return item


@leaf
def _repeated_tokens(tokens: Tokens, num_tokens: int, room: Grams) -> int:
    """Fills `word` and `gram`; the number of places whose token occurs twice or more."""
    size = table_size(num_tokens)
    mask = np.uint64(size - 1)
    room.slot[:size] = 0
    for i in range(num_tokens):
        value = tokens.hash[i]
        at = value & mask
        found = room.slot[at] - 1
        while found >= 0 and tokens.hash[found] != value:
            at = (at + np.uint64(1)) & mask
            found = room.slot[at] - 1
        if found < 0:
            found = i
            room.slot[at], room.times[i] = i + 1, 0
        room.times[found] += 1
        room.word[i] = room.gram[i] = found
    places = 0
    for i in range(num_tokens):
        room.place[places] = i
        places += 1 if room.times[room.word[i]] > 1 else 0
    return places


@leaf
def _repeated_grams(places: int, n: int, room: Grams) -> int:
    """From the places of (n-1)-grams that repeat to those of n-grams; returns their number."""
    maybe = 0
    for i in range(places - 1):
        room.place[maybe] = room.place[i]
        maybe += 1 if room.place[i + 1] == room.place[i] + 1 else 0
    size = table_size(maybe)
    mask = np.uint64(size - 1)
    room.slot[:size] = 0
    for i in range(maybe):
        place = room.place[i]
        key = np.uint64(room.gram[place]) << np.uint64(32) | np.uint64(room.word[place + n - 1])
        at = mix(key) & mask
        found = room.slot[at] - 1
        while found >= 0 and room.key[found] != key:
            at = (at + np.uint64(1)) & mask
            found = room.slot[at] - 1
        if found < 0:
            found = place
            room.slot[at], room.times[place], room.key[place] = place + 1, 0, key
        room.times[found] += 1
        room.gram[place] = found
    left = 0
    for i in range(maybe):
        room.place[left] = room.place[i]
        left += 1 if room.times[room.gram[room.place[i]]] > 1 else 0
    return left


@leaf
def _top(tokens: Tokens, num_tokens: int, places: int, n: int, room: Grams) -> int:
    """Code points of all occurrences of the most frequent n-gram, the first of equals."""
    if num_tokens < n:
        return 0
    best, at = 1, 0
    for i in range(places):
        gram = room.gram[room.place[i]]
        if room.times[gram] > best:
            best, at = room.times[gram], gram
    return int(best) * (int(np.sum(tokens.chars[at : at + n])) + n - 1)


@leaf
def _dups(tokens: Tokens, places: int, n: int, room: Grams) -> int:
    """Code points in n-grams that occurred before, counted without overlap.

    Sets the count of an n-gram to 0 once it has occurred.
    """
    chars, free = 0, 0
    for i in range(places):
        place = room.place[i]
        if place < free:
            continue
        gram = room.gram[place]
        if room.times[gram]:
            room.times[gram] = 0
        else:
            chars += int(np.sum(tokens.chars[place : place + n]))
            free = place + n
    return chars
