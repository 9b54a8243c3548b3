"""WARC, ARC and WET: framing, splits, resynchronisation, what is a document."""

from __future__ import annotations

import bz2
import gzip
import json
import zlib
from collections import Counter

import pytest
import zstandard

from curation.sources import warc as warc_module
from curation.sources.source import formats

CHUNKED = "Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n"
GZIPPED = gzip.compress(b"g", mtime=0)  # the same in every process that collects these tests
CUT = gzip.compress(b"w" * 99, mtime=0)[:-4]


def pack(records, kind="gz"):
    if kind == "plain":
        return b"".join(records)
    one = gzip.compress if kind == "gz" else zstandard.ZstdCompressor().compress
    return b"".join(map(one, records))


def ids(result):
    return [int(row["id"]) for row in result.rows]


def test_warc_response_becomes_a_raw_row(tmp_path, read, warc, page):
    (tmp_path / "a.warc.gz").write_bytes(gzip.compress(warc(page("hi"), n=3)))
    assert read("warc", "a.warc.gz").rows == [
        {
            "id": "00000003",
            "text": None,
            "raw": b"<html><body>hi</body></html>",
            "content_type": "text/html; charset=utf-8",
            "url": "http://example.com/3",
            "date": "2026-03-01T00:00:00Z",
            "language": None,
            "meta": '{"http_status":200,"warc_type":"response"}',
            "path": "a.warc.gz",
            "offset": 0,
        }
    ]


def test_warc_every_record_is_document_skip_or_error(tmp_path, read, warc, page):
    html = "Content-Type: text/html\r\n"
    records = [
        warc(b"a: b\r\n", "warcinfo", Content_Type="application/warc-fields"),
        warc(b"GET / HTTP/1.1\r\n\r\n", "request", Content_Type="application/http"),
        warc(b"", "revisit"),
        warc(b"x", "metadata", Content_Type="text/plain"),
        warc(page(status="404 Not Found")),
        warc(page(status="301 Moved")),
        warc(page(head="Content-Type: image/png\r\n")),
        warc(page(head="Content-Type: <script>\r\n")),
        warc(b"HTTP/1.1 200 OK\r\n" + html.encode() + b"\r\n"),
        warc(b"20080430\n", Content_Type="text/dns"),
        warc(page(head="X: y\r\n", body=b"<!DOCTYPE html><p>sniffed")),
        warc(page(head="X: y\r\n", body=b"\x89PNG")),
        warc(b"<p>resource</p>", "resource", Content_Type="text/html"),
        warc(b"\x89PNG", "resource", Content_Type="image/png"),
        warc(b"no http at all"),
        warc(page(head="Content-Type: application/xhtml+xml\r\n")),
        warc(page(head="content-type: TEXT/PLAIN;charset=x\r\n")),
    ]
    (tmp_path / "a.warc").write_bytes(b"".join(records))
    got = read("warc", "a.warc")
    assert len(got.rows) == 4
    assert [kind for kind, _ in got.errors] == ["bad_http"]
    assert got.log.skipped == Counter(
        {
            "warcinfo": 1,
            "request": 1,
            "revisit": 1,
            "metadata": 1,
            "http_404": 1,
            "http_301": 1,
            "image/png": 2,
            "odd_content_type": 1,
            "empty_body": 1,
            "dns": 1,
            "no_content_type": 1,
        }
    )
    assert len(got.rows) + len(got.errors) + got.log.skipped.total() == len(records)


