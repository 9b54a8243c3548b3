"""Every kind of bad input: exactly what is kept, and what is reported, with its offset."""

from __future__ import annotations

import gzip
import json
import os
import resource
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

GOOD = b'{"id": "g", "text": "good"}\n'


def bad_line(tmp_path, read, line: bytes, **params):
    """A bad line between two good ones: (texts, errors)."""
    (tmp_path / "a.jsonl").write_bytes(GOOD + line + b"\n" + GOOD)
    got = read("jsonl", "a.jsonl", **params)
    return got.column("text"), got.errors


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"text": "cut', "bad_json"),
        (b"not json", "bad_json"),
        (b'{"text": "a"} {"text": "b"}', "bad_json"),
        (b'{"text": "raw\ttab"}', "bad_json"),
        (b"\0" * 100, "bad_json"),
        (b'{"text": "t", "n": ' + b"9" * 5000 + b"}", "bad_json"),
        (b'{"text": "t", "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "bad_json"),
        (b"null", "not_an_object"),
        (b"[1]", "not_an_object"),
        (b'"string"', "not_an_object"),
        (b'{"id": 1}', "missing_text"),
        (b'{"text": null}', "null_text"),
        (b'{"text": ""}', "empty_text"),
        (b'{"text": " \\n"}', "empty_text"),
        (b'{"text": 4}', "text_not_a_string"),
        (b'{"text": {"body": "x"}}', "text_not_a_string"),
        (b'{"text": ["x"]}', "text_not_a_string"),
        (b'{"text": "\xff\xfe"}', "invalid_utf8"),
        (b'{"text": "caf\xe9"}', "invalid_utf8"),
        (b'{"text": "\xed\xa0\x80"}', "invalid_utf8"),
    ],
)  # fmt: skip
def test_dirty_line_is_reported_and_others_are_read(tmp_path, read, line, kind):
    assert bad_line(tmp_path, read, line) == (["good", "good"], [(kind, len(GOOD))])


def test_dirty_line_too_long_is_reported_and_others_are_read(tmp_path, read):
    line = json.dumps({"text": "x" * 5_000_000}).encode()
    long = bad_line(tmp_path, read, line, max_line_bytes=1_000_000)
    assert long == (["good", "good"], [("line_too_long", len(GOOD))])
    texts, errors = bad_line(tmp_path, read, line)
    assert ([len(text) for text in texts], errors) == ([4, 5_000_000, 4], [])


@pytest.mark.parametrize(
    ("line", "text", "meta"),
    [
        (b'{"text": "a", "text": "b"}', "b", None),
        (b'{"text": "t", "x": [NaN, Infinity, 1e999]}', "t", '{"x":[null,null,null]}'),
        (b'{"text": "lone \\ud83d end"}', "lone \ufffd end", None),
        (b'{"text": "t", "k": "\\udead"}', "t", '{"k":"\ufffd"}'),
        (b'{"text": "n\\u0000ul"}', "nul", None),
        ('{"text": "a\u2028b\u0085c\u2029d"}'.encode(), "a\u2028b\u0085c\u2029d", None),
        (b'{"text": "crlf"}\r', "crlf", None),
    ],
)
def test_dirty_line_that_can_be_kept_is_kept(tmp_path, read, line, text, meta):
    (tmp_path / "a.jsonl").write_bytes(line + b"\n\n  \n" + GOOD)
    got = read("jsonl", "a.jsonl")
    assert (got.column("text"), got.errors) == ([text, "good"], [])
    assert got.rows[0]["meta"] == meta


def test_dirty_repairs_are_counted(tmp_path, read):
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "\\u0000a"}\n{"text": "\\ud800a"}\n')
    repaired = read("jsonl", "a.jsonl").log.repaired
    assert repaired == {"nul_removed": 1, "lone_surrogate_replaced": 1}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_dirty_wide_encoding_is_named_with_the_fix(tmp_path, read, encoding):
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n' * 3, encoding=encoding)
    got = read("jsonl", "a.jsonl")
    assert (got.rows, got.errors) == ([], [("wrong_encoding", 0)])
    assert "iconv -f UTF-" in got.log.errors[0]["message"]


