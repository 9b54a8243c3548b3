"""Machine-made spam of several sorts, from templates and a seed.

The sorts differ in what gives them away: repetition, missing function words, symbols. Doorway
pages are fluent, so that rules alone do not find them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from pipelines.demo.page import KINDS, PROSE, Page, draw

_GOODS = ("shoes", "watches", "handbags", "laptops", "phones", "vitamins", "perfumes", "tyres")
_DEALS = ("cheap", "discount", "best", "original", "wholesale", "online", "free", "bonus")
_CITIES = ("Springfield", "Riverton", "Oakdale", "Lakewood", "Fairview", "Milton", "Ashford")
_ONSETS = ("b", "k", "l", "m", "z", "tr", "v", "sh", "p", "qu", "n", "dr", "f", "w", "gr", "s")
_RHYMES = ("a", "e", "o", "i", "u", "on", "er", "ith", "olm", "up", "anz", "ex")
_MARKS = ("###", ">>>", "***", "$$$", "!!!", "|||", "===", "~~~", "@@@", "%%%")
_DOORWAY = (
    "If you are looking for {deal} {good} in {city}, you have come to the right place.",
    "Our team in {city} has sold {good} for many years and knows what our customers want.",
    "Many people ask us where they can find {good} of this quality at such a price.",
    "You will not regret your visit, because the {good} that we have are the best in {city}.",
    "Call us today and we will be happy to tell you more about our {deal} {good}.",
    "There is no better time to buy {good} than now, and {city} is the place to do it.",
    "With our service it is easy to compare {good} and to have them sent to your home.",
    "Read what other customers from {city} have said about the {good} that they bought.",
)


def spam_pages(count: int, seed: int, held_out: Callable[[str], bool]) -> list[tuple[str, Page]]:
    """`count` pairs of sort and page, all on sites that are not held out."""
    sites = _sites(seed, held_out)
    site = next(sites)
    pages = []
    for number in range(count):
        if number % 5 == 0:  # five pages a site
            site = next(sites)
        rng = random.Random(draw(seed, "spam", str(number)))
        sort = list(SORTS)[number % len(SORTS)]
        deal, good = rng.choice(_DEALS), rng.choice(_GOODS)
        kind = PROSE[number % len(PROSE)]
        title, path = f"{deal} {good}".title(), f"{deal}-{good}-{number}"
        pages.append((sort, Page(kind, site, title, path, SORTS[sort](rng))))
    return pages


def _sites(seed: int, held_out: Callable[[str], bool]) -> Iterator[str]:
    rng = random.Random(draw(seed, "spam sites"))
    number = 0
    while True:
        number += 1
        name = f"{rng.choice(_DEALS)}-{rng.choice(_GOODS)}-{number}"
        if not held_out(Page(KINDS[0], name, "", "", "").host):
            yield name


def _keyword_stuffing(rng: random.Random) -> str:
    """The same few phrases, over and over."""
    phrases = [f"{rng.choice(_DEALS)} {rng.choice(_GOODS)}" for _ in range(4)]
    lines = (" ".join(rng.choice(phrases) for _ in range(14)) for _ in range(18))
    return "\n\n".join(f"{line}." for line in lines)


def _word_salad(rng: random.Random) -> str:
    """Words that no language has."""

    def word() -> str:
        syllables = rng.randint(2, 4)
        return "".join(rng.choice(_ONSETS) + rng.choice(_RHYMES) for _ in range(syllables))

    lines = (" ".join(word() for _ in range(rng.randint(12, 30))) for _ in range(14))
    return "\n\n".join(f"{line.capitalize()}." for line in lines)


def _link_farm(rng: random.Random) -> str:
    """Addresses among symbols, not linked: extractors take lists of links for menus."""

    def entry() -> str:
        name = f"{rng.choice(_DEALS)}-{rng.choice(_GOODS)}-{rng.randint(1, 9999)}.example"
        return f"{rng.choice(_MARKS)} {name} {rng.choice(_MARKS)} {rng.choice(_MARKS)}"

    return "\n\n".join(f"see {' '.join(entry() for _ in range(6))}" for _ in range(10))


def _doorway(rng: random.Random) -> str:
    """Fluent sentences in which only the goods and the place change."""
    slots = {"deal": rng.choice(_DEALS), "good": rng.choice(_GOODS), "city": rng.choice(_CITIES)}
    sentences = [line.format(**slots) for line in rng.sample(_DOORWAY, k=len(_DOORWAY))]
    return "\n\n".join([" ".join(sentences[:3]), " ".join(sentences[3:6]), " ".join(sentences[6:])])


SORTS: dict[str, Callable[[random.Random], str]] = {
    "keyword_stuffing": _keyword_stuffing,
    "word_salad": _word_salad,
    "link_farm": _link_farm,
    "doorway": _doorway,
}
