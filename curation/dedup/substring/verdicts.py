"""What `substring_dedup` drops and cuts, per group of slices, and the counts of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.dedup.substring.repeated_spans import (
    Spans,
    count_bytes,
    describe_spans,
    find_spans,
    inward,
    marks_between,
    name_first_copies,
    paint,
)
from curation.dedup.substring.setup import MARK_FIELDS, Group, Setup, map_records
from curation.dedup.substring.spill import spill, write_array
from curation.document import conform
from curation.files import read_json, write_json, write_parquet
from curation.rounds import CorpusSlice
from curation.stage import DECISION_SCHEMA, EDIT_SCHEMA
from curation.text import Bytes, Offsets

SPAN_FIELDS = 5


@dataclass(frozen=True)
class SpansJob:
    """Finds the spans of a group that marks make."""

    setup: Setup
    group: Group
    marks: tuple[Path, ...]
    name: str


@dataclass(frozen=True)
class Found:
    """The repeated spans of a slice."""

    part: CorpusSlice
    base: int
    data: Bytes
    offsets: Offsets
    cover: Bytes  # see `paint`
    spans: Spans


def repeated_spans(job: SpansJob) -> Iterator[Found]:
    """The spans of every slice of a group."""
    marks = [map_records(path, MARK_FIELDS, np.int64) for path in job.marks]
    sources = job.setup.sources
    for part, base, data, offsets in job.group.texts():
        ranges = [marks_between(m, base, base + int(offsets[-1])) for m in marks]
        ours = [m[a:b] for m, (a, b) in zip(marks, ranges, strict=True) if a < b]
        cover = np.zeros(int(offsets[-1]), np.uint8)
        for some in ours:
            paint(cover, base, some, sources)
        spans = find_spans(cover, offsets, job.setup.min_bytes)
        for some in ours:
            name_first_copies(spans, base, some)
        inward(spans, data, offsets)
        yield Found(part, base, data, offsets, cover, spans)


def weigh(job: SpansJob) -> None:
    """Writes the share of every document's bytes that is repeated."""
    path = job.setup.file(f"shares-{job.name}", job.group.number, ".npy")
    if path.exists():
        return
    shares = [np.zeros(0)]
    for found in repeated_spans(job):
        lengths = np.diff(found.offsets)
        cut = np.bincount(found.spans.row, found.spans.stop - found.spans.start, len(lengths))
        shares.append(cut / np.maximum(lengths, 1))
    write_array(path, np.concatenate(shares))


def cuts_file(setup: Setup, group: Group) -> Path:
    """Where the cuts of a group stand."""
    return setup.file("cuts", group.number, ".parquet")


def drops_file(setup: Setup, group: Group) -> Path:
    """Where the documents of a group that go stand."""
    return setup.file("drops", group.number, ".parquet")


def cut_spans_of(job: SpansJob) -> dict[str, Any]:
    """Writes decisions and edits of a group; how much is repeated, as JSON."""
    setup, number = job.setup, job.group.number
    path = setup.file("counts", number, ".json")
    if path.exists():
        return dict(read_json(path))
    shares = _shares(setup, job.group)
    cuts, drops = [EDIT_SCHEMA.empty_table()], [DECISION_SCHEMA.empty_table()]
    counts: Counter[str] = Counter()
    with spill(
        setup.file("spans", number), setup.partitions, SPAN_FIELDS, setup.memory // 8
    ) as out:
        at = 0
        for found in repeated_spans(job):
            ours = shares[at : at + len(found.offsets) - 1]
            at += len(ours)
            gone = ours > (1 if setup.max_repeated_frac is None else setup.max_repeated_frac)
            drops.append(_decisions(found, ours, gone, setup.max_repeated_frac))
            spans = _of_rows(found.spans, ~gone)
            cuts.append(_edits(found, spans))
            counts.update(_counts(found, spans))
            counts["documents_dropped"] += int(gone.sum())
            out.add(describe_spans(spans, found.data, found.base))
    write_parquet(drops_file(setup, job.group), pa.concat_tables(drops))
    write_parquet(cuts_file(setup, job.group), pa.concat_tables(cuts))
    write_json(path, dict(counts))
    return dict(counts)


def _shares(setup: Setup, group: Group) -> npt.NDArray[np.float64]:
    """Of every document, the share that decides whether it goes."""
    if setup.max_repeated_frac is None:
        return np.zeros(sum(one.rows for one in group.slices))
    return setup.shares("drops", group.number)


def _of_rows(spans: Spans, keep: npt.NDArray[np.bool_]) -> Spans:
    mask = keep[spans.row]
    return Spans(*(column[mask] for column in spans))


def _decisions(
    found: Found,
    shares: npt.NDArray[np.float64],
    gone: npt.NDArray[np.bool_],
    most: float | None,
) -> pa.Table:
    rows = np.flatnonzero(gone)
    table = pa.table(
        {
            "slice": np.full(len(rows), found.part.number),
            "row": rows,
            "drop_reason": pa.array(["max_repeated_frac"] * len(rows), pa.string()),
            "drop_value": pa.array(shares[rows]).cast(pa.string()),
            "drop_threshold": pa.array([str(most)] * len(rows), pa.string()),
        }
    )
    return conform(table, DECISION_SCHEMA)


def _edits(found: Found, spans: Spans) -> pa.Table:
    begins = found.offsets[spans.row]
    columns = [
        np.full(len(spans.row), found.part.number),
        spans.row,
        spans.start - begins,
        spans.stop - begins,
    ]
    return pa.table(columns, schema=EDIT_SCHEMA)


def _counts(found: Found, spans: Spans) -> dict[str, int]:
    """Sums; `from N` counts the spans of N to 2 N - 1 bytes, N a power of two."""
    within, across = count_bytes(spans, found.cover)
    lengths = spans.stop - spans.start
    powers, numbers = np.unique(np.floor(np.log2(lengths)).astype(int), return_counts=True)
    sizes = {f"from {1 << power}": int(n) for power, n in zip(powers, numbers, strict=True)}
    return {
        "spans": len(lengths),
        "documents_cut": len(np.unique(spans.row)),
        "bytes_within_sources": int(within),
        "bytes_across_sources": int(across),
        **sizes,
    }
