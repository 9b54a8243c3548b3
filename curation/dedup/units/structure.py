"""Lines that give a text its structure, and repeat without being boilerplate.

A line is *structural* if, white space at its ends apart, it

* has no letter, mark or digit (`---`, `});`, `|:--|`, a bullet without text), or
* opens or closes a fenced code block (begins with three back-ticks or tildes), or
* is a heading (one to six `#`, then white space), or
* is a row of a table (begins and ends with `|`), or
* is the marker of a list item alone (at most three letters or digits, then `.` or `)`).

A paragraph is structural if all its lines are.
"""

from __future__ import annotations

from curation.jit import leaf
from curation.statistics.lines import find_newline
from curation.text import SPACE, WORD, Bytes, decode, strip

_HASH, _BAR, _DOT, _BRACKET = ord("#"), ord("|"), ord("."), ord(")")
_TICK, _TILDE = ord("`"), ord("~")
_MAX_LEVEL = 6  # of a heading
_MAX_MARKER = 3  # letters or digits


@leaf
def is_structural(data: Bytes, start: int, stop: int, table: Bytes) -> bool:
    """Whether every line of data[start:stop] is; there is no blank one."""
    at = start
    while at <= stop:
        end = find_newline(data, at, stop)
        left, right = strip(data, at, end, table)
        if not _is_structural_line(data, left, right, table):
            return False
        at = end + 1
    return True


@leaf
def _is_structural_line(data: Bytes, start: int, stop: int, table: Bytes) -> bool:
    """Of a line without white space at its ends; one of nothing is."""
    if start == stop:
        return True
    if stop - start > _MAX_MARKER + 1 and data[start] < 0x80 and table[data[start]] & WORD:
        return False  # as most are
    if not _has_word(data, start, stop, table):
        return True
    first, last = data[start], data[stop - 1]
    if first == _BAR:
        return bool(last == _BAR)
    if first in (_TICK, _TILDE):
        return bool(stop - start > 2 and data[start + 1] == first and data[start + 2] == first)
    if first == _HASH:
        at = start
        while at < stop and data[at] == _HASH:
            at += 1
        return bool(at - start <= _MAX_LEVEL and table[decode(data, at)[0]] & SPACE)
    return (
        stop - start <= _MAX_MARKER + 1
        and last in (_DOT, _BRACKET)
        and _is_plain(data, start, stop - 1, table)
    )


@leaf
def _is_plain(data: Bytes, start: int, stop: int, table: Bytes) -> bool:
    """Whether data[start:stop] is ASCII letters and digits."""
    plain = True
    for at in range(start, stop):
        plain = plain and data[at] < 0x80 and table[data[at]] & WORD != 0
    return plain


@leaf
def _has_word(data: Bytes, start: int, stop: int, table: Bytes) -> bool:
    while start < stop:
        code, size = decode(data, start)
        if table[code] & WORD:
            return True
        start += size
    return False
