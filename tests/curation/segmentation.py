"""The segmentation of `curation.text` in plain Python, character by character."""

import functools
import unicodedata
from typing import NamedTuple

import regex

from curation.text import ALONE, ALPHA, APOSTROPHE, MARK, PIECE, TERMINAL, WORD

UNSPACED = ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar")
_ALONE = regex.compile("[" + "".join(rf"\p{{Script_Extensions={name}}}" for name in UNSPACED) + "]")
_TERMINAL = regex.compile(r"\p{Sentence_Terminal}")
_MASK = 2**64 - 1


class PlainToken(NamedTuple):
    """A token and where it lies in its text, in code points."""

    string: str
    start: int
    stop: int
    flags: int

    @property
    def is_word(self) -> bool:
        return bool(self.flags & WORD)

    @property
    def has_letter(self) -> bool:
        return bool(self.flags & ALPHA)

    @property
    def begins_piece(self) -> bool:
        return bool(self.flags & PIECE)

    @property
    def is_terminal(self) -> bool:
        return not self.is_word and bool(self.flags & TERMINAL)


@functools.cache
def flags_of(char: str) -> int:
    """The flags that `character_table` must have for a character, but SPACE."""
    category = unicodedata.category(char)
    flags = WORD if category[0] in "LMN" else 0
    flags |= ALPHA if category[0] == "L" else 0
    flags |= MARK if category[0] == "M" else 0
    # U+02BC is used as a tone mark in Thai script, but belongs to none.
    flags |= ALONE if flags & ALPHA and _ALONE.match(char) and char != "\u02bc" else 0
    flags |= APOSTROPHE if char == "’" else 0
    return flags | (TERMINAL if _TERMINAL.match(char) else 0)


def plain_tokens(text: str) -> list[PlainToken]:
    """Words and symbols, in order."""
    found, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        stop = _stop_of(text, at)
        letters = any(flags_of(c) & ALPHA for c in text[at:stop])
        flags = flags_of(text[at])
        flags |= ALPHA if flags & WORD and letters else 0
        flags |= PIECE if at == 0 or text[at - 1].isspace() else 0
        found.append(PlainToken(text[at:stop], at, stop, flags))
        at = stop
    return found


def _stop_of(text: str, at: int) -> int:
    """Where the token that begins at `at` ends."""
    first, stop = flags_of(text[at]), at + 1
    if first & ALONE:
        while stop < len(text) and flags_of(text[stop]) & MARK:
            stop += 1
    elif first & WORD:
        while stop < len(text) and (_class_of(text[stop]) or _joins(text, stop)):
            stop += 1
    else:
        while stop < len(text) and text[stop] == text[at]:
            stop += 1
    return stop


def _class_of(char: str) -> str:
    """`letter`, `digit`, or nothing for what is no part of a longer word."""
    flags = flags_of(char)
    if not flags & WORD or flags & ALONE:
        return ""
    return "letter" if flags & (ALPHA | MARK) else "digit"


def _joins(text: str, at: int) -> bool:
    """Whether the symbol at `at`, after a character of a word, belongs to it."""
    if at + 1 == len(text):
        return False
    around = {_class_of(text[at - 1]), _class_of(text[at + 1])}
    if "" in around:
        return False
    if text[at] == "_":
        return True
    return (text[at] in "'’." and around == {"letter"}) or (
        text[at] in ".," and around == {"digit"}
    )


def plain_hash(string: str) -> int:
    """The hash of a string: its UTF-8 in words of eight bytes, the last one filled up in front."""
    data = string.encode()
    if not data:
        return 0
    last = max((len(data) - 1) // 8 * 8, 0)
    value = 0x9E3779B97F4A7C15 * len(data) & _MASK
    for at in range(0, last, 8):
        value = (value ^ int.from_bytes(data[at : at + 8], "little")) * 0xFF51AFD7ED558CCD & _MASK
        value ^= value >> 33
    value ^= int.from_bytes(data[last:].rjust(8, b"\0"), "little")
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = (value ^ value >> 33) * factor & _MASK
    return value ^ value >> 33
