"""Runs `decontaminate` over documents in slices, without a runner."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.decontaminate.evidence import EVIDENCE_SCHEMA
from curation.decontaminate.stage import Decontaminate
from curation.document import DOCUMENT_SCHEMA
from curation.process import ROW, drop_rows
from curation.rounds import CorpusSlice, Rounds, Verdicts
from curation.slices import SliceStore
from curation.spans import cut_spans
from curation.stage import DECISION_SCHEMA, EDIT_SCHEMA

Rows = list[dict[str, Any]]


class Outcome(NamedTuple):
    """What is left: dropped texts are None; places count through all slices."""

    texts: list[str | None]
    decisions: Rows
    hits: Rows
    items: Rows
    report: dict[str, Any]
    files: list[bytes]  # of the artifacts

    @property
    def found(self) -> list[tuple[str, str]]:
        """(document, item) of every hit."""
        return [(hit["id"], hit["item"]) for hit in self.hits]

    def state(self, item: str) -> str:
        """The state of an item."""
        return next(str(row["state"]) for row in self.items if row["item"] == item)


def write_evidence(path: Path, rows: Sequence[tuple[str, str, str, str]]) -> Path:
    """Evidence of (suite, item, field, text)."""
    columns = zip(*rows, strict=True) if rows else ([],) * 4
    arrays = [pa.array(list(column), pa.string()) for column in columns]
    pq.write_table(pa.Table.from_arrays(arrays, schema=EVIDENCE_SCHEMA), path)
    return path


def question(text: str, item: str = "q", suite: str = "quiz") -> tuple[str, str, str, str]:
    """A row of evidence."""
    return suite, item, "question", text


def in_turn(label: str, function: Any, jobs: Sequence[Any], num_bytes: int) -> list[Any]:
    """Runs jobs in order."""
    return [function(job) for job in jobs]


def in_reverse(label: str, function: Any, jobs: Sequence[Any], num_bytes: int) -> list[Any]:
    """Runs jobs in an order of their own, each twice: a killed one is done again."""
    for job in reversed(jobs):
        function(job)
    return [function(job) for job in jobs]


def decide_on(
    folder: Path,
    texts: Sequence[str | None],
    stage: Decontaminate,
    *,
    sizes: Sequence[int],
    workers: int = 1,
    max_memory: int = 100_000_000,
    execute: Any = in_turn,
) -> Verdicts:
    """What a stage decides of `texts` in slices of such sizes; document i has the id `di`."""
    slices = write_slices(folder / "slices", texts, sizes)
    (folder / "rounds").mkdir(exist_ok=True)
    rounds = Rounds(tuple(slices), folder / "rounds", workers, max_memory, execute)
    return stage.decide(rounds)


def run(
    folder: Path,
    texts: Sequence[str | None],
    evidence: Sequence[tuple[str, str, str, str]],
    *,
    sizes: Sequence[int] | None = None,
    workers: int = 1,
    max_memory: int = 100_000_000,
    execute: Any = in_turn,
    **parameters: Any,
) -> Outcome:
    """`texts` decontaminated."""
    folder.mkdir(exist_ok=True)
    path = write_evidence(folder / "evidence.parquet", evidence)
    sizes = [len(texts)] if sizes is None else sizes
    stage = Decontaminate(against=(path,), **parameters)
    given = {"sizes": sizes, "workers": workers, "max_memory": max_memory, "execute": execute}
    verdicts = decide_on(folder, texts, stage, **given)
    begins = np.cumsum([0, *sizes])
    tables = []
    for files, schema in ((verdicts.decisions, DECISION_SCHEMA), (verdicts.edits, EDIT_SCHEMA)):
        parts = [pq.read_table(file) for file in files]
        assert all(part.schema.equals(schema) for part in parts)
        table = pa.concat_tables([schema.empty_table(), *parts])
        place = pa.array(begins[np.asarray(table["slice"])] + np.asarray(table["row"]))
        tables.append(table.set_column(1, "row", place).drop_columns("slice"))
    gone, edits = tables
    spans = [edits[name].to_numpy() for name in ("row", "start", "stop")]
    left = cut_spans(pa.chunked_array([list(texts)], pa.string()), *spans).to_pylist()
    for row in gone["row"].to_pylist():
        left[row] = None
    hits, items = (pq.read_table(file).to_pylist() for file in verdicts.artifacts)
    report = json.loads(json.dumps(verdicts.report))
    artifacts = [file.read_bytes() for file in verdicts.artifacts]
    return Outcome(left, gone.to_pylist(), hits, items, report, artifacts)


def write_slices(
    folder: Path, texts: Sequence[str | None], sizes: Sequence[int]
) -> list[CorpusSlice]:
    """Slices of such sizes, of one source."""
    assert sum(sizes) == len(texts)
    store = SliceStore(folder, {}, {}, "run")
    folder.mkdir(exist_ok=True)
    found, start = [], 0
    for number, size in enumerate(sizes):
        values = {
            "id": [f"d{start + i}" for i in range(size)],
            "text": texts[start : start + size],
            "source": ["s"] * size,
        }
        arrays = [pa.array(values.get(f.name, [None] * size), f.type) for f in DOCUMENT_SCHEMA]
        table = pa.Table.from_arrays(arrays, schema=DOCUMENT_SCHEMA)
        table = table.append_column(ROW, pa.array(np.arange(size)))
        key = f"{number:06d}"
        record = store.write(key, "s", table, drop_rows(table[:0]), [], [])["kept"]
        found.append(CorpusSlice(number, "s", store, key, record["rows"], record["text_bytes"]))
        start += size
    return found
