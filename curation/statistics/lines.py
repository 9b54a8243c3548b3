"""The lines of a text, as positions in its bytes and among its tokens."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.jit import kernel, leaf
from curation.text import HIGH, LOW, Bytes, Offsets, Tokens, load

NEWLINE = 0x0A
NEWLINES = np.uint64(0x0A0A0A0A0A0A0A0A)


class Lines(NamedTuple):
    """Room for the lines of one text; what `find_lines` counts is filled.

    The tokens of line i are first[i]:first[i + 1]; a line without any is blank.
    """

    start: Offsets  # byte in the buffer
    stop: Offsets  # before the newline
    first: Offsets  # token


@kernel
def line_room(offsets: Offsets) -> Lines:
    """Room for the lines of any one text; memory is taken as it is filled."""
    most = 0
    for doc in range(len(offsets) - 1):
        most = max(most, offsets[doc + 1] - offsets[doc])
    return Lines(
        np.empty(most + 2, np.int64), np.empty(most + 2, np.int64), np.empty(most + 2, np.int64)
    )


@leaf
def find_lines(
    data: Bytes, start: int, end: int, tokens: Tokens, num_tokens: int, out: Lines
) -> int:
    """Writes the lines of data[start:end] to `out` and returns their number; no text, no line."""
    count, token, at = 0, 0, start
    while start < end:
        stop = find_newline(data, at, end)
        out.start[count], out.stop[count], out.first[count] = at, stop, token
        while token < num_tokens and tokens.start[token] < stop:
            token += 1
        count, at = count + 1, stop + 1
        if stop == end:
            break
    out.first[count] = num_tokens
    return count


@leaf
def find_newline(data: Bytes, at: int, end: int) -> int:
    """The first newline at or after `at`, or `end`; eight bytes at a time."""
    while at + 8 <= end:
        other = load(data, np.uint64(at)) ^ NEWLINES  # a newline becomes a zero byte
        if (other - LOW) & ~other & HIGH:
            break
        at += 8
    while at < end and data[at] != NEWLINE:
        at += 1
    return at
