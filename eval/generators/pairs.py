"""Minimal pairs that cannot be told by counting words.

A phenomenon makes its pairs in one of two ways. Either good and bad hold the same words in
another order; or pairs come as two, and what sets good apart from bad in the one sets bad apart
from good in the other. So any score that adds up over words, sentence length included, is right
about exactly half of the pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Pair = tuple[str, str]  # good, bad
Phenomenon = Callable[[Random], list[Pair]]
PHENOMENA: dict[str, Phenomenon] = {}
MAX_MISSES = 1000  # draws in a row that bring nothing new


def phenomenon(make: Phenomenon) -> Phenomenon:
    """Registers a maker of pairs under its function's name."""
    PHENOMENA[make.__name__] = make
    return make


def sentence(text: str, end: str = ".") -> str:
    """`text` with a capital and an end."""
    return text[0].upper() + text[1:] + end


def draw_pairs(name: str, count: int) -> list[Pair]:
    """`count` pairs of a phenomenon, no sentence of them twice.

    Raises:
        ValueError: the templates do not make as many.
    """
    rng = Random(f"minimal pairs: {name}")
    pairs: list[Pair] = []
    seen: set[str] = set()
    misses = 0
    while len(pairs) < count:
        drawn = PHENOMENA[name](rng)
        texts = [text for pair in drawn for text in pair]
        if len(pairs) + len(drawn) <= count and seen.isdisjoint(texts):
            seen.update(texts)
            pairs += drawn
            misses = 0
        elif (misses := misses + 1) == MAX_MISSES:
            raise ValueError(f"'{name}' makes no {count} different pairs, only {len(pairs)}")
    return pairs
