"""What runs as one unit of work: reading a split, a fused pass over a slice.

Every function here is pure: a picklable job in, files and a small record out. Running a job again
after a crash finds what is finished and does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation.deciding import VerdictFiles
from curation.document import DROP_FIELDS, conform, make_id, text_bytes
from curation.files import read_json, write_json
from curation.process import ROW, PlannedStage, StageStats, drop_rows, process, removed_chars
from curation.slices import SliceStore, cut
from curation.sources.inputs import Split
from curation.sources.source import ReadLog, Source
from curation.spans import Rows, cut_spans
from curation.stage import DECISION_SCHEMA, EDIT_SCHEMA, PLACE_SCHEMA

PATH, OFFSET = "_path", "_offset"  # where a document stands in its source
PLACE = {PATH: pa.string(), OFFSET: pa.int64()}


@dataclass(frozen=True)
class ReadJob:
    """Reads consecutive splits of a source, one large or many small, and extracts their text."""

    source: Source
    splits: tuple[Split, ...]
    number: int  # of the job in its source
    extractor: PlannedStage | None
    store: SliceStore


def read_splits(job: ReadJob) -> dict[str, Any]:
    """Writes the slices of a job; returns their records and what the reading met."""
    end = job.store.folder / f"split-{job.number:05d}.json"
    if end.exists():
        found: dict[str, Any] = read_json(end)
        return found
    log, records = ReadLog(), []
    tables = (table for split in job.splits for table in job.source.read(split, log))
    for part, table in enumerate(cut(tables)):
        key = f"{job.number:05d}-{part:05d}"
        records.append(job.store.finished(key) or _extract(job, key, table))
    result: dict[str, Any] = {"number": job.number, "slices": records}
    result |= {"errors": log.errors, "skipped": log.skipped, "repaired": log.repaired}
    write_json(end, result)
    return result


def _extract(job: ReadJob, key: str, table: pa.Table) -> dict[str, Any]:
    places = zip(table["path"].to_pylist(), table["offset"].to_pylist(), strict=True)
    made = pa.array([record_id(job.source.name, path, offset) for path, offset in places])
    table = table.set_column(0, "id", pc.coalesce(table["id"], made))
    table = table.rename_columns({"path": PATH, "offset": OFFSET})
    table = table.append_column(ROW, pa.array(np.arange(len(table))))
    name = pa.repeat(pa.scalar(job.source.name), len(table))
    table = table.append_column("source", name)
    if not job.source.yields_raw:
        table = table.drop_columns(["raw", "content_type"])
    kept, dropped, stats = process(table, [job.extractor] if job.extractor else [])
    return job.store.write(key, job.source.name, kept, dropped, stats, [])


def record_id(source: str, path: str, offset: int) -> str:
    """The id of a document that brings none, from where it stands."""
    return make_id(f"{source}\0{path}", offset)


@dataclass(frozen=True)
class Reuse:
    """An earlier pass with the same measurements: decide again from stage `resume_at` on."""

    store: SliceStore
    resume_at: int


@dataclass(frozen=True)
class LocalJob:
    """A fused pass over one slice of the step before."""

    number: int  # of the slice among all of the pass, as decisions name it
    source: str
    parent: SliceStore
    parent_key: str
    stages: tuple[PlannedStage, ...]
    store: SliceStore
    label: str | None = None  # of the global stage whose decisions come first
    verdicts: VerdictFiles = field(default_factory=VerdictFiles)
    columns: Mapping[str, pa.DataType] = field(default_factory=dict)  # that its annotations fill
    renames: tuple[Path, ...] = ()  # documents whose id occurred before
    held_out: Path | None = None
    reuse: Reuse | None = None

    @property
    def key(self) -> str:
        """The slice's name in its store."""
        return f"{self.number:06d}"


FirstDrop = Callable[[LocalJob, pa.Table], tuple[pa.Table, pa.Table, int]]


def run_slice(job: LocalJob) -> dict[str, Any]:
    """Writes one slice and returns its record."""
    done = job.store.finished(job.key)
    if done is not None:
        return done
    if job.reuse is not None:
        return _decide_again(job, job.reuse)
    table = job.parent.read(job.parent_key)
    table, errors = _rename(job, table)
    parts, stats = [], []
    for first_drop in _first_drops(job):
        kept, dropped, removed = first_drop(job, table)
        parts.append(dropped)
        stats.append(_counts(table, kept, dropped, removed))
        table = kept
    table = table.set_column(
        table.column_names.index(ROW), ROW, pa.array(np.arange(len(table)), pa.int64())
    )
    kept, dropped, more = process(table, job.stages)
    gone = pa.concat_tables([*parts, dropped], promote_options="permissive")
    return job.store.write(job.key, job.source, kept, gone, stats + more, errors)


def first_labels(held_out: bool, decided_by: str | None) -> list[str]:
    """The stages that a pass accounts for before its own."""
    labels = ["held_out"] if held_out else []
    return [*labels, decided_by] if decided_by else labels


def _first_drops(job: LocalJob) -> list[FirstDrop]:
    """What drops documents before the stages, in the order of `first_labels`."""
    first: list[FirstDrop] = [_set_apart] if job.held_out else []
    return [*first, _apply_verdicts] if job.label else first


def _counts(before: pa.Table, kept: pa.Table, dropped: pa.Table, removed: int) -> StageStats:
    stats = StageStats(len(before), len(kept), text_bytes(before["text"]), text_bytes(kept["text"]))
    stats.removed_chars = removed
    stats.reasons.update(dropped["drop_reason"].to_pylist())
    return stats


