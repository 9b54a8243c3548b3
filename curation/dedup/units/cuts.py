"""Cutting what repeats: the spans that go from each document, and the documents that go whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation import text
from curation.dedup.units.finder import UnitFinder
from curation.dedup.units.repeats import entries_of
from curation.dedup.units.runs import Run
from curation.dedup.units.spans import Flags, Spans, chars_cut, cut_flags, spans_of
from curation.document import conform
from curation.files import read_json, write_json, write_parquet
from curation.mapped import column, map_table
from curation.rounds import CorpusSlice
from curation.stage import DECISION_SCHEMA, EDIT_SCHEMA
from curation.text import Hashes

REASON = "max_cut_frac"
COUNTED = ("cut", "cut_chars", "edited", "dropped")
SHOWN_CHARS = 200  # of a line in the report


@dataclass(frozen=True)
class CutJob:
    """Cuts what repeats from the documents of a run."""

    finder: UnitFinder
    run: Run
    number: int  # of the run
    repeats: tuple[Path, ...]
    spare_first: bool
    max_cut_frac: float | None
    folder: Path

    def path(self, what: str) -> Path:
        """The file of its `edits` or `decisions`."""
        return self.folder / f"{what}-{self.number:06d}.parquet"


@dataclass(frozen=True)
class Targets:
    """The hashes that are cut, ascending, and whether the next unit of each stays."""

    first: Hashes
    second: Hashes
    spared: Flags


def cut_run(job: CutJob) -> dict[str, int]:
    """Writes edits and decisions; returns counts, of `COUNTED`."""
    done = job.folder / f"cut-{job.number:06d}.json"
    if not done.exists():
        targets = _targets(job)
        parts = [_cut_slice(job, part, targets) for part in job.run.slices if len(targets.first)]
        edits = pa.concat_tables([*(e for e, _, _ in parts), EDIT_SCHEMA.empty_table()])
        gone = pa.concat_tables([*(d for _, d, _ in parts), DECISION_SCHEMA.empty_table()])
        write_parquet(job.path("edits"), edits)
        write_parquet(job.path("decisions"), gone)
        write_json(done, {name: sum(c[name] for _, _, c in parts) for name in COUNTED})
    counts: dict[str, int] = read_json(done)
    return counts


def _targets(job: CutJob) -> Targets:
    entries, is_first = entries_of(job.number, job.repeats)
    table = map_table(job.run.path)
    spared = (is_first == 1) & job.spare_first
    return Targets(column(table, "first")[entries], column(table, "second")[entries], spared)


def _cut_slice(
    job: CutJob, part: CorpusSlice, targets: Targets
) -> tuple[pa.Table, pa.Table, dict[str, int]]:
    """The edits and decisions of one slice, and what they add up to."""
    table = part.read(job.finder.reads)
    units = job.finder.find(table, part.source)
    flags = cut_flags(units, targets.first, targets.second, targets.spared)
    spans = spans_of(units, flags)
    cut, whole = chars_cut(*text.buffers(table["text"]), spans)
    frac = cut / np.maximum(whole, 1)
    goes = np.zeros(len(frac), np.bool_) if job.max_cut_frac is None else frac > job.max_cut_frac
    stays = (cut > 0) & ~goes
    counts = {
        "cut": int((flags & ~goes[units.row]).sum()),
        "cut_chars": int(cut[stays].sum()),
        "edited": int(stays.sum()),
        "dropped": int(goes.sum()),
    }
    gone = _decisions(part.number, np.flatnonzero(goes), frac[goes], job.max_cut_frac)
    return _edits(part.number, spans, ~goes), gone, counts


def _edits(number: int, spans: Spans, stays: Flags) -> pa.Table:
    kept = stays[spans.row]
    columns = {
        "slice": np.full(int(kept.sum()), number),
        "row": spans.row[kept],
        "start": spans.start[kept],
        "stop": spans.stop[kept],
    }
    return conform(pa.table(columns), EDIT_SCHEMA)


def _decisions(number: int, rows: Any, frac: Any, threshold: float | None) -> pa.Table:
    columns = {
        "slice": np.full(len(rows), number),
        "row": rows,
        "drop_reason": pa.repeat(pa.scalar(REASON), len(rows)),
        "drop_value": pc.cast(pa.array(frac, pa.float64()), pa.string()),
        "drop_threshold": pa.repeat(pa.scalar(str(threshold)), len(rows)),
    }
    return conform(pa.table(columns), DECISION_SCHEMA)


@dataclass(frozen=True)
class SampleJob:
    """Reads back units of one slice, each known by its row and hash."""

    finder: UnitFinder
    part: CorpusSlice
    wanted: tuple[tuple[int, int, int], ...]  # row and the halves of the hash


def read_samples(job: SampleJob) -> list[tuple[str, str]]:
    """(id of the document, the unit's beginning) of each."""
    table = job.part.read(["id", *job.finder.reads])
    found = []
    for row, first, second in job.wanted:
        one = table[row : row + 1]
        units = job.finder.find(one, job.part.source)
        same = (units.first == np.uint64(first)) & (units.second == np.uint64(second))
        at = int(np.flatnonzero(same)[0])
        data = one["text"][0].as_py().encode()[units.start[at] : units.stop[at]]
        found.append((one["id"][0].as_py(), data.decode()[:SHOWN_CHARS]))
    return found
