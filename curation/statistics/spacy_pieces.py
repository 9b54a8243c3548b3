"""How spaCy's rules for English take a piece apart.

Marks come off both ends, each a token of its own (a run of full stops is one); what is left splits
at few marks only (`and|-|so`, `x|=|y`, `One|.|Two`, but not `1/2`, `f(x`, `@me`), and not at all if
it is an address with a host name. `do|n't` and `5|km` split; an abbreviation keeps its full stop.
"""

from __future__ import annotations

from curation.jit import leaf
from curation.statistics.spacy_rules import (
    BACK,
    BEFORE_STOP,
    CAPITAL,
    CURRENCY,
    FRONT,
    HYPHEN,
    ICON,
    LETTER,
    LINK,
    LONGEST,
    QUOTE,
    SPLITS,
    Kinds,
    SpacyRules,
)
from curation.text import Bytes, Hashes, decode, hash_bytes

APOSTROPHE, STOP, COMMA, PLUS, MINUS, STAR, CARET, COLON, SLASH, AT = map(ord, "'.,+-*^:/@")
CURLY, DASH, TILDE, ELLIPSIS, LOW_LINE, QUESTION, NUMBER = map(ord, "’—~…_?#")
D, E, L, M, N, R, S, CAPITAL_S, T, V = map(ord, "delmnrsStv")


@leaf
def mark_piece(
    data: Bytes, left: int, right: int, start: int, rules: SpacyRules, marks: Bytes
) -> None:
    """Sets `marks` where a token of the piece data[left:right] begins, counted from `start`."""
    whole = is_whole(data, left, right, rules.abbreviations, rules.whole)
    while left < right and not whole:
        marks[left - start] = 1
        front = _front(data, left, right, rules.kinds)
        whole = front > 0 and is_whole(data, left + front, right, rules.abbreviations, rules.whole)
        back = 0 if whole else _back(data, left + front, right, rules.kinds, rules.units)
        if back:
            marks[right - back - start] = 1
            whole = is_whole(data, left, right - back, rules.abbreviations, rules.whole)
            front = 0 if whole else front
        left, right = left + front, right - back
        if front + back == 0:
            break
        whole |= is_whole(data, left, right, rules.abbreviations, rules.whole)
    if left < right:
        marks[left - start] = 1
        if not whole:
            _mark_core(data, left, right, start, rules, marks)


@leaf
def is_whole(data: Bytes, left: int, right: int, abbreviations: Hashes, others: Hashes) -> bool:
    """Whether data[left:right] is not taken apart."""
    return _is_among(data, left, right, abbreviations if data[right - 1] == STOP else others)


@leaf
def _is_among(data: Bytes, left: int, right: int, words: Hashes) -> bool:
    found = False
    if left < right <= left + LONGEST:
        value = hash_bytes(data, left, right)
        for word in words:
            found |= word == value
    return found


@leaf
def is_digit(code: int) -> bool:
    """Whether it is one of ASCII's."""
    return bool(0x30 <= code <= 0x39)


@leaf
def _before(data: Bytes, at: int) -> int:
    """Where the character before byte `at` begins."""
    at -= 1
    while data[at] & 0xC0 == 0x80:
        at -= 1
    return at


@leaf
def _stops(data: Bytes, at: int, right: int) -> int:
    """The full stops from `at` on."""
    end = at
    while end < right and data[end] == STOP:
        end += 1
    return int(end - at)


@leaf
def _front(data: Bytes, left: int, right: int, kinds: Kinds) -> int:
    """The bytes of the mark at the front of data[left:right], or 0."""
    code, size = decode(data, left)
    if code == STOP:
        stops = _stops(data, left, right)
        return stops if stops > 1 else 0
    if code == PLUS:
        return 0 if left + 1 < right and is_digit(data[left + 1]) else 1
    return size if kinds[code] & FRONT else 0


@leaf
def _back(data: Bytes, left: int, right: int, kinds: Kinds, units: Hashes) -> int:
    """The bytes of the mark, unit or `'s` at the back of data[left:right], or 0."""
    if left >= right:
        return 0
    at = _before(data, right)
    code = decode(data, at)[0]
    kind, after_digit = kinds[code], at > left and is_digit(data[at - 1])
    if code == STOP:
        return _stops_at_back(data, left, right, kinds)
    if kind & BACK or (after_digit and (code == PLUS or kind & CURRENCY)):
        return int(right - at)
    if code in (S, CAPITAL_S):
        mark = _apostrophe_before(data, left, at)
        if mark < at:
            return int(right - mark)
    while at > left and right - at < LONGEST and not is_digit(data[at - 1]):
        at -= 1
    number = at > left and is_digit(data[at - 1])
    return right - at if number and _is_among(data, at, right, units) else 0


@leaf
def _stops_at_back(data: Bytes, left: int, right: int, kinds: Kinds) -> int:
    """The full stops that come off: two or more, or one that is no part of an abbreviation."""
    at = right - 1
    while at > left and data[at - 1] == STOP:
        at -= 1
    if right - at > 1 or at == left:
        return right - at if right - at > 1 else 0
    last = _before(data, at)
    code = decode(data, last)[0]
    if kinds[code] & CAPITAL:
        return 1 if last > left and kinds[decode(data, _before(data, last))[0]] & CAPITAL else 0
    return 1 if kinds[code] & (LETTER | BEFORE_STOP) or is_digit(code) else 0


