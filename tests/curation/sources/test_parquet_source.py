"""Parquet: kinds of text columns, splits, damage."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.sources import parquet as parquet_module
from curation.sources.source import formats


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())]
)
def test_parquet_text_of_any_kind_is_read(tmp_path, read, kind):
    text = pa.array(["one", None, "", "  \n", "fünf", "si\0x"]).cast(kind)
    pq.write_table(pa.table({"id": range(6), "text": text}), tmp_path / "a.parquet")
    got = read("parquet", "a.parquet")
    assert got.column("text") == ["one", "fünf", "six"]
    assert got.column("id") == ["0", "4", "5"]
    assert got.column("offset") == [0, 4, 5]
    assert sorted(got.errors) == [("empty_text", 2), ("empty_text", 3), ("null_text", 1)]
    assert got.log.repaired == {"nul_removed": 1}


def test_parquet_bytes_that_are_not_utf8_are_reported_by_row(tmp_path, read):
    text = pa.array([b"good", b"\xff\xfe", b"also"])
    pq.write_table(pa.table({"text": text}), tmp_path / "a.parquet")
    got = read("parquet", "a.parquet")
    assert (got.column("text"), got.errors) == (["good", "also"], [("invalid_utf8", 1)])


def test_parquet_string_column_with_invalid_utf8_is_reported_by_row(tmp_path, read):
    raw = pa.array([b"good", b"\xff\xfe"])
    text = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    pq.write_table(pa.table({"text": text}), tmp_path / "a.parquet")
    got = read("parquet", "a.parquet")
    assert (got.column("text"), got.errors) == (["good"], [("invalid_utf8", 1)])


def test_parquet_other_columns_go_to_meta(tmp_path, read):
    table = pa.table(
        {
            "text": ["t"],
            "date": [datetime.date(2020, 1, 2)],
            "x": [{"y": [1.5, float("nan")]}],
            "when": [datetime.datetime(2021, 1, 2)],
            "b": [b"\xff"],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    row = read("parquet", "a.parquet").rows[0]
    assert row["date"] == "2020-01-02"
    assert row["meta"] == '{"b":"\\\\xff","when":"2021-01-02T00:00:00","x":{"y":[1.5,null]}}'


def test_parquet_nested_text_is_named_with_a_dot(tmp_path, read):
    table = pa.table({"body": [{"text": "in", "k": 1}]})
    pq.write_table(table, tmp_path / "a.parquet")
    row = read("parquet", "a.parquet", text="body.text").rows[0]
    assert (row["text"], row["meta"]) == ("in", '{"body":{"k":1}}')


@pytest.mark.parametrize("columns", [{"body": ["x"]}, {"text": [["x"]]}, {"text": [1]}])
def test_parquet_wrong_columns_are_reported_by_file(tmp_path, read, columns):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    got = read("parquet", "a.parquet")
    assert (got.rows, got.errors) == ([], [("wrong_columns", 0)])
    assert next(iter(columns)) in got.log.errors[0]["message"]


def test_parquet_splits_are_row_groups_and_offsets_go_on(tmp_path, read, monkeypatch):
    table = pa.table({"text": [f"text {i}" for i in range(100)]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=10)
    whole = read("parquet", "a.parquet")
    monkeypatch.setattr(parquet_module, "SPLIT_BYTES", 250)
    source = formats.get("parquet")(name="s", path="a.parquet")
    assert len(source.splits(source.files(tmp_path)[0])) > 3
    assert read("parquet", "a.parquet").rows == whole.rows
    assert whole.column("offset") == list(range(100))


def test_parquet_damage_in_a_row_group_keeps_the_others(tmp_path, read):
    table = pa.table({"text": [f"text number {i} " * 50 for i in range(40)]})
    pq.write_table(
        table, tmp_path / "a.parquet", row_group_size=10, use_dictionary=False, compression="zstd"
    )
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    at = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(1).column(0).data_page_offset
    data[at : at + 60] = b"\xff" * 60
    (tmp_path / "a.parquet").write_bytes(data)
    got = read("parquet", "a.parquet")
    assert got.column("offset") == [*range(10), *range(20, 40)]
    assert got.errors == [("corrupt", 10)]
