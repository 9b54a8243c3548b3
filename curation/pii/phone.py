"""Telephone numbers, told by their shape, and where that is not enough by a word before them.

* International: `+` or `00`, an assigned country code, as many digits as its plan has (E.164).
* North American (NANP): area and exchange code begin with 2 to 9, groups of 3, 3 and 4.
* With a trunk 0, in groups usual in Europe, Australia, Japan and Korea.
* Other shapes of 7 to 13 digits, and runs without a separator, behind a word such as `Tel.`.

Seven digits alone, ten without a separator, and letters (`1-800-FLOWERS`) are not found without
such a word. Dates, ISBNs, ZIP+4 codes, sums and decimals have other shapes.
"""

from __future__ import annotations

import numpy as np

from curation.jit import leaf
from curation.pii.chars import BYTES, CLOSE, DASH, DIGIT, LETTER, OPEN, PLUS, holds
from curation.pii.cues import words_to_phone
from curation.pii.dialling import international
from curation.pii.groups import (
    CLOSED,
    COUNT,
    DASHED,
    DOTTED,
    OPENED,
    SEPARATOR,
    SLASHED,
    SPACED,
    START,
    STOP,
    WIDE,
    closes,
    is_crowded,
)
from curation.text import Bytes, Offsets

ZERO, ONE, TWO, LETTER_X = 0x30, 0x31, 0x32, 0x78

# Numbers with a trunk 0: digits per group, and the one separator that they may have.
TRUNK = np.array(
    [
        8 * int(shape, 16) + separator
        for separator, shapes in (
            (SPACED, "22222 244 344 434 433 533 56 3322 2322 3222 4222 28 37 38 46 47 48"),
            (DASHED, "22222 244 344 334 434 433 28 37 38 47 48"),
            (DOTTED, "22222 344 434 3322"),
        )
        for shape in shapes.split()
    ],
    np.int64,
)
MIN_CUED, MAX_CUED = 7, 13  # digits of a number told by a word before it
NO_PHONES = (0x224, 0x124, 0x214, 0x114, 0x54)  # digits per group of dates and ZIP+4 codes
MIN_TRUNK, MAX_TRUNK = 9, 12  # digits of a number with a trunk 0


@leaf
def find_phone(
    data: Bytes, at: int, floor: int, end: int, groups: Offsets, n: int
) -> tuple[int, int]:
    """(start, end) of the number whose `n` groups follow `at`, (0, 0) if it is none.

    `at` is its first digit, or the `+` or `(` before that.
    """
    if data[at] == PLUS:
        last = international(data, groups, n, 0)
    elif groups[0, COUNT] > 1 and _pair(data, groups, 0) == 0:
        last = international(data, groups, n, 2)
        if last > 0 and groups[1, SEPARATOR] != OPENED and not words_to_phone(data, at, floor):
            last = -1
    else:
        last = _american(data, at, floor, end, groups, n)
        if last < 0:
            last = _trunk(data, at, floor, end, groups, n)
        if last < 0:
            last = _cued(data, at, floor, end, groups, n)
    if last < 0 or not _ends(data, groups[last, STOP], end):
        return 0, 0
    stop = int(groups[last, STOP])
    return _start(data, at, floor, stop), stop


@leaf
def _start(data: Bytes, at: int, floor: int, stop: int) -> int:
    """Where the number that begins at `at` begins with its bracket, if that is closed in it."""
    first = at + 1 if data[at] == OPEN else at
    depth, lowest = 0, 0
    for here in range(first, stop):
        depth += (data[here] == OPEN) - (data[here] == CLOSE)
        lowest = min(lowest, depth)
    if lowest < 0 and first > floor and data[first - 1] == OPEN:
        first -= 1
    return first


@leaf
def _ends(data: Bytes, at: int, end: int) -> bool:
    """Whether a number may end at `at`; `x12` is an extension."""
    if at + 1 < end and data[at] | 0x20 == LETTER_X and BYTES[data[at + 1]] & DIGIT:
        return True
    return closes(data, at, end)


