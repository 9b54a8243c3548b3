"""WET archives: plain text that a crawl's owner extracted, one `conversion` record a page.

Text that is not UTF-8 is reported; U+0000 is taken out; records of other types are counted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from curation.sources.framing import Record
from curation.sources.http_message import BadMessage, media_type
from curation.sources.rows import Row, clean
from curation.sources.source import ReadLog, formats
from curation.sources.warc import Archive, record_id, target_url


@formats.register("wet")
@dataclass(frozen=True, kw_only=True)
class Wet(Archive):
    """WET files: text extracted from web pages."""

    extensions: ClassVar[tuple[str, ...]] = (".wet", ".warc.wet")

    def row(self, record: Record, log: ReadLog) -> Row | None:
        """The text in a conversion record."""
        kind = record.headers["warc-type"].lower()
        declared = media_type(record.headers.get("content-type")) or "text/plain"
        if kind != "conversion" or declared != "text/plain":
            log.skip(kind[:40] if kind != "conversion" else "no_plain_text")
            return None
        try:
            text = record.block.decode("utf-8")
        except UnicodeDecodeError as error:
            what = f"byte {error.start} of the text is not UTF-8"
            raise BadMessage("invalid_utf8", what) from None
        if not text or text.isspace():
            log.skip("empty_body")
            return None
        return Row(
            offset=record.offset,
            text=clean(text, log),
            id=record_id(record),
            url=target_url(record),
            date=record.headers.get("warc-date"),
            meta=_meta(record),
        )


def _meta(record: Record) -> str:
    """What the crawl says of the page, besides."""
    meta = {"warc_type": "conversion"}
    if languages := record.headers.get("warc-identified-content-language"):
        meta["languages"] = languages  # ISO 639-3, the main one first, as Common Crawl writes it
    return json.dumps(meta, sort_keys=True, separators=(",", ":"))
