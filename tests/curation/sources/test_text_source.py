"""Text and HTML files: one document each, never wrong characters in silence."""

from __future__ import annotations

import gzip

import pytest

from curation.errors import UserError
from curation.sources.source import formats


def test_text_files_of_a_folder_are_documents(tmp_path, read):
    (tmp_path / "in").mkdir()
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbfb\0e\r\n")
    (tmp_path / "in" / "a.md.gz").write_bytes(gzip.compress("ä".encode()))
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "blank.txt").write_bytes(b" \n")
    (tmp_path / "x.bin").write_bytes(b"\xff")
    got = read("text", ".")
    assert [(r["path"], r["text"], r["id"]) for r in got.rows] == [
        ("b.txt", "be\r\n", None),
        ("in/a.md.gz", "ä", None),
    ]
    assert got.errors == []
    assert got.log.skipped == {"empty_file": 2}
    assert got.log.repaired == {"nul_removed": 1}


def test_text_of_another_encoding_is_read_when_declared_only(tmp_path, read):
    (tmp_path / "a.txt").write_bytes("naïve".encode("latin-1"))
    got = read("text", "a.txt")
    assert (got.rows, got.errors) == ([], [("invalid_utf8", 2)])
    assert read("text", "a.txt", encoding="latin-1").column("text") == ["naïve"]


def test_text_utf16_is_named(tmp_path, read):
    (tmp_path / "a.txt").write_text("words", encoding="utf-16")
    got = read("text", "a.txt")
    assert got.errors == [("wrong_encoding", 0)]
    assert "utf-16" in got.log.errors[0]["message"]
    assert read("text", "a.txt", encoding="utf-16").column("text") == ["words"]


def test_text_too_large_or_cut_is_reported(tmp_path, read):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(bytes(1000)))
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"words" * 9)[:-4])
    got = read("text", "*.gz", max_file_bytes=500)
    assert (got.rows, got.errors) == ([], [("file_too_large", 0), ("truncated", 0)])


def test_text_unknown_encoding_is_a_value_error():
    with pytest.raises(ValueError, match="latin-99"):
        formats.get("text")(name="s", path="a", encoding="latin-99")


def test_html_files_are_raw_with_a_url_from_the_base(tmp_path, read):
    (tmp_path / "d e").mkdir()
    (tmp_path / "d e" / "ü.html").write_bytes(b"<p>\xe9")
    (tmp_path / "z.HTM").write_bytes(b"<p>z")
    got = read("html", ".", base_url="http://a/b/")
    assert got.column("raw") == [b"<p>\xe9", b"<p>z"]
    assert got.column("url") == ["http://a/b/d%20e/%C3%BC.html", "http://a/b/z.HTM"]
    assert got.column("content_type") == ["text/html"] * 2
    assert got.column("text") == [None, None]
    assert read("html", ".").column("url") == [None, None]


def test_html_folder_without_pages_is_a_user_error(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(UserError):
        formats.get("html")(name="s", path=".").files(tmp_path)
