"""Sentences of a text, for control tokens: joined, they are the text."""

from __future__ import annotations

import functools
from itertools import pairwise
from typing import Any


def split_sentences(text: str) -> list[str]:
    """The text cut before the white space that follows a sentence's end, and at line ends.

    A sentence ends with a character of Unicode's property Sentence_Terminal and the quotes and
    brackets that close after it. White space stays before the sentence that follows it, as a
    tokenizer's words have it. One string at least.
    """
    bounds = [0, *(match.start() for match in _gaps().finditer(text)), len(text)]
    parts = [text[a:b] for a, b in pairwise(bounds) if a < b]
    return parts or [text]


@functools.cache
def _gaps() -> Any:
    """White space after an end of a sentence or over an end of line, with text behind it."""
    import regex

    closing = r"[\p{Pe}\p{Pf}\"']*"
    return regex.compile(rf"(?:(?<=\p{{Sentence_Terminal}}{closing})\s+|\s*\n\s*)(?=\S)")
