"""What spaCy's rules for English know of characters and words, as tables.

Source: spaCy 3.8, `lang/char_classes.py`, `lang/punctuation.py`, `lang/en/punctuation.py` and
`lang/en/tokenizer_exceptions.py`. Of the exceptions only those are here that occur in prose.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.statistics.c4 import ABBREVIATIONS
from curation.statistics.quality import hash_of
from curation.text import ALPHA, TERMINAL, UPPER, Hashes, characters

# What a character may do: come off the front of a piece, off its back, off its back after a digit;
# let a full stop come off after it; split a piece, if it is a hyphen or a link before a letter; be
# no word to datatrove when it stands alone. And what it is.
FRONT, BACK, CURRENCY, BEFORE_STOP, QUOTE, SPLITS, ICON, HYPHEN, LINK, SYMBOL = (
    1 << i for i in range(10)
)
LETTER, CAPITAL = 1 << 10, 1 << 11
_MARKS = "…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪"
_QUOTES = "'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉⟦⟧"
_CURRENCY = "$£€¥฿₽﷼₴" + "".join(map(chr, range(0x20A0, 0x20C0)))
_PICTURES = (*range(0xA6, 0xB1), *range(0x2100, 0x2C00), *range(0x1F000, 0x1FB00))
_ICONS = "".join(chr(code) for code in _PICTURES if unicodedata.category(chr(code)) == "So")
_LATIN_1 = "".join(chr(code) for code in range(0xA0) if not chr(code).isalnum())
_BITS = {
    _MARKS: FRONT | BACK | BEFORE_STOP,
    _QUOTES: FRONT | BACK | BEFORE_STOP | QUOTE,
    _CURRENCY: FRONT | CURRENCY,
    _ICONS: FRONT | BACK | SPLITS | ICON,
    "—–": FRONT | BACK | SPLITS | HYPHEN,
    "-~": SPLITS | HYPHEN,
    ":<>=/": SPLITS | LINK,
    ".…,+*^": SPLITS,
    "§%=": FRONT,
    "%²-+": BEFORE_STOP,
    _LATIN_1: SYMBOL,
    "—–…“”„’´«»【】「」《》〈〉（）：；，．、。？！％∶～━►１": SYMBOL,
}

_SHORT = (
    *"abcdefghijklmnopqrstuvwxyz",
    "a.m",
    "p.m",
    "e.g",
    "i.e",
    "E.g",
    "I.e",
    "Ph.D",
    "co",
    "Rev",
)
_WHOLE = ("''", "'s", "’s", "'S", "'d", "'re", "'ll", "'em", "and/or", "w/o", "o'clock")
_UNITS = (
    *("km", "m", "dm", "cm", "mm", "ha", "nm", "yd", "in", "ft", "kg", "g", "mg", "t", "lb", "oz"),
    *("kmh", "mph", "hPa", "Pa", "mbar", "mb", "MB", "kb", "KB", "gb", "GB", "tb", "TB", "T", "G"),
    *("M", "K", "%"),
)
_STEMS = (
    *("i", "you", "he", "she", "it", "we", "they", "who", "what", "when", "where", "why", "how"),
    *("there", "that", "this", "these", "those", "ca", "could", "do", "does", "did", "had", "may"),
    *("might", "must", "need", "ought", "sha", "should", "wo", "would", "ai", "are", "is", "was"),
    *("were", "have", "has", "dare"),
)
_TWO_WORDS = ("cannot", "Cannot", "gonna", "Gonna", "gotta", "Gotta")
LONGEST = 7  # bytes, of the words of all lists

Kinds = npt.NDArray[np.uint16]


class SpacyRules(NamedTuple):
    """What `find_spacy_tokens` needs."""

    kinds: Kinds  # (0x110000,) FRONT..
    abbreviations: Hashes  # with their full stop
    whole: Hashes  # pieces that stay as they are
    units: Hashes  # that come off a number
    stems: Hashes  # that a contraction comes off
    two_words: Hashes  # the first has three letters


@functools.cache
def spacy_rules() -> SpacyRules:
    """The tables."""
    table = characters()
    kinds = np.where(table.flags & TERMINAL, SYMBOL, 0).astype(np.uint16)
    kinds |= np.where(table.flags & ALPHA, LETTER, 0).astype(np.uint16)
    kinds |= np.where(table.kinds & UPPER, CAPITAL, 0).astype(np.uint16)
    for chars, bits in _BITS.items():
        kinds[[ord(char) for char in chars]] |= bits
    short = [word + "." for word in (*ABBREVIATIONS, *_SHORT)]
    stems = (*_STEMS, *(word.title() for word in _STEMS))
    lists = (short, _WHOLE, _UNITS, stems, _TWO_WORDS)
    return SpacyRules(kinds, *(np.array([hash_of(x) for x in words], np.uint64) for words in lists))


@functools.cache
def no_spacy_rules() -> SpacyRules:
    """Tables of the same types, for who finds no tokens with them."""
    return SpacyRules(np.zeros(0, np.uint16), *[np.zeros(0, np.uint64)] * 5)
