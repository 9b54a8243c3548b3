"""The suite `last_word`: the last word of a passage that has said it before.

As in LAMBADA (Paperno et al. 2016) the word is asked for after a passage of several sentences;
here its passage holds it earlier, in another sentence, so that reading the passage tells it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from curation.errors import UserError
from eval.makers.passages import WORD, Document, Passage, draw, passages
from eval.suites.header import Header
from eval.suites.items import LmCompletion
from eval.suites.suite import Suite

MAX_ITEMS = 1000
MIN_LETTERS = 4  # shorter words are mostly function words, which grammar alone predicts

HEADER = Header(
    name="last_word",
    version=1,
    type="lm_completion",
    source="the judge's panels",
    licence="that of the panels' documents",
    formulation="cloze",
)


def make_last_word(documents: Iterable[Document]) -> Suite:
    """At most `MAX_ITEMS` items, a cluster per document.

    Raises:
        UserError: no passage of the documents ends in a word that it holds before.
    """
    fitting = (p for d in documents for p in passages(d) if _last_word(p) is not None)
    items = [item for p in draw(fitting, MAX_ITEMS) for item in _items(p)]
    if not items:
        raise UserError(
            "no passage of the panels ends in a word that it holds before",
            where="suites.last_word",
            hint="Give the panels more text in whole sentences, or leave the suite out",
        )
    return Suite(HEADER, tuple(items))


def _items(passage: Passage) -> Iterator[LmCompletion]:
    start = _last_word(passage)
    if start is not None:
        match = WORD.match(passage.text, start)
        assert match is not None
        yield LmCompletion(
            id=passage.id,
            group=passage.record,
            context=passage.text[:start].rstrip(),
            continuation=match.group(),
        )


def _last_word(passage: Passage) -> int | None:
    """Where the last word starts, if it stands alone and an earlier sentence holds it."""
    words = list(WORD.finditer(passage.text))
    last = words[-1]
    word, start = last.group(), last.start()
    alone = passage.text[start - 1] == " " and not passage.text[last.end() :].strip(".!?\"'”’)")
    earlier = {w.group() for w in words if w.end() <= passage.sentence}
    return start if alone and len(word) >= MIN_LETTERS and word in earlier else None
