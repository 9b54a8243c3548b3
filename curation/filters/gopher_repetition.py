"""The repetition rules of Gopher (Rae et al. 2021, arXiv 2112.11446, table A1).

All shares of characters are over the code points of the document. Where the paper is silent we
count as datatrove does: a duplicate is every occurrence after the first; duplicated n-grams are
counted without overlap, by the characters of their tokens; the top n-gram counts its tokens and
one space between them, all occurrences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation import text
from curation.jit import kernel
from curation.stage import Annotations, Filter, Rule, stages
from curation.text import SPACE, Bytes, Hashes, Offsets, Rows, decode, hash_bytes, mix, next_token

NEWLINE = 0x0A
TOP_N, DUP_N = (2, 3, 4), (5, 6, 7, 8, 9, 10)
COLUMNS = {
    "dup_line_frac": pa.float64(),
    "dup_para_frac": pa.float64(),
    "dup_line_char_frac": pa.float64(),
    "dup_para_char_frac": pa.float64(),
    **{f"top_{n}_gram_char_frac": pa.float64() for n in TOP_N},
    **{f"dup_{n}_gram_char_frac": pa.float64() for n in DUP_N},
}

Counts = npt.NDArray[np.int32]


@stages.register("gopher_repetition")
@dataclass(frozen=True, kw_only=True)
class GopherRepetition(Filter):
    """Drops documents in which lines, paragraphs or n-grams repeat too much.

    Defaults are those of Gopher, table A1: the largest share in [0, 1] that is kept.
    """

    max_dup_line_frac: float | None = 0.30
    max_dup_para_frac: float | None = 0.30
    max_dup_line_char_frac: float | None = 0.20
    max_dup_para_char_frac: float | None = 0.20
    max_top_2_gram_char_frac: float | None = 0.20
    max_top_3_gram_char_frac: float | None = 0.18
    max_top_4_gram_char_frac: float | None = 0.16
    max_dup_5_gram_char_frac: float | None = 0.15
    max_dup_6_gram_char_frac: float | None = 0.14
    max_dup_7_gram_char_frac: float | None = 0.13
    max_dup_8_gram_char_frac: float | None = 0.12
    max_dup_9_gram_char_frac: float | None = 0.11
    max_dup_10_gram_char_frac: float | None = 0.10

    decides: ClassVar[tuple[str, ...]] = tuple(f"max_{name}" for name in COLUMNS)

    def columns(self) -> Annotations:
        """See `COLUMNS`."""
        return COLUMNS

    def measure(self, table: pa.Table) -> dict[str, pa.Array]:
        """One pass over lines, one over tokens, one over token hashes per n-gram size."""
        data, offsets = text.buffers(table["text"])
        rows = _measure(data, offsets, text.character_table())
        return {name: pa.array(rows[:, i]) for i, name in enumerate(COLUMNS)}

    def rules(self) -> tuple[Rule, ...]:
        """In the order of table A1."""
        params = self.parameters()
        return tuple(Rule(f"max_{c}", c, "max", params[f"max_{c}"]) for c in COLUMNS)


@kernel
def _measure(data: Bytes, offsets: Offsets, table: Bytes) -> Rows:
    """(documents, len(COLUMNS)) float64, for documents in one buffer."""
    out = np.zeros((len(offsets) - 1, 13), np.float64)
    seen, counts, stamps = _new_table(1 << 12)
    stamp = 0
    for doc in range(len(offsets) - 1):
        start, end, row = offsets[doc], offsets[doc + 1], out[doc]
        chars = _count_chars(data, start, end)
        if chars == 0:
            continue
        hashes, lengths = _tokens(data, start, end, table)
        # Lines are at most one more than newlines, and hardly ever more than tokens.
        size = _table_size(max(len(hashes), _count_newlines(data, start, end) + 1))
        if size > len(seen):
            seen, counts, stamps = _new_table(size)
            stamp = 0
        stamp = _measure_units(data, start, end, table, chars, row, seen, stamps, stamp)
        for n in (2, 3, 4):
            stamp += 1
            row[2 + n] = _top_ngram(hashes, lengths, n, seen, counts, stamps, stamp) / chars
        for n in range(5, 11):
            stamp += 1
            row[2 + n] = _dup_ngrams(hashes, lengths, n, seen, stamps, stamp) / chars
    return out


@kernel
def _count_newlines(data: Bytes, start: int, end: int) -> int:
    lines = 0
    for at in range(start, end):
        lines += 1 if data[at] == NEWLINE else 0
    return lines


@kernel
def _new_table(size: int) -> tuple[Hashes, Counts, Counts]:
    """An open-addressing table of hashes; a slot is filled if it bears the current stamp."""
    return np.zeros(size, np.uint64), np.zeros(size, np.int32), np.zeros(size, np.int32)


@kernel
def _slot(value: np.uint64, seen: Hashes, stamps: Counts, stamp: int, used: int) -> int:
    """The slot of `value`, or ~slot where it was put just now. Uses the first `used` slots."""
    mask = used - 1
    at = int(value) & mask
    while stamps[at] == stamp:
        if seen[at] == value:
            return at
        at = (at + 1) & mask
    seen[at], stamps[at] = value, stamp
    return ~at


@kernel
def _table_size(num_items: int) -> int:
    size = 64  # small documents stay in the nearest cache
    while size < 2 * num_items:
        size *= 2
    return size


@kernel
def _count_chars(data: Bytes, start: int, end: int) -> int:
    chars = 0
    for at in range(start, end):
        chars += 1 if data[at] & 0xC0 != 0x80 else 0
    return chars


@kernel
def _measure_units(
    data: Bytes,
    start: int,
    end: int,
    table: Bytes,
    chars: int,
    row: Rows,
    seen: Hashes,
    stamps: Counts,
    stamp: int,
) -> int:
    """Duplicate lines (separator of 1 newline or more) and paragraphs (2 or more)."""
    start, end = _strip(data, start, end, table)
    for i in range(2):
        stamp += 1
        num, dups, dup_chars = _dup_units(data, start, end, i + 1, seen, stamps, stamp)
        row[i], row[i + 2] = dups / max(num, 1), dup_chars / chars
    return stamp


@kernel
def _strip(data: Bytes, start: int, end: int, table: Bytes) -> tuple[int, int]:
    first, last = end, end
    at = start
    while at < end:
        code, size = decode(data, at)
        if not table[code] & SPACE:
            first = min(first, at)
            last = at + size
        at += size
    return first, last


@kernel
def _dup_units(
    data: Bytes, start: int, end: int, newlines: int, seen: Hashes, stamps: Counts, stamp: int
) -> tuple[int, int, int]:
    """(units, repeated units, code points of repeated units) between runs of newlines."""
    num, dups, dup_chars = 0, 0, 0
    begin, at = start, start
    used = _table_size(_count_newlines(data, start, end) + 1)
    while at <= end and start < end:
        run = 0
        while at + run < end and data[at + run] == NEWLINE:
            run += 1
        if run >= newlines or at == end:
            num += 1
            if _slot(hash_bytes(data, begin, at), seen, stamps, stamp, used) >= 0:
                dups += 1
                dup_chars += _count_chars(data, begin, at)
            begin = at + run
        at += max(run, 1)
    return num, dups, dup_chars


@kernel
def _tokens(data: Bytes, start: int, end: int, table: Bytes) -> tuple[Hashes, Counts]:
    """Hash and code points of every token."""
    hashes = np.empty(end - start, np.uint64)
    lengths = np.empty(end - start, np.int32)
    n, at = 0, start
    while True:
        first, at, length, _ = next_token(data, at, end, table)
        if first == at:
            return hashes[:n], lengths[:n]
        hashes[n], lengths[n] = hash_bytes(data, first, at), length
        n += 1


@kernel
def _ngram(hashes: Hashes, at: int, n: int) -> np.uint64:
    value = np.uint64(0)
    for i in range(at, at + n):
        value = mix(value + hashes[i])
    return value


@kernel
def _top_ngram(
    hashes: Hashes,
    lengths: Counts,
    n: int,
    seen: Hashes,
    counts: Counts,
    stamps: Counts,
    stamp: int,
) -> int:
    """Code points of all occurrences of the most frequent n-gram, the first of equals."""
    used = _table_size(len(hashes))
    best = 0
    for at in range(len(hashes) - n + 1):
        slot = _slot(_ngram(hashes, at, n), seen, stamps, stamp, used)
        if slot < 0:
            counts[~slot] = 1
            best = max(best, 1)
        else:
            counts[slot] += 1
            best = max(best, int(counts[slot]))
    for at in range(len(hashes) - n + 1):
        slot = _slot(_ngram(hashes, at, n), seen, stamps, stamp, used)
        if counts[slot] == best:
            return best * (int(np.sum(lengths[at : at + n])) + n - 1)
    return 0


@kernel
def _dup_ngrams(
    hashes: Hashes, lengths: Counts, n: int, seen: Hashes, stamps: Counts, stamp: int
) -> int:
    """Code points in n-grams that occurred before, counted without overlap."""
    used = _table_size(len(hashes))
    chars, at = 0, 0
    while at + n <= len(hashes):
        if _slot(_ngram(hashes, at, n), seen, stamps, stamp, used) >= 0:
            chars += int(np.sum(lengths[at : at + n]))
            at += n
        else:
            at += 1
    return chars
