"""Tokens as spaCy's rules for English make them: datatrove, and so FineWeb, counts them as words.

On English prose all but some 3 of 10,000 are the same; what differs are emoticons, apostrophes left
out (`dont`) and rare exceptions of spaCy's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from curation.jit import leaf
from curation.statistics.spacy_pieces import COMMA, STOP, is_digit, is_whole, mark_piece
from curation.statistics.spacy_rules import BACK, LETTER, SYMBOL, Kinds, SpacyRules
from curation.text import (
    ALPHA,
    EITHER,
    LETTERS,
    PIECE,
    WORD,
    Bytes,
    Offsets,
    Tokens,
    count_chars,
    decode,
    hash_bytes,
)


@leaf
def find_spacy_tokens(
    data: Bytes,
    start: int,
    tokens: Tokens,
    num_tokens: int,
    rules: SpacyRules,
    out: Tokens,
) -> int:
    """Writes spaCy's tokens of the text that begins at byte `start` to `out`; their number.

    `tokens` are those of `find_tokens`: most pieces are plain, and these are spaCy's, too. WORD
    says that a token is a word to datatrove, which has a list of symbols.
    """
    _find_plain(data, start, tokens, num_tokens, rules, out)
    count, first = 0, 0
    while first < num_tokens:
        end = first + 1
        while end < num_tokens and not tokens.flags[end] & PIECE:
            end += 1
        if out.joins[first]:
            for i in range(first, end):
                _copy(data, tokens, i, rules.kinds, out, count + i - first)
            count += end - first
        else:
            left, right = tokens.start[first], tokens.stop[end - 1]
            out.runs[left - start : right - start] = 0
            mark_piece(data, left, right, start, rules, out.runs)
            count = _write(data, left, right, start, rules.kinds, out, count)
        first = end
    return count


@leaf
def _find_plain(
    data: Bytes, start: int, tokens: Tokens, num_tokens: int, rules: SpacyRules, out: Tokens
) -> None:
    """Sets `out.joins` of the first token of a piece that is plain.

    It is if it has one symbol; or a word of ASCII letters, or of digits, and one mark or none.
    """
    stop = tokens.stop[num_tokens - 1] if num_tokens else start
    _find_letters(data, start, stop, tokens.joins, out.start)
    for i in range(num_tokens):
        first, stop = tokens.start[i], tokens.stop[i]
        ends = i + 1 == num_tokens or tokens.flags[i + 1] & PIECE
        if not tokens.flags[i] & WORD:
            out.joins[i] = ends and tokens.chars[i] == 1
            continue
        plain = out.start[stop - start - 1] < first - start or _is_number(data, first, stop)
        if 5 <= stop - first <= 6:
            for value in rules.two_words:
                plain &= value != tokens.hash[i]
        if plain and not ends:
            ends = i + 2 == num_tokens or tokens.flags[i + 2] & PIECE
            plain = ends and tokens.chars[i + 1] == 1 and _comes_off(data, first, stop, rules)
        out.joins[i] = plain


@leaf
def _find_letters(data: Bytes, start: int, stop: int, joins: Bytes, last: Offsets) -> None:
    """Fills `last` with the last of the bytes so far that is no ASCII letter."""
    other: Any = np.int64(-1)
    for i in range(stop - start):
        letter = joins[i + 1] == LETTERS | EITHER and data[start + i] < 0x80
        other = other if letter else i
        last[i] = other


@leaf
def _is_number(data: Bytes, first: int, stop: int) -> bool:
    """Whether a word is a number, `1,000.5`."""
    number = True
    for at in range(first, stop):
        number &= is_digit(data[at]) or data[at] in (STOP, COMMA)
    return number


@leaf
def _comes_off(data: Bytes, first: int, at: int, rules: SpacyRules) -> bool:
    """Whether the mark at `at` comes off the plain word data[first:at]."""
    code = decode(data, at)[0]
    if code != STOP:
        return bool(rules.kinds[code] & BACK)
    lower = data[at - 1] >= 0x61 or is_digit(data[at - 1])
    return bool(lower and not is_whole(data, first, at + 1, rules.abbreviations, rules.whole))


@leaf
def _copy(data: Bytes, tokens: Tokens, i: int, kinds: Kinds, out: Tokens, to: int) -> None:
    """Token `to` of `out` becomes token i of `tokens`."""
    flags = tokens.flags[i]
    if not flags & WORD and not kinds[decode(data, tokens.start[i])[0]] & SYMBOL:
        flags |= WORD
    out.start[to], out.stop[to], out.chars[to] = tokens.start[i], tokens.stop[i], tokens.chars[i]
    out.flags[to], out.hash[to] = flags, tokens.hash[i]


@leaf
def _write(
    data: Bytes, first: int, stop: int, start: int, kinds: Kinds, out: Tokens, count: int
) -> int:
    """Appends the tokens of data[first:stop], which begin where `out.runs` is set."""
    at = first
    while at < stop:
        end = at + 1
        while end < stop and not out.runs[end - start]:
            end += 1
        out.start[count], out.stop[count], out.chars[count] = at, end, count_chars(data, at, end)
        flags = _flags(data, at, end, kinds) | (PIECE if at == first else 0)
        out.flags[count], out.hash[count] = flags, hash_bytes(data, at, end)
        at, count = end, count + 1
    return count


@leaf
def _flags(data: Bytes, at: int, end: int, kinds: Kinds) -> int:
    """ALPHA if a character is a letter, WORD if one is no symbol."""
    flags = 0
    while at < end:
        code, size = decode(data, at)
        flags |= ALPHA if kinds[code] & LETTER else 0
        flags |= 0 if kinds[code] & SYMBOL else WORD
        at += size
    return flags
