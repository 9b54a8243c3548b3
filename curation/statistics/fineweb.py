"""What FineWeb's own rules ask of a text (Penedo et al. 2024, arXiv 2406.17557, 3.6).

Blank lines do not count. A line ends in punctuation if its last character that is not white space
has Unicode's property Sentence_Terminal.
"""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from curation.jit import leaf
from curation.statistics.lines import Lines
from curation.statistics.repetition import Grams, find_or_add, table_size
from curation.text import TERMINAL, WORD, Bytes, Rows, Tokens, count_chars, hash_bytes

COLUMNS = {
    "line_punct_frac": pa.float64(),  # lines that end in punctuation
    "short_line_frac": pa.float64(),
    "dup_line_char_frac": pa.float64(),  # of characters that are no newlines
    "newline_word_ratio": pa.float64(),  # newlines per token
}


class FinewebSettings(NamedTuple):
    """What is counted."""

    short_line_chars: int  # code points of the longest short line
    spacy: bool  # tokens are those of `spacy_tokens`


@leaf
def fineweb(
    data: Bytes,
    start: int,
    end: int,
    tokens: Tokens,
    num_tokens: int,
    lines: Lines,
    num_lines: int,
    settings: FinewebSettings,
    room: Grams,
    row: Rows,
) -> None:
    """Fills a row of `COLUMNS`."""
    filled, ended, short, dup_chars = 0, 0, 0, 0
    size = table_size(num_lines)
    room.slot[:size] = 0
    for line in range(num_lines):
        if lines.first[line] == lines.first[line + 1]:
            continue
        begin, stop = lines.start[line], lines.stop[line]
        flags = tokens.flags[lines.first[line + 1] - 1]
        ended += 1 if flags & TERMINAL and not flags & WORD else 0
        chars = count_chars(data, begin, stop)
        short += 1 if chars <= settings.short_line_chars else 0
        room.key[filled] = hash_bytes(data, begin, stop)
        dup_chars += chars if find_or_add(room.key, filled, room.slot, size) != filled else 0
        filled += 1
    newlines = max(num_lines - 1, 0)
    row[0], row[1] = ended / max(filled, 1), short / max(filled, 1)
    row[2] = dup_chars / max(count_chars(data, start, end) - newlines, 1)
    row[3] = newlines / max(num_tokens, 1)
