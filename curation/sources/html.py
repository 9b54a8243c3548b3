"""A folder or glob of HTML files, one document each, plain or compressed.

Rows carry the bytes as found; the extractor finds out their encoding. Empty files are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar
from urllib.parse import quote

from curation.sources.inputs import Split
from curation.sources.rows import Row, RowSource
from curation.sources.source import ReadLog, formats
from curation.sources.text import whole_file


@formats.register("html")
@dataclass(frozen=True, kw_only=True)
class Html(RowSource):
    """HTML files, one document each. `base_url` and the relative path make the url, if given."""

    yields_raw: ClassVar[bool] = True
    extensions: ClassVar[tuple[str, ...]] = (".html", ".htm", ".xhtml")

    base_url: str | None = None
    max_file_bytes: int = 64 << 20

    def rows(self, handle: BinaryIO, split: Split, log: ReadLog) -> Iterator[Row]:
        """The bytes of a file, or nothing."""
        data = whole_file(handle, split.file, self.max_file_bytes, log)
        if data:
            url = None
            if self.base_url is not None:
                url = f"{self.base_url.rstrip('/')}/{quote(split.file.path, errors='replace')}"
            yield Row(offset=0, raw=data, content_type="text/html", url=url)