@leaf
def _american(data: Bytes, at: int, floor: int, end: int, groups: Offsets, n: int) -> int:
    """The last group of a NANP number, with or without its 1; -1 if it is none."""
    i = 1 if groups[0, COUNT] == 1 and data[groups[0, START]] == ONE else 0
    if n < i + 2 or groups[i, COUNT] != 3 or data[groups[i, START]] < TWO:
        return -1
    if data[groups[i, START] + 1] == ONE and data[groups[i, START] + 2] == ONE:  # 911 and the like
        return -1
    if data[groups[i + 1, START]] < TWO:
        return -1
    left = groups[i + 1, SEPARATOR]
    if groups[i + 1, COUNT] == 7 and left == CLOSED:
        return i + 1
    if n < i + 3 or groups[i + 1, COUNT] != 3 or groups[i + 2, COUNT] != 4:
        return -1
    right = groups[i + 2, SEPARATOR]
    follows = groups[i + 3, SEPARATOR] if n > i + 3 else 0
    if follows in (DASHED, DOTTED) or left in (WIDE, OPENED) or right in (WIDE, OPENED, CLOSED):
        return -1
    if left == DASHED and right == SPACED and _pair(data, groups, i + 2) in (19, 20):
        return -1  # pages and year: 259-264 1970
    if left == SPACED and right == SPACED and data[at] != OPEN:
        crowded = is_crowded(data, at, groups[i + 2, STOP], floor, end)
        return i + 2 if not crowded or words_to_phone(data, at, floor) else -1
    return i + 2


@leaf
def _trunk(data: Bytes, at: int, floor: int, end: int, groups: Offsets, n: int) -> int:
    """The last group of a number that begins with one 0, -1 if it is none."""
    if data[groups[0, START]] != ZERO or groups[0, COUNT] < 2 or n < 2:
        return -1
    digits, shape, found = groups[0, COUNT], groups[0, COUNT], -1
    separator, uniform = groups[1, SEPARATOR], True
    for i in range(1, n):
        uniform &= groups[i, SEPARATOR] == separator
        digits, shape = digits + groups[i, COUNT], shape * 16 + groups[i, COUNT]
        if digits > MAX_TRUNK or groups[i, SEPARATOR] in (WIDE, OPENED):
            break
        area = separator == CLOSED or (separator == SLASHED and groups[0, COUNT] > 2)
        if digits >= MIN_TRUNK and (area or (uniform and holds(TRUNK, 8 * shape + separator))):
            found = i
    if found == 4 and separator != CLOSED and _counts_up(data, groups):
        return -1
    if found > 0 and separator == SPACED:
        crowded = is_crowded(data, at, groups[found, STOP], floor, end)
        return found if not crowded or words_to_phone(data, at, floor) else -1
    return found


@leaf
def _counts_up(data: Bytes, groups: Offsets) -> bool:
    """Whether each of five pairs is one more than the one before, as in 01 02 03 04 05."""
    steady = True
    for i in range(1, 5):
        steady &= _pair(data, groups, i) - _pair(data, groups, i - 1) == 1
    return steady


@leaf
def _pair(data: Bytes, groups: Offsets, i: int) -> int:
    """The value of the first two digits of a group."""
    at = groups[i, START]
    return 10 * (int(data[at]) - ZERO) + int(data[at + 1]) - ZERO


@leaf
def _cued(data: Bytes, at: int, floor: int, end: int, groups: Offsets, n: int) -> int:
    """The last group of a number behind a word about telephones, -1 if it is none."""
    last = _cued_groups(data, groups, n)
    if last < 0:
        return -1
    stop = groups[last, STOP]
    if stop + 1 < end and data[stop] == DASH and BYTES[data[stop + 1]] & LETTER:  # 1-800-565-EXIM
        return -1
    long = data[groups[0, START]] == ZERO or groups[0, COUNT] >= 10
    reach = 3 if last or long else 1  # words
    return last if 0 < words_to_phone(data, at, floor) <= reach else -1


@leaf
def _cued_groups(data: Bytes, groups: Offsets, n: int) -> int:
    """The last of the groups of 7 to 13 digits that may be a number; -1 if there is none.

    They are no date, decimal or ZIP+4 code.
    """
    if groups[0, COUNT] > 1 and _pair(data, groups, 0) in (0, 19, 20) and groups[0, COUNT] < 5:
        return -1  # a serial number; a year
    digits, shape, found = 0, 0, -1
    for i in range(n):
        digits, shape = digits + groups[i, COUNT], shape * 16 + groups[i, COUNT]
        strange = groups[i, SEPARATOR] == WIDE or (i > 0 and groups[i, COUNT] == 1)
        strange |= i > 1 and groups[i, SEPARATOR] == OPENED
        other = data[groups[0, START]] != ZERO and i > 1 and _changes(groups, i)
        if digits > MAX_CUED or strange or other:
            break
        decimal = i == 1 and groups[1, SEPARATOR] == DOTTED
        if digits >= MIN_CUED and shape not in NO_PHONES and not decimal:
            found = i
    return found


@leaf
def _changes(groups: Offsets, i: int) -> bool:
    """Whether a number with dashes or dots goes on in another way: that is another number."""
    before, here = groups[i - 1, SEPARATOR], groups[i, SEPARATOR]
    return before in (DASHED, DOTTED) and here in (SPACED, SLASHED)
