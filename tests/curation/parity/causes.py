"""Why two filters may decide differently: the definitions that differ, seen in a text."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from tests.curation.parity.agreement import compare
from tests.curation.parity.pairs import RULES, Pair
from tests.curation.parity.peer import sentences_of, words_of
from tests.curation.spacy_words import spacy_words

NEWLINES = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")  # of str.splitlines
SENTENCES = next(pair for pair in RULES["c4_quality"] if pair.name == "min_sentences")


def other_words(pair: Pair, text: str) -> bool:
    """Exceptions of spaCy's that we do not know."""
    return spacy_words([text])[0] != words_of(text)


def other_sentences(pair: Pair, text: str) -> bool:
    """Lines in which we find another number of sentences than spaCy's sentencizer."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    ours = SENTENCES.ours.measure(pa.table({"text": lines}))["num_sentences"]
    return np.asarray(ours).tolist() != [len(sentences_of(line)) for line in lines]


def _agree_on(change: Callable[[str], str]) -> Callable[[Pair, str], bool]:
    """Whether the text changes, and both decide alike on the changed one."""

    def holds(pair: Pair, text: str) -> bool:
        changed = change(text)
        return changed != text and not compare(pair, [changed]).differ.any()

    return holds


def _without_line_ends(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.split("\n"))


CAUSES: dict[str, Callable[[Pair, str], bool]] = {
    "white space at a line's end": _agree_on(_without_line_ends),
    "blank lines with white space": _agree_on(functools.partial(re.sub, r"(?m)^[^\S\n]+$", "")),
    "newlines around the text": _agree_on(str.strip),
    "other line separators than \\n": _agree_on(functools.partial(NEWLINES.sub, "\n")),
    "tokens": other_words,
    "sentences": other_sentences,
}


def causes_of(pair: Pair, text: str) -> list[str]:
    """The definitions that may explain a disagreement."""
    return [name for name, holds in CAUSES.items() if holds(pair, text)]


def example_of(cause: str, text: str) -> str:
    """The first place where tokens or sentences differ, ours before theirs."""
    if cause == "tokens":
        ours, theirs = spacy_words([text])[0], words_of(text)
    elif cause == "sentences":
        return next((f"`{line[:60]}`" for line in text.split("\n") if _differs(line)), "")
    else:
        return ""
    place = next(i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b)
    return f"`{' '.join(ours[place : place + 2])}` / `{' '.join(theirs[place : place + 2])}`"


def _differs(line: str) -> bool:
    return bool(line.strip()) and other_sentences(SENTENCES, line)
