"""URL filtering by lists of domains and words, which are the user's.

After RefinedWeb (Penedo et al. 2023, arXiv 2306.01116, appendix G.1), which blocks 4.6 million
domains, words that are bad wherever they stand, words that are bad alone and pairs of words that
are bad together, and datatrove's `URLFilter`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from curation import urls
from curation.stage import Annotations, Filter, Rule, stages
from curation.text import buffers
from curation.url_lists import DOMAIN, WORD, Given, read
from curation.urls import Found, Lists

STATUS = ("missing", "malformed", "ok")

COLUMNS = {
    "url_status": pa.string(),  # `missing`, `malformed` (no host) or `ok`
    "is_judged": pa.bool_(),  # false for hosts that `allow_domains` holds
    "num_blocked_domains": pa.int64(),  # entries of `block_domains` that the host is or is below
    "num_block_words": pa.int64(),  # distinct entries of `block_words` and `block_subwords`
    "num_soft_words": pa.int64(),  # distinct entries of `soft_block_words`
    "url_hits": pa.string(),  # what these numbers count, as it stands in the URL
}


@stages.register("url")
@dataclass(frozen=True, kw_only=True)
class Url(Filter):
    """Drops documents whose URL has a blocked domain, a blocked word or several suspect words.

    A list is given inline, or as the path of a file: UTF-8, one entry per line, maybe compressed,
    `#` for comments. `block_domains` holds domains, which cover all hosts below them;
    `allow_domains` are exempt from all lists. `block_words` match whole words of the URL,
    `block_subwords` also parts of words; of `soft_block_words` a URL may have `max_soft_words`
    distinct ones: 1, since RefinedWeb (Penedo et al. 2023) and datatrove drop at two. A URL that
    is missing or has no host is kept, unless `keep_missing` is false.
    """

    block_domains: Given = ()
    allow_domains: Given = ()
    block_words: Given = ()
    block_subwords: Given = ()
    soft_block_words: Given = ()
    keep_missing: bool = True
    max_blocked_domains: int | None = 0
    max_block_words: int | None = 0
    max_soft_words: int | None = 1

    decides: ClassVar[tuple[str, ...]] = (
        "keep_missing",
        "max_blocked_domains",
        "max_block_words",
        "max_soft_words",
    )

    def __post_init__(self) -> None:
        lists = (self.block_domains, self.block_words, self.block_subwords, self.soft_block_words)
        if not any(lists) and self.keep_missing:
            raise ValueError(
                "url has nothing to block: give it block_domains, block_words, block_subwords or "
                "soft_block_words, inline or as a file"
            )

    def check(self) -> None:
        """The lists must be readable."""
        self._lists()

    def columns(self) -> Annotations:
        """See `COLUMNS`."""
        return COLUMNS

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        """Matches every URL; the text does not count."""
        canonical = urls.canonical(table["url"])
        found = urls.match(canonical, self._lists())
        counts = np.zeros((len(table), 3), np.int64)
        np.add.at(counts, (found.hits.url, found.hits.kind), 1)
        return {
            "url_status": pa.array(np.array(STATUS, object)[found.status], pa.string()),
            "is_judged": pa.array(~found.is_allowed),
            "num_blocked_domains": pa.array(counts[:, urls.DOMAIN]),
            "num_block_words": pa.array(counts[:, urls.WORD]),
            "num_soft_words": pa.array(counts[:, urls.SOFT]),
            "url_hits": _shown(canonical, found),
        }

    def rules(self) -> tuple[Rule, ...]:
        """A URL at all, then its domain, then its words."""
        wanted = None if self.keep_missing else ("ok",)
        domains, words, soft = self.max_blocked_domains, self.max_block_words, self.max_soft_words
        return (
            Rule("keep_missing", "url_status", "in", wanted),
            Rule("max_blocked_domains", "num_blocked_domains", "max", domains, "is_judged"),
            Rule("max_block_words", "num_block_words", "max", words, "is_judged"),
            Rule("max_soft_words", "num_soft_words", "max", soft, "is_judged"),
        )

    def _lists(self) -> Lists:
        subwords = read(self.block_subwords, WORD, "block_subwords")
        return Lists(
            read(self.block_domains, DOMAIN, "block_domains").hashes,
            read(self.allow_domains, DOMAIN, "allow_domains").hashes,
            read(self.block_words, WORD, "block_words").hashes,
            read(self.soft_block_words, WORD, "soft_block_words").hashes,
            subwords.hashes,
            subwords.lengths,
        )


def _shown(canonical: pa.Array, found: Found) -> pa.Array:
    """The hits of each URL, separated by spaces."""
    shown = [""] * len(canonical)
    data, _ = buffers(canonical)
    for row, (first, last) in zip(found.hits.url, found.hits.span, strict=True):
        hit = bytes(data[first:last]).decode("utf-8", "replace")
        shown[row] = f"{shown[row]} {hit}".lstrip()
    return pa.array(shown, pa.string())
