"""CSV with a header line, quoted as in RFC 4180; another delimiter can be named.

A bad record (a wrong number of fields, wrong quoting, bytes that are not UTF-8) is reported with
the byte at which it starts in the decompressed file, and reading goes on with the line after its
first: a quote that is never closed loses one line, not the rest of the file. All values are
strings; an empty one counts as absent.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

from curation.sources.columns import BadRecord, ColumnNames
from curation.sources.compression import Chunks
from curation.sources.inputs import Split
from curation.sources.lines import UTF8_BOM, lines, wide_encoding
from curation.sources.rows import Row, RowSource
from curation.sources.source import ReadLog, formats


@formats.register("csv")
@dataclass(frozen=True, kw_only=True)
class Csv(ColumnNames, RowSource):
    """CSV or TSV with a header, plain or compressed. Other columns go to `meta`."""

    extensions: ClassVar[tuple[str, ...]] = (".csv", ".tsv")

    delimiter: str = ","
    max_record_bytes: int = 16 << 20

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1:
            raise ValueError(f"'delimiter' must be one character, got {self.delimiter!r}")
        if self.max_record_bytes < 1:
            raise ValueError(f"'max_record_bytes' must be at least 1, got {self.max_record_bytes}")

    def rows(self, handle: BinaryIO, split: Split, log: ReadLog) -> Iterator[Row]:
        """The documents of a file: quoted newlines keep it from being split."""
        stream = Chunks(handle)
        records = _Records(lines(stream, 0, self.max_record_bytes), self)
        try:
            names = records.header()
        except BadRecord as error:
            log.error(split.file, 0, error.kind, str(error))
            return
        while names:
            try:
                record = records.next(names)
                if record is None:
                    break
                if record:
                    yield self.columns.take(record, records.offset, log)
            except BadRecord as error:
                if stream.damage is None or records.has_more():
                    log.error(split.file, records.offset, error.kind, str(error))
        if stream.damage is not None:
            log.error(split.file, stream.damage.offset, stream.damage.kind, stream.damage.message)


class _Records:
    """Records of a file, each read by the `csv` module from as many lines as it takes."""

    def __init__(self, source: Iterator[tuple[int, bytes | None]], options: Csv) -> None:
        self.offset = 0  # of the current record
        self._source = source
        self._options = options
        self._waiting: deque[tuple[int, bytes | None]] = deque()
        self._used: list[tuple[int, bytes | None]] = []  # the lines of the current record
        csv.field_size_limit(options.max_record_bytes)
        self._reader = csv.reader(self._lines(), delimiter=options.delimiter, strict=True)

    def header(self) -> list[str]:
        """The names of the columns; empty for an empty file."""
        first = next(self._source, None)
        if first is None:
            return []
        head = first[1] or b""
        encoding = wide_encoding(head[:4])
        if encoding is not None:
            fix = f"convert it to UTF-8: iconv -f {encoding} -t UTF-8"
            raise BadRecord("wrong_encoding", f"the file is {encoding}; {fix}")
        self._waiting.append((0, head.removeprefix(UTF8_BOM)))
        names = self._fields() or []
        if self._options.text not in names:
            what = f"there is no column '{self._options.text}', but: {', '.join(names)[:300]}"
            raise BadRecord("wrong_columns", f"{what}; name the right one with `text:`")
        if len(set(names)) < len(names):
            raise BadRecord("wrong_columns", f"a column name is given twice: {', '.join(names)}")
        return names

    def next(self, names: list[str]) -> dict[str, Any] | None:
        """The next record's values that are not empty; no values for a blank line; None: the end.

        Raises:
            BadRecord: it cannot be read; the one after it can be asked for.
        """
        values = self._fields()
        if not values:
            return None if values is None else {}
        if len(values) != len(names):
            self._retry()
            raise BadRecord("bad_record", f"has {len(values)} fields, the header {len(names)}")
        return {
            name: value
            for name, value in zip(names, values, strict=True)
            if value or name == self._options.text
        }

    def has_more(self) -> bool:
        """There are lines already taken from the file that are yet to be read."""
        return bool(self._waiting)

    def _fields(self) -> list[str] | None:
        self._used.clear()
        try:
            values = next(self._reader, None)
            if self._used:
                self.offset = self._used[0][0]
            return values
        except csv.Error as error:
            self._retry()
            raise BadRecord("bad_record", f"cannot be read as CSV: {error}") from None
        except UnicodeDecodeError:
            self._retry()
            raise BadRecord("invalid_utf8", "holds bytes that are not UTF-8") from None

    def _retry(self) -> None:
        """Makes the lines after the first of a bad record the next to read."""
        self.offset = self._used[0][0]
        self._waiting.extendleft(reversed(self._used[1:]))
        # A fresh reader, as the old one may be at its end or inside quotes.
        self._reader = csv.reader(self._lines(), delimiter=self._options.delimiter, strict=True)

    def _lines(self) -> Iterator[str]:
        size = 0
        while True:
            if not self._used:
                size = 0
            item = self._waiting.popleft() if self._waiting else next(self._source, None)
            if item is None:
                return
            self._used.append(item)
            size += len(item[1] or b"")
            if item[1] is None or size > self._options.max_record_bytes:
                raise csv.Error(f"the record is over {self._options.max_record_bytes} bytes")
            yield item[1].decode("utf-8") + "\n"
