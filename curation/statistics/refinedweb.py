"""What RefinedWeb's line corrections ask of a text (Penedo et al. 2023, arXiv 2306.01116, G.2)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from curation.jit import leaf
from curation.statistics.lines import Lines
from curation.statistics.phrases import Phrases, find_phrases, make_phrases, matches
from curation.statistics.quality import hash_of
from curation.text import (
    DIGIT,
    PIECE,
    SPACE,
    UPPER,
    WORD,
    Bytes,
    Characters,
    Hashes,
    Rows,
    Tokens,
    decode,
    strip,
)

COLUMNS = {"removed_word_frac": pa.float64()}  # pieces in lines and phrases that go
COUNTED = (  # DCLM's list, which follows the example "3 likes" of G.2
    *("likes", "shares", "comments", "retweets", "reposts", "quotes", "bookmarks", "upvotes"),
    *("downvotes", "downloads", "views", "followers"),
)
PREFIX, SUFFIX, ANYWHERE = 0, 1, 2
PHRASES = ("sign-in", "read more...", "items in cart")  # in this order: G.2's three examples


class RefinedWebSettings(NamedTuple):
    """Which lines go, and which are short enough to lose a phrase."""

    max_upper: float  # share of a line's characters
    max_digit: float
    min_words: int  # pieces per line
    max_phrase_words: int
    counted: Hashes
    phrases: Phrases


def refinedweb_settings(
    max_upper: float | None, max_digit: float | None, min_words: int | None, max_phrase_words: int
) -> RefinedWebSettings:
    """Settings from what the stage is told; None keeps such lines."""
    words = [form for word in COUNTED for form in (word, word.capitalize(), word[:-1])]
    return RefinedWebSettings(
        2.0 if max_upper is None else max_upper,
        2.0 if max_digit is None else max_digit,
        min_words or 0,
        max_phrase_words,
        np.array([hash_of(word) for word in words], np.uint64),
        make_phrases(PHRASES),
    )


@leaf
def refinedweb(
    data: Bytes,
    chars: Characters,
    tokens: Tokens,
    lines: Lines,
    num_lines: int,
    settings: RefinedWebSettings,
    row: Rows,
) -> None:
    """Fills a row of `COLUMNS`."""
    words, removed = 0, 0
    for line in range(num_lines):
        first, end = lines.first[line], lines.first[line + 1]
        if first == end:
            continue
        here = count_pieces(tokens, first, end)
        words += here
        begin, stop = correct_line(data, chars, tokens, first, end, settings)
        cut = begin != tokens.start[first] or stop != tokens.stop[end - 1]
        if cut:
            removed += here - _pieces_within(tokens, first, end, begin, stop)
    row[0] = removed / max(words, 1)


@leaf
def count_pieces(tokens: Tokens, first: int, end: int) -> int:
    """Pieces among the tokens first:end."""
    pieces = 0
    for i in range(first, end):
        pieces += tokens.flags[i] & PIECE
    return pieces


@leaf
def _pieces_within(tokens: Tokens, first: int, end: int, begin: int, stop: int) -> int:
    """Pieces of which something lies in begin:stop."""
    pieces = 0
    for i in range(first, end if begin < stop else first):
        if tokens.stop[i] > begin and tokens.start[i] < stop:
            pieces += 1 if tokens.flags[i] & PIECE or pieces == 0 else 0
    return pieces


@leaf
def correct_line(
    data: Bytes,
    chars: Characters,
    tokens: Tokens,
    first: int,
    end: int,
    settings: RefinedWebSettings,
) -> tuple[int, int]:
    """The bytes (start, stop) that stay of the line of tokens first:end; equal where it goes."""
    start, stop = tokens.start[first], tokens.stop[end - 1]
    words = count_pieces(tokens, first, end)
    if words < settings.min_words or _is_counter(data, tokens, first, end, settings.counted):
        return start, start
    uppers, digits, length = _count_kinds(data, start, stop, chars)
    if uppers > settings.max_upper * length or digits > settings.max_digit * length:
        return start, start
    if words <= settings.max_phrase_words:
        return _cut_phrases(data, start, stop, settings.phrases, chars.flags)
    return start, stop


@leaf
def _count_kinds(data: Bytes, start: int, stop: int, chars: Characters) -> tuple[int, int, int]:
    """(capitals, digits, characters that are not white space) of data[start:stop]."""
    uppers, digits, length, every = 0, 0, 0, np.uint8(0)
    for at in range(start, stop):
        byte = data[at]
        every |= byte
        kinds = chars.kinds[byte & 0x7F] if byte < 0x80 else 0
        uppers += (kinds & UPPER) // UPPER
        digits += (kinds & DIGIT) // DIGIT
        length += 1 if chars.runs[byte] or byte >= 0xC0 else 0
    if every >= 0x80:
        more = _count_wide_kinds(data, start, stop, chars)
        uppers, digits, length = uppers + more[0], digits + more[1], length - more[2]
    return uppers, digits, length


@leaf
def _count_wide_kinds(data: Bytes, at: int, stop: int, chars: Characters) -> tuple[int, int, int]:
    """(capitals, digits, white space) among the characters that are not ASCII."""
    uppers, digits, spaces = 0, 0, 0
    while at < stop:
        code, size = decode(data, at)
        if size > 1:
            uppers += (chars.kinds[code] & UPPER) // UPPER
            digits += (chars.kinds[code] & DIGIT) // DIGIT
            spaces += chars.flags[code] & SPACE
        at += size
    return uppers, digits, spaces


@leaf
def _is_counter(data: Bytes, tokens: Tokens, first: int, end: int, counted: Hashes) -> bool:
    """Whether the words of a line are a number and something that is counted: `1.2k likes`."""
    words, number, unit = 0, -1, -1
    for i in range(first, end):
        if tokens.flags[i] & WORD:
            words += 1
            number, unit = unit, i
    if words != 2 or not 0x30 <= data[tokens.start[number]] <= 0x39:
        return False
    found = False
    for value in counted:
        found |= value == tokens.hash[unit]
    return found


@leaf
def _cut_phrases(
    data: Bytes, start: int, stop: int, phrases: Phrases, table: Bytes
) -> tuple[int, int]:
    """What is left of a short line: nothing if it holds the phrase that no line may."""
    found = find_phrases(data, start, stop, phrases)
    if found >> ANYWHERE & 1:
        return start, start
    if found >> PREFIX & 1 and matches(data, start, stop, phrases, PREFIX):
        start, _ = strip(data, start + phrases.length[PREFIX], stop, table)
    tail = stop - phrases.length[SUFFIX]
    if found >> SUFFIX & 1 and tail >= start and matches(data, tail, stop, phrases, SUFFIX):
        _, stop = strip(data, start, tail, table)
    return start, stop
