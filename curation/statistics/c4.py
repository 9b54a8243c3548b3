"""What C4's rules ask of a text and of its lines (Raffel et al. 2020, arXiv 1910.10683, 2.2).

A line counts only if it passes the line rules, in the order of the authors' code (TensorFlow
Datasets, c4_utils.py): no endless word, a mark at its end, enough words; then it may drop the page
by "lorem ipsum" or "{" (unless it mentions javascript), and it goes if it is about cookies.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from curation.jit import leaf
from curation.statistics.lines import Lines
from curation.statistics.phrases import Phrases, find_phrases, make_phrases
from curation.statistics.quality import hash_of
from curation.text import (
    ALONE,
    ALPHA,
    PIECE,
    TERMINAL,
    WORD,
    Bytes,
    Hashes,
    Offsets,
    Rows,
    Tokens,
    decode,
    strip,
)

COLUMNS = {
    "num_sentences": pa.int64(),  # in the lines that stay
    "num_lorem_ipsum_lines": pa.int64(),
    "num_curly_bracket_lines": pa.int64(),
    "kept_line_frac": pa.float64(),  # of lines that are not blank
}
POLICIES = (  # c4_utils.py
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
LOREM, CURLY, JAVASCRIPT = 1, 2, 4
POLICY = 8 * ((1 << len(POLICIES)) - 1)
PHRASES = ("lorem ipsum", "{", "javascript", *POLICIES)
REMOVED, KEPT = 8, 16  # beside LOREM and CURLY

# A full stop after these, or after a single letter, ends no sentence (spaCy's English exceptions).
ABBREVIATIONS = (
    *("Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Mt", "Jr", "Sr", "Gen", "Rep", "Sen", "Gov", "Adm"),
    *("Messrs", "Bros", "Inc", "Co", "Corp", "Ltd", "vs", "Jan", "Feb", "Mar", "Apr", "Jun", "Jul"),
    *("Aug", "Sep", "Sept", "Oct", "Nov", "Dec", "Ala", "Ariz", "Ark", "Calif", "Conn", "Del"),
    *("Fla", "Ga", "Ill", "Ind", "Kan", "Ky", "La", "Mass", "Mich", "Minn", "Miss", "Mo", "Mont"),
    *("Neb", "Nev", "Okla", "Ore", "Pa", "Tenn", "Va", "Wash", "Wis"),
)
OPEN, CLOSE, DOT = 0x5B, 0x5D, 0x2E
_CITATIONS = ("[edit]", "[citation needed]")


class C4Settings(NamedTuple):
    """Which lines stay."""

    end_marks: Offsets  # code points of which a line must end in one; empty: lines may end in any
    min_words: int  # pieces per line
    max_word_chars: int
    citations: bool  # are cut out
    removes: int  # LOREM.. bits of phrases whose lines go
    phrases: Phrases
    abbreviations: Hashes


def c4_settings(
    end_marks: str,
    min_words: int | None,
    max_word_chars: int | None,
    citations: bool,
    javascript: bool,
    policy: bool,
) -> C4Settings:
    """Settings from what the stage is told."""
    return C4Settings(
        np.array([ord(mark) for mark in end_marks], np.int64),
        min_words or 0,
        max_word_chars or 1 << 62,
        citations,
        (JAVASCRIPT if javascript else 0) | (POLICY if policy else 0),
        make_phrases((*PHRASES, *_CITATIONS)),
        np.array([hash_of(word) for word in ABBREVIATIONS], np.uint64),
    )


@leaf
def c4(
    data: Bytes,
    table: Bytes,
    tokens: Tokens,
    lines: Lines,
    num_lines: int,
    settings: C4Settings,
    row: Rows,
) -> None:
    """Fills a row of `COLUMNS`."""
    row[:] = 0
    filled = 0
    for line in range(num_lines):
        first, end = lines.first[line], lines.first[line + 1]
        if first == end:
            continue
        filled += 1
        verdict, stop = judge_line(data, table, tokens, first, end, settings)
        row[1] += 1 if verdict & LOREM else 0
        row[2] += 1 if verdict & CURLY else 0
        if verdict & KEPT:
            row[0] += _sentences(data, tokens, first, end, stop, settings)
            row[3] += 1
    row[3] /= max(filled, 1)


@leaf
def judge_line(
    data: Bytes, table: Bytes, tokens: Tokens, first: int, end: int, settings: C4Settings
) -> tuple[int, int]:
    """KEPT or REMOVED, and LOREM and CURLY, for the line of tokens first:end; and where it ends."""
    words, longest, length = 0, 0, 0
    for i in range(first, end):
        starts = tokens.flags[i] & PIECE
        words += starts
        length = tokens.chars[i] if starts else length + tokens.chars[i]
        longest = max(longest, length)
    start, stop = tokens.start[first], tokens.stop[end - 1]
    if settings.citations:
        stop = _before_citations(data, start, stop, settings.phrases, table)
    if words < settings.min_words or longest > settings.max_word_chars or start == stop:
        return REMOVED, stop
    if len(settings.end_marks) and not _ends_well(data, start, stop, settings.end_marks):
        return REMOVED, stop
    found = find_phrases(data, start, stop, settings.phrases)
    if found & settings.removes & JAVASCRIPT:
        return REMOVED | (found & LOREM), stop
    end_state = REMOVED if found & settings.removes else KEPT
    return end_state | int(found & (LOREM | CURLY)), stop


@leaf
def _ends_well(data: Bytes, start: int, stop: int, end_marks: Offsets) -> bool:
    """Whether the last character is an end mark, and not the end of an ellipsis."""
    at = stop - 1
    while data[at] & 0xC0 == 0x80:
        at -= 1
    code = decode(data, at)[0]
    found = False
    for mark in end_marks:
        found |= mark == code
    dots = at - 2 >= start and data[at] == DOT and data[at - 1] == DOT and data[at - 2] == DOT
    return found and not dots


@leaf
def _before_citations(data: Bytes, start: int, stop: int, phrases: Phrases, table: Bytes) -> int:
    """Where data[start:stop] ends if citations at its end, and white space before them, go."""
    while stop > start and data[stop - 1] == CLOSE:
        at = stop - 1
        while at > start and data[at] != OPEN:
            at -= 1
        if citation_end(data, at, stop, phrases) != stop:
            break
        stop = strip(data, start, at, table)[1]
    return stop


@leaf
def citation_end(data: Bytes, at: int, stop: int, phrases: Phrases) -> int:
    """Where the citation that begins at byte `at` ends: `[1]`, `[]`, `[edit]`; else `at`."""
    if data[at] != OPEN:
        return at
    end = at + 1
    while end < stop and 0x30 <= data[end] <= 0x39:
        end += 1
    if end < stop and data[end] == CLOSE:
        return end + 1
    for i in range(len(phrases.length) - 2, len(phrases.length)):
        length = phrases.length[i]
        same = at + length <= stop
        for j in range(length if same else 0):
            same &= data[at + j] == phrases.letters[i, j]
        if same:
            return int(at + length)
    return at


@leaf
def _sentences(
    data: Bytes, tokens: Tokens, first: int, end: int, stop: int, settings: C4Settings
) -> int:
    """Sentences before byte `stop`: one begins with token `first`, and with a word after an end.

    A mark of ASCII's ends none if the word is right behind it (`.net`, `f("a?b")`).
    """
    count, ended, apart, cited = 1, False, False, 0
    for i in range(first, end):
        at, flags = tokens.start[i], tokens.flags[i]
        if at >= stop:
            break
        if settings.citations and data[at] == OPEN:
            cited = citation_end(data, at, stop, settings.phrases)
        if at < cited:
            continue
        apart |= flags & PIECE != 0
        if flags & WORD:
            count += 1 if ended and (apart or flags & ALONE) else 0
            ended = False
        elif flags & TERMINAL and _ends(data, tokens, i, first, settings.abbreviations):
            ended, apart = True, data[at] >= 0x80
    return count


@leaf
def _ends(data: Bytes, tokens: Tokens, i: int, first: int, abbreviations: Hashes) -> bool:
    """Whether a terminal mark ends a sentence: no ellipsis and no abbreviation does."""
    if data[tokens.start[i]] != DOT:
        return True
    if tokens.flags[i] & PIECE or i == first:
        return bool(tokens.chars[i] == 1)
    return bool(tokens.chars[i] == 1 and not _abbreviates(data, tokens, i - 1, abbreviations))


@leaf
def _abbreviates(data: Bytes, tokens: Tokens, i: int, abbreviations: Hashes) -> bool:
    """Whether a full stop after token i belongs to it: a single letter, `e.g`, `Mr`."""
    letters = tokens.flags[i] & (ALPHA | ALONE) == ALPHA
    found = letters and (tokens.chars[i] == 1 or data[tokens.stop[i] - 2] == DOT)
    for value in abbreviations:
        found |= value == tokens.hash[i]
    return bool(found)
