"""Rows on their way to tables of `RECORD_SCHEMA`, and the base of sources that make rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa

from curation.document import RECORD_SCHEMA
from curation.sources.files import open_file
from curation.sources.inputs import Split
from curation.sources.source import ReadLog, Source

MAX_ROWS = 4096  # of one table
MAX_BYTES = 16 << 20  # characters or bytes of text in one table, the last row apart


class Row(NamedTuple):
    """One record; the path is added by `tables`."""

    offset: int
    text: str | None = None
    raw: bytes | None = None
    content_type: str | None = None
    id: str | None = None
    url: str | None = None
    date: str | None = None
    language: str | None = None
    meta: str | None = None


@dataclass(frozen=True, kw_only=True)
class RowSource(Source):
    """A source that makes rows from an open file."""

    def read(self, split: Split, log: ReadLog) -> Iterator[pa.Table]:
        """Tables of the rows; a file that cannot be opened or read further is reported."""
        return tables(self._read_rows(split, log), split.file.path, log)

    def rows(self, handle: BinaryIO, split: Split, log: ReadLog) -> Iterator[Row]:
        """The records of a split, in order."""
        raise NotImplementedError

    def _read_rows(self, split: Split, log: ReadLog) -> Iterator[Row]:
        try:
            handle = open_file(split.file)
        except OSError as error:
            log.error(split.file, 0, "cannot_open", _reason(error))
            return
        with handle:
            try:
                yield from self.rows(handle, split, log)
            except OSError as error:
                log.error(split.file, split.start, "cannot_read", _reason(error))


def tables(rows: Iterable[Row], path: str, log: ReadLog) -> Iterator[pa.Table]:
    """`rows` in tables of bounded size."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row.text or "") + len(row.raw or b"")
        if size >= MAX_BYTES or len(batch) >= MAX_ROWS:
            yield _table(batch, path, log)
            batch, size = [], 0
    if batch:
        yield _table(batch, path, log)


def clean(text: str, log: ReadLog) -> str:
    """`text` without U+0000, which Parquet readers and C libraries take for its end."""
    if "\0" not in text:
        return text
    log.repair("nul_removed")
    return text.replace("\0", "")


def _without_surrogates(row: Row, log: ReadLog) -> Row:
    """`row` with each lone surrogate, which no encoding can hold, as U+FFFD."""
    mended = Row(*(_mend(value) for value in row))
    if mended != row:
        log.repair("lone_surrogate_replaced")
    return mended


def _mend(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _table(batch: list[Row], path: str, log: ReadLog) -> pa.Table:
    try:
        return _arrow(batch, path)
    except UnicodeEncodeError:  # only an escape in JSON can make a lone surrogate
        return _arrow([_without_surrogates(row, log) for row in batch], path)


def _arrow(batch: list[Row], path: str) -> pa.Table:
    columns: dict[str, Any] = dict(zip(Row._fields, zip(*batch, strict=True), strict=True))
    columns["path"] = [path] * len(batch)
    arrays = [pa.array(columns[field.name], field.type) for field in RECORD_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=RECORD_SCHEMA)


def _reason(error: OSError) -> str:
    return f"{type(error).__name__}: {error.strerror or error}"
