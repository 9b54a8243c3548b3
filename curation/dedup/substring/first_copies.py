"""Which runs and windows occurred before, by tables that see records in corpus order.

A table is open addressing over rows of four numbers: a key, what else it compares, and a last
field that is 0 in free rows. It holds one row per distinct key, so a million equal ones take no
more than one, and it grows when it is full: kernels then stop, and go on with a larger table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.dedup.substring.windows import Int, Records, count_of, place_of
from curation.jit import kernel, leaf
from curation.text import Offsets

ROW_BYTES = 32
FIELDS = 4
SMALLEST = 1 << 10  # rows of a new table
GROWTH, FULL = 2, 0.6

ONCE, ALIKE, MIXED = np.uint64(1), np.uint64(2), np.uint64(3)  # the runs of an anchor
FREE = np.uint64(0)


def classify(records: Iterable[Records], expected: int) -> Records:
    """A table of (anchor, hash, hash, ONCE, ALIKE or MIXED) of all runs, about `expected` rows."""
    table, used = new_table(expected), 0
    for piece in records:
        at = 0
        while at < len(piece):
            table = _with_room(table, used)
            at, used = _classify(table, used, piece, at)
    return table


def split(table: Records, records: Iterable[Records]) -> Iterator[tuple[Records, Records]]:
    """Per piece, (hash, hash, `pack`) of runs that are alike, and `pack` of those that are not."""
    for piece in records:
        yield _split(table, piece)


class Holders(NamedTuple):
    """Documents of a range of the corpus, as `mark` asks for them; empty if it need not know."""

    starts: Offsets  # the place where each begins
    barred: npt.NDArray[np.bool_]  # it does not count as an earlier copy


class Rule(NamedTuple):
    """What makes a window a repeat."""

    min_bytes: int
    others: bool  # only copies in earlier documents count
    sources: Offsets  # the place where the slices of each source begin, ascending


class Marker:
    """Finds what occurred before; pieces come in corpus order."""

    def __init__(self, rule: Rule, expected: int) -> None:
        self._rule = rule
        self._table, self._used = new_table(expected), 0

    def mark(self, records: Records, holders: Holders) -> npt.NDArray[np.int64]:
        """The bytes of repeats among the windows of (hash, hash, `pack`): start, stop, first.

        `first` is the place of the first copy of the window at `start`. Spans that overlap are
        one if the first copies are of one source.
        """
        out, n, at = np.empty((len(records), 3), np.int64), 0, 0
        while at < len(records):
            self._table = _with_room(self._table, self._used)
            at, self._used, n = _mark(
                self._table, self._used, records, at, self._rule, holders, out, n
            )
        return out[:n]


def new_table(expected: int) -> Records:
    """A table that holds so many rows before it grows."""
    rows = max(SMALLEST, int(expected / FULL))
    return np.zeros((1 << rows.bit_length(), FIELDS), np.uint64)


def _with_room(table: Records, used: int) -> Records:
    return table if used < len(table) * FULL else _grown(table, len(table) * GROWTH)


@kernel
def _grown(table: Records, size: int) -> Records:
    out = np.zeros((size, FIELDS), np.uint64)
    for i in range(len(table)):
        if table[i, 3] != FREE:
            at = np.int64(table[i, 0] & np.uint64(size - 1))
            while out[at, 3] != FREE:
                at = (at + 1) & (size - 1)
            for j in range(FIELDS):
                out[at, j] = table[i, j]
    return out


@leaf
def _find(table: Records, key: np.uint64) -> Int:
    """The row of `key`, or the free one that it would take."""
    mask = len(table) - 1
    at = np.int64(key & np.uint64(mask))
    while table[at, 3] != FREE and table[at, 0] != key:
        at = (at + 1) & mask
    return at


@leaf
def _find_both(table: Records, key: np.uint64, rest: np.uint64) -> Int:
    """The same for two numbers."""
    mask = len(table) - 1
    at = np.int64(key & np.uint64(mask))
    while table[at, 3] != FREE and (table[at, 0] != key or table[at, 1] != rest):
        at = (at + 1) & mask
    return at


@kernel
def _classify(table: Records, used: int, runs: Records, at: int) -> tuple[int, int]:
    """Enters runs from `at` on until the table is full; (where to go on, rows used)."""
    most = np.int64(len(table) * FULL)
    while at < len(runs) and used <= most:
        row = _find(table, runs[at, 0])
        if table[row, 3] == FREE:
            for j in range(3):
                table[row, j] = runs[at, j]
            table[row, 3] = ONCE
            used += 1
        elif table[row, 1] == runs[at, 1] and table[row, 2] == runs[at, 2]:
            table[row, 3] = max(table[row, 3], ALIKE)
        else:
            table[row, 3] = MIXED
        at += 1
    return at, used


@kernel
def _split(table: Records, runs: Records) -> tuple[Records, npt.NDArray[np.uint64]]:
    alike, mixed = np.empty((len(runs), 3), np.uint64), np.empty(len(runs), np.uint64)
    n, m = 0, 0
    for i in range(len(runs)):
        kind = table[_find(table, runs[i, 0]), 3]
        if kind == ALIKE:
            for j in range(3):
                alike[n, j] = runs[i, j + 1]
            n += 1
        elif kind == MIXED:
            mixed[m] = runs[i, 3]
            m += 1
    return alike[:n].copy(), mixed[:m].copy()


@kernel
def _mark(
    table: Records,
    used: int,
    windows: Records,
    at: int,
    rule: Rule,
    holders: Holders,
    out: npt.NDArray[np.int64],
    n: int,
) -> tuple[int, int, int]:
    """Marks windows from `at` on until the table is full; (where to go on, rows used, marks)."""
    most = np.int64(len(table) * FULL)
    doc = 0
    while at < len(windows) and used <= most:
        place = place_of(windows[at, 2])
        while doc + 1 < len(holders.starts) and holders.starts[doc + 1] <= place:
            doc += 1
        barred = len(holders.starts) > 0 and holders.barred[doc]
        row = _find_both(table, windows[at, 0], windows[at, 1])
        if table[row, 3] != FREE:
            first = np.int64(table[row, 3]) - 1
            limit = holders.starts[doc] - 1 if rule.others else place - rule.min_bytes
            if first <= limit:
                stop = place + count_of(windows[at, 2]) - 1 + rule.min_bytes
                n = _append(out, n, place, stop, first, rule.sources)
        elif not barred:
            table[row, 0], table[row, 1] = windows[at, 0], windows[at, 1]
            table[row, 3] = np.uint64(place + 1)
            used += 1
        at += 1
    return at, used, n


@leaf
def _append(
    out: npt.NDArray[np.int64], n: int, start: Int, stop: Int, first: Int, sources: Offsets
) -> int:
    """Writes a mark, or extends the last one; their number."""
    overlaps = n > 0 and start < out[n - 1, 1]
    if overlaps and source_of(first, sources) == source_of(out[n - 1, 2], sources):
        out[n - 1, 1] = max(out[n - 1, 1], stop)
        return n
    out[n, 0], out[n, 1], out[n, 2] = start, stop, first
    return n + 1


@leaf
def source_of(place: Int, sources: Offsets) -> int:
    """Which of the stretches that begin at `sources` holds a place."""
    low, high = 0, len(sources)
    while high - low > 1:
        middle = (low + high) // 2
        if sources[middle] <= place:
            low = middle
        else:
            high = middle
    return low
