"""The lines that stay of a text, under the line rules of C4 and of RefinedWeb."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from curation.jit import kernel, leaf
from curation.statistics.c4 import KEPT, OPEN, C4Settings, citation_end, judge_line
from curation.statistics.lines import NEWLINE, find_lines, line_room
from curation.statistics.refinedweb import RefinedWebSettings, correct_line
from curation.text import Bytes, Characters, Offsets, buffers, find_tokens, strip, token_room
from curation.text import characters as character_tables


def keep_c4_lines(texts: pa.ChunkedArray, settings: C4Settings) -> pa.Array:
    """The texts without the lines, citations and outer white space that C4 cuts."""
    return _strings(*_keep_c4_lines(*buffers(texts), character_tables(), settings))


def correct_lines(texts: pa.ChunkedArray, settings: RefinedWebSettings) -> pa.Array:
    """The texts without the lines and phrases that RefinedWeb cuts; blank lines stay."""
    return _strings(*_correct_lines(*buffers(texts), character_tables(), settings))


def _strings(data: Bytes, offsets: Offsets) -> pa.Array:
    parts = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.LargeStringArray.from_buffers(len(offsets) - 1, parts[1], parts[2]).cast(pa.string())


@kernel
def _keep_c4_lines(
    data: Bytes, offsets: Offsets, chars: Characters, settings: C4Settings
) -> tuple[Bytes, Offsets]:
    out, bounds = np.empty(len(data) + len(offsets), np.uint8), np.zeros(len(offsets), np.int64)
    tokens, lines = token_room(offsets), line_room(offsets)
    size = 0
    for doc in range(len(offsets) - 1):
        start, end = offsets[doc], offsets[doc + 1]
        count = find_tokens(data, start, end, chars, tokens)
        num_lines = find_lines(data, start, end, tokens, count, lines)
        for line in range(num_lines):
            first, last = lines.first[line], lines.first[line + 1]
            if first == last:
                continue
            verdict, stop = judge_line(data, chars.flags, tokens, first, last, settings)
            if not verdict & KEPT:
                continue
            if size > bounds[doc]:
                out[size] = NEWLINE
                size += 1
            begin, size_before = tokens.start[first], size
            size = _copy_without_citations(data, begin, stop, settings, out, size)
            size = _close_up(out, size_before, size, chars.flags)
        bounds[doc + 1] = size
    return out[:size], bounds


@leaf
def _copy_without_citations(
    data: Bytes, at: int, stop: int, settings: C4Settings, out: Bytes, size: int
) -> int:
    """Appends data[at:stop] to `out`, whose size it returns."""
    while at < stop:
        after = at
        if settings.citations and data[at] == OPEN:
            after = citation_end(data, at, stop, settings.phrases)
        if after == at:
            out[size] = data[at]
            size, after = size + 1, at + 1
        at = after
    return size


@leaf
def _close_up(out: Bytes, begin: int, stop: int, table: Bytes) -> int:
    """Takes white space from the ends of out[begin:stop]; the size of `out` after it."""
    left, right = strip(out, begin, stop, table)
    if left > begin:
        for i in range(right - left):
            out[begin + i] = out[left + i]
    return begin + right - left


@kernel
def _correct_lines(
    data: Bytes, offsets: Offsets, chars: Characters, settings: RefinedWebSettings
) -> tuple[Bytes, Offsets]:
    out, bounds = np.empty(len(data) + len(offsets), np.uint8), np.zeros(len(offsets), np.int64)
    tokens, lines = token_room(offsets), line_room(offsets)
    size = 0
    for doc in range(len(offsets) - 1):
        start, end, kept = offsets[doc], offsets[doc + 1], 0
        count = find_tokens(data, start, end, chars, tokens)
        num_lines = find_lines(data, start, end, tokens, count, lines)
        for line in range(num_lines):
            first, last = lines.first[line], lines.first[line + 1]
            begin, stop = lines.start[line], lines.stop[line]
            if first < last:
                left, right = correct_line(data, chars, tokens, first, last, settings)
                if left == right:
                    continue
                # A line that is whole keeps its indentation.
                begin = begin if left == tokens.start[first] else left
                stop = stop if right == tokens.stop[last - 1] else right
            if kept:
                out[size] = NEWLINE
                size += 1
            out[size : size + stop - begin] = data[begin:stop]
            size, kept = size + stop - begin, kept + 1
        bounds[doc + 1] = size
    return out[:size], bounds
