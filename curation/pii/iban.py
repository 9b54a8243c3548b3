"""International Bank Account Numbers (ISO 13616): a country's length, and a remainder of 1.

In capitals, in one run or in groups of four with single spaces.
"""

from __future__ import annotations

import numpy as np

from curation.jit import leaf
from curation.pii.chars import ALNUM, BYTES, DIGIT, SPACE, UNDERSCORE, UPPER
from curation.text import Bytes

# SWIFT, IBAN Registry, release 101; territories of France and of the Crown bear FR and GB.
_LENGTHS = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
LENGTHS = np.zeros(26 * 26, np.int64)
for _length, _countries in _LENGTHS.items():
    for _country in _countries.split():
        LENGTHS[26 * (ord(_country[0]) - 65) + ord(_country[1]) - 65] = _length


@leaf
def find_iban(data: Bytes, at: int, floor: int, end: int) -> tuple[int, int]:
    """(start, end) of the number whose check digits begin at `at`, (0, 0) if there is none."""
    start = at - 2
    if start < floor or not BYTES[data[start]] & BYTES[data[start + 1]] & UPPER:
        return 0, 0
    if start > floor and (BYTES[data[start - 1]] & ALNUM or data[start - 1] == UNDERSCORE):
        return 0, 0
    length = LENGTHS[26 * (int(data[start]) - 65) + int(data[start + 1]) - 65]
    if not length:
        return 0, 0
    stop = _end(data, start, end, length)
    if stop == 0 or (stop < end and BYTES[data[stop]] & ALNUM):
        return 0, 0
    return (start, stop) if _remainder(data, start, stop) == 1 else (0, 0)


@leaf
def _end(data: Bytes, start: int, end: int, length: int) -> int:
    """Where `length` capitals and digits from `start` on end, 0 if there are not so many."""
    at, size = start, 0
    spaced = start + 4 < end and data[start + 4] == SPACE
    while size < length:
        if spaced and size % 4 == 0 and size > 0:
            if at >= end or data[at] != SPACE:
                return 0
            at += 1
        if at >= end or not BYTES[data[at]] & (UPPER | DIGIT):
            return 0
        if size in (2, 3) and not BYTES[data[at]] & DIGIT:
            return 0
        at, size = at + 1, size + 1
    return at


@leaf
def _remainder(data: Bytes, start: int, stop: int) -> int:
    """ISO 7064, MOD 97-10, of the account first, then country and check digits; A is 10."""
    value = 0
    for part in range(2):
        first, last = (start + 4, stop) if part == 0 else (start, start + 4)
        for at in range(first, last):
            byte = int(data[at])
            if BYTES[byte] & DIGIT:
                value = (10 * value + byte - 0x30) % 97
            elif BYTES[byte] & UPPER:
                value = (100 * value + byte - 55) % 97
    return value
