"""Parquet, read by row groups in batches; text may be any string or binary type, also nested.

A file without footer or without a column of text is reported whole; null, empty and undecodable
texts are reported by row. An offset is the number of the row in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

import pyarrow as pa

from curation.sources.arrow_columns import check_columns, records
from curation.sources.columns import BadRecord, ColumnNames
from curation.sources.files import open_file
from curation.sources.inputs import InputFile, Split
from curation.sources.source import ReadLog, Source, formats

SPLIT_BYTES = 64 << 20  # uncompressed, of the row groups of one split
BATCH_BYTES = 16 << 20


@formats.register("parquet")
@dataclass(frozen=True, kw_only=True)
class Parquet(ColumnNames, Source):
    """Parquet files. Other columns go to `meta`."""

    extensions: ClassVar[tuple[str, ...]] = (".parquet", ".pq")

    def splits(self, file: InputFile) -> list[Split]:
        """Runs of row groups of about 64 MiB; `start` and `end` count row groups."""
        try:
            with open_file(file) as handle:
                groups = _group_bytes(_parquet(handle).metadata)
        except (OSError, pa.ArrowException):
            return [Split(file)]  # `read` meets it again and reports it
        starts, size = [0], 0
        for i, group in enumerate(groups):
            if size and size + group > SPLIT_BYTES:
                starts.append(i)
                size = 0
            size += group
        ends = [*starts[1:], len(groups)]
        return [Split(file, start, end) for start, end in zip(starts, ends, strict=True)]

    def read(self, split: Split, log: ReadLog) -> Iterator[pa.Table]:
        """Tables of the row groups of a split."""
        try:
            handle = open_file(split.file)
        except OSError as error:
            log.error(split.file, 0, "cannot_open", f"{type(error).__name__}: {error}")
            return
        with handle:
            try:
                parquet = _parquet(handle)
                check_columns(parquet.schema_arrow, self.columns)
            except BadRecord as error:
                log.error(split.file, 0, error.kind, str(error))
            except (OSError, pa.ArrowException) as error:
                log.error(split.file, 0, "corrupt", f"cannot be read as Parquet: {error}")
            else:
                yield from self._groups(parquet, split, log)

    def _groups(self, parquet: Any, split: Split, log: ReadLog) -> Iterator[pa.Table]:
        metadata = parquet.metadata
        sizes = _group_bytes(metadata)
        first = sum(metadata.row_group(i).num_rows for i in range(split.start))
        end = metadata.num_row_groups if split.end is None else split.end
        for i in range(split.start, end):
            num_rows = metadata.row_group(i).num_rows
            batch_rows = max(1, min(num_rows, num_rows * BATCH_BYTES // max(1, sizes[i])))
            at = first
            try:
                for batch in parquet.iter_batches(batch_rows, row_groups=[i], use_threads=False):
                    table = pa.Table.from_batches([batch])
                    yield records(table, self.columns, split.file, at, log)
                    at += len(table)
            except (OSError, pa.ArrowException) as error:
                lost = first + num_rows - at
                log.error(split.file, at, "corrupt", f"{lost} rows of row group {i} lost: {error}")
            first += num_rows


def _parquet(handle: BinaryIO) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetFile(handle)


def _group_bytes(metadata: Any) -> list[int]:
    return [metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)]
