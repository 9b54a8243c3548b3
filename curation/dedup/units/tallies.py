"""Counting equal lines or paragraphs: tables that are sorted by hash, and joined.

A tally is a (4, n) table of uint64, one column per distinct hash, ascending:

* the two halves of the hash;
* in how many documents it occurs (high 32 bits) and how often (low 32 bits, at most 2^32 - 1);
* where it occurs first: slice (high 32 bits) and row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curation.dedup.units.units import Units
from curation.jit import kernel, leaf
from curation.text import NO, Hashes, Offsets

FIRST, SECOND, COUNTS, PLACE = range(4)  # rows of a tally
HALF = np.uint64(32)
LOW_HALF = np.uint64(0xFFFFFFFF)
_ONCE = np.uint64(1 << 32 | 1)  # in one document, one time


def tally_units(units: Units, number: int) -> Hashes:
    """The tally of the units of one slice."""
    table = np.empty((4, len(units.row)), np.uint64)
    table[FIRST], table[SECOND], table[COUNTS] = units.first, units.second, _ONCE
    table[PLACE] = np.uint64(number) << HALF | units.row.astype(np.uint64)
    return _added_up(table, by_hash(table))


def join(tallies: Sequence[Hashes]) -> Hashes:
    """The tally of parts of the corpus, given in its order, which share no document."""
    table = np.concatenate([*tallies, np.empty((4, 0), np.uint64)], axis=1)
    return _added_up(table, by_hash(table))


def by_hash(table: Hashes) -> Offsets:
    """The order of its columns by hash; those of equal hash stay in order."""
    order = np.argsort(table[FIRST], kind="stable")
    _settle(order, table)
    return order


@kernel
def _settle(order: Offsets, table: Hashes) -> None:
    """Orders columns of equal first half by the second; they are few, and mostly equal."""
    start = 0
    for end in range(1, len(order) + 1):
        if end < len(order) and table[FIRST, order[end]] == table[FIRST, order[start]]:
            continue
        for i in range(start + 1, end):
            at, moved = i, order[i]
            while at > start and table[SECOND, order[at - 1]] > table[SECOND, moved]:
                order[at] = order[at - 1]
                at -= 1
            order[at] = moved
        start = end


@leaf
def same(table: Hashes, i: int, j: int) -> bool:
    """Whether two columns are of the same hash."""
    return bool(table[FIRST, i] == table[FIRST, j] and table[SECOND, i] == table[SECOND, j])


@kernel
def _added_up(table: Hashes, order: Offsets) -> Hashes:
    """One column per hash; columns of one document, which follow one another, count it once."""
    out = np.empty((4, len(order)), np.uint64)
    n, documents, times, place = 0, NO, NO, NO
    for i in range(len(order)):
        at = order[i]
        new = i == 0 or not same(table, at, order[i - 1])
        if new:
            out[FIRST, n], out[SECOND, n] = table[FIRST, at], table[SECOND, at]
            out[PLACE, n] = table[PLACE, at]
            documents, times, n = NO, NO, n + 1
        if new or table[PLACE, at] != place:
            documents += table[COUNTS, at] >> HALF
        place = table[PLACE, at]
        times = min(times + (table[COUNTS, at] & LOW_HALF), LOW_HALF)
        out[COUNTS, n - 1] = documents << HALF | times
    return out[:, :n].copy()


@kernel
def repeats(table: Hashes, order: Offsets, min_count: int) -> tuple[Offsets, Hashes]:
    """Which columns are of a hash in at least `min_count` documents, and the tally of those hashes.

    Returns:
        For each column of `table` 0, or 1 if it is, or 2 if it is and the first of its hash.
    """
    marks, out = np.zeros(len(order), np.int64), np.empty((4, len(order)), np.uint64)
    n, start = 0, 0
    documents, times = NO, NO
    for i in range(len(order)):
        documents += table[COUNTS, order[i]] >> HALF
        times = min(times + (table[COUNTS, order[i]] & LOW_HALF), LOW_HALF)
        if i + 1 < len(order) and same(table, order[i], order[i + 1]):
            continue
        if documents >= np.uint64(min_count):
            for k in range(start, i + 1):
                marks[order[k]] = 1 if k > start else 2
            out[:, n] = table[:, order[start]]
            out[COUNTS, n] = documents << HALF | times
            n += 1
        start, documents, times = i + 1, NO, NO
    return marks, out[:, :n].copy()
