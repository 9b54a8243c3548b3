"""Documents of the same page: one survivor per canonical URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from curation import text
from curation.dedup.duplicates import Compared, DuplicateStage, rows_with
from curation.dedup.page_urls import canonical_page
from curation.dedup.survivors import Keep
from curation.hash128 import hash_rows128
from curation.stage import stages


@stages.register("url_dedup")
@dataclass(frozen=True, kw_only=True)
class UrlDedup(DuplicateStage):
    """Keeps one of the documents of the same page, by default the newest.

    URLs are compared in canonical form: see `curation.dedup.page_urls`, which lists the tracking
    parameters that do not count. `sort_query: false` makes the order of parameters count. What
    stays is chosen by date, length, a number or corpus order: see `curation.dedup.survivors`. A
    document without a URL, or with one that is not of the web, stays. The drop value is the
    canonical URL; how alike the texts are is not looked at.
    """

    keep: Keep = "newest"
    sort_query: bool = True

    reason: ClassVar[str] = "duplicate_url"
    similarity: ClassVar[float | None] = None

    @property
    def reads(self) -> tuple[str, ...]:
        """The URL, and what decides which one stays."""
        return tuple(dict.fromkeys(("url", *self.policy.reads)))

    def compared(self, table: pa.Table) -> Compared:
        """The pages."""
        urls = table["url"].to_pylist()
        pages = [canonical_page(url, sort_query=self.sort_query) for url in urls]
        values = pa.array(pages, pa.string())
        return rows_with(values, hash_rows128(*text.buffers(values)))
