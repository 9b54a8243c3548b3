"""Any file as a stream of decompressed bytes, known by its first bytes and not by its name.

Also several members or frames in a row. Bytes come out in bounded steps, so that a decompression
bomb costs time but no memory. What was good before damage comes out, then `damage` says what
stopped the stream: common readers are silent on a zstd stream that ends in the middle, and on what
follows the last member.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from curation.sources.codecs import MAGIC_BYTES, Codec, Corrupt, codec_of

PIECE = 1 << 16  # compressed bytes read at a time
STEP = 1 << 20  # decompressed bytes given out at a time


@dataclass(frozen=True)
class Damage:
    """Why a stream ended before its time."""

    offset: int  # byte of the file where the damaged member starts, or the garbage after the last
    kind: str  # `truncated`, `corrupt` or `trailing_garbage`
    message: str


class Member:
    """The decompressed bytes of one member or frame of an open file. Iterate once.

    Args:
        handle: stands after `data`.
        make: its codec.
        data: the member's first bytes, and maybe more.
        start: where `data` starts in the file.
    """

    def __init__(
        self, handle: BinaryIO, make: Callable[[], Codec], data: bytes, start: int
    ) -> None:
        self._handle, self._codec = handle, make()
        self.start = start
        self.end = start + len(data)  # in the end, where the member ends
        self.rest = data  # in the end, what was read beyond it
        self.damage: Damage | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._decompress()
        except Corrupt as error:
            if error.good:
                yield error.good
            self.damage = Damage(self.start, "corrupt", _broken(self.start, str(error)))

    def _decompress(self) -> Iterator[bytes]:
        codec, data = self._codec, self.rest
        while True:
            out = codec.decompress(data, STEP)
            if out:
                yield out
            if codec.eof:
                self.rest = codec.unused_data
                self.end -= len(self.rest)
                return
            data = self._handle.read(PIECE) if codec.needs_input else b""
            self.end += len(data)
            if not data and not out and codec.needs_input:
                self.damage = Damage(self.start, "truncated", _cut(self.start, self.end))
                return


class Chunks:
    """The decompressed bytes of an open file, from its start. Iterate once."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self.damage: Damage | None = None  # known after the last chunk

    def __iter__(self) -> Iterator[bytes]:
        head = top_up(self._handle, b"")
        make = codec_of(head)
        if make is not None:
            yield from self._members(make, head)
            return
        while head:
            yield head
            head = self._handle.read(STEP)

    def _members(self, make: Callable[[], Codec], data: bytes) -> Iterator[bytes]:
        start = 0
        while data:
            if codec_of(data) is not make:
                self.damage = Damage(start, "trailing_garbage", _garbage(start))
                return
            member = Member(self._handle, make, data, start)
            yield from member
            if member.damage is not None:
                self.damage = member.damage
                return
            start, data = member.end, top_up(self._handle, member.rest)


def top_up(handle: BinaryIO, data: bytes) -> bytes:
    """`data` and enough of what follows to know its format, unless the file ends."""
    while len(data) < MAGIC_BYTES and (more := handle.read(PIECE)):
        data += more
    return data


def _cut(start: int, end: int) -> str:
    return (
        f"the file ends at byte {end} in the middle of the compressed part that starts at {start}"
    )


def _broken(start: int, reason: str) -> str:
    return (
        f"the compressed part that starts at byte {start} is damaged ({reason}): what is after "
        "the damage is lost, and what came just before it may be wrong"
    )


def _garbage(start: int) -> str:
    return f"what follows byte {start} is not part of the compressed stream and was not read"
