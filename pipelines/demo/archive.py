"""Real WARC/1.1 files: one gzip member per record, the same bytes in every run.

Record ids are derived from URLs and the date is fixed, since a crawl that never took place has
no time. Each file also holds what crawls hold besides documents: a request, a redirect, an image
and a missing page.
"""

from __future__ import annotations

import base64
import io
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

WARC_DATE = "2024-01-01T00:00:00Z"

# One transparent pixel.
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
_NOT_FOUND = b"<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>"


def write_warc(path: Path, documents: Iterable[tuple[str, str]]) -> None:
    """Writes pairs of URL and HTML as response records.

    Args:
        path: the file to make, ending in `.warc.gz`.
        documents: in the order in which they are to stand in the file.
    """
    with path.open("wb") as out:
        archive = _Archive(out)
        archive.info(path.name)
        for number, (url, page) in enumerate(documents):
            if number == 0:
                archive.request(url)
            archive.response(url, "200 OK", "text/html; charset=utf-8", page.encode())
        archive.extras(f"https://{path.name.split('.')[0]}.extras.example")


class _Archive:
    """Records of one file."""

    def __init__(self, out: BinaryIO) -> None:
        self._writer = WARCWriter(out, gzip=True, warc_version="WARC/1.1")

    def info(self, name: str) -> None:
        fields = b"software: tilth demo\r\nformat: WARC File Format 1.1\r\n"
        headers = {"WARC-Filename": name, "Content-Type": "application/warc-fields"}
        self._write(None, "warcinfo", fields, None, headers, name)

    def request(self, url: str) -> None:
        host, path = url.removeprefix("https://").split("/", 1)
        lines = StatusAndHeaders(f"GET /{path} HTTP/1.1", [("Host", host)], is_http_request=True)
        self._write(url, "request", b"", lines, {}, url)

    def response(
        self, url: str, status: str, kind: str, body: bytes, location: str | None = None
    ) -> None:
        fields = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        if location:
            fields.append(("Location", location))
        lines = StatusAndHeaders(status, fields, protocol="HTTP/1.1")
        self._write(url, "response", body, lines, {}, url)

    def extras(self, site: str) -> None:
        """The records that are not documents."""
        self.response(f"{site}/old", "301 Moved Permanently", "text/html", b"", f"{site}/")
        self.response(f"{site}/logo.png", "200 OK", "image/png", _PNG)
        self.response(f"{site}/missing", "404 Not Found", "text/html; charset=utf-8", _NOT_FOUND)

    def _write(
        self,
        url: str | None,
        kind: str,
        body: bytes,
        http: StatusAndHeaders | None,
        headers: dict[str, str],
        key: str,
    ) -> None:
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {key}")
        fixed = {"WARC-Record-ID": f"<urn:uuid:{name}>", "WARC-Date": WARC_DATE}
        record = self._writer.create_warc_record(
            url,
            kind,
            payload=io.BytesIO(body),
            length=len(body),
            http_headers=http,
            warc_headers_dict=fixed | headers,
        )
        self._writer.write_record(record)
