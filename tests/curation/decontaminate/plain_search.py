"""Decontamination as one would write it down: every document against every passage, in Python."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from curation.text import ALONE
from tests.curation.segmentation import flags_of, plain_tokens

BLOCK = 100


class PlainPassage(NamedTuple):
    item: str
    words: list[str]
    asked: int


def plain_words(text: str) -> list[str]:
    return [token.string.lower() for token in plain_tokens(text) if token.is_word]


def plain_chars(word: str) -> int:
    return len(word) * (3 if flags_of(word[0]) & ALONE else 1)


def plain_passages(evidence: Sequence[tuple[str, str, str, str]]) -> list[PlainPassage]:
    """Without affixes: evidence of this size has none."""
    items = dict.fromkeys((suite, item) for suite, item, *_ in evidence)
    found = []
    for key in items:
        rows = [(field, plain_words(text)) for s, i, field, text in evidence if (s, i) == key]
        answers = [words[:BLOCK] for field, words in rows if field in ("answer", "continuation")]
        for field, words in rows:
            if field not in ("question", "context", "sentence", "text"):
                continue
            count = max(1, len(words) // BLOCK)
            cuts = [i * len(words) // count for i in range(count + 1)]
            blocks = [words[a:b] for a, b in itertools.pairwise(cuts)]
            found += [PlainPassage(key[1], block, len(block)) for block in blocks[:-1]]
            for answer in answers if words and answers else [[]]:
                found.append(PlainPassage(key[1], blocks[-1] + answer, len(blocks[-1])))
    return found


def plain_hits(
    texts: Sequence[str | None],
    evidence: Sequence[tuple[str, str, str, str]],
    n_gram: int,
    max_df: int,
    min_overlap: float = 0.45,
    min_words: int = 8,
    min_words_inside: int = 13,
    min_chars: int = 30,
    min_chars_whole: int = 20,
) -> set[tuple[int, str, float]]:
    """(document, item, overlap); no n-gram is a template here."""
    passages = plain_passages(evidence)
    documents = [plain_words(text or "") for text in texts]

    def grams(words: list[str], width: int) -> list[tuple[str, ...]]:
        return [tuple(words[i : i + width]) for i in range(len(words) - width + 1)]

    found: dict[tuple[int, str], float] = {}
    for passage in passages:
        size = len(passage.words)
        width = min(n_gram, size)
        if width < 3:
            continue
        own = grams(passage.words, width)
        common = {g for g in own if sum(g in grams(words, width) for words in documents) > max_df}
        live = {i + k for i, g in enumerate(own) if g not in common for k in range(width)}
        for number, words in enumerate(documents):
            places = [i for i, g in enumerate(grams(words, width)) if g in own and g not in common]
            for place in split(places, size):
                marked, there = set(), set()
                for at in place:
                    there |= set(range(at, at + width))
                    gram = tuple(words[at : at + width])
                    marked |= {i + k for i, g in enumerate(own) if g == gram for k in range(width)}
                asked = {i for i in marked if i < passage.asked}
                live_asked = sum(i < passage.asked for i in live)
                overlap = 0.0
                for part, whole, alive in (
                    (asked, passage.asked, live_asked),
                    (marked, size, len(live)),
                ):
                    count = min(len(part), len(there))
                    chars = sum(plain_chars(passage.words[i]) for i in part)
                    enough = count >= 3 and chars >= min_chars_whole
                    if count < whole:
                        enough = count >= (min_words if 0 in marked else min_words_inside)
                        enough = enough and chars >= min_chars
                        enough = enough and count >= min_overlap * alive
                    if (
                        enough
                        and not overlap
                        and min(len(asked), len(there)) >= min(3, passage.asked)
                    ):
                        overlap = count / alive
                if overlap:
                    key = number, passage.item
                    found[key] = max(found.get(key, 0.0), overlap)
    return {(number, item, round(overlap, 9)) for (number, item), overlap in found.items()}


def split(places: list[int], size: int) -> list[list[int]]:
    """Runs of places that are no further apart than `size`."""
    runs: list[list[int]] = []
    for at in places:
        if runs and at - runs[-1][-1] <= size:
            runs[-1].append(at)
        else:
            runs.append([at])
    return runs
