"""The quality rules of Gopher (Rae et al. 2021, arXiv 2112.11446, appendix A.1.1).

The paper does not say what a word is. Lengths and counts are over the words of `curation.text`;
the symbol and letter rules are over *pieces*, what stands between white space, as in Dolma and
DCLM. (datatrove counts punctuation marks as words there, which drops most prose with code in it.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from curation import text
from curation.jit import kernel
from curation.stage import Annotations, Filter, Rule, stages
from curation.text import (
    ALPHA,
    SPACE,
    WORD,
    Bytes,
    Hashes,
    Offsets,
    Rows,
    decode,
    hash_bytes,
    next_token,
)

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")  # A.1.1
BULLETS = np.array([ord(c) for c in "-*•‣▪●◦–"], np.int64)
NEWLINE, HASH, DOT, ELLIPSIS = 0x0A, 0x23, 0x2E, 0x2026

COLUMNS = {
    "num_words": pa.int64(),  # words
    "avg_word_len": pa.float64(),  # code points per word
    "hash_word_ratio": pa.float64(),  # '#' per piece
    "ellipsis_word_ratio": pa.float64(),  # '...' and '…' per piece
    "bullet_line_frac": pa.float64(),  # of lines that are not blank
    "ellipsis_line_frac": pa.float64(),  # of lines that are not blank
    "alpha_word_frac": pa.float64(),  # pieces with a letter, of all pieces
    "num_stop_words": pa.int64(),  # distinct members of STOP_WORDS
}


@stages.register("gopher_quality")
@dataclass(frozen=True, kw_only=True)
class GopherQuality(Filter):
    """Drops documents that are too short, too long, or do not look like prose.

    Defaults are those of Gopher, appendix A.1.1. `min_*` and `max_*` keep at equality.
    """

    min_words: int | None = 50
    max_words: int | None = 100_000
    min_avg_word_len: float | None = 3.0
    max_avg_word_len: float | None = 10.0
    max_symbol_word_ratio: float | None = 0.1  # for '#' and for ellipses, each
    max_bullet_line_frac: float | None = 0.9
    max_ellipsis_line_frac: float | None = 0.3
    min_alpha_word_frac: float | None = 0.8
    min_stop_words: int | None = 2

    decides: ClassVar[tuple[str, ...]] = (
        "min_words",
        "max_words",
        "min_avg_word_len",
        "max_avg_word_len",
        "max_symbol_word_ratio",
        "max_bullet_line_frac",
        "max_ellipsis_line_frac",
        "min_alpha_word_frac",
        "min_stop_words",
    )

    def __post_init__(self) -> None:
        for name in ("words", "avg_word_len"):
            low, high = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if low is not None and high is not None and low > high:
                raise ValueError(
                    f"'min_{name}' of gopher_quality is {low}, above 'max_{name}', {high}: "
                    "that would drop everything"
                )

    def columns(self) -> Annotations:
        """See `COLUMNS`."""
        return COLUMNS

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        """Counts every document in one pass over its bytes."""
        data, offsets = text.buffers(table["text"])
        rows = _measure(data, offsets, text.character_table(), stop_word_hashes(), BULLETS)
        return {
            name: pa.array(rows[:, i]).cast(kind) for i, (name, kind) in enumerate(COLUMNS.items())
        }

    def rules(self) -> tuple[Rule, ...]:
        """In the order of the paper."""
        symbols = self.max_symbol_word_ratio
        return (
            Rule("min_words", "num_words", "min", self.min_words),
            Rule("max_words", "num_words", "max", self.max_words),
            Rule("min_avg_word_len", "avg_word_len", "min", self.min_avg_word_len),
            Rule("max_avg_word_len", "avg_word_len", "max", self.max_avg_word_len),
            Rule("max_symbol_word_ratio", "hash_word_ratio", "max", symbols),
            Rule("max_symbol_word_ratio", "ellipsis_word_ratio", "max", symbols),
            Rule("max_bullet_line_frac", "bullet_line_frac", "max", self.max_bullet_line_frac),
            Rule(
                "max_ellipsis_line_frac", "ellipsis_line_frac", "max", self.max_ellipsis_line_frac
            ),
            Rule("min_alpha_word_frac", "alpha_word_frac", "min", self.min_alpha_word_frac),
            Rule("min_stop_words", "num_stop_words", "min", self.min_stop_words),
        )


def stop_word_hashes() -> Hashes:
    """The hashes of `STOP_WORDS`."""
    words = [np.frombuffer(word.encode(), np.uint8) for word in STOP_WORDS]
    return np.array([text.hash_bytes(w, 0, len(w)) for w in words], np.uint64)


@kernel
def _measure(
    data: Bytes, offsets: Offsets, table: Bytes, stop_words: Hashes, bullets: Offsets
) -> Rows:
    """(documents, len(COLUMNS)) float64."""
    out = np.zeros((len(offsets) - 1, 8), np.float64)
    for doc in range(len(offsets) - 1):
        _measure_tokens(data, offsets[doc], offsets[doc + 1], table, stop_words, out[doc])
        _measure_lines(data, offsets[doc], offsets[doc + 1], table, bullets, out[doc])
    return out


@kernel
def _measure_tokens(
    data: Bytes, at: int, end: int, table: Bytes, stop_words: Hashes, row: Rows
) -> None:
    words, chars, pieces, alpha, hashes, ellipses, stops = 0, 0, 0, 0, 0, 0, 0
    before, has_letter = -1, True  # of the piece: where its last token ended
    while True:
        start, at, length, bits = next_token(data, at, end, table)
        if start == at:
            break
        if start != before:
            pieces, has_letter = pieces + 1, False
        before = at
        if bits & ALPHA and not has_letter:
            alpha, has_letter = alpha + 1, True
        if bits & WORD:
            words += 1
            chars += length
            if 2 <= at - start <= 4:
                stops |= _stop_word_bit(data, start, at, stop_words)
        elif data[start] == HASH:
            hashes += length
        elif _is_ellipsis(data, start, length):
            ellipses += 1
    row[0], row[1] = words, chars / max(words, 1)
    row[2], row[3] = hashes / max(pieces, 1), ellipses / max(pieces, 1)
    row[6] = alpha / max(pieces, 1)
    while stops:
        row[7] += stops & 1
        stops >>= 1


@kernel
def _stop_word_bit(data: Bytes, start: int, end: int, stop_words: Hashes) -> int:
    value = hash_bytes(data, start, end)
    for i in range(len(stop_words)):
        if stop_words[i] == value:
            return 1 << i
    return 0


@kernel
def _is_ellipsis(data: Bytes, start: int, length: int) -> bool:
    if data[start] == DOT:
        return length >= 3
    return data[start] == 0xE2 and decode(data, start)[0] == ELLIPSIS


@kernel
def _measure_lines(
    data: Bytes, at: int, end: int, table: Bytes, bullets: Offsets, row: Rows
) -> None:
    lines, bulleted, trailing = 0, 0, 0
    first, last, dots = 0, 0, 0  # of the line: its first and last character, dots at its end
    while at <= end:
        code, size = (NEWLINE, 1) if at == end else decode(data, at)
        at += size
        if code == NEWLINE:
            if first:
                lines += 1
                bulleted += 1 if _contains(bullets, first) else 0
                trailing += 1 if last == ELLIPSIS or dots >= 3 else 0
            first, last, dots = 0, 0, 0
        elif not table[code] & SPACE:
            first = first or code
            dots = dots + 1 if code == DOT else 0
            last = code
    row[4], row[5] = bulleted / max(lines, 1), trailing / max(lines, 1)


@kernel
def _contains(values: Offsets, wanted: int) -> bool:
    for value in values:  # noqa: SIM110  any() over a generator does not compile
        if value == wanted:
            return True
    return False
