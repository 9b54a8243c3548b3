"""From marks of repeated windows to spans of texts: their union, at whole code points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.dedup.substring.first_copies import source_of
from curation.dedup.substring.windows import Records, hash_128
from curation.jit import kernel, leaf
from curation.text import Bytes, Offsets

Numbers = npt.NDArray[np.int64]

WITHIN, ACROSS = np.uint8(1), np.uint8(2)  # a byte is of a repeat of the same, another source


class Spans(NamedTuple):
    """The repeated spans of the texts of a slice, in order."""

    row: Numbers
    start: Numbers  # byte of the slice's text
    stop: Numbers
    first: Numbers  # place in the corpus of the first copy of what begins at `start`


class Sources(NamedTuple):
    """Which source a place is of."""

    starts: Numbers  # places where slices of another source begin, ascending
    numbers: Numbers  # of the source that begins there


@kernel
def marks_between(marks: Numbers, first: int, last: int) -> tuple[int, int]:
    """The range of marks, sorted by their start, that start in [first, last)."""
    return _bisect(marks, first), _bisect(marks, last)


@leaf
def _bisect(marks: Numbers, place: int) -> int:
    """The first mark that starts at `place` or after it."""
    low, high = 0, len(marks)
    while low < high:
        middle = (low + high) // 2
        if marks[middle, 0] < place:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def paint(cover: Bytes, base: int, marks: Numbers, sources: Sources) -> None:
    """Sets WITHIN and ACROSS of the bytes of marks: `cover[0]` is of the place `base`."""
    for i in range(len(marks)):
        start, stop, first = marks[i, 0], marks[i, 1], marks[i, 2]
        here = sources.numbers[source_of(start, sources.starts)]
        there = sources.numbers[source_of(first, sources.starts)]
        flag = WITHIN if here == there else ACROSS
        for at in range(start - base, stop - base):
            cover[at] |= flag


@kernel
def find_spans(cover: Bytes, offsets: Offsets, min_bytes: int) -> Spans:
    """The stretches of every text that are painted; `first` is left at -1.

    `start` and `stop` are where they begin and end: see `inward`.
    """
    most = len(cover) // min_bytes + 1
    row, start = np.empty(most, np.int64), np.empty(most, np.int64)
    stop, n = np.empty(most, np.int64), 0
    for doc in range(len(offsets) - 1):
        at, end = offsets[doc], offsets[doc + 1]
        while at < end:
            if cover[at] == 0:
                at += 1
                continue
            begin = at
            while at < end and cover[at] != 0:
                at += 1
            row[n], start[n], stop[n] = doc, begin, at
            n += 1
    return Spans(row[:n], start[:n], stop[:n], np.full(n, -1))


@kernel
def name_first_copies(spans: Spans, base: int, marks: Numbers) -> None:
    """Fills `first` from the marks that start where a span does; both ascend."""
    span = 0
    for i in range(len(marks)):
        start = marks[i, 0] - base
        while span < len(spans.start) and spans.start[span] < start:
            span += 1
        if span < len(spans.start) and spans.start[span] == start:
            spans.first[span] = marks[i, 2]


@kernel
def inward(spans: Spans, data: Bytes, offsets: Offsets) -> None:
    """Moves starts and stops to where a code point begins, or the text ends, inside the span."""
    for i in range(len(spans.row)):
        start, stop, end = spans.start[i], spans.stop[i], offsets[spans.row[i] + 1]
        while start < stop and data[start] & 0xC0 == 0x80:
            start += 1
        while stop > start and stop < end and data[stop] & 0xC0 == 0x80:
            stop -= 1
        spans.first[i] += start - spans.start[i]
        spans.start[i], spans.stop[i] = start, stop


@kernel
def count_bytes(spans: Spans, cover: Bytes) -> tuple[int, int]:
    """Bytes of spans whose copies are within a source, and of those with one across sources."""
    within, across = 0, 0
    for i in range(len(spans.row)):
        for at in range(spans.start[i], spans.stop[i]):
            if cover[at] & ACROSS:
                across += 1
            else:
                within += 1
    return within, across


@kernel
def describe_spans(spans: Spans, data: Bytes, base: int) -> Records:
    """(hash, hash, place, bytes, place of the first copy) of every span."""
    out = np.empty((len(spans.row), 5), np.uint64)
    for i in range(len(out)):
        start, stop = spans.start[i], spans.stop[i]
        out[i, 0], out[i, 1] = hash_128(data, start, stop)
        out[i, 2], out[i, 3] = np.uint64(base + start), np.uint64(stop - start)
        out[i, 4] = np.uint64(spans.first[i])
    return out
