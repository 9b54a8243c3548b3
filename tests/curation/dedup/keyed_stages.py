"""Runs a stage that drops duplicates over a table, cut into slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from curation.dedup.duplicates import DuplicateStage


def evidence_of(stage: DuplicateStage, table: pa.Table, sizes: Sequence[int]) -> pa.Table:
    """The evidence of slices of such sizes, in corpus order."""
    parts, start = [], 0
    for number, size in enumerate(sizes):
        part = table[start : start + size].select(["id", *stage.reads])
        found = stage.evidence(part)
        found = found.append_column("id", part["id"].take(found["row"]))
        parts.append(found.append_column("slice", pa.array([number] * len(found), pa.int64())))
        start += size
    assert start == len(table)
    return pa.concat_tables(parts)


def decisions(
    stage: DuplicateStage,
    table: pa.Table,
    sizes: Sequence[int] | None = None,
    partitions: int = 1,
) -> list[dict[str, Any]]:
    """The decisions, each with its `row` in the whole table; keys are dealt over partitions."""
    sizes = [len(table)] if sizes is None else sizes
    found = evidence_of(stage, table, sizes)
    part = np.asarray(found["key"]) % np.uint64(partitions)
    begins = np.cumsum([0, *sizes])
    gone = []
    for number in range(partitions):
        for row in stage.resolve(found.filter(pa.array(part == number))).to_pylist():
            row["row"] += int(begins[row.pop("slice")])
            gone.append(row)
    return sorted(gone, key=lambda row: row["row"])


def gone(stage: DuplicateStage, table: pa.Table) -> list[tuple[str, str]]:
    """(id, survivor) of the documents that go, in order."""
    ids = table["id"].to_pylist()
    return [(ids[row["row"]], row["survivor_id"]) for row in decisions(stage, table)]
