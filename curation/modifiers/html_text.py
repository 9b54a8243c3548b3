"""HTML to text, in a child process that a hostile page cannot take down.

Documents that carry no `raw` bytes (JSONL, Parquet) pass untouched.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from curation.extraction import extract_pages
from curation.sandbox import sandbox
from curation.stage import Modifier, stages

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([a-zA-Z0-9_.:-]+)", re.IGNORECASE)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META_BYTES = 1024  # where HTML 5 looks for a meta charset
_ESCAPED = ("iso2022_jp", "utf-16-le", "utf-16-be")  # valid as UTF-8 and yet not UTF-8
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@stages.register("html_text")
@dataclass(frozen=True, kw_only=True)
class HtmlText(Modifier):
    """Extracts the main text of HTML pages.

    `resiliparse` is what DCLM uses; links, alt texts, forms and comments are off, which gave the
    best F1 on three sets of annotated pages (`make bench`). `trafilatura` is slower and stricter
    about boilerplate. A page that takes longer than `timeout_s`, crashes the parser, or cannot be
    decoded is dropped with reason `error`; a page without text with reason `empty_text`.
    """

    extractor: Literal["resiliparse", "trafilatura"] = "resiliparse"
    main_content: bool = True  # False: all visible text, navigation included
    timeout_s: float = 10.0  # seconds per page

    def __post_init__(self) -> None:
        if self.timeout_s <= 0:
            raise ValueError(f"'timeout_s' of html_text must be > 0. Got {self.timeout_s} instead.")
        if self.extractor == "trafilatura" and not self.main_content:
            raise ValueError("'main_content: false' of html_text needs 'extractor: resiliparse'.")

    @property
    def extracts(self) -> bool:
        """Makes text from `raw`."""
        return True

    def edit(self, table: pa.Table) -> pa.Table:
        """Fills `text` from `raw` and drops `raw` and `content_type`."""
        if "raw" not in table.column_names:
            return table
        options = {"extractor": self.extractor, "main_content": self.main_content}
        child = sandbox("curation.modifiers.html_text:extract", options, self.timeout_s)
        return extract_pages(table, child, _frame)


def _frame(table: pa.Table, row: int) -> bytes:
    """The declared content type, a newline, and the page."""
    kind = (table["content_type"][row].as_py() or "").replace("\n", " ")
    page: bytes = table["raw"][row].as_py()
    return kind.encode("utf-8", "replace") + b"\n" + page


def extract(frame: bytes, extractor: str, main_content: bool) -> str:
    """The text of one page; runs in the child."""
    kind, _, page = frame.partition(b"\n")
    html = decode(page, kind)
    if kind.startswith(b"text/plain"):
        text = html
    elif extractor == "trafilatura":
        text = _trafilatura(html)
    else:
        text = _resiliparse(html, main_content)
    return _CONTROL.sub("", text).strip()


def _resiliparse(html: str, main_content: bool) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    return str(
        extract_plain_text(
            html,
            main_content=main_content,
            alt_texts=False,
            links=False,
            form_fields=False,
            noscript=False,
            comments=False,
        )
    )


def _trafilatura(html: str) -> str:
    import trafilatura

    return trafilatura.extract(html, include_comments=False, deduplicate=False) or ""


def decode(page: bytes, content_type: bytes = b"") -> str:
    """The page as text.

    Byte order mark; then UTF-8 if the bytes are valid, whatever is declared, since text of another
    charset hardly ever is; then the declared charsets that the bytes agree with (HTTP header, then
    meta tag); then detection by frequency. Labels mean what WHATWG says: ISO-8859-1 is
    Windows-1252. Only if all fail are bad bytes replaced by U+FFFD.
    """
    from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

    for mark, name in _BYTE_ORDER_MARKS:
        if page.startswith(mark):
            return page[len(mark) :].decode(name, "replace")
    found_in = (_CHARSET.search(part) for part in (content_type, page[:_META_BYTES]))
    labels = [match.group(1).decode("ascii") for match in found_in if match]
    names = [map_encoding_to_html5(label, fallback_utf8=False) for label in labels]
    if b"\0" not in page:  # markup in UTF-16 holds NUL bytes: without any, that label is wrong
        names = [name for name in names if name not in ("utf-16-le", "utf-16-be")]
    escaped = [name for name in names if name in _ESCAPED]
    tries = (_try_decode(page, name) for name in [*escaped, "utf-8", *names])
    found = next((text for text in tries if text is not None), None)
    if found is None:
        found = _try_decode(page, detect_encoding(page))
    return page.decode("utf-8", "replace") if found is None else found


def _try_decode(page: bytes, name: str | None) -> str | None:
    try:
        return page.decode(name) if name else None
    except (UnicodeDecodeError, LookupError):
        return None
