"""HTTP responses as crawlers store them: status, headers, and the body without transfer coding.

Archives are inconsistent: a body may have been decoded while its headers still say `chunked` or
`gzip`. A coding that the body plainly does not have is therefore ignored, and counted by name in
`Response.mends`.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from typing import Any

from curation.sources.archive_headers import parse_fields
from curation.sources.codecs import Codec, Corrupt, Gzip, Zstd

_STATUS = re.compile(rb"(?:HTTP/\d(?:\.\d)?|ICY) +(\d{3})\b", re.IGNORECASE)
_HEADERS_END = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")


class BadMessage(Exception):
    """Not an HTTP response, or a body that cannot be decoded. `kind` is for errors.jsonl."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(slots=True)
class Response:
    """A response without its body."""

    status: int
    headers: dict[str, str]
    body_at: int  # where the body starts in the block
    mends: list[str] = field(default_factory=list)

    @property
    def content_type(self) -> str | None:
        """The header as declared; None if there is none."""
        return self.headers.get("content-type") or None

    def body(self, block: bytes, max_bytes: int) -> bytes:
        """The body as its author sent it.

        Raises:
            BadMessage: it cannot be decoded, or is over `max_bytes` when decoded.
        """
        body = block[self.body_at :]
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            body = self._unchunk(body)
        codings = self.headers.get("content-encoding", "").lower().split(",")
        for coding in reversed([c.strip() for c in codings]):
            body = self._decode(body, coding, max_bytes)
        return body

    def _unchunk(self, body: bytes) -> bytes:
        parts, at = [], 0
        while found := _CHUNK_SIZE.match(body, at):
            size = int(found[1], 16)
            part = body[found.end() : found.end() + size]
            parts.append(part)
            at = found.end() + size
            if size == 0:
                return b"".join(parts)
            at += 2 if body[at : at + 2] == b"\r\n" else body[at : at + 1] == b"\n"
        if not parts and body:
            self.mends.append("not_chunked")
            return body
        if body:
            self.mends.append("bad_chunks")  # what follows the last sound chunk is kept as it is
        return b"".join(parts) + body[at:]

    def _decode(self, body: bytes, coding: str, max_bytes: int) -> bytes:
        if not body or coding in ("", "identity", "none", "utf-8"):
            return body
        codec = _codec(body, coding)
        if codec is None:
            self.mends.append("not_encoded")
            return body
        return self._decompress(codec, body, max_bytes)

    def _decompress(self, codec: Codec, body: bytes, max_bytes: int) -> bytes:
        try:
            out = codec.decompress(body, max_bytes + 1)
        except Corrupt as error:
            out = error.good
            if not out:
                raise BadMessage("bad_content_encoding", str(error)) from None
        if len(out) > max_bytes:
            raise BadMessage("record_too_large", f"the body is over {max_bytes} bytes when decoded")
        if not codec.eof:
            self.mends.append("cut_content_encoding")
        return out


def parse_response(block: bytes) -> Response:
    """Status and headers at the start of `block`.

    Raises:
        BadMessage: there is no status line.
    """
    status = _STATUS.match(block)
    if status is None:
        raise BadMessage("bad_http", f"is no HTTP response; it starts with {block[:40]!r}")
    found = _HEADERS_END.search(block)
    end, body_at = (found.start(), found.end()) if found else (len(block), len(block))
    # Latin-1 cannot fail, and headers of documents are ASCII but for mistakes.
    head = block[:end].decode("latin-1")
    return Response(int(status[1]), parse_fields(head.split("\n")[1:]), body_at)


def media_type(content_type: str | None) -> str:
    """`text/html` of `Text/HTML; charset=x`; empty if absent."""
    return (content_type or "").partition(";")[0].partition(",")[0].strip().lower()


def _codec(body: bytes, coding: str) -> Codec | None:
    """A decoder; None if the body is plainly not coded so."""
    if coding in ("gzip", "x-gzip"):
        return Gzip() if body.startswith(b"\x1f\x8b") else None
    if coding == "zstd":
        return Zstd() if body.startswith(b"\x28\xb5\x2f\xfd") else None
    if coding == "deflate":
        return _deflate(body)
    if coding == "br":
        return _brotli(body)
    raise BadMessage("unknown_content_encoding", f"content-encoding '{coding[:40]}' is not known")


def _deflate(body: bytes) -> Codec | None:
    """zlib, as the standard says, or raw deflate, as many servers send."""
    for wbits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        try:
            zlib.decompressobj(wbits).decompress(body, 64)
        except zlib.error:
            continue
        return Gzip(wbits)
    return None


def _brotli(body: bytes) -> Codec | None:
    try:
        import brotli  # type: ignore[import-untyped]
    except ImportError:
        what = "needs the package brotli: pip install brotli"
        raise BadMessage("unknown_content_encoding", what) from None
    # Brotli has no magic: markup where a coded body should be was decoded by the crawler.
    if body.lstrip()[:1] == b"<":
        return None
    return _Brotli(brotli.Decompressor(), brotli.error)


class _Brotli:
    """A brotli stream with the interface of `Codec`."""

    needs_input = True
    unused_data = b""

    def __init__(self, decompressor: Any, error: type[Exception]) -> None:
        self._brotli, self._error = decompressor, error

    @property
    def eof(self) -> bool:
        return bool(self._brotli.is_finished())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out, size = [], 0
        try:
            while size < max_length and not self.eof:
                part = self._brotli.process(data, output_buffer_limit=1 << 20)
                data = b""
                if not part:
                    break
                out.append(part)
                size += len(part)
        except self._error as error:
            raise Corrupt(str(error), b"".join(out)) from None
        return b"".join(out)
