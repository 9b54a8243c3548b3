"""The suites that a judge can have made from its panels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from eval.makers import cloze, last_word
from eval.makers.passages import Document
from eval.suites.header import Header
from eval.suites.suite import Suite


@dataclass(frozen=True)
class Maker:
    """The header of the suites it makes, and how."""

    header: Header
    make: Callable[[Iterable[Document]], Suite]


MAKERS = {
    maker.header.name: maker
    for maker in (
        Maker(last_word.HEADER, last_word.make_last_word),
        Maker(cloze.HEADER, cloze.make_cloze),
    )
}