@pytest.mark.parametrize(
    ("head", "body", "want", "repaired"),
    [
        (CHUNKED, b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n", b"abcdefg", {}),
        (CHUNKED, b"<p>not chunked", b"<p>not chunked", {"not_chunked": 1}),
        (CHUNKED, b"3\r\nabc\r\nzz\r\ndefg", b"abczz\r\ndefg", {"bad_chunks": 1}),
        ("Content-Encoding: gzip\r\nContent-Type: text/html\r\n", GZIPPED, b"g", {}),
        ("Content-Encoding: gzip\r\nContent-Type: text/html\r\n", b"plain", b"plain",
         {"not_encoded": 1}),
        ("Content-Encoding: deflate\r\nContent-Type: text/html\r\n", zlib.compress(b"d"), b"d", {}),
        ("Content-Encoding: deflate\r\nContent-Type: text/html\r\n", zlib.compress(b"d")[2:-4],
         b"d", {}),
        ("Content-Encoding: gzip\r\nContent-Type: text/html\r\n", CUT,
         b"w" * 99, {"cut_content_encoding": 1}),
    ],
)  # fmt: skip
def test_warc_body_codings(tmp_path, read, warc, page, head, body, want, repaired):
    (tmp_path / "a.warc").write_bytes(warc(page(head=head, body=body)))
    got = read("warc", "a.warc")
    assert got.column("raw") == [want]
    assert got.log.repaired == repaired


def test_warc_brotli_body(tmp_path, read, warc, page):
    brotli = pytest.importorskip("brotli")
    head = "Content-Encoding: br\r\nContent-Type: text/html\r\n"
    (tmp_path / "a.warc").write_bytes(warc(page(head=head, body=brotli.compress(b"<p>br"))))
    assert read("warc", "a.warc").column("raw") == [b"<p>br"]


def test_warc_bodies_that_expand_too_far_or_in_unknown_ways_are_errors(tmp_path, read, warc, page):
    bomb = page(
        head="Content-Encoding: gzip\r\nContent-Type: text/html\r\n",
        body=gzip.compress(bytes(10**7)),
    )
    odd = page(head="Content-Encoding: rot13\r\nContent-Type: text/html\r\n")
    (tmp_path / "a.warc").write_bytes(warc(bomb) + warc(odd))
    got = read("warc", "a.warc", max_record_bytes=10**6)
    assert [kind for kind, _ in got.errors] == ["record_too_large", "unknown_content_encoding"]


@pytest.mark.parametrize("kind", ["gz", "zst", "plain"])
@pytest.mark.parametrize("step", [50, 333, 1000, 5000, 10**6])
def test_warc_any_splits_give_the_same_rows(tmp_path, read, pages, kind, step):
    (tmp_path / "a.warc").write_bytes(pack(pages(40), kind))
    got = read("warc", "a.warc", step=step)
    assert ids(got) == list(range(40))
    assert got.errors == []
    assert got.rows == read("warc", "a.warc").rows


@pytest.mark.parametrize("kind", ["gz", "zst", "plain"])
@pytest.mark.parametrize("step", [40, 300, 1200, 10**6])
def test_warc_any_splits_give_the_same_rows_and_errors_of_damage(tmp_path, read, pages, kind, step):
    parts = [pack([record], kind) for record in pages(30)]
    parts[4] = parts[4][: len(parts[4]) // 3]
    parts[9] = parts[9].replace(b"Content-Length: ", b"Content-Length: 7")
    at = 3 if kind == "plain" else 40
    parts[14] = parts[14][:at] + b"\xff" * 40 + parts[14][at + 40 :]
    parts.insert(20, b"garbage " * 30)
    parts.insert(25, pack([b"no record"], kind))
    (tmp_path / "a.warc").write_bytes(b"".join(parts))
    whole, split = read("warc", "a.warc"), read("warc", "a.warc", step=step)
    assert {5, 13, 16, 26, 29} <= set(ids(whole))
    assert len(whole.rows) >= 24
    assert split.rows == whole.rows
    assert split.errors == whole.errors


def test_warc_large_files_are_split_by_the_source(tmp_path, read, pages, monkeypatch):
    monkeypatch.setattr(warc_module, "SPLIT_BYTES", 2000)
    (tmp_path / "a.warc.gz").write_bytes(pack(pages(40)))
    source = formats.get("warc")(name="s", path="a.warc.gz")
    splits = source.splits(source.files(tmp_path)[0])
    assert len(splits) > 2
    assert splits[-1].end is None
    assert ids(read("warc", "a.warc.gz")) == list(range(40))


def test_warc_one_member_for_many_records(tmp_path, read, pages):
    data = b"".join(pages(20))
    for name, packed in (
        ("a.gz", gzip.compress(data)),
        ("b.bz2", bz2.compress(data)),
        ("c.zst", zstandard.ZstdCompressor().compress(data)),
    ):
        (tmp_path / name).write_bytes(packed)
        got = read("warc", name)
        assert (ids(got), got.errors) == (list(range(20)), [])
        assert len(set(got.column("offset"))) == 20
        assert ids(read("warc", name, step=300)) == list(range(20)) or name == "b.bz2"


def test_warc_members_that_cut_records_are_read_as_one_stream(tmp_path, read, pages):
    data = b"".join(pages(30))
    blocks = [gzip.compress(data[i : i + 1000]) for i in range(0, len(data), 1000)]
    (tmp_path / "a.warc.gz").write_bytes(b"".join(blocks))
    got = read("warc", "a.warc.gz")
    assert (ids(got), got.errors) == (list(range(30)), [])


def test_warc_record_over_the_limit_is_left_out(tmp_path, read, warc, page, pages):
    records = pages(4)
    records[2] = warc(page("x" * 50_000), n=2)
    for kind in ("gz", "plain"):
        parts = [pack([record], kind) for record in records]
        (tmp_path / "a.warc").write_bytes(b"".join(parts))
        got = read("warc", "a.warc", max_record_bytes=5000)
        assert ids(got) == [0, 1, 3]
        assert got.errors == [("record_too_large", len(parts[0] + parts[1]))]


@pytest.mark.parametrize("missing", ["Content-Length", "all"])
def test_warc_malformed_header_is_reported(tmp_path, read, pages, missing):
    records = pages(3)
    records[1] = records[1].replace(b"Content-Length:", b"Content-Width:")
    if missing == "all":
        records[1] = b"WARC/1.0\r\n" + b"x" * 300
    for kind in ("gz", "plain"):
        (tmp_path / "a.warc").write_bytes(pack(records, kind))
        got = read("warc", "a.warc")
        assert 0 in ids(got)
        assert [kind for kind, _ in got.errors][:1] in (["bad_header"], ["bad_content_length"])
        assert 2 in ids(got) or missing == "all"


def test_warc_bad_urls_ids_and_folded_headers(tmp_path, read, warc, page):
    record = warc(page(), WARC_Target_URI="<http://a/\r\n b>", WARC_Record_ID="<x:1>", WARC_Date="")
    (tmp_path / "a.warc").write_bytes(record)
    row = read("warc", "a.warc").rows[0]
    assert (row["url"], row["id"], row["date"]) == ("http://a/ b", "x:1", None)


def arc(n, body, date="20080430204825"):
    return f"http://a/{n} x 1.2.3.4 {date} text/html {len(body)}\n".encode() + body + b"\n"


@pytest.mark.parametrize("kind", ["gz", "plain"])
def test_arc_records_are_read(tmp_path, read, page, kind):
    info = b"1 0 Me\nURL IP-address Archive-date Content-type Archive-length\n"
    head = b"filedesc://x 0.0.0.0 20080430204825 text/plain %d\n" % len(info) + info + b"\n"
    dns = b"dns:a 1.2.3.4 20080430204825 text/dns 3\nabc\n"
    (tmp_path / "a.arc").write_bytes(
        pack([head, dns, arc(1, page("one")), arc(2, page("2"))], kind)
    )
    got = read("warc", "a.arc")
    assert got.column("url") == ["http://a/1 x", "http://a/2 x"]
    assert got.column("date") == ["2008-04-30T20:48:25Z"] * 2
    assert got.column("id") == [None, None]
    assert (got.errors, got.log.skipped) == ([], {"filedesc": 1, "dns": 1})


def test_wet_conversions_are_text(tmp_path, read, warc):
    records = [
        warc(b"x", "warcinfo", Content_Type="application/warc-fields"),
        warc(
            "grün\0".encode(),
            "conversion",
            1,
            Content_Type="text/plain",
            WARC_Identified_Content_Language="deu,eng",
        ),
        warc(b"\xff", "conversion", 2, Content_Type="text/plain"),
        warc(b" \n", "conversion", 3, Content_Type="text/plain"),
    ]
    (tmp_path / "a.warc.wet.gz").write_bytes(pack(records))
    got = read("wet", "a.warc.wet.gz")
    assert got.column("text") == ["grün"]
    assert json.loads(got.rows[0]["meta"]) == {"languages": "deu,eng", "warc_type": "conversion"}
    assert [kind for kind, _ in got.errors] == ["invalid_utf8"]
    assert got.log.skipped == {"warcinfo": 1, "empty_body": 1}


@pytest.mark.shared
@pytest.mark.parametrize("step", [None, 700_001])
def test_warc_shared_crawls_yield_each_indexed_response_once(read, shared_data, step):
    packed = (shared_data / "warc" / "index.jsonl.zst").read_bytes()
    index = zstandard.ZstdDecompressor().stream_reader(packed)
    want = [json.loads(line)["record_id"] for line in index.read().split(b"\n") if line]
    got = read("warc", "warc/*.warc.gz", shared_data, step=step)
    assert len(want) == 3614
    assert got.errors == []
    assert Counter(got.column("id")) == Counter(
        w.strip("<>").removeprefix("urn:uuid:") for w in want
    )


@pytest.mark.shared
def test_warc_shared_real_crawls_account_for_every_record(read, shared_data):
    import io

    from warcio.archiveiterator import ArchiveIterator

    folder = shared_data / "warc" / "real_crawls"
    damaged = {
        "aut__badexample.arc.gz": 3,
        "warcio__example-space-in-url.arc": 1,
        "warcio__example-trunc.warc": 1,
    }
    for path in sorted(folder.iterdir()):
        got = read("warc", path.name, folder)
        assert len(got.errors) == damaged.get(path.name, 0), path.name
        if path.name not in damaged:
            data = path.read_bytes()
            data = gzip.decompress(data) if path.suffix == ".gz" else data
            count = sum(1 for _ in ArchiveIterator(io.BytesIO(data)))
            assert len(got.rows) + got.log.skipped.total() == count, path.name