@leaf
def _apostrophe_before(data: Bytes, left: int, at: int) -> int:
    """Where ' or ’ begins if it stands before byte `at`, and not before `left`; else `at`."""
    if at <= left:
        return at
    mark = _before(data, at)
    code = decode(data, mark)[0]
    return mark if mark >= left and code in (APOSTROPHE, CURLY) else at


@leaf
def _mark_core(
    data: Bytes, left: int, right: int, start: int, rules: SpacyRules, marks: Bytes
) -> None:
    """Sets `marks` in what is left between the marks at both ends."""
    split = _contraction(data, left, right, rules.stems)
    if _is_among(data, left, right, rules.two_words):
        split = left + 3
    if split < right:
        marks[split - start] = 1
    else:
        _mark_inside(data, left, right, start, rules.kinds, marks)


@leaf
def _contraction(data: Bytes, left: int, right: int, stems: Hashes) -> int:
    """Where `n't`, `'ll`, `'ve`, `'re`, `'d` or `'m` begins after its stem; else `right`."""
    last = data[right - 1]
    end = right - (1 if last in (D, M, T) else 2)
    split = _apostrophe_before(data, left, end)
    if split >= end:
        return right
    if last == T:
        split -= 1
        known = split > left and data[split] == N
    else:
        first = data[end]
        known = last in (D, M) or (first == L and last == L) or (first in (R, V) and last == E)
    return split if known and _is_among(data, left, split, stems) else right


@leaf
def _mark_inside(
    data: Bytes, left: int, right: int, start: int, kinds: Kinds, marks: Bytes
) -> None:
    """Sets `marks` around marks that split, unless data[left:right] is an address."""
    before, size = decode(data, left)
    at, searched = left + size, False
    while at < right:
        code, size = decode(data, at)
        split = 0
        if kinds[code] & SPLITS:
            split = _length_of_split(data, at, right, before, kinds)
        if split:
            if not searched and _is_address(data, left, right):
                return
            searched, size = True, split
            marks[at - start] = 1
            if at + size < right:
                marks[at + size - start] = 1
        before, at = code, at + size


@leaf
def _length_of_split(data: Bytes, at: int, right: int, before: int, kinds: Kinds) -> int:
    """The bytes of the mark at `at` if it splits what follows the character `before`, else 0."""
    code, size = decode(data, at)
    stops = _stops(data, at, right)
    if kinds[code] & ICON or code == ELLIPSIS or stops > 1:
        return max(size, stops)
    size = _length_of_hyphen(data, at, right) if kinds[code] & HYPHEN else size
    if at + size >= right:
        return 0
    after = decode(data, at + size)[0]
    letter, letter_after = kinds[before] & LETTER, kinds[after] & LETTER
    if kinds[code] & (HYPHEN | LINK):
        splits = letter_after and (letter or is_digit(before))
    elif code == STOP:
        ends = kinds[before] & (LETTER | CAPITAL) == LETTER or kinds[before] & QUOTE
        splits = ends and kinds[after] & (CAPITAL | QUOTE)
    else:
        splits = code == COMMA and letter and letter_after
    if not splits and is_digit(before) and code in (PLUS, MINUS, STAR, CARET):
        return 1 if is_digit(data[at + 1]) or data[at + 1] == MINUS else 0
    return size if splits else 0


@leaf
def _length_of_hyphen(data: Bytes, at: int, right: int) -> int:
    """The bytes of -, --, ---, –, —, —— or ~ at `at`."""
    code, size = decode(data, at)
    most = 3 if code == MINUS else 2 if code == DASH else 1
    end = at + size
    while end < min(right, at + most * size) and decode(data, end)[0] == code:
        end += size
    return int(end - at)


@leaf
def _is_address(data: Bytes, left: int, right: int) -> bool:
    """Whether data[left:right] is `[scheme://][user@]host.name[:port][/path]`."""
    host = left
    for at in range(right - 3, left + 1, -1):
        if data[at] == COLON and data[at + 1] == SLASH and data[at + 2] == SLASH:
            host = at + 3
    user = host
    for at in range(host, right):
        user = at + 1 if data[at] == AT else user
    return _begins_with_host(data, host, right) or (
        user > host and _begins_with_host(data, user, right)
    )


@leaf
def _begins_with_host(data: Bytes, at: int, right: int) -> bool:
    """Whether data[at:right] is a host name, alone or before a port, a path or a query."""
    dots, label, lower = 0, 0, 0  # bytes of the last label, and of its lower-case letters
    while at < right:
        code = data[at] | 0x20
        if data[at] == STOP:
            if label == 0:
                return False
            dots, label, lower = dots + 1, 0, 0
        elif 0x61 <= code <= 0x7A or is_digit(data[at]) or code >= 0x80:
            label, lower = label + 1, lower + (1 if 0x61 <= data[at] <= 0x7A else 0)
        elif data[at] in (MINUS, LOW_LINE):
            label += 1
        else:
            break
        at += 1
    ends = at == right or data[at] in (SLASH, QUESTION, NUMBER, COLON)
    return bool(ends and dots and lower > 1 and lower == label)
