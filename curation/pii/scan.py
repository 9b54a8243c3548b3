"""One pass over the bytes of many texts: from trigger to trigger, each handed to its detectors."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np

from curation.jit import kernel, leaf
from curation.pii.cards import find_card
from curation.pii.chars import ALNUM, AT, BYTES, COLON, DIGIT, OPEN, PLUS
from curation.pii.email import find_email
from curation.pii.groups import COUNT, MAX_GROUPS, opens, read_groups
from curation.pii.iban import find_iban
from curation.pii.ip import find_ipv4, find_ipv6
from curation.pii.keys import find_jwt, find_key
from curation.pii.phone import find_phone
from curation.pii.secrets import find_token
from curation.pii.triggers import LONG, TRIGGERS, is_lone, is_pair
from curation.text import Bytes, Offsets

Kind = Literal["email", "ipv4", "ipv6", "phone", "credit_card", "iban", "secret"]
KINDS: tuple[Kind, ...] = get_args(Kind)
EMAIL, IPV4, IPV6, PHONE, CREDIT_CARD, IBAN, SECRET = range(len(KINDS))
ROW, START, STOP, KIND = range(4)  # columns of findings
LETTER_B, LETTER_J = 0x42, 0x4A


class Findings(NamedTuple):
    """Where personal data stands, in order; spans do not overlap."""

    rows: Offsets
    starts: Offsets  # bytes into the buffer of `text.buffers`
    stops: Offsets
    kinds: Offsets  # indices of KINDS


def find(data: Bytes, offsets: Offsets, *, private_ips: bool) -> Findings:
    """All findings in texts as `text.buffers` gives them."""
    found = _scan(data, offsets, private_ips)
    return Findings(found[:, ROW], found[:, START], found[:, STOP], found[:, KIND])


@kernel
def _scan(data: Bytes, offsets: Offsets, private: bool) -> Offsets:
    """(findings, 4)."""
    out = np.empty((256, 4), np.int64)
    groups = np.empty((MAX_GROUPS, 4), np.int64)
    n = 0
    for row in range(len(offsets) - 1):
        at, end = offsets[row], offsets[row + 1]
        while True:
            start, at, kind = _next(data, offsets[row], at, end, groups, private)
            if at == 0:
                break
            if n == len(out):
                out = np.concatenate((out, np.empty_like(out)))
            out[n, ROW], out[n, START], out[n, STOP], out[n, KIND] = row, start, at, kind
            n += 1
    return out[:n]


@leaf
def _next(
    data: Bytes, begin: int, floor: int, end: int, groups: Offsets, private: bool
) -> tuple[int, int, int]:
    """(start, end, kind) of the first finding at or after `floor`; end 0 if there is none.

    The text is data[begin:end]; what stands before `floor` belongs to an earlier finding.
    """
    at = floor
    while at < end:
        if not TRIGGERS[data[at]]:
            at += 1
            continue
        after = at + 1
        if BYTES[data[at]] & DIGIT:
            while after < end and BYTES[data[after]] & DIGIT:
                after += 1
            idle = is_lone(data, at, after, floor, end)
        else:
            idle = not is_pair(data, at, floor, end)
        if not idle:
            start, stop, kind = _detect(data, at, begin, floor, end, groups, private)
            if stop:
                return start, stop, kind
        at = after
    return 0, 0, 0


@leaf
def _detect(
    data: Bytes, at: int, begin: int, floor: int, end: int, groups: Offsets, private: bool
) -> tuple[int, int, int]:
    """(start, end, kind) of the finding that the trigger at `at` is part of; end 0 if none."""
    byte = data[at]
    if BYTES[byte] & DIGIT:
        return _detect_number(data, at, begin, floor, end, groups, private)
    start, stop, kind = 0, 0, SECRET
    if byte == AT:
        start, stop = find_email(data, at, floor, end)
        kind = EMAIL
    elif byte == COLON:
        start, stop = find_ipv6(data, at, floor, end, private)
        kind = IPV6
    elif byte in (PLUS, OPEN):
        if opens(data, at, floor):
            n = read_groups(data, at + 1, end, groups)
            start, stop = find_phone(data, at, floor, end, groups, n)
            kind = PHONE
    elif byte == LETTER_J:
        start, stop = find_jwt(data, at, floor, end)
    elif byte == LETTER_B:
        start, stop = find_key(data, at, floor, end)
    else:
        start, stop = find_token(data, at, floor, end)
    return start, stop, kind


@leaf
def _detect_number(
    data: Bytes, at: int, begin: int, floor: int, end: int, groups: Offsets, private: bool
) -> tuple[int, int, int]:
    """`_detect` for the first digit of a run."""
    if at >= floor + 2 and BYTES[data[at - 1]] & ALNUM:
        start, stop = find_iban(data, at, floor, end)
        return start, stop, IBAN
    if not opens(data, at, floor):
        return 0, 0, PHONE
    n = read_groups(data, at, end, groups)
    if n == 1 and groups[0, COUNT] < LONG:
        return 0, 0, PHONE
    start, stop = find_card(data, floor, end, groups, n)
    if stop:
        return start, stop, CREDIT_CARD
    start, stop = find_ipv4(data, begin, floor, end, groups, n, private)
    if stop:
        return start, stop, IPV4
    start, stop = find_phone(data, at, floor, end, groups, n)
    return start, stop, PHONE
