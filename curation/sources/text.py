"""A folder or glob of text files, one document each, plain or compressed.

The encoding is UTF-8, with or without byte order mark, unless `encoding` names another. A file
that is not in it is reported and left out: wrong characters are never made in silence. U+0000 is
taken out. Empty files are skipped.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from curation.sources.compression import Chunks
from curation.sources.inputs import InputFile, Split
from curation.sources.lines import wide_encoding
from curation.sources.rows import Row, RowSource, clean
from curation.sources.source import ReadLog, formats


@formats.register("text")
@dataclass(frozen=True, kw_only=True)
class Text(RowSource):
    """Text files, one document each."""

    extensions: ClassVar[tuple[str, ...]] = (".txt", ".text", ".md", ".rst")

    encoding: str = "utf-8"
    max_file_bytes: int = 64 << 20

    def __post_init__(self) -> None:
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise ValueError(f"'encoding' is '{self.encoding}', which is unknown") from None

    def rows(self, handle: BinaryIO, split: Split, log: ReadLog) -> Iterator[Row]:
        """The text of a file, or nothing."""
        data = whole_file(handle, split.file, self.max_file_bytes, log)
        text = self._decode(data, split.file, log) if data else None
        if text is not None and text.strip("\0 \t\r\n"):
            yield Row(offset=0, text=clean(text, log))
        elif text is not None:
            log.skip("empty_file")

    def _decode(self, data: bytes, file: InputFile, log: ReadLog) -> str | None:
        is_utf8 = codecs.lookup(self.encoding).name == "utf-8"
        wide = wide_encoding(data[:4]) if is_utf8 else None
        if wide is not None:
            log.error(
                file, 0, "wrong_encoding", f"is {wide}; say so with `encoding: {wide.lower()}`"
            )
            return None
        try:
            return data.decode("utf-8-sig" if is_utf8 else self.encoding)
        except UnicodeError as error:
            at = error.start if isinstance(error, UnicodeDecodeError) else 0
            what = f"byte {at} is not {self.encoding}; name the right one with `encoding:`"
            log.error(file, at, "invalid_utf8" if is_utf8 else "wrong_encoding", what)
            return None


def whole_file(handle: BinaryIO, file: InputFile, max_bytes: int, log: ReadLog) -> bytes | None:
    """The decompressed content of a file; None if it is empty, too large or damaged."""
    stream = Chunks(handle)
    parts: list[bytes] = []
    size = 0
    for chunk in stream:
        parts.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            log.error(file, 0, "file_too_large", f"is over {max_bytes} bytes")
            return None
    if stream.damage is not None:
        log.error(file, stream.damage.offset, stream.damage.kind, stream.damage.message)
        if stream.damage.kind != "trailing_garbage":
            return None
    if not size:
        log.skip("empty_file")
    return b"".join(parts)
