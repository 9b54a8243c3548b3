"""International telephone numbers: the country codes of E.164 and the digits behind each."""

from __future__ import annotations

import numpy as np

from curation.jit import leaf
from curation.pii.chars import holds
from curation.pii.groups import COUNT, SEPARATOR, START, WIDE
from curation.text import Bytes, Offsets

# ITU-T E.164, list of assigned codes; lengths of fixed-line and mobile numbers in the national
# numbering plans (https://www.itu.int/oth/T0202.aspx, as gathered in libphonenumber 9.0).
_LENGTHS = {
    (5, 7): "247 290 500 676 677 678 682 683 688 690",
    (5, 10): "358 685 686",
    (6, 7): "298 299 597 672 681 687",
    (6, 9): "40 252 359 376 421 508",
    (6, 10): "53 63 95 98 880",
    (6, 12): "39 43 49 352",
    (7, 7): "238 239 246 248 269 291 297 501 592 673 674 679 680 691 692 960",
    (7, 8): "230 241 267 372 507 599 670 675 961 975",
    (7, 9): "46 48 220 231 254 265 354 423 595 967",
    (7, 11): "62 86 243 353 381 882",
    (8, 8): """45 47 65 216 222 223 226 227 228 232 235 236 253 257 266 268 350 356 357 370 371 373
        374 382 386 389 502 503 504 505 506 509 591 598 689 800 808 852 853 965 968 973 974 993""",
    (8, 9): "27 32 36 51 66 213 224 250 258 264 355 377 385 387 593 855 886 962 963 970 971",
    (8, 10): "20 57 60 64 82 378 850 856 964 972 976 977",
    (8, 12): "383 883",
    (9, 9): """33 34 41 56 61 93 94 211 212 218 221 233 237 240 242 244 245 249 251 255 256 260 261
        262 263 351 375 380 420 590 594 596 966 979 992 994 995 996 998""",
    (9, 11): "31 44 81 84 92 870 881",
    (10, 10): "1 7 30 58 90 91 225 229 234",
    (10, 12): "52 54 55 878 888",
}

NATIONAL = np.zeros((1000, 2), np.int64)  # (fewest, most) digits behind a code; 0 if unassigned
for _bounds, _codes in _LENGTHS.items():
    NATIONAL[[int(code) for code in _codes.split()]] = _bounds

# Plans in which a number keeps its first 0 behind the country code.
KEEPS_ZERO = np.array([39, 225, 241, 242, 378], np.int64)
ZERO, TWO = 0x30, 0x32


@leaf
def _digit(data: Bytes, groups: Offsets, n: int, index: int) -> int:
    """The digit of that index over all groups, as a byte; 0 beyond the last."""
    for i in range(n):
        if index < groups[i, COUNT]:
            return int(data[groups[i, START] + index])
        index -= groups[i, COUNT]
    return 0


@leaf
def international(data: Bytes, groups: Offsets, n: int, skip: int) -> int:
    """The last group of a number with a country code behind `skip` digits, -1 if it is none."""
    code, size = _country(data, groups, n, skip)
    if size == 0 or (skip and n == 1):
        return -1
    prefix = skip + size
    if _digit(data, groups, n, prefix) == ZERO and not holds(KEEPS_ZERO, code):
        prefix += 1
    first = _digit(data, groups, n, prefix)
    if first == ZERO and not holds(KEEPS_ZERO, code):
        return -1
    if code == 1 and (first < TWO or _digit(data, groups, n, prefix + 3) < TWO):
        return -1
    found, digits = -1, -prefix
    for i in range(n):
        digits += groups[i, COUNT]
        if groups[i, SEPARATOR] == WIDE or (i > 2 and groups[i, COUNT] == 1):
            break
        if NATIONAL[code, 0] <= digits <= NATIONAL[code, 1]:
            found = i
    return found


@leaf
def _country(data: Bytes, groups: Offsets, n: int, skip: int) -> tuple[int, int]:
    """(country code, its digits) behind `skip` digits; no code is the beginning of another."""
    code = 0
    for size in range(1, 4):
        code = 10 * code + _digit(data, groups, n, skip + size - 1) - ZERO
        if code <= 0:
            break
        if NATIONAL[code, 0]:
            return code, size
    return 0, 0
