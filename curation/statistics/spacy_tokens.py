"""Tokens as spaCy's rules for English make them.

datatrove, and so FineWeb, counts words and n-grams over these. As spaCy does, marks come off both
ends of a piece, each as a token (a run of full stops is one); what is left splits at few marks only
(`and-so`, `x=y`, `One.Two`, but not `1/2`, `f(x`, `@me`), and not at all if it is an address with a
host name. `do|n't` and `5|km` split, and an abbreviation keeps its full stop. Of spaCy's exceptions
only the frequent ones are known: no emoticons, no `can|not`, no apostrophes left out.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.jit import leaf
from curation.statistics.c4 import ABBREVIATIONS
from curation.statistics.quality import hash_of
from curation.text import (
    ALPHA,
    EIGHT,
    EITHER,
    LETTERS,
    PIECE,
    TERMINAL,
    UPPER,
    WORD,
    Bytes,
    Characters,
    Hashes,
    Tokens,
    character_table,
    count_chars,
    decode,
    hash_bytes,
    load,
    load_last,
)

# What a character may do: come off the front, off the back, off the back after a digit; let a full
# stop after it come off; split letters; stand alone without being a word to datatrove.
FRONT, BACK, CURRENCY, BEFORE_STOP, QUOTE, ICON, HYPHEN, LINK, SPLITS, SYMBOL = (
    1 << i for i in range(10)
)
_MARKS = "…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪"
_QUOTES = "'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉⟦⟧"
_CURRENCY = "$£€¥฿₽﷼₴" + "".join(map(chr, range(0x20A0, 0x20C0)))
_ICONS = (*range(0xA6, 0xB1), *range(0x2100, 0x2C00), *range(0x1F000, 0x1FB00))  # if in category So
_ASCII = [chr(code) for code in range(0x21, 0x7F) if not chr(code).isalnum()]
_BITS = (
    (_MARKS, FRONT | BACK | BEFORE_STOP),
    (_QUOTES, FRONT | BACK | BEFORE_STOP | QUOTE),
    (_CURRENCY, FRONT | CURRENCY),
    (
        [chr(code) for code in _ICONS if unicodedata.category(chr(code)) == "So"],
        FRONT | BACK | ICON | SPLITS,
    ),
    ("—–", FRONT | BACK | HYPHEN | SPLITS),
    ("-~", HYPHEN | SPLITS),
    ("§%=", FRONT),
    ("%²-+", BEFORE_STOP),
    (":<>=/", LINK | SPLITS),
    (".…,+*^", SPLITS),
    (_ASCII, SYMBOL),
    ("—–…“”„’´«»【】「」《》〈〉（）：；，．、。？！％∶～━►１", SYMBOL),
)

_STATES = (
    *("Ala", "Ariz", "Ark", "Calif", "Conn", "Del", "Fla", "Ga", "Ill", "Ind", "Kan", "Ky", "La"),
    *("Mass", "Mich", "Minn", "Miss", "Mo", "Mont", "Neb", "Nev", "Okla", "Ore", "Pa", "Tenn"),
    *("Va", "Wash", "Wis"),
)
_SHORT = (*"abcdefghijklmnopqrstuvwxyz", "a.m", "p.m", "e.g", "i.e", "E.g", "I.e", "co", "Rev")
_WHOLE = ("''", "'s", "’s", "'S", "'d", "'re", "'ll", "'em", "and/or", "w/o", "o'clock")
_UNITS = (
    *("km", "m", "dm", "cm", "mm", "ha", "nm", "yd", "in", "ft", "kg", "g", "mg", "t", "lb", "oz"),
    *("kmh", "mph", "hPa", "Pa", "mbar", "mb", "MB", "kb", "KB", "gb", "GB", "tb", "TB", "T", "G"),
    *("M", "K", "%"),
)
_STEMS = (
    *("i", "you", "he", "she", "it", "we", "they", "who", "what", "when", "where", "why", "how"),
    *("there", "that", "this", "these", "those", "ca", "could", "do", "does", "did", "had", "may"),
    *("might", "must", "need", "ought", "sha", "should", "wo", "would", "ai", "are", "is", "was"),
    *("were", "have", "has", "dare"),
)
APOSTROPHE, STOP, COMMA, PLUS, MINUS, STAR, CARET, COLON, SLASH, AT, HASH = map(ord, "'.,+-*^:/@#")
CURLY, DASH, TILDE, ELLIPSIS = map(ord, "’—~…")
_LONGEST_WHOLE, _LONGEST_UNIT, _LONGEST_STEM = 7, 4, 6  # bytes

Kinds = npt.NDArray[np.uint16]


class SpacyRules(NamedTuple):
    """What `find_spacy_tokens` knows of characters and words."""

    kinds: Kinds  # (0x110000,) FRONT..
    abbreviations: Hashes  # with their full stop
    whole: Hashes  # pieces that stay as they are
    units: Hashes
    stems: Hashes  # that a contraction comes off


@functools.cache
def spacy_rules(wanted: bool = True) -> SpacyRules:
    """The rules as tables; empty ones if they are not wanted."""
    kinds = np.where(character_table() & TERMINAL, SYMBOL, 0).astype(np.uint16)
    for chars, bits in _BITS if wanted else ():
        kinds[[ord(char) for char in chars]] |= bits
    short = [word + "." for word in (*ABBREVIATIONS, *_STATES, *_SHORT)]
    lists = (short, _WHOLE, _UNITS, (*_STEMS, *(word.title() for word in _STEMS)))
    return SpacyRules(kinds, *(np.array([hash_of(x) for x in words], np.uint64) for words in lists))


@leaf
def find_spacy_tokens(
    data: Bytes,
    start: int,
    tokens: Tokens,
    num_tokens: int,
    chars: Characters,
    rules: SpacyRules,
    out: Tokens,
) -> int:
    """Writes spaCy's tokens of the text that begins at byte `start` to `out`; their number.

    Most pieces are plain: theirs are the same as those of `find_tokens`, which are given.
    """
    if num_tokens:
        _find_letters(data, start, tokens.stop[num_tokens - 1], tokens, out.joins)
        _find_plain(data, start, tokens, num_tokens, rules, out.joins)
    count, i = 0, 0
    while i < num_tokens:
        first = i
        plain = out.joins[tokens.start[i] - start]
        while i == first or (i < num_tokens and not tokens.flags[i] & PIECE):
            if plain:
                out.start[count], out.stop[count] = tokens.start[i], tokens.stop[i]
                out.chars[count], out.hash[count] = tokens.chars[i], tokens.hash[i]
                flags = tokens.flags[i]
                if not flags & WORD and not rules.kinds[decode(data, tokens.start[i])[0]] & SYMBOL:
                    flags |= WORD
                out.flags[count] = flags
                count += 1
            i += 1
        if not plain:
            left, right = tokens.start[first], tokens.stop[i - 1]
            out.runs[left - start : right - start] = 0
            _mark_piece(data, left, right, start, chars, rules, out.runs)
            count = _write(data, left, right, start, chars, rules.kinds, out, count)
    return count


@leaf
def _find_letters(data: Bytes, start: int, stop: int, tokens: Tokens, others: Bytes) -> None:
    """Sets `others` where data[start:stop] has no ASCII letter."""
    for i in range(stop - start):
        others[i] = (tokens.joins[i + 1] != LETTERS | EITHER) | (data[start + i] >> 7)


@leaf
def _find_plain(
    data: Bytes, start: int, tokens: Tokens, num_tokens: int, rules: SpacyRules, others: Bytes
) -> None:
    """Where a piece begins, sets `others` to whether its tokens are spaCy's, too.

    They are if it is one character, or ASCII letters or digits and at most one mark after them.
    """
    for i in range(num_tokens):
        if not tokens.flags[i] & PIECE:
            continue
        first, stop = tokens.start[i], tokens.stop[i]
        ends = i + 1 == num_tokens or tokens.flags[i + 1] & PIECE
        if not tokens.flags[i] & WORD:
            others[first - start] = ends and tokens.chars[i] == 1
            continue
        plain = not _is_any(others, np.uint64(first - start), np.uint64(stop - start))
        if not plain:
            plain = True
            for at in range(first, stop):
                plain &= 0x30 <= data[at] <= 0x39
        if plain and not ends:
            ends = i + 2 == num_tokens or tokens.flags[i + 2] & PIECE
            plain = ends and tokens.chars[i + 1] == 1
            code = decode(data, stop)[0]
            if code == STOP:
                last = data[stop - 1]
                plain = plain and (last >= 0x61 or last <= 0x39)
                plain = plain and not _is_whole(data, first, stop + 1, rules)
            else:
                plain = plain and rules.kinds[code] & BACK
        others[first - start] = plain


@leaf
def _is_any(marks: Bytes, at: np.uint64, stop: np.uint64) -> bool:
    """Whether any of marks[at:stop] is set."""
    while at + EIGHT < stop:
        if load(marks, at):
            return True
        at += EIGHT
    return bool(load_last(marks, at, stop))


@leaf
def _is_whole(data: Bytes, left: int, right: int, rules: SpacyRules) -> bool:
    """Whether data[left:right] is not taken apart."""
    words = rules.abbreviations if data[right - 1] == STOP else rules.whole
    return _is_among(data, left, right, words, _LONGEST_WHOLE)


@leaf
def _is_among(data: Bytes, first: int, stop: int, words: Hashes, longest: int) -> bool:
    """Whether data[first:stop] is one of `words`, which have at most `longest` bytes."""
    found = False
    if first < stop <= first + longest:
        value = hash_bytes(data, first, stop)
        for word in words:
            found |= word == value
    return found


@leaf
def _mark_piece(
    data: Bytes,
    left: int,
    right: int,
    start: int,
    chars: Characters,
    rules: SpacyRules,
    marks: Bytes,
) -> None:
    """Sets `marks` where a token of the piece data[left:right] begins, counted from `start`."""
    whole = _is_whole(data, left, right, rules)
    while left < right and not whole:
        marks[left - start] = 1
        front = _front(data, left, right, rules.kinds)
        whole = front > 0 and _is_whole(data, left + front, right, rules)
        back = 0 if whole else _back(data, left + front, right, chars, rules)
        if back:
            marks[right - back - start] = 1
            whole = _is_whole(data, left, right - back, rules)
            front = 0 if whole else front
        left, right = left + front, right - back
        if front + back == 0:
            break
        whole |= _is_whole(data, left, right, rules)
    if left < right:
        marks[left - start] = 1
    if not whole:
        _mark_core(data, left, right, start, chars, rules, marks)


@leaf
def _mark_core(
    data: Bytes,
    left: int,
    right: int,
    start: int,
    chars: Characters,
    rules: SpacyRules,
    marks: Bytes,
) -> None:
    """The same for what is left between the marks at both ends."""
    split = _contraction(data, left, right, rules.stems)
    if split < right:
        marks[split - start] = 1
    elif left < right:
        _mark_inside(data, left, right, start, chars, rules.kinds, marks)


@leaf
def _front(data: Bytes, left: int, right: int, kinds: Kinds) -> int:
    """The bytes of the mark at the front of data[left:right], or 0."""
    code, size = decode(data, left)
    if code == STOP:
        run = _run(data, left, right)
        return run if run > 1 else 0
    if code == PLUS:
        return 0 if left + 1 < right and _is_digit(data[left + 1]) else 1
    return size if kinds[code] & FRONT else 0


@leaf
def _run(data: Bytes, at: int, right: int) -> int:
    """How many bytes from `at` on are the same."""
    end = at + 1
    while end < right and data[end] == data[at]:
        end += 1
    return int(end - at)


@leaf
def _is_digit(byte: int) -> bool:
    return bool(0x30 <= byte <= 0x39)


@leaf
def _back(data: Bytes, left: int, right: int, chars: Characters, rules: SpacyRules) -> int:
    """The bytes of the mark, unit or `'s` at the back of data[left:right], or 0."""
    if left >= right:
        return 0
    at = _before(data, right)
    code, last = decode(data, at)[0], data[right - 1]
    after_digit = at > left and _is_digit(data[at - 1])
    if code == STOP:
        return _stop_at_back(data, left, right, chars, rules.kinds)
    if rules.kinds[code] & BACK or (after_digit and (code == PLUS or rules.kinds[code] & CURRENCY)):
        return int(right - at)
    if (last == 0x73 or last == 0x53) and at > left:
        mark = _before(data, at)
        if mark >= left and _is_apostrophe(data, mark, at):
            return int(right - mark)
    while at > left and right - at < _LONGEST_UNIT and not _is_digit(data[at - 1]):
        at -= 1
    unit = at > left and not _is_digit(data[at]) and _is_digit(data[at - 1])
    return right - at if unit and _is_among(data, at, right, rules.units, _LONGEST_UNIT) else 0


@leaf
def _before(data: Bytes, at: int) -> int:
    """Where the character before byte `at` begins."""
    at -= 1
    while data[at] & 0xC0 == 0x80:
        at -= 1
    return at


@leaf
def _is_apostrophe(data: Bytes, at: int, end: int) -> bool:
    """Whether data[at:end] is ' or ’."""
    if end - at == 1:
        return bool(data[at] == APOSTROPHE)
    return bool(end - at == 3 and decode(data, at)[0] == CURLY)


