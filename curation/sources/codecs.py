"""Decompressors of one interface: gzip, zstd, bzip2 and xz, known by the first bytes of a file.

Output comes in bounded steps whatever the ratio, and bytes that came out before damage are kept.
"""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Callable
from typing import Protocol

ZSTD_PIECE = 1 << 10  # a block of 4 bytes may expand to 128 KiB: at most 32 MiB out of one piece
MAX_MEMORY = 1 << 27  # of the window or dictionary that a zstd or xz file asks for
MAGIC_BYTES = 10

_ZSTD_MAGIC = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")  # a frame, a skippable one
_BZ2_MAGIC = re.compile(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)")  # a block, an empty stream


class Corrupt(Exception):
    """A codec met bytes that are not of its format. `good` is what came before, if known."""

    def __init__(self, message: str, good: bytes = b"") -> None:
        super().__init__(message)
        self.good = good


class Codec(Protocol):
    """One member or frame, with the interface of `bz2.BZ2Decompressor`."""

    @property
    def eof(self) -> bool:
        """The member is complete and its checksum is right."""

    @property
    def needs_input(self) -> bool:
        """False: more can come out before more goes in."""

    @property
    def unused_data(self) -> bytes:
        """What was put in beyond the end of the member."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """About `max_length` bytes at most. Raises Corrupt."""


class Gzip:
    """A gzip member, or with other `wbits` what else zlib reads."""

    def __init__(self, wbits: int = 31) -> None:
        self._zlib = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        """The member is complete and its checksum is right."""
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        """False: more can come out before more goes in."""
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """What was put in beyond the end of the member."""
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most `max_length` bytes. Raises Corrupt, with all that came out before the damage."""
        if tail := self._zlib.unconsumed_tail:
            data = tail + data
        before = self._zlib.copy()
        try:
            return self._zlib.decompress(data, max_length)
        except zlib.error as error:
            raise Corrupt(str(error), _salvage(before, data)) from None


class Zstd:
    """A zstd frame. It is fed in small pieces, as its output cannot be bounded otherwise."""

    def __init__(self) -> None:
        import zstandard

        self._error = zstandard.ZstdError
        self._zstd = zstandard.ZstdDecompressor(max_window_size=MAX_MEMORY).decompressobj()
        self._pending = b""

    @property
    def eof(self) -> bool:
        """The frame is complete and its checksum, if it has one, is right."""
        return self._zstd.eof

    @property
    def needs_input(self) -> bool:
        """False: more can come out before more goes in."""
        return not self._pending

    @property
    def unused_data(self) -> bytes:
        """What was put in beyond the end of the frame."""
        return self._zstd.unused_data + self._pending if self.eof else b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """About `max_length` bytes, at most one piece's worth more. Raises Corrupt."""
        data = self._pending + data
        out, size, at = [], 0, 0
        try:
            while at < len(data) and size < max_length and not self._zstd.eof:
                out.append(self._zstd.decompress(data[at : at + ZSTD_PIECE]))
                size, at = size + len(out[-1]), at + ZSTD_PIECE
        except self._error as error:
            raise Corrupt(str(error), b"".join(out)) from None
        self._pending = data[at:]
        return b"".join(out)


class _Standard:
    """A bzip2 or xz stream, by the decompressor of the standard library."""

    def __init__(self, codec: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._codec = codec

    @property
    def eof(self) -> bool:
        return self._codec.eof

    @property
    def needs_input(self) -> bool:
        return self._codec.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._codec.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        try:
            return self._codec.decompress(data, max_length)
        except (OSError, ValueError, lzma.LZMAError) as error:
            raise Corrupt(str(error)) from None


def codec_of(head: bytes) -> Callable[[], Codec] | None:
    """What makes a decompressor for a file that starts with `head`; None: it is not compressed."""
    if head.startswith(b"\x1f\x8b\x08"):
        return Gzip
    if _ZSTD_MAGIC.match(head):
        return Zstd
    if _BZ2_MAGIC.match(head):
        return _bzip2
    if head.startswith(b"\xfd7zXZ\x00"):
        return _xz
    return None


def _salvage(codec: zlib._Decompress, data: bytes) -> bytes:
    """What comes out of `data` before the byte at which decompressing it fails."""
    good = []
    try:
        for i in range(len(data)):
            good.append(codec.decompress(data[i : i + 1]))
    except zlib.error:
        return b"".join(good)
    return b"".join(good)


def _bzip2() -> Codec:
    return _Standard(bz2.BZ2Decompressor())


def _xz() -> Codec:
    return _Standard(lzma.LZMADecompressor(memlimit=MAX_MEMORY))
