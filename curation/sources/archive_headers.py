"""Record headers of web archives: WARC 1.x (ISO 28500) and the older ARC 1 and 2.

Both are put into one form: header names of WARC in lower case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_HEADER = 64 << 10  # bytes; longer ones are taken for damage

_ARC_LINE = rb"[a-z][a-z0-9+.-]*:[^\n]* [^ \n]+ \d{8,14} [^ \n]+(?: [^\n]*)? \d+\r?\n"


@dataclass(frozen=True)
class Grammar:
    """How records start."""

    start: re.Pattern[bytes]  # the first bytes of a record: a short look
    boundary: re.Pattern[bytes]  # ends before what looks like the first header lines of a record
    is_arc: bool = False

    def header_end(self, data: bytes, at: int) -> int:
        """Where the header that starts at `at` ends; -1 if `data` does not hold all of it."""
        newline = data.find(b"\n", at, at + MAX_HEADER)
        if self.is_arc or newline < 0:
            return newline + 1 if newline >= 0 else -1
        # The empty line that ends it is looked for in the newlines of the first line.
        empty = b"\r\n\r\n" if data[newline - 1 : newline] == b"\r" else b"\n\n"
        found = data.find(empty, at, at + MAX_HEADER)
        return found + len(empty) if found >= 0 else -1

    def parse(self, header: bytes) -> dict[str, str] | None:
        """Fields of a header, with a type and a length in digits; None: malformed."""
        if not self.is_arc and (not self.boundary.match(header) or self.boundary.search(header, 1)):
            return None  # nothing that a search finds, or cut, and the next record's taken for it
        text = header.decode("utf-8", "replace")
        fields = _parse_arc(text) if self.is_arc else parse_fields(text.split("\n")[1:])
        length = fields.get("content-length", "")
        is_number = length.isascii() and length.isdigit() and len(length) < 19
        return fields if is_number and fields.get("warc-type") else None


WARC = Grammar(
    start=re.compile(rb"WARC/\d"),
    # Not only at the start of a line: the record before may be cut.
    boundary=re.compile(rb"(?=WARC/\d\.\d+[ \t]*\r?\n[A-Za-z-]+:)"),
)
ARC = Grammar(
    start=re.compile(rb"[a-z][a-z0-9+.-]{0,30}:", re.IGNORECASE),
    boundary=re.compile(rb"\n(?=" + _ARC_LINE + rb")", re.IGNORECASE),
    is_arc=True,
)


def grammar_of(head: bytes) -> Grammar:
    """The grammar of an archive whose decompressed content starts with `head`."""
    return ARC if head.startswith(b"filedesc:") else WARC


def parse_fields(lines: list[str]) -> dict[str, str]:
    """`Name: value` lines by name in lower case; the first of a name counts; folds are joined."""
    fields: dict[str, str] = {}
    name = ""
    for line in lines:
        if line[:1] in (" ", "\t") and name:
            fields[name] = f"{fields[name]} {line.strip()}".strip()
            continue
        key, colon, value = line.partition(":")
        if colon:
            name = key.strip().lower()
            fields.setdefault(name, value.strip())
    return fields


def _parse_arc(line: str) -> dict[str, str]:
    # From the right, as old URLs may hold spaces; version 2 has five more fields before the length.
    found = re.match(
        r"(?P<url>.*) (?P<ip>\S+) (?P<date>\d{8,14}) (?P<type>\S+)(?: .*)? (?P<length>\d+)\s*$",
        line,
    )
    if found is None:
        return {}
    url = found["url"]
    return {
        "warc-type": url.partition(":")[0] if url.startswith(("filedesc:", "dns:")) else "response",
        "warc-target-uri": url,
        "warc-date": _iso_date(found["date"]),
        "content-type": found["type"],
        "content-length": found["length"],
    }


def _iso_date(digits: str) -> str:
    """`20080430204825` as `2008-04-30T20:48:25Z`; another length as it is."""
    if len(digits) != 14:
        return digits
    d = digits
    return f"{d[:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}:{d[12:]}Z"
