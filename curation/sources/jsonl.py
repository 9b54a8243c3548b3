"""JSON lines: one object a line, split at LF only (real text holds U+2028 and U+0085).

Windows newlines, a byte order mark and blank lines are fine. A line that is not UTF-8, not a JSON
object, too long, or without text is reported with its offset and left out. Of a key given twice
the last value counts. U+0000 is taken out of texts and lone surrogates become U+FFFD; such
documents are counted as repaired. An offset is the byte at which a line starts in the
decompressed file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

from curation.sources.columns import BadRecord, ColumnNames
from curation.sources.compression import Chunks
from curation.sources.inputs import InputFile, Split
from curation.sources.lines import (
    UTF8_BOM,
    blocks,
    first_line,
    line_splits,
    lines,
    wide_encoding,
)
from curation.sources.rows import Row, RowSource
from curation.sources.source import ReadLog, formats


@formats.register("jsonl")
@dataclass(frozen=True, kw_only=True)
class Jsonl(ColumnNames, RowSource):
    """JSON lines, plain or compressed. Other fields go to `meta`."""

    extensions: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson", ".json")

    max_line_bytes: int = 64 << 20

    def __post_init__(self) -> None:
        if self.max_line_bytes < 1:
            raise ValueError(f"'max_line_bytes' must be at least 1, got {self.max_line_bytes}")

    def splits(self, file: InputFile) -> list[Split]:
        """Byte ranges of about 64 MiB; a compressed file is one split."""
        return line_splits(Split(file))

    def rows(self, handle: BinaryIO, split: Split, log: ReadLog) -> Iterator[Row]:
        """The documents whose lines start in the split."""
        if split.start == 0 and split.end is None:
            stream = Chunks(handle)
            yield from self._documents(lines(stream, 0, self.max_line_bytes), stream, split, log)
            if stream.damage is not None:
                log.error(
                    split.file, stream.damage.offset, stream.damage.kind, stream.damage.message
                )
            return
        start = first_line(handle, split.start, split.end)
        if start is not None:
            part = lines(blocks(handle), start, self.max_line_bytes)
            yield from self._documents(part, None, split, log)

    def _documents(
        self,
        part: Iterator[tuple[int, bytes | None]],
        stream: Chunks | None,
        split: Split,
        log: ReadLog,
    ) -> Iterator[Row]:
        for offset, line in part:
            if split.end is not None and offset >= split.end:
                return
            try:
                if line is None:
                    raise BadRecord("line_too_long", f"is over {self.max_line_bytes} bytes")
                if offset == 0:
                    line = _without_bom(line)
                row = self._row(line, offset, log)
            except BadRecord as error:
                if stream is not None and stream.damage is not None and line is not None:
                    return  # the line that the damage cut; the damage is reported for it
                log.error(split.file, offset, error.kind, str(error))
                if error.kind == "wrong_encoding":
                    return
            else:
                if row is not None:
                    yield row

    def _row(self, line: bytes, offset: int, log: ReadLog) -> Row | None:
        if not line or line.isspace():
            return None
        record = _parse(line)
        try:
            return self.columns.take(record, offset, log)
        except RecursionError:
            raise BadRecord("bad_json", "its fields are nested too deeply") from None


def _without_bom(line: bytes) -> bytes:
    encoding = wide_encoding(line[:4])
    if encoding is not None:
        fix = f"iconv -f {encoding} -t UTF-8"
        raise BadRecord("wrong_encoding", f"the file is {encoding}; convert it to UTF-8: {fix}")
    return line.removeprefix(UTF8_BOM)


def _parse(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        what = f"byte {error.start} of the line is not UTF-8"
        raise BadRecord("invalid_utf8", what) from None
    except ValueError as error:  # also integers of thousands of digits
        raise BadRecord("bad_json", str(error)) from None
    except RecursionError:
        raise BadRecord("bad_json", "is nested too deeply") from None
    if not isinstance(record, dict):
        raise BadRecord("not_an_object", f"is {json.dumps(record)[:40]}, not an object")
    return record
