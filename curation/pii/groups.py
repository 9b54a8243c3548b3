"""Groups of digits, what stands between them, and where a number of them begins and ends."""

from __future__ import annotations

from curation.jit import leaf
from curation.pii.chars import (
    ALNUM,
    AT,
    BYTES,
    CLOSE,
    COLON,
    DASH,
    DIGIT,
    DOT,
    LETTER,
    NEWLINE,
    OPEN,
    PLUS,
    SLASH,
    SPACE,
    UNDERSCORE,
)
from curation.text import Bytes, Offsets

# Columns of a row of groups, and the separators of its last column.
COUNT, START, STOP, SEPARATOR = 0, 1, 2, 3
MAX_GROUPS = 8
NONE, SPACED, DASHED, DOTTED, SLASHED, CLOSED, OPENED, WIDE = range(8)  # WIDE: " - "

COMMA, DOLLAR, PERCENT, BACKSLASH = 0x2C, 0x24, 0x25, 0x5C


@leaf
def read_groups(data: Bytes, at: int, end: int, groups: Offsets) -> int:
    """Fills `groups` from the digit at `at` on and returns how many there are, at most 8.

    A row is (digits, start, stop, what separates it from the group before).
    """
    n, separator = 0, NONE
    while n < len(groups):
        start = at
        while at < end and BYTES[data[at]] & DIGIT:
            at += 1
        groups[n, COUNT], groups[n, START] = at - start, start
        groups[n, STOP], groups[n, SEPARATOR] = at, separator
        n += 1
        separator, at = _read_separator(data, at, end)
        if separator == NONE:
            break
    return n


@leaf
def _read_separator(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """(kind, where the next group begins): one mark, a space, or brackets and what is with them.

    NONE where no digit follows.
    """
    kind = NONE
    if at < end and data[at] == CLOSE:
        kind, at = CLOSED, at + 1
        at += 1 if at < end and data[at] == NEWLINE else 0
    before = _space(data, at, end)
    mark, size = _mark(data, at + before, end)
    after = _space(data, at + before + size, end) if size else 0
    if size and before == 0 and after == 0:
        kind, at = mark, at + size
    elif size and before and after and mark == DASHED:
        kind, at = WIDE, at + before + size + after
    elif before:
        kind, at = max(kind, SPACED), at + before
    if at < end and data[at] == OPEN:
        kind, at = OPENED, at + 1
    return (kind, at) if at < end and BYTES[data[at]] & DIGIT else (NONE, at)


@leaf
def _space(data: Bytes, at: int, end: int) -> int:
    """The bytes of the space at `at`, of those that stand in numbers; 0 if there is none."""
    if at < end and data[at] == SPACE:
        return 1
    if at + 1 < end and data[at] == 0xC2 and data[at + 1] == 0xA0:  # no-break space
        return 2
    if at + 2 < end and data[at] == 0xE2 and data[at + 1] == 0x80 and data[at + 2] in (0x89, 0xAF):
        return 3  # thin space, narrow no-break space
    return 0


@leaf
def _mark(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """(kind, bytes) of the dash, dot or slash at `at`; (NONE, 0) if there is none."""
    if at >= end:
        return NONE, 0
    if data[at] == DASH:
        return DASHED, 1
    if data[at] == DOT:
        return DOTTED, 1
    if data[at] == SLASH:
        return SLASHED, 1
    if at + 2 < end and data[at] == 0xE2 and data[at + 1] == 0x80 and 0x90 <= data[at + 2] <= 0x93:
        return DASHED, 3  # hyphen, no-break hyphen, figure dash, en dash
    return NONE, 0


@leaf
def opens(data: Bytes, at: int, floor: int) -> bool:
    """Whether a number of its own may begin at `at`: not inside a word, number, code or price."""
    if at == floor:
        return True
    before = data[at - 1]
    if data[at] in (OPEN, PLUS) and BYTES[before] & LETTER:  # Fax(415) 555-0100, Tel+49
        return at - 2 >= floor and BYTES[data[at - 2]] & LETTER != 0  # but not f(415), 1e+49
    if BYTES[before] & ALNUM or before in (UNDERSCORE, PLUS, DOLLAR, PERCENT, BACKSLASH):
        return False
    wide = at - 1 == floor
    if before in (DASH, SLASH):
        return wide or not BYTES[data[at - 2]] & ALNUM
    if before in (DOT, COMMA, COLON):
        return wide or not BYTES[data[at - 2]] & DIGIT
    return not _is_currency(data, at, floor)


@leaf
def _is_currency(data: Bytes, at: int, floor: int) -> bool:
    """Whether a pound, yen or euro sign stands before `at`."""
    if at - 2 >= floor and data[at - 2] == 0xC2:
        return data[at - 1] in (0xA3, 0xA5)
    return (
        at - 3 >= floor and data[at - 3] == 0xE2 and data[at - 2] == 0x82 and data[at - 1] == 0xAC
    )


@leaf
def closes(data: Bytes, at: int, end: int) -> bool:
    """Whether a number may end at `at`: no letter, digit or decimal goes on there."""
    if at == end:
        return True
    after = data[at]
    if BYTES[after] & ALNUM or after in (UNDERSCORE, AT, PERCENT):
        return False
    if after in (DOT, DASH, COLON):
        return at + 1 == end or not BYTES[data[at + 1]] & DIGIT
    return True


@leaf
def is_crowded(data: Bytes, start: int, stop: int, floor: int, end: int) -> bool:
    """Whether other numbers stand beside data[start:stop] behind one space, as in a table."""
    if stop + 1 < end and data[stop] == SPACE and BYTES[data[stop + 1]] & DIGIT:
        return True
    at = start - 2
    if at < floor or data[start - 1] != SPACE:
        return False
    while at >= floor and BYTES[data[at]] & LETTER:
        at -= 1
    return at >= floor and BYTES[data[at]] & DIGIT != 0
