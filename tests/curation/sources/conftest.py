"""Reading a source whole: rows, errors and counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from curation.document import RECORD_SCHEMA
from curation.sources.inputs import Split
from curation.sources.source import ReadLog, formats


@dataclass
class Result:
    rows: list[dict[str, Any]]
    log: ReadLog

    @property
    def errors(self) -> list[tuple[object, object]]:
        return [(e["kind"], e["offset"]) for e in self.log.errors]

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


def read_source(
    format_name: str, root: Path, path: Any, step: int | None = None, **params: Any
) -> Result:
    """All rows of a source; with `step`, by splits of that many bytes."""
    source = formats.get(format_name)(name="s", path=path, **params)
    result = Result([], ReadLog())
    for file in source.files(root):
        splits = source.splits(file)
        if step is not None:
            starts = [*range(0, file.size, step)]
            ends = [*starts[1:], None]
            splits = [Split(file, start, end) for start, end in zip(starts, ends, strict=True)]
        for split in splits:
            for table in source.read(split, result.log):
                assert table.schema == RECORD_SCHEMA
                table.validate(full=True)
                result.rows += table.to_pylist()
    return result


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Result]:
    """Reads `path` relative to `root`, the test's folder unless given."""

    def run(format_name: str, path: Any, root: Path = tmp_path, **params: Any) -> Result:
        return read_source(format_name, root, path, **params)

    return run


@pytest.fixture
def shared_data() -> Path:
    folder = Path(__file__).parents[3].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is absent")
    return folder


def warc_record(body: bytes, kind: str = "response", n: int = 0, **headers: str) -> bytes:
    """A WARC record as bytes; `headers` replace or add fields (`_` stands for `-`)."""
    fields = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:{n:08d}>",
        "WARC-Target-URI": f"http://example.com/{n}",
        "WARC-Date": "2026-03-01T00:00:00Z",
        "Content-Type": "application/http; msgtype=response",
        "Content-Length": str(len(body)),
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    lines = "".join(f"{key}: {value}\r\n" for key, value in fields.items() if value)
    return b"WARC/1.0\r\n" + lines.encode() + b"\r\n" + body + b"\r\n\r\n"


def http_page(
    text: str = "page", status: str = "200 OK", head: str = "", body: bytes = b""
) -> bytes:
    body = body or f"<html><body>{text}</body></html>".encode()
    head = head or "Content-Type: text/html; charset=utf-8\r\n"
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


@pytest.fixture
def warc() -> Callable[..., bytes]:
    return warc_record


@pytest.fixture
def page() -> Callable[..., bytes]:
    return http_page


@pytest.fixture
def pages() -> Callable[[int], list[bytes]]:
    """n WARC records of pages of different lengths, ids 00000000, 00000001, ..."""
    return lambda n: [
        warc_record(http_page(f"page {i} " * (i * 37 % 90 + 5)), n=i) for i in range(n)
    ]
