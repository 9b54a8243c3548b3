"""Records of a web archive, plain or compressed, each with where it starts.

A record counts as good if its header is well formed, its length fits what follows it and its
compressed member is sound. Everything else is reported, and reading goes on at the next place
where a record starts: the next member that decompresses to one, or in a plain file the next line
that begins a header. Damage belongs to the part of the file that holds the good record before it,
so parts read one by one give what the whole file gives.

A sound archive stored in a record without compression cannot be told from the archive around it
when a part of the file begins inside that record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from curation.sources.archive_headers import ARC, Grammar, grammar_of
from curation.sources.codecs import MAGIC_BYTES, Codec, Corrupt, Gzip, Zstd, codec_of
from curation.sources.compression import Chunks, Member, top_up
from curation.sources.framing import LOOKAHEAD, Bad, Buffer, Event, Record, frame
from curation.sources.lines import blocks

_SCAN = 1 << 20
_TRIAL = 140_000  # compressed bytes: one zstd block of 128 KiB and its headers
_PROBE = 8 << 20  # decompressed bytes of the first member that tell how a file is laid out
_MAGICS: dict[Callable[[], Codec], re.Pattern[bytes]] = {
    Gzip: re.compile(rb"\x1f\x8b\x08"),
    Zstd: re.compile(rb"\x28\xb5\x2f\xfd"),
}


@dataclass(frozen=True)
class Layout:
    """How a file is put together."""

    grammar: Grammar
    make: Callable[[], Codec] | None  # the codec of its members; None: plain
    is_stream: bool  # members do not begin with records, so the file can only be read from 0

    @property
    def can_split(self) -> bool:
        """Parts can be read on their own."""
        return not self.is_stream and self.grammar is not ARC


def layout_of(handle: BinaryIO) -> Layout:
    """The layout of an open file."""
    head = top_up(handle, b"")
    make = codec_of(head)
    if make is None:
        return Layout(grammar_of(head), None, False)
    member = Member(handle, make, head, 0)
    content = _first_bytes(member, _PROBE)
    grammar = grammar_of(content)
    if make not in _MAGICS:
        return Layout(grammar, make, True)
    is_complete = member.damage is None and len(content) < _PROBE
    if not is_complete or not _ends_inside(content, grammar):
        return Layout(grammar, make, False)
    after = top_up(handle, member.rest)
    spans = codec_of(after) is make and not _starts_record(after, make, grammar)
    return Layout(grammar, make, spans)


def read_archive(
    handle: BinaryIO, layout: Layout, start: int, end: int | None, max_bytes: int
) -> Iterator[Event]:
    """The records that start in [start, end) and the damage after each of them, in order.

    Args:
        handle: an open file.
        layout: of that file.
        start: 0 for the beginning of the file, whose damage is then reported too.
        end: None for the end of the file.
        max_bytes: of a record; longer ones are reported.
    """
    found = start > 0  # still to be found: damage before it was reported with the part before
    for event in _events(handle, layout, start, end, max_bytes):
        if isinstance(event, Record):
            if end is not None and event.part >= end:
                return
            found = False
        if not found:
            yield event


def _events(
    handle: BinaryIO, layout: Layout, start: int, end: int | None, max_bytes: int
) -> Iterator[Event]:
    if layout.is_stream:
        yield from _stream(handle, layout.grammar, max_bytes)
    elif layout.make is not None:
        at = _next_member(handle, layout, start, end) if start else 0
        if at is not None:
            yield from _members(handle, layout, layout.make, at, max_bytes)
    else:
        handle.seek(max(0, start - 1))
        buffer = Buffer(blocks(handle), max(0, start - 1))
        if not start or buffer.seek_next(layout.grammar.boundary):
            yield from frame(buffer, layout.grammar, max_bytes)


def _stream(handle: BinaryIO, grammar: Grammar, max_bytes: int) -> Iterator[Event]:
    handle.seek(0)
    chunks = Chunks(handle)
    for event in frame(Buffer(chunks), grammar, max_bytes):
        if chunks.damage is None or isinstance(event, Record):
            yield replace(event, part=0) if isinstance(event, Record) else event
    if chunks.damage is not None:
        yield Bad(chunks.damage.offset, chunks.damage.kind, chunks.damage.message)


def _members(
    handle: BinaryIO, layout: Layout, make: Callable[[], Codec], at: int, max_bytes: int
) -> Iterator[Event]:
    handle.seek(at)
    data = top_up(handle, b"")
    while data:
        if codec_of(data) is make:
            member = Member(handle, make, data, at)
            yield from _of_member(member, layout.grammar, max_bytes)
            if member.damage is None:
                at, data = member.end, top_up(handle, member.rest)
                continue
        else:
            yield Bad(at, "garbage", "bytes between compressed records were left out")
        found = _next_member(handle, layout, at + 1, None)
        if found is None:
            return
        at = found
        handle.seek(at)
        data = top_up(handle, b"")


def _of_member(member: Member, grammar: Grammar, max_bytes: int) -> Iterator[Event]:
    """Events of one member. The last waits for the end, where the checksum is."""
    held: Event | None = None
    for event in frame(Buffer(member), grammar, max_bytes):
        if held is not None:
            yield held
        if isinstance(event, Record):
            held = Record(member.start + event.offset, member.start, event.headers, event.block)
        else:
            held = replace(event, offset=member.start + event.offset)
    if member.damage is not None:
        yield Bad(member.start, f"{member.damage.kind}_record", member.damage.message)
    elif held is not None:
        yield held


def _next_member(handle: BinaryIO, layout: Layout, at: int, end: int | None) -> int | None:
    """Where the next member starts, from `at` on and before `end`, that begins with a record."""
    assert layout.make is not None
    magic = _MAGICS[layout.make]
    while end is None or at < end:
        handle.seek(at)
        block = handle.read(_SCAN + _TRIAL)
        for found in magic.finditer(block, 0, _SCAN + MAGIC_BYTES):
            head = block[found.start() : found.start() + _TRIAL]
            if found.start() < _SCAN and _starts_record(head, layout.make, layout.grammar):
                return at + found.start()
        if len(block) <= _SCAN:
            return None
        at += _SCAN
    return None


def _starts_record(data: bytes, make: Callable[[], Codec], grammar: Grammar) -> bool:
    try:
        head = make().decompress(data[:_TRIAL], LOOKAHEAD)
    except Corrupt as error:
        head = error.good
    return grammar.start.match(head.lstrip(b"\r\n")) is not None


def _first_bytes(member: Member, size: int) -> bytes:
    """All content of a member, or at least `size` bytes of it."""
    parts, have = [], 0
    for part in member:
        parts.append(part)
        have += len(part)
        if have >= size:
            break
    return b"".join(parts)


def _ends_inside(content: bytes, grammar: Grammar) -> bool:
    """The last record of a member's content is cut."""
    events = list(frame(Buffer([content]), grammar, _PROBE))
    last = events[-1] if events else None
    return isinstance(last, Bad) and last.kind in ("truncated_record", "bad_header")
