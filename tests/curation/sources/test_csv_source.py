"""CSV: quoting, and bad records that do not take others with them."""

from __future__ import annotations

import gzip

import pytest


def test_csv_quoted_newlines_delimiters_and_large_fields(tmp_path, read):
    big = "y" * 300_000
    text = f'id,text,k\r\n1,"a ""b"", c\nd",v\r\n\r\n2,{big},\r\n'
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    got = read("csv", "a.csv")
    assert got.column("text") == ['a "b", c\nd', big]
    assert got.column("meta") == ['{"k":"v"}', None]
    assert got.column("offset") == [14, 36]
    assert got.errors == []


def test_csv_bad_records_lose_one_line_each(tmp_path, read):
    lines = [
        b"id,text",
        b"1,one",
        b"2,two,extra",
        b"3",
        b"4,\xff",
        b'5,"open',
        b"6,six",
        b'7,"x"y',
        b"8,",
        b"9,nine",
    ]
    (tmp_path / "a.csv").write_bytes(b"\n".join(lines))
    offset = {line: sum(len(x) + 1 for x in lines[:i]) for i, line in enumerate(lines)}
    got = read("csv", "a.csv")
    assert got.column("text") == ["one", "six", "nine"]
    assert got.errors == [
        ("bad_record", offset[b"2,two,extra"]),
        ("bad_record", offset[b"3"]),
        ("invalid_utf8", offset[b"4,\xff"]),
        ("bad_record", offset[b'5,"open']),
        ("bad_record", offset[b'7,"x"y']),
        ("empty_text", offset[b"8,"]),
    ]


def test_csv_record_over_the_limit_is_left_out(tmp_path, read):
    (tmp_path / "a.csv").write_text(f"text\n{'x' * 500}\nshort\n")
    got = read("csv", "a.csv", max_record_bytes=100)
    assert (got.column("text"), got.errors) == (["short"], [("bad_record", 5)])


@pytest.mark.parametrize("data", ["uid,body\n1,x\n", "text,text\na,b\n"])
def test_csv_wrong_header_is_reported(tmp_path, read, data):
    (tmp_path / "a.csv").write_text(data)
    assert read("csv", "a.csv").errors == [("wrong_columns", 0)]


def test_csv_utf16_and_empty_files(tmp_path, read):
    (tmp_path / "a.csv").write_text("text\nx\n", encoding="utf-16")
    (tmp_path / "b.csv").write_text("")
    got = read("csv", "*.csv")
    assert (got.rows, got.errors) == ([], [("wrong_encoding", 0)])


def test_csv_tab_separated_and_cut(tmp_path, read):
    packed = gzip.compress(b"id\ttext\n" + b"1\tsome words\n" * 5000)
    (tmp_path / "a.tsv.gz").write_bytes(packed[:-10])
    got = read("csv", "a.tsv.gz", delimiter="\t")
    assert len(got.rows) > 4000
    assert got.errors == [("truncated", 0)]