def test_dirty_byte_order_mark_and_missing_newline_lose_nothing(tmp_path, read):
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + GOOD + GOOD.strip())
    got = read("jsonl", "a.jsonl")
    assert (got.column("offset"), got.errors) == ([0, 3 + len(GOOD)], [])


@pytest.mark.parametrize(
    "data", [b"", b"\n\r\n", gzip.compress(b"", mtime=0), zstandard.compress(b"")]
)
def test_dirty_empty_file_is_no_error(tmp_path, read, data):
    (tmp_path / "a.jsonl.gz").write_bytes(data)
    got = read("jsonl", "a.jsonl.gz")
    assert (got.rows, got.errors) == ([], [])


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_dirty_truncated_stream_keeps_whole_lines_and_is_reported_once(tmp_path, read, compress):
    data = b"".join(b'{"text": "%s"}\n' % os.urandom(50).hex().encode() for _ in range(5000))
    packed = compress(data)
    (tmp_path / "a.jsonl").write_bytes(packed[: len(packed) * 2 // 3])
    got = read("jsonl", "a.jsonl")
    assert 2000 < len(got.rows) < 4000
    assert got.errors == [("truncated", 0)]
    assert got.column("text") == [
        json.loads(line)["text"] for line in data.split(b"\n")[: len(got.rows)]
    ]


def test_dirty_names_decide_nothing(tmp_path, read):
    (tmp_path / "plain.jsonl.gz").write_bytes(GOOD)
    (tmp_path / "packed.jsonl").write_bytes(gzip.compress(GOOD))
    got = read("jsonl", "*")
    assert (got.column("text"), got.errors) == (["good", "good"], [])


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_dirty_bomb_is_bounded(tmp_path, read, compress):
    (tmp_path / "a.jsonl.gz").write_bytes(compress(b" " * 200_000_000 + b"\n" + GOOD))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    got = read("jsonl", "a.jsonl.gz", max_line_bytes=1 << 20)
    assert (got.column("text"), got.errors) == (["good"], [("line_too_long", 0)])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_dirty_parquet_cut_or_empty_is_reported(tmp_path, read):
    pq.write_table(pa.table({"text": ["x"] * 100}), tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(data[: len(data) * 2 // 3])
    (tmp_path / "b.parquet").write_bytes(b"")
    got = read("parquet", "*.parquet")
    assert (got.rows, got.errors) == ([], [("corrupt", 0), ("corrupt", 0)])


def test_dirty_awkward_names_are_read(tmp_path, read):
    for name in ("a b & (c) #1 [x].jsonl", "ü中文_😀.jsonl", "-dash.jsonl", "noextension"):
        (tmp_path / name).write_bytes(GOOD)
        assert read("jsonl", name).column("path") == [name]


def test_dirty_name_that_is_not_utf8_is_read(tmp_path, read):
    Path(os.fsdecode(bytes(tmp_path) + b"/a\xff.jsonl")).write_bytes(GOOD)
    assert read("jsonl", "*.jsonl").column("path") == ["a\\xff.jsonl"]


def test_dirty_unreadable_file_is_reported_and_others_are_read(tmp_path, read):
    (tmp_path / "a.jsonl").symlink_to(tmp_path / "a.jsonl")  # root may read anything but a loop
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "gone")
    (tmp_path / "c.jsonl").write_bytes(GOOD)
    (tmp_path / "d.jsonl").write_bytes(GOOD)
    (tmp_path / "d.jsonl").chmod(0)
    got = read("jsonl", "*.jsonl")
    unreadable = 2 if os.geteuid() == 0 else 3
    assert got.errors == [("cannot_open", 0)] * unreadable
    assert len(got.rows) == 4 - unreadable


@pytest.mark.parametrize("kind", ["gz", "plain"])
def test_dirty_warc_damage_is_reported_where_it_is(tmp_path, read, pages, kind):
    pack = gzip.compress if kind == "gz" else bytes
    parts = [pack(record) for record in pages(8)]
    half = len(parts[2]) // 2
    parts[2] = parts[2][:half] + b"\xff" * 20 + parts[2][half + 20 :] if kind == "gz" else parts[2]
    parts[4] = b"G" * 3000 + b"\r\n" if kind == "gz" else b"G" * 3000 + b"\r\n\r\n"
    parts[7] = parts[7][:-30]
    starts = [sum(map(len, parts[:i])) for i in range(9)]
    (tmp_path / "a.warc").write_bytes(b"".join(parts))
    got = read("warc", "a.warc")
    if kind == "gz":
        want = [("corrupt_record", starts[2]), ("garbage", starts[4])]
    else:
        want = [("not_a_record", starts[4])]
    assert [int(row["id"]) for row in got.rows] == [
        i for i in range(7) if i != 4 and (i != 2 or kind == "plain")
    ]
    want.append(("truncated_record", starts[7]))
    assert got.errors == want


def test_dirty_warc_wrong_length_loses_one_record(tmp_path, read, pages):
    for wrong in (b"9", b"0"):
        parts = pages(6)
        parts[2] = parts[2].replace(b"Content-Length: ", b"Content-Length: " + wrong)
        if wrong == b"0":
            parts[2] = parts[2].replace(b"Content-Length: 0", b"Content-Length: 5\r\nX: ")
        (tmp_path / "a.warc").write_bytes(b"".join(parts))
        got = read("warc", "a.warc")
        assert [int(row["id"]) for row in got.rows] == [0, 1, 3, 4, 5]
        assert got.errors == [("bad_content_length", len(parts[0] + parts[1]))]


def test_dirty_gzip_member_that_is_no_record(tmp_path, read, pages):
    parts = [gzip.compress(record) for record in pages(3)]
    parts.insert(2, gzip.compress(b"hello"))
    (tmp_path / "a.warc.gz").write_bytes(b"".join(parts))
    got = read("warc", "a.warc.gz")
    assert len(got.rows) == 3
    assert got.errors == [("not_a_record", len(parts[0] + parts[1]))]


SHARED = {
    "-leading-dash.jsonl": ("jsonl", 2, []),
    "UPPER.JSONL": ("jsonl", 2, []),
    "bad_content_length.warc": ("warc", 11, [("bad_content_length", 86803)]),
    "bitflip.jsonl.gz": ("jsonl", 19, [("corrupt", 0)]),
    "bom.jsonl": ("jsonl", 60, []),
    "bomb_100mb.zst": ("jsonl", 0, [("line_too_long", 0)]),
    "bomb_200mb.jsonl.gz": ("jsonl", 0, [("line_too_long", 0)]),
    "broken_lines.jsonl": (
        "jsonl",
        12,
        [
            *[("bad_json", at) for at in (1102, 2979, 3659)],
            *[("not_an_object", at) for at in (3673, 3678, 3681, 3685)],
            ("missing_text", 3701),
            ("null_text", 3734),
            *[("text_not_a_string", at) for at in (3768, 3840, 3880)],
            *[("empty_text", at) for at in (3911, 3944)],
            *[("bad_json", at) for at in (4082, 6009)],
        ],
    ),
    "corrupt_middle.warc.gz": ("warc", 11, [("corrupt_record", 39353)]),
    "duplicate_ids.jsonl": ("jsonl", 35, []),
    "empty.jsonl": ("jsonl", 0, []),
    "empty.jsonl.gz": ("jsonl", 0, []),
    "empty.jsonl.zst": ("jsonl", 0, []),
    "garbage_between.warc.gz": ("warc", 12, [("garbage", 18534)]),
    "huge_line_5mb.jsonl.gz": ("jsonl", 3, []),
    "invalid_utf8.jsonl": ("jsonl", 57, [("invalid_utf8", at) for at in (3646, 16477, 29877)]),
    "latin1_text.txt": ("text", 0, [("invalid_utf8", 268)]),
    "multi_frame.jsonl.zst": ("jsonl", 60, []),
    "multi_member.jsonl.gz": ("jsonl", 60, []),
    "name with spaces & (brackets) #1.jsonl": ("jsonl", 3, []),
    "no_final_newline.jsonl": ("jsonl", 60, []),
    "no_newline_100kb_word.txt": ("text", 1, []),
    "noextension": ("jsonl", 2, []),
    "non_warc_member.warc.gz": ("warc", 12, [("not_a_record", 33482)]),
    "not_really_gzip.jsonl.gz": ("jsonl", 19, [("bad_json", 19740)]),
    "not_really_text.jsonl": ("jsonl", 60, []),
    "nul_bytes.jsonl": ("jsonl", 12, [("bad_json", 7790)]),
    "nulls_dict_large.parquet": ("parquet", 4, [("null_text", 4), ("empty_text", 5)]),
    "odd_http.warc.gz": ("warc", 9, []),
    "only_newlines.jsonl": ("jsonl", 0, []),
    "sub dir/.hidden.jsonl": ("jsonl", 2, []),
    "text_is_binary.parquet": ("parquet", 4, [("invalid_utf8", 4)]),
    "text_is_list.parquet": ("parquet", 0, [("wrong_columns", 0)]),
    "trailing_garbage.jsonl.gz": ("jsonl", 60, [("trailing_garbage", 16223)]),
    "truncated.jsonl.gz": ("jsonl", 21, [("truncated", 0)]),
    "truncated.jsonl.zst": ("jsonl", 0, [("truncated", 0)]),  # its one block is cut
    "truncated.parquet": ("parquet", 0, [("corrupt", 0)]),
    "truncated.warc.gz": ("warc", 9, [("truncated_record", 54561)]),
    "unicode_zoo.jsonl": ("jsonl", 13, []),
    "unicode_ü中文_😀.jsonl": ("jsonl", 3, []),
    "utf16.jsonl": ("jsonl", 0, [("wrong_encoding", 0)]),
    "windows_newlines.jsonl": ("jsonl", 60, []),
    "wrong_schema.parquet": ("parquet", 0, [("wrong_columns", 0)]),
    "zero_bytes.jsonl.gz": ("jsonl", 0, []),
    "zero_rows.parquet": ("parquet", 0, []),
}


@pytest.mark.shared
def test_dirty_shared_table_names_every_file(shared_data):
    folder = shared_data / "dirty"
    assert set(SHARED) == {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.shared
@pytest.mark.parametrize("name", SHARED)
def test_dirty_shared_file(read, shared_data, name):
    format_name, count, errors = SHARED[name]
    got = read(format_name, name, shared_data / "dirty")
    assert (len(got.rows), got.errors) == (count, errors)
    assert all(error["message"] for error in got.log.errors)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["bitflip.jsonl.gz", "truncated.jsonl.gz"])
def test_dirty_shared_damaged_stream_gives_only_true_documents(read, shared_data, name):
    folder = shared_data / "dirty"
    whole = {(r["id"], r["text"]) for r in read("jsonl", "multi_member.jsonl.gz", folder).rows}
    assert {(r["id"], r["text"]) for r in read("jsonl", name, folder).rows} <= whole


@pytest.mark.shared
def test_formats_shared_give_equal_rows(read, shared_data):
    folder = shared_data / "formats"
    names = (
        "same200.jsonl",
        "same200.jsonl.gz",
        "same200.jsonl.zst",
        "same200.parquet",
        "same200.csv",
    )
    results = [read(name.split(".")[1], name, folder).rows for name in names]
    for rows in results:
        for row in rows:
            del row["path"], row["offset"]
    assert len(results[0]) == 200
    assert all(rows == results[0] for rows in results)
