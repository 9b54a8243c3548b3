"""Text from the `raw` bytes of documents, by an extractor in a child process."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from curation.process import ERROR
from curation.sandbox import Sandbox

RAW = ("raw", "content_type")  # the columns that text is made of, and that go


def extract_pages(
    table: pa.Table, child: Sandbox, frame: Callable[[pa.Table, int], bytes]
) -> pa.Table:
    """Fills `text` of the rows that carry `raw`; `ERROR` says why it could not be.

    Args:
        table: documents, some with `raw`; others keep their text.
        child: runs the extractor.
        frame: what the extractor gets for a row.
    """
    texts: list[str | None] = table["text"].to_pylist()
    errors: list[str | None] = [None] * len(table)
    rows = pc.indices_nonzero(pc.is_valid(table["raw"])).to_pylist()
    results = child.map(frame(table, row) for row in rows)
    for row, (text, error) in zip(rows, results, strict=True):
        texts[row], errors[row] = text or "", error
    place = table.column_names.index("text")
    table = table.set_column(place, "text", pa.array(texts, pa.string()))
    return table.append_column(ERROR, pa.array(errors, pa.string())).drop_columns(list(RAW))