@leaf
def _stop_at_back(data: Bytes, left: int, right: int, chars: Characters, kinds: Kinds) -> int:
    """The full stops that come off: two or more, or one that is no part of an abbreviation."""
    run = 1
    while right - run > left and data[right - run - 1] == STOP:
        run += 1
    if run > 1 or right - 1 == left:
        return run if run > 1 else 0
    at = _before(data, right - 1)
    code = decode(data, at)[0]
    if _is_upper(code, chars):
        return 1 if at > left and _is_upper(decode(data, _before(data, at))[0], chars) else 0
    lower = chars.flags[code] & ALPHA or kinds[code] & BEFORE_STOP
    return 1 if lower or _is_digit(code) else 0


@leaf
def _is_upper(code: int, chars: Characters) -> bool:
    return bool(chars.kinds[code] & UPPER)


@leaf
def _contraction(data: Bytes, left: int, right: int, stems: Hashes) -> int:
    """Where `n't`, `'ll`, `'ve`, `'re`, `'d` or `'m` begins after its stem; else `right`."""
    letters = 1 if right > left and data[right - 1] in (0x64, 0x6D, 0x74) else 2
    end = right - letters
    if end <= left + 1:
        return right
    mark, last = _before(data, end), data[right - 1]
    if mark <= left or not _is_apostrophe(data, mark, end):
        return right
    if last == 0x74:
        mark -= 1 if data[mark - 1] == 0x6E else right
    elif letters == 2:
        first = data[end]
        known = (first == 0x6C and last == 0x6C) or (first in (0x76, 0x72) and last == 0x65)
        mark = mark if known else left
    return mark if _is_among(data, left, mark, stems, _LONGEST_STEM) else right


