"""E-mail addresses: a dot-atom (RFC 5322) of common characters, `@`, a domain that can exist.

The domain has two labels or more and ends in a top-level domain, so that `a@b`, `x@w.T`,
`icon@2x.png` and `react@18.2.0` are none; nor is a call, `x@w.dot(y)`. `git@` is none: it is what
code hosts call every user. `user@host.org` in a shell command, package metadata, a Message-ID or
the user information of a URL cannot be told from an address and is found, as are addresses of
institutions. Latin letters beyond ASCII belong to an address; other scripts bound it.
"""

from __future__ import annotations

import numpy as np

from curation.jit import leaf
from curation.pii.chars import (
    ALNUM,
    BYTES,
    DASH,
    DOT,
    LOCAL,
    OPEN,
    UNDERSCORE,
    contains,
    hash_lower,
    is_latin,
    stands,
)
from curation.pii.tlds import TLDS
from curation.text import Bytes

GIT = np.frombuffer(b"git", np.uint8)
MAX_LOCAL, MAX_DOMAIN = 64, 255  # bytes; RFC 5321, 4.5.3.1


@leaf
def find_email(data: Bytes, at: int, floor: int, end: int) -> tuple[int, int]:
    """(start, end) of the address around the `@` at `at`, (0, 0) if there is none."""
    start = _local_start(data, at, floor)
    if start == at or _is_git(data, start, at):
        return 0, 0
    stop = _domain_end(data, at + 1, min(end, at + 1 + MAX_DOMAIN))
    if stop == 0:
        return 0, 0
    if stop < end and data[stop] == OPEN:  # x@w.dot(y)
        return 0, 0
    if stop + 1 < end and data[stop] == UNDERSCORE and BYTES[data[stop + 1]] & ALNUM:
        return 0, 0
    return start, stop


@leaf
def _is_git(data: Bytes, start: int, at: int) -> bool:
    return at - start == len(GIT) and stands(data, start, at, GIT)


@leaf
def _local_start(data: Bytes, at: int, floor: int) -> int:
    """Where the local part before `at` begins: at a letter, digit or `_`; `at` if it has none."""
    lowest, here, start = max(floor, at - MAX_LOCAL), at, at
    while here > lowest:
        byte = data[here - 1]
        if BYTES[byte] & ALNUM or byte == UNDERSCORE:
            here -= 1
            start = here
        elif BYTES[byte] & LOCAL and not (byte == DOT and (here == at or data[here] == DOT)):
            here -= 1
        elif here - 2 >= lowest and is_latin(data, here - 2, here):
            here -= 2
            start = here
        else:
            return start
    whole = here == floor or not BYTES[data[here - 1]] & (ALNUM | LOCAL)
    return start if whole else at


@leaf
def _domain_end(data: Bytes, at: int, end: int) -> int:
    """Where the longest domain that begins at `at` ends, 0 if there is none."""
    labels, found = 0, 0
    while at < end and data[at] != DASH:
        stop, dashes = _label_end(data, at, end)
        last = stop - dashes
        if last == at:
            break
        labels += 1
        if labels > 1 and _is_top_level(data, at, last):
            found = last
        if dashes or stop == end or data[stop] != DOT:
            break
        at = stop + 1
    return found


@leaf
def _label_end(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Where the run of letters, digits and dashes at `at` ends, and how many dashes end it."""
    dashes = 0
    while at < end:
        if is_latin(data, at, end):
            at, dashes = at + 2, 0
        elif BYTES[data[at]] & ALNUM:
            at, dashes = at + 1, 0
        elif data[at] == DASH:
            at, dashes = at + 1, dashes + 1
        else:
            break
    return at, dashes


@leaf
def _is_top_level(data: Bytes, start: int, end: int) -> bool:
    if end - start > 4 and data[start + 2] == DASH and data[start + 3] == DASH:
        return bool((data[start] | 0x20) == 0x78 and (data[start + 1] | 0x20) == 0x6E)  # xn--
    return contains(TLDS, hash_lower(data, start, end))
