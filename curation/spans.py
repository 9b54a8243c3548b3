"""Cutting spans of bytes out of texts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.jit import kernel
from curation.text import Bytes, Offsets

Rows = npt.NDArray[np.int64]


def cut_spans(texts: pa.ChunkedArray, row: Rows, start: Rows, stop: Rows) -> pa.ChunkedArray:
    """The texts without the bytes [start, stop) of their UTF-8; null stays null.

    Args:
        texts: strings.
        row: of each span, ascending.
        start: where a code point begins; ascending within a row.
        stop: where another begins, or the end of the text; spans are disjoint.
    """
    if len(row) == 0:
        return texts
    data, offsets = text.buffers(texts)
    out, ends = _cut(data, offsets, row, start, stop)
    valid = texts.combine_chunks().is_valid()
    made = pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(out))
    made = made.cast(texts.type)
    return pa.chunked_array([pc.if_else(valid, made, pa.scalar(None, texts.type))])


@kernel
def _cut(
    data: Bytes, offsets: Offsets, row: Rows, start: Rows, stop: Rows
) -> tuple[Bytes, Offsets]:
    """The bytes that stay, and where each text begins in them (n + 1)."""
    out = np.empty(offsets[-1] - offsets[0], np.uint8)
    ends = np.zeros(len(offsets), np.int64)
    n, span = 0, 0
    for doc in range(len(offsets) - 1):
        at = offsets[doc]
        while span < len(row) and row[span] == doc:
            first = offsets[doc] + start[span]
            out[n : n + first - at] = data[at:first]
            n, at = n + first - at, offsets[doc] + stop[span]
            span += 1
        rest = offsets[doc + 1] - at
        out[n : n + rest] = data[at : at + rest]
        n += rest
        ends[doc + 1] = n
    return out[:n], ends
