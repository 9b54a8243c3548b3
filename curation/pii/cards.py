"""Payment card numbers: 13 to 19 digits, an issuer's prefix (ISO/IEC 7812), the Luhn digit.

In one run, or in the groups that stand on cards, with spaces or dashes and no other number beside
them. A number whose Luhn digit happens to fit, one in ten of those with a prefix and length in use,
cannot be told from a card. Visa's old numbers of 13 digits are not found: EANs look alike.
"""

from __future__ import annotations

import numpy as np

from curation.jit import leaf
from curation.pii.chars import holds
from curation.pii.groups import COUNT, DASHED, SEPARATOR, SPACED, START, STOP, closes, is_crowded
from curation.text import Bytes, Offsets

# First and last six digits of a range, shortest and longest number:
# https://en.wikipedia.org/wiki/Payment_card_number (Issuer identification number), 2024, without
# the longer numbers that ISO/IEC 7812 leaves room for and networks hardly issue.
ISSUERS = np.array(
    [
        (400000, 499999, 16, 16),  # Visa
        (400000, 499999, 19, 19),  # Visa
        (510000, 559999, 16, 16),  # Mastercard
        (222100, 272099, 16, 16),  # Mastercard
        (340000, 349999, 15, 15),  # American Express
        (370000, 379999, 15, 15),  # American Express
        (601100, 601199, 16, 16),  # Discover
        (644000, 659999, 16, 16),  # Discover
        (352800, 358999, 16, 16),  # JCB
        (300000, 305999, 14, 14),  # Diners Club
        (309500, 309599, 14, 14),  # Diners Club
        (360000, 369999, 14, 14),  # Diners Club
        (380000, 399999, 14, 14),  # Diners Club
        (620000, 629999, 16, 16),  # UnionPay
        (620000, 629999, 19, 19),  # UnionPay
        (501800, 501899, 13, 19),  # Maestro
        (502000, 502099, 13, 19),  # Maestro
        (503800, 503899, 13, 19),  # Maestro
        (589300, 589399, 13, 19),  # Maestro
        (630400, 630499, 13, 19),  # Maestro
        (675900, 675999, 13, 19),  # Maestro
        (676100, 676399, 13, 19),  # Maestro
        (220000, 220499, 16, 19),  # Mir
    ],
    np.int64,
)
SHAPES = np.array([0x4444, 0x465, 0x464, 0x44443, 0x4333], np.int64)  # digits per group


@leaf
def find_card(data: Bytes, floor: int, end: int, groups: Offsets, n: int) -> tuple[int, int]:
    """(start, end) of the card number that `n` groups are, (0, 0) if they are none."""
    last = _last_group(groups, n)
    if last < 0 or not closes(data, groups[last, STOP], end):
        return 0, 0
    if last and is_crowded(data, groups[0, START], groups[last, STOP], floor, end):
        return 0, 0
    size, prefix = 0, 0
    for i in range(last + 1):
        for at in range(groups[i, START], groups[i, STOP]):
            size += 1
            if size <= 6:
                prefix = 10 * prefix + data[at] - 0x30
    if not _is_issued(prefix, size) or not _luhn(data, groups, last):
        return 0, 0
    return groups[0, START], groups[last, STOP]


@leaf
def _last_group(groups: Offsets, n: int) -> int:
    """The last group of a run of 13 to 19 digits, or of a card's groups; -1 if it is neither."""
    if 13 <= groups[0, COUNT] <= 19:
        return 0
    separator = groups[1, SEPARATOR] if n > 1 else 0
    if separator not in (SPACED, DASHED):
        return -1
    found, shape = -1, groups[0, COUNT]
    for i in range(1, min(n, 5)):
        if groups[i, SEPARATOR] != separator:
            break
        shape = shape * 16 + groups[i, COUNT]
        found = i if holds(SHAPES, shape) else found
    return found


@leaf
def _is_issued(prefix: int, size: int) -> bool:
    for i in range(len(ISSUERS)):
        if ISSUERS[i, 0] <= prefix <= ISSUERS[i, 1] and ISSUERS[i, 2] <= size <= ISSUERS[i, 3]:
            return True
    return False


@leaf
def _luhn(data: Bytes, groups: Offsets, last: int) -> bool:
    """Whether the sum, with every second digit from the right doubled, is divisible by 10."""
    total, double = 0, False
    for i in range(last, -1, -1):
        for at in range(groups[i, STOP] - 1, groups[i, START] - 1, -1):
            digit = int(data[at]) - 0x30
            if double:
                digit = 2 * digit - (9 if digit > 4 else 0)
            total, double = total + digit, not double
    return total % 10 == 0
