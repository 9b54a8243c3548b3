"""A dataset on disk: Parquet shards and `manifest.json`, written last; its presence means complete.

`dataset/` holds what stayed, `dropped/` beside it what went and why.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curation.document import conform, dataset_schema, dropped_schema
from curation.errors import UserError
from curation.files import read_json, sha256, write_row_groups
from curation.workshop import Pass, Workshop

SHARD_BYTES = 128_000_000  # of text: about 50 MB of Parquet
GROUP_BYTES = 8_000_000  # of a row group, at least: what a reader of the dataset holds at a time


@dataclass(frozen=True)
class Dataset:
    """A finished dataset folder."""

    folder: Path

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest.

        Raises:
            UserError: there is none: the folder is no dataset, or was not finished.
        """
        path = self.folder / "manifest.json"
        if not path.exists():
            raise UserError(
                "is not a finished dataset: it has no manifest.json",
                where=str(self.folder),
                hint="Run `tilth run` on its recipe; it continues where it stopped",
            )
        manifest: dict[str, Any] = read_json(path)
        return manifest

    @property
    def shards(self) -> list[Path]:
        """The Parquet files, in corpus order."""
        return [self.folder / shard["file"] for shard in self.manifest["shards"]]

    def batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All rows, in corpus order, a bounded number at a time."""
        for shard in self.shards:
            yield from pq.ParquetFile(shard).iter_batches(batch_size=4096, columns=columns)


@dataclass(frozen=True)
class ShardJob:
    """Joins consecutive slices to one shard."""

    path: Path
    slices: tuple[Path, ...]
    schema: pa.Schema


def write_shard(job: ShardJob) -> dict[str, Any]:
    """Writes a shard and returns its manifest entry."""
    rows = write_row_groups(job.path, job.schema, _row_groups(job))
    size = job.path.stat().st_size
    return {"file": job.path.name, "rows": rows, "bytes": size, "sha256": sha256(job.path)}


def _row_groups(job: ShardJob) -> Iterator[pa.Table]:
    """Consecutive slices, as many together as make a row group; a shard never stands in memory."""
    waiting: list[pa.Table] = []
    for path in job.slices:
        waiting.append(conform(pq.read_table(path), job.schema))
        if sum(table.nbytes for table in waiting) >= GROUP_BYTES:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def write_shards(
    workshop: Workshop,
    folder: Path,
    passes: Sequence[Pass],
    which: str,
    annotations: Mapping[str, pa.DataType],
) -> list[dict[str, Any]]:
    """Joins the `kept` or `dropped` slices of passes to shards; returns their manifest entries."""
    schema = (dataset_schema if which == "kept" else dropped_schema)(annotations)
    if folder.exists():
        shutil.rmtree(folder)  # shards of an earlier recipe of this name
    folder.mkdir(parents=True)
    groups = list(_groups(passes, which))
    jobs = [
        ShardJob(folder / f"{i:05d}.parquet", tuple(group), schema)
        for i, group in enumerate(groups)
    ]
    num_bytes = sum(p.text_bytes for p in passes)
    entries = workshop.run(f"write {folder.name}", write_shard, jobs, num_bytes)
    return sorted(entries, key=lambda entry: str(entry["file"]))


def _groups(passes: Sequence[Pass], which: str) -> Iterator[list[Path]]:
    """Slices in corpus order, as many to a group as fill a shard."""
    group: list[Path] = []
    size = 0
    for one in passes:
        for record in one.slices:
            if record[which]["rows"] == 0:
                continue
            group.append(one.store.path(record["key"], which))
            size += record[which]["text_bytes"]
            if size >= SHARD_BYTES:
                yield group
                group, size = [], 0
    if group:
        yield group
