"""Plain passages of a text: where they are, and how to put one in, take one out or alter words."""

from __future__ import annotations

import random
import re

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ,.;:'()/%\n-]+[.?!]")  # no markup in any language
_SENTENCE_END = re.compile(r"(?<=[.?!]) (?=[A-Z])")
_WORD = re.compile(r"(?<![\w`*_./:-])[a-z]{4,12}(?![\w`*_./:(-])")
_SUBSTITUTES = (
    "different",
    "several",
    "certain",
    "common",
    "former",
    "similar",
    "further",
    "entire",
)

MIN_CHARS, MAX_CHARS = 80, 800  # of a passage: long enough to be recognised, short enough to hide
MAX_REMOVED_FRAC = 0.12  # of a near duplicate's original
EDITED_FRAC = 0.01  # of its words: each spoils five 5-grams, so about .9 stay in common


def passages(text: str) -> list[str]:
    """The plain paragraphs of a text, each on one line."""
    blocks = (text.split("\n\n")[i] for i in _plain_blocks(text))
    return [" ".join(block.split()) for block in blocks]


def opening(passage: str, sentences: int) -> str:
    """The first `sentences` sentences of a passage."""
    return " ".join(_SENTENCE_END.split(passage)[:sentences])


def insert(text: str, paragraph: str, rng: random.Random) -> str:
    """The text with `paragraph` after one of its plain paragraphs, or in front of it all."""
    blocks = text.split("\n\n")
    places = [i + 1 for i in _plain_blocks(text)]
    place = rng.choice(places) if places else 0
    return "\n\n".join([*blocks[:place], paragraph, *blocks[place:]])


def remove(text: str, rng: random.Random) -> str | None:
    """The text without one of its plain paragraphs; None if none is short enough."""
    blocks = text.split("\n\n")
    short = [i for i in _plain_blocks(text) if len(blocks[i]) < MAX_REMOVED_FRAC * len(text)]
    if not short:
        return None
    gone = rng.choice(short)
    return "\n\n".join(blocks[:gone] + blocks[gone + 1 :])


def edit_words(text: str, rng: random.Random) -> str | None:
    """The text with a few words of its plain paragraphs replaced; None if there are none."""
    blocks = text.split("\n\n")
    places = [(i, word.span()) for i in _plain_blocks(text) for word in _WORD.finditer(blocks[i])]
    count = min(len(places), max(1, round(EDITED_FRAC * len(text.split()))))
    # From the last to the first, so that earlier positions stay true.
    for index, (start, end) in sorted(rng.sample(places, count), reverse=True):
        block = blocks[index]
        blocks[index] = block[:start] + rng.choice(_SUBSTITUTES) + block[end:]
    return "\n\n".join(blocks) if places else None


def _plain_blocks(text: str) -> list[int]:
    """Indices of blocks that are prose and stand outside of fenced code."""
    found, in_fence = [], False
    for index, block in enumerate(text.split("\n\n")):
        is_plain = MIN_CHARS <= len(block) <= MAX_CHARS and _PLAIN.fullmatch(block.strip("\n"))
        if is_plain and not in_fence:
            found.append(index)
        in_fence ^= block.count("```") % 2 == 1
    return found
