"""Collects the pages of the demo corpus: bounded, balanced, the same in every run.

Each kind has a share of the bytes; within a kind, packages take turns and none gets more than a
tenth, so that the largest ones cannot swamp the rest. Files are drawn in an order given by a
hash, and only drawn files are opened.

A page most of whose sentences already stand in another package (the same licence, a vendored
module) is left out: all near-duplicates of a package then lie within it, and holding out a
package holds out its texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from pipelines.demo.candidates import candidates
from pipelines.demo.page import KINDS, Kind, Page

SHARES: Mapping[Kind, float] = {"readme": 0.15, "licence": 0.10, "docstring": 0.40, "source": 0.35}
MAX_PACKAGE_FRAC = 0.10  # of the bytes of a kind
MAX_PAGE_CHARS = 40_000  # longer texts become several pages
MIN_PAGE_CHARS = 200
MAX_FOREIGN_FRAC = 0.5  # of a page's sentences that already stand in another package
MIN_SENTENCE_CHARS = 40  # shorter ones are shared by chance


def collect(max_bytes: int, seed: int = 0) -> list[Page]:
    """Pages of all kinds, at most `max_bytes` of text, sorted by URL.

    What a kind cannot fill of its share goes to the next one.
    """
    homes, pages, left = Homes(), [], 0.0
    streams = candidates(seed)
    for kind in KINDS:
        left += SHARES[kind] * max_bytes
        chosen = balance(streams[kind], int(left), homes)
        left -= sum(page.size for page in chosen)
        pages += chosen
    return sorted(pages, key=lambda page: page.url)


def balance(streams: Mapping[str, Iterable[Page]], budget: int, homes: Homes) -> list[Page]:
    """Pages from packages in turn, until `budget` bytes are full or nothing is left."""
    turns = {name: split(stream) for name, stream in streams.items()}
    spent = dict.fromkeys(turns, 0)
    chosen: list[Page] = []
    while turns:
        for name in list(turns):
            page = next((p for p in turns[name] if homes.admit(p)), None)
            if page is None or spent[name] + page.size > budget * MAX_PACKAGE_FRAC:
                del turns[name]
                continue
            if sum(spent.values()) + page.size > budget:
                return chosen
            spent[name] += page.size
            chosen.append(page)
    return chosen


def split(pages: Iterable[Page]) -> Iterator[Page]:
    """Cuts long texts at blank lines; drops short ones."""
    for page in pages:
        parts = list(_parts(page.text))
        for number, text in enumerate(parts, 1):
            if len(text) < MIN_PAGE_CHARS:
                continue
            if number == 1:
                yield replace(page, text=text)
            else:
                title, path = f"{page.title}, part {number}", f"{page.path}/part-{number}"
                yield replace(page, title=title, path=path, text=text)


def _parts(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > MAX_PAGE_CHARS:
        cut = text.rfind("\n\n", start + 1, start + MAX_PAGE_CHARS)
        end = cut if cut > start else start + MAX_PAGE_CHARS
        yield text[start:end].strip("\n")
        start = end
    yield text[start:].strip("\n")


class Homes:
    """Which package said a sentence first."""

    def __init__(self) -> None:
        self._home: dict[str, str] = {}
        self._texts: set[str] = set()

    def admit(self, page: Page) -> bool:
        """Whether the page is new; if so its sentences belong to its package from now on."""
        said = sentences(page.text)
        foreign = sum(self._home.get(key, page.package) != page.package for key in said)
        whole = " ".join(page.text.split())
        if whole in self._texts or (said and foreign > MAX_FOREIGN_FRAC * len(said)):
            return False
        self._texts.add(whole)
        for key in said:
            self._home.setdefault(key, page.package)
        return True


def sentences(text: str) -> list[str]:
    """Stretches between sentence ends and blank lines, however the lines are wrapped."""
    ends = [0, *(m.end() for m in re.finditer(r"[.;:!?]\s+|\n\s*\n", text)), len(text)]
    parts = (" ".join(text[a:b].split()) for a, b in pairwise(ends))
    return [part for part in parts if len(part) >= MIN_SENTENCE_CHARS]
