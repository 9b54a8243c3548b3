"""Slices: the bounded pieces of a corpus that are processed, stored and resumed as units.

A work folder holds, per slice, `<key>.kept.parquet`, `<key>.dropped.parquet` and, written last,
`<key>.json`: its presence means that the slice is finished. Keys sort in corpus order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation.document import conform, dataset_schema, dropped_schema, text_bytes
from curation.files import damaged, read_json, sha256, write_json, write_parquet
from curation.process import ROW, StageStats

SLICE_BYTES = 8_000_000  # of raw or text: part of identity, since it decides where slices end
SLICE_ROWS = 4096


@dataclass(frozen=True)
class SliceStore:
    """The slices of one work folder, whose documents have the columns `annotations`.

    `extra` are hidden columns (name to type) that only the next step needs.
    """

    folder: Path
    annotations: Mapping[str, pa.DataType]
    extra: Mapping[str, pa.DataType]
    run_id: str  # of the run that writes, recorded per slice
    keep_dropped_text: bool = True

    def finished(self, key: str) -> dict[str, Any] | None:
        """The record of a finished slice, else None."""
        path = self.folder / f"{key}.json"
        return read_json(path) if path.exists() else None

    def write(
        self,
        key: str,
        source: str,
        kept: pa.Table,
        dropped: pa.Table,
        stats: list[StageStats],
        errors: list[dict[str, Any]],
    ) -> dict[str, Any]:
        """Stores a slice and returns its record."""
        hidden = [pa.field(ROW, pa.int64()), *(pa.field(k, v) for k, v in self.extra.items())]
        tables = {
            "kept": conform(kept, pa.schema([*dataset_schema(self.annotations), *hidden])),
            "dropped": conform(dropped, pa.schema([*dropped_schema(self.annotations), *hidden])),
        }
        if not self.keep_dropped_text:
            tables["dropped"] = without_text(tables["dropped"])
        record: dict[str, Any] = {"key": key, "source": source, "run": self.run_id}
        for name, table in tables.items():
            path = self.path(key, name)
            write_parquet(path, table, level=1)
            size = text_bytes(table["text"])
            record[name] = {"rows": len(table), "text_bytes": size, "sha256": sha256(path)}
        record["stats"] = [s.to_dict() for s in stats]
        record["errors"] = errors
        record["failed"] = _failures(tables["dropped"])
        write_json(self.folder / f"{key}.json", record)
        return record

    def path(self, key: str, which: str) -> Path:
        """The file of a slice's `kept` or `dropped` rows."""
        return self.folder / f"{key}.{which}.parquet"

    def read(self, key: str, which: str = "kept", columns: list[str] | None = None) -> pa.Table:
        """The rows of a slice."""
        try:
            return pq.read_table(self.path(key, which), columns=columns)
        except (pa.ArrowInvalid, FileNotFoundError) as error:
            raise damaged(self.path(key, which), error) from None


def _failures(dropped: pa.Table) -> list[dict[str, str]]:
    """The first few documents on which a stage failed, for the message if there are too many."""
    failed = dropped.filter(pc.equal(dropped["drop_reason"], "error"))[:3]
    rows: list[dict[str, str]] = failed.select(["id", "drop_stage", "drop_value"]).to_pylist()
    return rows


def without_text(table: pa.Table) -> pa.Table:
    """`table` with every text null: rejected text may hold what must not be kept."""
    place = table.column_names.index("text")
    return table.set_column(place, "text", pa.nulls(len(table), pa.string()))


def cut(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in slices of at most SLICE_BYTES and SLICE_ROWS (one larger row stands alone).

    Where a slice ends depends on the rows only, not on how they arrive.
    """
    waiting: list[pa.Table] = []
    sizes: npt.NDArray[np.int64] = np.zeros(0, np.int64)
    for table in tables:
        waiting.append(table)
        sizes = np.concatenate([sizes, _row_bytes(table)])
        while (end := _slice_end(sizes)) is not None:
            joined = pa.concat_tables(waiting)
            yield joined[:end]
            waiting, sizes = [joined[end:]], sizes[end:]
    if len(sizes):
        yield pa.concat_tables(waiting)


def _slice_end(sizes: npt.NDArray[np.int64]) -> int | None:
    """Rows of the first slice, or None while more rows could still join it."""
    fits = int(np.searchsorted(np.cumsum(sizes), SLICE_BYTES, side="right"))
    end = min(max(fits, 1), SLICE_ROWS)
    return end if end < len(sizes) else None


def _row_bytes(table: pa.Table) -> npt.NDArray[np.int64]:
    total = np.zeros(len(table), np.int64)
    for name in ("text", "raw"):
        lengths = pc.fill_null(pc.binary_length(table[name]), 0)
        total += lengths.to_numpy().astype(np.int64)
    return total