@leaf
def _mark_inside(
    data: Bytes, left: int, right: int, start: int, chars: Characters, kinds: Kinds, marks: Bytes
) -> None:
    """Sets `marks` around marks that split, unless data[left:right] is an address."""
    before, at = decode(data, left)
    at, searched = at + left, False
    while at < right:
        code, size = decode(data, at)
        length = 0
        if kinds[code] & SPLITS:
            length = _length_of_split(data, at, right, before, chars, kinds)
        if length:
            if not searched and _is_address(data, left, right):
                return
            searched = True
            marks[at - start] = 1
            if at + length < right:
                marks[at + length - start] = 1
            size = length
            code = decode(data, _before(data, at + length))[0]
        before, at = code, at + size


@leaf
def _length_of_split(
    data: Bytes, at: int, right: int, before: int, chars: Characters, kinds: Kinds
) -> int:
    """The bytes of the mark at `at` if it splits what follows the character `before`, else 0."""
    code, size = decode(data, at)
    kind = kinds[code]
    if kind & ICON or code == ELLIPSIS:
        return size
    run = _run(data, at, right) if size == 1 else size
    if code == STOP and run > 1:
        return run
    if code == DASH and at + 2 * size < right and decode(data, at + size)[0] == DASH:
        run = 2 * size
    length = run if kind & HYPHEN and code != TILDE and (code == DASH or run < 4) else size
    if at + length >= right:
        return 0
    after = decode(data, at + length)[0]
    digit, letter = _is_digit(before), chars.flags[before] & ALPHA
    splits = False
    if kind & (HYPHEN | LINK):
        splits = (digit or letter) and chars.flags[after] & ALPHA
    elif code == COMMA:
        splits = letter and chars.flags[after] & ALPHA
    elif code == STOP:
        begins = _is_upper(after, chars) or kinds[after] & QUOTE
        splits = begins and ((letter and not _is_upper(before, chars)) or kinds[before] & QUOTE)
    if splits:
        return length
    if digit and code in (PLUS, MINUS, STAR, CARET):
        following = data[at + 1]
        return 1 if _is_digit(following) or following == MINUS else 0
    return 0


