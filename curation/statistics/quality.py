"""What Gopher's quality rules ask of a text (Rae et al. 2021, arXiv 2112.11446, appendix A.1.1)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from curation.jit import leaf
from curation.statistics.lines import Lines
from curation.text import (
    ALPHA,
    PIECE,
    WORD,
    Bytes,
    Hashes,
    Offsets,
    Rows,
    Tokens,
    decode,
    hash_bytes,
)

DOT, HASH, ELLIPSIS = 0x2E, 0x23, 0x2026
COLUMNS = {
    "num_words": pa.int64(),  # words
    "avg_word_len": pa.float64(),  # code points per word
    "hash_word_ratio": pa.float64(),  # '#' per unit
    "ellipsis_word_ratio": pa.float64(),  # '...' and '…' per unit
    "bullet_line_frac": pa.float64(),  # of all lines
    "ellipsis_line_frac": pa.float64(),  # of all lines
    "alpha_word_frac": pa.float64(),  # units with a letter, of all units
    "num_stop_words": pa.int64(),  # distinct stop words
}


class QualitySettings(NamedTuple):
    """What is counted."""

    stop_words: Hashes  # at the slot of their lowest bits, 0 where free
    stop_bits: Offsets  # one bit each, by slot
    bullets: Offsets  # code points
    by_token: bool  # units are tokens, else pieces
    spacy: bool  # tokens and words are those of `spacy_tokens`


def quality_settings(
    stop_words: tuple[str, ...], bullets: tuple[str, ...], words: str
) -> QualitySettings:
    """Settings of stop words, at most 63, of bullet characters, and of what units are."""
    slots, bits = _slots([hash_of(word) for word in dict.fromkeys(stop_words)])
    codes = np.array([ord(bullet) for bullet in dict.fromkeys(bullets)], np.int64)
    return QualitySettings(slots, bits, codes, words != "pieces", words == "spacy")


def _slots(hashes: list[int]) -> tuple[Hashes, Offsets]:
    """The smallest table in which no two hashes meet: a look-up is one comparison."""
    size = 64
    while len({value % size for value in hashes}) < len(hashes):
        size *= 2
    slots, bits = np.zeros(size, np.uint64), np.zeros(size, np.int64)
    for i, value in enumerate(hashes):
        slots[value % size], bits[value % size] = value, 1 << i
    return slots, bits


def hash_of(word: str) -> int:
    """The hash that a token has."""
    data = np.frombuffer(word.encode().ljust(8, b"\0"), np.uint8)
    return int(hash_bytes(data, 0, len(word.encode())))


@leaf
def quality(
    data: Bytes,
    tokens: Tokens,
    num_tokens: int,
    counted: Tokens,
    num_counted: int,
    lines: Lines,
    num_lines: int,
    settings: QualitySettings,
    row: Rows,
) -> None:
    """Fills a row of `COLUMNS`; words and units are those of `counted`.

    Loops over tokens are kept apart: each alone runs without branches, all together twice as slow.
    """
    words, chars, pieces, alpha_pieces, alpha_tokens = _count_words(counted, num_counted)
    hashes, ellipses = _count_symbols(data, tokens, num_tokens)
    units = max(num_counted if settings.by_token else pieces, 1)
    row[0], row[1] = words, chars / max(words, 1)
    row[2], row[3] = hashes / units, ellipses / units
    row[4], row[5] = _line_fracs(data, tokens, lines, num_lines, settings.bullets)
    row[6] = (alpha_tokens if settings.by_token else alpha_pieces) / units
    row[7] = _count_stop_words(counted, num_counted, settings)


@leaf
def _count_words(tokens: Tokens, num_tokens: int) -> tuple[int, int, int, int, int]:
    """(words, their code points, pieces, pieces with a letter, tokens with a letter)."""
    words, chars, pieces, alpha_pieces, alpha_tokens = 0, 0, 0, 0, 0
    alpha = 0  # the piece so far has a letter
    for i in range(num_tokens):
        flags = int(tokens.flags[i])
        word, letter, begins = (flags & WORD) // WORD, (flags & ALPHA) // ALPHA, flags & PIECE
        words += word
        chars += word * int(tokens.chars[i])
        pieces += begins
        alpha_pieces += alpha & begins
        alpha_tokens += letter
        alpha = letter | (alpha & (1 - begins))
    return words, chars, pieces, alpha_pieces + alpha, alpha_tokens


@leaf
def _count_symbols(data: Bytes, tokens: Tokens, num_tokens: int) -> tuple[int, int]:
    """(number signs, ellipses)."""
    hashes, ellipses = 0, 0
    for i in range(num_tokens):
        if not tokens.flags[i] & WORD:
            hashes += tokens.chars[i] if data[tokens.start[i]] == HASH else 0
            ellipses += _ellipses(data, tokens, i)
    return hashes, ellipses


@leaf
def _count_stop_words(tokens: Tokens, num_tokens: int, settings: QualitySettings) -> int:
    found, count = 0, 0
    mask = np.uint64(len(settings.stop_words) - 1)
    for i in range(num_tokens):
        value = tokens.hash[i]
        slot = value & mask
        found |= settings.stop_bits[slot] * np.int64(settings.stop_words[slot] == value)
    while found:
        count += found & 1
        found >>= 1
    return count


@leaf
def _line_fracs(
    data: Bytes, tokens: Tokens, lines: Lines, num_lines: int, bullets: Offsets
) -> tuple[float, float]:
    """Shares of lines that begin with a bullet, and that end with an ellipsis."""
    bulleted, trailing = 0, 0
    for line in range(num_lines):
        first, end = lines.first[line], lines.first[line + 1]
        if first == end:
            continue
        if not tokens.flags[first] & WORD:
            code = decode(data, tokens.start[first])[0]
            for bullet in bullets:
                bulleted += 1 if bullet == code else 0
        if not tokens.flags[end - 1] & WORD:
            trailing += 1 if _ellipses(data, tokens, end - 1) else 0
    return bulleted / max(num_lines, 1), trailing / max(num_lines, 1)


@leaf
def _ellipses(data: Bytes, tokens: Tokens, i: int) -> int:
    """How often symbol i holds an ellipsis."""
    count, start = 0, tokens.start[i]
    if data[start] == DOT:
        count = tokens.chars[i] // 3
    elif data[start] == 0xE2 and decode(data, start)[0] == ELLIPSIS:
        count = tokens.chars[i]
    return count
