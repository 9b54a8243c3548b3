r"""The lines or paragraphs of texts that may be cut as repeated, with their 128-bit hashes.

Lines are what `\n` separates. Paragraphs are runs of lines that are not blank, as the repetition
rules take them: a line of white space separates them too. Blank units are never cut,
and structural ones (`curation.dedup.units.structure`) if asked only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.dedup.forms import Normal, form_room, hash_form
from curation.dedup.units.structure import is_structural
from curation.jit import kernel, leaf
from curation.statistics.lines import NEWLINE, find_newline
from curation.text import (
    SPACE,
    WORD,
    Bytes,
    Characters,
    Hashes,
    Offsets,
    Tokens,
    count_chars,
    decode,
    find_tokens,
    strip,
    token_room,
)


class UnitRules(NamedTuple):
    """Which units may be cut."""

    paragraphs: bool  # otherwise lines
    structural: bool  # also those that are
    min_chars: int
    min_words: int


class Units(NamedTuple):
    """Units that may be cut, in the order of the texts. Bytes count within the text."""

    row: Offsets
    first: Hashes  # the halves of the hash
    second: Hashes
    start: Offsets
    stop: Offsets  # before the newline
    before: Offsets  # where the unit before it stops, of any kind; -1 if there is none
    after: Offsets  # where the next one starts; -1 if there is none


@kernel
def find_units(
    data: Bytes, offsets: Offsets, salts: Hashes, rules: UnitRules, form: Normal, chars: Characters
) -> Units:
    """The units that may be cut.

    Args:
        data: see `curation.text.buffers`.
        offsets: the same.
        salts: (texts, 2) equal where equal units may meet; zero twice: the text has none to cut.
        rules: which.
        form: in which they are compared.
        chars: the tables of characters.
    """
    out, room = _unit_room(data, offsets), form_room(offsets)
    tokens = token_room(offsets if rules.min_words else offsets[:1])
    n = 0
    for row in range(len(offsets) - 1):
        begin, end = offsets[row], offsets[row + 1]
        if salts[row, 0] == 0 and salts[row, 1] == 0:
            continue
        at, before, waiting = begin, -1, -1
        while True:
            start, stop, at = _next_unit(data, at, end, rules.paragraphs, chars.flags)
            if start < 0:
                break
            if waiting >= 0:
                out.after[waiting] = start - begin
            waiting = -1
            fits = _may_go(data, start, stop, rules, chars.flags)
            least = rules.min_words
            if fits and not _has_pieces(data, start, stop, least, chars.flags):
                fits = _count_words(data, start, stop, chars, tokens) >= least
            if fits:
                first, second, size = hash_form(data, start, stop, form, room)
                if size:
                    out.row[n], out.start[n], out.stop[n] = row, start - begin, stop - begin
                    out.first[n], out.second[n] = first ^ salts[row, 0], second ^ salts[row, 1]
                    out.before[n], out.after[n] = before, -1
                    waiting, n = n, n + 1
            before = stop - begin
    return Units(
        out.row[:n],
        out.first[:n],
        out.second[:n],
        out.start[:n],
        out.stop[:n],
        out.before[:n],
        out.after[:n],
    )


@kernel
def _unit_room(data: Bytes, offsets: Offsets) -> Units:
    """Room for a unit per line; memory is taken as it is filled."""
    most = len(offsets)
    for at in range(offsets[0], offsets[-1]):
        most += data[at] == NEWLINE
    return Units(
        np.empty(most, np.int64),
        np.empty(most, np.uint64),
        np.empty(most, np.uint64),
        np.empty(most, np.int64),
        np.empty(most, np.int64),
        np.empty(most, np.int64),
        np.empty(most, np.int64),
    )


@leaf
def _next_unit(
    data: Bytes, at: int, end: int, paragraphs: bool, table: Bytes
) -> tuple[int, int, int]:
    """The unit at or after `at`: start (-1 if there is none), stop, and where to go on.

    `end + 1` is where to go on after the last line.
    """
    if at > end:
        return -1, -1, at
    stop = find_newline(data, at, end)
    if not paragraphs:
        return at, stop, stop + 1
    while _is_blank(data, at, stop, table):
        if stop == end:
            return -1, -1, end + 1
        at, stop = stop + 1, find_newline(data, stop + 1, end)
    start, last = at, stop
    while stop < end:
        at, stop = stop + 1, find_newline(data, stop + 1, end)
        if _is_blank(data, at, stop, table):
            break
        last = stop
    return start, last, last + 1


@leaf
def _is_blank(data: Bytes, start: int, stop: int, table: Bytes) -> bool:
    while start < stop:
        code, size = decode(data, start)
        if not table[code] & SPACE:
            return False
        start += size
    return True


@leaf
def _may_go(data: Bytes, start: int, stop: int, rules: UnitRules, table: Bytes) -> bool:
    """Whether the unit is neither blank nor excepted, its words apart."""
    left, right = start, stop
    if start == stop or not (_is_visible(data[start]) and _is_visible(data[stop - 1])):
        left, right = strip(data, start, stop, table)
    if left == right or not _has_chars(data, left, right, rules.min_chars):
        return False
    return rules.structural or not is_structural(data, left, right, table)


@leaf
def _is_visible(byte: int) -> bool:
    """Whether it is an ASCII character other than white space and control characters."""
    return bool(0x20 < byte < 0x7F)


@leaf
def _has_chars(data: Bytes, start: int, stop: int, least: int) -> bool:
    """Whether data[start:stop] has so many characters, which take one to four bytes."""
    if stop - start >= 4 * least:
        return True
    return bool(stop - start >= least and count_chars(data, start, stop) >= least)


@leaf
def _has_pieces(data: Bytes, start: int, stop: int, least: int, table: Bytes) -> bool:
    """Whether so many ASCII letters or digits begin a piece: each of them begins a word."""
    pieces, after_space = 0, True
    for at in range(start, stop):
        flags = table[data[at] & 0x7F] if data[at] < 0x80 else 0
        pieces += 1 if after_space and flags & WORD else 0
        if pieces >= least:
            return True
        after_space = flags & SPACE != 0
    return pieces >= least


@leaf
def _count_words(data: Bytes, start: int, stop: int, chars: Characters, tokens: Tokens) -> int:
    words = 0
    for i in range(find_tokens(data, start, stop, chars, tokens)):
        words += 1 if tokens.flags[i] & WORD else 0
    return words
