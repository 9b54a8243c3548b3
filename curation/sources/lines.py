"""Lines of a stream of bytes, split at LF only, each with its offset and none unbounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from curation.sources.codecs import MAGIC_BYTES, codec_of
from curation.sources.files import open_file
from curation.sources.inputs import Split

SPLIT_BYTES = 64 << 20
UTF8_BOM = b"\xef\xbb\xbf"

_BLOCK = 1 << 20


def lines(
    chunks: Iterable[bytes], start: int, max_bytes: int
) -> Iterator[tuple[int, bytes | None]]:
    """Offset and content of each line, without its LF; None for one longer than `max_bytes`.

    `start` is the offset of the first byte. Memory is bounded by `max_bytes` and a chunk.
    """
    held: list[bytes] = []  # the beginning of the current line
    size = 0
    for chunk in chunks:
        first, *rest = chunk.split(b"\n")
        size += len(first)
        if size <= max_bytes:
            held.append(first)
        else:
            held.clear()
        if not rest:
            continue
        yield start, b"".join(held) if size <= max_bytes else None
        start += size + 1
        for line in rest[:-1]:
            yield start, line if len(line) <= max_bytes else None
            start += len(line) + 1
        held, size = [rest[-1]], len(rest[-1])
    if size:
        yield start, b"".join(held) if size <= max_bytes else None


def first_line(handle: BinaryIO, start: int, end: int | None) -> int | None:
    """The offset at which the first line that starts at or after `start` does; `handle` goes there.

    None: none starts before `end`.
    """
    if start == 0:
        return 0
    at = start - 1  # a line that starts at `start` has its predecessor's newline there
    handle.seek(at)
    while (end is None or at < end) and (block := handle.read(_BLOCK)):
        found = block.find(b"\n")
        if found >= 0:
            at += found + 1
            handle.seek(at)
            return at if end is None or at < end else None
        at += len(block)
    return None


def blocks(handle: BinaryIO) -> Iterator[bytes]:
    """The rest of an open file."""
    while block := handle.read(_BLOCK):
        yield block


def line_splits(whole: Split) -> list[Split]:
    """Byte ranges of a plain file; a compressed, foreign or unreadable one stays whole."""
    size = whole.file.size
    if size <= SPLIT_BYTES:
        return [whole]
    try:
        with open_file(whole.file) as handle:
            head = handle.read(MAGIC_BYTES)
    except OSError:
        return [whole]  # `read` meets it again and reports it
    if codec_of(head) is not None or wide_encoding(head) is not None:
        return [whole]
    starts = range(0, size, SPLIT_BYTES)
    return [Split(whole.file, at, min(at + SPLIT_BYTES, size)) for at in starts]


def wide_encoding(head: bytes) -> str | None:
    """`UTF-16` or `UTF-32` if a file that starts with `head` is in that, by its byte order mark.

    Without a mark: by the NUL beside or after the first ASCII character.
    """
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "UTF-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    if len(head) >= 4 and (head[0] == 0) != (head[1] == 0) and (head[2] == 0) != (head[3] == 0):
        return "UTF-16"
    return None