def _set_apart(job: LocalJob, table: pa.Table) -> tuple[pa.Table, pa.Table, int]:
    """Drops the documents that the judge's panels claim."""
    held = pq.read_table(job.held_out)
    places = zip(table[PATH].to_pylist(), table[OFFSET].to_pylist(), strict=True)
    records = pa.array([record_id(job.source, p, o) for p, o in places], pa.string())
    where = pc.index_in(records, value_set=held["record"].combine_chunks())
    gone = table.filter(pc.is_valid(where))
    why = held["why"].take(where.drop_null())
    dropped = drop_rows(gone, drop_stage="held_out", drop_reason="held_out", drop_value=why)
    return table.filter(pc.is_null(where)), dropped, 0


def _apply_verdicts(job: LocalJob, table: pa.Table) -> tuple[pa.Table, pa.Table, int]:
    """Drops, cuts and adds what the global stage before this step decided."""
    table = _annotate(job, table)
    ours = read_decisions(job.verdicts.decisions, job.number)
    gone = table.take(ours["row"])
    fields = {name: ours[name] for name in ours.column_names if name in DROP_FIELDS.names}
    dropped = drop_rows(gone, drop_stage=job.label, **fields)
    keep = np.ones(len(table), bool)
    keep[ours["row"].to_numpy()] = False
    spans = _spans(job)
    if len(spans[0]) == 0:
        return table.filter(pa.array(keep)), dropped, 0
    kept, emptied, removed = _cut(table, pa.array(keep), spans)
    emptied = drop_rows(emptied, drop_stage=job.label, drop_reason="empty_text")
    return kept, pa.concat_tables([dropped, emptied]), removed


def _cut(
    table: pa.Table, keep: pa.BooleanArray, spans: tuple[Rows, Rows, Rows]
) -> tuple[pa.Table, pa.Table, int]:
    """(rows of `keep` after the cuts, those left blank as they were, characters removed)."""
    texts = cut_spans(table["text"], *spans)
    place = table.column_names.index("text")
    blank = np.asarray(keep) & np.isin(np.arange(len(table)), spans[0])
    blank &= np.asarray(pc.fill_null(pc.equal(pc.utf8_trim_whitespace(texts), ""), False))
    stays = pa.array(np.asarray(keep) & ~blank)
    before, after = table.filter(stays), table.set_column(place, "text", texts).filter(stays)
    return after, table.filter(pa.array(blank)), removed_chars(before, after)


def _annotate(job: LocalJob, table: pa.Table) -> pa.Table:
    """The table with the columns of the global stage; null where it has none of a document."""
    schema = pa.schema([*PLACE_SCHEMA, *job.columns.items()])
    parts = [
        _of_slice(f, job.number).rename_columns(schema.names) for f in job.verdicts.annotations
    ]
    ours = pa.concat_tables([*parts, schema.empty_table()]).combine_chunks()
    places = pc.index_in(pa.array(np.arange(len(table))), value_set=pa.array(ours["row"]))
    for name in job.columns:
        table = table.append_column(name, ours[name].take(places))
    return table


def _spans(job: LocalJob) -> tuple[Rows, Rows, Rows]:
    """Rows, starts and stops of what is cut from this slice."""
    table = _read(job.verdicts.edits, job.number, EDIT_SCHEMA).sort_by(
        [("row", "ascending"), ("start", "ascending")]
    )
    row, start, stop = (table[name].to_numpy() for name in ("row", "start", "stop"))
    return row, start, stop


def _rename(job: LocalJob, table: pa.Table) -> tuple[pa.Table, list[dict[str, Any]]]:
    """Gives documents whose id occurred before an id of their own, and reports them."""
    rows = read_decisions(job.renames, job.number)["row"].to_pylist()
    if not rows:
        return table, []
    ids, errors = table["id"].to_pylist(), []
    for row in rows:
        path, offset = table[PATH][row].as_py(), table[OFFSET][row].as_py()
        old, new = ids[row], f"{ids[row]}~{record_id(job.source, path, offset)[:12]}"
        ids[row] = new
        message = f"id '{old}' occurred before; this document is kept as '{new}'"
        errors.append({"path": path, "offset": offset, "kind": "duplicate_id", "message": message})
    return table.set_column(0, "id", pa.array(ids, pa.string())), errors


def _decide_again(job: LocalJob, reuse: Reuse) -> dict[str, Any]:
    """The same slice under other thresholds, measuring only what was never measured."""
    old = reuse.store.finished(job.key)
    assert old is not None
    kept, dropped = reuse.store.read(job.key), reuse.store.read(job.key, "dropped")
    earlier = first_labels(job.held_out is not None, job.label)
    earlier += [planned.label for planned in job.stages[: reuse.resume_at]]
    stays = pc.is_in(dropped["drop_stage"], value_set=pa.array(earlier, pa.string()))
    back = dropped.filter(pc.invert(stays)).select(kept.column_names)
    table = pa.concat_tables([kept, back]).sort_by(ROW)
    kept, gone, more = process(table, job.stages, reuse.resume_at)
    gone = pa.concat_tables([dropped.filter(stays), gone], promote_options="permissive")
    stats = [StageStats.from_dict(s) for s in old["stats"][: len(earlier)]] + more
    return job.store.write(job.key, job.source, kept, gone, stats, old["errors"])


def read_decisions(files: tuple[Path, ...], number: int) -> pa.Table:
    """All decisions on slice `number`, by row."""
    return _read(files, number, DECISION_SCHEMA).sort_by("row")


def _read(files: tuple[Path, ...], number: int, schema: pa.Schema) -> pa.Table:
    parts = [conform(_of_slice(f, number), schema) for f in files]  # of an earlier version, too
    return pa.concat_tables([*parts, schema.empty_table()])


def _of_slice(file: Path, number: int) -> pa.Table:
    return pq.read_table(file, filters=[("slice", "==", number)])