@leaf
def _is_address(data: Bytes, left: int, right: int) -> bool:
    """Whether data[left:right] is `[scheme://][user@]host.name[:port][/path]`."""
    host = left
    for at in range(right - 3, left + 1, -1):
        if data[at] == COLON and data[at + 1] == SLASH and data[at + 2] == SLASH:
            host = at + 3
    user = host
    for at in range(host, right):
        if data[at] == AT:
            user = at + 1
    return _begins_with_host(data, host, right) or (
        user > host and _begins_with_host(data, user, right)
    )


@leaf
def _begins_with_host(data: Bytes, left: int, right: int) -> bool:
    """Whether data[left:right] is a host name, alone or before a port, a path or a query."""
    at, label, lower, dots = left, 0, 0, 0  # bytes of the last label, and of its lower-case letters
    while at < right:
        byte = data[at]
        if byte == STOP:
            if label == 0:
                return False
            dots, label, lower = dots + 1, 0, 0
        elif byte >= 0x61 and byte <= 0x7A:
            label, lower = label + 1, lower + 1
        elif _is_digit(byte) or (0x41 <= byte <= 0x5A) or byte in (MINUS, 0x5F) or byte >= 0x80:
            label += 1
        else:
            break
        at += 1
    if dots == 0 or lower < 2 or lower < label:
        return False
    return bool(at == right or data[at] in (SLASH, 0x3F, HASH, COLON))


@leaf
def _write(
    data: Bytes,
    first: int,
    stop: int,
    start: int,
    chars: Characters,
    kinds: Kinds,
    out: Tokens,
    count: int,
) -> int:
    """Appends the tokens of data[first:stop], which begin where `out.runs` is set."""
    at = first
    while at < stop:
        end = at + 1
        while end < stop and not out.runs[end - start]:
            end += 1
        out.start[count], out.stop[count] = at, end
        out.chars[count], out.hash[count] = count_chars(data, at, end), hash_bytes(data, at, end)
        flags = PIECE if at == first else 0
        place = at
        while place < end:
            code, size = decode(data, place)
            flags |= int(chars.flags[code]) & ALPHA
            flags |= 0 if kinds[code] & SYMBOL else WORD
            place += size
        out.flags[count] = flags
        at, count = end, count + 1
    return count
