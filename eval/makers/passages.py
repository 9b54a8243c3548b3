"""Passages of held-out documents: a few sentences in a row, as words with their places."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MIN_WORDS, MAX_WORDS = 30, 60  # about 50 to 120 tokens: what fits the smallest preset's window
_END = re.compile(r"[.!?][\"'”’)]*(?=\s)|\n\s*\n|\Z")
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True)
class Document:
    """A held-out text and the record it is of."""

    record: str
    text: str


@dataclass(frozen=True)
class Passage:
    """`text` consists of whole sentences; `sentence` is where the last one starts in it."""

    record: str
    start: int
    text: str
    sentence: int

    @property
    def id(self) -> str:
        """The same for the same place of the same document."""
        return f"{self.record}@{self.start}"

    @property
    def lot(self) -> bytes:
        """Orders passages at random, the same way every time."""
        return hashlib.blake2b(self.id.encode(), digest_size=8).digest()


def passages(document: Document) -> Iterator[Passage]:
    """Disjoint passages of two or more sentences, `MIN_WORDS` to `MAX_WORDS` words, no line break.

    A passage never runs over the end of a paragraph.
    """
    begin, starts = 0, [0]
    for end in _END.finditer(document.text):
        stop = end.start() if end.group().startswith("\n") else end.end()
        count = len(WORD.findall(document.text, begin, stop))
        if MIN_WORDS <= count <= MAX_WORDS and len(starts) > 1:
            yield _passage(document, begin, starts[-1], stop)
        if count >= MIN_WORDS or end.group().startswith("\n"):
            begin, starts = _skip_space(document.text, end.end()), []
        starts.append(_skip_space(document.text, end.end()))


def draw(found: Iterator[Passage] | Sequence[Passage], count: int) -> list[Passage]:
    """At most `count` passages by lot, none twice by text."""
    by_text: dict[str, Passage] = {}
    for passage in sorted(found, key=lambda p: (p.lot, p.id)):
        by_text.setdefault(passage.text, passage)
    return list(by_text.values())[:count]


def _passage(document: Document, begin: int, sentence: int, stop: int) -> Passage:
    before = " ".join(document.text[begin:sentence].split())
    last = " ".join(document.text[sentence:stop].split())
    return Passage(document.record, begin, f"{before} {last}", len(before) + 1)


def _skip_space(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place
