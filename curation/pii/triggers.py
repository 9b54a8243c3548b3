"""Where the scan stops: at bytes that a finding must have, if what stands beside them fits too.

A look at two bytes costs next to nothing, a call of a detector some hundred times as much.
"""

from __future__ import annotations

import string

import numpy as np

from curation.jit import leaf
from curation.pii.chars import BYTES, CLOSE, DASH, DIGIT, OPEN, SPACE, UPPER, byte_table
from curation.pii.secrets import FORMATS
from curation.text import Bytes

# Bytes that trigger, where their partner stands (1 behind, -1 before), and what that must be.
_PAIRS = [
    ("@", -1, string.ascii_letters + string.digits + "_-+%" + "".join(map(chr, range(128, 192)))),
    (":", 1, string.hexdigits + ":"),  # IPv6
    ("+", 1, string.digits),
    ("(", 1, string.digits),
    ("J", -1, "y"),  # eyJ of JSON Web Tokens
    ("B", -1, "-"),  # -----BEGIN
    *((f.prefix[f.anchor], -1, f.prefix[f.anchor - 1]) for f in FORMATS if f.anchor),
    *((f.prefix[0], 1, f.prefix[1]) for f in FORMATS if not f.anchor),
]
STEP = np.zeros(256, np.int64)  # 0: triggers nothing
PARTNERS = np.zeros((256, 256), np.bool_)
for _byte, _step, _partners in _PAIRS:
    STEP[ord(_byte)] = _step
    PARTNERS[ord(_byte), [ord(c) for c in _partners]] = True
TRIGGERS = (STEP != 0) | (BYTES & DIGIT != 0)

LONG = 7  # digits: less are no telephone number, and so no finding of their own
JOINS = byte_table({1: " -./()\xc2\xe2"})  # what may stand between two groups of a number


@leaf
def is_pair(data: Bytes, at: int, floor: int, end: int) -> bool:
    """Whether the trigger at `at`, which is no digit, has its partner."""
    byte = data[at]
    beside = at + STEP[byte]
    return floor <= beside < end and bool(PARTNERS[byte, data[beside]])


@leaf
def is_lone(data: Bytes, start: int, stop: int, floor: int, end: int) -> bool:
    """Whether the run of digits data[start:stop] is no part of a longer number or an account."""
    if stop - start >= LONG or (start > floor and BYTES[data[start - 1]] & UPPER):
        return False
    if stop + 1 >= end or not JOINS[data[stop]]:
        return True
    after = data[stop + 1]
    if data[stop] == SPACE:
        return not (BYTES[after] & DIGIT or after in (OPEN, DASH, 0xE2))
    return not (BYTES[after] & DIGIT or after == OPEN or after >= 0x80 or data[stop] == CLOSE)
