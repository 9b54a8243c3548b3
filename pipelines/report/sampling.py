"""A bounded, deterministic sample of dropped documents: a few of each stage and reason.

Which documents are shown depends on their ids alone, not on their order or on how the dropped
documents are split into shards.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.report.results import Json

TEXT_CHARS = 600
_KEYS = ["drop_stage", "drop_reason"]
_PLACE = [*_KEYS, "id", "rank", "file", "row"]
_SHOWN = ["id", "source", "url", *_KEYS, "drop_value", "drop_threshold", "survivor_id"]
_BATCH, _TEXT_BATCH = 65_536, 1_024


def sample_dropped(files: Sequence[Path], per_reason: int = 3) -> list[Json]:
    """Up to `per_reason` rows of each stage and reason, with the head of their text."""
    chosen: pl.DataFrame | None = None
    for i, file in enumerate(files):
        with pq.ParquetFile(file) as shard:
            start = 0
            for batch in shard.iter_batches(batch_size=_BATCH, columns=["id", *_KEYS]):
                ranked = _ranked(batch, i, start)
                chosen = _lowest([ranked] if chosen is None else [chosen, ranked], per_reason)
                start += batch.num_rows
    if chosen is None:
        return []
    return [fetch_row(files[row["file"]], row["row"]) for row in chosen.to_dicts()]


def _ranked(batch: Any, file: int, start: int) -> pl.DataFrame:
    """Stage, reason, and the place of each row, with a hash of its id to choose by."""
    frame = cast(pl.DataFrame, pl.from_arrow(pa.Table.from_batches([batch])))
    ids = frame["id"].fill_null("").to_list()
    return frame.with_columns(
        pl.Series("rank", [zlib.crc32(i.encode()) for i in ids], pl.UInt32),
        pl.lit(file).alias("file"),
        pl.int_range(start, start + len(frame)).alias("row"),
    )


def _lowest(frames: list[pl.DataFrame], n: int) -> pl.DataFrame:
    # Grouping moves the keys to the front.
    ordered = pl.concat([frame.select(_PLACE) for frame in frames]).sort("rank", "id")
    return ordered.group_by(_KEYS, maintain_order=True).head(n)


def fetch_row(file: Path, row: int) -> Json:
    """One row; only the row group it stands in is read, and of its text only a batch at a time."""
    with pq.ParquetFile(file) as shard:
        group = 0
        while row >= (size := shard.metadata.row_group(group).num_rows):
            row, group = row - size, group + 1
        wanted = [n for n in (*_SHOWN, "similarity", "text") if n in shard.schema_arrow.names]
        for batch in shard.iter_batches(_TEXT_BATCH, row_groups=[group], columns=wanted):
            if row < batch.num_rows:
                return _head(batch.slice(row, 1))
            row -= batch.num_rows
    raise IndexError(f"{file}: no row {row}")


def _head(batch: Any) -> Json:
    """The row as a dict; a 5 MB text is cut before it becomes a Python string."""
    table = pa.Table.from_batches([batch])
    if "text" in table.column_names:
        text = table["text"]
        n_chars = pc.utf8_length(text)
        short = pc.utf8_slice_codeunits(text, 0, TEXT_CHARS)
        table = table.set_column(table.column_names.index("text"), "text", short)
        table = table.append_column("num_chars", n_chars)
    row: Json = table.to_pylist()[0]
    return row
