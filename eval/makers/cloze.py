"""The suite `cloze`: which of four words stood in the gap of a passage's last sentence.

As in the Children's Book Test (Hill et al. 2016) the candidates come from the same text. Each is
scored with the rest of the sentence after it. Wrong words are written like the right one (capital,
ending) and are its neighbours in the panels' list of words by frequency, as many of them above it
as a lot says, so that counting words does not find it.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from curation.errors import UserError
from eval.makers.passages import WORD, Document, Passage, draw, passages
from eval.suites.header import Header
from eval.suites.items import MultipleChoice
from eval.suites.suite import Suite

MAX_ITEMS = 1000
CHOICES = 4
MIN_LETTERS = 4
NEAR = 6  # wrong words are drawn among so many neighbours in frequency, above and below
_ENDING = re.compile(r"(?:ing|ed|ly|s|er|tion)$")

HEADER = Header(
    name="cloze",
    version=1,
    type="multiple_choice",
    source="the judge's panels",
    licence="that of the panels' documents",
    formulation="cloze",
    baseline=1 / CHOICES,
)

Shape = tuple[bool, str]


def make_cloze(documents: Iterable[Document]) -> Suite:
    """At most `MAX_ITEMS` items, a cluster per document.

    Raises:
        UserError: the documents hold too few words of a kind.
    """
    documents = list(documents)
    counts = Counter(word for d in documents for word in WORD.findall(d.text))
    ranked = _ranked(counts)
    drawn = draw([p for d in documents for p in passages(d)], MAX_ITEMS)
    items = [item for p in drawn for item in _items(p, counts, ranked)]
    if not items:
        raise UserError(
            "the panels hold no passage with four words of one kind",
            where="suites.cloze",
            hint="Give the panels more text in whole sentences, or leave the suite out",
        )
    return Suite(HEADER, tuple(items))


def _shape(word: str) -> Shape:
    ending = _ENDING.search(word)
    return word[0].isupper(), ending.group() if ending else ""


def _ranked(counts: Counter[str]) -> dict[Shape, list[tuple[int, str]]]:
    """Words of each shape by frequency."""
    kinds: defaultdict[Shape, list[tuple[int, str]]] = defaultdict(list)
    for word, count in counts.items():
        if len(word) >= MIN_LETTERS:
            kinds[_shape(word)].append((count, word))
    return {shape: sorted(words) for shape, words in kinds.items()}


def _items(
    passage: Passage, counts: Counter[str], ranked: dict[Shape, list[tuple[int, str]]]
) -> list[MultipleChoice]:
    """One item, or none if the last sentence holds no word to ask for."""
    last = [w for w in WORD.finditer(passage.text) if w.start() > passage.sentence]
    fit = [w for w in last if len(w.group()) >= MIN_LETTERS and _alone(passage.text, w)]
    if not fit:
        return []
    word = fit[_number(passage.id) % len(fit)]
    wrong = _wrong(word.group(), passage, counts, ranked)
    if len(wrong) < CHOICES - 1:
        return []
    gold = _number(f"{passage.id} gold") % CHOICES
    options = [*wrong[:gold], word.group(), *wrong[gold:]]
    rest = passage.text[word.end() :]
    return [
        MultipleChoice(
            id=passage.id,
            group=passage.record,
            query=passage.text[: word.start()].rstrip(),
            choices=tuple(option + rest for option in options),
            gold=gold,
        )
    ]


def _alone(text: str, word: re.Match[str]) -> bool:
    """Whether `word` stands between a space and a space or the sentence's end."""
    after = text[word.end() : word.end() + 1]
    return text[word.start() - 1] == " " and after in ("", " ", ".", ",", "!", "?", ";")


def _wrong(
    word: str,
    passage: Passage,
    counts: Counter[str],
    ranked: dict[Shape, list[tuple[int, str]]],
) -> list[str]:
    """Neighbours of `word` in frequency that the passage does not hold, above and below it."""
    kind = [w for _, w in ranked[_shape(word)]]
    place = bisect_left(ranked[_shape(word)], (counts[word], word))
    held = {w.lower() for w in WORD.findall(passage.text)}
    below = _first_fresh(reversed(kind[:place]), held)
    above = _first_fresh(iter(kind[place + 1 :]), held)
    n_above = _number(f"{passage.id} above") % CHOICES
    wrong = _by_lot(above, passage.id)[:n_above]
    return _by_lot([*wrong, *_by_lot(below, passage.id)[: CHOICES - 1 - n_above]], passage.id)


def _first_fresh(words: Iterator[str], held: set[str]) -> list[str]:
    return list(islice((word for word in words if word.lower() not in held), NEAR))


def _by_lot(words: Sequence[str], salt: str) -> list[str]:
    return sorted(words, key=lambda w: hashlib.blake2b(f"{salt} {w}".encode()).digest())


def _number(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest())
