"""The spans that are cut from documents that stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pyarrow as pa

from curation.decontaminate.overlap import Matches
from curation.document import conform
from curation.stage import EDIT_SCHEMA

Span = Literal["paragraph", "match"]
BREAK = b"\n\n"


def span_edits(
    number: int, texts: pa.ChunkedArray, rows: np.ndarray, matches: Matches, span: Span
) -> pa.Table:
    """What is cut from the documents of a slice.

    Args:
        number: of the slice.
        texts: of the documents `rows`, in their order.
        rows: ascending.
        matches: by row.
        span: `match` from the first word found to the last, `paragraph` all paragraphs of these.
    """
    bounds = np.searchsorted(matches.row, [*rows, rows[-1] + 1])
    edits = [
        (number, row, start, stop)
        for row, text, a, b in zip(rows.tolist(), texts, bounds[:-1], bounds[1:], strict=True)
        for start, stop in _merged(_spans(text.as_py().encode(), matches, a, b, span))
    ]
    columns = np.array(edits, np.int64).reshape(-1, 4).T
    return conform(pa.table(dict(zip(EDIT_SCHEMA.names, columns, strict=True))), EDIT_SCHEMA)


def _spans(
    text: bytes, matches: Matches, first: int, last: int, span: Span
) -> Iterator[tuple[int, int]]:
    for start, stop in zip(
        matches.start[first:last].tolist(), matches.stop[first:last].tolist(), strict=True
    ):
        yield (start, stop) if span == "match" else widen(text, start, stop)


def widen(text: bytes, start: int, stop: int) -> tuple[int, int]:
    """The paragraphs of text[start:stop], with the line ends after them.

    At the end of the text, with those before them.
    """
    before, after = text.rfind(BREAK, 0, start), text.find(BREAK, stop)
    start = before + len(BREAK) if before >= 0 else 0
    if after < 0:
        return len(text[:start].rstrip(b"\n")), len(text)
    return start, len(text) - len(text[after:].lstrip(b"\n"))


def _merged(spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same without overlaps, ascending."""
    last: tuple[int, int] | None = None
    for start, stop in sorted(spans):
        if last is None:
            last = start, stop
        elif start <= last[1]:
            last = last[0], max(last[1], stop)
        else:
            yield last
            last = start, stop
    if last is not None:
        yield last
