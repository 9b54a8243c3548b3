"""Shingles in plain Python: tuples of words, or strings of characters."""

import pyarrow as pa
import pyarrow.compute as pc

from tests.curation.segmentation import plain_tokens


def lower(text: str) -> str:
    """Small letters, one for each code point."""
    return str(pc.utf8_lower(pa.scalar(text)).as_py())


def plain_words(text: str) -> list[str]:
    """The words of a text, lower-cased."""
    return [token.string for token in plain_tokens(lower(text)) if token.is_word]


def plain_shingles(text: str, n_gram: int, unit: str = "word") -> list[tuple[str, ...]]:
    """All shingles of a text, in order, with repeats."""
    units = plain_words(text) if unit == "word" else list(" ".join(lower(text).split()))
    if not units:
        return []
    width = min(n_gram, len(units))
    return [tuple(units[i : i + width]) for i in range(len(units) - width + 1)]


def split_shingles(text: str) -> list[tuple[str, ...]]:
    """Word 5-grams of a text of five and more small words of ASCII between single spaces."""
    words = text.split()
    return list(zip(*(words[i:] for i in range(5)), strict=False))


def jaccard(a: set[tuple[str, ...]], b: set[tuple[str, ...]]) -> float:
    """What two sets share, of all they hold; 1 for two empty ones."""
    return len(a & b) / len(a | b) if a | b else 1.0
