"""JSON lines: fields, splits, compression."""

from __future__ import annotations

import json

import pytest

from curation.errors import UserError
from curation.sources import lines as lines_module
from curation.sources.inputs import InputFile
from curation.sources.source import formats


def test_jsonl_fields_go_to_their_columns_and_the_rest_to_meta(tmp_path, read):
    record = {"body": "text", "n": 7, "u": "http://a/", "d": "2020", "l": "en", "z": 1, "a": [None]}
    (tmp_path / "a.jsonl").write_text(json.dumps(record) + "\n")
    got = read("jsonl", "a.jsonl", text="body", id="n", url="u", date="d", language="l").rows
    assert got == [
        {
            "id": "7",
            "text": "text",
            "raw": None,
            "content_type": None,
            "url": "http://a/",
            "date": "2020",
            "language": "en",
            "meta": '{"a":[null],"z":1}',
            "path": "a.jsonl",
            "offset": 0,
        }
    ]


def test_jsonl_dotted_text_is_taken_out_of_its_object(tmp_path, read):
    (tmp_path / "a.jsonl").write_text('{"body": {"text": "in", "k": 1}}\n{"body.text": "flat"}\n')
    got = read("jsonl", "a.jsonl", text="body.text")
    assert got.column("text") == ["in", "flat"]
    assert got.column("meta") == ['{"body":{"k":1}}', None]


def test_jsonl_url_that_is_no_string_stays_in_meta(tmp_path, read):
    (tmp_path / "a.jsonl").write_text('{"text": "t", "date": 2020, "url": null, "id": null}\n')
    row = read("jsonl", "a.jsonl").rows[0]
    assert (row["date"], row["url"], row["id"], row["meta"]) == (None, None, None, '{"date":2020}')


@pytest.mark.parametrize("step", [1, 7, 64, 1000, 10**6])
def test_jsonl_any_splits_give_the_same_rows_and_errors(tmp_path, read, step):
    parts = [
        json.dumps({"id": i, "text": "é" * (i % 40 + 1)}, ensure_ascii=False) for i in range(60)
    ]
    parts[10] = ""
    parts[20] = "broken"
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + "\n".join(parts).encode())
    whole, split = read("jsonl", "a.jsonl"), read("jsonl", "a.jsonl", step=step)
    assert len(whole.rows) == 58
    assert split.rows == whole.rows
    assert split.errors == whole.errors


def test_jsonl_large_plain_file_is_split_and_compressed_is_not(tmp_path, monkeypatch):
    import gzip

    monkeypatch.setattr(lines_module, "SPLIT_BYTES", 100)
    data = b'{"text": "x"}\n' * 30
    (tmp_path / "a.jsonl").write_bytes(data)
    (tmp_path / "b.jsonl").write_bytes(gzip.compress(data, 0))
    source = formats.get("jsonl")(name="s", path="*.jsonl")
    plain, packed = source.files(tmp_path)
    assert [(s.start, s.end) for s in source.splits(plain)][-1] == (400, 420)
    assert [(s.start, s.end) for s in source.splits(packed)] == [(0, None)]


def test_jsonl_vanished_file_is_reported(tmp_path):
    from curation.sources.source import ReadLog, Split

    log = ReadLog()
    source = formats.get("jsonl")(name="s", path="a")
    gone = InputFile(url=str(tmp_path / "gone.jsonl"), path="gone.jsonl", size=10)
    assert list(source.read(Split(gone), log)) == []
    assert [(e["kind"], e["path"]) for e in log.errors] == [("cannot_open", "gone.jsonl")]


def test_jsonl_no_match_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="matches no file") as info:
        formats.get("jsonl")(name="s", path="*.jsonl").files(tmp_path)
    assert info.value.where == str(tmp_path)
