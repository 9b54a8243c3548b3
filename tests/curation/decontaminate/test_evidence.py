"""Evidence: files in every format, and what is wrong with others."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.decontaminate.evidence import EVIDENCE_SCHEMA, evidence_files, read_evidence
from curation.decontaminate.stage import Decontaminate
from curation.errors import UserError
from tests.corpora import write_jsonl

ROW = {"suite": "s", "item": "1", "field": "question", "text": "Who?\u2028Why?"}


def test_evidence_is_read_from_parquet_and_json(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([ROW, ROW]), tmp_path / "a.parquet")
    write_jsonl(tmp_path / "b.jsonl", [{**ROW, "more": [1]}])
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress((json.dumps(ROW) + "\n\n").encode()))
    table = read_evidence(evidence_files([tmp_path]))
    assert table.schema == EVIDENCE_SCHEMA
    assert table.to_pylist() == [ROW] * 4


def test_texts_alone_are_items_of_the_file(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "panel.jsonl", [{"text": "one"}, {"text": "two"}])
    (tmp_path / "quiz.txt").write_text("\ufeffthree\n\nfour", "utf-8")
    found = read_evidence(evidence_files([tmp_path])).to_pylist()
    assert [(row["suite"], row["item"], row["field"], row["text"]) for row in found] == [
        ("panel", "1", "text", "one"),
        ("panel", "2", "text", "two"),
        ("quiz", "1", "text", "three"),
        ("quiz", "2", "text", "four"),
    ]


def test_folders_are_read_in_order_and_files_once(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a/z.parquet", "a/y.txt.zst", "README.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    names = [str(p.relative_to(tmp_path)) for p in evidence_files([tmp_path / "b.jsonl", tmp_path])]
    assert names == ["b.jsonl", "a/y.txt.zst", "a/z.parquet"]


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([{"item": "1", "text": "x"}], "bad.jsonl: there is no column suite, field"),
        ([{"suite": "s", "item": "1", "field": "question"}], "no column text"),
        ([ROW, {**ROW, "text": None}], "bad.jsonl, line 2: 'text' must be a string, got None"),
        ([ROW, {**ROW, "item": 7}], "line 2: 'item' must be a string, got 7"),
        ([ROW, {**ROW, "field": "title"}], "line 2: 'title' is no field of an item"),
        ([["x"]], "line 1: is not a JSON object"),
        ([], "there is no evidence in .*bad.jsonl"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, rows: list[Any], what: str) -> None:
    path = write_jsonl(tmp_path / "bad.jsonl", rows)
    with pytest.raises(UserError, match=what) as error:
        Decontaminate(against=(path,)).check()
    assert error.value.hint


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.parquet", b"PAR1 no", "cannot be read as Parquet"),
        ("a.jsonl", b'{"text": "a"}\n{"text"', "a.jsonl, line 2: is not JSON"),
        ("a.txt", b"good\nb\xffd\n", "a.txt, line 2: is not UTF-8"),
        ("a.jsonl.gz", gzip.compress(b'{"text": "a"}\n' * 99)[:-20], "is damaged"),
        ("a.csv", b"text\n", "cannot be told from its name"),
    ],
    ids=["parquet", "json", "bytes", "cut", "name"],
)
def test_unreadable_files_are_named(tmp_path: Path, name: str, content: bytes, what: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=what):
        Decontaminate(against=(path,)).check()


def test_missing_file_and_folder_without_evidence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none.jsonl cannot be read: No such file"):
        Decontaminate(against=(tmp_path / "none.jsonl",)).check()
    with pytest.raises(UserError, match="there is no evidence"):
        Decontaminate(against=(tmp_path,)).check()


@pytest.mark.parametrize(
    ("table", "what"),
    [
        (pa.table({**{n: ["a"] for n in ("suite", "item", "text")}, "field": [1]}), "is int64"),
        (pa.table({"text": ["a", None]}), "row 2: 'text' is null"),
        (pa.table({"question": ["a"]}), "no column suite, item, field, text"),
    ],
)
def test_wrong_parquet_columns_are_named(tmp_path: Path, table: pa.Table, what: str) -> None:
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(UserError, match=what):
        read_evidence([tmp_path / "a.parquet"])


def test_stage_depends_on_what_evidence_holds_not_where_it_lies(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "folder" / "a.jsonl", [ROW])
    ((_, stage),) = Decontaminate(against=(tmp_path / "folder",)).expand("label")
    assert stage.files() == {"against": (path,)}
