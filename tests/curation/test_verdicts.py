"""What the runner does with a global stage's decisions, edits and annotations on a slice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.deciding import VerdictFiles
from curation.document import conform
from curation.files import write_parquet
from curation.process import drop_rows
from curation.slices import SliceStore
from curation.stage import DECISION_SCHEMA, EDIT_SCHEMA, PLACE_SCHEMA
from curation.steps import LocalJob, run_slice

COLUMNS = {"topic.name": pa.string(), "topic.score": pa.float64()}
NUMBER = 3


def write(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> tuple[Path, ...]:
    names = [name for name in schema.names if rows and name in rows[0]]
    table = pa.Table.from_pylist(rows, pa.schema([schema.field(name) for name in names]))
    write_parquet(path, conform(table, schema))
    return (path,)


def outcome(
    folder: Path, documents: Any, verdicts: VerdictFiles, columns: Any = COLUMNS
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], LocalJob]:
    parent = SliceStore(folder / "parent", {}, {}, "run")
    table = documents(["one", "two", "three", "four"])
    parent.write("0", "s", table, drop_rows(table[:0]), [], [])
    store = SliceStore(folder / "out", columns, {}, "run")
    job = LocalJob(
        NUMBER, "s", parent, "0", (), store, label="topic", verdicts=verdicts, columns=columns
    )
    run_slice(job)
    kept, dropped = (store.read(job.key, which).to_pylist() for which in ("kept", "dropped"))
    return kept, dropped, job


def annotations(folder: Path) -> tuple[Path, ...]:
    """Of two slices in one file, and of the rest of the second in another."""
    schema = pa.schema([*PLACE_SCHEMA, ("name", pa.string()), ("score", pa.float64())])
    rows = [
        {"slice": 2, "row": 0, "name": "other slice", "score": 9.0},
        {"slice": NUMBER, "row": 0, "name": "a", "score": 0.5},
        {"slice": NUMBER, "row": 3, "name": "d", "score": 1.5},
    ]
    more = [{"slice": NUMBER, "row": 1, "name": "b", "score": 2.5}]
    first = write(folder / "first.parquet", rows, schema)
    return first + write(folder / "second.parquet", more, schema)


def test_annotations_become_columns_of_kept_and_dropped_documents(
    documents: Any, tmp_path: Path
) -> None:
    gone = [{"slice": NUMBER, "row": 1, "drop_reason": "low"}]
    edits = [{"slice": NUMBER, "row": 3, "start": 0, "stop": 2}]
    verdicts = VerdictFiles(
        write(tmp_path / "gone.parquet", gone, DECISION_SCHEMA),
        write(tmp_path / "edits.parquet", edits, EDIT_SCHEMA),
        annotations(tmp_path),
    )
    kept, dropped, _ = outcome(tmp_path, documents, verdicts)
    names = ("text", "topic.name", "topic.score")
    assert [tuple(row[name] for name in names) for row in kept] == [
        ("one", "a", 0.5),
        ("three", None, None),
        ("ur", "d", 1.5),
    ]
    assert [tuple(row[name] for name in names) for row in dropped] == [("two", "b", 2.5)]
    assert dropped[0]["drop_reason"] == "low"


def test_a_slice_without_annotations_has_null_columns(documents: Any, tmp_path: Path) -> None:
    kept, dropped, job = outcome(tmp_path, documents, VerdictFiles())
    assert [row["topic.name"] for row in kept] == [None] * 4
    assert dropped == []
    schema = job.store.read(job.key).schema
    assert schema.field("topic.score").type == pa.float64()


def test_a_stage_without_columns_adds_none(documents: Any, tmp_path: Path) -> None:
    kept, _, _ = outcome(tmp_path, documents, VerdictFiles(), {})
    assert not {name for name in kept[0] if name.startswith("topic")}
