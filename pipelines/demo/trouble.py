"""Plants labelled trouble into the pages, so that a recipe's catch can be counted.

Nothing is planted on held-out sites; they only give the passages that leak. Each page carries at
most one planted thing, and a duplicated page stays as it is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from pipelines.demo.page import PROSE, Page, draw
from pipelines.demo.passages import edit_words, insert, opening, passages, remove
from pipelines.demo.spam import spam_pages
from pipelines.demo.templates import shell_of

Trouble = Literal["exact_duplicate", "near_duplicate", "email", "ip", "spam", "leak"]
TROUBLES: tuple[Trouble, ...] = get_args(Trouble)

RATES: Mapping[Trouble, float] = {  # of the documents collected
    "exact_duplicate": 0.03,
    "near_duplicate": 0.03,
    "email": 0.02,
    "ip": 0.01,
    "spam": 0.04,
    "leak": 0.01,
}
MIN_NEAR_WORDS = 200  # so that a small change leaves a near duplicate

# Resolvers that everyone may know: public addresses of nobody in particular.
_IPS = ("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "149.112.112.112", "76.76.2.0")
_NAMES = ("anna", "boris", "chen", "dana", "emil", "fatima", "goran", "hana", "ivan", "jun", "olga")
_SURNAMES = ("keller", "novak", "tanaka", "silva", "moreau", "berg", "rossi", "okafor", "haddad")
_MAIL_HOSTS = ("example.com", "example.org", "example.net", "mail.example.com")
_HEADER = "Archived copy, kept by a mirror of this page for readers who cannot reach the original."


@dataclass(frozen=True)
class Planted:
    """One planted thing: a row of `truth.parquet`."""

    url: str  # of the document that carries it
    kind: Trouble
    sort: str  # a finer label
    original_url: str | None = None  # of duplicates and leaks
    value: str | None = None  # the string that must not survive: of email, ip and leak


Plants = Iterator[tuple[Page, Planted]]  # new or altered pages with their labels


def plant(
    pages: list[Page], held_out: Callable[[str], bool], seed: int
) -> tuple[list[Page], list[Planted]]:
    """The pages with trouble among them, and the labels.

    Args:
        pages: what was collected.
        held_out: whether a host belongs to the judge's panels.
        seed: of the choice of pages and of all that is planted.
    """
    carriers = _Carriers([page for page in pages if not held_out(page.host)], seed)
    kept_apart = [page for page in pages if held_out(page.host) and page.kind in PROSE]
    count = {kind: round(rate * len(pages)) for kind, rate in RATES.items()}
    plants = [
        *_exact(carriers, count["exact_duplicate"], seed),
        *_near(carriers, count["near_duplicate"], seed),
        *_emails(carriers, count["email"], seed),
        *_ips(carriers, count["ip"], seed),
        *_leaks(carriers, kept_apart, count["leak"], seed),
    ]
    for sort, page in spam_pages(count["spam"], seed, held_out):
        plants.append((page, Planted(page.url, "spam", sort)))
    after = {page.url: page for page in pages} | {page.url: page for page, _ in plants}
    return [after[url] for url in sorted(after)], [planted for _, planted in plants]


class _Carriers:
    """Pages that may carry trouble, each handed out once."""

    def __init__(self, pages: list[Page], seed: int) -> None:
        self._pages = sorted(pages, key=lambda page: draw(seed, "carrier", page.url))
        self.packages = sorted({page.package for page in pages})

    def take(self, count: int, suits: Callable[[Page], bool]) -> list[Page]:
        chosen = [page for page in self._pages if suits(page)][:count]
        taken = {page.url for page in chosen}
        self._pages = [page for page in self._pages if page.url not in taken]
        return chosen


def _exact(carriers: _Carriers, count: int, seed: int) -> Plants:
    for number, page in enumerate(carriers.take(count, lambda _: True)):
        copy, sort = replace(page, path=f"archive/{page.path}"), "same_site"
        if number % 2:
            copy, sort = _mirror(page, carriers.packages, seed), "other_site"
        yield copy, Planted(copy.url, "exact_duplicate", sort, page.url)


def _mirror(page: Page, packages: list[str], seed: int) -> Page:
    """The page on another site; one with the same shell, as mirrors look like their originals."""
    shell = shell_of(page.host)
    others = [
        name
        for name in packages
        if name != page.package and shell_of(replace(page, package=name).host) is shell
    ] or packages
    host = others[draw(seed, "mirror", page.url) % len(others)]
    return replace(page, package=host, path=f"mirror/{page.package}/{page.path}")


def _near(carriers: _Carriers, count: int, seed: int) -> Plants:
    def is_long_prose(page: Page) -> bool:
        return page.kind in PROSE and len(page.text.split()) >= MIN_NEAR_WORDS

    for number, page in enumerate(carriers.take(count, is_long_prose)):
        rng = random.Random(draw(seed, "near", page.url))
        edits = {
            "paragraph_removed": remove(page.text, rng),
            "words_edited": edit_words(page.text, rng),
            "header_added": f"{_HEADER}\n\n{page.text}",
        }
        possible = [(sort, text) for sort, text in edits.items() if text is not None]
        sort, text = possible[number % len(possible)]
        copy = replace(_mirror(page, carriers.packages, seed), text=text)
        yield copy, Planted(copy.url, "near_duplicate", sort, page.url)


def _is_prose(page: Page) -> bool:
    return page.kind in PROSE and bool(passages(page.text))


def _emails(carriers: _Carriers, count: int, seed: int) -> Plants:
    for number, page in enumerate(carriers.take(count, _is_prose)):
        rng = random.Random(draw(seed, "email", page.url))
        sort = ("plain", "tagged")[number % 2]
        tag = f"+{rng.randint(10, 99)}" if sort == "tagged" else ""
        name = f"{rng.choice(_NAMES)}.{rng.choice(_SURNAMES)}{tag}"
        value = f"{name}@{rng.choice(_MAIL_HOSTS)}"
        sentence = f"Questions about this page go to {value}, who answers within a week or so."
        changed = replace(page, text=insert(page.text, sentence, rng))
        yield changed, Planted(page.url, "email", sort, value=value)


def _ips(carriers: _Carriers, count: int, seed: int) -> Plants:
    for page in carriers.take(count, _is_prose):
        rng = random.Random(draw(seed, "ip", page.url))
        value = rng.choice(_IPS)
        sentence = f"The last change to this page was made from the address {value} in the evening."
        changed = replace(page, text=insert(page.text, sentence, rng))
        yield changed, Planted(page.url, "ip", "ipv4", value=value)


def _leaks(carriers: _Carriers, kept_apart: list[Page], count: int, seed: int) -> Plants:
    """Passages of held-out pages, each used once."""
    found = [(page.url, passage) for page in kept_apart for passage in passages(page.text)]
    found.sort(key=lambda item: draw(seed, "leak", *item))
    pages = carriers.take(min(count, len(found)), _is_prose)
    for number, (page, (origin, passage)) in enumerate(zip(pages, found, strict=False)):
        rng = random.Random(draw(seed, "leak", page.url))
        sort = ("sentences", "paragraph")[number % 2]
        value = opening(passage, rng.randint(1, 3)) if sort == "sentences" else passage
        changed = replace(page, text=insert(page.text, value, rng))
        yield changed, Planted(page.url, "leak", sort, origin, value)
