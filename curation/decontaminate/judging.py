"""Third round: the items that documents hold, and what becomes of the documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.decontaminate.counting import Demands, Live
from curation.decontaminate.cutting import Span, span_edits
from curation.decontaminate.evidence import FIELDS
from curation.decontaminate.index import Index, map_index
from curation.decontaminate.overlap import WITH_ANSWER, Matches, find_matches
from curation.decontaminate.searching import EVIDENCE, SearchJob, read_hits, read_items
from curation.document import conform
from curation.files import read_json, write_json, write_parquet
from curation.mapped import column, map_table, write_mapped
from curation.rounds import CorpusSlice
from curation.stage import DECISION_SCHEMA, EDIT_SCHEMA

REASON = "contaminated"
SHOWN_CHARS = 500  # of what was found
HIT_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("id", pa.string()),
        ("suite", pa.string()),
        ("item", pa.string()),
        ("field", pa.string()),  # `question`, or `question+answer` if it takes both
        ("overlap", pa.float64()),
        ("words", pa.int32()),  # found
        ("start", pa.int64()),  # bytes of the text
        ("stop", pa.int64()),
        ("text", pa.string()),  # what stands there, cut to SHOWN_CHARS
    ]
)

Action = Literal["drop", "cut", "mark"]


@dataclass(frozen=True)
class JudgeJob:
    """Judges the documents of a share."""

    searched: SearchJob
    demands: Demands
    action: Action
    span: Span

    def path(self, what: str) -> Path:
        """One of its files."""
        return self.searched.folder / f"{what}-{self.searched.slices[0].number:06d}.parquet"


def save_live(live: Live, folder: Path) -> None:
    """Writes what counts, for `judge`."""
    for name, array in live._asdict().items():
        write_mapped(folder / f"live-{name}.arrow", {"value": array.astype(np.int32)})


def map_live(folder: Path) -> Live:
    """What `save_live` wrote."""
    arrays = [column(map_table(folder / f"live-{name}.arrow"), "value") for name in Live._fields]
    return Live(arrays[0].astype(np.bool_), *arrays[1:])


def judge(job: JudgeJob) -> list[tuple[str, str, int]]:
    """Writes decisions, edits and hits; returns documents by source and suite ('': of any)."""
    done = job.path("judged").with_suffix(".json")
    if not done.exists():
        folder = job.searched.folder / EVIDENCE
        index, live = map_index(folder), map_live(folder)
        items = read_items(job.searched.folder)
        tables: list[list[pa.Table]] = [
            [schema.empty_table()] for schema in (DECISION_SCHEMA, EDIT_SCHEMA, HIT_SCHEMA)
        ]
        counts: Counter[tuple[str, str]] = Counter()
        for part in job.searched.slices:
            hits = read_hits(job.searched.path("hits"), part)
            matches = find_matches(hits, index, live, job.demands)
            if len(matches.row):
                _judge_slice(job, part, matches, index, items, tables, counts)
        for name, parts in zip(("decisions", "edits", "found"), tables, strict=True):
            write_parquet(job.path(name), pa.concat_tables(parts))
        write_json(done, [[*key, n] for key, n in sorted(counts.items())])
    return [(source, suite, n) for source, suite, n in read_json(done)]


def _judge_slice(
    job: JudgeJob,
    part: CorpusSlice,
    matches: Matches,
    index: Index,
    items: pa.Table,
    tables: list[list[pa.Table]],
    counts: Counter[tuple[str, str]],
) -> None:
    rows = np.unique(matches.row)
    documents = part.read(["id", "text"]).take(pa.array(rows))
    best = _best(matches, index)
    found = _hits(part, documents, rows, Matches(*(c[best] for c in matches)), index, items)
    tables[2].append(found)
    by_row = np.searchsorted(rows, matches.row[best])
    suites = found["suite"].to_pylist()
    counts.update(
        (part.source, suite) for _, suite in set(zip(by_row.tolist(), suites, strict=True))
    )
    counts[part.source, ""] += len(rows)
    if job.action == "drop":
        tables[0].append(_decisions(part, rows, by_row, found, job.demands))
    if job.action == "cut":
        tables[1].append(span_edits(part.number, documents["text"], rows, matches, job.span))


def _best(matches: Matches, index: Index) -> np.ndarray:
    """Of each item in a document the match of the highest overlap, the first of equal ones."""
    item = index.passages.item[matches.passage]
    order = np.lexsort((matches.start, -matches.overlap, item, matches.row))
    new = np.diff(item[order], prepend=-1).astype(bool)
    new |= np.diff(matches.row[order], prepend=-1).astype(bool)
    chosen: np.ndarray = order[new]
    return chosen


def _hits(
    part: CorpusSlice,
    documents: pa.Table,
    rows: np.ndarray,
    best: Matches,
    index: Index,
    items: pa.Table,
) -> pa.Table:
    at = np.searchsorted(rows, best.row)
    texts = [text.as_py().encode() for text in documents["text"]]
    shown = [
        texts[doc][a:b].decode()[:SHOWN_CHARS]
        for doc, a, b in zip(at.tolist(), best.start, best.stop, strict=True)
    ]
    item = pa.array(index.passages.item[best.passage])
    fields = [
        FIELDS[f] + ("+answer" if kind == WITH_ANSWER else "")
        for f, kind in zip(index.passages.field[best.passage], best.kind, strict=True)
    ]
    columns = {
        "source": pa.repeat(pa.scalar(part.source), len(at)),
        "id": documents["id"].take(pa.array(at)),
        "suite": items["suite"].take(item),
        "item": items["item"].take(item),
        "field": pa.array(fields, pa.string()),
        "overlap": best.overlap,
        "words": best.words,
        "start": best.start,
        "stop": best.stop,
        "text": pa.array(shown, pa.string()),
    }
    return conform(pa.table(columns), HIT_SCHEMA)


def _decisions(
    part: CorpusSlice, rows: np.ndarray, by_row: np.ndarray, found: pa.Table, demands: Demands
) -> pa.Table:
    """Every document goes, by its hit of the highest overlap, the first of equal ones."""
    overlap = found["overlap"].to_numpy()
    order = np.lexsort((-overlap, by_row))
    first = order[np.diff(by_row[order], prepend=-1).astype(bool)]
    names = found.take(pa.array(first)).select(["suite", "item", "overlap"]).to_pylist()
    columns = {
        "slice": np.full(len(rows), part.number),
        "row": rows,
        "drop_reason": pa.repeat(pa.scalar(REASON), len(rows)),
        "drop_value": [f"{n['suite']}/{n['item']}/{n['overlap']:.3f}" for n in names],
        "drop_threshold": pa.repeat(pa.scalar(str(demands.min_overlap)), len(rows)),
    }
    return conform(pa.table(columns), DECISION_SCHEMA)


def concat_hits(files: Sequence[Path], path: Path) -> pa.Table:
    """Writes the hits of all shares as one file, whatever the shares; returns them."""
    hits = pa.concat_tables([HIT_SCHEMA.empty_table(), *map(pq.read_table, files)])
    write_parquet(path, hits)
    return hits
