"""WARC and ARC archives: web pages as crawled, plain or compressed.

Documents are responses with status 200, and resources and conversions, that are HTML, XHTML or
plain text, or that have no declared type and look like HTML. Everything else is counted by kind:
the record's type (`request`, `revisit`), `http_404`, a media type (`image/png`), `dns`,
`empty_body`. What is damaged is reported with the byte of the file at which its compressed member
or, in a plain file, its record starts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from curation.sources.archive import layout_of, read_archive
from curation.sources.files import open_file
from curation.sources.framing import Bad, Record
from curation.sources.http_message import BadMessage, media_type, parse_response
from curation.sources.inputs import InputFile, Split
from curation.sources.rows import Row, RowSource
from curation.sources.source import ReadLog, formats

SPLIT_BYTES = 32 << 20
DOCUMENT_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain"})

_LOOKS_LIKE_HTML = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|title|meta|div|p|table|h1)[\s>/]", re.IGNORECASE
)
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,40}/[\w!#$&^.+-]{1,80}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Archive(RowSource):
    """What `warc` and `wet` share: records of a file, and which are documents."""

    max_record_bytes: int = 64 << 20

    def __post_init__(self) -> None:
        if self.max_record_bytes < 1:
            raise ValueError(f"'max_record_bytes' must be at least 1, got {self.max_record_bytes}")

    def splits(self, file: InputFile) -> list[Split]:
        """Byte ranges of about 32 MiB; one where records do not start compressed members."""
        if file.size <= SPLIT_BYTES:
            return [Split(file)]
        try:
            with open_file(file) as handle:
                can_split = layout_of(handle).can_split
        except OSError:
            return [Split(file)]  # `read` meets it again and reports it
        if not can_split:
            return [Split(file)]
        starts = [*range(0, file.size, SPLIT_BYTES)]
        ends = [*starts[1:], None]  # damage at the very end belongs to the last
        return [Split(file, start, end) for start, end in zip(starts, ends, strict=True)]

    def rows(self, handle: BinaryIO, split: Split, log: ReadLog) -> Iterator[Row]:
        """The documents whose records start in the split."""
        layout = layout_of(handle)
        events = read_archive(handle, layout, split.start, split.end, self.max_record_bytes)
        for event in events:
            if isinstance(event, Bad):
                log.error(split.file, event.offset, event.kind, event.message)
                continue
            try:
                row = self.row(event, log)
            except BadMessage as error:
                log.error(split.file, event.offset, error.kind, str(error))
                continue
            if row is not None:
                yield row

    def row(self, record: Record, log: ReadLog) -> Row | None:
        """The document in a record; None if it is none, which is then counted.

        Raises:
            BadMessage: it should be a document and cannot be read.
        """
        raise NotImplementedError


@formats.register("warc")
@dataclass(frozen=True, kw_only=True)
class Warc(Archive):
    """WARC and ARC files of web pages."""

    yields_raw: ClassVar[bool] = True
    extensions: ClassVar[tuple[str, ...]] = (".warc", ".arc")

    def row(self, record: Record, log: ReadLog) -> Row | None:
        """The page in a response, resource or conversion."""
        kind = record.headers["warc-type"].lower()
        if kind not in ("response", "resource", "conversion"):
            log.skip(kind[:40])
            return None
        if _is_http(kind, record):
            return self._response(record, log)
        if (declared := record.headers.get("content-type")) == "text/dns":
            log.skip("dns")
            return None
        if not record.block:
            log.skip("empty_body")
            return None
        return _document(record, record.block, declared, {"warc_type": kind}, log)

    def _response(self, record: Record, log: ReadLog) -> Row | None:
        response = parse_response(record.block)
        if response.status != 200:
            log.skip(f"http_{response.status}")
            return None
        declared = response.content_type
        if declared is not None and media_type(declared) not in DOCUMENT_TYPES:
            log.skip(_skip_kind(declared))
            return None
        body = response.body(record.block, self.max_record_bytes)
        if not body:
            log.skip("empty_body")
            return None
        for mend in response.mends:
            log.repair(mend)
        meta = {"http_status": response.status, "warc_type": "response"}
        return _document(record, body, declared, meta, log)


def record_id(record: Record) -> str | None:
    """The record's id without `<urn:uuid:` and `>`; None for ARC, which has none."""
    value = record.headers.get("warc-record-id", "").strip("<> ").removeprefix("urn:uuid:")
    return value or None


def target_url(record: Record) -> str | None:
    """The record's URL, without the angle brackets that some versions of wget put around it."""
    return record.headers.get("warc-target-uri", "").strip("<> ") or None


def _is_http(kind: str, record: Record) -> bool:
    if kind != "response":
        return False
    declared = media_type(record.headers.get("content-type"))
    if declared == "application/http":
        return True
    # In an ARC the declared type is that of the body, and an old WARC may leave it out.
    return record.block[:5].upper() == b"HTTP/" or (not declared and bool(record.block))


def _document(
    record: Record, body: bytes, declared: str | None, meta: dict[str, object], log: ReadLog
) -> Row | None:
    kind = media_type(declared)
    if kind not in DOCUMENT_TYPES and (kind or not _LOOKS_LIKE_HTML.search(body, 0, 2048)):
        log.skip(_skip_kind(declared))
        return None
    return Row(
        offset=record.offset,
        raw=body,
        content_type=declared,
        id=record_id(record),
        url=target_url(record),
        date=record.headers.get("warc-date"),
        meta=json.dumps(meta, sort_keys=True, separators=(",", ":")),
    )


def _skip_kind(declared: str | None) -> str:
    kind = media_type(declared)
    if not kind:
        return "no_content_type"
    return kind if _MEDIA_TYPE.fullmatch(kind) else "odd_content_type"
