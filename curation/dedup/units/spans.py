"""From repeated lines or paragraphs to the spans that are cut from texts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.dedup.units.units import Units
from curation.jit import kernel, leaf
from curation.text import Bytes, Hashes, Offsets, count_chars

Flags = npt.NDArray[np.bool_]


class Spans(NamedTuple):
    """What is cut: disjoint, in the order of the texts. Bytes count within the text."""

    row: Offsets
    start: Offsets
    stop: Offsets


@kernel
def cut_flags(units: Units, first: Hashes, second: Hashes, spared: Flags) -> Flags:
    """Which units are among the hashes given, except the first of each hash that is spared.

    Args:
        units: of the next texts.
        first: the first halves of the hashes, which ascend.
        second: the second halves, which ascend where the first are equal.
        spared: whether the next unit of the hash stays; false once it has been met.
    """
    out = np.zeros(len(units.row), np.bool_)
    for i in range(len(out)):
        at = np.searchsorted(first, units.first[i])
        while at < len(first) and first[at] == units.first[i] and second[at] != units.second[i]:
            at += 1
        if at < len(first) and first[at] == units.first[i]:
            out[i] = not spared[at]
            spared[at] = False
    return out


@kernel
def spans_of(units: Units, cut: Flags) -> Spans:
    """The spans that leave the other units, joined as they were.

    A unit goes with what separates it from the next; at the end of a text, with what comes before.
    """
    out = Spans(
        np.empty(len(cut), np.int64), np.empty(len(cut), np.int64), np.empty(len(cut), np.int64)
    )
    n = 0
    for i in range(len(cut)):
        if not cut[i]:
            continue
        row, start = units.row[i], units.start[i]
        stop = units.after[i] if units.after[i] >= 0 else units.stop[i]
        joins = n > 0 and out.row[n - 1] == row and out.stop[n - 1] == start
        if not joins:
            out.row[n], out.start[n] = row, start
            n += 1
        out.stop[n - 1] = stop
        if units.after[i] < 0:
            out.start[n - 1] = _from_before(units, i, out.start[n - 1])
    return Spans(out.row[:n], out.start[:n], out.stop[:n])


@leaf
def _from_before(units: Units, i: int, start: int) -> int:
    """Where the last span of a text starts: where the unit before it stops."""
    while i > 0 and units.start[i] > start:
        i -= 1
    return int(units.before[i]) if units.before[i] >= 0 else start


@kernel
def chars_cut(data: Bytes, offsets: Offsets, spans: Spans) -> tuple[Offsets, Offsets]:
    """The characters cut from each text, and those of each text from which any are."""
    cut, whole = np.zeros(len(offsets) - 1, np.int64), np.zeros(len(offsets) - 1, np.int64)
    for i in range(len(spans.row)):
        row = spans.row[i]
        begin = offsets[row]
        cut[row] += count_chars(data, begin + spans.start[i], begin + spans.stop[i])
        if i == 0 or spans.row[i - 1] != row:
            whole[row] = count_chars(data, begin, offsets[row + 1])
    return cut, whole
