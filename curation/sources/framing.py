"""Cutting a stream into the records of a web archive, and finding the next one after damage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from curation.sources.archive_headers import MAX_HEADER, Grammar

LOOKAHEAD = 64  # bytes after a record that show whether another one starts there

_HEADER = 4 << 10  # bytes that nearly always hold a whole header
_OVERLAP = 8 << 10  # longer than a header's first line
_NEWLINES = re.compile(rb"[\r\n]*")


@dataclass(frozen=True, slots=True)
class Record:
    """A good record."""

    offset: int  # where its member starts, plus where it starts in that; or byte of a plain file
    part: int  # where its member starts
    headers: dict[str, str]
    block: bytes


@dataclass(frozen=True, slots=True)
class Bad:
    """Bytes that are no good record."""

    offset: int
    kind: str
    message: str


Event = Record | Bad


def frame(buffer: Buffer, grammar: Grammar, max_bytes: int) -> Iterator[Event]:
    """Records of a stream, one after another; after damage, from the next header on."""
    while buffer.skip_newlines():
        event = _next(buffer, grammar, max_bytes)
        yield event
        if isinstance(event, Bad) and not buffer.seek_next(grammar.boundary):
            return


class Buffer:
    """A window on a stream of chunks: bytes from `at` on are in `data`, as far as asked for."""

    def __init__(self, chunks: Iterable[bytes], start: int = 0) -> None:
        self._chunks = iter(chunks)
        self.data = b""
        self.at = 0
        self._base = start  # offset of data[0] in the stream

    def tell(self) -> int:
        """The offset in the stream of the current byte."""
        return self._base + self.at

    def ensure(self, size: int) -> bool:
        """Reads on until `size` bytes are there from `at`; False if the stream ends before."""
        have = len(self.data) - self.at
        if have >= size:
            return True
        parts = [self.data[self.at :]]
        while have < size and (chunk := next(self._chunks, None)) is not None:
            parts.append(chunk)
            have += len(chunk)
        self._base += self.at
        self.data, self.at = b"".join(parts), 0
        return have >= size

    def skip_newlines(self) -> bool:
        """Goes to the next byte that is no newline; False if the stream ends before."""
        while self.ensure(1):
            self.at = _after_newlines(self.data, self.at)
            if self.at < len(self.data):
                return True
        return False

    def seek_next(self, boundary: re.Pattern[bytes]) -> bool:
        """Goes to the end of the next match after the current byte."""
        while True:
            found = boundary.search(self.data, self.at + 1)
            if found:
                self.at = found.end()
                return True
            self.at = max(self.at, len(self.data) - _OVERLAP)
            if not self.ensure(len(self.data) - self.at + 1):
                return False


def _next(buffer: Buffer, grammar: Grammar, max_bytes: int) -> Event:
    """The record at the current byte, and steps behind it; or what is wrong with it."""
    offset = buffer.tell()
    buffer.ensure(LOOKAHEAD)
    if not grammar.start.match(buffer.data, buffer.at):
        return Bad(offset, "not_a_record", "bytes that are no record were left out")
    size = _HEADER
    while (end := grammar.header_end(buffer.data, buffer.at)) < 0 and size <= MAX_HEADER:
        buffer.ensure(size)
        size *= 2
    headers = grammar.parse(buffer.data[buffer.at : end]) if end >= 0 else None
    if headers is None:
        return Bad(
            offset,
            "bad_header",
            "the record's header is cut or damaged, or states no type or length",
        )
    length = int(headers["content-length"])
    head = end - buffer.at
    if length > max_bytes:
        what = f"states {length} bytes, over the limit of {max_bytes}"
        return Bad(offset, "record_too_large", what)
    is_whole = buffer.ensure(head + length)
    buffer.ensure(head + length + LOOKAHEAD)
    stop = buffer.at + head + length
    if not is_whole or not _is_end(buffer.data, stop, grammar):
        return _wrong_length(buffer, grammar, offset, head, is_whole)
    block = buffer.data[buffer.at + head : stop]
    buffer.at = stop
    return Record(offset, offset, headers, block)


def _is_end(data: bytes, stop: int, grammar: Grammar) -> bool:
    """At `stop` is the end mark of a record, or newlines and the next record or the end of data."""
    if data[stop : stop + 4] == b"\r\n\r\n" and not grammar.is_arc:
        return True  # whatever follows: garbage there is no reason to lose this record
    at = _after_newlines(data, stop)
    if at == len(data):
        return True
    return data[at - 1 : at] == b"\n" and grammar.start.match(data, at) is not None


def _after_newlines(data: bytes, at: int) -> int:
    found = _NEWLINES.match(data, at)
    return found.end() if found else at


def _wrong_length(buffer: Buffer, grammar: Grammar, offset: int, head: int, is_whole: bool) -> Bad:
    have = len(buffer.data) - buffer.at - head
    if is_whole or grammar.boundary.search(buffer.data, buffer.at + head):
        buffer.at += head - 1  # the search for the next record begins behind it
        what = "the length that the record states does not end where a record ends"
        return Bad(offset, "bad_content_length", what)
    return Bad(offset, "truncated_record", f"the file ends {have} bytes into the record's content")
